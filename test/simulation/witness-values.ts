// I-2 and I-6 by another way than the core's: every attested value against what honest members said in its slot.

import { type Layout, openPacked, type Reading, readReading } from '../../src/core/layout.js'
import { statusCodes } from '../../src/core/status.js'

/** What one honest member signed for a slot. */
export interface Observed {
  readonly clockMs: number
  readonly readings: Uint8Array
  /** Its clock is beyond skewMs: its time, and only that, is a faulty member's. */
  readonly isAstray: boolean
}

/** Why an attested report is not what honest members saw, or null. */
export function judgeValues(
  layout: Layout,
  identities: readonly (readonly number[])[],
  report: { readonly attestedAtMs: number; readonly values: Uint8Array },
  honest: readonly Observed[],
): string | null {
  const clocks = honest.filter((observed) => !observed.isAstray).map((observed) => observed.clockMs)
  const { attestedAtMs } = report
  if (attestedAtMs < Math.min(...clocks) || attestedAtMs > Math.max(...clocks)) {
    return `T ${attestedAtMs} is not between honest clocks ${Math.min(...clocks)} and ${Math.max(...clocks)}`
  }
  const attested = openPacked(layout, report.values)
  const seen = honest.map((observed) => openPacked(layout, observed.readings))
  for (let feed = 0; feed < layout.rows.length; feed++) {
    const value = readReading(layout, attested, feed)
    const all = seen.map((packed) => readReading(layout, packed, feed))
    const fault = judgeStatus(value, all) ?? judgeReading(layout, feed, identities[feed]!, value, all)
    if (fault !== null) return `feed ${feed}: ${fault}`
  }
  return null
}

/** A status lies between what honest members say, but that values may be missing. */
function judgeStatus(attested: Reading, honest: readonly Reading[]): string | null {
  const codes = honest.map((reading) => reading.status)
  if (attested.status < Math.min(...codes)) return `status ${attested.status} hides what all honest members say`
  if (attested.status > Math.max(...codes) && attested.status !== statusCodes.NO_DATA)
    return `status ${attested.status} is worse than any honest member says`
  if ((attested.values === null) !== (attested.status === statusCodes.NO_DATA)) return 'a value and NO_DATA at once'
  return null
}

function judgeReading(
  layout: Layout,
  feed: number,
  identity: readonly number[],
  attested: Reading,
  honest: readonly Reading[],
): string | null {
  if (attested.values === null) return null
  const peers = honest.filter(
    (reading) => reading.values !== null && identity.every((cell) => reading.values![cell] === attested.values![cell]),
  )
  if (peers.length === 0) return 'no honest member holds a value of this identity'
  const { cells } = layout.rows[feed]!
  for (let i = 0; i < cells.length; i++) {
    const value = attested.values[i]!
    const held = peers.map((reading) => reading.values![i]!)
    if (cells[i]!.field.combine === 'median') {
      if (!held.some((other) => other <= value) || !held.some((other) => other >= value))
        return `${cells[i]!.field.name} ${value} is outside of what honest members saw`
    } else if (!held.includes(value)) return `${cells[i]!.field.name} ${value} was seen by no honest member`
  }
  const times = peers.map((reading) => reading.timeMs)
  if (attested.timeMs < Math.min(...times) || attested.timeMs > Math.max(...times)) return 'a source time nobody saw'
  return null
}
