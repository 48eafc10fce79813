// Which digests this process signed, slot by slot, in bounded memory: the answer to "did I make this?" (P9).

import { equalBytes } from '../core/bytes.js'
import { compareSlots, type Slot } from '../core/messages.js'

/** Whether this process made a signature of its own key; 'unknown' where it cannot tell. */
export type Authorship = 'mine' | 'not-mine' | 'unknown'

export interface SignedHistory {
  /** The last slot added; the opening floor before there is one. */
  readonly last: Slot
  /** Adds a slot above `last`; the oldest one is forgotten when the history is full. */
  add(slot: Slot, digest: Uint8Array): void
  /** 'unknown' at or below the opening floor and the last forgotten slot. */
  authorship(slot: Slot, digest: Uint8Array): Authorship
}

const prefixBytes = 16

/** A history of the last `slotsMax` slots above `opening`: 24 bytes each, taken as they are used. */
export function createSignedHistory(opening: Slot, slotsMax: number): SignedHistory {
  // A ring of rising slots: entry i of `count` lies at (start + i) mod slotsMax, so a slot is found by halving.
  const epochs = new Uint32Array(slotsMax)
  const rounds = new Uint32Array(slotsMax)
  const prefixes = new Uint8Array(slotsMax * prefixBytes)
  let start = 0
  let count = 0
  let known: Slot = opening
  let last: Slot = opening

  const slotAt = (i: number): Slot => {
    const place = (start + i) % slotsMax
    return { epoch: epochs[place]!, round: rounds[place]! }
  }

  return {
    get last() {
      return last
    },
    add: (slot, digest) => {
      if (compareSlots(slot, last) <= 0) throw new Error('slots are added in rising order')
      if (count === slotsMax) {
        known = slotAt(0)
        start = (start + 1) % slotsMax
        count--
      }
      const place = (start + count) % slotsMax
      epochs[place] = slot.epoch
      rounds[place] = slot.round
      prefixes.set(digest.subarray(0, prefixBytes), place * prefixBytes)
      count++
      last = { epoch: slot.epoch, round: slot.round }
    },
    authorship: (slot, digest) => {
      if (compareSlots(slot, known) <= 0) return 'unknown'
      let low = 0
      for (let high = count; low < high; ) {
        const middle = (low + high) >>> 1
        if (compareSlots(slotAt(middle), slot) < 0) low = middle + 1
        else high = middle
      }
      if (low === count || compareSlots(slotAt(low), slot) !== 0) return 'not-mine'
      const at = ((start + low) % slotsMax) * prefixBytes
      return equalBytes(prefixes.subarray(at, at + prefixBytes), digest.subarray(0, prefixBytes)) ? 'mine' : 'not-mine'
    },
  }
}
