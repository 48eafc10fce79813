// Incidents in which a source's answer was not what it seemed: its time, unit, length, place or subject. By id of
// shared/incidents.csv, each through the real adapter over a real socket, with its guard and without it.

import { describe, expect, it } from 'vitest'
import type { Adapter, Raw } from '../../src/observe/adapter.js'
import { hostOfVenue, jsonReply, type Reply, trade } from '../observe/venues.js'
import { priceFeed, shippedAdapter, soloFeed, startMs, type Written, withAdapter } from '../observe/world.js'
import { plainHosts, plainSource, play, type Scene, say, sayPlain, timeless, without } from './scene.js'

const five = ['coinbase', 'kraken', 'bitstamp', 'gemini', 'crypto-com'] as const

/** The adapter behind a change of every body: what if the source's words were taken for others. */
function reworded(adapter: Adapter, reword: (text: string) => string): Adapter {
  const change = (raw: Raw): Raw => ({ ...raw, bytes: Buffer.from(reword(Buffer.from(raw.bytes).toString())) })
  return { ...adapter, normalise: (raw, params) => adapter.normalise(change(raw), params) }
}

/** A feed of one origin whose value is no price. */
function oneOrigin(name: string, value: string, adapter: string, params: Written, more: Written = {}): Written {
  const { decimals: _d, unit: _u, ...rest } = soloFeed('AA-BB', adapter)
  const freshness = { maxAgeS: 200_000, validForS: 200_000 }
  return { ...rest, name, value, freshness, sources: [{ adapter, version: 1, params, group: adapter }], ...more }
}

describe('I09 a job that runs seconds before midnight', () => {
  const beforeMidnightMs = Date.UTC(2020, 8, 3, 23, 59, 59, 900)
  const midnightMs = Date.UTC(2020, 8, 4)
  const feed = oneOrigin('eur-usd', 'fx-rate', 'ecb', { base: 'EUR', quote: 'USD' }, { unit: 'USD', decimals: 6 })
  const rates = (date: string): Reply => ({
    headers: { 'content-type': 'text/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
  <gesmes:subject>Reference rates</gesmes:subject>
  <gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
  <Cube><Cube time='${date}'><Cube currency='USD' rate='1.1842'/></Cube></Cube>
</gesmes:Envelope>`,
  })
  const scenario = async ({ venues, step }: Scene): Promise<void> => {
    venues.answer('www.ecb.europa.eu', rates('2020-09-04'))
    await step(beforeMidnightMs)
  }

  it('I09 fetched at 23:59:59.9, dated the next day: observedAt is the day of the answer, asked again it is the same', () =>
    play(feed, async (scene) => {
      await scenario(scene)
      expect(scene.shown('eur-usd')).toMatchObject({ timeMs: midnightMs, values: [1_184_200n] })
      await scene.step(midnightMs + 500)
      expect(scene.shown('eur-usd').timeMs).toBe(midnightMs)
      expect(scene.source('eur-usd', 'ecb').lastGood).toMatchObject({ observedAtMs: midnightMs, isReceiptTime: false })
    }))

  it('I09 without the answer’s own time it would be dated the day before', () =>
    play(
      feed,
      async (scene) => {
        await scenario(scene)
        expect(scene.shown('eur-usd').timeMs).toBe(beforeMidnightMs)
      },
      { adapters: withAdapter(timeless(shippedAdapter('ecb'))) },
    ))
})

describe('I10 rows lost at a limit', () => {
  const feed = oneOrigin('earthquake', 'earthquake', 'usgs', { feed: 'all_day', minMagnitude: 4.5 })
  const quake = (id: string, mag: number, timeMs: number): unknown => ({
    type: 'Feature',
    id,
    properties: { mag, time: timeMs, type: 'earthquake', place: 'at sea' },
    geometry: { type: 'Point', coordinates: [10, 20, 30] },
  })
  const page = (features: readonly unknown[], more: Written = {}): Reply =>
    jsonReply({
      type: 'FeatureCollection',
      metadata: {
        ...{ generated: startMs, url: 'https://earthquake.usgs.gov/earthquakes/feed/v1.0/summary/all_day.geojson' },
        ...{ count: features.length, ...more },
      },
      features,
    })
  const old = quake('us1', 4.6, startMs - 80_000_000)
  const rows = (count: number): unknown[] => Array.from({ length: count }, (_, i) => (i === 0 ? old : {}))

  it.each([
    ['65,536 rows', page(rows(65_536))],
    ['20,000 rows', page(rows(20_000))],
    ['as many as the answer says is its limit', page([old, old, old], { limit: 3 })],
    ['fewer than the answer says it has', page([old], { count: 2 })],
  ])('I10 %s: TRUNCATION_SUSPECT, and no value', (_, reply) =>
    play(feed, async ({ venues, step, shown, source }) => {
      venues.answer('earthquake.usgs.gov', reply)
      await step(startMs)
      expect(source('earthquake', 'usgs').lastError?.code).toBe('SOURCE_TRUNCATION_SUSPECT')
      expect(shown('earthquake')).toMatchObject({ status: 'NO_DATA', values: null })
    }),
  )

  it('I10 a body cut at exactly 1 MiB is suspected, too', () =>
    play(feed, async ({ venues, step, shown, source }) => {
      const whole = `{"type":"FeatureCollection","features":[${'{},'.repeat(400_000)}`
      venues.answer('earthquake.usgs.gov', jsonReply(whole.slice(0, 1_048_576)))
      await step(startMs)
      expect(source('earthquake', 'usgs').lastError?.code).toBe('SOURCE_TRUNCATION_SUSPECT')
      expect(shown('earthquake').values).toBe(null)
    }))

  it('I10 without the check the newest of the rows that are left is signed as the newest', () => {
    const blind = reworded(shippedAdapter('usgs'), (text) => text.replace('"limit":3', '"limit":4'))
    return play(
      feed,
      async ({ venues, step, shown }) => {
        venues.answer('earthquake.usgs.gov', page([old, old, old], { limit: 3 }))
        await step(startMs)
        expect(shown('earthquake').values?.slice(0, 2)).toEqual(['us1', 460n])
      },
      { adapters: withAdapter(blind) },
    )
  })
})

describe('I21 a unit changes its name', () => {
  const real = shippedAdapter('open-meteo')
  const [first, ...others] = plainHosts.slice(0, 4)
  /** Four weather services of one shape, each at its own host. */
  const services = plainHosts.slice(0, 4).map(
    (host, i): Adapter => ({
      ...real,
      id: `weather-${i}`,
      limits: { ...real.limits, hosts: [host] },
      request: (params) => ({ url: real.request!(params).url.replace('api.open-meteo.com', host) }),
    }),
  )
  const place = { latitude: 52.37, longitude: 4.89 }
  const { unit: _u, decimals: _d, ...rest } = priceFeed('AA-BB', [])
  const feed = {
    ...rest,
    name: 'weather',
    value: 'weather',
    sources: services.map(({ id }) => ({ adapter: id, version: 1, params: place, group: id })),
    combineSources: { minSources: 2, minGroups: 2 },
    freshness: { maxAgeS: 3600, validForS: 3600 },
  }
  const weather = (unit: string, temperature: number): unknown => ({
    ...{ latitude: 52.37, longitude: 4.89, utc_offset_seconds: 0 },
    current_units: { time: 'iso8601', temperature_2m: unit, precipitation: 'mm', wind_speed_10m: 'm/s' },
    current: {
      ...{ time: new Date(startMs).toISOString().slice(0, 16), precipitation: 0 },
      ...{ temperature_2m: temperature, wind_speed_10m: 3 },
    },
  })
  const scenario = async (scene: Scene, unit: string): Promise<void> => {
    sayPlain(scene, Object.fromEntries(others.map((host) => [host, weather('°C', 10)])))
    sayPlain(scene, { [first!]: weather(unit, 50) })
    await scene.step(startMs)
  }

  it.each(['wmoUnit:degC', '°F', 'unit:degC', ''])(
    'I21 "%s": UNIT_UNKNOWN or drift, the feed uses the other sources',
    (unit) =>
      play(
        feed,
        async (scene) => {
          await scenario(scene, unit)
          const code = unit === '' ? 'SOURCE_DRIFT' : 'SOURCE_UNIT_UNKNOWN'
          expect(scene.source('weather', 'weather-0')).toMatchObject({ state: 'down', lastError: { code } })
          expect(scene.shown('weather')).toMatchObject({ status: 'OK', groups: 3, values: [1000n, 0n, 300n] })
        },
        { adapters: services },
      ),
  )

  it('I21 without the check 50 °F are 50 °C', () => {
    const blind = reworded(services[0]!, (text) => text.replace('"°F"', '"°C"'))
    const alone = { ...feed, ...oneOrigin('weather', 'weather', 'weather-0', place), combineSources: undefined }
    return play(
      JSON.parse(JSON.stringify(alone)) as Written,
      async (scene) => {
        await scenario(scene, '°F')
        expect(scene.shown('weather').values?.[0]).toBe(5000n)
      },
      { adapters: [blind] },
    )
  })
})

describe('I49 a snapshot that lags behind', () => {
  const scenario = async (scene: Scene): Promise<void> => {
    say(scene, 'AAPL-USD', { kraken: '230.00', bitstamp: '230.10', gemini: '230.20', 'crypto-com': '230.30' })
    let etag = 0
    scene.venues.answer(hostOfVenue('coinbase'), () => {
      const { body } = trade('coinbase', 'AAPL-USD', '229.00', startMs - 90_000)
      return { status: 200, headers: { etag: `"${++etag}"`, 'content-type': 'application/json' }, body: body! }
    })
    await scene.step(startMs)
    await scene.step(startMs + 1000)
  }

  it('I49 older than maxAge it is excluded, with 200 and a changing ETag', () =>
    play(priceFeed('AAPL-USD', five), async (scene) => {
      await scenario(scene)
      expect(scene.shown('aapl-usd')).toMatchObject({ status: 'OK', groups: 4, values: [23_010n] })
      expect(scene.source('aapl-usd', 'coinbase')).toMatchObject({
        state: 'late',
        lastError: { code: 'SOURCE_STALE' },
        counts: { good: 2, errors: {} },
      })
    }))

  it('I49 without the source’s own time it counts as fresh', () =>
    play(
      priceFeed('AAPL-USD', five),
      async (scene) => {
        await scenario(scene)
        expect(scene.shown('aapl-usd').groups).toBe(5)
        expect(scene.source('aapl-usd', 'coinbase').state).toBe('counting')
      },
      { adapters: withAdapter(timeless(shippedAdapter('coinbase'))) },
    ))
})

describe('I84 a market that does not exist', () => {
  const absent: readonly (readonly [string, unknown])[] = [
    ['coinbase', { message: 'NotFound' }],
    ['kraken', { error: ['EQuery:Unknown asset pair'] }],
    ['kraken', { error: [], result: {} }],
    ['binance', { code: -1121, msg: 'Invalid symbol.' }],
    ['binance-us', { symbol: 'AAABBB', lastPrice: '0.00000000', closeTime: startMs }],
    ['gemini', { result: 'error', reason: 'InvalidSymbol', message: 'no' }],
    ['crypto-com', { code: 30003, message: 'Symbol not found' }],
    ['crypto-com', { code: 0, result: { data: [] } }],
  ]

  it.each(absent)('I84 %s says %j: NO_DATA, never 0', (venue, body) =>
    play(soloFeed('AAA-BBB', venue), async ({ venues, step, shown, source }) => {
      venues.answer(hostOfVenue(venue), jsonReply(body))
      await step(startMs)
      expect(source('aaa-bbb', venue)).toMatchObject({ state: 'down', lastError: { code: 'SOURCE_NO_DATA' } })
      expect(shown('aaa-bbb')).toMatchObject({ status: 'NO_DATA', values: null })
    }),
  )

  it('I84 with the status that the venue sends along, too', () =>
    play(soloFeed('AAA-BBB', 'coinbase'), async ({ venues, step, shown, source }) => {
      venues.answer(hostOfVenue('coinbase'), jsonReply({ message: 'NotFound' }, 404))
      await step(startMs)
      expect(source('aaa-bbb', 'coinbase').lastError?.code).toBe('SOURCE_REFUSED')
      expect(shown('aaa-bbb')).toMatchObject({ status: 'NO_DATA', values: null })
    }))

  it('I84 without the check the assets are worth 0', () => {
    const zero = { value: { price: '0' }, observedAtMs: startMs }
    const adapters = withAdapter(without('SOURCE_NO_DATA', shippedAdapter('crypto-com'), zero))
    return play(
      soloFeed('AAA-BBB', 'crypto-com'),
      async ({ venues, step, shown }) => {
        venues.answer(hostOfVenue('crypto-com'), jsonReply({ code: 0, result: { data: [] } }))
        await step(startMs)
        expect(shown('aaa-bbb').values).toEqual([0n])
      },
      { adapters },
    )
  })
})

describe('I88 an API moves without a word', () => {
  const scenario = async ({ venues, step }: Scene): Promise<void> => {
    venues.answer(hostOfVenue('coinbase'), { status: 308, headers: { location: 'https://moved.example/ticker' } })
    venues.answer('moved.example', trade('coinbase', 'BTC-USD', '666.00', startMs))
    await step(startMs)
  }

  it('I88 a 308 to another host is not followed, and reported as SOURCE_MOVED', () =>
    play(soloFeed('BTC-USD', 'coinbase'), async (scene) => {
      await scenario(scene)
      expect(scene.source('btc-usd', 'coinbase')).toMatchObject({ state: 'down', lastError: { code: 'SOURCE_MOVED' } })
      expect(scene.venues.asked('moved.example')).toBe(0)
      expect(scene.shown('btc-usd').values).toBe(null)
    }))

  it('I88 without the allow-list of hosts whoever is there makes the price', () => {
    const real = shippedAdapter('coinbase')
    const limits = { ...real.limits, hosts: [...real.limits.hosts, 'moved.example'] }
    return play(
      soloFeed('BTC-USD', 'coinbase'),
      async (scene) => {
        await scenario(scene)
        expect(scene.venues.asked('moved.example')).toBe(1)
        expect(scene.shown('btc-usd').values).toEqual([66_600n])
      },
      { adapters: withAdapter({ ...real, limits }) },
    )
  })
})

describe('I18 tokens of 6 and of 18 decimals', () => {
  const solo = (decimals: number): Written =>
    soloFeed('AAA-BBB', 'http-json', { decimals, sources: [plainSource('a.example')], bounds: { max: '9' } })
  // As a JSON number, which a float would cut.
  const body = jsonReply('{"price": 1.000000123456789012}')
  const scenario = async ({ venues, step }: Scene): Promise<void> => {
    venues.answer('a.example', body)
    await step(startMs)
  }

  it.each([
    [18, 1_000_000_123_456_789_012n],
    [6, 1_000_000n],
  ])('I18 with %i decimals the price is the exact rational one', (decimals, units) =>
    play(solo(decimals), async (scene) => {
      await scenario(scene)
      expect(scene.shown('aaa-bbb').values).toEqual([units])
    }),
  )

  it('I18 without lossless numbers the last digits are others', () => {
    const real = shippedAdapter('http-json')
    const rounding = reworded(real, (text) => JSON.stringify(JSON.parse(text)))
    return play(
      solo(18),
      async (scene) => {
        await scenario(scene)
        expect(scene.shown('aaa-bbb').values).not.toEqual([1_000_000_123_456_789_012n])
      },
      { adapters: withAdapter(rounding) },
    )
  })
})

describe('I30 a ticker is given to another asset', () => {
  const hosts = plainHosts
  const feed = (params: Written): Written =>
    priceFeed('LUNC-USD', [], { sources: hosts.map((host) => plainSource(host, params)), decimals: 6 })
  const byId = { identityPointer: '/assetId', identity: 'terra-luna-classic' }
  const classic = { assetId: 'terra-luna-classic', price: '0.0001' }
  const rebound = { assetId: 'terra-luna-2', price: '9.00' }
  const scenario = async (scene: Scene, bodies: readonly unknown[]): Promise<void> => {
    sayPlain(scene, Object.fromEntries(hosts.map((host, i) => [host, bodies[i]])))
    await scene.step(startMs)
  }

  it('I30 it is rejected by asset id, even where most sources have changed', () =>
    play(feed(byId), async (scene) => {
      await scenario(scene, [classic, classic, classic, rebound, rebound])
      expect(scene.shown('lunc-usd')).toMatchObject({ status: 'OK', groups: 3, values: [100n] })
      await scenario(scene, [rebound, rebound, rebound, rebound, rebound])
      expect(scene.shown('lunc-usd')).toMatchObject({ status: 'NO_DATA', values: null })
      const codes = scene.world.observer.sources().map(({ lastError }) => lastError?.code)
      expect(new Set(codes)).toEqual(new Set(['SOURCE_IDENTITY']))
    }))

  it('I30 a jump of more than five times that one group makes is an outlier; two groups are needed, and more than half', () =>
    play(feed({}), async (scene) => {
      await scenario(scene, [classic, classic, classic, classic, rebound])
      expect(scene.shown('lunc-usd')).toMatchObject({ status: 'OK', groups: 4, values: [100n] })
    }))

  it('I30 without the asset id three old readers make LUNC worth 9', () =>
    play(feed({}), async (scene) => {
      await scenario(scene, [classic, classic, rebound, rebound, rebound])
      expect(scene.shown('lunc-usd').values).toEqual([9_000_000n])
    }))
})
