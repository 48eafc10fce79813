// Reports for contracts with every part open to lies: what toCalldata never makes.

import { concat, putU32, putU48, utf8 } from '../../src/core/bytes.js'
import { type CommitteeKeys, saltOf } from '../../src/core/committee.js'
import { entryBytes, hashLeaf, writeEntryMeta } from '../../src/core/leaf.js'
import { hashPair } from '../../src/core/merkle.js'
import { domainOf, reportDigest, sealedDigest } from '../../src/core/typed-data.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { memberKey } from '../committee-document.js'

/** The engine that hashes and signs here. */
export const engine: Awaited<ReturnType<typeof createWasmEngine>> = await createWasmEngine()

/** T of the reports unless they say otherwise, and block time of the calls, s since 1970. */
export const nowS = 1_800_001_000

/** Four members that may have one faulty, and nine that may have two: more than the first words of a table hold. */
export const four: CommitteeKeys = committee(4, 1)
export const nine: CommitteeKeys = committee(9, 2)

function committee(n: number, f: number): CommitteeKeys {
  const addresses = Array.from({ length: n }, (_, i) => engine.addressOf(memberKey(engine, i)))
  return { lineage: engine.keccak256(utf8('hostile')), generation: 1, f, addresses }
}

/** What a feed's entry says; a number that is OK, valid for a minute and read at T unless said. */
export interface EntryOptions {
  readonly id?: Uint8Array
  readonly word?: Uint8Array
  readonly observedAtMs?: number
  readonly validForS?: number
  readonly status?: number
  readonly kind?: number
}

export const feedId: Uint8Array = engine.keccak256(utf8('feed'))
export const bundleId: Uint8Array = engine.keccak256(utf8('bundle'))

/** 32 bytes that end in `low`, after bytes of `high`. */
export function word(low: number, high = 0): Uint8Array {
  const bytes = new Uint8Array(32).fill(high)
  putU32(bytes, 28, low)
  return bytes
}

/** 96 bytes of a leaf. */
export function entry(options: EntryOptions = {}): Uint8Array {
  const bytes = new Uint8Array(entryBytes)
  const observedAtMs = options.observedAtMs ?? nowS * 1000
  bytes.set(options.id ?? feedId)
  bytes.set(options.word ?? word(1000), 32)
  writeEntryMeta(new DataView(bytes.buffer), 0, {
    timeHigh: Math.floor(observedAtMs / 2 ** 32),
    timeLow: observedAtMs % 2 ** 32,
    validForS: options.validForS ?? 60,
    status: options.status ?? 0,
    groups: 3,
    kind: options.kind ?? 0,
    spreadPpm: 0,
  })
  return bytes
}

/** A bundle's bytes up to its siblings, and its leaf. */
export function bundle(entries: readonly Uint8Array[]): { readonly bytes: Uint8Array; readonly leaf: Uint8Array } {
  const preimage = concat(bundleId, ...entries)
  return { bytes: concat(Uint8Array.of(entries.length), preimage), leaf: hashLeaf(engine, preimage) }
}

/** Depth, siblings and merges as a report writes them. */
export function climb(siblings: readonly Uint8Array[], merges = 0): Uint8Array {
  return concat(Uint8Array.of(siblings.length), ...siblings, Uint8Array.of(merges))
}

/** The root above `leaf`. */
export function rootOf(leaf: Uint8Array, siblings: readonly Uint8Array[]): Uint8Array {
  return siblings.reduce((node, sibling) => hashPair(engine, node, sibling), leaf)
}

/** What a report says; each part may be a lie. */
export interface Lies {
  readonly keys?: CommitteeKeys
  readonly kind?: number
  /** Which type is signed; that of the kind unless said. */
  readonly signed?: 'seals' | 'attestations'
  readonly generation?: number
  readonly attestedAtMs?: number
  readonly bitmap?: number
  readonly bundles?: number
  readonly body?: Uint8Array
  readonly root?: Uint8Array
  /** In place of member i's signature. */
  readonly signatures?: Readonly<Record<number, Uint8Array>>
  readonly feeds?: readonly Uint8Array[]
}

/** A report of one feed one step below the root, sealed by two of four, but for the lies. */
export function report(lies: Lies = {}): Uint8Array {
  const { keys = four, kind = 1, generation = 1, attestedAtMs = nowS * 1000, bundles = 1 } = lies
  const plain = bundle(lies.feeds ?? [entry()])
  const siblings = [word(7, 7)]
  const body = lies.body ?? concat(plain.bytes, climb(siblings))
  const root = lies.root ?? rootOf(plain.leaf, siblings)
  const isSealed = lies.signed === undefined ? kind === 1 : lies.signed === 'seals'
  const bitmap =
    lies.bitmap ??
    (kind === 1 ? 2 ** (keys.f + 1) - 1 : 2 ** (Math.floor((keys.addresses.length + keys.f) / 2) + 1) - 1)
  const head = new Uint8Array(24)
  head[0] = kind
  putU32(head, 1, generation)
  putU32(head, 5, 12)
  putU32(head, 9, 345)
  putU48(head, 13, attestedAtMs)
  putU32(head, 19, bitmap)
  head[23] = bundles
  const domain = domainOf(engine, saltOf(engine, keys))
  const attested = reportDigest(engine, domain, { epoch: 12, round: 345, attestedAtMs, root })
  const digest = isSealed ? sealedDigest(engine, domain, attested) : attested
  const members = keys.addresses.map((_, i) => i).filter((i) => (bitmap >>> i) & 1)
  const signatures = members.map((i) => lies.signatures?.[i] ?? engine.sign(digest, memberKey(engine, i)))
  return concat(head, body, ...signatures)
}

/** `bytes` as contracts find a report at the end of their calldata; length and marker may be lies. */
export function appended(bytes: Uint8Array, length: number = bytes.length, marker = 0xa55a): Uint8Array {
  return concat(bytes, Uint8Array.of(length >>> 8, length, marker >>> 8, marker))
}

/** A report of one bundle of `feeds` feeds without ids. */
export function short(full: Uint8Array): Uint8Array {
  const feeds = full[24]!
  const packed = Array.from({ length: feeds }, (_, i) => 57 + entryBytes * i).map((at) =>
    concat(full.subarray(at + 51, at + 64), full.subarray(at + 77, at + 96)),
  )
  const head = full.slice(0, 25)
  head[0] = head[0]! | 0x80
  return concat(head, ...packed, full.subarray(57 + entryBytes * feeds))
}
