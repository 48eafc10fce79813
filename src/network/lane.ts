// One direction of a session in memory: a bounded queue, read no faster than the receiver's rates allow.

import { TokenBucket } from './rate.js'
import type { Scheduler, TransportLimits } from './transport.js'

/** Frames handed over before others get their turn. */
const FRAMES_A_TURN = 32

/** What a lane tells the receiving side. */
export interface LaneEnd {
  /** The receiver's own copy of a frame. */
  deliver(frame: Uint8Array): void
  throttled(): void
}

interface Travelling {
  readonly frame: Uint8Array
  readonly atMs: number
  /** Order of sending. */
  readonly order: number
}

/** Carries frames to one receiver, in order of arrival; `queueBytesMax` is the sender's, `limits` are the receiver's. */
export class Lane {
  readonly #scheduler: Scheduler
  readonly #queueBytesMax: number
  readonly #end: LaneEnd
  readonly #frameRate: TokenBucket
  readonly #byteRate: TokenBucket
  #queue: Travelling[] = []
  #bytes = 0
  #sent = 0
  #closed = false
  /** False as long as the head of the queue is surely the oldest. */
  #reordered = false
  #wake: { readonly atMs: number; readonly cancel: () => void } | null = null

  constructor(scheduler: Scheduler, queueBytesMax: number, limits: TransportLimits, end: LaneEnd) {
    this.#scheduler = scheduler
    this.#queueBytesMax = queueBytesMax
    this.#end = end
    this.#frameRate = new TokenBucket(limits.framesPerS, scheduler.nowMs())
    this.#byteRate = new TokenBucket(limits.bytesPerS, scheduler.nowMs())
  }

  /** Bytes sent and not yet delivered. */
  get bytes(): number {
    return this.#bytes
  }

  /** Queues a frame that arrives after `delayMs` and answers how many of the oldest were dropped for it. */
  push(frame: Uint8Array, delayMs: number): number {
    const atMs = this.#scheduler.nowMs() + delayMs
    let place = this.#queue.length
    while (place > 0 && this.#queue[place - 1]!.atMs > atMs) place -= 1
    this.#reordered ||= place < this.#queue.length
    this.#queue.splice(place, 0, { frame, atMs, order: this.#sent++ })
    this.#bytes += frame.length
    let dropped = 0
    while (this.#bytes > this.#queueBytesMax && this.#queue.length > 1) {
      let oldest = 0
      for (let at = 1; this.#reordered && at < this.#queue.length; at++) {
        if (this.#queue[at]!.order < this.#queue[oldest]!.order) oldest = at
      }
      this.#bytes -= this.#queue.splice(oldest, 1)[0]!.frame.length
      dropped += 1
    }
    this.#wakeAt(this.#queue[0]!.atMs)
    return dropped
  }

  /** The sender is charged for a bad frame. */
  fine(): void {
    this.#frameRate.fine()
  }

  /** Ends the lane and answers how many frames it lost. */
  close(): number {
    const lost = this.#queue.length
    this.#closed = true
    this.#wake?.cancel()
    this.#queue = []
    this.#bytes = 0
    return lost
  }

  #wakeAt(atMs: number): void {
    if (this.#closed || (this.#wake !== null && this.#wake.atMs <= atMs)) return
    this.#wake?.cancel()
    const cancel = this.#scheduler.after(Math.max(0, atMs - this.#scheduler.nowMs()), () => {
      this.#wake = null
      this.#run()
    })
    this.#wake = { atMs, cancel }
  }

  #run(): void {
    for (let turn = 0; turn < FRAMES_A_TURN && !this.#closed; turn++) {
      const head = this.#queue[0]
      const nowMs = this.#scheduler.nowMs()
      if (head === undefined) return
      if (head.atMs > nowMs) break
      const waitMs = Math.max(this.#frameRate.waitMs(nowMs), this.#byteRate.waitMs(nowMs))
      if (waitMs > 0) {
        this.#end.throttled()
        return this.#hold(nowMs + waitMs)
      }
      this.#queue.shift()
      this.#bytes -= head.frame.length
      this.#frameRate.spend(1)
      this.#byteRate.spend(head.frame.length)
      this.#end.deliver(head.frame.slice())
    }
    if (this.#queue.length > 0) this.#wakeAt(this.#queue[0]!.atMs)
  }

  /** Sleeps until `atMs`, whatever arrives meanwhile. */
  #hold(atMs: number): void {
    const delayMs = atMs - this.#scheduler.nowMs()
    const cancel = this.#scheduler.after(delayMs, () => {
      this.#wake = null
      this.#run()
    })
    this.#wake = { atMs: Number.NEGATIVE_INFINITY, cancel }
  }
}
