// What the API answers: each body fits its schema, every report's bytes verify, and refusals say what to do.

import { request } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../../src/core/bytes.js'
import { canonicalJson } from '../../src/core/canonical.js'
import { keysOf } from '../../src/core/committee.js'
import { buildReport } from '../../src/core/report-json.js'
import { statusCodes } from '../../src/core/status.js'
import { verifyReport } from '../../src/core/verify-report.js'
import { validators } from '../../src/schema/generated/validators.js'
import { readingsAt, type Served, serve, timeOf } from './served.js'

let served: Served
beforeAll(async () => {
  served = await serve()
  for (let round = 1; round <= 20; round++) {
    const readings = readingsAt(round)
    if (round === 7) readings[0] = { status: statusCodes.NO_DATA, groups: 0, spreadPpm: 0, timeMs: 0, values: null }
    await served.report(round, readings)
  }
})
afterAll(() => served.close())

// biome-ignore lint/suspicious/noExplicitAny: bodies are held to their schemas before they are looked at
type Body = any
async function json(path: string, schema: string, status = 200): Promise<Body> {
  const response = await served.get(path)
  expect([path, response.status]).toEqual([path, status])
  const body: unknown = await response.json()
  const validate = validators[schema]!
  expect([path, validate(body), validate.errors]).toEqual([path, true, null])
  return body
}
const bytesOf = async (path: string): Promise<Uint8Array> =>
  new Uint8Array(await (await served.get(path)).arrayBuffer())
const verdictOf = (bytes: Uint8Array) => verifyReport(served.engine, bytes, keysOf(served.committee), { nowMs: 'any' })

describe('feeds', () => {
  it('come with value, status, age and times', async () => {
    const { epoch, round, feeds } = await json('/v1/feeds', 'api/feeds')
    expect([epoch, round, feeds.length]).toEqual([12, 20, 6])
    expect(feeds[0]).toEqual({
      name: 'btc-usd',
      feedId: served.committee.feeds[0]!.feedId,
      unit: 'USD',
      decimals: 8,
      value: '64000.00000020',
      status: 'OK',
      observedAtMs: timeOf(20) - 100,
      attestedAtMs: timeOf(20),
      ageMs: 350,
      validUntilMs: timeOf(20) - 100 + 60_000,
      groups: 3,
      spreadPpm: 250,
    })
  })

  it('come one by one with what proves them', async () => {
    for (const { name, index } of served.committee.feeds) {
      const body = await json(`/v1/feeds/${name}`, 'api/feed-proof')
      const verdict = verdictOf(utf8(canonicalJson(body.report)))
      if (!verdict.ok) throw new Error(verdict.message)
      const { report } = verdict
      const feed = report.bundles.flatMap((bundle) => bundle.feeds).find((found) => found.name === name)!
      const { feedId, unit, decimals, value, status, observedAtMs, validUntilMs, groups, spreadPpm } = feed
      expect(body).toMatchObject({
        feedId,
        unit,
        decimals,
        value,
        status,
        observedAtMs,
        validUntilMs,
        groups,
        spreadPpm,
      })
      expect(body).toMatchObject({
        epoch: 12,
        round: 20,
        attestedAtMs: report.attestedAtMs,
        proof: body.report.leaves[0].proof,
      })
      expect(body.signatures).toEqual({
        bitmap: '0x0000000b',
        signers: ['oracle-0', 'oracle-1', 'oracle-3'],
        attestations: body.report.attestations,
      })
      expect(report.bundles.length).toBe(1)
      expect(served.committee.bundles.find(({ id }) => id === body.bundle)!.feeds).toContain(index)
    }
  })

  it('tell their age by the oracle’s clock, whatever was kept', async () => {
    const before = served.nowMs
    served.nowMs += 5_000
    expect((await json('/v1/feeds/btc-usd', 'api/feed-proof')).ageMs).toBe(5_350)
    served.nowMs = before
    expect((await json('/v1/feeds/btc-usd', 'api/feed-proof')).ageMs).toBe(350)
  })
})

describe('history', () => {
  const rounds = async (query: string): Promise<number[]> =>
    (await json(`/v1/feeds/btc-usd/history${query}`, 'api/history')).entries.map((entry: Body) => entry.round)

  it('comes in spans, either way, bounded', async () => {
    expect(await rounds('')).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
    expect(await rounds(`?fromMs=${timeOf(4)}&toMs=${timeOf(6)}`)).toEqual([4, 5, 6])
    expect(await rounds(`?fromMs=${timeOf(4)}&limit=2&reverse=true`)).toEqual([20, 19])
    expect(await rounds(`?toMs=${timeOf(1) - 1}`)).toEqual([])
  })

  it('says what was known at a time', async () => {
    expect(await rounds(`?asOfMs=${timeOf(9) + 999}`)).toEqual([9])
    expect(await rounds(`?asOfMs=${timeOf(0)}`)).toEqual([])
  })

  it('shows values with their status, none where there was none', async () => {
    const { entries } = await json(`/v1/feeds/btc-usd/history?fromMs=${timeOf(6)}&limit=2`, 'api/history')
    expect(entries).toEqual([
      {
        epoch: 12,
        round: 6,
        attestedAtMs: timeOf(6),
        observedAtMs: timeOf(6) - 100,
        value: '64000.00000006',
        status: 'OK',
      },
      { epoch: 12, round: 7, attestedAtMs: timeOf(7), observedAtMs: null, value: null, status: 'NO_DATA' },
    ])
  })
})

describe('reports', () => {
  it('are the exact bytes of report.json, without seals, and never change', async () => {
    const stored = served.store.bySlot({ epoch: 12, round: 5 })!
    const { seals: _, ...parts } = stored
    const expected = buildReport(served.engine, served.committee, served.kernel, parts)
    const before = await served.get('/v1/reports/12/5')
    expect(before.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(Buffer.from(await before.arrayBuffer()).equals(expected)).toBe(true)
    await served.seal({ epoch: 12, round: 5 })
    expect(Buffer.from(await bytesOf('/v1/reports/12/5')).equals(expected)).toBe(true)
    const sealed = verdictOf(await bytesOf('/v1/reports/12/5?seals=true'))
    expect(sealed.ok && sealed.report.sealers).toEqual([0, 2])
    const etag = before.headers.get('etag')!
    expect((await served.get('/v1/reports/12/5', { headers: { 'if-none-match': etag } })).status).toBe(304)
    expect((await served.get('/v1/reports/12/6', { headers: { 'if-none-match': etag } })).status).toBe(200)
  })

  it('show the leaves asked for', async () => {
    const verdict = verdictOf(await bytesOf('/v1/reports/12/5?feeds=quake,btc-usd,eth-usd'))
    const names = verdict.ok && verdict.report.bundles.map((bundle) => bundle.feeds.map((feed) => feed.name))
    expect(names).toEqual([['btc-usd', 'eth-usd'], ['quake']])
  })

  it('have a newest one, named by its place', async () => {
    const response = await served.get('/v1/reports/latest')
    expect(response.headers.get('content-location')).toBe('/v1/reports/12/20')
    expect(response.headers.get('cache-control')).toBe('no-cache')
    const body = Buffer.from(await response.arrayBuffer())
    expect(body.equals(await bytesOf('/v1/reports/12/20'))).toBe(true)
    await json('/v1/reports/latest', 'report')
    await json('/v1/reports/12/5?seals=true', 'report')
  })
})

describe('the oracle itself', () => {
  it('shows its committee, sources, peers and health', async () => {
    const { document, salt, digest, feedIds, thresholds } = await json('/v1/committee', 'api/committee')
    expect(document).toEqual(served.document)
    expect([salt, digest]).toEqual([toHex(served.committee.salt), toHex(served.committee.digest)])
    expect([feedIds['quake'], thresholds.intersecting]).toEqual([served.committee.feeds[5]!.feedId, 3])
    const { sources, feeds } = await json('/v1/sources', 'api/sources')
    expect(sources[1].lastError.code).toBe('SOURCE_RATE_LIMITED')
    expect(feeds[0].reasons).toEqual(['1 of 2 sources'])
    expect((await json('/v1/peers', 'api/peers')).peers.length).toBe(4)
    await json('/healthz', 'api/health')
  })

  it('is ready, or says why not', async () => {
    const ready = await json('/readyz', 'api/readiness')
    expect(ready).toMatchObject({ ready: true, reasons: [], reports: 20, latestAgeMs: 250, member: 'oracle-0' })
    const codes = async (): Promise<string[]> =>
      (await json('/readyz', 'api/readiness', 503)).reasons.map((reason: Body) => reason.code)
    const { status, peers } = served
    status.haltedBy = 'QUORUM_BROKEN'
    expect(await codes()).toEqual(['HALTED'])
    status.haltedBy = null
    status.signingClosedBy = 'REPORT_STORE_FULL'
    status.reasons = [{ code: 'LEADER_SILENT', sentence: 'The leader is silent.' }]
    expect(await codes()).toEqual(['SIGNING_CLOSED', 'LEADER_SILENT'])
    status.signingClosedBy = null
    peers[1]!.state = 'down'
    await json('/readyz', 'api/readiness')
    peers[2]!.state = 'down'
    expect(await codes()).toEqual(['TOO_FEW_CONNECTED', 'LEADER_SILENT'])
    peers[1]!.state = peers[2]!.state = 'up'
    status.reasons = []
    await json('/readyz', 'api/readiness')
  })

  it('counts for Prometheus', async () => {
    const response = await served.get('/metrics')
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    const lines = (await response.text()).split('\n')
    const numberOf = (name: string, ...labels: string[]): string | undefined =>
      lines
        .find((line) => line.startsWith(name) && labels.every((label) => line.includes(label)))
        ?.split(' ')
        .at(-1)
    expect(numberOf('assay_reports_total{')).toBe('20')
    expect(numberOf('assay_feed_age_seconds{', 'feed="btc-usd"')).toBe('0.35')
    expect(numberOf('assay_feed_status{', 'feed="quake"')).toBe('0')
    expect(numberOf('assay_feed_groups{', 'feed="quake"')).toBe('3')
    expect(numberOf('assay_feed_spread_ppm{', 'feed="quake"')).toBe('250')
    expect(numberOf('assay_sources{', 'adapter="coinbase"', 'state="down"')).toBe('1')
    expect(numberOf('assay_source_errors_total{', 'code="SOURCE_RATE_LIMITED"')).toBe('3')
    expect(numberOf('assay_source_latency_seconds{', 'adapter="kraken"')).toBe('0.0815')
    expect(numberOf('assay_sessions{', 'state="up"')).toBe('3')
    expect(numberOf('assay_drops_total{', 'reason="SESSION_RATE"')).toBe('3')
    expect(numberOf('assay_report_latency_seconds_count{')).toBe('20')
    expect(numberOf('assay_ready{')).toBe('1')
    expect(Number(numberOf('process_resident_memory_bytes{'))).toBeGreaterThan(1e6)
  })
})

describe('refusals', () => {
  it.each([
    ['/v1/feeds/doge-usd', 404, 'API_FEED_UNKNOWN', 'doge-usd'],
    ['/v1/feeds/constructor', 404, 'API_FEED_UNKNOWN', 'constructor'],
    ['/v1/reports/12/999', 404, 'REPORT_UNKNOWN', '12/999'],
    ['/v1/reports/4294967308/5', 404, 'REPORT_UNKNOWN', '4294967308/5'],
    ['/v1/reports/12/05', 400, 'API_PARAMETER', '/round'],
    ['/v1/reports/12/5?feeds=nope', 404, 'API_FEED_UNKNOWN', 'nope'],
    ['/v1/reports/12/5?feeds=', 400, 'API_PARAMETER', '/feeds'],
    ['/v1/reports/12/5?seals=maybe', 400, 'API_PARAMETER', '/seals'],
    ['/v1/reports/12/5?seal=true', 400, 'API_PARAMETER', '/seal'],
    ['/v1/feeds/btc-usd/history?limit=1001', 400, 'API_PARAMETER', '/limit'],
    ['/v1/feeds/btc-usd/history?limit=0', 400, 'API_PARAMETER', '/limit'],
    ['/v1/feeds/btc-usd/history?fromMs=-1', 400, 'API_PARAMETER', '/fromMs'],
    ['/v1/feeds/btc-usd/history?fromMs=1&fromMs=2', 400, 'API_PARAMETER', '/fromMs'],
    ['/v1/feeds/btc-usd/history?fromMs=5&toMs=4', 400, 'API_PARAMETER', '/toMs'],
    ['/v1/feeds/btc-usd/history?asOfMs=5&toMs=4', 400, 'API_PARAMETER', '/asOfMs'],
    ['/v1/stream?after=latest', 400, 'API_PARAMETER', '/after'],
    ['/v1/nothing', 404, 'API_ROUTE_UNKNOWN', '/v1/nothing'],
    ['/v1/feeds/%ff', 400, 'API_REQUEST_UNFIT', ''],
  ])('%s: %i %s', async (path, status, code, place) => {
    const { error } = await json(path, 'api/error', status)
    expect([error.code, error.path]).toEqual([code, place])
    expect(error.advice.length).toBeGreaterThan(10)
    expect(JSON.stringify(error)).not.toMatch(/node_modules|\.[jt]s\b.*:[0-9]/)
  })

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('%s is not answered', async (method) => {
    const response = await served.get('/v1/feeds', { method })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    expect(((await response.json()) as Body).error.code).toBe('API_METHOD_UNKNOWN')
  })

  it('meets bodies, malformed requests and surplus headers', async () => {
    const withBody = await new Promise<number>((resolve, reject) => {
      const asked = request(`${served.api.url}/v1/feeds`, { method: 'GET' }, (response) =>
        resolve(response.statusCode!),
      )
      asked.on('error', reject)
      asked.end('{}')
    })
    expect(withBody).toBe(400)
    expect(await raw('GET /v1/feeds HTTP/9.9\r\n\r\n')).toMatch(/^HTTP\/1.1 400 (.|\r\n)*API_REQUEST_UNFIT/)
    expect(await raw('nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400 (.|\r\n)*API_REQUEST_UNFIT/)
    const long = 'a'.repeat(200)
    await json(`/v1/feeds/${long}`, 'api/error', 400)
    await json(`/v1/feeds?${long.repeat(45)}`, 'api/error', 431)
    const sprawling = `GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${`x: ${long}\r\n`.repeat(45)}\r\n`
    expect(await raw(sprawling)).toMatch(/^HTTP\/1.1 431 /)
  })

  it('tell a public reader what any page may read, and run nothing', async () => {
    for (const path of ['/v1/feeds', '/v1/feeds/nope', '/metrics', '/openapi.json']) {
      const { headers } = await served.get(path)
      expect(headers.get('access-control-allow-origin')).toBe('*')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    }
  })

  it('HEAD has the headers of GET', async () => {
    for (const path of [
      '/v1/feeds',
      '/v1/feeds/btc-usd',
      '/v1/reports/12/5',
      '/healthz',
      '/openapi.json',
      '/v1/stream',
    ]) {
      const response = await served.get(path, { method: 'HEAD' })
      expect([path, response.status]).toEqual([path, 200])
      expect(await response.text()).toBe('')
    }
    const { headers } = await served.get('/v1/reports/12/5', { method: 'HEAD' })
    expect(Number(headers.get('content-length'))).toBe((await bytesOf('/v1/reports/12/5')).length)
  })
})

describe('before the first report', () => {
  it('there are feeds without data, and nothing is ready', async () => {
    const young = await serve()
    try {
      const listed: Body = await (await young.get('/v1/feeds')).json()
      expect(validators['api/feeds']!(listed)).toBe(true)
      expect(listed.feeds[0]).toMatchObject({ value: null, status: 'NO_DATA', attestedAtMs: null, ageMs: null })
      for (const path of ['/v1/feeds/btc-usd', '/v1/reports/latest']) {
        const response = await young.get(path)
        expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
        expect(((await response.json()) as Body).error.code).toBe('API_NO_REPORT')
      }
      const ready = await young.get('/readyz')
      expect(ready.status).toBe(503)
      expect(((await ready.json()) as Body).reasons).toEqual([
        { code: 'NO_REPORT', sentence: 'No report came for 10 s.' },
      ])
      expect((await young.get('/metrics')).status).toBe(200)
      await young.report(1)
      expect((await young.get('/readyz')).status).toBe(200)
      expect((await young.get('/v1/feeds/btc-usd')).status).toBe(200)
    } finally {
      await young.close()
    }
  })
})

function raw(text: string): Promise<string> {
  const { hostname, port } = new URL(served.api.url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(text))
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}
