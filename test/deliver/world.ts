// Four members with a transmitter each, one model chain, and a clock that only moves from event to event.

import type { Job } from '../../src/chain/sender-state.js'
import { type Committee, parseCommittee } from '../../src/core/committee.js'
import { packReadings, type Reading } from '../../src/core/layout.js'
import { type ReportKernel, reportKernel } from '../../src/core/report.js'
import type { ReportParts, Signatures } from '../../src/core/report-json.js'
import { type Domain, domainOf, reportDigest, sealedDigest } from '../../src/core/typed-data.js'
import type { SigningEngine } from '../../src/crypto/engine-wasm.js'
import { type Costs, createCosts } from '../../src/deliver/costs.js'
import type { Target, TargetSettings } from '../../src/deliver/target.js'
import type { TransmitEvent } from '../../src/deliver/transmit-event.js'
import { createTransmitter, type Transmitter } from '../../src/deliver/transmitter.js'
import { committeeDocument, memberKey } from '../committee-document.js'
import { readings } from '../signed-report.js'
import { Rng } from '../simulation/rng.js'
import { startMs, target as targetFor } from './fixtures.js'
import { ModelChain } from './model-chain.js'

/** Longest delays, ms; each is drawn anew each time, evenly from 0 on. */
export interface Delays {
  readonly report: number
  readonly head: number
  readonly read: number
  readonly submit: number
}

/** Half a stage on the way to a report, what is left of a stage on the way to the chain. */
export const delays: Delays = { report: 3000, head: 800, read: 1000, submit: 1000 }

export const noDelays: Delays = { report: 0, head: 0, read: 0, submit: 0 }

/** `base` with one feed's reading changed. */
export function changed(base: readonly Reading[], feed: number, change: Partial<Reading>): Reading[] {
  return base.map((reading, i) => (i === feed ? { ...reading, ...change } : reading))
}

/** Readings with btc-usd at `percent` of its first value. */
export function moved(percent: number): readonly Reading[] {
  return changed(readings(), 0, { values: [(6_412_345_678_901n * BigInt(percent)) / 100n] })
}

export interface WorldSettings {
  readonly seed: bigint
  readonly delays: Delays
  readonly target?: Partial<TargetSettings>
  /** Members that never start. */
  readonly dead?: readonly number[]
  readonly roundMs?: number
  /** Whether members seal reports. */
  readonly isSealing?: boolean
  /** From a block to where its transactions count as confirmed. */
  readonly confirmMs?: number
}

const noFees = { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n }

/** An event of a member's transmitter. */
export type MemberEvent = TransmitEvent & { readonly member: number }

export class World {
  readonly committee: Committee
  readonly target: Target
  readonly chain: ModelChain
  readonly transmitters: (Transmitter | null)[] = []
  readonly costs: Costs[] = []
  readonly events: MemberEvent[] = []
  readonly rng: Rng
  nowMs: number = startMs
  /** What the committee attests from now on; null: no report at all. */
  readings: readonly Reading[] | null
  /** Members whose chain access fails. */
  readonly blind: Set<number> = new Set()
  /** Why the store would revert whatever comes; null: as it is. */
  reverts: string | null = null
  /** Called when a member asks whether the store would revert. */
  onAsk: (member: number) => void = () => undefined
  /** All reports so far, without seals. */
  readonly reports: ReportParts[] = []
  /** Called when a sender is given a job; may throw. */
  onTake: () => void = () => undefined
  /** Called before a member's transaction enters the pool; false: it is lost. */
  onSubmit: (member: number, job: Job) => boolean = () => true
  readonly #settings: WorldSettings
  readonly #engine: SigningEngine
  readonly #kernel: ReportKernel
  readonly #domain: Domain
  #queue: { readonly atMs: number; readonly order: number; readonly run: () => void }[] = []
  #order = 0
  #round = 0

  constructor(engine: SigningEngine, settings: WorldSettings) {
    const document = committeeDocument(engine)
    document.timing['roundMs'] = settings.roundMs ?? 1000
    document.timing['progressMs'] = 4 * (settings.roundMs ?? 1000) + 2000
    this.#settings = settings
    this.#engine = engine
    this.committee = parseCommittee(engine, document)
    this.#kernel = reportKernel(engine, this.committee)
    this.#domain = domainOf(engine, this.committee.salt)
    this.target = targetFor(this.committee, settings.target)
    this.rng = new Rng(settings.seed)
    this.chain = new ModelChain((delayMs, run) => this.after(delayMs, run), settings.confirmMs ?? 0)
    this.readings = readings()
    for (let member = 0; member < this.committee.members.length; member++) this.start(member, [])
    this.#every(this.target.blockMs, () => this.#block())
    this.#every(settings.roundMs ?? 1000, () => this.#report())
    this.#every(this.target.stageMs / 8, () => {
      for (const transmitter of this.transmitters) transmitter?.onTick()
    })
  }

  /** Starts a member's transmitter, or starts it anew, with jobs of its earlier life. */
  start(member: number, openJobs: readonly string[]): void {
    this.costs[member] ??= createCosts()
    const { delays, dead = [] } = this.#settings
    const refuse = () => Promise.reject(new Error('no quorum of endpoints'))
    const answer = async <T>(get: () => T): Promise<T> => {
      await this.#passed(delays.read / 2)
      if (this.blind.has(member)) return refuse()
      const given = get()
      await this.#passed(delays.read / 2)
      return given
    }
    this.transmitters[member] = dead.includes(member)
      ? null
      : createTransmitter({
          engine: this.#engine,
          committee: this.committee,
          kernel: this.#kernel,
          member,
          target: this.target,
          costs: this.costs[member]!,
          ports: {
            clock: () => ({ wallMs: this.nowMs, steadyMs: this.nowMs }),
            readStored: () => answer(() => this.chain.view()),
            whyReverts: (_, data) => {
              this.onAsk(member)
              return answer(() => this.reverts ?? this.chain.whyReverts(data))
            },
            submit: async (job) => {
              this.onTake()
              this.#submit(member, job)
            },
            openJobs: () => openJobs,
            onEvent: (event) => this.events.push({ ...event, member }),
            onFault: (error) => {
              throw error
            },
          },
        })
  }

  /** Lets `forMs` pass. */
  async run(forMs: number): Promise<void> {
    const endMs = this.nowMs + forMs
    for (;;) {
      const next = this.#queue[0]
      if (next === undefined || next.atMs > endMs) break
      this.#queue.shift()
      this.nowMs = next.atMs
      next.run()
      await new Promise((resolve) => setImmediate(resolve))
    }
    this.nowMs = endMs
  }

  after(delayMs: number, run: () => void): void {
    const event = { atMs: this.nowMs + delayMs, order: this.#order++, run }
    const place = this.#queue.findIndex(({ atMs }) => atMs > event.atMs)
    this.#queue.splice(place < 0 ? this.#queue.length : place, 0, event)
  }

  /** An even draw of 0 to `max` ms. */
  draw(max: number): number {
    return max === 0 ? 0 : Math.floor((this.rng.next() / 2 ** 32) * (max + 1))
  }

  #submit(member: number, job: Job): void {
    const attempt = { hash: `0x${'00'.repeat(32)}`, raw: '0x', fees: noFees, isFiller: false }
    this.after(this.draw(this.#settings.delays.submit), () => {
      const transmitter = this.transmitters[member]
      transmitter?.onNews({ kind: 'sent', job, nonce: 0, attempt, tries: 1 })
      if (!this.onSubmit(member, job)) return
      this.chain.enter(member, job, (outcome) => transmitter?.onNews({ kind: 'ended', outcome }))
    })
  }

  #passed(max: number): Promise<void> {
    return new Promise((resolve) => this.after(this.draw(max), resolve))
  }

  #every(periodMs: number, run: () => void): void {
    this.after(periodMs, () => {
      run()
      this.#every(periodMs, run)
    })
  }

  #block(): void {
    this.chain.mine(this.nowMs)
    for (const transmitter of this.transmitters)
      this.after(this.draw(this.#settings.delays.head), () => void transmitter?.onHead())
  }

  #report(): void {
    if (this.readings === null) return
    const attestedAtMs = this.nowMs
    const values = packReadings(
      this.#kernel.layout,
      this.readings.map((reading) => (reading.values === null ? reading : { ...reading, timeMs: attestedAtMs - 100 })),
    )
    const header = { epoch: 1, round: ++this.#round, attestedAtMs, root: this.#kernel.root(values) }
    const digest = reportDigest(this.#engine, this.#domain, header)
    const by = (signers: readonly number[], over: Uint8Array): Signatures => ({
      signers,
      signatures: signers.map((member) => this.#engine.sign(over, memberKey(this.#engine, member))),
    })
    const attested: ReportParts = { ...header, values, ...by([0, 1, 2], digest) }
    this.reports.push(attested)
    const sealed = { ...attested, seals: by([0, 1], sealedDigest(this.#engine, this.#domain, digest)) }
    for (const transmitter of this.transmitters)
      this.after(this.draw(this.#settings.delays.report), () => {
        transmitter?.onReport(attested)
        if (this.#settings.isSealing !== false) this.after(this.draw(50), () => transmitter?.onReport(sealed))
      })
  }
}
