// A leaf of a report: a bundle's id, then feedId, word and meta of each of its feeds, hashed twice.
//
// meta is a uint256; bit 0 is its least significant: bits 0–63 observedAtMs, 64–95 validForS, 96–103 status,
// 104–111 groups, 112–119 kind (0: the word is the number, 1: it is the hash of the value's abi.encode),
// 120–151 spreadPpm, and zeros above. A feed without a value has status NO_DATA, word 0 and zeros for the rest but
// kind and validForS.

import type { Field } from './committee.js'
import type { Engine } from './engine.js'

/** Bytes of one feed in a leaf: feedId, word, meta. */
export const entryBytes: 96 = 96

/** Where an entry's parts begin. */
export const entryAt: { readonly feedId: 0; readonly word: 32; readonly meta: 64 } = { feedId: 0, word: 32, meta: 64 }

/** What meta packs. The source time, 48 bits of ms since 1970, comes in two halves, so that no bigint is made. */
export interface EntryMeta {
  /** Upper 16 bits of observedAtMs. */
  readonly timeHigh: number
  /** Lower 32 bits of observedAtMs. */
  readonly timeLow: number
  readonly validForS: number
  /** Code of core/status.ts. */
  readonly status: number
  readonly groups: number
  /** 0: the word is the value; 1: the word is its hash. */
  readonly kind: number
  readonly spreadPpm: number
}

/** Writes the meta of the entry that starts at `at` of `leaf`, all 32 bytes of it. */
export function writeEntryMeta(leaf: DataView, at: number, meta: EntryMeta): void {
  const end = at + entryBytes
  leaf.setUint32(end - 32, 0)
  leaf.setUint32(end - 28, 0)
  leaf.setUint32(end - 24, 0)
  // Bits 120–151 lie across a word's border: the upper byte of spreadPpm here, the rest beside kind.
  leaf.setUint32(end - 20, meta.spreadPpm >>> 8)
  leaf.setUint32(end - 16, ((meta.spreadPpm & 0xff) << 24) | (meta.kind << 16) | (meta.groups << 8) | meta.status)
  leaf.setUint32(end - 12, meta.validForS)
  leaf.setUint32(end - 8, meta.timeHigh)
  leaf.setUint32(end - 4, meta.timeLow)
}

/** The meta of the entry that starts at `at`, as `writeEntryMeta` wrote it. */
export function readEntryMeta(leaf: DataView, at: number): EntryMeta {
  const end = at + entryBytes
  const low = leaf.getUint32(end - 16)
  return {
    timeHigh: leaf.getUint32(end - 8),
    timeLow: leaf.getUint32(end - 4),
    validForS: leaf.getUint32(end - 12),
    status: low & 0xff,
    groups: (low >>> 8) & 0xff,
    kind: (low >>> 16) & 0xff,
    spreadPpm: ((leaf.getUint32(end - 20) << 8) | (low >>> 24)) >>> 0,
  }
}

/** 0 when a feed's word is its value, that is for one integer field; 1 when it is the hash of abi.encode of all fields. */
export function kindOf(fields: readonly Field[]): 0 | 1 {
  const only = fields.length === 1 ? fields[0]!.type : null
  return only === 'int64' || only === 'int176' ? 0 : 1
}

/** keccak(keccak(preimage)): the leaf of OpenZeppelin's StandardMerkleTree over 1 + 3k bytes32 of a bundle of k feeds. */
export function hashLeaf(engine: Engine, preimage: Uint8Array): Uint8Array {
  return engine.keccak256(engine.keccak256(preimage))
}
