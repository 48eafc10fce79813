// Some schedules of a run, one after the other: the unit that is dealt to workers.

import { type Cast, createCast } from './cast.js'
import { type Outcome, run } from './run.js'
import { drawControl, drawSchedule, type Schedule, sizeOf } from './schedule.js'
import { createSymbolicEngine } from './symbolic-engine.js'
import type { Violation } from './witness.js'

/** Which schedules: indices from `from` to before `to`, of `n` members or of mixed sizes. */
export interface ChunkOrder {
  readonly seed: string
  readonly from: number
  readonly to: number
  readonly n: number | null
  /** Negative controls instead (B40). */
  readonly isControl: boolean
  /** The violations to look for; all when null. */
  readonly codes: readonly string[] | null
}

export interface ChunkResult {
  readonly from: number
  readonly hashes: readonly string[]
  readonly events: number
  readonly reports: number
  readonly fired: readonly (readonly [string, number])[]
  readonly drops: readonly (readonly [string, number])[]
  readonly violations: readonly { readonly index: number; readonly violation: Violation; readonly schedule: Schedule }[]
  /** By committee size: schedules played, milliseconds they took. */
  readonly sizes: readonly (readonly [number, number, number])[]
}

/** Plays chunks, keeping each committee from one to the next. */
export type PlayChunk = (order: ChunkOrder) => Promise<ChunkResult>

/** The schedule at `index` of an order. */
export function scheduleOf(order: ChunkOrder, index: number): Schedule {
  const draw = order.isControl ? drawControl : drawSchedule
  return draw(BigInt(order.seed), index, order.n ?? sizeOf(index))
}

/** Every member's key is made once; a size's committee when it is first needed. */
export function createCasting(): (n: number) => Cast {
  const engine = createSymbolicEngine(32)
  const casts = new Map<number, Cast>()
  return (n) => {
    const cast = casts.get(n) ?? createCast(engine, n)
    casts.set(n, cast)
    return cast
  }
}

/** A player with casts of its own. */
export function createPlayer(): PlayChunk {
  const castOf = createCasting()
  return async (order) => {
    const outcomes: Outcome[] = []
    const violations: { index: number; violation: Violation; schedule: Schedule }[] = []
    const sizes = new Map<number, [number, number, number]>()
    for (let index = order.from; index < order.to; index++) {
      const schedule = scheduleOf(order, index)
      const began = performance.now()
      const outcome = await run(castOf(schedule.n), schedule, order.codes).catch((error: unknown) => {
        throw new Error(`schedule ${index}: ${error instanceof Error ? error.stack : String(error)}`)
      })
      const size = sizes.get(schedule.n) ?? [schedule.n, 0, 0]
      sizes.set(schedule.n, [schedule.n, size[1] + 1, size[2] + performance.now() - began])
      outcomes.push(outcome)
      if (outcome.violation !== null) violations.push({ index, violation: outcome.violation, schedule })
    }
    return {
      from: order.from,
      hashes: outcomes.map((outcome) => outcome.hash),
      events: outcomes.reduce((sum, outcome) => sum + outcome.events, 0),
      reports: outcomes.reduce((sum, outcome) => sum + outcome.reports, 0),
      fired: sumOf(outcomes.map((outcome) => outcome.fired)),
      drops: sumOf(outcomes.map((outcome) => outcome.drops)),
      violations,
      sizes: [...sizes.values()],
    }
  }
}

/** Counts by kind, added up, in order of their names. */
export function sumOf(counts: readonly Iterable<readonly [string, number]>[]): [string, number][] {
  const sum = new Map<string, number>()
  for (const each of counts) for (const [kind, count] of each) sum.set(kind, (sum.get(kind) ?? 0) + count)
  return [...sum].sort(([a], [b]) => (a < b ? -1 : 1))
}
