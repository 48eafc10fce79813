// The feeds that recordings become: one for each pair, quotes apart, and nothing that lint refuses.

import { describe, expect, it } from 'vitest'
import { adapters } from '../../adapters/index.js'
import { recordingFeeds, stepSeconds } from '../../src/cli/demo-feeds.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { checkSet } from '../../src/feed/check-set.js'
import type { FeedDeclaration } from '../../src/feed/declaration.js'
import { parseFeeds } from '../../src/feed/parse-feeds.js'
import type { Series } from '../../src/replay/recordings.js'

const engine = await createWasmEngine()

function series(venue: string, base: string, quote: string, stepS = 60, close = '20364.09'): Series {
  const rows = Array.from({ length: 5 }, (_, i) => ({ timeMs: 1_678_406_400_000 + i * stepS * 1000, close }))
  return { file: `${venue}.csv`, venue, base, quote, rows }
}

function feedsOf(all: readonly Series[]): Map<string, FeedDeclaration> {
  const [file] = recordingFeeds({ folder: '', series: all, skipped: [], timesMs: [] })
  const { declarations, findings } = parseFeeds(engine, file!.name, file!.text, adapters)
  expect(findings.filter(({ isError }) => isError)).toEqual([])
  return new Map(declarations.map((feed) => [feed.name, feed]))
}

const four = ['binance-us', 'coinbase', 'crypto-com', 'kraken']

describe('recordingFeeds', () => {
  it('makes a feed of each pair, every venue a group, and never mixes quotes', () => {
    const all = ['USD', 'USDT'].flatMap((quote) => four.map((venue) => series(venue, 'BTC', quote)))
    const feeds = feedsOf([...all, series('kraken', 'USDC', 'USD')])
    expect([...feeds.keys()]).toEqual(['btc-usd', 'btc-usdt', 'usdc-usd'])
    for (const [name, { unit, sources, combineSources, singleSource }] of feeds) {
      expect(unit).toBe(name.split('-')[1]!.toUpperCase())
      expect(sources.every(({ params }) => params['quote'] === unit)).toBe(true)
      if (name === 'usdc-usd') {
        expect(singleSource).toContain('one venue')
        continue
      }
      expect(sources.map(({ group }) => group)).toEqual(four)
      expect(combineSources).toEqual({ minSources: 2, minGroups: 2, outlierPpm: 50_000 })
    }
  })

  it.each([1, 2, 3, 4, 5])('passes lint with %i venues', (count) => {
    const venues = [...four, 'gemini'].slice(0, count)
    const feed = feedsOf(venues.map((venue) => series(venue, 'BTC', 'USD'))).get('btc-usd')!
    expect(feed.sources).toHaveLength(count)
    expect(feed.singleSource === null).toBe(count >= 3)
  })

  it('lets a value live for three steps, and three minutes at least', () => {
    const ages = [1, 60, 3600].map(
      (stepS) => feedsOf([series('kraken', 'BTC', 'USD', stepS)]).get('btc-usd')!.freshness,
    )
    expect(ages.map(({ maxAgeS }) => maxAgeS)).toEqual([180, 180, 10_800])
  })

  it('asks no venue more often than it allows, however many pairs it has', () => {
    const all = Array.from({ length: 130 }, (_, i) => series('kraken', `C${i}`, 'USD'))
    const feeds = [...feedsOf(all).values()]
    expect(new Set(feeds.map(({ schedule }) => JSON.stringify(schedule)))).toEqual(
      new Set(['{"kind":"every","everyMs":180000}']),
    )
    const placed = feeds.map((feed) => ({ ...feed, file: 'recordings.yaml', line: 1 }))
    expect(checkSet(placed, adapters)).toEqual([])
  })

  it('keeps as many digits as the closes have', () => {
    const decimals = ['1', '0.1234567891', '0.12345678912345'].map(
      (close) => feedsOf([series('kraken', 'BTC', 'USD', 60, close)]).get('btc-usd')!.decimals,
    )
    expect(decimals).toEqual([8, 10, 12])
  })
})

describe('stepSeconds', () => {
  it('is what most rows are apart', () => {
    const minutes = [0, 1, 2, 9, 10, 11].map((minute) => ({ timeMs: minute * 60_000, close: '1' }))
    expect(stepSeconds({ rows: minutes })).toBe(60)
    expect(stepSeconds({ rows: minutes.slice(0, 1) })).toBe(60)
  })
})
