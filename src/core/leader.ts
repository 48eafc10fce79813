// Who leads an epoch (P2): a permutation of the members, drawn anew for every n epochs from the committee's digest.

import { concat, getU32, putU32 } from './bytes.js'
import type { Engine } from './engine.js'

/** leader(e) for a committee of `n` members with digest D; permutations are drawn once and remembered. */
export function leaderSchedule(engine: Engine, digest: Uint8Array, n: number): (epoch: number) => number {
  let drawnFor = -1
  let order: readonly number[] = []
  return (epoch) => {
    const cycle = Math.floor(epoch / n)
    if (cycle !== drawnFor) {
      order = permutation(engine, digest, n, cycle)
      drawnFor = cycle
    }
    return order[epoch % n]!
  }
}

/**
 * Fisher–Yates on draws of keccak256(D ‖ cycle ‖ i), i counting down from n−1. The first 4 bytes modulo i+1 are biased
 * by less than n/2^32: nobody gains by it, since D is fixed before anyone leads.
 */
function permutation(engine: Engine, digest: Uint8Array, n: number, cycle: number): readonly number[] {
  const order = Array.from({ length: n }, (_, i) => i)
  const tail = new Uint8Array(8)
  putU32(tail, 0, cycle)
  for (let i = n - 1; i > 0; i--) {
    putU32(tail, 4, i)
    const j = getU32(engine.keccak256(concat(digest, tail)), 0) % (i + 1)
    const swapped = order[i]!
    order[i] = order[j]!
    order[j] = swapped
  }
  return order
}
