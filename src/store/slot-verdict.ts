// What two blocks read back from disk prove about the last record that was acknowledged (P9).

import { equalBytes } from '../core/bytes.js'
import { compareSlots } from '../core/messages.js'
import type { Found, SlotBlock } from './slot-block.js'

/** Why a slot record proves nothing, so that nothing may be signed on its word. */
export type SlotDoubt = 'missing' | 'truncated' | 'damaged' | 'version' | 'foreign' | 'restored' | 'contradicts'

/**
 * `newest` is at least the last acknowledged record, and or the doubt, with the block that is at best a lower bound.
 */
export type SlotVerdict =
  | { readonly newest: SlotBlock }
  | { readonly doubt: SlotDoubt; readonly bound: SlotBlock | null }

/**
 * Judges blocks A and B as found.
 *
 * Writing keeps one rule (slot-record.ts): a block is overwritten only while the other is synced and holds at least the
 * last acknowledged record, and a record is acknowledged only when both blocks hold it, synced one after the other. So at
 * any moment the block not being written is ≥ the acknowledged one. A crash can spoil only the block being written;
 * damage afterwards finds both blocks at or above what was acknowledged. Hence one readable block is enough, whichever of
 * the two it is and whatever spoilt the other: no need to tell a torn write from later damage. Two damaged blocks, or a
 * damaged one beside one whose acknowledged write the disk lost, are more than one fault: the first is seen and refused,
 * the second cannot be seen and is left to the peers (P9, doubled keys). Sequences further apart than one write, or one
 * sequence with two contents, cannot come of a crash: refused as well.
 */
export function judgeBlocks(a: Found, b: Found): SlotVerdict {
  const found = [a, b]
  const blocks = found.flatMap((each) => (each.kind === 'sound' || each.kind === 'moved' ? [each.block] : []))
  const bound = blocks.reduce<SlotBlock | null>((x, y) => (x === null || isHigher(y, x) ? y : x), null)
  // A newer program may have recorded what this one cannot read; another oracle's record says nothing about this key.
  if (found.some((each) => each.kind === 'version')) return { doubt: 'version', bound }
  if (found.some((each) => each.kind === 'foreign')) return { doubt: 'foreign', bound }
  if (found.some((each) => each.kind === 'moved')) return { doubt: 'restored', bound }
  if (a.kind === 'sound' && b.kind === 'sound') {
    const ahead = a.block.sequence - b.block.sequence
    if (Math.abs(ahead) > 1 || (ahead === 0 && !isSame(a.block, b.block))) return { doubt: 'contradicts', bound }
    return { newest: ahead < 0 ? b.block : a.block }
  }
  if (a.kind === 'sound') return { newest: a.block }
  return b.kind === 'sound' ? { newest: b.block } : { doubt: 'damaged', bound }
}

function isHigher(a: SlotBlock, b: SlotBlock): boolean {
  return (a.generation - b.generation || compareSlots(a.durable.floor, b.durable.floor)) > 0
}

function isSame(a: SlotBlock, b: SlotBlock): boolean {
  return (
    equalBytes(a.salt, b.salt) &&
    a.generation === b.generation &&
    a.durable.wish === b.durable.wish &&
    compareSlots(a.durable.floor, b.durable.floor) === 0 &&
    a.durable.floorMs === b.durable.floorMs
  )
}
