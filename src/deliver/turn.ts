// Whose turn it is to send (P13): members in a permutation that all of them compute, each with a stage of its own.

import { concat, fromHex, getU32, putInt, putU32, putU48 } from '../core/bytes.js'
import type { Engine } from '../core/engine.js'
import { permutation } from '../core/permutation.js'

/** What the permutation is drawn from: nobody chooses it, and another update has another order. */
export interface TurnSeed {
  /** D, the digest of the committee document. */
  readonly committee: Uint8Array
  readonly chainId: number
  readonly store: string
  readonly feedId: string
  /** T that is being replaced; 0 for a first value. */
  readonly replacedMs: number
}

/** Members 0 to n−1 in the order of their turns, on draws that favour nobody. */
export function turnOrder(engine: Engine, seed: TurnSeed, n: number): readonly number[] {
  return permutation(n, drawsFrom(engine, seed))
}

/**
 * Draws below `bound`: four bytes at a time of keccak256(keccak256(seed) ‖ counter). What lies above the last whole
 * multiple of the bound is drawn again: the remainder of it would favour small numbers.
 */
function drawsFrom(engine: Engine, seed: TurnSeed): (bound: number) => number {
  const numbers = new Uint8Array(38)
  putInt(numbers, 0, 32, BigInt(seed.chainId))
  putU48(numbers, 32, seed.replacedMs)
  const packed = concat(seed.committee, fromHex(seed.store, 20)!, fromHex(seed.feedId, 32)!, numbers)
  const block = concat(engine.keccak256(packed), new Uint8Array(4))
  let bytes = new Uint8Array(0)
  let at = 0
  let counter = 0
  return (bound) => {
    const fair = 2 ** 32 - (2 ** 32 % bound)
    for (;;) {
      if (at === bytes.length) {
        putU32(block, 32, counter++)
        bytes = Uint8Array.from(engine.keccak256(block))
        at = 0
      }
      const drawn = getU32(bytes, at)
      at += 4
      if (drawn < fair) return drawn % bound
    }
  }
}

/** A member's place in the order of an update that is due since `sinceMs`. */
export interface Turn {
  readonly sinceMs: number
  readonly place: number
  readonly members: number
  readonly stageMs: number
}

/**
 * Whether the member may begin to send: in the first half of its stage, so that in the second half everybody learns
 * that it did. Who is late (slow, or cut off from the chain) leaves the turn to the next, and has another after all.
 */
export function isTurn({ sinceMs, place, members, stageMs }: Turn, nowMs: number): boolean {
  const waitedMs = nowMs - sinceMs - place * stageMs
  return waitedMs >= 0 && waitedMs % (members * stageMs) <= stageMs / 2
}

/** When the member may begin to send next: now where it may. */
export function nextTurnMs(turn: Turn, nowMs: number): number {
  if (isTurn(turn, nowMs)) return nowMs
  const firstMs = turn.sinceMs + turn.place * turn.stageMs
  const cycleMs = turn.members * turn.stageMs
  return firstMs + Math.max(0, Math.ceil((nowMs - firstMs) / cycleMs)) * cycleMs
}
