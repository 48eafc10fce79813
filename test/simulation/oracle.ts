// One simulated oracle: the production loop, keyring and slot record on a simulated clock, disk and network.

import { OracleError } from '../../src/base/errors.js'
import { fromHex, getU32 } from '../../src/core/bytes.js'
import type { Durable } from '../../src/core/durable.js'
import { frameHeadBytes, frameKinds } from '../../src/core/limits.js'
import type { Draft, Slot } from '../../src/core/messages.js'
import type { Event, State } from '../../src/core/state.js'
import { createKeyring, type Signed } from '../../src/crypto/keyring.js'
import { createRunner, type Ports, type Runner } from '../../src/runner.js'
import type { SlotIdentity } from '../../src/store/slot-block.js'
import { openSlotRecord, type SlotRecord } from '../../src/store/slot-record.js'
import type { Play } from './cast.js'
import { Clock } from './clock.js'
import type { Links } from './links.js'
import { SimDisk } from './sim-disk.js'
import { readSources, type Weather } from './sources.js'
import type { Stage } from './stage.js'
import type { Witness } from './witness.js'
import { contradicts } from './witness-evidence.js'

/** What a byzantine member does where a correct one follows the protocol. */
export interface Tamper {
  transmit(to: number, frame: Uint8Array): void
  received(from: number, frame: Uint8Array): void
  readings(slot: Slot, readings: Uint8Array): Uint8Array
  sign(draft: Draft): Signed
}

/** What all oracles of a run share. */
export interface Scene {
  readonly stage: Stage
  readonly links: Links
  readonly witness: Witness
  readonly weather: Weather
}

/** Where the slot record lies on each disk. */
export const recordPath = '/oracle/slots'

export class Oracle {
  readonly place: number
  readonly member: number
  readonly clock: Clock
  disk: SimDisk
  tamper: Tamper | null = null
  /** The committee document it runs with. */
  play: Play
  /** Its clock is, or was, off by more than skewMs. */
  isAstray = false
  /** The last report it delivered, and its last attestation, in true time. */
  deliveredAtMs = -1
  attestedAtMs = -1
  readonly #scene: Scene
  #runner: Runner | null = null
  #state: State | null = null
  #life = 0
  #armedMs = Infinity
  #evidence = 0

  constructor(scene: Scene, place: number, member: number) {
    this.#scene = scene
    this.place = place
    this.member = member
    this.play = scene.stage.cast.now
    this.clock = new Clock(scene.stage)
    this.disk = new SimDisk(scene.stage)
  }

  get isRunning(): boolean {
    return this.#life % 2 === 1
  }

  /** Null while it is down, or opens its record. */
  get state(): State | null {
    return this.#runner === null ? null : this.#state
  }

  get identity(): SlotIdentity {
    const { committee } = this.play
    const address = fromHex(committee.members[this.member]!.address, 20)!
    return { address, salt: committee.salt, generation: committee.generation }
  }

  /** Starts the process. */
  start(): void {
    if (this.isRunning) return
    const life = ++this.#life
    const isAlive = (): boolean => this.#life === life
    const disk = this.disk.mount(isAlive)
    this.#scene.stage.settle = true
    openSlotRecord({ disk, path: recordPath, identity: this.identity }).then(
      (record) => {
        if (isAlive()) this.#run(record, isAlive)
      },
      (error: unknown) => {
        this.#scene.stage.broken ??= error
      },
    )
  }

  /** Ends the process without a word, as kill −9 or a power cut does. */
  crash(): void {
    if (!this.isRunning) return
    this.#life++
    this.#runner = null
    this.#state = null
    this.#armedMs = Infinity
    this.disk.crash = null
    this.#scene.links.detach(this.place)
  }

  /** Feeds one event, if the process runs. */
  dispatch(event: Event): void {
    if (this.#runner === null) return
    this.#runner.dispatch(event)
    this.#stepped(event.kind === 'tick')
  }

  #run(record: SlotRecord, isAlive: () => boolean): void {
    const { stage, links } = this.#scene
    const { engine, keys } = stage.cast
    const context = this.play.contexts[this.member]!
    const { committee } = this.play
    const opening = record.standing === 'unprovable' ? null : record.durable
    if (record.doubt !== null) {
      stage.fired.count(`B27 ${record.doubt} record refused`)
      this.#scene.witness.unproven(this.member)
    }
    const keyring = createKeyring({
      engine,
      privateKey: keys[this.member]!.slice(),
      salt: committee.salt,
      committeeDigest: committee.digest,
      opening,
      durable: () => (record.standing === 'sound' ? record.durable : null),
      slotsMax: 512,
    })
    const persist = (durable: Durable, adopt: boolean): void => {
      stage.settle = true
      const write = adopt ? record.adopt(durable) : record.persist(durable)
      write.then(
        (written) => {
          if (!isAlive()) return
          if (adopt) {
            keyring.adopt(written)
            this.#scene.witness.adopted(this.member, written.wish)
            stage.fired.count('B27 claims adopted')
          }
          this.dispatch({ kind: 'persisted', durable: written })
        },
        (error: unknown) => {
          if (!(error instanceof OracleError)) stage.broken ??= error
          else if (isAlive()) this.dispatch({ kind: 'persist-failed', code: error.code })
        },
      )
    }
    const sign = (draft: Draft): Signed => {
      if (this.tamper !== null) return this.tamper.sign(draft)
      let signed: Signed
      try {
        signed = keyring.sign(draft)
      } catch (error) {
        if (error instanceof OracleError) this.#refused(draft, error)
        throw error
      }
      this.#signed(draft, signed)
      return signed
    }
    const halt = (code: string): void => {
      keyring.stop(code)
      this.#halted(code)
    }
    this.#runner = createRunner(
      { context, engine, durable: opening, authorship: this.tamper === null ? keyring.authorship : () => 'mine' },
      this.#ports(isAlive, persist, sign, halt),
    )
    this.#state = this.#runner.state()
    links.attach(this.place, {
      member: this.member,
      onFrame: (from, frame) => this.#receive(from, frame),
      onSession: (member, up) => this.dispatch({ kind: 'session', member, up }),
    })
    this.#stepped(false)
    if (record.standing === 'failed') this.dispatch({ kind: 'persist-failed', code: 'SLOT_RECORD_WRITE_FAILED' })
  }

  #ports(isAlive: () => boolean, persist: Ports['persist'], sign: Ports['sign'], halt: Ports['halt']): Ports {
    const { stage, links, witness, weather } = this.#scene
    const { queue, rng } = stage
    const isHonest = (): boolean => !witness.faulty.has(this.member)
    return {
      now: () => this.clock.now(),
      persist,
      sign,
      halt,
      observe: (slot) =>
        queue.after(rng.below(8), () => {
          if (!isAlive()) return
          const seen = readSources(stage, weather, this.member)
          const readings = this.tamper?.readings(slot, seen) ?? seen
          this.dispatch({ kind: 'observed', slot, readings, evidence: new Uint8Array(32) })
        }),
      transmit: (to, frame) => {
        if (this.tamper !== null) return this.tamper.transmit(to, frame)
        if (isHonest()) this.#note(frame)
        links.send(this.place, to, frame)
      },
      deliver: (report) => {
        this.deliveredAtMs = queue.nowMs
        if (isHonest()) witness.delivered(this.member, report)
      },
      deliverSeals: (seals) => {
        if (isHonest()) witness.deliveredSeals(this.member, seals)
      },
      keepEvidence: (member) => {
        this.#evidence++
        if (!isHonest()) return
        stage.fired.count('evidence stored')
        if (!witness.faulty.has(member)) witness.accuse('B09', `evidence against ${member}, which is honest`)
      },
      countDrop: (_from, reason) => {
        if (isHonest()) stage.drops.count(reason)
      },
      charge: () => {},
      refused: () => {},
    }
  }

  #receive(from: number, frame: Uint8Array): void {
    const { stage, witness } = this.#scene
    const runner = this.#runner
    if (runner === null) return
    if (this.tamper !== null) this.tamper.received(from, frame)
    const isWatched = witness.faulty.has(from) && !witness.faulty.has(this.member)
    const mustConvict = isWatched && contradicts(stage, runner.state(), from, frame)
    const evidence = this.#evidence
    runner.receive(from, frame)
    if (mustConvict && this.#evidence === evidence)
      witness.accuse('B09', `${this.member} keeps no evidence of two signatures of ${from} on one slot`)
    this.#stepped(false)
  }

  #note(frame: Uint8Array): void {
    const { witness } = this.#scene
    if (frame[1] === frameKinds.begin) {
      const slot = { epoch: getU32(frame, frameHeadBytes), round: getU32(frame, frameHeadBytes + 4) }
      witness.began(this.member, slot, this.#life)
    } else if (frame[1] === frameKinds.wish) {
      witness.wished(this.member, getU32(frame, frameHeadBytes), this.#runner?.state() ?? null)
    }
  }

  #signed(draft: Draft, { digest }: Signed): void {
    const { witness } = this.#scene
    const state = this.#runner?.state() ?? null
    if (draft.kind === 'attestation') this.attestedAtMs = this.#scene.stage.queue.nowMs
    const { isAstray, member } = this
    const isShaken = this.clock.isShaken(500)
    witness.signed({ member, wallMs: this.clock.now().wallMs, state, isAstray, isShaken }, draft, digest)
  }

  /** The keyring stands behind the core: where it has to hold, the core asked for what P9 forbids. */
  #refused(draft: Draft, error: OracleError): void {
    const { witness } = this.#scene
    if (witness.faulty.has(this.member)) return
    witness.accuse('P9', `the keyring of ${this.member} refuses a ${draft.kind}: ${error.message}`)
  }

  #halted(code: string): void {
    const { stage, witness } = this.#scene
    stage.fired.count(`halt ${code}`)
    if (!witness.faulty.has(this.member)) witness.accuse('P9', `${this.member} halts: ${code}`)
  }

  /** Looks at what a step left behind, and sets the timer it wants. */
  #stepped(wasTick: boolean): void {
    const { stage, witness } = this.#scene
    const runner = this.#runner
    if (runner === null) return
    const before = this.#state
    const after = runner.state()
    this.#state = after
    const { trace, queue } = stage
    stage.events++
    trace.add(queue.nowMs)
    trace.add(this.place * 0x10000 + after.epoch * 64 + after.signed.slot.round)
    trace.add((after.latest?.round ?? 0) * 256 + after.gatherings.length)
    if (!witness.faulty.has(this.member)) witness.stepped(this.member, before, after)
    const wakeMs = this.clock.trueMs(runner.wakeAtMs())
    if (wasTick && wakeMs <= queue.nowMs) {
      if (!witness.faulty.has(this.member)) witness.accuse('P12', `${this.member} wants tick after tick without end`)
    }
    this.#arm(Math.max(wakeMs, queue.nowMs + (wasTick ? 1 : 0)))
  }

  #arm(wakeMs: number): void {
    if (wakeMs >= this.#armedMs || wakeMs === Infinity) return
    this.#armedMs = wakeMs
    const life = this.#life
    this.#scene.stage.queue.at(wakeMs, () => {
      if (this.#life !== life || this.#armedMs !== wakeMs) return
      this.#armedMs = Infinity
      if (this.#runner === null) return
      if (this.clock.trueMs(this.#runner.wakeAtMs()) <= wakeMs) this.dispatch({ kind: 'tick' })
      else this.#arm(this.clock.trueMs(this.#runner.wakeAtMs()))
    })
  }
}
