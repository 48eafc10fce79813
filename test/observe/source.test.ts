// Every kind of bad input, through real sockets, the real wire, adapter, schema and judge, to the board that is signed.

import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SourceCode } from '../../src/observe/source-error.js'
import { gravityOf } from '../../src/observe/source-error.js'
import { hostOfVenue, jsonReply, openVenues, type Reply, trade, type Venues } from './venues.js'
import { declare, openWorld, priceFeed, shippedAdapter, soloFeed, startMs, type World, withAdapter } from './world.js'

const pair = 'BTC-USD'
const honest = ['kraken', 'bitstamp', 'gemini', 'crypto-com']
const bad = hostOfVenue('coinbase')
/** The adapter's deadline: short only where the test is about it, however busy the machine is. */
let deadlineMs = 5_000
const limits = {
  ...shippedAdapter('coinbase').limits,
  get timeoutMs(): number {
    return deadlineMs
  },
}
const adapters = withAdapter({ ...shippedAdapter('coinbase'), limits })
const feeds = declare(
  [priceFeed(pair, ['coinbase', ...honest]), { ...soloFeed(pair, 'coinbase'), name: 'solo-btc-usd' }],
  adapters,
)

/** The answer that would be signed if the check in question were not there: 666 for a bitcoin that is worth 100. */
const wrong = { price: '666.00', time: new Date(startMs + 10_000).toISOString() }
const body = (change: string): Reply => jsonReply(JSON.stringify(wrong).replace('"666.00"', change))
const taken = (act: (response: ServerResponse) => void): Reply => ({ act })
const page = '<!DOCTYPE html><html><body>{"price":"666.00"}</body></html>'

const rows: readonly (readonly [string, SourceCode, Reply])[] = [
  ['malformed JSON', 'SOURCE_NOT_JSON', jsonReply('{"price":"666.00",')],
  ['two documents', 'SOURCE_NOT_JSON', jsonReply(`${JSON.stringify(wrong)}{}`)],
  ['no JSON at all', 'SOURCE_NOT_JSON', jsonReply('price=666.00')],
  ['bytes that are no UTF-8', 'SOURCE_NOT_JSON', { body: Buffer.from([0x7b, 0xff, 0xfe, 0x7d]) }],
  ['oversized, and says so', 'SOURCE_TOO_LARGE', jsonReply({ ...wrong, filler: 'x'.repeat(70_000) })],
  [
    'oversized, and does not say so',
    'SOURCE_TOO_LARGE',
    taken((response) => response.writeHead(200).end(JSON.stringify({ ...wrong, filler: 'x'.repeat(70_000) }))),
  ],
  ['late: no answer within the deadline', 'SOURCE_TIMEOUT', taken(() => undefined)],
  [
    'late: a body that drips',
    'SOURCE_TIMEOUT',
    taken((response) => void response.writeHead(200, { 'content-length': 100 }).write('{"price":"666.00",')),
  ],
  ['wrongly typed: a truth value', 'SOURCE_DRIFT', body('true')],
  ['wrongly typed: an object', 'SOURCE_DRIFT', body('{"amount":"666.00"}')],
  ['wrongly typed: a list', 'SOURCE_DRIFT', body('["666.00"]')],
  ['wrongly typed: null', 'SOURCE_DRIFT', body('null')],
  ['wrongly typed: a list of tickers', 'SOURCE_DRIFT', jsonReply([wrong])],
  ['a missing field', 'SOURCE_DRIFT', jsonReply({ time: wrong.time })],
  ['a field of another name', 'SOURCE_DRIFT', jsonReply({ last: '666.00', time: wrong.time })],
  [
    'truncated: the connection breaks off',
    'SOURCE_TRUNCATED',
    taken((response) => {
      response.writeHead(200, { 'content-length': 500 })
      response.write(JSON.stringify(wrong), () => response.destroy())
    }),
  ],
  ['truncated: no body', 'SOURCE_TRUNCATED', { status: 200 }],
  ['truncated: a part (206)', 'SOURCE_TRUNCATED', { ...jsonReply(wrong), status: 206 }],
  ['an HTML page', 'SOURCE_BLOCKED', { headers: { 'content-type': 'text/html; charset=utf-8' }, body: page }],
  ['an HTML page that says it is JSON', 'SOURCE_BLOCKED', jsonReply(page)],
  ['NaN', 'SOURCE_NOT_JSON', body('NaN')],
  ['NaN as a text', 'SOURCE_VALUE_INVALID', body('"NaN"')],
  ['Infinity as a text', 'SOURCE_VALUE_INVALID', body('"Infinity"')],
  ['1e400', 'SOURCE_VALUE_INVALID', body('1e400')],
  ['1e400 as a text', 'SOURCE_VALUE_INVALID', body('"1e400"')],
  ['zero', 'SOURCE_VALUE_INVALID', body('"0"')],
  ['a negative price', 'SOURCE_VALUE_INVALID', body('"-666.00"')],
  ['more than an int64 holds', 'SOURCE_VALUE_INVALID', body('"99999999999999999999"')],
  ['duplicate keys', 'SOURCE_NOT_JSON', body('"100.00","price":"666.00"')],
  ['a message in place of a price', 'SOURCE_NO_DATA', jsonReply({ message: 'NotFound' })],
  ['a time of another unit', 'SOURCE_VALUE_INVALID', jsonReply({ ...wrong, time: '1970-01-20T16:00:00Z' })],
  ['a time an hour ahead', 'SOURCE_FUTURE', jsonReply({ ...wrong, time: new Date(startMs + 3_600_000).toISOString() })],
  [
    'a time before that of its last answer',
    'SOURCE_BACKWARDS',
    jsonReply({ ...wrong, time: new Date(startMs - 1).toISOString() }),
  ],
  ['401', 'SOURCE_UNAUTHORISED', jsonReply(wrong, 401)],
  ['403', 'SOURCE_UNAUTHORISED', jsonReply(wrong, 403)],
  ['404', 'SOURCE_REFUSED', jsonReply(wrong, 404)],
  ['429', 'SOURCE_RATE_LIMITED', jsonReply(wrong, 429)],
  ['500', 'SOURCE_FAILED', jsonReply(wrong, 500)],
  ['503', 'SOURCE_FAILED', jsonReply(wrong, 503)],
  ['a connection that is reset', 'SOURCE_UNREACHABLE', taken((response) => response.destroy())],
  ['something that is no HTTP', 'SOURCE_FAILED', taken((response) => void response.socket!.write('666.00\r\n\r\n'))],
  ...[
    'http://169.254.169.254/latest/',
    'https://10.0.0.1/',
    'http://127.0.0.1:22/',
    'https://[::1]/',
    'https://localhost/',
  ].map((location): readonly [string, SourceCode, Reply] => [
    `a redirect to ${location}`,
    'SOURCE_MOVED',
    { status: 302, headers: { location }, body: JSON.stringify(wrong) },
  ]),
]

let venues: Venues
beforeAll(async () => {
  venues = await openVenues(['coinbase', ...honest].map(hostOfVenue))
})
afterAll(() => venues.close())

/** All venues answer 100 and some cents with the world's time. */
function recover(world: World): void {
  deadlineMs = 5_000
  for (const [i, venue] of ['coinbase', ...honest].entries())
    venues.answer(hostOfVenue(venue), () => trade(venue, pair, `100.0${i}`, world.nowMs()))
}

function fail(code: SourceCode, reply: Reply): void {
  if (code === 'SOURCE_TIMEOUT') deadlineMs = 80
  venues.answer(bad, reply)
}

async function inWorld(act: (world: World) => Promise<void>): Promise<void> {
  const world = openWorld({ venues, feeds, adapters })
  recover(world)
  try {
    await act(world)
  } finally {
    await world.close()
  }
}

describe('a source that answers badly after a good answer', () => {
  it.each(rows)('%s: %s', (_, code, reply) =>
    inWorld(async (world) => {
      await world.step(startMs)
      expect(world.shown('btc-usd')).toMatchObject({ status: 'OK', groups: 5, values: [10_002n] })
      expect(world.shown('solo-btc-usd')).toMatchObject({ status: 'LOW_CONFIDENCE', values: [10_000n] })

      fail(code, reply)
      await world.step(startMs + 10_000)
      const isPassing = gravityOf[code] === 'passing'
      const facts = world.source('btc-usd', 'coinbase')
      expect(facts.lastError?.code).toBe(code)
      expect(facts.lastError?.atMs).toBe(startMs + 10_000)
      expect(facts.lastError?.message).not.toBe('')
      expect(facts.lastGood).toMatchObject({ value: { price: '100' }, observedAtMs: startMs })
      expect(facts.counts).toEqual({ good: 1, errors: { [code]: 1 } })
      expect(facts.state).toBe(isPassing ? 'counting' : 'down')
      // After a passing refusal the last good answer serves; after a standing one it is shown and never observed.
      expect(world.shown('btc-usd')).toMatchObject({ status: 'OK', groups: isPassing ? 5 : 4, values: [10_002n] })
      const solo = world.shown('solo-btc-usd')
      const gone = { status: 'NO_DATA', values: null }
      expect(solo).toMatchObject(isPassing ? { status: 'LOW_CONFIDENCE', values: [10_000n], timeMs: startMs } : gone)

      // Once the good answer is older than maxAge nothing of the source is left.
      await world.step(startMs + 60_001)
      expect(world.shown('btc-usd')).toMatchObject({ status: 'OK', groups: 4, values: [10_002n] })
      expect(world.source('btc-usd', 'coinbase')).toMatchObject({
        state: isPassing ? 'late' : 'down',
        lastError: { code, atMs: startMs + 60_001 },
        lastGood: { observedAtMs: startMs },
      })
      const old = isPassing ? { status: 'STALE', values: [10_000n], timeMs: startMs } : gone
      expect(world.shown('solo-btc-usd')).toMatchObject(old)

      await world.step(startMs + 120_001)
      expect(world.shown('solo-btc-usd')).toMatchObject({ status: 'NO_DATA', values: null })

      recover(world)
      await world.step(startMs + 180_000)
      expect(world.source('btc-usd', 'coinbase')).toMatchObject({ state: 'counting', counts: { good: 2 } })
      expect(world.source('btc-usd', 'coinbase').lastError?.code).toBe(code)
      expect(world.shown('btc-usd')).toMatchObject({ status: 'OK', groups: 5, values: [10_002n] })
      expect(world.shown('solo-btc-usd')).toMatchObject({ status: 'LOW_CONFIDENCE', values: [10_000n] })
    }),
  )
})

describe('a source that never answered well', () => {
  const first = rows.filter(([, code]) => code !== 'SOURCE_BACKWARDS')
  it.each(first)('%s: %s', (_, code, reply) =>
    inWorld(async (world) => {
      fail(code, reply)
      // The time at which a wrong answer would count, were it let in.
      await world.step(startMs + 10_000)
      expect(world.source('solo-btc-usd', 'coinbase')).toMatchObject({
        state: 'down',
        lastGood: null,
        lastError: { code },
        deviationPpm: null,
      })
      expect(world.shown('solo-btc-usd')).toMatchObject({ status: 'NO_DATA', values: null, groups: 0 })
      expect(world.shown('btc-usd')).toMatchObject({ status: 'OK', groups: 4, values: [10_002n] })
    }),
  )
})

describe('times', () => {
  it('leaves out a source whose time is frozen, whatever else changes in its answers (I49)', () =>
    inWorld(async (world) => {
      const frozenMs = startMs
      let price = 100
      venues.answer(bad, () => ({
        ...trade('coinbase', pair, (price++).toFixed(2), frozenMs),
        headers: { etag: `"${price}"` },
      }))
      await world.step(startMs)
      await world.step(startMs + 60_000)
      expect(world.source('btc-usd', 'coinbase')).toMatchObject({ state: 'counting', lastError: null })
      await world.step(startMs + 60_001)
      expect(world.source('btc-usd', 'coinbase')).toMatchObject({
        state: 'late',
        lastError: { code: 'SOURCE_STALE', atMs: startMs + 60_001 },
        counts: { good: 3, errors: {} },
      })
      expect(world.shown('btc-usd')).toMatchObject({ status: 'OK', groups: 4 })
      expect(world.shown('solo-btc-usd')).toMatchObject({ status: 'STALE', timeMs: startMs })
    }))

  it('takes the time of receipt where a source gives none, and marks it', () =>
    inWorld(async (world) => {
      await world.step(startMs + 777)
      expect(world.source('btc-usd', 'kraken').lastGood).toMatchObject({
        observedAtMs: startMs + 777,
        receivedAtMs: startMs + 777,
        isReceiptTime: true,
      })
      const own = world.source('btc-usd', 'bitstamp').lastGood
      expect(own).toMatchObject({ isReceiptTime: false, receivedAtMs: startMs + 777 })
      expect(own?.observedAtMs).toBe(Math.floor((startMs + 777) / 1000) * 1000)
    }))

  it('lets a source without a time grow old while it repeats itself, and not while it only keeps its price', () =>
    inWorld(async (world) => {
      venues.answer(hostOfVenue('kraken'), trade('kraken', pair, '100.01', startMs))
      await world.step(startMs)
      await world.step(startMs + 60_000)
      const facts = (): unknown => world.source('btc-usd', 'kraken')
      expect(facts()).toMatchObject({ state: 'counting', lastGood: { observedAtMs: startMs, isReceiptTime: true } })
      await world.step(startMs + 60_001)
      expect(facts()).toMatchObject({ state: 'late', lastError: { code: 'SOURCE_STALE' }, counts: { good: 3 } })
      venues.answer(hostOfVenue('kraken'), () => trade('kraken', pair, '100.01', world.nowMs()))
      await world.step(startMs + 61_000)
      expect(facts()).toMatchObject({ state: 'counting', lastGood: { observedAtMs: startMs + 61_000 } })
    }))

  it('lets a clock run ahead by 15 seconds, and no more', () =>
    inWorld(async (world) => {
      venues.answer(bad, trade('coinbase', pair, '100.00', startMs + 15_000))
      await world.step(startMs)
      expect(world.source('btc-usd', 'coinbase').state).toBe('counting')
      venues.answer(bad, trade('coinbase', pair, '666.00', startMs + 16_001))
      await world.step(startMs + 1000)
      expect(world.source('btc-usd', 'coinbase')).toMatchObject({ state: 'down', lastError: { code: 'SOURCE_FUTURE' } })
    }))

  it('does not live on old answers after its clock was set back by an hour', () =>
    inWorld(async (world) => {
      await world.step(startMs)
      const backMs = startMs - 3_600_000
      world.to(backMs)
      expect(world.source('btc-usd', 'gemini')).toMatchObject({ state: 'late', lastError: { code: 'SOURCE_FUTURE' } })
      for (const venue of ['coinbase', ...honest]) venues.answer(hostOfVenue(venue), { status: 500 })
      await world.step(backMs)
      expect(world.source('btc-usd', 'kraken').state).toBe('late')
      expect(world.shown('btc-usd')).toMatchObject({ groups: 5, status: 'STALE' })
      for (const [i, venue] of ['coinbase', ...honest].entries())
        venues.answer(hostOfVenue(venue), () => trade(venue, pair, `101.0${i}`, world.nowMs()))
      await world.step(backMs + 1000)
      expect(world.shown('btc-usd')).toMatchObject({ status: 'OK', groups: 5, values: [10_102n] })
    }))

  it('does not ask a host that wants rest, and asks again after it', () =>
    inWorld(async (world) => {
      venues.answer(bad, { status: 429, headers: { 'retry-after': '20' } })
      await world.step(startMs)
      const asked = venues.asked(bad)
      recover(world)
      await world.step(startMs + 19_000)
      expect(venues.asked(bad)).toBe(asked)
      expect(world.source('btc-usd', 'coinbase').counts.errors).toEqual({ SOURCE_RATE_LIMITED: 2 })
      await world.step(startMs + 20_001)
      expect(venues.asked(bad)).toBe(asked + 1)
      expect(world.source('btc-usd', 'coinbase').state).toBe('counting')
    }))
})

describe('a redirect', () => {
  it('is followed on the adapter’s own hosts, and judged like any answer', () =>
    inWorld(async (world) => {
      venues.answer(bad, ({ url = '' }) =>
        url.endsWith('?moved')
          ? trade('coinbase', pair, '100.00', startMs)
          : { status: 307, headers: { location: '/products/BTC-USD/ticker?moved' } },
      )
      await world.step(startMs)
      expect(world.source('btc-usd', 'coinbase')).toMatchObject({ state: 'counting', lastError: null })
    }))
})
