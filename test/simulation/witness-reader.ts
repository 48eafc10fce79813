// I-6 by the code that readers run: a delivered report carries its statuses, and is refused when it is stale or not OK.

import { keysOf } from '../../src/core/committee.js'
import type { AttestedReport } from '../../src/core/report.js'
import { buildReport } from '../../src/core/report-json.js'
import { verifyReport } from '../../src/core/verify-report.js'
import type { Stage } from './stage.js'

/** Why a reader of `report` would be misled, or null. */
export function judgeReader(stage: Stage, report: AttestedReport): string | null {
  const { engine, now } = stage.cast
  const { committee, contexts } = now
  const trust = keysOf(committee)
  const bytes = buildReport(engine, committee, contexts[0]!.kernel, report)
  const archived = verifyReport(engine, bytes, trust, { nowMs: 'any' })
  if (!archived.ok) return `a reader refuses it: ${archived.code}, ${archived.message}`
  const feeds = archived.report.bundles.flatMap((bundle) => bundle.feeds)
  if (feeds.length !== committee.feeds.length) return `${feeds.length} feeds reach the reader`
  const lastMs = Math.max(...feeds.map((feed) => feed.validUntilMs))
  const stale = verifyReport(engine, bytes, trust, { nowMs: lastMs + 1 })
  if (stale.ok) return 'a reader accepts it after its validity'
  const fresh = verifyReport(engine, bytes, trust, { nowMs: report.attestedAtMs })
  const areFine = feeds.every((feed) => feed.status === 'OK')
  if (fresh.ok && !areFine) return 'a reader that asked for OK accepts another status'
  return areFine && !fresh.ok ? `a fresh reader refuses it: ${fresh.code}` : null
}
