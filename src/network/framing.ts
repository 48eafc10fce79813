// Cuts a byte stream into frames: 4 bytes big-endian length, then the frame; nothing is kept that has not arrived.

import type { CloseReason } from './transport.js'

/** Answers, from a frame's head alone, why it is refused, or null. */
export type CheckHead = (version: number, kind: number, bytes: number) => CloseReason | null

const PREFIX_BYTES = 4
const HEAD_BYTES = PREFIX_BYTES + 2
/** Pieces below this size are gathered, so that a frame that comes byte by byte costs its bytes. */
const PIECE_BYTES = 4096
const NOTHING = new Uint8Array(0)

/**
 * Turns chunks of any cut into whole frames. The head is checked before memory is taken; a frame in progress takes at
 * most twice what arrived of it (the buffer doubles, so copying stays linear), never more than its announced length.
 * After a refusal it is finished. Never throws.
 */
export class Deframer {
  readonly #check: CheckHead
  readonly #head = new Uint8Array(HEAD_BYTES)
  #headBytes = 0
  #frameBytes = 0
  #filled = 0
  /** Pieces of the frame in progress, in order; what follows the last gathers in the tail. */
  #parts: Uint8Array[] = []
  #tail: Uint8Array = NOTHING
  #tailFilled = 0
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
    this.#filled = 2
    return true
  }

  #takeBody(): Uint8Array | null {
    const takes = Math.min(this.#frameBytes - this.#filled, this.#chunk.length - this.#at)
    const piece = this.#chunk.subarray(this.#at, this.#at + takes)
    this.#at += takes
    this.#filled += takes
    if (this.#filled < this.#frameBytes) {
      this.#keep(piece)
      this.#release()
      return null
    }
    const frame = memory(this.#frameBytes)
    frame[0] = this.#head[4]!
    frame[1] = this.#head[5]!
    let at = 2
    for (const part of this.#parts) {
      frame.set(part, at)
      at += part.length
    }
    frame.set(this.#tail.subarray(0, this.#tailFilled), at)
    frame.set(piece, at + this.#tailFilled)
    this.#parts = []
    this.#forgetTail()
    this.#headBytes = 0
    return frame
  }

  /** Keeps a piece of an unfinished frame: a large one as it came, small ones gathered, since each piece has its price. */
  #keep(piece: Uint8Array): void {
    if (piece.length >= PIECE_BYTES) {
      this.#endTail()
      this.#parts.push(piece)
      return
    }
    if (this.#tailFilled + piece.length > this.#tail.length) {
      const tail = memory(Math.min(2 * PIECE_BYTES, Math.max(64, 2 * (this.#tailFilled + piece.length))))
      tail.set(this.#tail.subarray(0, this.#tailFilled))
      this.#tail = tail
    }
    this.#tail.set(piece, this.#tailFilled)
    this.#tailFilled += piece.length
    if (this.#tailFilled >= PIECE_BYTES) this.#endTail()
  }

  #endTail(): void {
    if (this.#tailFilled > 0) this.#parts.push(this.#tail.subarray(0, this.#tailFilled))
    this.#forgetTail()
  }

  #forgetTail(): void {
    this.#tail = NOTHING
    this.#tailFilled = 0
  }

  #refuse(reason: CloseReason): false {
    this.#refusal = reason
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
