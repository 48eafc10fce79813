// The leader's part: begin rounds (P4), collect observations and propose (P6).

import { equalBytes } from './bytes.js'
import { compareSlots, type Moved, type Observation } from './messages.js'
import { act, askWish } from './reserve.js'
import { type Collecting, drop, type Lead, signs, type Turn } from './state.js'

/** Rounds begun and neither certified nor older than slotMs; more would only slow each other down. */
const inFlightMax = 3

/** The lead of an epoch just entered: the first round is due at once. */
export function takeLead(nowMs: number): Lead {
  return { round: 0, beganAtMs: -Infinity, nextBeginAtMs: nowMs, movers: [], collecting: [], inFlight: [] }
}

/** Begins what is due and proposes what has waited graceMs. */
export function advanceLead(turn: Turn): void {
  if (turn.state.lead === null || !signs(turn.state)) return
  expire(turn)
  for (const collecting of turn.state.lead.collecting.toReversed()) {
    const isDue = collecting.graceAtMs !== null && collecting.graceAtMs <= turn.now.steadyMs
    if (isDue && turn.state.lead.collecting.includes(collecting)) propose(turn, collecting)
  }
  if (turn.state.lead.nextBeginAtMs <= turn.now.steadyMs && turn.state.lead.inFlight.length < inFlightMax) begin(turn)
}

/** When `advanceLead` has something to do. */
export function leadWakesAtMs(lead: Lead, slotMs: number): number {
  let atMs = lead.nextBeginAtMs
  if (lead.inFlight.length >= inFlightMax) atMs = Math.max(atMs, lead.inFlight[0]!.atMs + slotMs)
  for (const collecting of lead.collecting)
    if (collecting.graceAtMs !== null) atMs = Math.min(atMs, collecting.graceAtMs)
  return atMs
}

function expire(turn: Turn): void {
  const lead = turn.state.lead!
  const oldestMs = turn.now.steadyMs - turn.context.committee.timing.slotMs
  if (!lead.inFlight.some((flight) => flight.atMs <= oldestMs)) return
  const inFlight = lead.inFlight.filter((flight) => flight.atMs > oldestMs)
  const collecting = lead.collecting.filter((open) => inFlight.some((flight) => flight.round === open.round))
  turn.state = { ...turn.state, lead: { ...lead, inFlight, collecting } }
}

/** P4: the next round. Its number used up, the leader wishes for the next epoch (P12). */
function begin(turn: Turn): void {
  const { state, context, now } = turn
  const lead = state.lead!
  const { timing, thresholds } = context.committee
  if (lead.round >= timing.roundsPerEpoch) {
    turn.state = { ...state, lead: { ...lead, nextBeginAtMs: Infinity } }
    askWish(turn, state.epoch + 1)
    return
  }
  const round = lead.round + 1
  const slot = { epoch: state.epoch, round }
  const empty: Collecting = { round, observations: Array(thresholds.n).fill(null), graceAtMs: null }
  turn.state = {
    ...state,
    lead: {
      round,
      beganAtMs: now.steadyMs,
      nextBeginAtMs: now.steadyMs + timing.roundMs,
      movers: [],
      collecting: [...lead.collecting, empty],
      inFlight: [...lead.inFlight, { round, atMs: now.steadyMs }],
    },
  }
  act(turn, slot, 0, { kind: 'send', message: { kind: 'begin', ...slot }, to: 'all' })
}

/** P4: f+1 members moved, so at least one honest one did: the next round is due as soon as roundMsMin allows. */
export function onMoved(turn: Turn, from: number, moved: Moved): void {
  const { lead, epoch } = turn.state
  if (lead === null || moved.epoch !== epoch) return drop(turn, from, 'NOT_LEADER')
  // A member that moved before it answered the round under way is observed in that round.
  if (moved.round < lead.round) return drop(turn, from, 'LATE')
  if (lead.movers.includes(from)) return drop(turn, from, 'REPEATED')
  const { thresholds, timing } = turn.context.committee
  const movers = [...lead.movers, from]
  const due = movers.length >= thresholds.oneHonest ? lead.beganAtMs + timing.roundMsMin : Infinity
  turn.state = { ...turn.state, lead: { ...lead, movers, nextBeginAtMs: Math.min(lead.nextBeginAtMs, due) } }
  advanceLead(turn)
}

/** P6: at n−f observations graceMs starts; all n end it. */
export function onObservation(turn: Turn, from: number, observation: Observation): void {
  const { lead, epoch } = turn.state
  const collecting = lead?.collecting.find((open) => open.round === observation.round)
  if (lead === null || collecting === undefined || observation.epoch !== epoch)
    return drop(turn, from, 'NOT_COLLECTING')
  const known = collecting.observations[observation.member]
  if (known) {
    if (equalBytes(known.digest, observation.digest)) return drop(turn, from, 'REPEATED')
    turn.effects.push({ kind: 'evidence', member: observation.member, messages: [known, observation] })
    return drop(turn, from, 'CONTRADICTS')
  }
  const { thresholds, timing } = turn.context.committee
  const observations = collecting.observations.with(observation.member, observation)
  const count = observations.filter((held) => held !== null).length
  const graceAtMs = collecting.graceAtMs ?? (count >= thresholds.available ? turn.now.steadyMs + timing.graceMs : null)
  const updated = { ...collecting, observations, graceAtMs }
  turn.state = {
    ...turn.state,
    lead: { ...lead, collecting: lead.collecting.map((open) => (open === collecting ? updated : open)) },
  }
  // Closed meanwhile, it proposes when it opens again or forgets the round: grace has ended by then.
  if (count === thresholds.n && signs(turn.state)) propose(turn, updated)
}

function propose(turn: Turn, collecting: Collecting): void {
  const lead = turn.state.lead!
  const slot = { epoch: turn.state.epoch, round: collecting.round }
  // An older round still open has lost: nobody attests to a slot below one already attested (P9).
  const open = lead.collecting.filter((other) => other.round > collecting.round)
  turn.state = { ...turn.state, lead: { ...lead, collecting: open } }
  const observations = collecting.observations.filter((held) => held !== null)
  act(turn, slot, 0, { kind: 'sign', draft: { kind: 'proposal', ...slot, observations }, to: 'all' })
}

/** A certified round, and all before it, are no longer in flight. */
export function endFlights(turn: Turn, epoch: number, round: number): void {
  const { lead } = turn.state
  if (lead === null || compareSlots({ epoch, round }, { epoch: turn.state.epoch, round: 1 }) < 0) return
  turn.state = { ...turn.state, lead: { ...lead, inFlight: lead.inFlight.filter((flight) => flight.round > round) } }
}
