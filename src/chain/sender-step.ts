// One key on one chain as a pure state machine: state and event in, state and effects out.
//
// Each job's effect happens once because a job keeps its nonce: every attempt at it has the same one, so the chain takes at
// most one of them. A job gets another nonce only after a transaction that is not ours took the first, as deep as we confirm,
// and only if its effect is still missing.

import { costMax, type Fees, isPayable, makeOffer, spentWithinHour } from './fees.js'
import type { SendOutcome } from './send-outcome.js'
import {
  type Alarm,
  type Attempt,
  anchorOf,
  type Flight,
  fillerId,
  isFillerJob,
  isPoor,
  type Job,
  knowsJob,
  newFlight,
  type Outcome,
  type Queued,
  type Receipt,
  type SenderEffect,
  type SenderEvent,
  type SenderRules,
  type SenderState,
  type Sight,
  spendingsOf,
  stands,
} from './sender-state.js'

/** A state and what is to be done about it, in order. */
export interface SenderTransition {
  readonly state: SenderState
  readonly effects: readonly SenderEffect[]
}

interface Turn {
  readonly rules: SenderRules
  readonly nowMs: number
  /** The alarms before this event: only changes are told. */
  readonly before: ReadonlySet<Alarm>
  state: SenderState
  readonly effects: SenderEffect[]
}

const fillerGas = 21_000n

const sentences: Readonly<Record<Alarm, string>> = {
  FEE_CAP: 'the chain asks more for gas than the cap allows: transactions wait',
  FEE_BUDGET: 'the budget of the hour is used up: transactions wait',
  LOW_BALANCE: 'the balance of the key is low',
  NONCE_TAKEN: 'another transaction took a nonce of this key: something else sends with it',
  JOB_REFUSED: 'no node takes a transaction',
  JOURNAL_WRITE_FAILED: 'the journal cannot be written: nothing is signed',
}

/** One event at `nowMs`. Deterministic; the state given is not changed. */
export function stepSender(
  rules: SenderRules,
  state: SenderState,
  event: SenderEvent,
  nowMs: number,
): SenderTransition {
  const turn: Turn = { rules, nowMs, before: state.alarms, state, effects: [] }
  apply(turn, event)
  return { state: turn.state, effects: turn.effects }
}

function apply(turn: Turn, event: SenderEvent): void {
  switch (event.kind) {
    case 'submitted':
      return onSubmitted(turn, event.job)
    case 'withdrawn':
      turn.state = { ...turn.state, queue: turn.state.queue.filter(({ job }) => job.id !== event.id) }
      return
    case 'seen':
      return onSeen(turn, event.sight)
    case 'blind':
      turn.state = { ...turn.state, sight: null }
      return
    case 'signed':
      return onSigned(turn, event.nonce, event.attempt)
    case 'unsigned':
      return onUnsigned(turn, event.nonce, event.code)
    case 'answered':
      return onAnswered(turn, event.nonce, event.hash, event.answer)
    case 'wanted':
      return onWanted(turn, event.id, event.isWanted)
  }
}

/** A job that is known is not taken again; one that ended is told again. */
function onSubmitted(turn: Turn, job: Job): void {
  const { state } = turn
  const outcome = state.outcomes.get(job.id)
  if (outcome !== undefined) turn.effects.push({ kind: 'tell', news: { kind: 'ended', outcome } })
  if (knowsJob(state, job.id)) return
  enqueue(turn, { job, freshAtBlock: state.sight?.number ?? null })
  assign(turn)
}

/** A new sight: what is mined, gone or taken is noted, what is stuck is raised, and free nonces are given out. */
function onSeen(turn: Turn, sight: Sight): void {
  const { rules, nowMs, state, before } = turn
  const outcomes = new Map([...state.outcomes].filter(([, { atMs }]) => atMs > nowMs - rules.rememberMs))
  const poorAt = isPoor({ ...state, sight }) ? state.poorAt : null
  // All alarms are judged anew, but the journal's: that ends with the next line that is written.
  const alarms = new Set([...before].filter((code) => code === 'JOURNAL_WRITE_FAILED'))
  turn.state = { ...state, sight, outcomes, alarms, poorAt }
  for (const job of state.doubted) turn.effects.push({ kind: 'ask', job })
  const anchor = anchorOf(state)
  const isStanding = stands(anchor, sight.receipts)
  for (const flight of state.flights) {
    // What was mined in or before a block that stands, stands.
    const known = isStanding && flight.mined !== null && flight.mined !== anchor
    if (known) onMined(turn, sight, { ...flight, mined: flight.mined })
    else review(turn, sight, flight)
  }
  if (sight.balance < rules.balanceMinWei || poorAt !== null) raise(turn, 'LOW_BALANCE')
  for (const { nonce } of turn.state.flights) tend(turn, sight, nonce)
  assign(turn)
  for (const code of before) if (!turn.state.alarms.has(code)) tellAlarm(turn, code, false)
}

/** What the chain says of one flight. */
function review(turn: Turn, sight: Sight, flight: Flight): void {
  const { rules } = turn
  const receipts = flight.attempts.map(({ hash }) => sight.receipts.get(hash))
  const mined = receipts.find((receipt) => receipt != null) ?? null
  if (mined !== null) return onMined(turn, sight, { ...flight, mined, takenAtBlock: null })
  // A mined flight is asked for by the hash that was mined; others by all of theirs, or nothing follows from silence.
  const asked = flight.mined === null ? receipts : [sight.receipts.get(flight.mined.hash)]
  if (asked.length === 0 || asked.includes(undefined)) return
  let next: Flight = { ...flight, mined: null, isDone: false }
  if (flight.mined !== null || flight.isDone) next = { ...next, sentAtBlock: null }
  if (flight.isDone) undo(turn, flight)
  if (flight.isGivenUp) raise(turn, 'JOB_REFUSED')
  if (flight.nonce >= sight.count) return replace(turn, { ...next, takenAtBlock: null })
  const takenAtBlock = Math.min(flight.takenAtBlock ?? sight.number, sight.number)
  raise(turn, 'NONCE_TAKEN')
  // Deep enough means that our attempts at this nonce are dead. One sight is never enough: endpoints index late.
  if (sight.number - takenAtBlock + 1 < Math.max(2, rules.confirmations))
    return replace(turn, { ...next, takenAtBlock })
  lose(turn, flight)
}

/** In a block: done when it is deep enough, forgotten when it is final. */
function onMined(turn: Turn, sight: Sight, flight: Flight & { readonly mined: Receipt }): void {
  const { rules, nowMs } = turn
  const { mined, nonce, job } = flight
  const told = flight.isDone ? (turn.state.outcomes.get(job.id)?.receipt ?? mined) : null
  // A reorganisation may bring another attempt, or another end of the same one.
  const isAsTold = told !== null && told.hash === mined.hash && told.isSuccess === mined.isSuccess
  if (told !== null && !isAsTold) undo(turn, flight)
  const depth = sight.number - mined.blockNumber + 1
  if (!isAsTold && depth < rules.confirmations) return replace(turn, { ...flight, isDone: false })
  if (!isAsTold) {
    const isEmpty = flight.attempts.some(({ hash, isFiller }) => hash === mined.hash && isFiller)
    const last = isEmpty ? 'refused' : mined.isSuccess ? 'done' : 'reverted'
    end(turn, { id: job.id, nonce, end: last, receipt: mined, atMs: nowMs })
  }
  if (depth < rules.finalityBlocks) return replace(turn, { ...flight, isDone: true })
  remove(turn, nonce)
  turn.effects.push({ kind: 'write', entry: { kind: 'final', nonce } })
}

/** A reorganisation took back a block deeper than we confirm: the job is under way again, with its nonce. */
function undo(turn: Turn, { job, nonce }: Flight): void {
  const outcomes = new Map(turn.state.outcomes)
  outcomes.delete(job.id)
  turn.state = { ...turn.state, outcomes }
  if (!isFillerJob(job)) turn.effects.push({ kind: 'tell', news: { kind: 'undone', id: job.id, nonce } })
}

/** A foreign transaction has the nonce for good: the job is doubted, unless it was given up or flies with another nonce. */
function lose(turn: Turn, { nonce, job, isGivenUp }: Flight): void {
  remove(turn, nonce)
  turn.effects.push({ kind: 'write', entry: { kind: 'lost', nonce, job } })
  if (isFillerJob(job) || turn.state.flights.some((other) => other.job.id === job.id)) return
  if (isGivenUp) end(turn, { id: job.id, nonce: null, end: 'refused', receipt: null, atMs: turn.nowMs })
  else doubt(turn, job)
}

/** Hands an attempt out again, or replaces it, when it is due. */
function tend(turn: Turn, sight: Sight, nonce: number): void {
  const flight = turn.state.flights.find((one) => one.nonce === nonce)!
  if (flight.mined !== null || flight.signing !== null || nonce < sight.count) return
  const last = flight.attempts.at(-1)!
  if (flight.sentAtBlock === null) return hand(turn, sight, flight, last)
  const age = sight.number - flight.sentAtBlock
  if (age < 0) return replace(turn, { ...flight, sentAtBlock: sight.number })
  // No block takes what offers less than its base fee: waiting for more of them would only lose time.
  const isHopeless = age > 0 && !isPayable(last.fees, sight)
  if (!flight.mustRaise && !isHopeless && age < turn.rules.raiseAfterBlocks) return
  // Behind the first in line an attempt that can be paid only waits for its turn; handed out again if a node forgot it.
  const isDue = nonce === sight.count || flight.mustRaise || !isPayable(last.fees, sight)
  if (!isDue) hand(turn, sight, flight, last)
  // One that waits for cap, budget or funds is tried at each sight, so that its alarm lasts as long as its reason.
  else if (!sign(turn, sight, flight)) hand(turn, sight, { ...flight, mustRaise: true }, last)
}

/** Gives free nonces to jobs, the most urgent first; a gap that no job fills gets a filler. */
function assign(turn: Turn): void {
  const { sight } = turn.state
  if (sight === null) return
  for (const queued of turn.state.queue) {
    const nonce = freeNonce(turn.state.flights, sight.count)
    if (underWay(turn).length >= turn.rules.flightsMax && !isGap(turn, nonce)) break
    if (isPoor(turn.state)) break
    give(turn, sight, nonce, queued)
  }
  for (;;) {
    const nonce = freeNonce(turn.state.flights, sight.count)
    if (!isGap(turn, nonce)) return
    const job: Job = {
      id: fillerId(nonce),
      to: turn.rules.address,
      data: '0x',
      gasLimit: fillerGas,
      priority: 0,
    }
    if (!sign(turn, sight, newFlight(nonce, job))) return
  }
}

/** Gives `nonce` to a job, if it can be sent and is still wanted for all we know. */
function give(turn: Turn, sight: Sight, nonce: number, { job, freshAtBlock }: Queued): void {
  const flight = newFlight(nonce, job)
  const fees = feesFor(turn, sight, flight)
  if (fees === null) return
  turn.state = { ...turn.state, queue: turn.state.queue.filter((queued) => queued.job.id !== job.id) }
  // Waiting made it doubtful whether the effect is still missing: another member may have seen to it.
  const isFresh = freshAtBlock !== null && sight.number - freshAtBlock <= turn.rules.raiseAfterBlocks
  if (isFresh) askToSign(turn, flight, fees)
  else doubt(turn, job)
}

/** Asks for the next attempt of a flight, if it can be paid. */
function sign(turn: Turn, sight: Sight, flight: Flight): boolean {
  const fees = feesFor(turn, sight, flight)
  if (fees !== null) askToSign(turn, flight, fees)
  return fees !== null
}

function askToSign(turn: Turn, flight: Flight, fees: Fees): void {
  const { nonce, job } = flight
  replace(turn, { ...flight, signing: fees })
  turn.effects.push({ kind: 'sign', nonce, job, fees, isFiller: isFiller(flight) })
}

/** The fees of the next attempt of a flight; null, with an alarm that says why, when limits or balance forbid it. */
function feesFor(turn: Turn, sight: Sight, flight: Flight): Fees | null {
  const { rules, nowMs, state } = turn
  const gasLimit = isFiller(flight) ? fillerGas : flight.job.gasLimit
  const reserved = underWay(turn).reduce((sum, other) => sum + (other.nonce === flight.nonce ? 0n : reserve(other)), 0n)
  // Paid, but not yet among what ended.
  const paid = state.flights.reduce((sum, { mined, isDone }) => sum + (isDone ? 0n : (mined?.paidWei ?? 0n)), 0n)
  const committed = spentWithinHour(spendingsOf(state), nowMs) + paid + reserved
  const offer = makeOffer(flight.attempts.at(-1)?.fees ?? null, gasLimit, sight, committed, rules.limits)
  if (offer.verdict !== 'send') {
    raise(turn, offer.verdict === 'wait: cap' ? 'FEE_CAP' : 'FEE_BUDGET')
    return null
  }
  if (sight.balance < reserved + costMax(offer.fees, gasLimit)) {
    raise(turn, 'LOW_BALANCE')
    return null
  }
  return offer.fees
}

/** The most that a flight may still cost. */
function reserve({ job, attempts, signing }: Flight): bigint {
  const fees = signing ?? attempts.at(-1)?.fees
  return fees === undefined ? 0n : costMax(fees, job.gasLimit)
}

/** The attempt is in the journal: it may leave, now or when a quorum is heard again. */
function onSigned(turn: Turn, nonce: number, attempt: Attempt): void {
  const flight = turn.state.flights.find((one) => one.nonce === nonce)
  if (flight === undefined) return
  const attempts = [...flight.attempts, attempt]
  const next: Flight = { ...flight, attempts, signing: null, mustRaise: false, sentAtBlock: null }
  replace(turn, next)
  clear(turn, 'JOURNAL_WRITE_FAILED')
  const { sight } = turn.state
  if (sight !== null) hand(turn, sight, next, attempt)
  const { job } = flight
  if (isFillerJob(job)) return
  turn.effects.push({ kind: 'tell', news: { kind: 'sent', job, nonce, attempt, tries: attempts.length } })
}

/** Nothing left this process: the nonce is as free as before, and the next sight tries again. */
function onUnsigned(turn: Turn, nonce: number, code: Alarm | null): void {
  const flight = turn.state.flights.find((one) => one.nonce === nonce)
  if (code !== null) raise(turn, code)
  if (flight === undefined) return
  if (flight.attempts.length > 0) return replace(turn, { ...flight, signing: null })
  remove(turn, nonce)
  if (isFillerJob(flight.job)) return
  enqueue(turn, { job: flight.job, freshAtBlock: turn.state.sight?.number ?? null })
}

/** A node's word moves nothing but our next attempt: only the chain says what happened. */
function onAnswered(turn: Turn, nonce: number, hash: string, answer: SendOutcome): void {
  const flight = turn.state.flights.find((one) => one.nonce === nonce)
  if (flight === undefined || flight.attempts.at(-1)?.hash !== hash) return
  if (answer === 'underpriced' || answer === 'feeTooLow') return replace(turn, { ...flight, mustRaise: true })
  if (answer === 'funds') {
    turn.state = { ...turn.state, poorAt: turn.state.sight?.balance ?? null }
    raise(turn, 'LOW_BALANCE')
  }
  if (answer === 'refused' && !flight.isGivenUp && !isFillerJob(flight.job)) {
    replace(turn, { ...flight, isGivenUp: true, mustRaise: true })
    raise(turn, 'JOB_REFUSED')
  }
}

/** Word whether a doubted job's effect is still missing. */
function onWanted(turn: Turn, id: string, isWanted: boolean): void {
  const job = turn.state.doubted.find((one) => one.id === id)
  if (job === undefined) return
  turn.state = { ...turn.state, doubted: turn.state.doubted.filter((one) => one.id !== id) }
  if (!isWanted) return end(turn, { id, nonce: null, end: 'superseded', receipt: null, atMs: turn.nowMs })
  enqueue(turn, { job, freshAtBlock: turn.state.sight?.number ?? null })
  assign(turn)
}

/** Durable first, then told. Fillers concern nobody, but what they paid counts. */
function end(turn: Turn, outcome: Outcome): void {
  turn.state = { ...turn.state, outcomes: new Map(turn.state.outcomes).set(outcome.id, outcome) }
  turn.effects.push({ kind: 'write', entry: { kind: 'end', outcome } })
  if (!isFillerJob(outcome)) turn.effects.push({ kind: 'tell', news: { kind: 'ended', outcome } })
}

function doubt(turn: Turn, job: Job): void {
  turn.state = { ...turn.state, doubted: [...turn.state.doubted, job] }
  turn.effects.push({ kind: 'ask', job })
}

/** Hands `attempt` to the nodes. */
function hand(turn: Turn, sight: Sight, flight: Flight, attempt: Attempt): void {
  replace(turn, { ...flight, sentAtBlock: sight.number })
  turn.effects.push({ kind: 'send', nonce: flight.nonce, attempt })
}

/** By priority; among equals the first come first. */
function enqueue(turn: Turn, queued: Queued): void {
  const queue = [...turn.state.queue, queued].sort((a, b) => b.job.priority - a.job.priority)
  turn.state = { ...turn.state, queue }
}

function replace(turn: Turn, flight: Flight): void {
  const others = turn.state.flights.filter(({ nonce }) => nonce !== flight.nonce)
  turn.state = { ...turn.state, flights: [...others, flight].sort((a, b) => a.nonce - b.nonce) }
}

function remove(turn: Turn, nonce: number): void {
  turn.state = { ...turn.state, flights: turn.state.flights.filter((flight) => flight.nonce !== nonce) }
}

function raise(turn: Turn, code: Alarm): void {
  if (turn.state.alarms.has(code)) return
  turn.state = { ...turn.state, alarms: new Set(turn.state.alarms).add(code) }
  if (!turn.before.has(code)) tellAlarm(turn, code, true)
}

function clear(turn: Turn, code: Alarm): void {
  if (!turn.state.alarms.has(code)) return
  turn.state = { ...turn.state, alarms: new Set([...turn.state.alarms].filter((other) => other !== code)) }
  tellAlarm(turn, code, false)
}

function tellAlarm(turn: Turn, code: Alarm, isRaised: boolean): void {
  turn.effects.push({ kind: 'tell', news: { kind: 'alarm', code, isRaised, sentence: sentences[code] } })
}

const underWay = (turn: Turn): readonly Flight[] => turn.state.flights.filter(({ mined }) => mined === null)
const isFiller = ({ isGivenUp, job }: Flight): boolean => isGivenUp || isFillerJob(job)
const isGap = (turn: Turn, nonce: number): boolean => (turn.state.flights.at(-1)?.nonce ?? -1) > nonce

/** The lowest nonce that the chain has not used and that no flight has. */
function freeNonce(flights: readonly Flight[], count: number): number {
  const taken = new Set(flights.map(({ nonce }) => nonce))
  let nonce = count
  while (taken.has(nonce)) nonce++
  return nonce
}
