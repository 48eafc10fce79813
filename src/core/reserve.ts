// The durable floor (P9): nothing leaves before the record that covers it is on disk, and blocks are reserved ahead so
// that the disk is off the hot path.

import type { Durable } from './durable.js'
import { compareSlots, type Slot } from './messages.js'
import type { Effect, Turn } from './state.js'

const reserveRoundsMin = 4
const reserveRoundsMax = 128
/** A block used up sooner is doubled; one that lasts longer than the other bound is halved. */
const blockTooShortMs = 500
const blockTooLongMs = 4000

/**
 * Emits `effect` once `slot` and `timeMs` lie under the durable floor: at once as a rule, after the record is on disk
 * otherwise. An effect that has waited longer than slotMs is forgotten: its round is over.
 */
export function act(turn: Turn, slot: Slot, timeMs: number, effect: Effect): void {
  extendFloor(turn, slot, timeMs)
  if (covers(turn.state.durable, slot, timeMs)) turn.effects.push(effect)
  else {
    const untilMs = turn.now.steadyMs + turn.context.committee.timing.slotMs
    // A disk that never answers must not fill the memory with rounds that are over.
    const waiting = turn.state.pending.filter((held) => held.untilMs > turn.now.steadyMs)
    turn.state = { ...turn.state, pending: [...waiting, { slot, timeMs, untilMs, effect }] }
  }
}

/** Emits what a new durable record covers. */
export function release(turn: Turn): void {
  const { pending, durable } = turn.state
  if (pending.length === 0) return
  const waiting = pending.filter((held) => !covers(durable, held.slot, held.timeMs) && held.untilMs > turn.now.steadyMs)
  for (const held of pending) {
    if (covers(durable, held.slot, held.timeMs) && held.untilMs > turn.now.steadyMs) turn.effects.push(held.effect)
  }
  turn.state = { ...turn.state, pending: waiting }
}

/**
 * Asks for a record with a wish of at least `wish`; its broadcast follows once it is on disk (P12). Whose record is
 * unprovable has none to raise: it wishes again once it adopted one (P9).
 */
export function askWish(turn: Turn, wish: number): void {
  if (turn.state.standing === 'sound' && wish > turn.state.asked.wish) ask(turn, { ...turn.state.asked, wish })
}

/** Asks again for the last record, after a failure. */
export function askAgain(turn: Turn): void {
  ask(turn, turn.state.asked)
}

function covers(durable: Durable, slot: Slot, timeMs: number): boolean {
  return compareSlots(slot, durable.floor) <= 0 && timeMs <= durable.floorMs
}

function extendFloor(turn: Turn, slot: Slot, timeMs: number): void {
  const { asked, askedAtMs } = turn.state
  const aheadMs = Math.min(5000, Math.max(1000, 2 * turn.context.committee.timing.roundMs))
  const roundsLeft =
    slot.epoch === asked.floor.epoch ? asked.floor.round - slot.round : slot.epoch < asked.floor.epoch ? Infinity : -1
  const slotShort = roundsLeft < turn.state.reserveRounds / 2
  // More than a round is left when a quarter is used up, so that a round a roundMs never waits for the disk.
  const timeShort = asked.floorMs - timeMs < (aheadMs * 3) / 4
  if (!slotShort && !timeShort) return
  if (slotShort) {
    const lastedMs = turn.now.steadyMs - askedAtMs
    const { reserveRounds } = turn.state
    const next =
      lastedMs < blockTooShortMs ? reserveRounds * 2 : lastedMs > blockTooLongMs ? reserveRounds / 2 : reserveRounds
    turn.state = {
      ...turn.state,
      reserveRounds: Math.min(reserveRoundsMax, Math.max(reserveRoundsMin, next)),
    }
  }
  const reserved = { epoch: slot.epoch, round: slot.round + turn.state.reserveRounds }
  ask(turn, {
    wish: asked.wish,
    floor: compareSlots(reserved, asked.floor) > 0 ? reserved : asked.floor,
    floorMs: Math.max(asked.floorMs, timeMs + aheadMs),
  })
}

function ask(turn: Turn, durable: Durable): void {
  turn.state = { ...turn.state, asked: durable, askedAtMs: turn.now.steadyMs }
  turn.effects.push({ kind: 'persist', durable, adopt: turn.state.standing === 'adopting' })
}
