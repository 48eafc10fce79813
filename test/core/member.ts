// One member of a committee of four under test: events in, what it did out. Signatures are blank, since the core sees none.

import { parseCommittee } from '../../src/core/committee.js'
import { createContext } from '../../src/core/context.js'
import type { Durable } from '../../src/core/durable.js'
import { packReadings } from '../../src/core/layout.js'
import type { Attestation, Message, Observation, Proposal } from '../../src/core/messages.js'
import type { Context, Effect, Event, State } from '../../src/core/state.js'
import { start, step } from '../../src/core/step.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { committeeDocument } from '../committee-document.js'

export const wallMs = 1_700_000_000_000
const none: Durable = { wish: 0, floor: { epoch: 0, round: 0 }, floorMs: 0 }
const engine = await createWasmEngine()
const committee = parseCommittee(engine, committeeDocument(engine, 4))
const contexts: readonly Context[] = committee.members.map((member) => createContext(engine, committee, member.index))

/** One member under test: `feed` gives it events, `take` what it did since. Its disk answers when told to. */
export class Oracle {
  readonly context: Context
  state: State
  steadyMs = 0
  wallOffsetMs = 0
  #effects: Effect[] = []

  constructor(context: Context, durable: Durable | null = none) {
    this.context = context
    const transition = start(context, durable, this.#now())
    this.state = transition.state
    this.#effects.push(...transition.effects)
  }

  feed(...events: readonly Event[]): this {
    for (const event of events) {
      const transition = step(this.context, this.state, event, this.#now())
      this.state = transition.state
      this.#effects.push(...transition.effects)
    }
    return this
  }

  hear(from: number, ...messages: readonly Message[]): this {
    return this.feed(...messages.map((message): Event => ({ kind: 'received', from, message })))
  }

  /** The disk acknowledges everything asked for so far. */
  sync(): this {
    return this.feed({ kind: 'persisted', durable: this.state.asked })
  }

  after(delayMs: number): this {
    this.steadyMs += delayMs
    return this.feed({ kind: 'tick' })
  }

  take(): readonly Effect[] {
    return this.#effects.splice(0)
  }

  /** Kinds of what it did, with the kind of what was signed or sent, and the reason of drops. */
  did(): readonly string[] {
    return this.take().map((effect) => {
      if (effect.kind === 'sign') return `sign ${effect.draft.kind}`
      if (effect.kind === 'send') return `send ${effect.message.kind}`
      return effect.kind === 'drop' ? `drop ${effect.reason}` : effect.kind
    })
  }

  #now(): { wallMs: number; steadyMs: number } {
    return { wallMs: wallMs + this.wallOffsetMs + this.steadyMs, steadyMs: this.steadyMs }
  }
}

export const mark = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)
export const signature: Uint8Array = new Uint8Array(64)

export function observation(member: number, round: number, changes: Partial<Observation> = {}): Observation {
  const { layout } = contexts[0]!.kernel
  const readings = packReadings(
    layout,
    committee.feeds.map((feed) => ({
      status: 0,
      groups: 3,
      spreadPpm: 0,
      timeMs: wallMs,
      values: feed.fields.map((field) => (field.type === 'string' ? 'x' : field.type === 'bool' ? 1n : 5n)),
    })),
  )
  const digest = mark(16 * round + member)
  return {
    kind: 'observation',
    epoch: 0,
    round,
    member,
    clockMs: wallMs + round,
    evidence: mark(0),
    readings,
    digest,
    signature,
    ...changes,
  }
}

export function proposal(round: number, members: readonly number[], changes: Partial<Proposal> = {}): Proposal {
  const observations = members.map((member) => observation(member, round))
  return { kind: 'proposal', epoch: 0, round, observations, digest: mark(100 + round), signature, ...changes }
}

/** The attestation that `member` makes when it agrees with `from`'s. */
export function attestation(like: Effect | undefined, member: number): Attestation {
  if (like?.kind !== 'sign' || like.draft.kind !== 'attestation') throw new Error('no attestation to agree with')
  return { ...like.draft, member, digest: contexts[0]!.digestOf(like.draft), signature }
}

export const leaderOf = (epoch: number): number => contexts[0]!.leaderOf(epoch)
export const leader = (durable: Durable | null = none): Oracle => new Oracle(contexts[leaderOf(0)]!, durable)
export const followerIndex = (): number => [0, 1, 2, 3].find((index) => index !== leaderOf(0))!
export const follower = (durable: Durable | null = none): Oracle => new Oracle(contexts[followerIndex()]!, durable)
export const begin = (round: number, epoch = 0): Message => ({ kind: 'begin', epoch, round })

/** A follower that has answered begin(0, round) with its observation. */
export function answered(round = 1): Oracle {
  const oracle = follower().hear(leaderOf(0), begin(round))
  const readings = observation(0, round).readings
  oracle.feed({ kind: 'observed', slot: { epoch: 0, round }, readings, evidence: mark(0) }).sync()
  oracle.take()
  return oracle
}
