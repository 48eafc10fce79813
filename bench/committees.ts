// Committee documents of any size for benchmarks and tests: n members with throw-away keys, many feeds of one integer.

import { toHex, utf8 } from '../src/core/bytes.js'
import type { Engine } from '../src/core/engine.js'

/** What differs from benchmark to benchmark. */
export interface Shape {
  readonly n: number
  readonly feeds: number
  readonly streamPpm?: number
  readonly timing?: Readonly<Record<string, number>>
}

/** A member's public half. */
export interface PublicMember {
  readonly name: string
  readonly address: string
  readonly peerKey: string
  readonly endpoint: string
}

/** A valid committee document with feeds in bundles of 16. */
export function committeeOf(engine: Engine, members: readonly PublicMember[], shape: Shape): object {
  const feeds = Array.from({ length: shape.feeds }, (_, i) => ({
    name: `feed-${i}`,
    schema: toHex(engine.keccak256(utf8('a number'))),
    unit: 'USD',
    decimals: 8,
    fields: [{ name: 'price', type: 'int64', combine: 'median' }],
    validForS: 60,
    streamPpm: shape.streamPpm ?? 0,
  }))
  const bundles = Array.from({ length: Math.ceil(shape.feeds / 16) }, (_, i) => ({
    name: `bundle-${i}`,
    feeds: feeds.slice(i * 16, i * 16 + 16).map((feed) => feed.name),
  }))
  return {
    version: 1,
    lineage: toHex(engine.keccak256(utf8('a benchmark'))),
    generation: 1,
    f: Math.floor((shape.n - 1) / 3),
    members,
    feeds,
    bundles,
    timing: {
      roundMs: 1000,
      roundMsMin: 5,
      graceMs: 20,
      slotMs: 800,
      delayMs: 100,
      skewMs: 2000,
      progressMs: 4000,
      epochMs: 3_600_000,
      resendMs: 500,
      roundsPerEpoch: 1_000_000,
      ...shape.timing,
    },
  }
}
