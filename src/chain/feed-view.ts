// A feed as contracts show it at one block: what a store keeps, what a facade answers, what another oracle's aggregator says.

import { type Place, reasonOf, unfit, view } from './contract-view.js'
import { AggregatorFacade__factory } from './generated/factories/AggregatorFacade__factory.js'
import { AggregatorV3Interface__factory } from './generated/factories/AggregatorV3Interface__factory.js'
import { IFeedStore__factory } from './generated/factories/IFeedStore__factory.js'
import { type BlockRef, callOf } from './questions.js'
import type { RpcQuorum } from './rpc-quorum.js'

type Reads = Pick<RpcQuorum, 'read' | 'profile'>

/** What a store has of a feed; times are ms since 1970. */
export interface StoreReading {
  readonly value: bigint
  readonly attestedAtMs: number
  readonly observedAtMs: number
  readonly validUntilMs: number
  readonly status: number
  readonly groups: number
  readonly kind: number
  readonly spreadPpm: number
}

/** What an aggregator answers. */
export interface AggregatorAnswer {
  readonly answer: bigint
  readonly decimals: number
  readonly roundId: bigint
  /** Seconds since 1970. */
  readonly updatedAtS: number
}

const storeFace = IFeedStore__factory.createInterface()
/** Of push(), 0x hex: what stands before a report. */
export const pushSelector: string = storeFace.getFunction('push').selector
const aggregatorFace = AggregatorV3Interface__factory.createInterface()
const facadeFace = AggregatorFacade__factory.createInterface()

/** What `store` has of `feedId`, whatever its age; null where it has nothing. CONTRACT_UNFIT where it is no store. */
export async function readStore(
  quorum: Reads,
  at: BlockRef,
  store: string,
  feedId: string,
): Promise<StoreReading | null> {
  const place: Place = { quorum, at, address: store, what: 'store of feeds' }
  const [found] = await view(place, storeFace, 'tryRead', [feedId])
  const attestedAtMs = Number(found.attestedAtMs)
  if (attestedAtMs === 0) return null
  return {
    value: found.value,
    attestedAtMs,
    observedAtMs: Number(found.observedAtMs),
    validUntilMs: Number(found.validUntilMs),
    status: Number(found.status),
    groups: Number(found.groups),
    kind: Number(found.kind),
    spreadPpm: Number(found.spreadPpm),
  }
}

/** What an AggregatorV3 of anybody answers; CONTRACT_UNFIT where it is none or gives no answer. */
export async function readAggregator(quorum: Reads, at: BlockRef, address: string): Promise<AggregatorAnswer> {
  const place: Place = { quorum, at, address, what: 'aggregator' }
  const [round, [decimals]] = await Promise.all([
    view(place, aggregatorFace, 'latestRoundData'),
    view(place, aggregatorFace, 'decimals'),
  ])
  const [roundId, answer, , updatedAt] = round
  return { answer, roundId, decimals: Number(decimals), updatedAtS: Number(updatedAt) }
}

/** A facade of ours, and its answer; an answer that it refuses is null, with the reason it gives. */
export async function readFacade(
  quorum: Reads,
  at: BlockRef,
  address: string,
): Promise<
  { readonly store: string; readonly feedId: string; readonly description: string; readonly decimals: number } & (
    | { readonly answer: AggregatorAnswer }
    | { readonly answer: null; readonly why: string }
  )
> {
  const place: Place = { quorum, at, address, what: 'facade of ours' }
  const [[store], [feedId], [description], [decimals]] = await Promise.all([
    view(place, facadeFace, 'store'),
    view(place, facadeFace, 'feedId'),
    view(place, facadeFace, 'description'),
    view(place, facadeFace, 'decimals'),
  ])
  const facts = { store: store.toLowerCase(), feedId, description, decimals: Number(decimals) }
  const { reverted, data } = await quorum.read(callOf(address, facadeFace.encodeFunctionData('latestRoundData')), at)
  if (reverted) return { ...facts, answer: null, why: reasonOf(data) }
  try {
    const [roundId, answer, , updatedAt] = facadeFace.decodeFunctionResult('latestRoundData', data)
    return {
      ...facts,
      answer: { answer, roundId, updatedAtS: Number(updatedAt), decimals: facts.decimals },
    }
  } catch {
    throw unfit(place, 'latestRoundData answers something else')
  }
}
