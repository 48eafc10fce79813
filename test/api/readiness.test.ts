// Readiness over time: silence makes an oracle unready, a report makes it ready again.

import { afterEach, expect, it, vi } from 'vitest'
import { followReadiness } from '../../src/api/readiness.js'
import { type Served, serve } from './served.js'

let served: Served
afterEach(async () => {
  vi.useRealTimers()
  await served.close()
})

it('ends after max(10 s, 5 rounds) without a report, and comes back with one', async () => {
  served = await serve((document) => {
    document.timing['roundMs'] = 3000
    document.timing['progressMs'] = 12_000
  })
  await served.report(1)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const readiness = followReadiness(served.view)
  const codes = (): string[] => readiness.reasons().map((reason) => reason.code)
  expect(codes()).toEqual([])
  vi.advanceTimersByTime(14_999)
  expect(codes()).toEqual([])
  vi.advanceTimersByTime(1)
  expect(readiness.reasons()).toEqual([{ code: 'NO_REPORT', sentence: 'No report came for 15 s.' }])
  await served.report(2)
  expect(codes()).toEqual([])
  vi.advanceTimersByTime(15_000)
  expect(codes()).toEqual(['NO_REPORT'])
  readiness.close()
})

it('is not there at start when the stored report is old', async () => {
  served = await serve()
  await served.report(1)
  served.nowMs += 60_000
  const readiness = followReadiness(served.view)
  expect(readiness.reasons().map((reason) => reason.code)).toEqual(['NO_REPORT'])
  readiness.close()
})
