// report.json: one attested report as a consumer gets it, with everything that its signatures prove and nothing else.
//
// RFC 8785. Next to each value stands the feed's whole meaning (name, schema, unit, decimals, fields); feedId is its
// hash, so decimals and unit are proven by the signatures and a reader needs no committee document, only the keys.

import { abiEncode } from './abi.js'
import { putU32, toHex, utf8 } from './bytes.js'
import { canonicalJson } from './canonical.js'
import type { Committee, Feed, Field } from './committee.js'
import type { Engine } from './engine.js'
import { openPacked, type Reading, readReading } from './layout.js'
import { kindOf } from './leaf.js'
import { merkleTree } from './merkle.js'
import type { ReportHeader } from './messages.js'
import type { ReportKernel } from './report.js'
import { type Status, statuses } from './status.js'
import { type JsonValue, presentValue } from './value-json.js'

/** Signatures in ascending order of the members whose bits are set in `bitmap`. */
export interface SealsJson {
  /** 4 bytes of hex, big-endian: bit i is member i. */
  readonly bitmap: string
  readonly signatures: readonly string[]
}

/** One feed of a leaf. Times are ms since 1970 as decimal strings. */
export interface FeedJson {
  readonly feedId: string
  readonly name: string
  readonly schema: string
  readonly unit: string
  readonly decimals: number
  readonly fields: readonly Field[]
  /** Null exactly when the status is NO_DATA. */
  readonly value: JsonValue | null
  /** abi.encode of the fields, whose hash is the signed word: given for present values of kind 1, and only then. */
  readonly valueBytes?: string
  readonly observedAtMs: string
  readonly validForS: number
  /** observedAtMs + 1000 · validForS. */
  readonly validUntilMs: string
  readonly status: Status
  readonly groups: number
  readonly kind: 0 | 1
  readonly spreadPpm: number
}

/** One bundle with the siblings that lead from its leaf to the root. */
export interface LeafJson {
  readonly bundle: string
  readonly feeds: readonly FeedJson[]
  readonly proof: readonly string[]
}

/** report.json; the root is left out, since every leaf with its proof gives it. */
export interface ReportJson {
  readonly version: 1
  readonly salt: string
  readonly epoch: number
  readonly round: number
  readonly attestedAtMs: string
  readonly bitmap: string
  readonly attestations: readonly string[]
  readonly seals?: SealsJson
  readonly leaves: readonly LeafJson[]
}

/** Distinct members in ascending order, and a 64-byte signature of each. */
export interface Signatures {
  readonly signers: readonly number[]
  readonly signatures: readonly Uint8Array[]
}

/** What a report.json is made of: header, packed values, attestations, and seals once there are f+1. */
export interface ReportParts extends ReportHeader, Signatures {
  readonly values: Uint8Array
  readonly seals?: Signatures
}

function bitmapOf(signers: readonly number[]): string {
  const bytes = new Uint8Array(4)
  putU32(
    bytes,
    0,
    signers.reduce((bits, signer) => bits | (1 << signer), 0),
  )
  return toHex(bytes)
}

/** When a value read at `observedAtMs` stops being valid, ms since 1970. */
export function validUntilOf(observedAtMs: number, validForS: number): number {
  return observedAtMs + 1000 * validForS
}

function feedJson(feed: Feed, reading: Reading): FeedJson {
  const { feedId, name, schema, unit, decimals, fields, validForS } = feed
  const kind = kindOf(fields)
  const cells = reading.values
  const types = fields.map((field) => field.type)
  return {
    feedId,
    name,
    schema,
    unit,
    decimals,
    fields,
    value: cells === null ? null : presentValue(feed, cells),
    ...(cells !== null && kind === 1 ? { valueBytes: toHex(abiEncode(types, cells)) } : {}),
    observedAtMs: String(reading.timeMs),
    validForS,
    validUntilMs: String(validUntilOf(reading.timeMs, validForS)),
    status: statuses[reading.status]!,
    groups: reading.groups,
    kind,
    spreadPpm: reading.spreadPpm,
  }
}

/**
 * The canonical bytes of report.json for `parts`, with the leaves of `bundles` (by index, none repeated, at least one;
 * all when left out). The caller vouches that values were checked and signatures verified.
 */
export function buildReport(
  engine: Engine,
  committee: Committee,
  kernel: ReportKernel,
  parts: ReportParts,
  bundles: readonly number[] = committee.bundles.map((bundle) => bundle.index),
): Uint8Array {
  const tree = merkleTree(engine, kernel.leaves(parts.values), kernel.hotCount)
  const packed = openPacked(kernel.layout, parts.values)
  const report: ReportJson = {
    version: 1,
    salt: toHex(committee.salt),
    epoch: parts.epoch,
    round: parts.round,
    attestedAtMs: String(parts.attestedAtMs),
    bitmap: bitmapOf(parts.signers),
    attestations: parts.signatures.map(toHex),
    ...(parts.seals === undefined
      ? {}
      : { seals: { bitmap: bitmapOf(parts.seals.signers), signatures: parts.seals.signatures.map(toHex) } }),
    leaves: bundles.map((index) => {
      const bundle = committee.bundles[index]!
      return {
        bundle: bundle.id,
        feeds: bundle.feeds.map((feed) => feedJson(committee.feeds[feed]!, readReading(kernel.layout, packed, feed))),
        proof: tree.proof(index).map(toHex),
      }
    }),
  }
  return utf8(canonicalJson(report))
}
