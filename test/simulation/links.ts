// The network between simulated oracles: sessions that are reliable, ordered and authenticated while they last (as TLS is).

import type { Stage } from './stage.js'

/** What a machine has at its end of all its sessions. */
export interface Endpoint {
  /** The member whose key it holds; two machines may hold one key (B28). */
  readonly member: number
  readonly onFrame: (from: number, frame: Uint8Array) => void
  readonly onSession: (member: number, isUp: boolean) => void
}

interface Lane {
  /** No frame of this direction arrives before this time: order is kept. */
  lastMs: number
  /** Set while nothing gets through in this direction. */
  isStalled: boolean
  held: Uint8Array[]
  inFlight: number
}

interface Link {
  isUp: boolean
  isCut: boolean
  /** Raised with each session, so that what belongs to an ended one is lost. */
  session: number
  readonly lanes: readonly [Lane, Lane]
}

/** A session without a word from the peer for so long is given up. */
const idleMs = 600
const reconnectMinMs = 10
const reconnectMaxMs = 60

/** Links between machines, by their places; places may be attached and detached as processes come and go. */
export class Links {
  readonly #stage: Stage
  readonly #endpoints: (Endpoint | null)[]
  readonly #links: Link[]
  readonly #size: number
  /** Further milliseconds that frames from a machine take. */
  readonly slowMs: number[]
  /** Milliseconds a frame takes at most, at least 1. */
  delayMaxMs = 6

  constructor(stage: Stage, size: number) {
    this.#stage = stage
    this.#size = size
    this.#endpoints = Array(size).fill(null)
    this.slowMs = Array(size).fill(0)
    this.#links = Array.from({ length: size * size }, () => ({
      isUp: false,
      isCut: false,
      session: 0,
      lanes: [newLane(), newLane()],
    }))
  }

  attach(place: number, endpoint: Endpoint): void {
    this.#endpoints[place] = endpoint
    for (let other = 0; other < this.#size; other++) if (other !== place) this.#reconnect(place, other)
  }

  /** The process of this place is gone: its sessions end. */
  detach(place: number): void {
    for (let other = 0; other < this.#size; other++)
      if (other !== place) this.#end(this.#link(place, other), place, other)
    this.#endpoints[place] = null
  }

  /** Sends a frame to whoever holds `member`'s session with this place; without one it is lost. */
  send(place: number, member: number, frame: Uint8Array, delayMs = 0): void {
    const to = this.#holder(place, member)
    if (to < 0) return
    const link = this.#link(place, to)
    const lane = link.lanes[place < to ? 0 : 1]
    if (lane.isStalled) lane.held.push(frame)
    else this.#carry(link, lane, place, to, frame, delayMs)
  }

  isUp(a: number, b: number): boolean {
    return this.#link(a, b).isUp
  }

  /** Ends the session of a pair, and what is on its way is lost; it comes back by itself. */
  breakSession(a: number, b: number): void {
    const link = this.#link(a, b)
    if (!link.isUp) return
    if (link.lanes[0].inFlight + link.lanes[1].inFlight > 0) this.#stage.fired.count('net loss')
    this.#end(link, a, b)
    if (!link.isCut) this.#reconnect(a, b)
  }

  /** Nothing passes between two places; sessions end at once. */
  cut(a: number, b: number): void {
    this.#link(a, b).isCut = true
    this.breakSession(a, b)
  }

  /** Frames from `from` to `to` wait; when that lasts the session is given up. */
  stall(from: number, to: number): void {
    const link = this.#link(from, to)
    const lane = link.lanes[from < to ? 0 : 1]
    if (lane.isStalled) return
    lane.isStalled = true
    const { session } = link
    this.#stage.queue.after(idleMs, () => {
      if (lane.isStalled && link.isUp && link.session === session) this.breakSession(from, to)
    })
  }

  /** The link of a pair works again, in both directions; what was held arrives now, late. */
  heal(a: number, b: number): void {
    const link = this.#link(a, b)
    link.isCut = false
    this.#release(link, a, b)
    this.#release(link, b, a)
    if (!link.isUp) this.#reconnect(a, b)
  }

  healAll(): void {
    this.slowMs.fill(0)
    for (let a = 0; a < this.#size; a++) for (let b = a + 1; b < this.#size; b++) this.heal(a, b)
  }

  #release(link: Link, from: number, to: number): void {
    const lane = link.lanes[from < to ? 0 : 1]
    if (!lane.isStalled) return
    lane.isStalled = false
    if (lane.held.length > 0) this.#stage.fired.count('net late burst')
    for (const frame of lane.held) this.#carry(link, lane, from, to, frame, 0)
    lane.held = []
  }

  #carry(link: Link, lane: Lane, from: number, to: number, frame: Uint8Array, delayMs: number): void {
    const { queue, rng } = this.#stage
    const { session } = link
    lane.lastMs = Math.max(lane.lastMs, queue.nowMs + 1 + rng.below(this.delayMaxMs) + this.slowMs[from]! + delayMs)
    lane.inFlight++
    queue.at(lane.lastMs, () => {
      if (link.session !== session) return
      lane.inFlight--
      this.#endpoints[to]?.onFrame(this.#endpoints[from]!.member, frame)
    })
  }

  #holder(place: number, member: number): number {
    if (member < this.#size && this.#endpoints[member]?.member === member && this.#link(place, member).isUp)
      return member
    for (let other = 0; other < this.#size; other++) {
      if (other !== place && this.#endpoints[other]?.member === member && this.#link(place, other).isUp) return other
    }
    return -1
  }

  #end(link: Link, a: number, b: number): void {
    if (!link.isUp) return
    link.isUp = false
    link.session++
    for (const lane of link.lanes) {
      lane.held = []
      lane.inFlight = 0
    }
    this.#tell(a, b, false)
    this.#tell(b, a, false)
  }

  #reconnect(a: number, b: number): void {
    const { queue, rng } = this.#stage
    queue.after(rng.between(reconnectMinMs, reconnectMaxMs), () => this.#connect(a, b))
  }

  #connect(a: number, b: number): void {
    const link = this.#link(a, b)
    const [left, right] = [this.#endpoints[a], this.#endpoints[b]]
    if (link.isUp || link.isCut || !left || !right || left.member === right.member) return
    if (link.lanes.some((lane) => lane.isStalled)) return
    // One live session a key (P9): the second machine of a key is refused, and tries again.
    if (this.#holder(a, right.member) >= 0 || this.#holder(b, left.member) >= 0) {
      this.#stage.fired.count('B28 second session refused')
      this.#stage.queue.after(200, () => this.#connect(a, b))
      return
    }
    link.isUp = true
    link.session++
    this.#tell(a, b, true)
    this.#tell(b, a, true)
  }

  /** Told as actions of their own, so that no oracle is called from within another's step. */
  #tell(place: number, about: number, isUp: boolean): void {
    const endpoint = this.#endpoints[place]
    const member = this.#endpoints[about]?.member ?? about
    if (!endpoint) return
    this.#stage.queue.after(0, () => {
      if (this.#endpoints[place] === endpoint) endpoint.onSession(member, isUp)
    })
  }

  #link(a: number, b: number): Link {
    return this.#links[Math.min(a, b) * this.#size + Math.max(a, b)]!
  }
}

function newLane(): Lane {
  return { lastMs: 0, isStalled: false, held: [], inFlight: 0 }
}
