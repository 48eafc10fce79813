// The readings an oracle would sign right now, kept packed: work is done when a source changes, not when a round begins.

import type { Committee } from '../core/committee.js'
import { type Layout, openPacked, packReadings, type Reading, readReading, writeReading } from '../core/layout.js'
import { statusCodes } from '../core/status.js'

/** The current reading of every feed of one oracle. */
export interface Board {
  /** Replaces one feed's reading; the first that passes its feed's stream trigger since `observe` calls `moved` (P4). */
  update(feed: number, reading: Reading): void
  /** Packed readings of all feeds, fresh bytes; what they say is what later moves are measured against. */
  observe(): Uint8Array
  /** One feed's current reading. */
  read(feed: number): Reading
}

const nothing: Reading = { status: statusCodes.NO_DATA, groups: 0, spreadPpm: 0, timeMs: 0, values: null }

/** A board on which no feed has a value yet. */
export function createBoard(committee: Committee, layout: Layout, moved: () => void): Board {
  const readings: Reading[] = committee.feeds.map(() => nothing)
  const packed = packReadings(layout, readings)
  const plain = openPacked(layout, packed)
  const hasText = layout.texts.length > 0
  const streams = committee.feeds.map((feed, i) => (layout.rows[i]!.cells[0]!.text < 0 ? feed.streamPpm : 0))
  const current: (bigint | null)[] = committee.feeds.map(() => null)
  let observed: readonly (bigint | null)[] = current.slice()
  let isMoved = false

  return {
    update: (feed, reading) => {
      if (hasText) readings[feed] = reading
      else writeReading(layout, plain, feed, reading)
      const ppm = streams[feed]!
      if (ppm === 0) return
      const first = reading.values === null ? null : (reading.values[0] as bigint)
      current[feed] = first
      if (isMoved || !hasMoved(observed[feed]!, first, ppm)) return
      isMoved = true
      moved()
    },
    observe: () => {
      isMoved = false
      observed = current.slice()
      return hasText ? packReadings(layout, readings) : packed.slice()
    },
    read: (feed) => (hasText ? readings[feed]! : readReading(layout, plain, feed)),
  }
}

/** |new − old| · 10^6 ≥ ppm · |old|, in integers; a value that comes or goes has moved. */
function hasMoved(old: bigint | null, now: bigint | null, ppm: number): boolean {
  if (old === null || now === null) return old !== now
  const change = now > old ? now - old : old - now
  return change > 0n && change * 1_000_000n >= BigInt(ppm) * (old < 0n ? -old : old)
}
