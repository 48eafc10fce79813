// Incidents in which one source, or one market, was wrong: shared/incidents.csv by id. Each test shows the guard at work
// through real sockets and, with the guard taken away, the harm that it stops.

import { describe, expect, it } from 'vitest'
import { SourceError } from '../../src/observe/source-error.js'
import type { SourceWire } from '../../src/observe/wire.js'
import { hostOfVenue, jsonReply } from '../observe/venues.js'
import { priceFeed, soloFeed, startMs, type Written } from '../observe/world.js'
import { attested, brokenRules, plainSource, play, type Scene, say, sayPlain } from './scene.js'

const five = ['coinbase', 'kraken', 'bitstamp', 'gemini', 'crypto-com'] as const

describe('I02 an API that answers 401 to its clients', () => {
  const prices = { kraken: '101.00', bitstamp: '101.10', gemini: '101.20', 'crypto-com': '101.30' }
  const scenario = async (scene: Scene, status: number): Promise<void> => {
    say(scene, 'BTC-USD', {
      coinbase: '102.50',
      kraken: '102.50',
      bitstamp: '102.50',
      gemini: '102.50',
      'crypto-com': '102.50',
    })
    await scene.step(startMs)
    say(scene, 'BTC-USD', prices)
    scene.venues.answer(hostOfVenue('coinbase'), jsonReply({ error: true, message: 'invalid_app_id' }, status))
    await scene.step(startMs + 5000)
  }

  it.each([401, 403])(
    'I02 %i: it is DOWN, its last value is out of the median, the feed goes on with the others',
    (status) =>
      play(priceFeed('BTC-USD', five), async (scene) => {
        await scenario(scene, status)
        expect(scene.source('btc-usd', 'coinbase')).toMatchObject({
          state: 'down',
          lastGood: { value: { price: '102.5' } },
          lastError: { code: 'SOURCE_UNAUTHORISED' },
        })
        expect(scene.shown('btc-usd')).toMatchObject({ status: 'OK', groups: 4, values: [10_110n] })
      }),
  )

  it('I02 without the guard (a 401 taken for a fault of the server) the old value stays in the median', () => {
    const asFault = async <T>(asked: Promise<T>): Promise<T> => {
      try {
        return await asked
      } catch (error) {
        const { code, message } = error as SourceError
        throw code === 'SOURCE_UNAUTHORISED' ? new SourceError('SOURCE_FAILED', message) : error
      }
    }
    const around = (wire: SourceWire): SourceWire => ({
      ...wire,
      get: (ask, limits, signal) => asFault(wire.get(ask, limits, signal)),
    })
    return play(
      priceFeed('BTC-USD', five),
      async (scene) => {
        await scenario(scene, 401)
        expect(scene.source('btc-usd', 'coinbase').state).toBe('counting')
        // The median of five counts a price that nobody can ask for any more.
        expect(scene.shown('btc-usd')).toMatchObject({ groups: 5, values: [10_120n] })
      },
      { around },
    )
  })
})

describe('I12 one venue trades 30 % higher', () => {
  const fair = { kraken: '1.000', bitstamp: '1.001', gemini: '1.002', 'crypto-com': '1.003' }
  const feed = (change: Written = {}): Written => priceFeed('DAI-USD', five, { decimals: 4, ...change })

  it('I12 one venue +30 %, four within 1 %: the value moves less than 1 %, and the page of facts names the venue', () =>
    play(feed(), async (scene) => {
      say(scene, 'DAI-USD', { ...fair, coinbase: '1.000' })
      await scene.step(startMs)
      const before = scene.shown('dai-usd').values![0] as bigint
      say(scene, 'DAI-USD', { ...fair, coinbase: '1.300' })
      await scene.step(startMs + 1000)
      const { status, groups, values } = scene.shown('dai-usd')
      expect([status, groups]).toEqual(['OK', 4])
      expect(Math.abs(Number((values![0] as bigint) - before)) * 100).toBeLessThan(Number(before))
      expect(scene.source('dai-usd', 'coinbase')).toMatchObject({ state: 'outlier', deviationPpm: 298_701 })
    }))

  it('I12 without the outlier rule nobody is told of it', () => {
    const combineSources = { minSources: 3, minGroups: 3 }
    return play(feed({ combineSources }), async (scene) => {
      say(scene, 'DAI-USD', { ...fair, coinbase: '1.300' })
      await scene.step(startMs)
      expect(scene.source('dai-usd', 'coinbase').state).toBe('counting')
      expect(scene.shown('dai-usd')).toMatchObject({ status: 'OK', groups: 5 })
    })
  })

  it('I12 alone, that venue is no value; without the bar of three groups it is the price', async () => {
    const alone = async (scene: Scene): Promise<void> => {
      say(scene, 'DAI-USD', { coinbase: '1.300' })
      await scene.step(startMs)
    }
    await play(feed(), async (scene) => {
      await alone(scene)
      expect(scene.shown('dai-usd')).toMatchObject({ status: 'NO_DATA', values: null })
    })
    const combineSources = { minSources: 1, minGroups: 1, outlierPercent: '2' }
    const bare = feed({ combineSources })
    expect(brokenRules(bare)).toContain('min-groups')
    await play(
      bare,
      async (scene) => {
        await alone(scene)
        expect(scene.shown('dai-usd')).toMatchObject({ status: 'OK', values: [13_000n] })
      },
      { evenIfRefused: true },
    )
  })
})

describe('I25 n honest signatures over one manipulable venue', () => {
  const scenario = async (scene: Scene): Promise<ReturnType<typeof attested>> => {
    say(scene, 'DEI-USD', { coinbase: '28.00' })
    await scene.step(startMs)
    return attested([scene.world], startMs)
  }

  it('I25 the report says one group, and a reader that asks for nothing special is refused', () =>
    play(soloFeed('DEI-USD', 'coinbase'), async (scene) => {
      const { feed, refusal } = await scenario(scene)
      expect(feed).toMatchObject({ groups: 1, status: 'LOW_CONFIDENCE' })
      expect(refusal).toBe('REPORT_STATUS')
    }))

  it('I25 without singleSource (lint refuses that) the price of one venue is read as OK', async () => {
    const { singleSource: _, ...rest } = soloFeed('DEI-USD', 'coinbase')
    const bare = { ...rest, combineSources: { minSources: 1, minGroups: 1 } }
    expect(brokenRules(bare)).toEqual(expect.arrayContaining(['spare-sources', 'one-group']))
    await play(
      bare,
      async (scene) => {
        const { feed, refusal } = await scenario(scene)
        expect(feed).toMatchObject({ groups: 1, status: 'OK' })
        expect(refusal).toBe(null)
      },
      { evenIfRefused: true },
    )
  })
})

describe('I32 a price pumped where nobody offers', () => {
  const wide = (scene: Scene): void => {
    const { venues } = scene
    const time = new Date(startMs).toISOString()
    venues.answer(hostOfVenue('coinbase'), jsonReply({ price: '0.91', bid: '0.40', ask: '0.93', time }))
    const b = { last: '0.90', bid: '0.45', ask: '0.95', timestamp: String(startMs / 1000) }
    venues.answer(hostOfVenue('bitstamp'), jsonReply(b))
    const u = { symbol: 'MNGOUSD', lastPrice: '0.91', bidPrice: '0.50', askPrice: '0.92', closeTime: startMs }
    venues.answer(hostOfVenue('binance-us'), jsonReply(u))
    venues.answer(hostOfVenue('binance'), jsonReply({ ...u, bidPrice: '0.42' }))
    say(scene, 'MNGO-USD', { 'crypto-com': '0.90' })
  }
  const thin = ['coinbase', 'bitstamp', 'binance-us', 'binance', 'crypto-com']

  it('I32 bid and ask far apart: LOW_LIQUIDITY, which a reader refuses', () =>
    play(priceFeed('MNGO-USD', thin, { liquidity: { bidAskPercentMax: '2' } }), async (scene) => {
      wide(scene)
      await scene.step(startMs)
      expect(scene.shown('mngo-usd')).toMatchObject({ status: 'LOW_LIQUIDITY', groups: 5, values: [91n] })
      expect(attested([scene.world], startMs).refusal).toBe('REPORT_STATUS')
    }))

  it('I32 without the liquidity rule it is OK', () =>
    play(priceFeed('MNGO-USD', thin), async (scene) => {
      wide(scene)
      await scene.step(startMs)
      expect(attested([scene.world], startMs)).toMatchObject({ refusal: null, feed: { status: 'OK' } })
    }))
})

describe('I65 one venue prices an asset that can be redeemed 35 % lower', () => {
  // The redemption rate is a source of its own, of class reference.
  const sources = [
    ...['binance', 'coinbase', 'kraken'].map((adapter) => ({
      adapter,
      version: 1,
      params: { base: 'USDE', quote: 'USD' },
      group: adapter,
    })),
    plainSource('a.example'),
    plainSource('b.example'),
  ]
  const crash = (scene: Scene): void => {
    say(scene, 'USDE-USD', { binance: '0.6500', coinbase: '0.9960', kraken: '0.9965' })
    sayPlain(scene, { 'a.example': { price: '1.0000' }, 'b.example': { price: '1.0000' } })
  }

  it('I65 the feed keeps to the redemption rate and the other venues; the venue is an outlier', () =>
    play(priceFeed('USDE-USD', [], { sources, decimals: 4 }), async (scene) => {
      crash(scene)
      await scene.step(startMs)
      expect(scene.shown('usde-usd')).toMatchObject({ status: 'OK', groups: 4, values: [9965n] })
      expect(scene.source('usde-usd', 'binance').state).toBe('outlier')
    }))

  it('I65 without other groups (its own order book as the only source, which lint refuses) it is 0.65', async () => {
    const own = ['coinbase', 'kraken', 'binance'].map((adapter) => ({
      ...{ adapter, version: 1, params: { base: 'USDE', quote: 'USD' }, group: 'own-venue' },
    }))
    const bare = priceFeed('USDE-USD', [], {
      sources: own,
      decimals: 4,
      combineSources: { minSources: 1, minGroups: 1 },
    })
    expect(brokenRules(bare)).toContain('one-group')
    await play(
      bare,
      async (scene) => {
        say(scene, 'USDE-USD', { binance: '0.6500', coinbase: '0.6500', kraken: '0.6500' })
        await scene.step(startMs)
        expect(scene.shown('usde-usd')).toMatchObject({ status: 'OK', values: [6500n] })
      },
      { evenIfRefused: true },
    )
  })
})

describe('I82 the good sources are flooded, so that a lying minority is left', () => {
  const scenario = async (scene: Scene): Promise<void> => {
    say(scene, 'RSETH-ETH', {
      coinbase: '1.05',
      kraken: '1.05',
      bitstamp: '1.05',
      gemini: '1.05',
      'crypto-com': '1.05',
    })
    await scene.step(startMs)
    for (const venue of ['coinbase', 'kraken', 'bitstamp', 'gemini'])
      scene.venues.answer(hostOfVenue(venue), { act: (response) => void response.destroy() })
    say(scene, 'RSETH-ETH', { 'crypto-com': '9.99' })
    await scene.step(startMs + 61_000)
  }

  it('I82 no value is made of the one source left: the last one is shown STALE', () =>
    play(priceFeed('RSETH-ETH', five), async (scene) => {
      await scenario(scene)
      expect(scene.shown('rseth-eth')).toMatchObject({ status: 'STALE', values: [105n], timeMs: startMs })
      expect(attested([scene.world], startMs + 61_000).refusal).toBe('REPORT_STATUS')
    }))

  it('I82 without the bar (lint refuses that) the liar is the price', () =>
    play(
      priceFeed('RSETH-ETH', five, { combineSources: { minSources: 1, minGroups: 1 } }),
      async (scene) => {
        await scenario(scene)
        expect(attested([scene.world], startMs + 61_000)).toMatchObject({ refusal: null, feed: { cells: [999n] } })
      },
      { evenIfRefused: true },
    ))
})
