// Incidents in which most sources were wrong or the market itself was, so that only a status can help: by id of
// shared/incidents.csv, each with its guard and without it.

import { describe, expect, it } from 'vitest'
import { judgeFeed } from '../../src/client/judge-feed.js'
import { hostOfVenue } from '../observe/venues.js'
import { priceFeed, startMs, type Written } from '../observe/world.js'
import { attested, brokenRules, plainSource, play, type Scene, say, sayPlain } from './scene.js'

const five = ['coinbase', 'kraken', 'bitstamp', 'gemini', 'crypto-com'] as const
const allAt = (price: string): Readonly<Record<string, string>> =>
  Object.fromEntries(five.map((venue) => [venue, price]))

describe('I28 a coin falls below the least price of its feed', () => {
  const scenario = async (scene: Scene): Promise<ReturnType<typeof attested>> => {
    say(scene, 'LUNA-USD', allAt('0.01'))
    await scene.step(startMs)
    return attested([scene.world], startMs)
  }

  it('I28 OUT_OF_RANGE with the value itself, never the bound; a reader is refused', () =>
    play(priceFeed('LUNA-USD', five, { bounds: { min: '0.10' } }), async (scene) => {
      const { feed, refusal } = await scenario(scene)
      expect(feed).toMatchObject({ status: 'OUT_OF_RANGE', cells: [1n] })
      expect(refusal).toBe('REPORT_STATUS')
    }))

  it('I28 without bounds it reads as OK', () =>
    play(priceFeed('LUNA-USD', five), async (scene) => {
      expect(await scenario(scene)).toMatchObject({ refusal: null, feed: { status: 'OK', cells: [1n] } })
    }))
})

describe('I42 a price doubles within a day', () => {
  const scenario = async (scene: Scene): Promise<void> => {
    say(scene, 'TRB-USD', allAt('100.00'))
    await scene.step(startMs)
    say(scene, 'TRB-USD', allAt('200.10'))
    await scene.step(startMs + 20 * 3_600_000)
  }

  it('I42 HALT for the rest of the day; who opted in may read it', () =>
    play(priceFeed('TRB-USD', five, { bounds: { change: { maxPercent: '100', windowS: 86_400 } } }), async (scene) => {
      await scenario(scene)
      expect(scene.shown('trb-usd')).toMatchObject({ status: 'HALT', values: [20_010n] })
      const nowMs = startMs + 20 * 3_600_000
      expect(attested([scene.world], nowMs).refusal).toBe('REPORT_STATUS')
      expect(attested([scene.world], nowMs, { accept: ['OK', 'HALT'] }).refusal).toBe(null)
      await scene.step(startMs + 86_400_000)
      expect(scene.shown('trb-usd').status).toBe('HALT')
      await scene.step(startMs + 86_400_001)
      expect(scene.shown('trb-usd')).toMatchObject({ status: 'OK', values: [20_010n] })
    }))

  it('I42 without the rule on changes it is OK at once', () =>
    play(priceFeed('TRB-USD', five), async (scene) => {
      await scenario(scene)
      expect(scene.shown('trb-usd')).toMatchObject({ status: 'OK', values: [20_010n] })
    }))
})

describe('I66 a crash in which venues fall apart', () => {
  const feed = (combineSources: Written): Written => priceFeed('VIRTUAL-USD', five, { combineSources, decimals: 4 })
  const scenario = async (scene: Scene): Promise<void> => {
    say(scene, 'VIRTUAL-USD', {
      coinbase: '0.2000',
      kraken: '0.7000',
      bitstamp: '1.0000',
      gemini: '1.0010',
      'crypto-com': '1.0020',
    })
    await scene.step(startMs)
  }

  it('I66 one group at −80 % and one at −30 %: the spread widens, the status is LOW_CONFIDENCE', () =>
    play(feed({ minSources: 3, minGroups: 3, outlierPercent: '2' }), async (scene) => {
      await scenario(scene)
      expect(scene.shown('virtual-usd')).toMatchObject({
        status: 'LOW_CONFIDENCE',
        groups: 3,
        spreadPpm: 802_000,
        values: [10_010n],
      })
      expect(attested([scene.world], startMs)).toMatchObject({ refusal: 'REPORT_STATUS', feed: { spreadPpm: 802_000 } })
    }))

  it('I66 without the outlier rule it is OK', () =>
    play(feed({ minSources: 3, minGroups: 3 }), async (scene) => {
      await scenario(scene)
      expect(scene.shown('virtual-usd')).toMatchObject({ status: 'OK', groups: 5, values: [10_000n] })
    }))
})

/** Two markets, and two sources that keep to par, whatever the market says. */
const parFeed = (pair: string, outlier: Written): Written =>
  priceFeed(pair, ['kraken', 'bitstamp'], {
    sources: [
      ...['kraken', 'bitstamp'].map((adapter) => ({
        ...{ adapter, version: 1, params: { base: pair.slice(0, 3), quote: 'USD' }, group: adapter },
      })),
      plainSource('a.example'),
      plainSource('b.example'),
    ],
    combineSources: { minSources: 2, minGroups: 2, ...outlier },
  })

describe.each([
  ['I45', '0.94', 'a primary that deviates by more than 5 %, and no reference that settles it'],
  ['I68', '0.26', 'a depegged token and its fundamental value'],
  ['I86', '0.30', 'a par value and a market 70 % apart'],
] as const)('%s market and par differ', (id, market, what) => {
  const scenario = async (scene: Scene): Promise<void> => {
    say(scene, 'USX-USD', { kraken: market, bitstamp: market })
    sayPlain(scene, { 'a.example': { price: '1.00' }, 'b.example': { price: '1.00' } })
    await scene.step(startMs)
  }

  it(`${id} ${what}: DIVERGED, both are on the page of facts and in the spread, a reader is refused`, () =>
    play(parFeed('USX-USD', { outlierPercent: '2' }), async (scene) => {
      await scenario(scene)
      const { feed, refusal } = attested([scene.world], startMs)
      expect(feed).toMatchObject({ status: 'DIVERGED', groups: 4, cells: [BigInt(Math.round(Number(market) * 100))] })
      const spread = (1 - Number(market)) / Number(market)
      expect(feed.spreadPpm).toBe(Math.floor(spread * 1e6 + 1e-6))
      expect(refusal).toBe('REPORT_STATUS')
      const lasts = scene.world.observer.sources().map(({ lastGood }) => Number(lastGood!.value['price']))
      expect(lasts).toEqual([Number(market), Number(market), 1, 1])
    }))

  it(`${id} without the outlier rule it is OK`, () =>
    play(parFeed('USX-USD', {}), async (scene) => {
      await scenario(scene)
      expect(attested([scene.world], startMs)).toMatchObject({ refusal: null, feed: { status: 'OK' } })
    }))
})

describe('I69 every honest oracle reads one drained pool', () => {
  const bounds = { min: '0.5', max: '2', change: { maxPercent: '20', windowS: 3600 } }
  const scenario = async (scenes: readonly Scene[]): Promise<ReturnType<typeof attested>> => {
    for (const [atMs, price] of [
      [startMs, '1.05'],
      [startMs + 60_000, '1700000.00'],
    ] as const) {
      for (const scene of scenes) {
        say(scene, 'WRSETH-ETH', allAt(price))
        await scene.step(atMs)
      }
    }
    return attested(
      scenes.map(({ world }) => world),
      startMs + 60_000,
    )
  }
  /** Four oracles, each with its own sockets. */
  const four = async (change: Written, act: (read: ReturnType<typeof attested>) => void): Promise<void> => {
    const feed = priceFeed('WRSETH-ETH', five, change)
    await play(feed, (a) =>
      play(feed, (b) => play(feed, (c) => play(feed, async (d) => act(await scenario([a, b, c, d]))))),
    )
  }

  it('I69 2f + 1 honest, all wrong alike: HALT in the report, and no reader takes the value', () =>
    four({ bounds }, ({ feed, refusal }) => {
      expect(feed).toMatchObject({ status: 'HALT', cells: [170_000_000n] })
      expect(refusal).toBe('REPORT_STATUS')
    }))

  it('I69 without the change rule the bounds still say OUT_OF_RANGE', () =>
    four({ bounds: { min: '0.5', max: '2' } }, ({ feed, refusal }) => {
      expect([feed.status, refusal]).toEqual(['OUT_OF_RANGE', 'REPORT_STATUS'])
    }))

  it('I69 without both the committee signs 1.7 million as OK', () =>
    four({}, ({ feed, refusal }) => {
      expect(feed).toMatchObject({ status: 'OK', cells: [170_000_000n] })
      expect(refusal).toBe(null)
    }))
})

describe('I46 one tape prints −99.97 %', () => {
  // Four sources take their price from the tape, three do not.
  const onTape = ['binance', 'binance-us', 'gemini', 'crypto-com']
  const offTape = ['coinbase', 'kraken', 'bitstamp']
  const feed = (groupOf: (venue: string) => string): Written =>
    priceFeed('BRK-USD', [], {
      sources: [...onTape, ...offTape].map((adapter) => ({
        ...{ adapter, version: 1, params: { base: 'BRK', quote: 'USD' }, group: groupOf(adapter) },
      })),
      combineSources: { minSources: 2, minGroups: 2, outlierPercent: '2' },
      freshness: { maxAgeS: 60, validForS: 7200 },
    })
  const halt = async (scene: Scene): Promise<void> => {
    const all = (tape: string): void =>
      say(scene, 'BRK-USD', {
        ...Object.fromEntries(onTape.map((venue) => [venue, tape])),
        ...Object.fromEntries(offTape.map((venue) => [venue, '627400.00'])),
      })
    all('627400.00')
    await scene.step(startMs)
    all('185.10')
    await scene.step(startMs + 1000)
  }

  it('I46 the tape is one group: its four sources are one outlier, the others make the value', () =>
    play(
      feed((venue) => (onTape.includes(venue) ? 'cta-sip' : venue)),
      async (scene) => {
        await halt(scene)
        expect(scene.shown('brk-usd')).toMatchObject({ status: 'OK', groups: 3, values: [62_740_000n] })
        for (const venue of onTape) expect(scene.source('brk-usd', venue).state).toBe('outlier')
        // With nobody but the tape left the last value is held, STALE, and not the print.
        for (const venue of offTape) scene.venues.answer(hostOfVenue(venue), { status: 503 })
        await scene.step(startMs + 62_000)
        expect(scene.shown('brk-usd')).toMatchObject({ status: 'STALE', values: [62_740_000n], timeMs: startMs + 1000 })
        expect(attested([scene.world], startMs + 62_000).refusal).toBe('REPORT_STATUS')
      },
    ))

  it('I46 without groups by tape its four sources outvote the others', () =>
    play(
      feed((venue) => venue),
      async (scene) => {
        await halt(scene)
        expect(scene.shown('brk-usd').values).toEqual([18_510n])
      },
    ))
})

describe.each([
  ['I36', 'a coin whose feed is hours old'],
  ['I44', 'a feed that lags'],
] as const)('%s', (id, what) => {
  const heartbeatS = 30
  const feed = priceFeed('UNI-USD', five, {
    freshness: { maxAgeS: 30, validForS: 2 * heartbeatS },
    triggers: { heartbeatS },
  })
  const ageMs = 2 * heartbeatS * 1000

  it(`${id} ${what}: after two heartbeats the client refuses, and the oracle has said STALE before`, () =>
    play(feed, async (scene) => {
      say(scene, 'UNI-USD', allAt('7.00'))
      await scene.step(startMs)
      expect(attested([scene.world], startMs + ageMs).refusal).toBe(null)
      expect(attested([scene.world], startMs + ageMs + 1).refusal).toBe('REPORT_STALE')
      // The client's own judgement of one feed of that report.
      const { feed: proven } = attested([scene.world], startMs)
      const report = { attestedAtMs: startMs, epoch: 1, round: 1 } as Parameters<typeof judgeFeed>[0]
      expect(judgeFeed(report, proven, startMs + ageMs, {}).ok).toBe(true)
      expect(judgeFeed(report, proven, startMs + ageMs + 1, {})).toMatchObject({ ok: false, code: 'REPORT_STALE' })
      // The sources stop: one heartbeat later the page of facts and the status say so.
      for (const venue of five) scene.venues.answer(hostOfVenue(venue), { status: 500 })
      await scene.step(startMs + 31_000)
      expect(scene.world.observer.feeds()).toMatchObject([{ status: 'STALE', groups: 5, observedAtMs: startMs }])
      await scene.step(startMs + ageMs + 1)
      expect(scene.shown('uni-usd')).toMatchObject({ status: 'NO_DATA', values: null })
    }))

  it(`${id} without validity (a reader that takes any time) the old value is read`, () =>
    play(feed, async (scene) => {
      say(scene, 'UNI-USD', allAt('7.00'))
      await scene.step(startMs)
      expect(attested([scene.world], startMs, { nowMs: 'any' }).refusal).toBe(null)
    }))
})

it('the feeds of these incidents are ones that lint lets pass', () => {
  expect(brokenRules(priceFeed('UNI-USD', five))).toEqual([])
})
