// When to move to the next epoch, and how a member that is behind catches up (P12).

import { tellDisowned } from './disown.js'
import { takeLead } from './lead.js'
import { compareSlots, type Wish } from './messages.js'
import { askAgain, askWish } from './reserve.js'
import { drop, type Follow, type State, signs, type Turn } from './state.js'

/** progressMs is doubled for each failed epoch, at most this often. */
const doublingsMax = 8
/** Epochs by which the claims of honest members, connected and up, may differ (ADR 0009). */
const claimsApartMax = 1024

/** The follower's state in an epoch just entered. */
export function newFollow(nowMs: number): Follow {
  return { answered: [], lastRound: 0, observedRound: 0, nextBeginDueMs: nowMs, movedRound: -1 }
}

/** A member's wish, which is its claim as well (P9); a member behind my latest report is sent its certificate. */
export function onWish(turn: Turn, from: number, wish: Wish): void {
  const { state } = turn
  if (wish.epoch > state.wishes[from]!) turn.state = { ...state, wishes: state.wishes.with(from, wish.epoch) }
  if (from !== turn.context.self) {
    hearClaim(turn, from, wish.epoch)
    help(turn, from)
  }
  if (wish.epoch <= state.wishes[from]! && state.standing === 'sound') drop(turn, from, 'REPEATED')
  followWishes(turn)
}

/** Raises my wish to what f+1 members wish, since one of them is honest; enters what 2f+1 wish. */
export function followWishes(turn: Turn): void {
  const { thresholds } = turn.context.committee
  const ranked = [...turn.state.wishes].sort((a, b) => b - a)
  const oneHonestWishes = ranked[thresholds.oneHonest - 1]!
  if (oneHonestWishes > turn.state.asked.wish && turn.state.standing === 'sound') askWish(turn, oneHonestWishes)
  const majorityWishes = ranked[thresholds.honestMajority - 1]!
  if (majorityWishes > turn.state.epoch) enter(turn, majorityWishes, !turn.state.progress.made)
}

/** A certified report of a later epoch proves that 2f+1 members were in it (P10). */
export function enterByReport(turn: Turn, epoch: number): void {
  enter(turn, epoch, false)
  // Rounds of this epoch were led without my knowing: I cannot lead the rest of it.
  if (turn.state.lead !== null) {
    turn.state = { ...turn.state, lead: null }
    askWish(turn, epoch + 1)
  }
}

function enter(turn: Turn, epoch: number, failed: boolean): void {
  const { state, now } = turn
  const failures = failed ? state.progress.failures + 1 : state.progress.failures
  turn.state = {
    ...state,
    epoch,
    enteredAtMs: now.steadyMs,
    progress: { sinceMs: now.steadyMs, failures, made: false },
    // A leader whose floor lies in the epoch may have led it before it was restarted (P9).
    lead: mayLead(turn, epoch) ? takeLead(now.steadyMs) : null,
    follow: newFollow(now.steadyMs),
    pending: [],
  }
  if (state.standing === 'sound') askWish(turn, epoch)
}

/** Whether the lead of `epoch` is this oracle's to take: not while what it led before is beyond knowing (P9). */
export function mayLead({ state, context }: Turn, epoch: number): boolean {
  return state.standing === 'sound' && context.leaderOf(epoch) === context.self && state.opening.floor.epoch < epoch
}

/** A report with a value is progress: the timer starts anew, and its doubling ends. */
export function noteReport(turn: Turn): void {
  turn.state = { ...turn.state, progress: { sinceMs: turn.now.steadyMs, failures: 0, made: true } }
}

/** Wishes for the next epoch when this one brings no reports or is old; sends the wish again until it is answered. */
export function advancePacemaker(turn: Turn): void {
  const { state, context, now } = turn
  if (state.halted !== null) return
  if (state.standing === 'sound' && now.steadyMs >= epochEndsAtMs(state, turn)) askWish(turn, state.epoch + 1)
  if (isAskOpen(state) && now.steadyMs >= state.askedAtMs + context.committee.timing.resendMs) askAgain(turn)
  if (wishIsOpen(turn.state) && now.steadyMs >= wishDueAtMs(turn.state, turn)) sendWish(turn)
}

/** When `advancePacemaker` has something to do. */
export function pacemakerWakesAtMs(turn: Pick<Turn, 'context' | 'state'>): number {
  const { state, context } = turn
  // Who cannot wish waits for others: a time that has passed would wake it without end.
  const mayWish = state.standing === 'sound' && state.asked.wish <= state.epoch
  let atMs = mayWish ? epochEndsAtMs(state, turn) : Infinity
  if (wishIsOpen(state)) atMs = Math.min(atMs, wishDueAtMs(state, turn))
  if (isAskOpen(state)) atMs = Math.min(atMs, state.askedAtMs + context.committee.timing.resendMs)
  return atMs
}

/** Whether a record that was asked for has to be asked for again: an adoption, which happens once, only when it failed. */
function isAskOpen(state: State): boolean {
  if (state.asked === state.durable) return false
  return state.standing === 'sound' || state.closed.some((closed) => closed.by === 'persist')
}

function epochEndsAtMs(state: State, { context }: Pick<Turn, 'context'>): number {
  const { timing } = context.committee
  const progressMs = timing.progressMs * 2 ** Math.min(doublingsMax, state.progress.failures)
  return Math.min(state.progress.sinceMs + progressMs, state.enteredAtMs + timing.epochMs)
}

/** A wish is sent again until a report of its epoch is known. */
function wishIsOpen(state: State): boolean {
  return state.durable.wish > (state.latest?.epoch ?? 0)
}

function wishDueAtMs(state: State, { context }: Pick<Turn, 'context'>): number {
  if (state.durable.wish > state.wishSent.wish) return -Infinity
  return state.wishSent.atMs + context.committee.timing.resendMs
}

function sendWish(turn: Turn): void {
  const wish = turn.state.durable.wish
  turn.state = { ...turn.state, wishSent: { wish, atMs: turn.now.steadyMs } }
  turn.effects.push({ kind: 'send', message: { kind: 'wish', epoch: wish }, to: 'all' })
}

/** A new session: my wish, which is my claim, and the newest certificate; a leader repeats its open begins. */
export function onSession(turn: Turn, member: number, up: boolean): void {
  const { state } = turn
  turn.state = { ...state, connected: state.connected.with(member, up) }
  if (!up) return
  tellDisowned(turn, member)
  if (state.standing === 'sound') {
    turn.effects.push({ kind: 'send', message: { kind: 'wish', epoch: state.durable.wish }, to: member })
  }
  if (state.latest !== null) turn.effects.push({ kind: 'send', message: state.latest, to: member })
  for (const { round } of signs(state) ? (state.lead?.collecting ?? []) : []) {
    // A begin that still waits for the disk goes out with the others, to this member too (P9).
    if (compareSlots({ epoch: state.epoch, round }, state.durable.floor) > 0) continue
    turn.effects.push({ kind: 'send', message: { kind: 'begin', epoch: state.epoch, round }, to: member })
  }
}

/**
 * A member whose wish is open knows no report of that epoch: it is behind, or lacks the reports that others have. What
 * its leader does not send it, it gets this way (B08), and so does the double of a key whose other process is heard (P9).
 */
function help(turn: Turn, member: number): void {
  const { latest, helpedAtMs } = turn.state
  const { resendMs } = turn.context.committee.timing
  if (latest === null || turn.now.steadyMs < helpedAtMs[member]! + resendMs) return
  turn.state = { ...turn.state, helpedAtMs: helpedAtMs.with(member, turn.now.steadyMs) }
  turn.effects.push({ kind: 'send', message: latest, to: member })
}

/**
 * P9, state lost or restored: every epoch I acted in was wished for by 2f+1 members, so at least f honest others know
 * it; n−f claims of others miss at most f−1 of those. Nothing I signed had a T above my clock and its skew. The highest
 * claim may be a liar's, so it bounds only what I sign; my own wish follows f+1 of the claims, one of which is honest. A
 * claim far above those is not counted: it would only keep this member silent for good (ADR 0009).
 */
function hearClaim(turn: Turn, member: number, epoch: number): void {
  if (turn.state.standing !== 'unprovable') return
  const claims = turn.state.claims.with(member, Math.max(epoch, turn.state.claims[member] ?? 0))
  turn.state = { ...turn.state, claims }
  const { thresholds, timing } = turn.context.committee
  const plausible = plausibleClaims(claims, thresholds.oneHonest)
  if (plausible.length < thresholds.available) return
  const durable = {
    wish: plausible[thresholds.oneHonest - 1]!,
    floor: { epoch: plausible[0]!, round: 0xffff_ffff },
    floorMs: turn.now.wallMs + timing.skewMs,
  }
  turn.state = { ...turn.state, standing: 'adopting', asked: durable, askedAtMs: turn.now.steadyMs }
  turn.effects.push({ kind: 'persist', durable, adopt: true })
}

/** Claims that count, highest first: at most `claimsApartMax` above the (f+1)-th highest. */
export function plausibleClaims(claims: readonly (number | null)[], oneHonest: number): readonly number[] {
  const ranked = claims.filter((claim) => claim !== null).sort((a, b) => b - a)
  const honest = ranked[oneHonest - 1]
  return honest === undefined ? [] : ranked.filter((claim) => claim <= honest + claimsApartMax)
}
