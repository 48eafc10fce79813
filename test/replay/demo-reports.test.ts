// Percentiles of latency: true to 1 %, at a cost that does not grow with the reports.

import { expect, it } from 'vitest'
import { countLatencies } from '../../src/cli/demo-reports.js'

it('are true to 1 %, from hundredths of a millisecond to minutes', () => {
  const latencies = countLatencies()
  expect([latencies.at(0.5), latencies.at(0.99)]).toEqual([0, 0])
  const all = Array.from({ length: 1001 }, (_, i) => 0.02 * 1.013 ** ((i * 617) % 1001))
  for (const ms of all) latencies.add(ms)
  const sorted = all.toSorted((a, b) => a - b)
  for (const share of [0.01, 0.25, 0.5, 0.9, 0.99, 1]) {
    const exact = sorted[Math.ceil(share * sorted.length) - 1]!
    expect(Math.abs(latencies.at(share) - exact)).toBeLessThanOrEqual(0.01 * exact + 0.005)
  }
  latencies.add(0)
  expect(latencies.at(0.0001)).toBe(0)
})

it('cost the same after a million reports', () => {
  const latencies = countLatencies()
  for (let i = 0; i < 1_000_000; i++) latencies.add(5 + (i % 10))
  const beganMs = performance.now()
  for (let i = 0; i < 1000; i++) latencies.at(0.99)
  // A sort of them all takes a hundred milliseconds, once.
  expect(performance.now() - beganMs).toBeLessThan(1000)
})
