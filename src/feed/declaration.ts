// A feed declaration as the house uses it: checked against schemas/feed.json, its template expanded, numbers made exact.

import type { Combine, FeedMeaning } from '../core/committee.js'
import type { Params, SourceClass } from '../observe/adapter.js'

/** One source of a feed. Sources of one group fail together (one company, one upstream), so a group has one voice. */
export interface SourceDeclaration {
  /** Id of the adapter. */
  readonly adapter: string
  readonly version: number
  readonly params: Params
  readonly group: string
  /** The adapter's class unless the declaration says better (an http-json source may be anything). */
  readonly class: SourceClass
}

/** One leaf of a value: which field of the committee's feed it becomes, and how its text becomes an integer. */
export interface LeafPlan {
  /** The property of the value, in camelCase. */
  readonly key: string
  /** The committee's field, in kebab-case. */
  readonly name: string
  readonly type: 'int64' | 'int176' | 'bool' | 'string'
  readonly combine: Combine
  /** Decimals of an integer leaf: the feed's own, or those its schema fixes. */
  readonly decimals: number
  /** Whether the leaf is in the unit of the feed: a price or a rate, not a volume or a time. */
  readonly isPriced: boolean
  /** For strings. */
  readonly bytesMax?: number
}

export type Schedule =
  /** At whole multiples of everyMs since 1970, so that members ask together. */
  | { readonly kind: 'every'; readonly everyMs: number }
  /** node-cron expression in UTC. */
  | { readonly kind: 'cron'; readonly cron: string }
  /** A WebSocket subscription wherever the adapter has one; the others are asked each everyMs. */
  | { readonly kind: 'stream'; readonly everyMs: number }
  /** Once at the start, then when a contract asks for the feed. */
  | { readonly kind: 'request' }

/**
 * The shortest time between two askings of a feed on request. Whoever asks contracts for it as often as they like moves
 * its sources no more often, so that they cannot use up what a source allows to other feeds.
 */
export const requestGapMs: number = 10_000

/** What a feed promises and where it comes from. Integers of bounds are in the units of the first leaf. */
export interface FeedDeclaration {
  readonly name: string
  readonly title: string
  /** Name under schemas/value/. */
  readonly value: string
  readonly unit: string
  readonly decimals: number
  /** Key of the template's entity, for example {base: "BTC", quote: "USD"}; empty without one. */
  readonly entity: Readonly<Record<string, string>>
  readonly sources: readonly SourceDeclaration[]
  readonly combineSources: {
    readonly minSources: number
    readonly minGroups: number
    /** A group further than this from the median of all groups is an outlier, parts per million; null: no such rule. */
    readonly outlierPpm: number | null
  }
  readonly bounds: {
    readonly min: bigint | null
    readonly max: bigint | null
    /** Largest change within a window; beyond it the feed says HALT. */
    readonly change: { readonly maxPpm: number; readonly windowS: number } | null
  }
  /** Widest bid-ask spread, parts per million of the ask, that is not LOW_LIQUIDITY; null: no such rule. */
  readonly bidAskPpmMax: number | null
  readonly freshness: { readonly maxAgeS: number; readonly validForS: number }
  readonly schedule: Schedule
  readonly triggers: { readonly streamPpm: number; readonly deviationPpm: number; readonly heartbeatS: number }
  readonly risk: 'informational' | 'standard' | 'collateral'
  readonly retentionDays: number
  readonly licence: string
  /** Why there is one real-world origin only; then the status is LOW_CONFIDENCE at best. */
  readonly singleSource: string | null
  /** The value's signed leaves in schema order, with the feed's decimals and combineMembers applied. */
  readonly leaves: readonly LeafPlan[]
  /** What feedId covers. */
  readonly meaning: FeedMeaning
  /** keccak256 of the RFC 8785 bytes of the expanded declaration, 0x hex: what the committee document pins. */
  readonly digest: string
}
