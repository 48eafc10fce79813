// The same key in two processes (P9): who sees it stops and says so, and its peers carry the word to the other one.

import { equalBytes } from './bytes.js'
import type { Certificate, Disown, SignedMessage } from './messages.js'
import { drop, type Event, halt, type Turn } from './state.js'

/** A signature of my key that is not mine, or one of mine disowned by another holder of my key: this oracle is done. */
export function onImpostor(turn: Turn, message: SignedMessage | Certificate | Disown): void {
  if (message.kind !== 'disown') {
    const { epoch, round, digest } = message
    const draft = { kind: 'disown', epoch, round, signedDigest: digest } as const
    turn.effects.push({ kind: 'sign', draft, to: 'all' })
  }
  halt(turn, 'KEY_IN_USE_ELSEWHERE')
}

/**
 * A member disowned a signature of its key. From its own session it goes to all others, from anybody else to whoever
 * holds that member's session here: two hops, so it reaches the other process wherever an honest member is connected
 * with each. One a member each resendMs, so that a liar gains n frames by each of its own and no more (P14).
 */
export function onDisown(turn: Turn, from: number, disown: Disown): void {
  const { state, context, now } = turn
  const { member } = disown
  const known = state.disowned[member]
  if (known && equalBytes(known.disown.digest, disown.digest)) return drop(turn, from, 'REPEATED')
  if (known && now.steadyMs < known.atMs + context.committee.timing.resendMs) return drop(turn, from, 'TOO_SOON')
  keep(turn, disown)
  if (from !== member) return void turn.effects.push({ kind: 'send', message: disown, to: member })
  for (let to = 0; to < context.committee.thresholds.n; to++) {
    if (to !== context.self && to !== member) turn.effects.push({ kind: 'send', message: disown, to })
  }
}

/** A new session hears of all that is disowned: it, or a member it is connected with, may be the other process. */
export function tellDisowned(turn: Turn, member: number): void {
  for (const known of turn.state.disowned) {
    if (known !== null) turn.effects.push({ kind: 'send', message: known.disown, to: member })
  }
}

/** A halted oracle only goes on saying what it disowns, to each new session. */
export function afterHalt(turn: Turn, event: Event): void {
  if (event.kind === 'session') {
    turn.state = { ...turn.state, connected: turn.state.connected.with(event.member, event.up) }
    if (event.up) tellDisowned(turn, event.member)
  } else if (event.kind === 'received' && event.from === turn.context.self && event.message.kind === 'disown') {
    keep(turn, event.message)
  }
}

function keep(turn: Turn, disown: Disown): void {
  const { disowned } = turn.state
  turn.state = { ...turn.state, disowned: disowned.with(disown.member, { disown, atMs: turn.now.steadyMs }) }
}
