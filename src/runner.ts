// The one loop: event → step → effects in order. Node and simulator run this same code with different ports.

import { OracleError } from './base/errors.js'
import type { Durable } from './core/durable.js'
import type { Draft, Message, SignedMessage, Slot } from './core/messages.js'
import { precheck } from './core/precheck.js'
import type { AttestedReport } from './core/report.js'
import type { Context, Effect, Event, Now, SealSet, State } from './core/state.js'
import { start, step, wakeAtMs } from './core/step.js'
import type { Signed } from './crypto/keyring.js'
import type { VerifyParts } from './network/verify.js'
import { createVerify } from './network/verify.js'
import { decodeFrame, encodeFrame } from './network/wire.js'

/** What the loop does to the world; every effect of the core ends in exactly one of these. */
export interface Ports {
  readonly now: () => Now
  /** Puts the record on disk, then answers with `persisted` or `persist-failed`, never within the call. */
  readonly persist: (durable: Durable, adopt: boolean) => void
  /** Reads every feed, then answers with `observed`. */
  readonly observe: (slot: Slot) => void
  readonly sign: (draft: Draft) => Signed
  /** Hands a frame to a member's session; a frame without a session is lost and counted by the transport. */
  readonly transmit: (to: number, frame: Uint8Array) => void
  readonly deliver: (report: AttestedReport) => void
  readonly deliverSeals: (seals: SealSet) => void
  readonly keepEvidence: (member: number, messages: readonly [SignedMessage, SignedMessage]) => void
  readonly countDrop: (from: number, reason: string) => void
  /** A peer's frame was provably bad, which no correct member sends: whoever sent it is read more slowly (P14). */
  readonly charge: (from: number) => void
  readonly halt: (code: string) => void
  /** The keyring refused to sign: a guard behind the core's own held. */
  readonly refused: (error: OracleError) => void
}

export interface Runner {
  /** Feeds one event; events that arise on the way are taken in order before this returns. */
  readonly dispatch: (event: Event) => void
  /** Feeds the frame that `from`'s session brought. */
  readonly receive: (from: number, frame: Uint8Array) => void
  readonly state: () => State
  /** The steady time at which `dispatch({ kind: 'tick' })` is due. */
  readonly wakeAtMs: () => number
}

export interface RunnerParts extends Omit<VerifyParts, 'committee' | 'layout' | 'self' | 'leaderOf'> {
  readonly context: Context
  /** The record found on disk; null when it is unprovable (P9). */
  readonly durable: Durable | null
}

/** Starts an oracle's loop: performs the effects of its start before it returns. */
export function createRunner(parts: RunnerParts, ports: Ports): Runner {
  const { context, engine } = parts
  const { committee, self } = context
  const { n } = committee.thresholds
  const digest = committee.digest
  const queue: Event[] = []
  let isRunning = false
  let state: State

  const verify = createVerify({
    engine,
    committee,
    layout: context.kernel.layout,
    self,
    leaderOf: context.leaderOf,
    // Until a lost record is made good, what this key signed before is beyond knowing (P9).
    authorship: (kind, slot, made) => (state.standing === 'sound' ? parts.authorship(kind, slot, made) : 'unknown'),
  })

  const post = (to: number | 'all', message: Message): void => {
    if (to === self) return void queue.push({ kind: 'received', from: self, message })
    const frame = encodeFrame(digest, message)
    if (to !== 'all') return ports.transmit(to, frame)
    for (let member = 0; member < n; member++) if (member !== self) ports.transmit(member, frame)
    queue.push({ kind: 'received', from: self, message })
  }

  const perform = (effect: Effect): void => {
    switch (effect.kind) {
      case 'persist':
        return ports.persist(effect.durable, effect.adopt)
      case 'observe':
        return ports.observe(effect.slot)
      case 'sign': {
        const message = signed(effect.draft, self, ports)
        return message === null ? undefined : post(effect.to, message)
      }
      case 'send':
        return post(effect.to, effect.message)
      case 'deliver':
        return ports.deliver(effect.report)
      case 'deliver-seals':
        return ports.deliverSeals(effect.seals)
      case 'evidence':
        return ports.keepEvidence(effect.member, effect.messages)
      case 'drop':
        return ports.countDrop(effect.from, effect.reason)
      case 'halt':
        return ports.halt(effect.code)
    }
  }

  /** A verified message that its own signer sent again in another form cost a verification for nothing. */
  const chargeContradiction = (from: number, message: Message, effects: readonly Effect[]): void => {
    if (!('signature' in message)) return
    const signer = message.kind === 'proposal' ? context.leaderOf(message.epoch) : message.member
    if (from !== signer || from === self) return
    const isVain = (effect: Effect): boolean =>
      effect.kind === 'drop' && (effect.reason === 'CONTRADICTS' || effect.reason === 'REPEATED')
    if (effects.some(isVain)) ports.charge(from)
  }

  const drain = (): void => {
    if (isRunning) return
    isRunning = true
    try {
      for (let event = queue.shift(); event !== undefined; event = queue.shift()) {
        const transition = step(context, state, event, ports.now())
        state = transition.state
        for (const effect of transition.effects) perform(effect)
        if (event.kind === 'received') chargeContradiction(event.from, event.message, transition.effects)
      }
    } finally {
      isRunning = false
    }
  }

  const dispatch = (event: Event): void => {
    queue.push(event)
    drain()
  }

  const refuse = (from: number, fault: string): void => {
    ports.countDrop(from, fault)
    // What bears our own key may be an honest member's relay.
    if (fault !== 'REFLECTED') ports.charge(from)
  }

  const receive = (from: number, frame: Uint8Array): void => {
    const decoded = decodeFrame(digest, n, from, frame)
    if ('fault' in decoded) return refuse(from, decoded.fault)
    const reason = precheck(context, state, from, decoded.message)
    if (reason !== null) return ports.countDrop(from, reason)
    const verdict = verify(decoded.message)
    if ('fault' in verdict) refuse(from, verdict.fault)
    else if ('impostor' in verdict) dispatch({ kind: 'impostor', message: verdict.impostor })
    else dispatch({ kind: 'received', from, message: verdict.message })
  }

  const transition = start(context, parts.durable, ports.now())
  state = transition.state
  isRunning = true
  for (const effect of transition.effects) perform(effect)
  isRunning = false
  drain()

  return { dispatch, receive, state: () => state, wakeAtMs: () => wakeAtMs(context, state) }
}

/** The draft with its signature, or null when the keyring refuses: then nothing is sent. */
function signed(draft: Draft, self: number, ports: Ports): Message | null {
  try {
    const { digest, signature } = ports.sign(draft)
    if (draft.kind === 'proposal') return { ...draft, digest, signature }
    return { ...draft, member: self, digest, signature } as Message
  } catch (error) {
    if (!(error instanceof OracleError)) throw error
    ports.refused(error)
    return null
  }
}
