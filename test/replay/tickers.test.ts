// Every venue's ticker, asked for and read back by the real adapter: price to the digit, time, pair, and refusals.

import { describe, expect, it } from 'vitest'
import { adapters } from '../../adapters/index.js'
import { refusalOf } from '../../src/base/errors.js'
import type { Adapter } from '../../src/observe/adapter.js'
import { applyLie, parseLie } from '../../src/replay/lie.js'
import type { Recordings, Series } from '../../src/replay/recordings.js'
import { venues } from '../../src/replay/recordings.js'
import type { Answer, Show } from '../../src/replay/show.js'
import { tickers } from '../../src/replay/tickers.js'
import { venueShow } from '../../src/replay/venue-show.js'

const startMs = Date.UTC(2023, 2, 10)
const minuteMs = 60_000
const ids = Object.values(venues)

function series(venue: string, pair: string, closes: Readonly<Record<number, string>>): Series {
  const [base, quote] = pair.split('-') as [string, string]
  const rows = Object.entries(closes).map(([minute, close]) => ({ timeMs: startMs + Number(minute) * minuteMs, close }))
  return { file: `${venue}.csv`, venue, base, quote, rows }
}

function recordings(all: readonly Series[]): Recordings {
  const timesMs = [0, 1, 2, 3].map((minute) => startMs + minute * minuteMs)
  return { folder: 'test', series: all, skipped: [], timesMs }
}

const adapterOf = (id: string): Adapter => adapters.find((adapter) => adapter.id === id)!

/** What the show answers to what the adapter asks. */
function ask(show: Show, id: string, pair: string, step: number): Answer {
  const [base, quote] = pair.split('-') as [string, string]
  const { host, pathname, search } = new URL(adapterOf(id).request!({ base, quote }).url)
  expect(show.hosts).toContain(host)
  return show.answer(host, pathname + search, step)!
}

function read(answer: Answer, id: string, pair: string): { price: unknown; observedAtMs: number | null } {
  const [base, quote] = pair.split('-') as [string, string]
  expect(answer.status).toBe(200)
  const raw = { bytes: Buffer.from(answer.body), mediaType: answer.mediaType }
  const { value, observedAtMs } = adapterOf(id).normalise(raw, { base, quote })!
  // Nothing is made up: neither bid nor ask is recorded.
  expect(Object.keys(value)).toEqual(['price'])
  return { price: value['price'], observedAtMs }
}

describe.each(ids)('the ticker of %s', (id) => {
  // Kraken's ticker has no time.
  const timeOf = (minute: number): number | null => (id === 'kraken' ? null : startMs + minute * minuteMs)

  it.each(['BTC-USD', 'BTC-USDT', 'USDC-USD', 'USDC-USDT', 'ETH-USD', 'DOGE-USD', 'USDT-USD'])(
    'is read back by its adapter for %s',
    (pair) => {
      const show = venueShow(recordings([series(id, pair, { 0: '20364.09', 1: '20364.1' })]))
      expect(read(ask(show, id, pair, 0), id, pair)).toEqual({ price: '20364.09', observedAtMs: timeOf(0) })
      expect(read(ask(show, id, pair, 1), id, pair)).toEqual({ price: '20364.1', observedAtMs: timeOf(1) })
    },
  )

  it('repeats the last trade with its old time, and has no market before the first', () => {
    const show = venueShow(recordings([series(id, 'BTC-USD', { 1: '100.5', 3: '101' })]))
    const before = ask(show, id, 'BTC-USD', 0)
    expect(before.body).toBe(tickers[id]!.unknown(tickers[id]!.symbol('BTC', 'USD')).body)
    expect(read(ask(show, id, 'BTC-USD', 1), id, 'BTC-USD')).toEqual({ price: '100.5', observedAtMs: timeOf(1) })
    expect(read(ask(show, id, 'BTC-USD', 2), id, 'BTC-USD')).toEqual({ price: '100.5', observedAtMs: timeOf(1) })
    expect(read(ask(show, id, 'BTC-USD', 3), id, 'BTC-USD')).toEqual({ price: '101', observedAtMs: timeOf(3) })
  })

  it('never gives one quote for another', () => {
    const show = venueShow(recordings([series(id, 'BTC-USDT', { 0: '20000' })]))
    for (const pair of ['BTC-USD', 'BTC-USDC', 'ETH-USDT']) {
      const answer = ask(show, id, pair, 0)
      expect(answer.body).not.toContain('20000')
      if (answer.status !== 200) continue
      // Kraken answers 200 with its error inside.
      const raw = { bytes: Buffer.from(answer.body), mediaType: answer.mediaType }
      const [base, quote] = pair.split('-') as [string, string]
      const refusal = refusalOf(() => adapterOf(id).normalise(raw, { base, quote }))
      expect(refusal?.code).toBe('SOURCE_NO_DATA')
    }
  })

  it('lies exactly, and alone', () => {
    const all = ids.map((venue) => series(venue, 'BTC-USD', { 0: '20364.09' }))
    const show = venueShow(recordings(all), { [id]: '+30%' })
    for (const venue of ids) {
      const price = venue === id ? '26473.317' : '20364.09'
      expect(read(ask(show, venue, 'BTC-USD', 0), venue, 'BTC-USD').price).toBe(price)
    }
  })
})

describe('venueShow', () => {
  it('begins each step a second into its minute', () => {
    const show = venueShow(recordings([series('kraken', 'BTC-USD', { 0: '1' })]))
    expect(show.stepsMs).toEqual([0, 1, 2, 3].map((minute) => startMs + minute * minuteMs + 1000))
  })

  it('has no other host and no other place', () => {
    const show = venueShow(recordings([series('kraken', 'BTC-USD', { 0: '1' })]))
    expect(show.answer('example.com', '/0/public/Ticker?pair=XBTUSD', 0)).toBeNull()
    expect(show.answer('api.kraken.com', '/0/public/Depth?pair=XBTUSD', 0)).toBeNull()
  })

  it('takes names of venues as files and adapters have them, and refuses others', () => {
    const all = recordings([series('binance-us', 'BTC-USD', { 0: '1' })])
    for (const name of ['binanceus', 'binance-us']) expect(venueShow(all, { [name]: '+1%' }).hosts).toHaveLength(1)
    for (const name of ['kraken', 'bitfinex', 'constructor'])
      expect(refusalOf(() => venueShow(all, { [name]: '+1%' }))?.code).toBe('REPLAY_LIE_INVALID')
  })
})

describe('a lie', () => {
  it.each([
    ['20364.09', '+30%', '26473.317'],
    ['20364.09', '-10%', '18327.681'],
    ['100', '+0.5%', '100.5'],
    ['100', '+100%', '200'],
    ['0.9999', '+0.000001%', '0.999900009999'],
    ['0.00000001', '-99%', '0.0000000001'],
    ['123456789012345678.000000000000000001', '+30%', '160493825716049381.4000000000000000013'],
    ['7', '+0%', '7'],
  ])('makes %s by %s to %s', (price, percent, expected) => {
    expect(applyLie(price, parseLie(percent))).toBe(expected)
  })

  it.each(['30%', '+30', '+30%%', '-100%', '-250%', '+1e2%', '+.5%', '', '+٣%'])('refuses "%s"', (text) => {
    expect(refusalOf(() => parseLie(text))?.code).toBe('REPLAY_LIE_INVALID')
  })
})
