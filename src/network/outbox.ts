// The outbound queue of one peer: bounded by bytes; when full the oldest frames go, since fresh words matter more.

/** Frames in order of sending; `bytesMax` bounds those not yet taken. */
export class Outbox {
  readonly #bytesMax: number
  #frames: Uint8Array[] = []
  #head = 0
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  get length(): number {
    return this.#frames.length - this.#head
  }

  /** Adds a frame and answers how many older ones were dropped for it. */
  push(frame: Uint8Array): number {
    this.#frames.push(frame)
    this.#bytes += frame.length
    let dropped = 0
    while (this.#bytes > this.#bytesMax && this.length > 1) {
      this.#shift()
      dropped += 1
    }
    return dropped
  }

  /** Removes frames from the front until they hold `bytes` together: at least one, if there is one. */
  take(bytes: number): Uint8Array[] {
    const taken: Uint8Array[] = []
    let sum = 0
    while (this.length > 0) {
      sum += this.#frames[this.#head]!.length
      if (taken.length > 0 && sum > bytes) break
      taken.push(this.#shift())
    }
    return taken
  }

  #shift(): Uint8Array {
    const frame = this.#frames[this.#head]!
    this.#head += 1
    this.#bytes -= frame.length
    if (this.#head > 64 && this.#head * 2 > this.#frames.length) {
      this.#frames = this.#frames.slice(this.#head)
      this.#head = 0
    }
    return frame
  }
}
