// One attested report as the bytes under its key: a fixed head, the signatures, then the values as they are.

import { crc32 } from 'node:zlib'
import { getU32, getU48, putU32, putU48 } from '../core/bytes.js'
import type { ReportHeader } from '../core/messages.js'

/** Signatures of members on one digest, in ascending order of `signers`; 64 bytes each. */
export interface SignatureSet {
  readonly signers: readonly number[]
  readonly signatures: readonly Uint8Array[]
}

/** A report with its quorum of attestations (P10); `values` are packed by core/layout.ts and opaque here. */
export interface ReportBlob extends ReportHeader, SignatureSet {
  readonly values: Uint8Array
}

/** checksum 4, version 4, epoch 4, round 4, attestedAtMs 8, root 32, bitmap 4; then 64 a signature, then values. */
const headBytes = 60
const version = 1
const at = { version: 4, epoch: 8, round: 12, time: 18, root: 24, bitmap: 56 } as const

/** The bytes of a report; signers are below 32. */
export function encodeReport(report: ReportBlob): Uint8Array {
  const bytes = new Uint8Array(headBytes + 64 * report.signers.length + report.values.length)
  putU32(bytes, at.version, version)
  putU32(bytes, at.epoch, report.epoch)
  putU32(bytes, at.round, report.round)
  putU48(bytes, at.time, report.attestedAtMs)
  bytes.set(report.root, at.root)
  const end = writeSignatures(bytes, at.bitmap, report)
  bytes.set(report.values, end)
  putU32(bytes, 0, crc32(bytes.subarray(4)))
  return bytes
}

/** Whether `bytes` are as they were written. */
export function isWholeReport(bytes: Uint8Array): boolean {
  return (
    bytes.length >= headBytes &&
    crc32(bytes.subarray(4)) === getU32(bytes, 0) &&
    getU32(bytes, at.version) === version &&
    bytes.length >= signaturesEnd(bytes, at.bitmap)
  )
}

/** The report in whole bytes; every part is a copy. */
export function decodeReport(bytes: Uint8Array): ReportBlob {
  return {
    epoch: getU32(bytes, at.epoch),
    round: getU32(bytes, at.round),
    attestedAtMs: getU48(bytes, at.time),
    root: copyOf(bytes, at.root, at.bitmap),
    ...readSignatures(bytes, at.bitmap),
    values: copyOf(bytes, signaturesEnd(bytes, at.bitmap), bytes.length),
  }
}

/** The values inside whole bytes, not copied. */
export function valuesOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(signaturesEnd(bytes, at.bitmap))
}

/** The root inside whole bytes, not copied. */
export function rootOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(at.root, at.bitmap)
}

/** The bytes of seals: checksum 4, bitmap 4, 64 a signature. */
export function encodeSeals(seals: SignatureSet): Uint8Array {
  const bytes = new Uint8Array(8 + 64 * seals.signers.length)
  writeSignatures(bytes, 4, seals)
  putU32(bytes, 0, crc32(bytes.subarray(4)))
  return bytes
}

/** The seals in `bytes`; null when they are damaged. */
export function decodeSeals(bytes: Uint8Array): SignatureSet | null {
  if (bytes.length < 8 || crc32(bytes.subarray(4)) !== getU32(bytes, 0)) return null
  return bytes.length === signaturesEnd(bytes, 4) ? readSignatures(bytes, 4) : null
}

function writeSignatures(bytes: Uint8Array, bitmapAt: number, set: SignatureSet): number {
  let bitmap = 0
  let end = bitmapAt + 4
  set.signers.forEach((signer, i) => {
    if (signer > 31 || (i > 0 && signer <= set.signers[i - 1]!)) throw new Error('signers rise and are below 32')
    bitmap |= 1 << signer
    bytes.set(set.signatures[i]!, end)
    end += 64
  })
  putU32(bytes, bitmapAt, bitmap >>> 0)
  return end
}

function signersOf(bytes: Uint8Array, bitmapAt: number): number[] {
  const bitmap = getU32(bytes, bitmapAt)
  return Array.from({ length: 32 }, (_, signer) => signer).filter((signer) => (bitmap >>> signer) & 1)
}

function signaturesEnd(bytes: Uint8Array, bitmapAt: number): number {
  return bitmapAt + 4 + 64 * signersOf(bytes, bitmapAt).length
}

function readSignatures(bytes: Uint8Array, bitmapAt: number): SignatureSet {
  const signers = signersOf(bytes, bitmapAt)
  const first = bitmapAt + 4
  return { signers, signatures: signers.map((_, i) => copyOf(bytes, first + 64 * i, first + 64 * (i + 1))) }
}

/** Fresh bytes; the slice method of a Buffer would share lmdb's memory. */
function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end))
}
