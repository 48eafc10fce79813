// One block of the slot record: what P9 keeps, packed into 4096 bytes under a checksum, and judged when read back.

import { createHash } from 'node:crypto'
import type { FileBirth } from '../base/disk.js'
import { equalBytes, getU32, getU48, getUint, putInt, putU32, putU48, utf8 } from '../core/bytes.js'
import type { Durable } from '../core/durable.js'

/** Bytes of a block; the file holds two. Devices write a multiple of 512 or 4096 bytes, so no write touches both. */
export const blockBytes = 4096

/** Whose floors a record keeps: the signing address (20 bytes), and S (32 bytes) with its generation (P1). */
export interface SlotIdentity {
  readonly address: Uint8Array
  readonly salt: Uint8Array
  readonly generation: number
}

/** What one sound block says. `sequence` rises by one with each record. */
export interface SlotBlock {
  readonly sequence: number
  readonly salt: Uint8Array
  readonly generation: number
  readonly durable: Durable
}

/**
 * A block as found: sound; damaged (its checksum fails); of another version of this format; foreign (another address);
 * or moved (written into another file: this one is a copy or was restored).
 */
export type Found =
  | { readonly kind: 'sound' | 'moved'; readonly block: SlotBlock }
  | { readonly kind: 'damaged' | 'version' | 'foreign' }

const version = 1
const magic = utf8('ASSAYSLT')
const sumAt = blockBytes - 32
const at = {
  version: 8,
  sequence: 12,
  address: 18,
  salt: 38,
  generation: 70,
  inode: 74,
  birth: 82,
  wish: 90,
  epoch: 94,
  round: 98,
  floorMs: 102,
} as const

/** The 4096 bytes of `block` for the file born at `birth`. */
export function encodeBlock(block: SlotBlock, address: Uint8Array, birth: FileBirth): Uint8Array {
  const { durable } = block
  const bytes = new Uint8Array(blockBytes)
  bytes.set(magic)
  putU32(bytes, at.version, version)
  putU48(bytes, at.sequence, block.sequence)
  bytes.set(address, at.address)
  bytes.set(block.salt, at.salt)
  putU32(bytes, at.generation, block.generation)
  putInt(bytes, at.inode, 8, birth.inode)
  putInt(bytes, at.birth, 8, birth.birthNs)
  putU32(bytes, at.wish, durable.wish)
  putU32(bytes, at.epoch, durable.floor.epoch)
  putU32(bytes, at.round, durable.floor.round)
  putU48(bytes, at.floorMs, durable.floorMs)
  bytes.set(checksum(bytes), sumAt)
  return bytes
}

/** What `bytes` are, read from the file born at `birth` by the oracle of `address`. Never throws. */
export function decodeBlock(bytes: Uint8Array, address: Uint8Array, birth: FileBirth): Found {
  if (bytes.length !== blockBytes || !equalBytes(bytes.subarray(0, magic.length), magic)) return { kind: 'damaged' }
  if (!equalBytes(bytes.subarray(sumAt), checksum(bytes))) return { kind: 'damaged' }
  if (getU32(bytes, at.version) !== version) return { kind: 'version' }
  if (!equalBytes(bytes.subarray(at.address, at.salt), address)) return { kind: 'foreign' }
  const birthNs = getUint(bytes, at.birth, 8)
  const isHere = getUint(bytes, at.inode, 8) === birth.inode && (birthNs === 0n || birthNs === birth.birthNs)
  const block: SlotBlock = {
    sequence: getU48(bytes, at.sequence),
    salt: bytes.slice(at.salt, at.generation),
    generation: getU32(bytes, at.generation),
    durable: {
      wish: getU32(bytes, at.wish),
      floor: { epoch: getU32(bytes, at.epoch), round: getU32(bytes, at.round) },
      floorMs: getU48(bytes, at.floorMs),
    },
  }
  return { kind: isHere ? 'sound' : 'moved', block }
}

function checksum(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes.subarray(0, sumAt)).digest()
}
