// The follower's part: answer a begin with one observation (P5), check a proposal (P7), attest to its report (P9).

import { equalBytes } from './bytes.js'
import { certify } from './certify.js'
import { gatheringFor, gatheringOf, isPassed, keepGathering } from './gatherings.js'
import { type Begin, compareSlots, type Proposal, type ReportHeader, type Slot } from './messages.js'
import { act } from './reserve.js'
import { drop, type Early, type Follow, type Gathering, signs, type Turn } from './state.js'

/** How far ahead of its epoch a member keeps one begin and one proposal an epoch (P4). */
export const epochsAheadMax = 2

/** P5, first half: a begin of my epoch's leader, not too soon after the last, asks for one observation. */
export function onBegin(turn: Turn, from: number, begin: Begin): void {
  const { state, context, now } = turn
  const { timing } = context.committee
  if (begin.round < 1 || begin.round > timing.roundsPerEpoch) return drop(turn, from, 'ROUND_RANGE')
  if (from !== context.leaderOf(begin.epoch)) return drop(turn, from, 'NOT_LEADER')
  if (begin.epoch !== state.epoch) return keepEarly(turn, from, begin)
  if (!signs(state)) return drop(turn, from, 'NOT_SIGNING')
  if (compareSlots(begin, state.opening.floor) <= 0) return drop(turn, from, 'BELOW_FLOOR')
  const { follow } = state
  if (begin.round <= follow.lastRound) return drop(turn, from, 'REPEATED')
  if (now.steadyMs < follow.nextBeginDueMs - timing.delayMs) return drop(turn, from, 'TOO_SOON')
  turn.state = {
    ...state,
    follow: {
      ...follow,
      answered: [...recent(follow, now.steadyMs - timing.slotMs), { round: begin.round, atMs: now.steadyMs }],
      lastRound: begin.round,
      nextBeginDueMs: Math.max(follow.nextBeginDueMs, now.steadyMs) + timing.roundMsMin,
    },
  }
  turn.effects.push({ kind: 'observe', slot: { epoch: begin.epoch, round: begin.round } })
}

/** P5, second half: the readings, under my clock, signed and sent to the leader. */
export function onObserved(turn: Turn, slot: Slot, readings: Uint8Array, evidence: Uint8Array): void {
  const { state, context, now } = turn
  if (!signs(state) || !isAnswered(turn, slot) || slot.round <= state.follow.observedRound) return
  turn.state = { ...state, follow: { ...state.follow, observedRound: slot.round } }
  const clockMs = Math.max(now.wallMs, state.latest === null ? 0 : state.latest.attestedAtMs + 1)
  const draft = { kind: 'observation', epoch: slot.epoch, round: slot.round, clockMs, evidence, readings } as const
  // No time is promised: a clock that is wrong for a moment must not raise the floor of T, which only attested times do.
  act(turn, slot, 0, { kind: 'sign', draft, to: context.leaderOf(slot.epoch) })
}

/** P4: tells the leader, once a round, that our readings moved. */
export function onOwnMove(turn: Turn): void {
  const { state, context } = turn
  const { follow } = state
  if (!signs(state) || follow.movedRound >= follow.lastRound) return
  turn.state = { ...state, follow: { ...follow, movedRound: follow.lastRound } }
  const message = { kind: 'moved', epoch: state.epoch, round: follow.lastRound } as const
  turn.effects.push({ kind: 'send', message, to: context.leaderOf(state.epoch) })
}

/** P7: a proposal of my epoch's leader for a slot I answered in time; its report as I compute it; then P9. */
export function onProposal(turn: Turn, from: number, proposal: Proposal): void {
  const { state, context } = turn
  const gathering = gatheringOf(state, proposal)
  if (proposal.observations.length < context.committee.thresholds.available) return drop(turn, from, 'TOO_FEW')
  if (gathering?.proposal) return onSecondProposal(turn, from, proposal, gathering, gathering.proposal)
  // Whoever sends it, a proposal that was asked for is the leader's by its signature (P10).
  if (gathering && gathering.asked.length > 0) {
    learn(turn, from, proposal)
    return
  }
  if (from !== context.leaderOf(proposal.epoch)) return drop(turn, from, 'NOT_LEADER')
  if (proposal.epoch !== state.epoch) return keepEarly(turn, from, proposal)
  if (!isAnswered(turn, proposal)) return drop(turn, from, 'NOT_ANSWERED')
  if (isPassed(state, proposal)) return drop(turn, from, 'LATE')
  const header = learn(turn, from, proposal)
  if (Math.abs(header.attestedAtMs - turn.now.wallMs) > context.committee.timing.skewMs) {
    return drop(turn, from, 'TIME_SKEW')
  }
  attest(turn, from, proposal, header)
}

/** A different proposal for a slot convicts its leader; it is learnt only when a quorum attested to it. */
function onSecondProposal(turn: Turn, from: number, proposal: Proposal, gathering: Gathering, first: Proposal): void {
  if (equalBytes(first.digest, proposal.digest)) return drop(turn, from, 'REPEATED')
  const member = turn.context.leaderOf(proposal.epoch)
  turn.effects.push({ kind: 'evidence', member, messages: [first, proposal] })
  const { certificate, digest } = gathering
  if (certificate !== null && digest !== null && !equalBytes(digest, certificate.digest)) learn(turn, from, proposal)
  else drop(turn, from, 'CONTRADICTS')
}

/**
 * Computes a proposal's report (P8) and keeps both: attestations and fetches of this slot need them. What contradicts a
 * quorum's report is worth nothing and is not kept.
 */
function learn(turn: Turn, from: number, proposal: Proposal): ReportHeader {
  const report = turn.context.kernel.report(proposal, proposal.observations)
  const digest = turn.context.digestOf(report)
  const gathering = gatheringFor(turn, proposal)
  const { certificate } = gathering
  if (certificate !== null && !equalBytes(certificate.digest, digest)) drop(turn, from, 'CONTRADICTS')
  else {
    keepGathering(turn, { ...gathering, proposal, report, digest })
    certify(turn, proposal, digest)
  }
  return report
}

/** P9: sign only if slot and T both exceed the last signed, and both the floor found at start; durable first. */
function attest(turn: Turn, from: number, slot: Slot, { attestedAtMs, root }: ReportHeader): void {
  const { state } = turn
  if (!signs(state)) return drop(turn, from, 'NOT_SIGNING')
  if (compareSlots(slot, state.signed.slot) <= 0) return drop(turn, from, 'LATE')
  if (attestedAtMs <= state.signed.timeMs) return drop(turn, from, 'TIME_NOT_RISING')
  const at = { epoch: slot.epoch, round: slot.round }
  turn.state = { ...state, signed: { slot: at, timeMs: attestedAtMs } }
  act(turn, at, attestedAtMs, { kind: 'sign', draft: { kind: 'attestation', ...at, attestedAtMs, root }, to: 'all' })
}

/** Keeps one begin and one proposal for each of the next two epochs (P4); everything else is dropped. */
function keepEarly(turn: Turn, from: number, message: Begin | Proposal): void {
  const { epoch, early } = turn.state
  if (message.epoch < epoch || message.epoch > epoch + epochsAheadMax) return drop(turn, from, 'OTHER_EPOCH')
  const held = early.find((candidate) => candidate.epoch === message.epoch)
  const next: Early = { epoch: message.epoch, begin: held?.begin ?? null, proposal: held?.proposal ?? null }
  if (next[message.kind] !== null) return drop(turn, from, 'REPEATED')
  const others = early.filter((candidate) => candidate !== held)
  turn.state = { ...turn.state, early: [...others, { ...next, [message.kind]: message }] }
}

/** Replays what was kept for the epoch just entered. */
export function replayEarly(turn: Turn): void {
  const { epoch, early } = turn.state
  const held = early.find((candidate) => candidate.epoch === epoch)
  turn.state = { ...turn.state, early: early.filter((candidate) => candidate.epoch > epoch) }
  const leader = turn.context.leaderOf(epoch)
  if (held?.begin) onBegin(turn, leader, held.begin)
  if (held?.proposal) onProposal(turn, leader, held.proposal)
}

/** Whether I answered this slot's begin within slotMs (P7). */
function isAnswered(turn: Turn, slot: Slot): boolean {
  const { state, now, context } = turn
  const oldestMs = now.steadyMs - context.committee.timing.slotMs
  return slot.epoch === state.epoch && recent(state.follow, oldestMs).some((answer) => answer.round === slot.round)
}

function recent(follow: Follow, oldestMs: number): Follow['answered'] {
  return follow.answered.filter((answer) => answer.atMs > oldestMs)
}
