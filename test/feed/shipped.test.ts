import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { adapters } from '../../adapters/index.js'
import { parseCommittee } from '../../src/core/committee.js'
import { bundlesOf } from '../../src/feed/bundles.js'
import { committeeFeedOf } from '../../src/feed/committee-feed.js'
import { loadFeeds } from '../../src/feed/load-feeds.js'
import { parseFeeds } from '../../src/feed/parse-feeds.js'
import { committeeDocument } from '../committee-document.js'
import { engine } from './declare.js'

const { declarations, findings } = loadFeeds(engine, join(import.meta.dirname, '../../feeds'), adapters)

describe('the declarations that ship', () => {
  it('pass lint without a word', () => {
    expect(findings).toEqual([])
    const names = ['btc-usd', 'eth-usd', 'sol-usd', 'btc-usdt', 'eth-usdt', 'eur-usd', 'earthquake-world']
    expect(declarations.map(({ name }) => name)).toEqual(expect.arrayContaining([...names, 'weather-berlin']))
  })

  it('make a committee document that the core accepts, each feed in a bundle of its file', () => {
    const document = {
      ...committeeDocument(engine),
      feeds: declarations.map(committeeFeedOf),
      bundles: bundlesOf(declarations),
    }
    const committee = parseCommittee(engine, document)
    expect(committee.feeds.map(({ declaration }) => declaration)).toEqual(declarations.map(({ digest }) => digest))
    expect(committee.bundles.map(({ name }) => name)).toEqual([
      'earthquake-1',
      'fx-1',
      'spot-usdt-1',
      'spot-1',
      'weather-1',
    ])
  })

  it('are like the one that docs/feeds.md teaches, which passes lint too', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/feeds.md'), 'utf8')
    const text = /```yaml\n(.*?)```/s.exec(page)![1]!
    const parsed = parseFeeds(engine, 'my-feed.yaml', text, adapters)
    expect(parsed.findings).toEqual([])
    expect(parsed.declarations.map(({ name, sources }) => [name, sources.length])).toEqual([
      ['btc-usd', 5],
      ['doge-usd', 4],
    ])
  })

  it('let earthquakes grow as old as a catalogue that is renewed each minute, not as their newest event', () => {
    const feed = declarations.find(({ name }) => name === 'earthquake-world')
    expect(feed?.freshness).toEqual({ maxAgeS: 900, validForS: 1800 })
  })

  it('never mix currencies', () => {
    for (const { unit, sources, entity } of declarations.filter(({ value }) => value === 'price')) {
      expect(entity['quote']).toBe(unit)
      expect(new Set(sources.map(({ params }) => params['quote']))).toEqual(new Set([unit]))
    }
  })
})

describe('bundles', () => {
  it('hold at most sixteen feeds of one file, in order, and have names of their own', () => {
    const feeds = Array.from({ length: 35 }, (_, i) => ({
      name: `f${i}`,
      file: i < 20 ? 'a/Spot prices.yaml' : i < 34 ? 'b/spot-prices.json' : 'b/ü.yml',
    }))
    const bundles = bundlesOf(feeds)
    expect(bundles.map(({ name, feeds: { length } }) => [name, length])).toEqual([
      ['spot-prices-1', 16],
      ['spot-prices-2', 4],
      ['spot-prices-3', 14],
      ['feeds-1', 1],
    ])
    expect(bundles.flatMap(({ feeds: names }) => names)).toEqual(feeds.map(({ name }) => name))
  })
})
