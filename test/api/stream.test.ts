// The stream: reports as they come, what was missed after a break, and an end to readers that do not read.

import { connect, type Socket } from 'node:net'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { queueMax, readersOfLoopbackMax } from '../../src/api/limits.js'
import { keysOf } from '../../src/core/committee.js'
import type { Reading } from '../../src/core/layout.js'
import { verifyReport } from '../../src/core/verify-report.js'
import { validators } from '../../src/schema/generated/validators.js'
import { type Served, serve, textsAt, timeOf, wordy } from './served.js'

let served: Served
let ending: AbortController
beforeEach(async () => {
  served = await serve()
  ending = new AbortController()
})
afterEach(async () => {
  ending.abort()
  await served.close()
})

/** The next `count` events of a stream that is then left open. */
async function events(
  query: string,
  headers: Record<string, string> = {},
): Promise<(count: number) => Promise<EventSourceMessage[]>> {
  const response = await served.get(`/v1/stream${query}`, { headers, signal: ending.signal })
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
  const reader = response.body!.getReader()
  const found: EventSourceMessage[] = []
  const parser = createParser({ onEvent: (event) => found.push(event) })
  return async (count) => {
    while (found.length < count) {
      const { done, value } = await reader.read()
      if (done) throw new Error('the stream ended')
      parser.feed(Buffer.from(value).toString())
    }
    return found.splice(0, count)
  }
}
const ids = (told: readonly EventSourceMessage[]): (string | undefined)[] => told.map((event) => event.id)

describe('a reader', () => {
  it('gets the newest report at once, then each that comes, with every feed', async () => {
    await served.report(1)
    await served.report(2)
    const next = await events('')
    const [first] = await next(1)
    expect([first!.event, first!.id]).toEqual(['report', '12/2'])
    const body = JSON.parse(first!.data)
    expect(validators['api/stream-event']!(body)).toBe(true)
    expect(body.feeds.length).toBe(6)
    expect(body).toMatchObject({ epoch: 12, round: 2, attestedAtMs: timeOf(2) })
    expect(body.feeds[0]).toMatchObject({ name: 'btc-usd', value: '64000.00000002', status: 'OK' })
    await served.report(3)
    await served.report(4)
    expect(ids(await next(2))).toEqual(['12/3', '12/4'])
  })

  it('gets the feeds it asks for, as reports when it wants to verify', async () => {
    await served.report(1)
    const [some] = await (await events('?feeds=quake,btc-usd'))(1)
    expect(JSON.parse(some!.data).feeds.map((feed: { name: string }) => feed.name)).toEqual(['btc-usd', 'quake'])
    const [whole] = await (await events('?reports=true&feeds=quake'))(1)
    const verdict = verifyReport(served.engine, Buffer.from(whole!.data), keysOf(served.committee), { nowMs: 'any' })
    expect(verdict.ok && verdict.report.bundles.length).toBe(1)
  })

  it('goes on after the last event it had, by header or by query', async () => {
    for (let round = 1; round <= 6; round++) await served.report(round)
    const byHeader = await events('', { 'last-event-id': '12/3' })
    expect(ids(await byHeader(3))).toEqual(['12/4', '12/5', '12/6'])
    const byQuery = await events('?after=12/4')
    expect(ids(await byQuery(2))).toEqual(['12/5', '12/6'])
    await served.report(7)
    expect(ids(await byHeader(1))).toEqual(['12/7'])
    expect(ids(await byQuery(1))).toEqual(['12/7'])
    for (const strange of ['12/99', 'x', '4294967308/5']) {
      const fresh = await events('', { 'last-event-id': strange })
      expect(ids(await fresh(1))).toEqual(['12/7'])
    }
  })

  it('is told of the times it missed when they are too many', async () => {
    for (let round = 1; round <= 300; round++) await served.report(round)
    const next = await events('?feeds=quake&after=12/10')
    const told = await next(257)
    expect(told[0]!.event).toBe('gap')
    expect(JSON.parse(told[0]!.data)).toEqual({ fromMs: timeOf(10) + 1, toMs: timeOf(45) - 1 })
    expect(ids(told.slice(1))).toEqual(Array.from({ length: 256 }, (_, i) => `12/${45 + i}`))
  })
})

describe('limits', () => {
  it('drop a reader that does not read, and keep the others', async () => {
    const large = await serve(wordy)
    await served.close()
    served = large
    const texts = (round: number): Reading[] => textsAt(large, round)
    await served.report(1, texts(1))
    const next = await events('?feeds=text-1')
    await next(1)
    const { hostname, port } = new URL(served.api.url)
    const lazy = await new Promise<Socket>((resolve) => {
      const socket = connect(Number(port), hostname, () => resolve(socket))
    })
    const gone = new Promise((resolve) => lazy.once('close', resolve))
    lazy.on('error', () => undefined)
    lazy.pause()
    lazy.write('GET /v1/stream?reports=true HTTP/1.1\r\nhost: a\r\n\r\n')
    const readersNow = async (): Promise<number> =>
      Number(/assay_stream_readers\{[^}]*\} (\d+)/.exec(await (await served.get('/metrics')).text())![1])
    expect(await readersNow()).toBe(2)
    // More than the sockets' buffers hold; then more slots than the queue does.
    for (let round = 2; round <= 60; round++) await served.report(round, texts(round))
    expect(ids(await next(59)).at(-1)).toBe('12/60')
    expect(await readersNow()).toBe(2)
    for (let round = 1000; round < 1000 + queueMax; round++) {
      served.announce({ epoch: 12, round })
      if (round % 64 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(await readersNow()).toBe(1)
    await served.report(61, texts(61))
    expect(ids(await next(1))).toEqual(['12/61'])
    lazy.resume()
    await gone
  })

  it('refuse one reader of this machine too many', async () => {
    await served.report(1)
    const open = await Promise.all(
      Array.from({ length: readersOfLoopbackMax }, () => served.get('/v1/stream', { signal: ending.signal })),
    )
    expect(open.every((response) => response.status === 200)).toBe(true)
    const refused = await served.get('/v1/stream')
    const { error } = (await refused.json()) as { error: { code: string } }
    expect([refused.status, error.code]).toEqual([503, 'API_BUSY'])
  })

  it('close with the API', async () => {
    await served.report(1)
    const young = await serve()
    await young.report(1)
    const response = await young.get('/v1/stream')
    const ended = response.text().then(
      () => 'ended',
      () => 'broke off',
    )
    await young.close()
    expect(['ended', 'broke off']).toContain(await ended)
  })
})
