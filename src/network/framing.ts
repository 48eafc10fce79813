// Cuts a byte stream into frames: 4 bytes big-endian length, then the frame; nothing is kept that has not arrived.

import type { CloseReason } from './transport.js'

/** Answers, from a frame's head alone, why it is refused, or null. */
export type CheckHead = (version: number, kind: number, bytes: number) => CloseReason | null

const PREFIX_BYTES = 4
const HEAD_BYTES = PREFIX_BYTES + 2
const GROWTH = 4
const NOTHING = new Uint8Array(0)

/**
 * Turns chunks of any cut into whole frames. The head is checked before memory is taken; a frame in progress takes at
 * most four times what arrived of it (the buffer grows so much at a time, so copying stays linear), never more than its
 * announced length.
 * After a refusal it is finished. Never throws.
 */
export class Deframer {
  readonly #check: CheckHead
  readonly #head = new Uint8Array(HEAD_BYTES)
  #headBytes = 0
  #frame: Uint8Array = NOTHING
  #frameBytes = 0
  #frameFilled = 0
  #chunk: Uint8Array = NOTHING
  #at = 0
  #refusal: CloseReason | null = null

  constructor(check: CheckHead) {
    this.#check = check
  }

  /** Takes the next chunk; only when next() answered null. The chunk is not kept beyond that. */
  push(chunk: Uint8Array): void {
    if (this.#at < this.#chunk.length) throw new Error('push before the last chunk was used up')
    this.#chunk = chunk
    this.#at = 0
  }

  /** Bytes of unfinished frames held, chunk in use included: what this peer costs. */
  get heldBytes(): number {
    return this.#frame.length + (this.#chunk.length - this.#at)
  }

  /** True while a frame has begun and is not whole. */
  get partial(): boolean {
    return this.#headBytes > 0
  }

  /** The next whole frame in memory of its own; the reason of a refusal; or null when another chunk is needed. */
  next(): Uint8Array | CloseReason | null {
    if (this.#refusal !== null) return this.#refusal
    if (this.#headBytes < HEAD_BYTES && !this.#takeHead()) return this.#refusal
    return this.#takeBody()
  }

  /** Reads the 6 bytes of the head; false when they are not all there or are refused. */
  #takeHead(): boolean {
    while (this.#headBytes < HEAD_BYTES && this.#at < this.#chunk.length) {
      this.#head[this.#headBytes++] = this.#chunk[this.#at++]!
      if (this.#headBytes !== PREFIX_BYTES) continue
      this.#frameBytes = new DataView(this.#head.buffer).getUint32(0)
      if (this.#frameBytes < 2) return this.#refuse('FRAME_TOO_SHORT')
    }
    if (this.#headBytes < HEAD_BYTES) {
      this.#release()
      return false
    }
    const refusal = this.#check(this.#head[4]!, this.#head[5]!, this.#frameBytes)
    if (refusal !== null) return this.#refuse(refusal)
    this.#frame = memory(this.#room(2 + this.#chunk.length - this.#at))
    this.#frame[0] = this.#head[4]!
    this.#frame[1] = this.#head[5]!
    this.#frameFilled = 2
    return true
  }

  #takeBody(): Uint8Array | null {
    const takes = Math.min(this.#frameBytes - this.#frameFilled, this.#chunk.length - this.#at)
    const filled = this.#frameFilled + takes
    if (filled > this.#frame.length) this.#grow(filled)
    // Buffer.set on a subarray is one memcpy; small bodies are the common case.
    this.#frame.set(this.#chunk.subarray(this.#at, this.#at + takes), this.#frameFilled)
    this.#at += takes
    this.#frameFilled = filled
    if (filled < this.#frameBytes) {
      this.#release()
      return null
    }
    const frame = this.#frame
    this.#frame = NOTHING
    this.#headBytes = 0
    return frame
  }

  #grow(filled: number): void {
    const grown = memory(this.#room(filled))
    grown.set(this.#frame.subarray(0, this.#frameFilled))
    this.#frame = grown
  }

  /** How much memory `arrived` bytes of the frame may take. */
  #room(arrived: number): number {
    return Math.min(this.#frameBytes, GROWTH * arrived)
  }

  #refuse(reason: CloseReason): false {
    this.#refusal = reason
    this.#frame = NOTHING
    this.#release()
    return false
  }

  /** Lets go of a chunk that is used up. */
  #release(): void {
    this.#chunk = NOTHING
    this.#at = 0
  }
}

/** Memory of its own; not zeroed when that would cost, since every byte is written before it is seen. */
function memory(bytes: number): Uint8Array {
  return bytes <= 1024 ? new Uint8Array(bytes) : Buffer.allocUnsafeSlow(bytes)
}

/** The first bytes of a frame of `frameBytes` bytes, behind its prefix. */
export function prefixed(frameBytes: number, first: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + first.length)
  bytes.writeUInt32BE(frameBytes)
  bytes.set(first, PREFIX_BYTES)
  return bytes
}

/** Writes `frames` with their prefixes into one fresh buffer, so that they leave in one write. */
export function joinFrames(frames: readonly Uint8Array[]): Uint8Array {
  let bytes = 0
  for (const frame of frames) bytes += PREFIX_BYTES + frame.length
  const joined = Buffer.allocUnsafe(bytes)
  let at = 0
  for (const frame of frames) {
    at = joined.writeUInt32BE(frame.length, at)
    joined.set(frame, at)
    at += frame.length
  }
  return joined
}
