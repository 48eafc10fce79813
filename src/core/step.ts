// The protocol as one match on the event (P1–P12): state and event in, state and effects out.

import { onAttestation, onCertificate, onFetch, onSeal } from './certify.js'
import { afterHalt, onDisown, onImpostor } from './disown.js'
import { type Durable, raise } from './durable.js'
import { advanceFetches, fetchesWakeAtMs } from './fetch.js'
import { onBegin, onObserved, onOwnMove, onProposal, replayEarly } from './follow.js'
import { advanceLead, leadWakesAtMs, onMoved, onObservation, takeLead } from './lead.js'
import type { Message } from './messages.js'
import {
  advancePacemaker,
  followWishes,
  mayLead,
  newFollow,
  onSession,
  onWish,
  pacemakerWakesAtMs,
} from './pacemaker.js'
import { askWish, release } from './reserve.js'
import { type Context, type Event, halt, type Now, type State, type Transition, type Turn } from './state.js'

/**
 * The state of an oracle that starts with `durable` as found on disk; null when the record is lost, restored or
 * otherwise unprovable (P9).
 */
export function start(context: Context, durable: Durable | null, now: Now): Transition {
  const { n } = context.committee.thresholds
  const opening = durable ?? { wish: 0, floor: { epoch: 0, round: 0 }, floorMs: 0 }
  // An adopted floor may lie above every epoch an honest member was in (ADR 0009); the wish never does.
  const epoch = Math.min(opening.floor.epoch, opening.wish)
  const isFresh = opening.floor.round === 0 || durable === null
  const leads = context.leaderOf(epoch) === context.self
  const state: State = {
    epoch,
    enteredAtMs: now.steadyMs,
    opening,
    durable: opening,
    asked: opening,
    askedAtMs: now.steadyMs,
    reserveRounds: 4,
    pending: [],
    standing: durable === null ? 'unprovable' : 'sound',
    claims: Array(n).fill(null),
    closed: [],
    halted: null,
    signed: { slot: opening.floor, timeMs: opening.floorMs },
    latest: null,
    progress: { sinceMs: now.steadyMs, failures: 0, made: false },
    wishes: Array(n).fill(0),
    wishSent: { wish: 0, atMs: now.steadyMs },
    lead: leads && isFresh && durable !== null ? takeLead(now.steadyMs) : null,
    follow: newFollow(now.steadyMs),
    early: [],
    gatherings: [],
    connected: Array(n).fill(false).with(context.self, true),
    helpedAtMs: Array(n).fill(-Infinity),
    disowned: Array(n).fill(null),
  }
  const turn: Turn = { context, now, state, effects: [] }
  // P9: a restarted leader cannot know which rounds it began, so it wishes for the next epoch. So do all others: a
  // committee that was restarted as a whole would wait progressMs for a leader that does not lead.
  if (!isFresh) askWish(turn, epoch + 1)
  return finish(turn, epoch)
}

/** One event at `now`. Deterministic: equal arguments give equal transitions. The state given is not changed. */
export function step(context: Context, state: State, event: Event, now: Now): Transition {
  const turn: Turn = { context, now, state, effects: [] }
  if (state.halted !== null) {
    afterHalt(turn, event)
    return { state: turn.state, effects: turn.effects }
  }
  apply(turn, event)
  return finish(turn, state.epoch)
}

/** The steady time at which this state wants a `tick`; Infinity when it only waits for others. */
export function wakeAtMs(context: Context, state: State): number {
  if (state.halted !== null) return Infinity
  const leadMs =
    state.lead === null || state.closed.length > 0
      ? Infinity
      : leadWakesAtMs(state.lead, context.committee.timing.slotMs)
  return Math.min(leadMs, pacemakerWakesAtMs({ context, state }), fetchesWakeAtMs(context, state))
}

function apply(turn: Turn, event: Event): void {
  switch (event.kind) {
    case 'received':
      return receive(turn, event.from, event.message)
    case 'observed':
      return onObserved(turn, event.slot, event.readings, event.evidence)
    case 'moved':
      return onOwnMove(turn)
    case 'persisted':
      return onPersisted(turn, event.durable)
    case 'persist-failed':
      return close(turn, 'persist', event.code)
    case 'store':
      return event.code === null ? open(turn, 'store') : close(turn, 'store', event.code)
    case 'session':
      return onSession(turn, event.member, event.up)
    case 'impostor':
      return onImpostor(turn, event.message)
    case 'contradicted':
      return halt(turn, 'QUORUM_BROKEN')
    case 'tick':
      return
  }
}

function receive(turn: Turn, from: number, message: Message): void {
  switch (message.kind) {
    case 'begin':
      return onBegin(turn, from, message)
    case 'moved':
      return onMoved(turn, from, message)
    case 'observation':
      return onObservation(turn, from, message)
    case 'proposal':
      return onProposal(turn, from, message)
    case 'attestation':
      return onAttestation(turn, from, message)
    case 'certificate':
      return onCertificate(turn, from, message)
    case 'seal':
      return onSeal(turn, from, message)
    case 'wish':
      return onWish(turn, from, message)
    case 'fetch':
      return onFetch(turn, from, message)
    case 'disown':
      return onDisown(turn, from, message)
  }
}

/** P9: what waited for the record goes out. An adopted record makes an unprovable oracle sound above its floor. */
function onPersisted(turn: Turn, durable: Durable): void {
  if (turn.state.standing === 'adopting') {
    const signed = { slot: durable.floor, timeMs: durable.floorMs }
    turn.state = { ...turn.state, standing: 'sound', opening: durable, asked: durable, signed }
    const { epoch } = turn.state
    if (mayLead(turn, epoch)) turn.state = { ...turn.state, lead: takeLead(turn.now.steadyMs) }
    else if (turn.context.leaderOf(epoch) === turn.context.self) askWish(turn, epoch + 1)
  }
  const reached = raise(turn.state.durable, durable)
  const complete = covers(reached, turn.state.asked)
  turn.state = { ...turn.state, durable: complete ? turn.state.asked : reached }
  open(turn, 'persist')
  release(turn)
  followWishes(turn)
}

function covers(durable: Durable, asked: Durable): boolean {
  const merged = raise(durable, asked)
  return (
    merged.wish === durable.wish &&
    merged.floorMs === durable.floorMs &&
    merged.floor.epoch === durable.floor.epoch &&
    merged.floor.round === durable.floor.round
  )
}

function close(turn: Turn, by: 'persist' | 'store', code: string): void {
  const others = turn.state.closed.filter((closed) => closed.by !== by)
  turn.state = { ...turn.state, closed: [...others, { by, code }], pending: [] }
}

function open(turn: Turn, by: 'persist' | 'store'): void {
  if (turn.state.closed.some((closed) => closed.by === by)) {
    turn.state = { ...turn.state, closed: turn.state.closed.filter((closed) => closed.by !== by) }
  }
}

/** What every step ends with: the epoch just entered starts, and all that is due by now is done. */
function finish(turn: Turn, epochBefore: number): Transition {
  let epoch = epochBefore
  while (turn.state.epoch !== epoch) {
    epoch = turn.state.epoch
    replayEarly(turn)
  }
  advanceLead(turn)
  advancePacemaker(turn)
  advanceFetches(turn)
  return { state: turn.state, effects: turn.effects }
}
