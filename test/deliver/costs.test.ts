// What updates cost: every wei is somebody's, days are UTC days, old ones go.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Cost, createCosts } from '../../src/deliver/costs.js'

const day = 86_400_000
let made = 0
/** A cost of another job each time. */
const costOf = (changes: Partial<Cost> = {}): Cost => {
  const n = made++
  const paid = { isReverted: false, gasUsed: 100n, feeWei: 1000n }
  return { job: `job-${n}`, txHash: `0x${n}`, atMs: 0, target: '1/0xaa', feeds: ['a'], ...paid, ...changes }
}

describe('costs', () => {
  it('are shared out to the last wei', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 80n }), fc.integer({ min: 1, max: 40 }), (feeWei, count) => {
        const costs = createCosts()
        const feeds = Array.from({ length: count }, (_, i) => `feed-${i}`)
        const some = costOf({ feeds, feeWei, gasUsed: feeWei / 3n })
        const undone = { ...some, job: 'undone' }
        costs.add(some)
        costs.add(undone)
        costs.remove('undone')
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
    costs.add(costOf({ atMs: day - 1 }))
    costs.add(costOf({ atMs: day, feeds: ['b', 'a'] }))
    costs.add(costOf({ atMs: day, isReverted: true }))
    costs.add(costOf({ atMs: day, target: '2/0xaa' }))
    expect(costs.rows()).toEqual([
      { day: '1970-01-01', target: '1/0xaa', feed: 'a', updates: 1, reverted: 0, gasUsed: 100n, feeWei: 1000n },
      { day: '1970-01-02', target: '1/0xaa', feed: 'a', updates: 1, reverted: 1, gasUsed: 150n, feeWei: 1500n },
      { day: '1970-01-02', target: '1/0xaa', feed: 'b', updates: 1, reverted: 0, gasUsed: 50n, feeWei: 500n },
      { day: '1970-01-02', target: '2/0xaa', feed: 'a', updates: 1, reverted: 0, gasUsed: 100n, feeWei: 1000n },
    ])
  })

  it('are kept for as many days as asked', () => {
    const costs = createCosts(2)
    for (const at of [3, 1, 2, 4]) costs.add(costOf({ atMs: at * day }))
    expect(costs.rows().map((row) => row.day)).toEqual(['1970-01-04', '1970-01-05'])
  })
  it('are counted once a transaction and once a job, however often they are told, also after a restart', () => {
    const first = costOf({ atMs: day - 1 })
    const costs = createCosts()
    expect(costs.add(first)).toBe(true)
    const rows = costs.rows()
    expect(costs.add({ ...first, atMs: day + 1 })).toBe(false)
    expect(costs.rows()).toBe(rows)
    const later = createCosts(35, costs.kept())
    expect(later.rows()).toEqual(costs.rows())
    expect(later.add(first)).toBe(false)
    // A reorganisation that nobody told of: the job ended with another attempt.
    later.add({ ...first, txHash: '0xother', feeWei: 7n, atMs: day })
    expect(later.rows()).toMatchObject([{ day: '1970-01-02', updates: 1, feeWei: 7n }])
    expect([later.remove(first.job), later.remove(first.job)]).toEqual([true, false])
    expect(later.rows()).toEqual([])
  })

  it('forget what is old or too much, never what is new', () => {
    const costs = createCosts()
    for (let i = 0; i < 5000; i++) costs.add(costOf({ job: `many-${i}`, atMs: i }))
    expect(costs.kept().recent.map(({ job }) => job)).toEqual(Array.from({ length: 4096 }, (_, i) => `many-${i + 904}`))
    costs.add(costOf({ job: 'late', atMs: 2 * day + 4998 }))
    expect(costs.kept().recent.map(({ job }) => job)).toEqual(['many-4999', 'late'])
    expect(costs.rows().reduce((sum, { updates }) => sum + updates, 0)).toBe(5001)
  })
})
