// What updates cost: every wei is somebody's, days are UTC days, old ones go.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createCosts } from '../../src/deliver/costs.js'

const day = 86_400_000
const cost = { atMs: 0, target: '1/0xaa', feeds: ['a'], isReverted: false, gasUsed: 100n, feeWei: 1000n }

describe('costs', () => {
  it('are shared out to the last wei', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 80n }), fc.integer({ min: 1, max: 40 }), (feeWei, count) => {
        const costs = createCosts()
        const feeds = Array.from({ length: count }, (_, i) => `feed-${i}`)
        const some = { ...cost, feeds, feeWei, gasUsed: feeWei / 3n }
        costs.add(some)
        costs.add(some)
        costs.remove(some)
        const fees = costs.rows().map((row) => row.feeWei)
        expect(fees.reduce((a, b) => a + b, 0n)).toBe(feeWei)
        expect(costs.rows().reduce((sum, row) => sum + row.gasUsed, 0n)).toBe(feeWei / 3n)
        const sorted = [...fees].sort((a, b) => (a < b ? -1 : 1))
        expect(sorted.at(-1)! - sorted[0]!).toBeLessThanOrEqual(1n)
      }),
      { seed: 5 },
    )
  })

  it('stand by day, store and feed; what was paid in vain is counted apart', () => {
    const costs = createCosts()
    costs.add({ ...cost, atMs: day - 1 })
    costs.add({ ...cost, atMs: day, feeds: ['b', 'a'] })
    costs.add({ ...cost, atMs: day, isReverted: true })
    costs.add({ ...cost, atMs: day, target: '2/0xaa' })
    expect(costs.rows()).toEqual([
      { day: '1970-01-01', target: '1/0xaa', feed: 'a', updates: 1, reverted: 0, gasUsed: 100n, feeWei: 1000n },
      { day: '1970-01-02', target: '1/0xaa', feed: 'a', updates: 1, reverted: 1, gasUsed: 150n, feeWei: 1500n },
      { day: '1970-01-02', target: '1/0xaa', feed: 'b', updates: 1, reverted: 0, gasUsed: 50n, feeWei: 500n },
      { day: '1970-01-02', target: '2/0xaa', feed: 'a', updates: 1, reverted: 0, gasUsed: 100n, feeWei: 1000n },
    ])
  })

  it('are kept for as many days as asked', () => {
    const costs = createCosts(2)
    for (const at of [3, 1, 2, 4]) costs.add({ ...cost, atMs: at * day })
    expect(costs.rows().map((row) => row.day)).toEqual(['1970-01-04', '1970-01-05'])
  })
})
