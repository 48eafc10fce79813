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
  readonly atMs: number
  readonly target: string
  /** Names of the feeds that asked for it, at least one. */
  readonly feeds: readonly string[]
  readonly isReverted: boolean
  readonly gasUsed: bigint
  readonly feeWei: bigint
}

export interface Costs {
  add(cost: Cost): void
  /** Takes back what `add` was given: a reorganisation undid the transaction. */
  remove(cost: Cost): void
  /** All rows that are kept, by day, target and feed. */
  rows(): readonly CostRow[]
}

/** An empty table that keeps the last `daysKept` days. */
export function createCosts(daysKept = 35): Costs {
  const days = new Map<string, Map<string, CostRow>>()
  const book = (cost: Cost, sign: 1 | -1): void => {
    const day = new Date(cost.atMs).toISOString().slice(0, 10)
    const table = days.get(day) ?? new Map<string, CostRow>()
    days.set(day, table)
    const gasShares = shares(cost.gasUsed, cost.feeds.length)
    const feeShares = shares(cost.feeWei, cost.feeds.length)
    cost.feeds.forEach((feed, i) => {
      const key = `${cost.target} ${feed}`
      const row = table.get(key)
      table.set(key, {
        day,
        target: cost.target,
        feed,
        updates: (row?.updates ?? 0) + (cost.isReverted ? 0 : sign),
        reverted: (row?.reverted ?? 0) + (cost.isReverted ? sign : 0),
        gasUsed: (row?.gasUsed ?? 0n) + BigInt(sign) * gasShares[i]!,
        feeWei: (row?.feeWei ?? 0n) + BigInt(sign) * feeShares[i]!,
      })
    })
    const kept = [...days.keys()].sort().slice(-daysKept)
    for (const old of days.keys()) if (!kept.includes(old)) days.delete(old)
  }
  return {
    add: (cost) => book(cost, 1),
    remove: (cost) => book(cost, -1),
    rows: () =>
      [...days.keys()]
        .sort()
        .flatMap((day) => [...days.get(day)!.keys()].sort().map((key) => days.get(day)!.get(key)!)),
  }
}

/** `total` in `count` shares that differ by at most 1 and sum up to it. */
function shares(total: bigint, count: number): readonly bigint[] {
  const each = total / BigInt(count)
  const rest = Number(total % BigInt(count))
  return Array.from({ length: count }, (_, i) => each + (i < rest ? 1n : 0n))
}
