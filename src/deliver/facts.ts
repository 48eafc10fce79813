// What a transmitter compares: a feed as a store on chain keeps it, and the same feed as the committee attested it.

import { abiEncode } from '../core/abi.js'
import { getUint } from '../core/bytes.js'
import type { Feed } from '../core/committee.js'
import type { Engine } from '../core/engine.js'
import type { Reading } from '../core/layout.js'
import { kindOf } from '../core/leaf.js'
import { validUntilOf } from '../core/report-json.js'

/** A feed as `tryRead` of a store shows it; times in ms since 1970, rounded by the store to the safe side. */
export interface StoredFeed {
  /** The number, or of a structured value the upper 176 bits of its hash. */
  readonly value: bigint
  /** T of the report it came from. */
  readonly attestedAtMs: number
  readonly observedAtMs: number
  readonly validUntilMs: number
  readonly status: number
  readonly kind: number
}

/** What one store has at one block, by feed id; null where it has nothing. */
export interface StoredView {
  readonly blockNumber: number
  readonly feeds: ReadonlyMap<string, StoredFeed | null>
}

/** A feed of an attested report. */
export interface AttestedFeed {
  /** As a store would keep it; null without a value. */
  readonly value: bigint | null
  readonly attestedAtMs: number
  readonly validForS: number
  readonly validUntilMs: number
  readonly status: number
  readonly kind: 0 | 1
}

/** Bytes that a store keeps of the hash of a structured value. */
const storedHashBytes = 22

/** `reading` of `feed` in a report of `attestedAtMs`, with the value as a store would keep it. */
export function attestedFeed(engine: Engine, feed: Feed, reading: Reading, attestedAtMs: number): AttestedFeed {
  const { validForS } = feed
  const kind = kindOf(feed.fields)
  return {
    value:
      reading.values === null
        ? null
        : kind === 0
          ? (reading.values[0] as bigint)
          : hashOf(engine, feed, reading.values),
    attestedAtMs,
    validForS,
    validUntilMs: validUntilOf(reading.timeMs, validForS),
    status: reading.status,
    kind,
  }
}

function hashOf(engine: Engine, feed: Feed, cells: readonly (bigint | string)[]): bigint {
  const types = feed.fields.map((field) => field.type)
  return getUint(engine.keccak256(abiEncode(types, cells)), 0, storedHashBytes)
}
