// What must survive a crash (P9): the highest wish, and the floor at or below which nothing is ever signed again.

import { compareSlots, type Slot } from './messages.js'

/**
 * Every begin, observation, proposal and attestation this oracle makes lies at or below `floor` of the durable record, and
 * every attestation has T ≤ `floorMs`; after a restart it acts only above the one, and attests only above the other. All
 * parts only rise.
 */
export interface Durable {
  readonly wish: number
  readonly floor: Slot
  readonly floorMs: number
}

/** The higher of two records in each part: what holds once both are on disk. */
export function raise(a: Durable, b: Durable): Durable {
  return {
    wish: Math.max(a.wish, b.wish),
    floor: compareSlots(a.floor, b.floor) >= 0 ? a.floor : b.floor,
    floorMs: Math.max(a.floorMs, b.floorMs),
  }
}
