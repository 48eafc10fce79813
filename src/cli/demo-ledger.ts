// What the blocks of the demo's chain held: pushes by feed, the request and its end, gas and fees to the wei. Pure.

import type { OracleEvent } from '../oracle-event.js'
import type { Mined } from './demo-blocks.js'
import type { Payers } from './demo-payers.js'

/** Gas and wei. */
export interface Cost {
  readonly gasUsed: bigint
  readonly feeWei: bigint
}

/** Pushes that renewed one feed. */
export interface FeedPushes extends Cost {
  readonly updates: number
  /** Why the last one was due, as its sender said; null where it was not heard. */
  readonly reason: string | null
  /** The oracle that sent the last one. */
  readonly by: string | null
}

/** How a request ended. */
export interface RequestEnd extends Cost {
  readonly end: 'answered' | 'refused'
  readonly by: string
  readonly txHash: string
  /** Of the logs that the contracts wrote. */
  readonly logs: Mined['logs']
}

/** A push that changed the store. */
export interface PushNews extends Cost {
  readonly by: string
  readonly feeds: readonly string[]
  readonly reason: string | null
  readonly txHash: string
  readonly block: number
}

export interface Ledger {
  /** A transaction in a block; the push that it was, or null. */
  onMined(mined: Mined): PushNews | null
  /** What an oracle says of its deliveries. */
  onEvent(oracle: string, event: OracleEvent): void
  /** Pushes that changed the store and those that did not, with the cost of all. */
  pushes(): Cost & { readonly count: number; readonly failed: number }
  feed(name: string): FeedPushes
  requestEnd(): RequestEnd | null
  /** All that the oracles paid for requests. */
  requestCost(): Cost
  /** Transactions that oracles sent and have not heard the end of. */
  underWay(): number
}

export interface LedgerParts {
  readonly store: string
  readonly hub: string
  readonly payers: ReadonlyMap<string, Payers>
  /** Names of the feeds that a log of the store tells of. */
  readonly updatedIn: (log: Mined['logs'][number]) => readonly string[]
  /** What a log of the hub says, where it ends a request. */
  readonly endIn: (log: Mined['logs'][number]) => RequestEnd['end'] | null
}

const nothing: Cost = { gasUsed: 0n, feeWei: 0n }
const plus = (a: Cost, b: Cost): Cost => ({ gasUsed: a.gasUsed + b.gasUsed, feeWei: a.feeWei + b.feeWei })

/** An empty ledger. */
export function createLedger({ store, hub, payers, updatedIn, endIn }: LedgerParts): Ledger {
  const oracleOf = new Map(
    [...payers].flatMap(([name, { pushes, requests }]) => [[pushes, name] as const, [requests, name] as const]),
  )
  const feeds = new Map<string, FeedPushes>()
  /** Why each feed is due, by the last word of each oracle. */
  const reasons = new Map<string, string>()
  const underWay = new Set<string>()
  let pushed = { ...nothing, count: 0, failed: 0 }
  let answered = nothing
  let end: RequestEnd | null = null

  const onPush = (by: string, mined: Mined): PushNews | null => {
    const { count, failed } = pushed
    const names = mined.logs.filter(({ address }) => address.toLowerCase() === store).flatMap(updatedIn)
    const isGood = mined.succeeded && names.length > 0
    pushed = { ...plus(pushed, mined), count: count + (isGood ? 1 : 0), failed: failed + (isGood ? 0 : 1) }
    names.forEach((name, i) => {
      const before = feeds.get(name)
      const gas = share(mined.gasUsed, names.length, i)
      const fee = share(mined.feeWei, names.length, i)
      feeds.set(name, {
        updates: (before?.updates ?? 0) + 1,
        gasUsed: (before?.gasUsed ?? 0n) + gas,
        feeWei: (before?.feeWei ?? 0n) + fee,
        reason: reasons.get(`${by} ${name}`) ?? null,
        by,
      })
    })
    if (!isGood) return null
    const { gasUsed, feeWei, hash, blockNumber } = mined
    const reason = names.map((name) => reasons.get(`${by} ${name}`)).find((found) => found !== undefined) ?? null
    return { by, feeds: names, reason, gasUsed, feeWei, txHash: hash, block: blockNumber }
  }
  return {
    onMined: (mined) => {
      const by = oracleOf.get(mined.from)
      if (by === undefined) return null
      if (mined.to === store) return onPush(by, mined)
      if (mined.to !== hub) return null
      answered = plus(answered, mined)
      for (const log of mined.logs) {
        const found = log.address.toLowerCase() === hub ? endIn(log) : null
        const { gasUsed, feeWei, hash, logs } = mined
        if (found !== null) end ??= { end: found, by, txHash: hash, gasUsed, feeWei, logs }
      }
      return null
    },
    onEvent: (oracle, event) => {
      if (event.event !== 'transmit') return
      const { news } = event
      if (news.event === 'due') reasons.set(`${oracle} ${news.feed}`, news.reason)
      if (news.event === 'sent') underWay.add(`${oracle} ${news.job}`)
      if (news.event === 'confirmed' || news.event === 'superseded' || news.event === 'refused')
        underWay.delete(`${oracle} ${news.job}`)
    },
    pushes: () => pushed,
    feed: (name) => feeds.get(name) ?? { ...nothing, updates: 0, reason: null, by: null },
    requestEnd: () => end,
    requestCost: () => answered,
    underWay: () => underWay.size,
  }
}

/** The i-th of `count` shares of `total`, which sum up to it. */
function share(total: bigint, count: number, i: number): bigint {
  return total / BigInt(count) + (BigInt(i) < total % BigInt(count) ? 1n : 0n)
}
