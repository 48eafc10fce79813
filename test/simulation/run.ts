// One schedule from start to end: plays it, heals, waits for reports, and tells what happened.

import { type Behaviour, Gang, Liar } from './byzantine.js'
import type { Cast } from './cast.js'
import { begin, heal, install, type Troupe } from './environment.js'
import { Links } from './links.js'
import { Oracle, type Scene } from './oracle.js'
import { Queue } from './queue.js'
import { Rng } from './rng.js'
import { behaviours, type Schedule } from './schedule.js'
import { createWeather } from './sources.js'
import type { Stage } from './stage.js'
import { Tally, Trace } from './trace.js'
import { type Violation, Witness } from './witness.js'

export interface Outcome {
  readonly violation: Violation | null
  readonly events: number
  readonly reports: number
  readonly fired: ReadonlyMap<string, number>
  readonly drops: ReadonlyMap<string, number>
  readonly hash: string
  /** True time at the end, ms. */
  readonly endMs: number
}

const eventsMin = 200
const reportsMin = 10

/**
 * Plays `schedule` with the cast of its size; `codes` are the violations to look for, all when null. Equal schedules have
 * equal outcomes, hash included.
 */
export async function run(cast: Cast, schedule: Schedule, codes: readonly string[] | null = null): Promise<Outcome> {
  const { n } = schedule
  const stage: Stage = {
    cast,
    queue: new Queue(),
    rng: new Rng(BigInt(schedule.seed)),
    trace: new Trace(),
    fired: new Tally(),
    drops: new Tally(),
    epochMs: schedule.epochMs,
    settle: false,
    broken: null,
    events: 0,
  }
  const scene: Scene = {
    stage,
    links: new Links(stage, n + 1),
    witness: new Witness(stage, codes),
    weather: createWeather(n),
  }
  const { witness } = scene
  const oracles = Array.from({ length: n }, (_, member) => new Oracle(scene, member, member))
  const troupe: Troupe = { scene, oracles, backups: new Map(), doubled: new Set() }
  deal(schedule, scene, oracles)
  await settled(stage, Promise.all(oracles.map((oracle) => install(troupe, oracle))))
  for (const oracle of oracles) if (!schedule.late.includes(oracle.member)) oracle.start()
  if (schedule.late.length > 0) stage.fired.count('B31 late join')
  for (const step of schedule.steps) stage.queue.at(step.atMs, () => begin(troupe, step))
  stage.queue.at(schedule.healMs, () => heal(troupe))

  const patience = new Patience(troupe, schedule)
  while (witness.violation === null && !patience.isOver()) {
    if (stage.queue.nextAtMs() > patience.untilMs) {
      witness.accuse('I-7', patience.complaint())
      break
    }
    stage.queue.runNext()
    if (stage.settle) {
      stage.settle = false
      await new Promise(setImmediate)
    }
    if (stage.broken !== null) throw stage.broken
  }
  const rolloverMs = [0x8000_0000 * 1000, 0x1_0000_0000 * 1000].find((ms) => ms > schedule.epochMs) ?? Infinity
  if (schedule.epochMs + witness.lastReportAtMs > rolloverMs) stage.fired.count('B30 year 2038')
  return {
    violation: witness.violation,
    events: stage.events,
    reports: witness.reports,
    fired: stage.fired.counts,
    drops: stage.drops.counts,
    hash: stage.trace.hash(),
    endMs: stage.queue.nowMs,
  }
}

/** Gives liars their behaviours and outdated members their old document. */
function deal(schedule: Schedule, scene: Scene, oracles: readonly Oracle[]): void {
  const { stage, witness } = scene
  const gang = new Gang(scene)
  for (const { member, behaviours: ids } of schedule.liars) {
    witness.faulty.add(member)
    const own = ids.map((id): Behaviour => behaviours.get(id) ?? unknownBehaviour(id))
    const liar = new Liar(gang, oracles[member]!, own)
    const pulse = (): void => {
      liar.pulse()
      stage.queue.after(stage.rng.between(40, 120), pulse)
    }
    if (own.some((behaviour) => behaviour.pulse !== undefined)) stage.queue.after(stage.rng.below(100), pulse)
  }
  const honest = oracles.filter(({ member }) => !witness.faulty.has(member))
  for (const [i, { member }] of honest.entries())
    if (i % 2 === Number(BigInt(schedule.seed) & 1n)) gang.split.add(member)
  for (const member of schedule.outdated) {
    witness.faulty.add(member)
    oracles[member]!.play = stage.cast.before
    stage.fired.count('B32 other committee document')
  }
}

function unknownBehaviour(id: string): never {
  throw new Error(`no behaviour is called ${id}`)
}

/** Runs the queue until `promise` is settled: disks answer through it. */
async function settled(stage: Stage, promise: Promise<unknown>): Promise<void> {
  let isDone = false
  promise.then(
    () => {
      isDone = true
    },
    (error: unknown) => {
      stage.broken = error
    },
  )
  await new Promise(setImmediate)
  while (!isDone) {
    if (stage.broken !== null) throw stage.broken
    while (stage.queue.nextAtMs() <= stage.queue.nowMs) stage.queue.runNext()
    await new Promise(setImmediate)
    if (!isDone && stage.queue.nextAtMs() < Infinity) stage.queue.runNext()
    await new Promise(setImmediate)
  }
}

/** Decides when a run has shown enough, and when it has waited too long (I-7). */
class Patience {
  readonly #troupe: Troupe
  readonly #schedule: Schedule
  readonly #mustDeliver: readonly Oracle[]
  #boundMs = 0
  #healed = false

  constructor(troupe: Troupe, schedule: Schedule) {
    this.#troupe = troupe
    this.#schedule = schedule
    const frail = new Set<number>(
      schedule.steps.filter((step) => lastingKinds.has(step.kind)).flatMap((step) => step.who),
    )
    this.#mustDeliver = troupe.oracles.filter(
      ({ member }) => !troupe.scene.witness.faulty.has(member) && !frail.has(member),
    )
  }

  get #nowMs(): number {
    return this.#troupe.scene.stage.queue.nowMs
  }

  /** Nothing may be waited for beyond this time. */
  get untilMs(): number {
    const { witness } = this.#troupe.scene
    if (!this.#healed) return Infinity
    const { healMs } = this.#schedule
    // Reports alone are no excuse for a member that gets none, or for two machines with one key that both go on.
    return Math.min(Math.max(healMs, witness.lastReportAtMs) + this.#boundMs, healMs + 4 * this.#boundMs)
  }

  isOver(): boolean {
    if (this.#nowMs < this.#schedule.healMs) return false
    if (!this.#healed) {
      this.#healed = true
      this.#boundMs = this.#bound()
    }
    const { witness, stage } = this.#troupe.scene
    if (witness.reports < reportsMin || stage.events < eventsMin) return false
    return this.#mustDeliver.every((oracle) => oracle.deliveredAtMs > this.#schedule.healMs) && this.#areDoublesFound()
  }

  /**
   * Two machines that both go on attesting with one key after the healing stop, both of them (P9, B28). One that gets no
   * session, since its peers hold the other's, does no harm and is left to its operator.
   */
  #areDoublesFound(): boolean {
    const { doubled, oracles } = this.#troupe
    if (doubled.size === 0) return true
    const provenMs = this.#schedule.healMs + 1000
    if (this.#nowMs < provenMs + 500) return false
    const machines = oracles.filter(({ member }) => doubled.has(member))
    const areActive = machines.every((oracle) => oracle.attestedAtMs > provenMs)
    return !areActive || machines.every((oracle) => oracle.state?.halted)
  }

  complaint(): string {
    const { witness } = this.#troupe.scene
    const lacking = this.#mustDeliver.filter((oracle) => oracle.deliveredAtMs <= this.#schedule.healMs)
    return (
      `healed at ${this.#schedule.healMs}, ${witness.reports} reports, the last at ${witness.lastReportAtMs}; ` +
      `no report since the healing at members [${lacking.map((oracle) => oracle.member).join(' ')}]` +
      (this.#areDoublesFound() ? '' : '; two machines go on with one key')
    )
  }

  /** 2f+1 epochs' timeouts from what the failures so far make of them, and the time to connect and resend. */
  #bound(): number {
    const { timing, thresholds } = this.#troupe.scene.stage.cast.now.committee
    const failures = Math.max(0, ...this.#mustDeliver.map((oracle) => oracle.state?.progress.failures ?? 0))
    let ms = 2000 + 10 * timing.resendMs
    for (let epoch = 0; epoch <= 2 * thresholds.f; epoch++) ms += timing.progressMs * 2 ** Math.min(8, failures + epoch)
    return ms
  }
}

const lastingKinds: ReadonlySet<string> = new Set([
  'lost',
  'restored',
  'damaged',
  'double',
  'clock-jump',
  'clock-strobe',
  'clock-drift',
])
