// The jobs that a transmitter gave to the sender: which are under way, what became of them, what they cost.

import type { News, Outcome } from '../chain/sender-state.js'
import type { Costs } from './costs.js'
import { isRefused } from './due.js'
import type { DueFeed } from './due-book.js'
import { jobId, parseJobId } from './job.js'
import type { Target } from './target.js'
import type { Paid, TransmitEvent } from './transmit-event.js'

/** What a transmitter sends. */
export interface Flight {
  readonly attestedAtMs: number
  readonly bundles: readonly number[]
  /** Names of the feeds it was sent for. */
  readonly feeds: readonly string[]
  /** When the first of them was due; null for a job of an earlier life. */
  readonly dueAtMs: number | null
}

export interface Flights {
  /** Whether the job was given to the sender before, however it ended. */
  has(id: string): boolean
  add(flight: Flight): void
  /** The sender did not take it. */
  drop(id: string, why: string): void
  /** Ends may be told again: they are booked once, and of a job that is not known here only booked. */
  hear(news: News): void
  /** Whether something is under way that the store lacks; what landed but is not deep enough is no more. */
  isUnderWay(): boolean
  /** Whether this member brought, or is about to bring, what the store has of a feed. */
  isOurs(due: DueFeed): boolean
  /** Whether the store lacks what the job brings, and would still take it; false for jobs of other stores. */
  isLacking(id: string): boolean
}

export interface FlightsParts {
  readonly target: Target
  readonly costs: Costs
  readonly nowMs: () => number
  /** T of what the store was last seen to have of a feed. */
  readonly storedMs: (feedId: string) => number
  readonly onEvent: (event: TransmitEvent) => void
  /** A job failed. */
  readonly onRefused: () => void
}

interface Known extends Flight {
  readonly id: string
  sentAtMs: number | null
  isEnded: boolean
}

/** Jobs that are remembered; more only while they are all under way. */
const knownMax = 64

/** Ends that are older than this are not booked when they are told again: the table may have forgotten that they were. */
const retoldMs = 3_600_000

/** What costs nothing. */
export const nothingPaid: Paid = { gasUsed: 0n, feeWei: 0n }

/** The flights of one target; `openJobs` are those of an earlier life. */
export function createFlights(parts: FlightsParts, openJobs: readonly string[]): Flights {
  const { target, costs, nowMs, storedMs, onEvent } = parts
  const flights = new Map<string, Known>()
  const told = (): { readonly target: string; readonly atMs: number } => ({ target: target.id, atMs: nowMs() })

  const add = (flight: Flight): void => {
    const { attestedAtMs, bundles } = flight
    const id = jobId({ target: target.id, attestedAtMs, bundles })
    flights.set(id, { ...flight, id, sentAtMs: null, isEnded: false })
    for (const [old, { isEnded }] of flights) {
      if (flights.size <= knownMax) break
      if (isEnded) flights.delete(old)
    }
  }

  /** What the id of a job of an earlier life tells of it; null for one of another store, or of feeds that it has no more. */
  const recall = (id: string): Flight | null => {
    const known = parseJobId(id)
    if (known === null || known.target !== target.id) return null
    const { attestedAtMs, bundles } = known
    const feeds = target.rules.filter(({ bundle }) => bundles.includes(bundle)).map(({ feed }) => feed.name)
    return feeds.length === 0 ? null : { attestedAtMs, bundles, feeds, dueAtMs: null }
  }

  /** Takes over a job of an earlier life. */
  const adopt = (id: string): void => {
    const flight = recall(id)
    if (flight !== null) add(flight)
  }

  /** Books what a job has cost, by the time of its end: a crash may have come between that and the table of costs. */
  const book = ({ id, end, receipt, atMs }: Outcome, feeds: readonly string[]): void => {
    if (receipt === null || feeds.length === 0) return
    const { hash: txHash, gasUsed, paidWei: feeWei } = receipt
    costs.add({ job: id, txHash, atMs, target: target.id, feeds, isReverted: end !== 'done', gasUsed, feeWei })
  }

  const isMissing = ({ attestedAtMs, bundles }: Pick<Flight, 'attestedAtMs' | 'bundles'>): boolean =>
    target.rules.some(
      ({ feed: { feedId, validForS }, bundle }) =>
        bundles.includes(bundle) &&
        !isRefused({ attestedAtMs: storedMs(feedId) }, { attestedAtMs, validForS }, nowMs()),
    )

  const refuse = ({ id, feeds }: Known, why: string, paid: Paid): void => {
    onEvent({ ...told(), event: 'refused', job: id, feeds, why, ...paid })
    parts.onRefused()
  }

  const conclude = (flight: Known, outcome: Outcome): void => {
    const { end, receipt } = outcome
    const { id, feeds, dueAtMs, sentAtMs, attestedAtMs, bundles } = flight
    flight.isEnded = true
    const isBrought = target.rules.every(
      ({ feed, bundle }) => !bundles.includes(bundle) || storedMs(feed.feedId) >= attestedAtMs,
    )
    const paid = receipt === null ? nothingPaid : { gasUsed: receipt.gasUsed, feeWei: receipt.paidWei }
    book(outcome, feeds)
    if (end === 'done' && receipt !== null) {
      const { hash: txHash, blockNumber } = receipt
      onEvent({ ...told(), event: 'confirmed', job: id, feeds, txHash, blockNumber, dueAtMs, sentAtMs, ...paid })
    } else if (end === 'superseded' || isBrought) onEvent({ ...told(), event: 'superseded', job: id, feeds, ...paid })
    else refuse(flight, end, paid)
  }

  for (const id of openJobs) adopt(id)

  return {
    has: (id) => flights.has(id),
    add,
    drop: (id, why) => {
      const flight = flights.get(id)
      flights.delete(id)
      if (flight !== undefined) refuse(flight, why, nothingPaid)
    },
    hear: (news) => {
      if (news.kind === 'alarm') return
      const id = news.kind === 'sent' ? news.job.id : news.kind === 'ended' ? news.outcome.id : news.id
      // What ended before a restart may be undone after it.
      if (news.kind === 'undone' && !flights.has(id)) adopt(id)
      const flight = flights.get(id)
      if (flight === undefined) {
        // An end of an earlier life: it was told, but perhaps not booked.
        if (news.kind === 'ended' && news.outcome.atMs > nowMs() - retoldMs) book(news.outcome, recall(id)?.feeds ?? [])
        return
      }
      const { feeds } = flight
      if (news.kind === 'sent') {
        flight.sentAtMs ??= nowMs()
        onEvent({ ...told(), event: 'sent', job: id, feeds, txHash: news.attempt.hash })
      } else if (news.kind === 'undone') {
        costs.remove(id)
        flight.isEnded = false
        onEvent({ ...told(), event: 'undone', job: id, feeds })
        // An end may be told again.
      } else if (!flight.isEnded) conclude(flight, news.outcome)
    },
    isUnderWay: () => [...flights.values()].some((flight) => !flight.isEnded && isMissing(flight)),
    isOurs: ({ rule }) =>
      [...flights.values()].some(
        ({ bundles, attestedAtMs, isEnded }) =>
          bundles.includes(rule.bundle) && (!isEnded || attestedAtMs === storedMs(rule.feed.feedId)),
      ),
    isLacking: (id) => {
      const known = parseJobId(id)
      return known !== null && known.target === target.id && isMissing(known)
    },
  }
}
