// One TLS connection after its handshake: greets, cuts frames, holds a flooding peer back, writes in batches, stays alive.

import type { TLSSocket } from 'node:tls'
import { decodeClose, encodeClose, encodePing, refuseHead } from './frame.js'
import { Deframer, joinFrames, prefixed } from './framing.js'
import { Outbox } from './outbox.js'
import type { Rates, TokenBucket } from './rate.js'
import { type CloseReason, type Scheduler, type TransportLimits, transportKinds } from './transport.js'

/** Frames and bytes of one session handled before other sessions get their turn of the event loop. */
/** What the smallest read counts as. */
const readBytesMin = 64
const FRAMES_A_TURN = 32
const BYTES_A_TURN = 1024 * 1024
/** Frames are joined up to this size for one write; a larger one goes alone. */
const WRITE_BYTES = 64 * 1024
/** Plain bytes of the largest TLS record. */
const RECORD_BYTES = 16_384
/** How long a closing side waits for the other to take its last words. */
const LINGER_MS = 500

/** What a session tells its owner. */
export interface SessionOwner {
  /** The hello arrived; reading stands still until admit() or close(). */
  greeted(session: Session, hello: Uint8Array): void
  frame(session: Session, frame: Uint8Array): void
  /** Reading paused because the peer is above its rate. */
  throttled(session: Session): void
  /** `count` queued frames were dropped for newer ones. */
  overflowed(session: Session, count: number): void
  /** Told once, whatever ends it; `lost` frames were still queued. */
  ended(session: Session, reason: CloseReason, by: 'us' | 'peer', lost: number): void
}

/** A connection whose TLS handshake succeeded; nothing is sent or believed before the owner says so. */
export class Session {
  readonly member: number
  /** Version of the frame format; set by admit(). */
  version = 0
  instance: Uint8Array = new Uint8Array(0)
  readonly #socket: TLSSocket
  readonly #limits: TransportLimits
  readonly #scheduler: Scheduler
  readonly #owner: SessionOwner
  readonly #deframer: Deframer
  readonly #frameRate: TokenBucket
  readonly #byteRate: TokenBucket
  readonly #outbox: Outbox
  #urgent: Uint8Array[] = []
  #stage: 'greeting' | 'greeted' | 'open' | 'ended' = 'greeting'
  #writing = false
  #flushAsked = false
  #paused = false
  #turnFrames = 0
  #turnBytes = 0
  #heardMs: number
  #spokeMs: number
  #frameSinceMs: number | null = null
  #cancelResume: () => void = () => {}
  #throttled = false
  #turnAsked = false
  readonly #nextTurn = (): void => {
    this.#turnAsked = false
    this.#turnFrames = 0
    this.#turnBytes = 0
    if (this.#paused && !this.#throttled) this.#work()
  }

  constructor(
    socket: TLSSocket,
    member: number,
    limits: TransportLimits,
    rates: Rates,
    scheduler: Scheduler,
    owner: SessionOwner,
  ) {
    this.member = member
    this.#socket = socket
    this.#limits = limits
    this.#scheduler = scheduler
    this.#owner = owner
    const nowMs = scheduler.nowMs()
    this.#heardMs = nowMs
    this.#spokeMs = nowMs
    this.#frameRate = rates.frames
    this.#byteRate = rates.bytes
    this.#outbox = new Outbox(limits.queueBytesMax)
    this.#deframer = new Deframer((version, kind, bytes) =>
      refuseHead(limits, this.#stage === 'greeting', version, kind, bytes),
    )
    socket.setNoDelay(true)
    socket.on('data', (chunk: Uint8Array) => this.#read(chunk))
    socket.on('end', () => this.#end('CONNECTION_LOST', 'peer'))
    socket.on('close', () => this.#end('CONNECTION_LOST', 'peer'))
    socket.on('error', (error: NodeJS.ErrnoException) =>
      this.#end(error.code?.startsWith('ERR_SSL') ? 'TLS_FAILED' : 'CONNECTION_LOST', 'peer'),
    )
  }

  get queuedBytes(): number {
    return this.#outbox.bytes
  }

  /** When the last bytes came in. While this side holds the peer back it cannot hear it, and believes it alive. */
  heardMs(): number {
    return this.#paused ? this.#scheduler.nowMs() : this.#heardMs
  }

  /** Says the frame at once, before anything queued: hello, ping, close. */
  say(frame: Uint8Array): void {
    if (this.#stage === 'ended') return
    this.#urgent.push(frame)
    this.#flushSoon()
  }

  /** The hello was accepted: frames flow from here on. */
  admit(version: number, instance: Uint8Array): void {
    if (this.#stage !== 'greeted') return
    this.version = version
    this.instance = instance
    this.#stage = 'open'
    this.#frameSinceMs = null
    if (this.#paused) setImmediate(this.#nextTurn)
  }

  send(frame: Uint8Array): void {
    const dropped = this.#outbox.push(frame)
    if (dropped > 0) this.#owner.overflowed(this, dropped)
    this.#flushSoon()
  }

  /** Ends the session and tells the peer why. */
  close(reason: CloseReason): void {
    if (this.#stage === 'ended') return
    // What is half-written cannot be taken back, so the close frame follows it; queued frames are lost.
    this.#socket.end(joinFrames([...this.#urgent, encodeClose(reason)]))
    this.#end(reason, 'us')
  }

  /** Regular duties: keepalive, silence, frames that do not complete. */
  tick(nowMs: number): void {
    if (this.#stage === 'ended') return
    if (this.#paused) this.#frameSinceMs = this.#frameSinceMs === null ? null : nowMs
    if (nowMs - this.heardMs() > this.#limits.idleMs) return this.close('IDLE')
    const { frameMs, keepaliveMs } = this.#limits
    if (this.#frameSinceMs !== null && nowMs - this.#frameSinceMs > frameMs) return this.close('FRAME_TOO_SLOW')
    if (this.#stage === 'open' && nowMs - this.#spokeMs >= keepaliveMs) this.ping()
  }

  /** Asks for a sign of life. One waits at a time: a peer that does not read must not fill memory with them. */
  ping(): void {
    if (this.#urgent.length === 0) this.say(encodePing(false))
  }

  #read(chunk: Uint8Array): void {
    if (this.#stage === 'ended') return
    this.#heardMs = this.#scheduler.nowMs()
    // A read costs this side more than its bytes when they are few.
    this.#byteRate.spend(Math.max(readBytesMin, chunk.length))
    this.#turnBytes += chunk.length
    this.#deframer.push(chunk)
    this.#work()
  }

  /** Handles what is in the chunk at hand, until it is used up, the turn is over or the peer is above its rate. */
  #work(): void {
    for (;;) {
      if (this.#stage === 'ended' || this.#stage === 'greeted') return this.#pause()
      const nowMs = this.#scheduler.nowMs()
      const waitMs = Math.max(this.#frameRate.waitMs(nowMs), this.#byteRate.waitMs(nowMs))
      if (waitMs > 0) return this.#throttle(waitMs)
      if (this.#turnIsOver()) return this.#pause()
      const frame = this.#deframer.next()
      if (frame === null) break
      if (typeof frame === 'string') return this.close(frame)
      this.#frameSinceMs = null
      this.#frameRate.spend(1)
      this.#turnFrames += 1
      this.#take(frame)
    }
    if (!this.#deframer.partial) this.#frameSinceMs = null
    else if (this.#frameSinceMs === null) this.#frameSinceMs = this.#heardMs
    if (this.#paused) {
      this.#paused = false
      this.#socket.resume()
    }
  }

  #take(frame: Uint8Array): void {
    const kind = frame[1]
    if (kind === transportKinds.close) return this.#end(decodeClose(frame), 'peer')
    if (kind === transportKinds.hello) {
      this.#stage = 'greeted'
      return this.#owner.greeted(this, frame)
    }
    if (kind !== transportKinds.ping) return this.#owner.frame(this, frame)
    // One answer waits at a time: a peer that pings and does not read must not fill memory.
    if (frame[2] === 0 && this.#urgent.length === 0) this.say(encodePing(true))
  }

  #pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.#socket.pause()
  }

  #throttle(waitMs: number): void {
    this.#pause()
    if (this.#throttled) return
    this.#throttled = true
    this.#owner.throttled(this)
    this.#cancelResume = this.#scheduler.after(waitMs, () => {
      this.#throttled = false
      this.#work()
    })
  }

  /** Asks for the next turn in good time, so that a peer within its share is never held up. */
  #turnIsOver(): boolean {
    const share = Math.max(this.#turnFrames / FRAMES_A_TURN, this.#turnBytes / BYTES_A_TURN)
    if (share >= 0.25 && !this.#turnAsked) {
      this.#turnAsked = true
      setImmediate(this.#nextTurn)
    }
    return share >= 1
  }

  /** All frames of one turn leave in one write; while a write is under way the next ones gather. */
  #flushSoon(): void {
    if (this.#flushAsked || this.#writing) return
    this.#flushAsked = true
    process.nextTick(() => this.#flush())
  }

  #flush(): void {
    this.#flushAsked = false
    if (this.#writing || this.#stage === 'ended') return
    const frames = this.#urgent
    this.#urgent = []
    if (this.#stage === 'open') frames.push(...this.#outbox.take(WRITE_BYTES))
    if (frames.length === 0) return
    this.#writing = true
    this.#spokeMs = this.#scheduler.nowMs()
    const written = (): void => {
      this.#writing = false
      this.#flush()
    }
    const alone = frames[0]!
    if (frames.length > 1 || alone.length < WRITE_BYTES) {
      this.#socket.write(joinFrames(frames), written)
      return
    }
    // A large frame is not copied: its first piece carries the prefix in one TLS record, the rest leaves as it lies.
    this.#socket.write(prefixed(alone.length, alone.subarray(0, RECORD_BYTES - 4)))
    this.#socket.write(alone.subarray(RECORD_BYTES - 4), written)
  }

  #end(reason: CloseReason, by: 'us' | 'peer'): void {
    if (this.#stage === 'ended') return
    this.#stage = 'ended'
    this.#cancelResume()
    const socket = this.#socket
    // The peer may still be talking: read on without looking, so that our last words are not lost to a reset.
    socket.resume()
    if (by === 'peer') socket.destroy()
    else {
      const cancel = this.#scheduler.after(LINGER_MS, () => socket.destroy())
      socket.once('close', cancel)
    }
    this.#owner.ended(this, reason, by, this.#outbox.length)
  }
}
