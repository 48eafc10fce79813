// What a request asks of this oracle now: nothing yet, an answer, a refusal, or the news that its deadline is over. Pure.

import type { Committee } from '../core/committee.js'
import { type Layout, readReading } from '../core/layout.js'
import { validUntilOf } from '../core/report-json.js'
import { statusCodes } from '../core/status.js'
import type { Held } from './newest-report.js'
import type { OpenRequest } from './request-book.js'
import type { DeclineReason, RequestSettings } from './request-event.js'
import type { RequestAct } from './request-job.js'
import type { RequestedLog } from './request-log.js'
import { readyAtMs } from './request-rounds.js'

/** What is to be sent, and since when: members take turns from then on. */
export interface RequestPlan {
  readonly act: RequestAct
  readonly sinceMs: number
  /** Until when it can be in a block, ms; null: whenever. */
  readonly liveUntilMs: number | null
}

/** What decides who goes first. */
export interface Rank {
  readonly act: RequestAct
  readonly request: Pick<OpenRequest, 'id' | 'deadlineMs'>
  /** What its requester cost within the hour. */
  readonly gasSpent: number
}

export interface Planner {
  /** Why a request is declined by what its event says; null when it is not. */
  whyDeclined(request: RequestedLog): DeclineReason | null
  /** Whether too little time is left for a round and for landing. */
  isTooNear(request: Pick<OpenRequest, 'requestedAtMs' | 'deadlineMs'>, nowMs: number): boolean
  /** Whether the report has a value that answers the request at all. */
  hasValue(request: OpenRequest, held: Held): boolean
  /** What to send at `nowMs` by the newest report; null while nothing is. */
  planOf(request: OpenRequest, held: Held | null, nowMs: number): RequestPlan | null
}

/** The planner of one hub. */
export function requestPlanner(committee: Committee, layout: Layout, settings: RequestSettings): Planner {
  const landMs = settings.landBlocks * settings.blockMs
  const feedIds = new Set(committee.feeds.map(({ feedId }) => feedId))

  const hasValue = (request: OpenRequest, { report, packed }: Held): boolean =>
    report.attestedAtMs >= readyAtMs(request) && readReading(layout, packed, request.feed).status === statusCodes.OK

  return {
    whyDeclined: ({ feedId, requester, callbackGas }) => {
      if (!feedIds.has(feedId)) return 'UNKNOWN_FEED'
      if (settings.requesters !== null && !settings.requesters.includes(requester)) return 'REQUESTER_NOT_LISTED'
      return callbackGas > settings.callbackGasMax ? 'CALLBACK_GAS_TOO_HIGH' : null
    },
    isTooNear: ({ requestedAtMs, deadlineMs }, nowMs) =>
      deadlineMs < Math.max(nowMs, readyAtMs({ requestedAtMs }) + committee.timing.roundMs) + landMs,
    hasValue,
    planOf: (request, held, nowMs) => {
      const { feed, deadlineMs, isExpired, sinceMs } = request
      if (request.end !== null) return null
      if (isExpired) return { act: 'expire', sinceMs: deadlineMs, liveUntilMs: null }
      if (held === null || nowMs + landMs > deadlineMs) return null
      const { attestedAtMs } = held.report
      if (attestedAtMs < readyAtMs(request)) return null
      const { validForS } = committee.feeds[feed]!
      if (hasValue(request, held)) {
        const { timeMs } = readReading(layout, held.packed, feed)
        const validUntilMs = validUntilOf(timeMs, validForS)
        if (validUntilMs < nowMs + landMs) return null
        return { act: 'answer', sinceMs: sinceMs ?? attestedAtMs, liveUntilMs: Math.min(validUntilMs, deadlineMs) }
      }
      // A later report may have a value: for half of the time that is left, waiting may help.
      const refuseAtMs = middle(readyAtMs(request), deadlineMs)
      const newsUntilMs = attestedAtMs + 1000 * validForS
      if (nowMs < refuseAtMs || newsUntilMs < nowMs + landMs) return null
      return { act: 'refuse', sinceMs: refuseAtMs, liveUntilMs: Math.min(newsUntilMs, deadlineMs) }
    },
  }
}

/** Answers before the news that there is none; then who was served least, then what ends first. */
export function comesFirst(a: Rank, b: Rank): boolean {
  if ((a.act === 'expire') !== (b.act === 'expire')) return b.act === 'expire'
  if (a.gasSpent !== b.gasSpent) return a.gasSpent < b.gasSpent
  const { request: one } = a
  const { request: other } = b
  return one.deadlineMs !== other.deadlineMs ? one.deadlineMs < other.deadlineMs : one.id < other.id
}

function middle(fromMs: number, toMs: number): number {
  return fromMs + Math.floor((toMs - fromMs) / 2)
}
