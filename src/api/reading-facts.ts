// One feed of one report as the API tells it: numbers for times, the value as report.json shows it.

import type { Committee } from '../core/committee.js'
import { type Packed, readReading } from '../core/layout.js'
import { validUntilOf } from '../core/report-json.js'
import { type Status, statuses } from '../core/status.js'
import { type JsonValue, presentValue } from '../core/value-json.js'
import type { NodeView } from './node-view.js'

/** What a report says of one feed; times are ms since 1970, null exactly when there is no value. */
export interface ReadingFacts {
  readonly value: JsonValue | null
  readonly status: Status
  readonly observedAtMs: number | null
  readonly validUntilMs: number | null
  readonly groups: number
  readonly spreadPpm: number
}

/** The facts of feed `index` in packed values that were checked. */
export function readingFacts(
  { committee, kernel }: Pick<NodeView, 'committee' | 'kernel'>,
  packed: Packed,
  index: number,
): ReadingFacts {
  const feed = committee.feeds[index]!
  const { status, groups, spreadPpm, timeMs, values } = readReading(kernel.layout, packed, index)
  const isPresent = values !== null
  return {
    value: isPresent ? presentValue(feed, values) : null,
    status: statuses[status]!,
    observedAtMs: isPresent ? timeMs : null,
    validUntilMs: isPresent ? validUntilOf(timeMs, feed.validForS) : null,
    groups,
    spreadPpm,
  }
}

/** What is told of a feed before the first report. */
export const noFacts: ReadingFacts = {
  value: null,
  status: 'NO_DATA',
  observedAtMs: null,
  validUntilMs: null,
  groups: 0,
  spreadPpm: 0,
}

/** Indices of the bundles that hold `feeds`, ascending and distinct: a choice of leaves. */
export function bundlesOf(committee: Committee, feeds: readonly number[]): readonly number[] {
  const wanted = new Set(feeds)
  return committee.bundles.filter((bundle) => bundle.feeds.some((feed) => wanted.has(feed))).map(({ index }) => index)
}
