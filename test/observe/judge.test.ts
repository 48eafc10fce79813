import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Reading } from '../../src/core/layout.js'
import { statuses } from '../../src/core/status.js'
import type { FeedDeclaration } from '../../src/feed/declaration.js'
import { type Candidate, judge, ppmOf } from '../../src/observe/judge.js'
import { feedForTest } from './feed-for-test.js'

const nowMs = 1_700_000_000_000
const groups = ['a', 'b', 'c', 'd', 'e']

function prices(...values: readonly number[]): Candidate[] {
  return values.map((value, i) => candidate(groups[i]!, [BigInt(value)]))
}

function candidate(group: string, cells: Candidate['cells'], more: Partial<Candidate> = {}): Candidate {
  return { group, cells, observedAtMs: nowMs - 1000, bidAskPpm: null, ...more }
}

function judged(
  feed: FeedDeclaration,
  candidates: readonly Candidate[],
  now: { last?: Reading; past?: { atMs: number; value: bigint }[] } = {},
) {
  const { reading, reasons, outliers } = judge(feed, candidates, {
    nowMs,
    last: now.last ?? null,
    past: now.past ?? [],
  })
  return { ...reading, status: statuses[reading.status], reasons, outliers: [...outliers] }
}

describe('a feed of prices', () => {
  it('is the lower median of its groups', () => {
    expect(judged(feedForTest(), prices(10_000, 10_010, 10_020, 10_030))).toMatchObject({
      status: 'OK',
      groups: 4,
      values: [10_010n],
      spreadPpm: 2997,
      reasons: [],
      outliers: [],
    })
  })

  it('leaves an outlier out and says which, but counts it in the spread (I12)', () => {
    const reading = judged(feedForTest(), prices(10_000, 10_010, 13_000, 10_020, 10_005))
    expect(reading).toMatchObject({ status: 'OK', groups: 4, values: [10_005n], outliers: [2] })
    expect(reading.spreadPpm).toBeGreaterThan(290_000)
  })

  it('says LOW_CONFIDENCE when two groups are outliers (I66)', () => {
    expect(judged(feedForTest(), prices(2_000, 7_000, 10_000, 10_010, 10_020))).toMatchObject({
      status: 'LOW_CONFIDENCE',
      groups: 3,
      values: [10_010n],
      outliers: [0, 1],
    })
  })

  it('says DIVERGED when no more than half agree, and shows the lower median of all (I68, I86)', () => {
    const feed = feedForTest({ combineSources: { minSources: 2, minGroups: 2, outlierPpm: 20_000 } })
    expect(judged(feed, prices(2_600, 10_000))).toMatchObject({ status: 'DIVERGED', groups: 2, values: [2_600n] })
  })

  it('has no value below the bar, or its last one marked STALE while that is valid', () => {
    expect(judged(feedForTest(), prices(10_000, 10_010))).toMatchObject({ status: 'NO_DATA', values: null, groups: 0 })
    const last: Reading = { status: 0, groups: 5, spreadPpm: 1, timeMs: nowMs - 100_000, values: [9_999n] }
    expect(judged(feedForTest(), prices(10_000), { last })).toMatchObject({
      status: 'STALE',
      values: [9_999n],
      timeMs: nowMs - 100_000,
    })
    const older = { ...last, timeMs: nowMs - 120_001 }
    expect(judged(feedForTest(), prices(10_000), { last: older })).toMatchObject({ status: 'NO_DATA', values: null })
  })

  it('gives a group one voice: its newest answer, or of three the middle one', () => {
    const candidates = [
      candidate('a', [9_000n], { observedAtMs: nowMs - 5000 }),
      candidate('a', [10_000n], { observedAtMs: nowMs - 10 }),
      ...[10_010, 10_020].map((value, i) => candidate(`other-${i}`, [BigInt(value)])),
    ]
    expect(judged(feedForTest(), candidates)).toMatchObject({ groups: 3, values: [10_010n], spreadPpm: 102_000 })
    const one = ['x', 'y', 'z'].map((_, i) => candidate('a', [BigInt(10_000 + i)]))
    expect(judged(feedForTest(), one)).toMatchObject({ status: 'NO_DATA' })
    // Of three in a group the middle one speaks, however new a wild one is.
    const wild = candidate('a', [15_000n], { observedAtMs: nowMs })
    const others = ['b', 'c'].map((group) => candidate(group, [10_002n]))
    expect(judged(feedForTest(), [...one.slice(0, 2), wild, ...others])).toMatchObject({
      status: 'OK',
      groups: 3,
      values: [10_002n],
      spreadPpm: 499_900,
    })
  })

  it('is never clamped: out of bounds is OUT_OF_RANGE with the value (I28)', () => {
    const feed = feedForTest({ bounds: { min: 10_000n, max: 20_000n, change: null } })
    expect(judged(feed, prices(9_990, 9_991, 9_992))).toMatchObject({ status: 'OUT_OF_RANGE', values: [9_991n] })
    expect(judged(feed, prices(20_001, 20_001, 20_001))).toMatchObject({ status: 'OUT_OF_RANGE', values: [20_001n] })
    expect(judged(feed, prices(20_000, 20_000, 20_000))).toMatchObject({ status: 'OK' })
  })

  it('says HALT after a change larger than its window allows (I42)', () => {
    const feed = feedForTest({ bounds: { min: null, max: null, change: { maxPpm: 500_000, windowS: 300 } } })
    const past = [{ atMs: nowMs - 200_000, value: 5_000n }]
    expect(judged(feed, prices(10_000, 10_000, 10_000), { past })).toMatchObject({ status: 'HALT', values: [10_000n] })
    const old = [{ atMs: nowMs - 301_000, value: 5_000n }]
    expect(judged(feed, prices(10_000, 10_000, 10_000), { past: old })).toMatchObject({ status: 'OK' })
    expect(judged(feed, prices(7_500, 7_500, 7_500), { past })).toMatchObject({ status: 'OK' })
  })

  it('says LOW_LIQUIDITY when bid and ask are far apart (I32)', () => {
    const feed = feedForTest({ bidAskPpmMax: 10_000 })
    const wide = [10_001, 10_002, 10_003].map((value, i) =>
      candidate(groups[i]!, [BigInt(value)], { bidAskPpm: i === 0 ? 100 : 20_000 }),
    )
    expect(judged(feed, wide)).toMatchObject({ status: 'LOW_LIQUIDITY', values: [10_002n] })
    // Who gives no bid and ask has an empty book, for all one knows.
    expect(judged(feed, prices(10_001, 10_002, 10_003))).toMatchObject({ status: 'LOW_LIQUIDITY' })
    const narrow = wide.map((one) => ({ ...one, bidAskPpm: 100 }))
    expect(judged(feed, narrow)).toMatchObject({ status: 'OK', values: [10_002n] })
  })

  it('says LOW_CONFIDENCE at best with one origin (I25)', () => {
    const feed = feedForTest({
      singleSource: 'one authority',
      combineSources: { minSources: 1, minGroups: 1, outlierPpm: null },
    })
    expect(judged(feed, prices(10_000))).toMatchObject({ status: 'LOW_CONFIDENCE', groups: 1, values: [10_000n] })
  })

  it('takes the lower median of source times', () => {
    const candidates = [1, 2, 3, 4].map((s, i) => candidate(groups[i]!, [10_000n], { observedAtMs: nowMs - 1000 * s }))
    expect(judged(feedForTest(), candidates)).toMatchObject({ timeMs: nowMs - 3000 })
  })

  it('lies between two of the answers, and moves by less than the outlier bound with one liar (1,000 cases)', () => {
    const honest = fc.array(fc.integer({ min: 99_500, max: 100_500 }), { minLength: 4, maxLength: 4 })
    fc.assert(
      fc.property(honest, fc.integer({ min: -1_000_000, max: 10_000_000 }), (values, lie) => {
        const { values: cells, status } = judge(feedForTest(), prices(...values, lie), {
          nowMs,
          last: null,
          past: [],
        }).reading
        expect(status).toBeLessThanOrEqual(1)
        const price = Number(cells![0])
        expect(price).toBeGreaterThanOrEqual(Math.min(...values))
        expect(price).toBeLessThanOrEqual(Math.max(...values))
      }),
      { numRuns: 1000, seed: 7 },
    )
  })
})

describe('a feed of events', () => {
  const feed = feedForTest({
    leaves: [
      {
        key: 'eventId',
        name: 'eventId',
        type: 'string',
        combine: 'identity',
        decimals: 0,
        isPriced: false,
        bytesMax: 64,
      },
      { key: 'magnitude', name: 'magnitude', type: 'int64', combine: 'median', decimals: 2, isPriced: false },
      { key: 'place', name: 'place', type: 'string', combine: 'majority', decimals: 0, isPriced: false, bytesMax: 64 },
    ],
    combineSources: { minSources: 3, minGroups: 2, outlierPpm: null },
  })

  it('keeps the answers about the event that most groups name', () => {
    const reading = judged(feed, [
      candidate('a', ['us1', 510n, 'Chile']),
      candidate('b', ['us1', 530n, 'Chile']),
      candidate('c', ['ci9', 900n, 'Utah']),
    ])
    expect(reading).toMatchObject({ values: ['us1', 510n, 'Chile'], groups: 2, outliers: [2] })
  })

  it('has no value without a majority on the event, or on a text', () => {
    const split = ['us1', 'us2', 'us3'].map((id, i) => candidate(groups[i]!, [id, 500n, 'Chile']))
    expect(judged(feed, split)).toMatchObject({ status: 'NO_DATA', values: null })
    const places = ['Chile', 'Peru', 'Utah'].map((place, i) => candidate(groups[i]!, ['us1', 500n, place]))
    expect(judged(feed, places)).toMatchObject({ status: 'NO_DATA', values: null })
  })
})

describe('ppmOf', () => {
  it('is exact, and bounded', () => {
    expect(ppmOf(100n, 101n, 100n)).toBe(10_000)
    expect(ppmOf(-100n, -101n, -100n)).toBe(10_000)
    expect(ppmOf(0n, 0n, 0n)).toBe(0)
    expect(ppmOf(0n, 1n, 0n)).toBe(0xffff_ffff)
    expect(ppmOf(1n, 2n ** 63n, 1n)).toBe(0xffff_ffff)
  })
})
