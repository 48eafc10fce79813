// The client before an honest server: proven values, and no use of what is stale or not OK unless asked for.

import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { OracleError } from '../../src/base/errors.js'
import { type Client, createClient, type Trust } from '../../src/client/create-client.js'
import { toHex } from '../../src/core/bytes.js'
import { keysOf } from '../../src/core/committee.js'
import { statusCodes } from '../../src/core/status.js'
import { readingsAt, type Served, serve, timeOf } from '../api/served.js'
import { type Liar, startLiar } from './liar.js'

let served: Served
let trusts: Record<string, Trust>
beforeAll(async () => {
  served = await serve()
  trusts = {
    document: { document: served.document },
    keys: { keys: keysOf(served.committee) },
    salt: { salt: toHex(served.committee.salt) },
  }
  for (let round = 1; round <= 12; round++) {
    const readings = readingsAt(round)
    readings[1] = { ...readings[1]!, status: statusCodes.DIVERGED }
    if (round === 4) readings[0] = { status: statusCodes.NO_DATA, groups: 0, spreadPpm: 0, timeMs: 0, values: null }
    readings[2] = { ...readings[2]!, timeMs: readings[2]!.timeMs - 61_000 }
    await served.report(round, readings)
  }
})
afterAll(() => served.close())

let nowMs = 0
beforeEach(() => {
  nowMs = timeOf(12) + 1000
})
const clientOf = (trust: Trust = trusts['document']!, url = served.api.url): Client =>
  createClient({ url, committee: trust, nowMs: () => nowMs })

/** Code of the OracleError that `promise` ends in. */
async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'ok'
  } catch (error) {
    if (error instanceof OracleError) return error.code
    throw error
  }
}

describe.each(['document', 'keys', 'salt'])('pinned by %s', (kind) => {
  it('gives a feed with its proof’s facts', async () => {
    const feed = await clientOf(trusts[kind]).feed('btc-usd')
    expect(feed).toMatchObject({
      name: 'btc-usd',
      value: '64000.00000012',
      status: 'OK',
      unit: 'USD',
      epoch: 12,
      round: 12,
    })
    expect([feed.ageMs, feed.attestedAtMs]).toEqual([1100, timeOf(12)])
    expect((await clientOf(trusts[kind]).report(12, 3)).bundles.length).toBe(4)
  })
})

describe('use', () => {
  it('is refused for what is not OK or stale, unless asked for', async () => {
    const client = clientOf()
    expect(await codeOf(client.feed('eth-usd'))).toBe('REPORT_STATUS')
    expect((await client.feed('eth-usd', { accept: ['OK', 'DIVERGED'] })).value).toBe('3123.45000000')
    expect(await codeOf(client.feed('ams-temperature'))).toBe('REPORT_STALE')
    expect(await codeOf(client.feed('btc-usd', { maxAgeMs: 1099 }))).toBe('REPORT_STALE')
    expect((await client.feed('btc-usd', { maxAgeMs: 1100 })).value).toBe('64000.00000012')
    nowMs = timeOf(12) - 100 + 60_000
    expect((await client.feed('btc-usd')).ageMs).toBe(60_000)
    nowMs++
    expect(await codeOf(client.feed('btc-usd'))).toBe('REPORT_STALE')
    nowMs = 0 // a reader's clock that stands still makes nothing young
    expect(await codeOf(client.feed('btc-usd', { maxAgeMs: 99 }))).toBe('REPORT_STALE')
  })

  it('is told feed by feed', async () => {
    const feeds = await clientOf().feeds()
    const told = [...feeds].map(([name, result]) => `${name}: ${result.ok ? 'ok' : result.code}`)
    expect(told).toEqual([
      'btc-usd: ok',
      'eth-usd: REPORT_STATUS',
      'ams-temperature: REPORT_STALE',
      'ams-runway-open: ok',
      'btc-usd-candle: ok',
      'quake: ok',
    ])
    const diverged = feeds.get('eth-usd')!
    expect(diverged).toMatchObject({ ok: false, status: 'DIVERGED' })
    expect(JSON.stringify(diverged)).not.toContain('3123')
  })

  it('needs a name that the committee has', async () => {
    expect(await codeOf(clientOf().feed('doge-usd'))).toBe('CLIENT_FEED_UNKNOWN')
    expect(await codeOf(clientOf(trusts['keys']).feed('doge-usd'))).toBe('CLIENT_REFUSED')
    expect(await codeOf(clientOf(trusts['keys']).feed('../../v1/peers?'))).toBe('CLIENT_REFUSED')
    expect(await codeOf(clientOf().report(12, 99))).toBe('CLIENT_REFUSED')
  })
})

describe('history', () => {
  it('is proven report by report, each judged at its own time', async () => {
    nowMs = timeOf(1_000_000)
    const past = await clientOf().history('btc-usd', { fromMs: timeOf(3), toMs: timeOf(5) })
    expect(past.map(({ round, result }) => [round, result.ok ? result.feed.value : result.code])).toEqual([
      [3, '64000.00000003'],
      [4, 'REPORT_STATUS'],
      [5, '64000.00000005'],
    ])
    const newest = await clientOf().history('btc-usd', { limit: 10, reverse: true })
    expect(newest.map(({ round }) => round)).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3])
    expect(await codeOf(clientOf().history('btc-usd', { limit: 1001 }))).toBe('CLIENT_REFUSED')
  })
})

describe('a subscription', () => {
  let own: Served
  let liar: Liar
  beforeEach(async () => {
    own = await serve()
    liar = await startLiar(own.api.url)
    return async () => {
      await liar.close()
      await own.close()
    }
  })

  it('goes on where it was when the connection breaks', async () => {
    await own.report(1)
    const client = createClient({ url: liar.url, committee: { document: own.document }, nowMs: () => timeOf(6) })
    const rounds: number[] = []
    for await (const update of client.subscribe(['quake', 'btc-usd'])) {
      rounds.push(update.round)
      expect(update.feeds.map((result) => result.name)).toEqual(['quake', 'btc-usd'])
      expect(update.feeds.every((result) => result.ok)).toBe(true)
      if (update.round === 1) {
        // The connection ends, the next try meets an overloaded server, and three reports come meanwhile.
        liar.breakAll()
        liar.lie = (_, response) => {
          liar.lie = null
          response.writeHead(503).end('{}')
        }
        for (const round of [2, 3, 4]) await own.report(round)
      }
      if (update.round === 4) await own.report(5)
      if (update.round === 5) break
    }
    expect(rounds).toEqual([1, 2, 3, 4, 5])
    expect(liar.asked.map((path) => /after=(.*)/.exec(path)?.[1])).toEqual([undefined, '12/1', '12/1'])
  })

  it('ends when its signal aborts, also while it waits', async () => {
    await own.report(1)
    const ending = new AbortController()
    const client = createClient({ url: own.api.url, committee: { document: own.document }, nowMs: () => timeOf(1) })
    let count = 0
    for await (const update of client.subscribe(['btc-usd'], { signal: ending.signal })) {
      expect(update.feeds[0]!.ok).toBe(true)
      count++
      setTimeout(() => ending.abort(), 20)
    }
    expect(count).toBe(1)
  })
})

it('is at most 40 kB for a browser, and asks for no module of Node', async () => {
  const { outputFiles, metafile } = await build({
    entryPoints: ['src/client/create-client.ts'],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  const bytes = gzipSync(outputFiles[0]!.contents, { level: 9 }).length
  console.log(`client bundle: ${bytes} bytes gzipped`)
  expect(bytes).toBeLessThan(40_000)
  expect(
    Object.keys(metafile.inputs).filter((file) => /^(node:|src\/(?!client|core|base\/errors))/.test(file)),
  ).toEqual([])
  expect(Object.values(metafile.outputs).flatMap((output) => output.imports)).toEqual([])
  expect(outputFiles[0]!.text).not.toMatch(/\brequire\(|\bprocess\.|\bBuffer\./)
})
