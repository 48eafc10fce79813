// The committee document that `assay init` writes: a working start, to be edited before it is agreed on.

import { toHex, utf8 } from '../core/bytes.js'
import type { Engine } from '../core/engine.js'

/** A member's public half. */
export interface PublicMember {
  readonly name: string
  readonly address: string
  readonly peerKey: string
  readonly endpoint: string
}

export interface TemplateParts {
  /** 32 random bytes: the committee's name for its whole life. */
  readonly lineage: Uint8Array
  readonly members: readonly PublicMember[]
  /** How many feeds of the template, or the committee's own feeds with their bundles. */
  readonly feeds: number | FeedDocuments
  /** Stream trigger of every feed, parts per million; 0: none. */
  readonly streamPpm?: number
  /** Timers that differ from the template's. */
  readonly timing?: Readonly<Record<string, number>>
}

/** Feeds and bundles as a committee document holds them. */
export interface FeedDocuments {
  readonly documents: readonly Readonly<Record<string, unknown>>[]
  readonly bundles: readonly { readonly name: string; readonly feeds: readonly string[] }[]
}

const pairs = ['btc-usd', 'eth-usd', 'sol-usd', 'bnb-usd', 'xrp-usd', 'ada-usd', 'doge-usd', 'ltc-usd']
const bundleFeedsMax = 16

/** A valid committee document; f is the most that its members allow. */
export function committeeTemplate(engine: Engine, parts: TemplateParts): Record<string, unknown> {
  const f = Math.floor((parts.members.length - 1) / 3)
  const { documents, bundles } =
    typeof parts.feeds === 'number' ? templateFeeds(engine, parts.feeds, parts) : parts.feeds
  return {
    version: 1,
    lineage: toHex(parts.lineage),
    generation: 1,
    f,
    ...(f === 0 ? { acceptNoFaultTolerance: true } : {}),
    members: parts.members,
    feeds: documents,
    bundles,
    timing: {
      roundMs: 1000,
      roundMsMin: 50,
      graceMs: 50,
      slotMs: 1000,
      delayMs: 200,
      skewMs: 2000,
      progressMs: 4500,
      epochMs: 3_600_000,
      resendMs: 500,
      roundsPerEpoch: 10_000,
      ...parts.timing,
    },
  }
}

function templateFeeds(engine: Engine, count: number, parts: TemplateParts): FeedDocuments {
  const documents = Array.from({ length: count }, (_, i) => ({
    name: pairs[i] ?? `feed-${i + 1}`,
    schema: toHex(engine.keccak256(utf8('assay value: one number'))),
    unit: 'USD',
    decimals: 8,
    fields: [{ name: 'price', type: 'int64', combine: 'median' }],
    validForS: 60,
    streamPpm: parts.streamPpm ?? 0,
  }))
  const bundles = Array.from({ length: Math.ceil(count / bundleFeedsMax) }, (_, i) => ({
    name: `bundle-${i + 1}`,
    feeds: documents.slice(i * bundleFeedsMax, (i + 1) * bundleFeedsMax).map((feed) => feed.name),
  }))
  return { documents, bundles }
}
