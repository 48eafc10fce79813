import { afterEach, describe, expect, it, vi } from 'vitest'
import { runSchedule } from '../../src/observe/schedule.js'

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe('an interval', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  /** Times, ms since 1970, at which a schedule asks from `fromMs` on, for `forMs`. */
  async function asked(everyMs: number, fromMs: number, forMs: number, offsetMs = 0): Promise<number[]> {
    vi.useFakeTimers({ now: fromMs, toFake: ['setTimeout', 'clearTimeout', 'Date'] })
    const times: number[] = []
    const stop = runSchedule(
      { kind: 'every', everyMs },
      () => Date.now(),
      async () => void times.push(Date.now()),
      offsetMs,
    )
    await vi.advanceTimersByTimeAsync(forMs)
    stop()
    await vi.advanceTimersByTimeAsync(10 * everyMs)
    return times
  }

  it('asks at once, then at whole multiples since 1970, and stops when told', async () => {
    expect(await asked(1000, 1_700_000_000_400, 3500)).toEqual([
      1_700_000_000_400, 1_700_000_001_000, 1_700_000_002_000, 1_700_000_003_000,
    ])
  })

  it('does not ask twice where the first multiple is close', async () => {
    expect(await asked(1000, 1_700_000_000_950, 2100)).toEqual([
      1_700_000_000_950, 1_700_000_002_000, 1_700_000_003_000,
    ])
  })

  it('asks a while after each of these times where others of its host go first', async () => {
    expect(await asked(1000, 1_700_000_000_400, 2500, 300)).toEqual([
      1_700_000_000_700, 1_700_000_001_300, 1_700_000_002_300,
    ])
  })

  it('brings two oracles that start at different times to ask together', async () => {
    const [first, second] = [await asked(5000, 1_700_000_000_001, 20_000), await asked(5000, 1_700_000_003_777, 20_000)]
    expect(first.slice(1, 4)).toEqual([1_700_000_005_000, 1_700_000_010_000, 1_700_000_015_000])
    expect(second.slice(1, 4)).toEqual(first.slice(1, 4))
  })
})

describe('a cron expression', () => {
  it('asks at once and when it comes true, by node-cron with seconds, and stops when told (3.2 s)', async () => {
    const times: number[] = []
    const startedMs = Date.now()
    const stop = runSchedule(
      { kind: 'cron', cron: '* * * * * *' },
      Date.now,
      async () => void times.push(Date.now()),
      0,
    )
    while (times.length < 3 && Date.now() - startedMs < 15_000) await pause(10)
    stop()
    const [first, second, third] = times
    expect(first! - startedMs).toBeLessThan(500)
    // Each just after a whole second, and no second twice.
    for (const time of [second!, third!]) expect(time % 1000).toBeLessThan(800)
    expect(Math.floor(third! / 1000)).toBeGreaterThan(Math.floor(second! / 1000))
    const count = times.length
    await pause(1200)
    expect(times.length).toBe(count)
  })

  it('waits for its time: one that is an hour off asks only at once', async () => {
    const hour = (new Date().getUTCHours() + 2) % 24
    let count = 0
    const stop = runSchedule({ kind: 'cron', cron: `0 0 ${hour} * * *` }, Date.now, async () => void count++, 0)
    await pause(50)
    stop()
    expect(count).toBe(1)
  })
})
