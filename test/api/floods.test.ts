// Answers under floods and faults: walks are shared, a damaged store leaves numbers, and every refusal has its headers.

import { connect } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { headers } from '../../src/api/headers.js'
import { keepAnswer } from '../../src/api/keep-answer.js'
import { keptAnswerMs } from '../../src/api/limits.js'
import { OracleError } from '../../src/base/errors.js'
import type { Slot } from '../../src/core/messages.js'
import { type Served, serve } from './served.js'

let served: Served
beforeAll(async () => {
  served = await serve()
  await served.report(1)
})
afterAll(() => served.close())

it('an answer is kept for a short while or until a report, a failure never', () => {
  let nowMs = 5
  let made = 0
  let tell: (slot: Slot) => void = () => undefined
  const onReport = (listener: typeof tell): (() => void) => {
    tell = listener
    return () => undefined
  }
  const make = (): number => {
    if (nowMs === 0) throw new Error('not now')
    return ++made
  }
  const { get } = keepAnswer({ onReport }, make, () => nowMs)
  expect([get(), get()]).toEqual([1, 1])
  nowMs += keptAnswerMs - 1
  expect(get()).toBe(1)
  nowMs += 1
  expect(get()).toBe(2)
  tell({ epoch: 1, round: 1 })
  expect(get()).toBe(3)
  tell({ epoch: 1, round: 2 })
  nowMs = 0
  expect(get).toThrow('not now')
  nowMs = 1
  expect(get()).toBe(4)
})

it('a flood of questions about sources and metrics walks over them a few times', async () => {
  let walks = 0
  const { sources } = served.view
  Object.assign(served.view, {
    sources: () => {
      walks++
      return sources()
    },
  })
  const beganMs = performance.now()
  for (let i = 0; i < 20; i++) {
    const answers = Array.from({ length: 10 }, (_, k) => served.get(k % 2 === 0 ? '/v1/sources' : '/metrics'))
    expect((await Promise.all(answers)).every((answer) => answer.status === 200)).toBe(true)
  }
  const lastedMs = performance.now() - beganMs
  expect(walks).toBeLessThanOrEqual(2 * (1 + lastedMs / keptAnswerMs))
  Object.assign(served.view, { sources })
})

it('metrics of a damaged store leave out what a report would say, count it, and come back', async () => {
  const metrics = async (): Promise<string> => {
    const response = await served.get('/metrics')
    expect(response.status).toBe(200)
    return response.text()
  }
  const { store } = served.view
  expect(await metrics()).toMatch(/^assay_feed_status\{.*feed="quake"/m)
  const latest = (): never => {
    throw new OracleError('REPORT_STORE_DAMAGED', 'the report fails its checksum')
  }
  Object.assign(served.view, { store: { ...store, latest } })
  served.announce({ epoch: 12, round: 2 })
  const text = await metrics()
  expect(text).not.toMatch(/^assay_feed_(age_seconds|status|groups|spread_ppm)\{/m)
  expect(text).toMatch(/^assay_report_read_failures_total\{.*\} 1$/m)
  expect(text).toMatch(/^assay_sources\{/m)
  expect(text).toMatch(/^assay_reports_total\{.*\} 1$/m)
  Object.assign(served.view, { store })
  served.announce({ epoch: 12, round: 2 })
  expect(await metrics()).toMatch(/^assay_feed_status\{.*feed="quake"/m)
})

it.each([
  ['a request that is none', 'nonsense\r\n\r\n', 400],
  ['too many headers', `GET / HTTP/1.1\r\nhost: a\r\n${`x: ${'a'.repeat(200)}\r\n`.repeat(45)}\r\n`, 431],
  ['no host', 'GET /v1/feeds HTTP/1.1\r\nconnection: close\r\n\r\n', 400],
  ['an expectation', 'GET /v1/feeds HTTP/1.1\r\nhost: a\r\nexpect: wonders\r\nconnection: close\r\n\r\n', 200],
  ['a broken escape', 'GET /v1/feeds/%ff HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', 400],
  ['another method', 'BREW /v1/feeds HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', 400],
])('the answer to %s has every header of the house', async (_, text, status) => {
  const { hostname, port } = new URL(served.api.url)
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(text))
    let told = ''
    socket.on('data', (chunk) => {
      told += chunk
    })
    socket.on('close', () => resolve(told))
    socket.on('error', reject)
  })
  expect(answer.slice(0, 12)).toBe(`HTTP/1.1 ${status}`)
  const head = answer.split('\r\n\r\n')[0]!.toLowerCase().split('\r\n')
  for (const [name, value] of Object.entries(headers)) expect(head).toContain(`${name}: ${value}`.toLowerCase())
})
