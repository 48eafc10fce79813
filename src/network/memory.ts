// Sessions between members inside one process: the same port, checks and bounds as TLS, on time that is an argument.

import { equalBytes } from '../core/bytes.js'
import { backoffMs } from './backoff.js'
import { Drops } from './drops.js'
import { assertSendable, refuseHead } from './frame.js'
import { Lane } from './lane.js'
import {
  type CloseReason,
  type Scheduler,
  type SessionStatus,
  type Transport,
  type TransportEvents,
  type TransportLimits,
  wireVersions,
} from './transport.js'

export interface MemoryHubOptions {
  readonly scheduler: Scheduler
  /** In [0, 1), for the jitter of reconnecting. */
  readonly random: () => number
  /**
   * The delays of each copy of a frame that arrives: none to lose it, several to duplicate it, unequal ones to reorder.
   * Unless given, each frame arrives once, at the next turn, in order.
   */
  readonly delaysMs?: (from: number, to: number, frame: Uint8Array) => readonly number[]
}

export interface MemoryMember {
  readonly self: number
  /** Members of the committee. */
  readonly size: number
  /** D, 32 bytes. */
  readonly digest: Uint8Array
  readonly limits: TransportLimits
}

/** The network of one process. Members join; links between pairs of them can be cut and healed. */
export class MemoryHub {
  readonly options: MemoryHubOptions
  readonly #started: MemoryTransport[] = []
  readonly #cuts = new Set<string>()

  constructor(options: MemoryHubOptions) {
    this.options = options
  }

  /** A transport of one member. Joining twice as the same member is two processes with one key; peers dial the first. */
  join(member: MemoryMember): Transport {
    return new MemoryTransport(this, member)
  }

  /** Cuts the link of two members: their sessions go down at once, frames under way are lost. */
  cut(a: number, b: number): void {
    this.#cuts.add(linkOf(a, b))
    for (const transport of this.#started) {
      if (transport.member.self === a) transport.lose(b)
      if (transport.member.self === b) transport.lose(a)
    }
  }

  /** Heals the link of two members; the sessions come back by reconnecting. */
  heal(a: number, b: number): void {
    this.#cuts.delete(linkOf(a, b))
  }

  /** Cuts every link between members of different groups and heals all others. */
  partition(groups: readonly (readonly number[])[]): void {
    this.#cuts.clear()
    for (const [at, group] of groups.entries())
      for (const other of groups.slice(at + 1)) for (const a of group) for (const b of other) this.cut(a, b)
  }

  /** For transports: who answers at the endpoint of `to`, if the link is whole. */
  reach(from: number, to: number): MemoryTransport | undefined {
    return this.#cuts.has(linkOf(from, to)) ? undefined : this.#started.find(({ member }) => member.self === to)
  }

  /** For transports: this one is open, or is no more. */
  enter(transport: MemoryTransport): void {
    this.#started.push(transport)
  }

  leave(transport: MemoryTransport): void {
    const at = this.#started.indexOf(transport)
    if (at >= 0) this.#started.splice(at, 1)
  }
}

function linkOf(a: number, b: number): string {
  return `${Math.min(a, b)}-${Math.max(a, b)}`
}

interface Peer {
  readonly index: number
  /** Up: the transport at the other end, and the way to it. */
  other: MemoryTransport | null
  lane: Lane | null
  failures: number
  reason: CloseReason | null
  by: 'us' | 'peer' | null
  sinceMs: number
  cancel: () => void
}

class MemoryTransport implements Transport {
  readonly member: MemoryMember
  readonly #hub: MemoryHub
  readonly #peers = new Map<number, Peer>()
  #events: TransportEvents | null = null
  #drops = new Drops(() => {})
  #closed = false

  constructor(hub: MemoryHub, member: MemoryMember) {
    this.#hub = hub
    this.member = member
    const sinceMs = hub.options.scheduler.nowMs()
    const blank = { other: null, lane: null, failures: 0, reason: null, by: null, sinceMs, cancel: () => {} }
    for (let index = 0; index < member.size; index++)
      if (index !== member.self) this.#peers.set(index, { index, ...blank })
  }

  async start(events: TransportEvents): Promise<void> {
    if (this.#events !== null || this.#closed) throw new Error('a transport starts once')
    this.#events = events
    this.#drops = new Drops((member, reason, count) => events.onDrop(member, reason, count))
    this.#hub.enter(this)
    for (const peer of this.#peers.values()) if (peer.index > this.member.self) this.#dial(peer, 0)
  }

  send(to: number, frame: Uint8Array): boolean {
    const peer = this.#peers.get(to)
    if (peer === undefined) throw new Error(`no peer ${to} to send to`)
    assertSendable(this.member.limits, frame)
    if (peer.lane === null) {
      this.#drops.count(to, 'NOT_CONNECTED')
      return false
    }
    for (const delayMs of this.#hub.options.delaysMs?.(this.member.self, to, frame) ?? [0]) {
      this.#drops.count(to, 'QUEUE_FULL', peer.lane.push(frame, delayMs))
    }
    return true
  }

  sessions(): readonly SessionStatus[] {
    return [...this.#peers.values()].map(({ index, lane, reason, by, sinceMs }) => ({
      member: index,
      state: lane === null ? 'down' : 'up',
      reason,
      by,
      sinceMs,
      queuedBytes: lane?.bytes ?? 0,
      version: lane === null ? 0 : wireVersions.max,
    }))
  }

  charge(from: number): void {
    this.#peers.get(from)?.other?.laneTo(this.member.self)?.fine()
  }

  /** For transports: the way to `member`, if it is up. */
  laneTo(member: number): Lane | null {
    return this.#peers.get(member)?.lane ?? null
  }

  counters(): ReturnType<Transport['counters']> {
    return this.#drops.counts
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#hub.leave(this)
    for (const peer of this.#peers.values()) {
      peer.cancel()
      this.#end(peer, 'CLOSING')
    }
  }

  /** The link to a member was cut. */
  lose(index: number): void {
    const peer = this.#peers.get(index)
    const other = peer?.other
    if (peer === undefined || other === null || other === undefined) return
    this.#down(peer, 'CONNECTION_LOST', 'peer')
    other.lose(this.member.self)
  }

  #dial(peer: Peer, waitMs: number): void {
    peer.cancel = this.#hub.options.scheduler.after(waitMs, () => {
      const other = this.#hub.reach(this.member.self, peer.index)
      const refusal = other === undefined ? 'CONNECT_FAILED' : other.#answer(this)
      if (other === undefined || refusal !== null)
        this.#failed(peer, refusal ?? 'CONNECT_FAILED', other ? 'peer' : 'us')
      else this.#up(peer, other)
    })
  }

  /** The accepting side of a hello: null once its session is up, or why not. */
  #answer(from: MemoryTransport): CloseReason | null {
    const peer = this.#peers.get(from.member.self)
    let refusal: CloseReason | null = null
    if (!equalBytes(from.member.digest, this.member.digest)) refusal = 'COMMITTEE_MISMATCH'
    else if (peer === undefined) refusal = 'IDENTITY_MISMATCH'
    // A session in memory is live as long as it is up, so there is nobody to replace.
    else if (peer.other !== null) refusal = 'SESSION_EXISTS'
    if (peer === undefined || refusal === null) {
      if (peer !== undefined) this.#up(peer, from)
      return refusal
    }
    if (peer.other === null) this.#failed(peer, refusal, 'us')
    else this.#drops.count(peer.index, refusal)
    return refusal
  }

  #up(peer: Peer, other: MemoryTransport): void {
    const { self, limits } = this.member
    const { scheduler } = this.#hub.options
    peer.other = other
    peer.lane = new Lane(scheduler, limits.queueBytesMax, other.member.limits, {
      deliver: (frame) => other.#receive(self, frame),
      throttled: () => other.#drops.count(self, 'THROTTLED'),
    })
    peer.sinceMs = scheduler.nowMs()
    this.#events?.onSession(peer.index, 'up', null)
  }

  #receive(from: number, frame: Uint8Array): void {
    const peer = this.#peers.get(from)
    const refusal =
      frame.length < 2 ? 'FRAME_TOO_SHORT' : refuseHead(this.member.limits, false, frame[0]!, frame[1]!, frame.length)
    if (refusal === null) this.#events?.onFrame(from, frame)
    else if (peer !== undefined) this.#end(peer, refusal)
  }

  /** This side ends the session, and the other learns why. */
  #end(peer: Peer, reason: CloseReason): void {
    const { other } = peer
    if (other === null) return
    this.#down(peer, reason, 'us')
    other.#down(other.#peers.get(this.member.self)!, reason, 'peer')
  }

  #down(peer: Peer, reason: CloseReason, by: 'us' | 'peer'): void {
    const { scheduler } = this.#hub.options
    const lost = peer.lane?.close() ?? 0
    peer.lane = null
    peer.other = null
    this.#drops.count(peer.index, 'NOT_CONNECTED', lost)
    if (scheduler.nowMs() - peer.sinceMs >= this.member.limits.reconnectMaxMs) peer.failures = 0
    this.#failed(peer, reason, by)
    this.#events?.onSession(peer.index, 'down', reason)
  }

  #failed(peer: Peer, reason: CloseReason, by: 'us' | 'peer'): void {
    const { scheduler, random } = this.#hub.options
    const { self, limits } = this.member
    peer.reason = reason
    peer.by = by
    peer.sinceMs = scheduler.nowMs()
    if (reason !== 'CLOSING') this.#drops.count(peer.index, reason)
    if (peer.index < self || this.#closed) return
    this.#dial(peer, backoffMs(peer.failures, limits.reconnectMinMs, limits.reconnectMaxMs, random))
    peer.failures += 1
  }
}
