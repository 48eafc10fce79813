// Whether a proven value may be used by this reader: not stale, of an accepted status, young enough (I-6).

import type { OracleError } from '../base/errors.js'
import type { Status } from '../core/status.js'
import type { VerifiedFeed, VerifiedReport } from '../core/verify-report.js'

/** What a reader accepts beyond what the signatures prove. */
export interface Accept {
  /** Statuses that may be used; OK alone unless said. */
  readonly accept?: readonly Status[]
  /** Greatest age of the source's time; the feed's own validity always counts as well. */
  readonly maxAgeMs?: number
}

/** A proven feed with the report that it is from. Times are ms since 1970. */
export interface ProvenFeed extends VerifiedFeed {
  readonly epoch: number
  readonly round: number
  readonly attestedAtMs: number
  /** The reader's now less observedAtMs, at least 0. */
  readonly ageMs: number
}

/** A feed to use, or why not; its status and times are proven either way, its value is only given to be used. */
export type FeedResult =
  | { readonly ok: true; readonly name: string; readonly feed: ProvenFeed }
  | {
      readonly ok: false
      readonly name: string
      readonly code: OracleError['code']
      readonly message: string
      readonly status: Status
      readonly observedAtMs: number
      readonly validUntilMs: number
    }

/** The verdict on one feed of a verified report at `nowMs`. */
export function judgeFeed(report: VerifiedReport, feed: VerifiedFeed, nowMs: number, wanted: Accept): FeedResult {
  const { name, status, observedAtMs, validUntilMs } = feed
  const { epoch, round, attestedAtMs } = report
  // A quorum says that it is at least T, whatever the reader's clock says.
  const ageMs = Math.max(nowMs, attestedAtMs) - observedAtMs
  const no = (code: OracleError['code'], message: string): FeedResult => {
    return { ok: false, name, code, message, status, observedAtMs, validUntilMs }
  }
  if (!(wanted.accept ?? ['OK']).includes(status)) return no('REPORT_STATUS', `${name} is ${status}`)
  if (feed.value !== null) {
    const allowedMs = Math.min(1000 * feed.validForS, wanted.maxAgeMs ?? Number.POSITIVE_INFINITY)
    if (ageMs > allowedMs) return no('REPORT_STALE', `${name} is ${ageMs} ms old, at most ${allowedMs} are allowed`)
  }
  return { ok: true, name, feed: { ...feed, epoch, round, attestedAtMs, ageMs: Math.max(0, ageMs) } }
}
