// The simulator on a few hundred schedules: no violation, equal traces for equal seeds, liars beyond f found out.

import { describe, expect, it } from 'vitest'
import { type ChunkResult, createCasting, createPlayer, scheduleOf } from './chunk.js'
import { figuresOf } from './figures.js'
import { mutants } from './mutants.js'
import { editsOf } from './mutate.js'
import { playAll } from './pool.js'
import { run } from './run.js'
import { shrink } from './shrink.js'

const order = { seed: '2026', n: null, workers: 1, codes: null, stopsAtFirst: false }

describe('the simulator', () => {
  it('finds no violation, and brings at least 200 events and 10 reports a schedule', async () => {
    const castOf = createCasting()
    for (let index = 0; index < 120; index++) {
      const schedule = scheduleOf({ ...order, from: 0, to: 0, isControl: false }, index)
      const { violation, events, reports } = await run(castOf(schedule.n), schedule)
      expect(violation, `schedule ${index}`).toBeNull()
      expect(events).toBeGreaterThanOrEqual(200)
      expect(reports).toBeGreaterThanOrEqual(10)
    }
  })

  it('has the same trace for the same seed, whoever plays what, and another for another seed', async () => {
    const whole = await playAll({ ...order, count: 30, isControl: false })
    const players = [createPlayer(), createPlayer()]
    const dealt: ChunkResult[] = []
    for (const from of [20, 10, 0]) {
      dealt.push(await players[from === 10 ? 0 : 1]!({ ...order, isControl: false, from, to: from + 10 }))
    }
    dealt.sort((a, b) => a.from - b.from)
    const trace = (results: readonly ChunkResult[]): string => figuresOf(order.seed, results, [], 1).trace
    expect(trace(dealt)).toBe(trace(whole))
    const other = await playAll({ ...order, seed: '2027', count: 30, isControl: false })
    expect(trace(other)).not.toBe(trace(whole))
  })

  it('detects f + 1 liars in at least 95 of 100 runs (B40)', async () => {
    const controls = await playAll({ ...order, count: 60, isControl: true })
    expect(figuresOf(order.seed, [], controls, 1).controls.detected).toBeGreaterThanOrEqual(57)
  })

  it('shrinks a failing schedule to one that fails in the same way', async () => {
    const castOf = createCasting()
    const schedule = scheduleOf({ ...order, from: 0, to: 0, isControl: true }, 0)
    const { violation } = await run(castOf(schedule.n), schedule)
    const small = await shrink(castOf(schedule.n), schedule, violation!)
    expect(small.violation.code).toBe(violation!.code)
    expect(small.schedule.healMs).toBeLessThan(schedule.healMs)
    expect((await run(castOf(schedule.n), small.schedule)).violation).toEqual(small.violation)
  })
})

describe('seeded bugs', () => {
  it('each edit stands exactly once in the source it changes', async () => {
    expect(new Set(mutants.map((mutant) => mutant.name)).size).toBe(mutants.length)
    for (const mutant of mutants) expect((await editsOf(mutant)).size, mutant.name).toBeGreaterThan(0)
  })
})
