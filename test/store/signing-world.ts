// One signing key over many lives of its oracle: everything it ever signed, and a restart after each mishap.

import { OracleError } from '../../src/base/errors.js'
import { toHex } from '../../src/core/bytes.js'
import type { Durable } from '../../src/core/durable.js'
import type { Draft, Observation, Slot } from '../../src/core/messages.js'
import type { SigningEngine } from '../../src/crypto/engine-wasm.js'
import { createKeyring, type Keyring, type OnceKind } from '../../src/crypto/keyring.js'
import { openSlotRecord, type SlotRecord } from '../../src/store/slot-record.js'
import type { Rng } from '../simulation/rng.js'
import type { TornDisk } from './torn-disk.js'

const kinds: readonly OnceKind[] = ['observation', 'proposal', 'attestation']
const salt = new Uint8Array(32).fill(5)
const committeeDigest = new Uint8Array(32).fill(6)
const skewMs = 2000

export const recordPath = 'state/slots'

/** What a life of the oracle ended with, besides a cut. */
export type Ending = 'cut' | 'killed' | 'refused'

/** The signing key and all that is known of it outside its own machine. */
export class SigningWorld {
  readonly #engine: SigningEngine
  readonly #privateKey: Uint8Array
  readonly #rng: Rng
  readonly #disk: TornDisk
  readonly #count: (what: string) => void
  /** kind and slot → digest: everything ever signed. */
  readonly signed: Map<string, string> = new Map()
  /** Set by the test when it damages the record; a crash alone must never make it unprovable. */
  isDamaged: boolean = false
  /** Contradictions found; must stay empty. */
  readonly violations: string[] = []
  #lastAttestedMs = 0
  #highest: Slot = { epoch: 0, round: 1 }
  #clockMs = 1_000_000
  #lives = 0

  constructor(parts: {
    engine: SigningEngine
    privateKey: Uint8Array
    rng: Rng
    disk: TornDisk
    count: (what: string) => void
  }) {
    this.#engine = parts.engine
    this.#privateKey = parts.privateKey
    this.#rng = parts.rng
    this.#disk = parts.disk
    this.#count = parts.count
  }

  get identity(): { address: Uint8Array; salt: Uint8Array; generation: number } {
    return { address: this.#engine.addressOf(this.#privateKey), salt, generation: 1 }
  }

  /** One life: open, become sound, reserve, sign, and try again every slot there ever was, until `steps` or a mishap. */
  async live(steps: number): Promise<Ending> {
    this.#lives++
    this.#clockMs += this.#rng.between(0, 3000)
    const life = this.#life(steps)
    // A cut leaves calls that never end.
    const ending = await Promise.race([life, this.#cut()])
    life.catch(() => {})
    return ending
  }

  async #cut(): Promise<Ending> {
    // Everything in memory settles within microtasks, so a machine turn without a cut means that none is due.
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      if (this.#disk.isCut) return 'cut'
      if (this.#ended) return 'killed'
    }
  }

  #ended = false
  /** The last record asked for in this life; requests only rise. */
  #asked: Durable = { wish: 0, floor: { epoch: 0, round: 0 }, floorMs: 0 }

  async #life(steps: number): Promise<Ending> {
    this.#ended = false
    try {
      return await this.#work(steps)
    } catch (error) {
      if (!(error instanceof OracleError)) throw error
      this.#count(`refused ${error.code}`)
      return 'refused'
    } finally {
      this.#ended = true
    }
  }

  async #work(steps: number): Promise<Ending> {
    const record = await openSlotRecord({ disk: this.#disk, path: recordPath, identity: this.identity })
    const opening = record.standing === 'unprovable' ? null : record.durable
    const keyring = createKeyring({
      engine: this.#engine,
      privateKey: Uint8Array.from(this.#privateKey),
      salt,
      committeeDigest,
      opening,
      durable: () => (record.standing === 'sound' ? record.durable : null),
    })
    this.#tryEverything(keyring)
    if (opening === null) {
      this.#count(`doubt ${record.doubt}`)
      if (!this.isDamaged) this.violations.push(`a crash alone left the record ${record.doubt} in life ${this.#lives}`)
      keyring.adopt(await record.adopt(this.#claims()))
      this.#tryEverything(keyring)
    }
    if (record.standing === 'sound') this.isDamaged = false
    this.#asked = record.durable
    for (let i = 0; i < steps; i++) {
      await this.#reserve(record)
      this.#signAhead(keyring, record.durable)
      this.#tryEverything(keyring)
    }
    if (this.#rng.chance(0.5)) await record.close()
    return 'killed'
  }

  /** P9: every epoch this key acted in is known to enough others; it never signed a time above its clock and the skew. */
  #claims(): Durable {
    const { epoch } = this.#highest
    return { wish: epoch, floor: { epoch, round: 0xffff_ffff }, floorMs: this.#clockMs + skewMs }
  }

  async #reserve(record: SlotRecord): Promise<void> {
    const { wish, floor, floorMs } = this.#asked
    const isNewEpoch = floor.round > 1000 || this.#rng.chance(0.2)
    const next = isNewEpoch
      ? { epoch: floor.epoch + 1, round: this.#rng.between(1, 3) }
      : { epoch: floor.epoch, round: floor.round + this.#rng.between(1, 3) }
    this.#clockMs += this.#rng.between(1, 400)
    const wanted = { wish: Math.max(wish, next.epoch), floor: next, floorMs: Math.max(floorMs, this.#clockMs + 300) }
    // Requests overlap now and then; a failed one is asked for again.
    const requests = [wanted]
    if (this.#rng.chance(0.3)) requests.push({ ...wanted, floorMs: wanted.floorMs + 5 })
    this.#asked = requests.at(-1)!
    for (const result of await Promise.allSettled(requests.map((request) => record.persist(request)))) {
      if (result.status === 'fulfilled') continue
      if (!(result.reason instanceof OracleError)) throw result.reason
      this.#count(`persist ${result.reason.code}`)
    }
  }

  /** What an honest oracle does: some of the slots just reserved, in order. */
  #signAhead(keyring: Keyring, { floor }: Durable): void {
    for (let round = Math.max(1, Math.min(floor.round, 1000) - 4); round <= Math.min(floor.round, 1000); round++) {
      if (this.#rng.chance(0.3)) continue
      this.#clockMs += this.#rng.between(0, 60)
      for (const kind of kinds) if (this.#rng.chance(0.8)) this.#try(keyring, kind, { epoch: floor.epoch, round })
    }
  }

  /** Every slot that was ever signed, and some that no record covers, with new contents. */
  #tryEverything(keyring: Keyring): void {
    const slots = new Set([...this.signed.keys()].map((key) => key.slice(key.indexOf(' ') + 1)))
    for (const text of slots) {
      const [epoch, round] = text.split('/').map(Number) as [number, number]
      for (const kind of kinds) this.#try(keyring, kind, { epoch, round })
    }
    for (const kind of kinds) this.#try(keyring, kind, { epoch: this.#highest.epoch + 1000, round: 1 })
  }

  #try(keyring: Keyring, kind: OnceKind, slot: Slot): void {
    let digest: string
    try {
      digest = toHex(keyring.sign(this.#draft(kind, slot)).digest)
    } catch (error) {
      if (!(error instanceof OracleError)) throw error
      this.#count(error.code)
      return
    }
    const key = `${kind} ${slot.epoch}/${slot.round}`
    const before = this.signed.get(key)
    if (before !== undefined && before !== digest) this.violations.push(`two signatures: ${key} in life ${this.#lives}`)
    this.signed.set(key, digest)
    if (slot.epoch > this.#highest.epoch) this.#highest = slot
    if (kind !== 'attestation') return
    if (this.#clockMs <= this.#lastAttestedMs) this.violations.push(`time did not rise: ${key} in life ${this.#lives}`)
    this.#lastAttestedMs = this.#clockMs
  }

  /** Contents differ between lives and between attempts. */
  #draft(kind: OnceKind, slot: Slot): Draft {
    const fill = new Uint8Array(32)
    new DataView(fill.buffer).setUint32(0, this.#lives)
    new DataView(fill.buffer).setUint32(4, this.#rng.next())
    switch (kind) {
      case 'observation':
        return { kind, ...slot, clockMs: this.#clockMs, evidence: fill, readings: fill }
      case 'proposal': {
        const observation = { digest: fill, signature: new Uint8Array(64) } as unknown as Observation
        return { kind, ...slot, observations: [observation] }
      }
      case 'attestation':
        return { kind, ...slot, attestedAtMs: this.#clockMs, root: fill }
    }
  }
}
