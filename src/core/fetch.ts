// Asking for the proposal behind a certified report (P10): one signer after the other, each at most once a slot.

import { gatheringOf, keepGathering } from './gatherings.js'
import type { Context, Gathering, State, Turn } from './state.js'

/** How long a signer has to answer before the next is asked, in multiples of delayMs. */
const patience = 2

/**
 * The next signer of a certified slot to ask: connected and not asked yet. Members begin at different ones, and the
 * leader, which may have withheld the proposal on purpose (B08), comes last. Undefined when there is none.
 */
export function nextHolder(
  { state, context }: Pick<Turn, 'state' | 'context'>,
  gathering: Gathering,
): number | undefined {
  const { n } = context.committee.thresholds
  const leader = context.leaderOf(gathering.epoch)
  const place = (member: number): number => (member === leader ? n : (member + n - context.self) % n)
  return gathering.certificate?.signers
    .filter((member) => member !== context.self && state.connected[member] && !gathering.asked.includes(member))
    .sort((a, b) => place(a) - place(b))[0]
}

/** Asks `holder`, if there is one. */
export function fetch(turn: Turn, gathering: Gathering, holder: number | undefined): void {
  if (holder === undefined || holder === turn.context.self || !turn.state.connected[holder]) return
  if (gathering.askedAtMs > turn.now.steadyMs - patience * turn.context.committee.timing.delayMs) return
  const { epoch, round } = gathering
  keepGathering(turn, { ...gathering, asked: [...gathering.asked, holder], askedAtMs: turn.now.steadyMs })
  turn.effects.push({ kind: 'send', message: { kind: 'fetch', epoch, round }, to: holder })
}

/** Asks the next signer for what is certified, not delivered, and has not come in time. */
export function advanceFetches(turn: Turn): void {
  for (const waiting of waitingOf(turn.state)) {
    const gathering = gatheringOf(turn.state, waiting)
    if (gathering !== undefined) fetch(turn, gathering, nextHolder(turn, gathering))
  }
}

/** When `advanceFetches` has something to do. */
export function fetchesWakeAtMs(context: Context, state: State): number {
  let atMs = Infinity
  for (const waiting of waitingOf(state)) {
    if (nextHolder({ context, state }, waiting) === undefined) continue
    atMs = Math.min(atMs, waiting.askedAtMs + patience * context.committee.timing.delayMs)
  }
  return atMs
}

function waitingOf(state: State): readonly Gathering[] {
  return state.gatherings.filter((gathering) => gathering.certificate !== null && !gathering.delivered)
}
