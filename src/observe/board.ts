// The readings an oracle would sign right now, kept packed: work is done when a source changes, not when a round begins.

import type { Committee } from '../core/committee.js'
import { type Layout, openPacked, packReadings, type Reading, readReading, writeReading } from '../core/layout.js'
import { statusCodes } from '../core/status.js'

/** The current reading of every feed of one oracle. */
export interface Board {
  /** Replaces one feed's reading; calls `moved` when it passed the feed's stream trigger (P4). */
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
  const streams = committee.feeds.map((feed, i) =>
    feed.streamPpm > 0 && layout.rows[i]!.cells[0]!.text < 0 ? feed.streamPpm : 0,
  )
  const observed: (bigint | null)[] = committee.feeds.map(() => null)

  return {
    update: (feed, reading) => {
      if (hasText) readings[feed] = reading
      else writeReading(layout, plain, feed, reading)
      if (streams[feed]! > 0 && hasMoved(observed[feed]!, reading, streams[feed]!)) moved()
    },
    observe: () => {
      const bytes = hasText ? packReadings(layout, readings) : packed.slice()
      for (let feed = 0; feed < streams.length; feed++) {
        if (streams[feed] === 0) continue
        observed[feed] = firstOf(hasText ? readings[feed]! : null, () => readReading(layout, plain, feed))
      }
      return bytes
    },
    read: (feed) => (hasText ? readings[feed]! : readReading(layout, plain, feed)),
  }
}

function firstOf(known: Reading | null, read: () => Reading): bigint | null {
  const values = (known ?? read()).values
  return values === null ? null : (values[0] as bigint)
}

/** |new − old| · 10^6 ≥ ppm · |old|, in integers; a value that comes or goes has moved. */
function hasMoved(old: bigint | null, reading: Reading, ppm: number): boolean {
  const now = reading.values === null ? null : (reading.values[0] as bigint)
  if (old === null || now === null) return old !== now
  const change = now > old ? now - old : old - now
  return change > 0n && change * 1_000_000n >= BigInt(ppm) * (old < 0n ? -old : old)
}
