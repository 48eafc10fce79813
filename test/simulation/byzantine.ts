// A member that runs the production code and lies where its behaviours tell it to; liars know each other.

import { openPacked, packReadings, type Reading, readReading } from '../../src/core/layout.js'
import type { Attestation, Draft, Message, Observation, Proposal, Slot, Unverified } from '../../src/core/messages.js'
import type { Signed } from '../../src/crypto/keyring.js'
import { decodeFrame, encodeFrame } from '../../src/network/wire.js'
import { craft } from './craft.js'
import type { Oracle, Scene, Tamper } from './oracle.js'

/** One way to deviate. `id` begins with the fault's number in the fault table. */
export interface Behaviour {
  readonly id: string
  /** The frames sent instead of the member's own; null: no opinion. */
  readonly transmit?: (liar: Liar, to: number, message: Unverified) => readonly Uint8Array[] | null
  readonly readings?: (liar: Liar, readings: readonly Reading[]) => readonly Reading[]
  /** Called every few dozen milliseconds. */
  readonly pulse?: (liar: Liar) => void
}

/** What liars share. */
export class Gang {
  readonly scene: Scene
  readonly liars: Liar[] = []
  /** Honest members that are told the other story. */
  readonly split: Set<number> = new Set()
  /** Frames that liars were sent, the newest last. */
  readonly frames: Uint8Array[] = []
  /** Observations of honest members, by member, the newest last. */
  readonly observations: Map<number, Observation[]> = new Map()
  readonly attestations: Attestation[] = []
  /** Slots with two proposals: the liars' attestations are dealt by hand. */
  readonly twins: Map<string, Proposal> = new Map()

  constructor(scene: Scene) {
    this.scene = scene
  }

  note(message: Unverified, frame: Uint8Array): void {
    this.frames.push(frame)
    if (this.frames.length > 120) this.frames.shift()
    if (message.kind === 'observation') this.#noteObservation(message as Observation)
    if (message.kind === 'proposal') for (const item of message.observations) this.#noteObservation(item as Observation)
    if (message.kind === 'attestation') {
      this.attestations.push(message as Attestation)
      if (this.attestations.length > 60) this.attestations.shift()
    }
  }

  #noteObservation(observation: Observation): void {
    const known = this.observations.get(observation.member) ?? []
    known.push(observation)
    if (known.length > 12) known.shift()
    this.observations.set(observation.member, known)
  }
}

export class Liar implements Tamper {
  readonly gang: Gang
  readonly oracle: Oracle
  readonly behaviours: readonly Behaviour[]
  /** Free for behaviours to remember things. */
  readonly memory: Map<string, number> = new Map()

  constructor(gang: Gang, oracle: Oracle, behaviours: readonly Behaviour[]) {
    this.gang = gang
    this.oracle = oracle
    this.behaviours = behaviours
    gang.liars.push(this)
    oracle.tamper = this
  }

  get member(): number {
    return this.oracle.member
  }

  get stage(): Scene['stage'] {
    return this.gang.scene.stage
  }

  /** The members that follow the protocol, as far as the gang is concerned. */
  get others(): readonly number[] {
    const { n } = this.stage.cast.now.committee.thresholds
    return Array.from({ length: n }, (_, i) => i).filter((i) => !this.gang.liars.some((liar) => liar.member === i))
  }

  fired(behaviour: Behaviour): void {
    this.stage.fired.count(behaviour.id)
  }

  /** Signs anything. */
  make(draft: Draft): Message & { readonly digest: Uint8Array; readonly signature: Uint8Array } {
    const { cast } = this.stage
    const message = craft(cast.engine, cast.now, this.member, cast.keys[this.member]!, draft)
    if (message.kind === 'attestation')
      this.gang.scene.witness.attestedByFaulty(this.member, message, message.digest, message.attestedAtMs)
    return message
  }

  frame(message: Message): Uint8Array {
    return encodeFrame(this.stage.cast.now.committee.digest, message)
  }

  send(to: number, frame: Uint8Array, delayMs = 0): void {
    if (to !== this.member) this.gang.scene.links.send(this.oracle.place, to, frame, delayMs)
  }

  sendAll(frame: Uint8Array): void {
    for (const member of this.others) this.send(member, frame)
  }

  sign(draft: Draft): Signed {
    return this.make(draft)
  }

  received(from: number, frame: Uint8Array): void {
    const { committee } = this.stage.cast.now
    const decoded = decodeFrame(committee.digest, committee.thresholds.n, from, frame)
    if ('message' in decoded) this.gang.note(decoded.message, frame)
  }

  readings(_slot: Slot, packed: Uint8Array): Uint8Array {
    const { layout } = this.stage.cast.now.contexts[0]!.kernel
    const opened = openPacked(layout, packed)
    let readings: readonly Reading[] = layout.rows.map((_, feed) => readReading(layout, opened, feed))
    for (const behaviour of this.behaviours) readings = behaviour.readings?.(this, readings) ?? readings
    return packReadings(layout, readings)
  }

  transmit(to: number, frame: Uint8Array): void {
    const { committee } = this.stage.cast.now
    const decoded = decodeFrame(committee.digest, committee.thresholds.n, this.member, frame)
    if (!('message' in decoded)) return this.send(to, frame)
    const { message } = decoded
    if (message.kind === 'attestation' && this.gang.twins.has(keyOf(message))) return
    for (const behaviour of this.behaviours) {
      const instead = behaviour.transmit?.(this, to, message) ?? null
      if (instead === null) continue
      for (const other of instead) this.send(to, other)
      return
    }
    this.send(to, frame)
  }

  pulse(): void {
    if (!this.oracle.isRunning) return
    for (const behaviour of this.behaviours) behaviour.pulse?.(this)
  }
}

export function keyOf(slot: Slot): string {
  return `${slot.epoch}/${slot.round}`
}

/** A message that was decoded, with its digest made up: only its bytes are used. */
export function asMessage(message: Unverified): Message {
  return message as Message
}
