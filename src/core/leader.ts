// Who leads an epoch (P2): a permutation of the members, drawn anew for every n epochs from the committee's digest.

import { concat, getU32, putU32 } from './bytes.js'
import type { Engine } from './engine.js'
import { permutation } from './permutation.js'

/** leader(e) for a committee of `n` members with digest D; permutations are drawn once and remembered. */
export function leaderSchedule(engine: Engine, digest: Uint8Array, n: number): (epoch: number) => number {
  let drawnFor = -1
  let order: readonly number[] = []
  return (epoch) => {
    const cycle = Math.floor(epoch / n)
    if (cycle !== drawnFor) {
      order = orderOf(engine, digest, n, cycle)
      drawnFor = cycle
    }
    return order[epoch % n]!
  }
}

/**
 * Draws of keccak256(D ‖ cycle ‖ i), i counting down from n−1. The first 4 bytes modulo i+1 are biased by less than
 * n/2^32: nobody gains by it, since D is fixed before anyone leads.
 */
function orderOf(engine: Engine, digest: Uint8Array, n: number, cycle: number): readonly number[] {
  const tail = new Uint8Array(8)
  putU32(tail, 0, cycle)
  return permutation(n, (bound) => {
    putU32(tail, 4, bound - 1)
    return getU32(engine.keccak256(concat(digest, tail)), 0) % bound
  })
}
