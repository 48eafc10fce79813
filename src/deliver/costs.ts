// What updates cost: by feed and day, in wei, shared out exactly over the feeds that asked for a transaction.

/** One feed of one store on one UTC day. */
export interface CostRow {
  /** `2026-11-20`. */
  readonly day: string
  readonly target: string
  readonly feed: string
  /** Transactions that were paid for and changed the store. */
  readonly updates: number
  /** Transactions that were paid for in vain. */
  readonly reverted: number
  readonly gasUsed: bigint
  readonly feeWei: bigint
}

/** A transaction that was paid for. */
export interface Cost {
  /** Id of the job it was for: the chain takes one transaction for each, so one is counted. */
  readonly job: string
  readonly txHash: string
  /** When the job ended, ms since 1970. */
  readonly atMs: number
  readonly target: string
  /** Names of the feeds that asked for it, at least one. */
  readonly feeds: readonly string[]
  readonly isReverted: boolean
  readonly gasUsed: bigint
  readonly feeWei: bigint
}

export interface Costs {
  /** Counts a transaction. One that is told again changes nothing; another for the same job takes its place. */
  add(cost: Cost): void
  /** Takes back what a job has cost: a reorganisation undid its transaction. */
  remove(job: string): void
  /** All rows that are kept, by day, target and feed; the same array until one changes. */
  rows(): readonly CostRow[]
}

/** What must survive a restart. */
export interface KeptCosts {
  readonly rows: readonly CostRow[]
  /** Oldest first: what may be told again, or taken back. */
  readonly recent: readonly Cost[]
}

/** The table. `add` and `remove` say whether they changed it. */
export interface CostTable extends Costs {
  add(cost: Cost): boolean
  remove(job: string): boolean
  kept(): KeptCosts
}

/** How long a transaction may be told again, and how many are remembered. A sender remembers the ends of its jobs for an hour. */
const recentMs = 2 * 86_400_000
const recentMax = 4096

/** A table that goes on from `kept` and keeps the last `daysKept` days that cost something. */
export function createCosts(daysKept = 35, { rows, recent }: KeptCosts = { rows: [], recent: [] }): CostTable {
  const days = new Map<string, Map<string, CostRow>>()
  const known = new Map(recent.map((cost) => [cost.job, cost]))
  const tableOf = (day: string): Map<string, CostRow> => {
    const table = days.get(day) ?? new Map<string, CostRow>()
    days.set(day, table)
    return table
  }
  for (const row of rows) tableOf(row.day).set(keyOf(row.target, row.feed), row)

  let sorted: readonly CostRow[] | null = null
  const book = (cost: Cost, sign: 1 | -1): void => {
    sorted = null
    const day = new Date(cost.atMs).toISOString().slice(0, 10)
    const table = tableOf(day)
    const gasShares = shares(cost.gasUsed, cost.feeds.length)
    const feeShares = shares(cost.feeWei, cost.feeds.length)
    cost.feeds.forEach((feed, i) => {
      const key = keyOf(cost.target, feed)
      const row = table.get(key)
      const next: CostRow = {
        day,
        target: cost.target,
        feed,
        updates: (row?.updates ?? 0) + (cost.isReverted ? 0 : sign),
        reverted: (row?.reverted ?? 0) + (cost.isReverted ? sign : 0),
        gasUsed: (row?.gasUsed ?? 0n) + BigInt(sign) * gasShares[i]!,
        feeWei: (row?.feeWei ?? 0n) + BigInt(sign) * feeShares[i]!,
      }
      if (next.updates === 0 && next.reverted === 0) table.delete(key)
      else table.set(key, next)
    })
    const kept = [...days.keys()].sort().slice(-daysKept)
    for (const [old, { size }] of days) if (size === 0 || !kept.includes(old)) days.delete(old)
  }

  const remove = (job: string): boolean => {
    const cost = known.get(job)
    if (cost === undefined) return false
    known.delete(job)
    book(cost, -1)
    return true
  }

  return {
    add: (cost) => {
      const before = known.get(cost.job)
      if (before?.txHash === cost.txHash && before.isReverted === cost.isReverted) return false
      remove(cost.job)
      known.set(cost.job, cost)
      book(cost, 1)
      for (const [job, { atMs }] of known) {
        if (known.size <= recentMax && atMs > cost.atMs - recentMs) break
        known.delete(job)
      }
      return true
    },
    remove,
    rows: () => {
      sorted ??= [...days.keys()]
        .sort()
        .flatMap((day) => [...days.get(day)!.keys()].sort().map((key) => days.get(day)!.get(key)!))
      return sorted
    },
    kept: () => ({ rows: [...days.values()].flatMap((table) => [...table.values()]), recent: [...known.values()] }),
  }
}

function keyOf(target: string, feed: string): string {
  return `${target} ${feed}`
}

/** `total` in `count` shares that differ by at most 1 and sum up to it. */
function shares(total: bigint, count: number): readonly bigint[] {
  const each = total / BigInt(count)
  const rest = Number(total % BigInt(count))
  return Array.from({ length: count }, (_, i) => each + (i < rest ? 1n : 0n))
}
