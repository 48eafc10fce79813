// The packed frames oracles exchange: one version byte, one kind byte, the committee's digest, then the body.
//
// All integers are big-endian. Bodies, in bytes:
//   begin, moved, fetch  epoch 4, round 4
//   wish                 epoch 4
//   observation          slot 8, member 1, clock 6, evidence 32, signature 64, length 4, readings
//   proposal             slot 8, count 1, signature 64, then of each observation all but the slot
//   attestation          slot 8, T 6, root 32, signature 64
//   seal                 slot 8, report digest 32, signature 64
//   certificate          slot 8, T 6, root 32, bitmap 4, signatures 64 each
//   disown               slot 8, member 1, digest 32, signature 64
// Version 1 is the first; a reader understands its own version and the one before.

import { equalBytes, getU32, getU48, putU32, putU48 } from '../core/bytes.js'
import { frameHeadBytes, frameKinds } from '../core/limits.js'
import type { Message, Slot, Unverified, UnverifiedObservation } from '../core/messages.js'

/** The version this code writes. */
export const frameVersion = 1

/** Why a frame was refused before anything was verified. */
export type FrameFault =
  | 'FRAME_SHORT'
  | 'FRAME_VERSION'
  | 'FRAME_KIND'
  | 'FRAME_FOREIGN'
  | 'FRAME_LENGTH'
  | 'FRAME_MEMBER'
  | 'FRAME_ORDER'
  | 'FRAME_TIME'
  | 'FRAME_ROUND'
  | 'FRAME_EPOCH'

export type Decoded = { readonly message: Unverified } | { readonly fault: FrameFault }

/** The last epoch anybody may wish for. */
const epochMax = 0xffff_0000

/** Bytes of one observation in a proposal, without its readings. */
const itemHeadBytes = 107

const kindNames = new Map<number, keyof typeof frameKinds>(
  Object.entries(frameKinds).map(([name, kind]) => [kind, name as keyof typeof frameKinds]),
)

/** The kind of a frame by its second byte, or null when there is no such kind. */
export function kindOfFrame(kind: number): keyof typeof frameKinds | null {
  return kindNames.get(kind) ?? null
}

/** The frame of a message under the committee digest D. */
export function encodeFrame(digest: Uint8Array, message: Message): Uint8Array {
  const frame = new Uint8Array(frameHeadBytes + bodyBytes(message))
  frame[0] = frameVersion
  frame[1] = frameKinds[message.kind]
  frame.set(digest, 2)
  const writer = new Writer(frame, frameHeadBytes)
  writeBody(writer, message)
  return frame
}

function bodyBytes(message: Message): number {
  switch (message.kind) {
    case 'wish':
      return 4
    case 'observation':
      return 8 + itemHeadBytes + message.readings.length
    case 'proposal':
      return message.observations.reduce((sum, item) => sum + itemHeadBytes + item.readings.length, 73)
    case 'attestation':
      return 110
    case 'seal':
      return 104
    case 'disown':
      return 105
    case 'certificate':
      return 50 + 64 * message.signatures.length
    default:
      return 8
  }
}

function writeBody(writer: Writer, message: Message): void {
  writer.u32(message.epoch)
  if (message.kind === 'wish') return
  writer.u32(message.round)
  switch (message.kind) {
    case 'observation':
      return writeItem(writer, message)
    case 'proposal':
      writer.u8(message.observations.length)
      writer.bytes(message.signature)
      for (const observation of message.observations) writeItem(writer, observation)
      return
    case 'attestation':
      writer.u48(message.attestedAtMs)
      writer.bytes(message.root)
      return writer.bytes(message.signature)
    case 'seal':
      writer.bytes(message.reportDigest)
      return writer.bytes(message.signature)
    case 'certificate':
      writer.u48(message.attestedAtMs)
      writer.bytes(message.root)
      writer.u32(message.signers.reduce((bitmap, member) => bitmap + 2 ** member, 0))
      for (const signature of message.signatures) writer.bytes(signature)
      return
    case 'disown':
      writer.u8(message.member)
      writer.bytes(message.signedDigest)
      return writer.bytes(message.signature)
  }
}

function writeItem(writer: Writer, observation: UnverifiedObservation): void {
  writer.u8(observation.member)
  writer.u48(observation.clockMs)
  writer.bytes(observation.evidence)
  writer.bytes(observation.signature)
  writer.u32(observation.readings.length)
  writer.bytes(observation.readings)
}

/**
 * The message a frame claims to be, `from` being the member whose session brought it and `n` the committee's size. Byte
 * fields are views into the frame. Never throws: every malformed frame has a fault.
 */
export function decodeFrame(digest: Uint8Array, n: number, from: number, frame: Uint8Array): Decoded {
  if (frame.length < frameHeadBytes) return { fault: 'FRAME_SHORT' }
  if (frame[0] !== frameVersion) return { fault: 'FRAME_VERSION' }
  const kind = kindOfFrame(frame[1]!)
  if (kind === null) return { fault: 'FRAME_KIND' }
  if (!equalBytes(frame.subarray(2, frameHeadBytes), digest)) return { fault: 'FRAME_FOREIGN' }
  const reader = new Reader(frame, frameHeadBytes)
  const message = readBody(reader, kind, n, from)
  if (typeof message === 'string') return { fault: message }
  return reader.isAtEnd() ? { message } : { fault: 'FRAME_LENGTH' }
}

function readBody(reader: Reader, kind: keyof typeof frameKinds, n: number, from: number): Unverified | FrameFault {
  if (kind === 'wish') {
    const epoch = reader.u32()
    if (reader.isShort) return 'FRAME_LENGTH'
    // No committee lives to see it; beyond it epochs would no longer fit their field.
    return epoch > epochMax ? 'FRAME_EPOCH' : { kind, epoch }
  }
  const slot = { epoch: reader.u32(), round: reader.u32() }
  if (reader.isShort) return 'FRAME_LENGTH'
  switch (kind) {
    case 'begin':
    case 'fetch':
      return slot.round === 0 ? 'FRAME_ROUND' : { kind, ...slot }
    case 'moved':
      return { kind, ...slot }
    case 'observation': {
      const item = readItem(reader, slot, n)
      return typeof item !== 'string' && item.member !== from ? 'FRAME_MEMBER' : item
    }
    case 'proposal':
      return readProposal(reader, slot, n)
    case 'attestation': {
      const attestedAtMs = reader.u48()
      const root = reader.bytes(32)
      const signature = reader.bytes(64)
      return reader.isShort ? 'FRAME_LENGTH' : { kind, ...slot, member: from, attestedAtMs, root, signature }
    }
    case 'seal': {
      const reportDigest = reader.bytes(32)
      const signature = reader.bytes(64)
      return reader.isShort ? 'FRAME_LENGTH' : { kind, ...slot, member: from, reportDigest, signature }
    }
    case 'certificate':
      return readCertificate(reader, slot, n)
    case 'disown': {
      // Others pass it on, so its member need not be `from`.
      const member = reader.u8()
      const signedDigest = reader.bytes(32)
      const signature = reader.bytes(64)
      if (reader.isShort) return 'FRAME_LENGTH'
      return member >= n ? 'FRAME_MEMBER' : { kind, ...slot, member, signedDigest, signature }
    }
  }
}

function readProposal(reader: Reader, slot: Slot, n: number): Unverified | FrameFault {
  const count = reader.u8()
  const signature = reader.bytes(64)
  if (reader.isShort || count > n) return 'FRAME_LENGTH'
  const observations: UnverifiedObservation[] = []
  for (let i = 0; i < count; i++) {
    const item = readItem(reader, slot, n)
    if (typeof item === 'string') return item
    // Ascending members: distinct by construction, and one encoding of each set (B04).
    if (i > 0 && item.member <= observations[i - 1]!.member) return 'FRAME_ORDER'
    observations.push(item)
  }
  return { kind: 'proposal', ...slot, observations, signature }
}

function readItem(reader: Reader, slot: Slot, n: number): UnverifiedObservation | FrameFault {
  const member = reader.u8()
  const clockMs = reader.u48()
  const evidence = reader.bytes(32)
  const signature = reader.bytes(64)
  const readings = reader.bytes(reader.u32())
  if (reader.isShort) return 'FRAME_LENGTH'
  if (member >= n) return 'FRAME_MEMBER'
  if (slot.round === 0) return 'FRAME_ROUND'
  return { kind: 'observation', ...slot, member, clockMs, evidence, readings, signature }
}

function readCertificate(reader: Reader, slot: Slot, n: number): Unverified | FrameFault {
  const attestedAtMs = reader.u48()
  const root = reader.bytes(32)
  const bitmap = reader.u32()
  if (reader.isShort) return 'FRAME_LENGTH'
  if (bitmap >= 2 ** n) return 'FRAME_MEMBER'
  const signers: number[] = []
  const signatures: Uint8Array[] = []
  for (let member = 0; member < n; member++) {
    if (((bitmap >>> member) & 1) === 0) continue
    signers.push(member)
    signatures.push(reader.bytes(64))
  }
  return reader.isShort ? 'FRAME_LENGTH' : { kind: 'certificate', ...slot, attestedAtMs, root, signers, signatures }
}

const nothing = new Uint8Array(0)

/** Reads forward; past the end it returns zeros and stays short, so that every read is checked once, at the end. */
class Reader {
  readonly #frame: Uint8Array
  #at: number
  isShort = false

  constructor(frame: Uint8Array, at: number) {
    this.#frame = frame
    this.#at = at
  }

  isAtEnd(): boolean {
    return this.#at === this.#frame.length
  }

  u8(): number {
    return this.#skip(1) ? this.#frame[this.#at - 1]! : 0
  }

  u32(): number {
    return this.#skip(4) ? getU32(this.#frame, this.#at - 4) : 0
  }

  u48(): number {
    return this.#skip(6) ? getU48(this.#frame, this.#at - 6) : 0
  }

  bytes(length: number): Uint8Array {
    return this.#skip(length) ? this.#frame.subarray(this.#at - length, this.#at) : nothing
  }

  #skip(length: number): boolean {
    if (this.isShort || length > this.#frame.length - this.#at) this.isShort = true
    else this.#at += length
    return !this.isShort
  }
}

class Writer {
  readonly #frame: Uint8Array
  #at: number

  constructor(frame: Uint8Array, at: number) {
    this.#frame = frame
    this.#at = at
  }

  u8(value: number): void {
    this.#frame[this.#at++] = value
  }

  u32(value: number): void {
    putU32(this.#frame, this.#at, value)
    this.#at += 4
  }

  u48(value: number): void {
    putU48(this.#frame, this.#at, value)
    this.#at += 6
  }

  bytes(bytes: Uint8Array): void {
    this.#frame.set(bytes, this.#at)
    this.#at += bytes.length
  }
}
