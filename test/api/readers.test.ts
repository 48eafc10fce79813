// Many readers of the stream: none locks others out, and those who catch up are no burden to the rest.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { followLatest } from '../../src/api/latest.js'
import { readersMax, readersOfAddressMax, turnBytesMax, waitingMax } from '../../src/api/limits.js'
import type { NodeView } from '../../src/api/node-view.js'
import { keepOldReports } from '../../src/api/old-reports.js'
import { readerAddress } from '../../src/api/reader-address.js'
import { createStream } from '../../src/api/stream.js'
import { createTurns, shareTurns } from '../../src/api/turns.js'
import { OracleError } from '../../src/base/errors.js'
import { type Served, serve, textsAt, wordy } from './served.js'

let served: Served
let ending: AbortController
beforeEach(async () => {
  served = await serve(wordy)
  ending = new AbortController()
})
afterEach(async () => {
  ending.abort()
  await served.close()
})
/** Puts `change` in the place of what the API sees of its store. */
function changeStore(change: Partial<NodeView['store']>): void {
  Object.assign(served.view, { store: { ...served.store, ...change } })
}
const damaged = (): never => {
  throw new OracleError('REPORT_STORE_DAMAGED', 'the report fails its checksum')
}
/** The text of a stream until `count` reports are in it. */
async function follow(query: string, count: number): Promise<string> {
  const response = await served.get(`/v1/stream${query}`, { signal: ending.signal })
  let text = ''
  for await (const chunk of response.body!) {
    text += Buffer.from(chunk).toString()
    if (text.split('event: report').length > count && text.endsWith('\n\n')) break
  }
  return text
}

it.each([
  ['127.0.0.1', 'loopback'],
  ['127.8.9.1', 'loopback'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::1', 'loopback'],
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::9', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
])('the address %s counts as %s', (remote, counted) => {
  expect(readerAddress(remote)).toBe(counted)
})

describe('places in the stream', () => {
  it('are few for one address, and a full house makes room by the oldest of the address with most', async () => {
    const latest = followLatest(served.view)
    const stream = createStream(served.view, latest, keepOldReports(served.view), createTurns())
    const closed: string[] = []
    const server = createServer((request, response) => {
      const [, address, name] = request.url!.split('/') as [string, string, string]
      response.on('close', () => closed.push(`${address}/${name}`))
      if (stream.hasRoom(address)) stream.serve(response, { address, after: null, feeds: [0], asReport: false })
      else response.writeHead(503).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const come = async (address: string, name: number): Promise<number> =>
      (await fetch(`${url}/${address}/${name}`, { signal: ending.signal })).status
    try {
      const houses = readersMax / readersOfAddressMax
      for (let i = 0; i < readersOfAddressMax; i++)
        for (let house = 0; house < houses; house++) expect(await come(`h${house}`, i)).toBe(200)
      expect(stream.readers()).toBe(readersMax)
      expect(await come('h3', 99)).toBe(503)
      closed.length = 0
      expect(await come('late', 0)).toBe(200)
      expect(await come('late', 1)).toBe(200)
      expect(stream.readers()).toBe(readersMax)
      await expect.poll(() => closed).toEqual(['h0/0', 'h1/0'])
      // Whoever has no more than the newcomer would have is not driven out.
      for (let i = 2; i < readersOfAddressMax - 1; i++) expect(await come('late', i)).toBe(200)
      expect(stream.hasRoom('late')).toBe(false)
      expect(stream.hasRoom('another')).toBe(true)
    } finally {
      stream.close()
      latest.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  })

  it('are free again when a report cannot be read', async () => {
    await served.report(1, textsAt(served, 1))
    await served.report(2, textsAt(served, 2))
    changeStore({ bySlot: damaged })
    await expect(follow('?after=12/1', 1)).rejects.toThrow()
    changeStore({ latest: damaged })
    served.announce({ epoch: 12, round: 2 })
    const refused = await served.get('/v1/stream')
    expect([refused.status, await refused.json()]).toMatchObject([500, { error: { code: 'REPORT_STORE_DAMAGED' } }])
    expect(await (await served.get('/metrics')).text()).toMatch(/^assay_stream_readers\{.*\} 0$/m)
  })
})

describe('readers that catch up', () => {
  it('look for what they missed page by page, with turns of the event loop between', async () => {
    for (let round = 1; round <= 60; round++) await served.report(round, textsAt(served, round))
    const pages: { limit: number; loop: number }[] = []
    let loop = 0
    let isOver = false
    const count = (): void => {
      loop++
      if (!isOver) setImmediate(count)
    }
    count()
    changeStore({
      history: (span, read) => {
        pages.push({ limit: span.limit!, loop })
        return served.store.history(span, read)
      },
    })
    const text = await follow('?feeds=text-1&after=12/10', 50)
    isOver = true
    const rounds = [...text.matchAll(/^id: 12\/(\d+)$/gm)].map((match) => Number(match[1]))
    expect(rounds).toEqual(Array.from({ length: 50 }, (_, i) => 11 + i))
    const { bytesMax } = served.kernel.layout
    expect(pages.length).toBeGreaterThan(3)
    expect(pages.every(({ limit }) => limit * bytesMax <= turnBytesMax)).toBe(true)
    expect(new Set(pages.map((page) => page.loop)).size).toBe(pages.length)
  })

  it('are sent no report twice and none too few when new ones come meanwhile', async () => {
    for (let round = 1; round <= 40; round++) await served.report(round, textsAt(served, round))
    let coming: Promise<unknown> | null = null
    changeStore({
      history: (span, read) => {
        coming ??= served.report(41, textsAt(served, 41)).then(() => served.report(42, textsAt(served, 42)))
        return served.store.history(span, read)
      },
    })
    const text = await follow('?feeds=text-1&after=12/2', 40)
    const rounds = [...text.matchAll(/^id: 12\/(\d+)$/gm)].map((match) => Number(match[1]))
    expect(rounds).toEqual(Array.from({ length: 40 }, (_, i) => 3 + i))
    await coming
  })

  it('share what they read', async () => {
    for (let round = 1; round <= 20; round++) await served.report(round, textsAt(served, round))
    let reads = 0
    changeStore({
      bySlot: (slot) => {
        reads++
        return served.store.bySlot(slot)
      },
    })
    const readers = 30
    await Promise.all(Array.from({ length: readers }, () => follow('?feeds=text-1&after=12/1', 19)))
    // One for each reader's place, and hardly more than one for each report.
    expect(reads - readers).toBeLessThan(2 * 20)
  })

  it('leave the queue to others, and wait in order', async () => {
    const takeTurn = createTurns()
    const takeShared = shareTurns(takeTurn)
    const order: string[] = []
    const resumed = Array.from({ length: 2 * waitingMax }, async (_, i) => {
      await takeShared()
      order.push(`resumed ${i}`)
    })
    await takeTurn()
    order.push('history')
    await Promise.all(resumed)
    expect(order.indexOf('history')).toBeLessThanOrEqual(2)
    expect(order.filter((name) => name !== 'history')).toEqual(resumed.map((_, i) => `resumed ${i}`))
    // Their seat is theirs also when the queue is full.
    const full = Array.from({ length: waitingMax }, () => takeTurn())
    await Promise.all([takeShared(), ...full])
  })
})
