// The report that delivery goes by: the newest with seals, or with attestations where seals are late.

import type { Committee } from '../core/committee.js'
import { openPacked, type Packed } from '../core/layout.js'
import type { ReportKernel } from '../core/report.js'
import type { ReportParts } from '../core/report-json.js'
import { isSealed } from './push-data.js'

/** A report and its values, opened. */
export interface Held {
  readonly report: ReportParts
  readonly packed: Packed
}

export interface NewestReport {
  /** Takes a report in, in any order, any number of times; gives it opened. */
  take(report: ReportParts): Held
  /** What to send now; null before the first report. */
  newest(): Held | null
}

/** No report yet; `nowMs` is the oracle's clock. */
export function newestReport(committee: Committee, kernel: ReportKernel, nowMs: () => number): NewestReport {
  let attested: Held | null = null
  let sealed: Held | null = null
  /** T of the last report with seals, or of the first report there was. */
  let sealedMs = 0
  // Seals follow a report by one delay. Where they are later than this they will not come, and a quorum's attestations,
  // which cost more gas, do as well.
  const { slotMs, delayMs, roundMs } = committee.timing
  const sealsLateMs = slotMs + 2 * delayMs + roundMs
  return {
    take: (report) => {
      const held = { report, packed: openPacked(kernel.layout, report.values) }
      if (attested === null) sealedMs = report.attestedAtMs
      if (isNewer(held, attested)) attested = held
      if (isSealed(committee, report) && isNewer(held, sealed)) {
        sealed = held
        sealedMs = report.attestedAtMs
      }
      return held
    },
    newest: () => {
      if (attested === null || !isNewer(attested, sealed)) return sealed
      const attestedMs = attested.report.attestedAtMs
      return Math.max(nowMs(), attestedMs) - sealedMs > sealsLateMs ? attested : sealed
    },
  }
}

/** T rises along attested reports (I-4), so it tells which is newer. */
function isNewer({ report }: Held, than: Held | null): boolean {
  return than === null || report.attestedAtMs > than.report.attestedAtMs
}
