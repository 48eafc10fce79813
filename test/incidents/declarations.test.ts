// Incidents that were in the configuration before they were in the value: lint refuses the declaration, and where lint
// did not look, the same declaration signs harm. By id of shared/incidents.csv.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { adapters as shipped } from '../../adapters/index.js'
import { toHex, utf8 } from '../../src/core/bytes.js'
import { canonicalJson } from '../../src/core/canonical.js'
import { parseCommittee } from '../../src/core/committee.js'
import { committeeFeedOf } from '../../src/feed/committee-feed.js'
import { checkFeeds, loadFeeds } from '../../src/feed/load-feeds.js'
import { openFeedSource } from '../../src/feed-source.js'
import { committeeDocument } from '../committee-document.js'
import { declare, engine, lint, priceFeed, startMs, type Written } from '../observe/world.js'
import { attested, brokenRules, plainHosts, plainSource, play, type Scene, sayPlain } from './scene.js'

const five = ['coinbase', 'kraken', 'bitstamp', 'gemini', 'crypto-com'] as const
const sourcesOf = (base: string, quote: string, venues: readonly string[] = five): Written[] =>
  venues.map((adapter) => ({ adapter, version: 1, params: { base, quote }, group: adapter }))
const allSay = (scene: Scene, body: unknown): void =>
  sayPlain(scene, Object.fromEntries(plainHosts.map((host) => [host, body])))

/** What `assay start` and `assay feeds lint` do with a declaration on disk. */
function refusalOfFile(written: Written): { code: string; message: string } | null {
  const folder = mkdtempSync(join(tmpdir(), 'assay-incident-'))
  try {
    writeFileSync(join(folder, 'feed.yaml'), JSON.stringify(written, null, 2))
    checkFeeds(loadFeeds(engine, folder, shipped).findings)
    return null
  } catch (error) {
    return error as { code: string; message: string }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('I04 the silver feed serves the gold price', () => {
  const gold = { symbol: 'XAU', price: '1560.00' }
  const silver = { symbol: 'XAG', price: '17.80' }
  const feed = (params: Written, more: Written = {}): Written =>
    priceFeed('XAG-USD', [], { sources: plainHosts.map((host) => plainSource(host, params)), ...more })
  const declared = { identityPointer: '/symbol', identity: 'XAG' }

  it('I04 a feed whose source asks for XAU is refused before anything is asked', () => {
    const mapped = priceFeed('XAG-USD', five, { sources: sourcesOf('XAU', 'USD') })
    expect(lint(mapped).map(({ rule }) => rule)).toContain('identity')
    expect(refusalOfFile(mapped)).toMatchObject({ code: 'FEED_LINT' })
    expect(refusalOfFile(priceFeed('XAG-USD', five))).toBe(null)
    const template = priceFeed('XAG-USD', five, {
      ...{ name: '{base}-{quote}', entities: [{ base: 'XAG', quote: 'USD' }] },
      sources: sourcesOf('XAU', 'USD'),
    })
    expect(refusalOfFile(template)).toMatchObject({ code: 'FEED_LINT' })
    // Without the rule nobody minds.
    expect(brokenRules(mapped, shipped, 'identity')).toEqual([])
  })

  it('I04 a source whose answer names XAU is refused; without its declared identity gold is the price of silver', async () => {
    await play(feed(declared), async (scene) => {
      allSay(scene, silver)
      await scene.step(startMs)
      allSay(scene, gold)
      await scene.step(startMs + 1000)
      expect(scene.shown('xag-usd')).toMatchObject({ status: 'NO_DATA', values: null })
      const codes = scene.world.observer.sources().map(({ lastError }) => lastError?.code)
      expect(codes).toEqual(plainHosts.map(() => 'SOURCE_IDENTITY'))
    })
    await play(feed({}), async (scene) => {
      allSay(scene, gold)
      await scene.step(startMs)
      expect(attested([scene.world], startMs)).toMatchObject({ refusal: null, feed: { cells: [156_000n] } })
    })
  })

  it('I04 where the identity was left out, a band that gold is more than ten times beyond stops it', () =>
    play(feed({}, { bounds: { min: '5', max: '100' } }), async (scene) => {
      allSay(scene, gold)
      await scene.step(startMs)
      expect(attested([scene.world], startMs)).toMatchObject({
        refusal: 'REPORT_STATUS',
        feed: { status: 'OUT_OF_RANGE' },
      })
    }))
})

describe.each([
  ['I05', 'bZx'],
  ['I53', 'Paribus'],
  ['I74', 'Makina'],
  ['I80', 'Whalebit'],
])('%s the spot price of a pool (%s)', (id) => {
  const bounds = { min: '100', max: '1000000' }
  const pools = plainHosts.map((host) => plainSource(host, {}, { class: 'amm-spot' }))
  const collateral = priceFeed('AAA-USD', [], { sources: pools, risk: 'collateral', bounds })
  const mixed = priceFeed('AAA-USD', [], {
    sources: [...pools.slice(0, 1), ...plainHosts.slice(1).map((host) => plainSource(host))],
  })

  it(`${id} an adapter of class amm-spot is refused for a feed that carries collateral`, () => {
    expect(brokenRules(collateral)).toEqual(pools.map(() => 'amm-spot'))
    expect(refusalOfFile(collateral)).toMatchObject({ code: 'FEED_LINT' })
    // One among honest sources is one too many.
    expect(refusalOfFile({ ...mixed, risk: 'collateral', bounds })).toMatchObject({ code: 'FEED_LINT' })
    expect(refusalOfFile(mixed)).toBe(null)
  })

  it(`${id} where a pool may serve, 50 times for one block move the value by less than 0.2 %`, () =>
    play(mixed, async (scene) => {
      allSay(scene, { price: '100.00' })
      sayPlain(scene, { 'b.example': { price: '100.10' } })
      await scene.step(startMs)
      const before = Number(scene.shown('aaa-usd').values![0])
      sayPlain(scene, { 'a.example': { price: '5000.00' } })
      await scene.step(startMs + 12_000)
      const after = Number(scene.shown('aaa-usd').values![0])
      expect(scene.shown('aaa-usd').status).toBe('OK')
      expect(Math.abs(after - before) / before).toBeLessThan(0.002)
    }))

  it(`${id} without the rule a collateral feed of pools follows a flash loan`, async () => {
    expect(brokenRules(collateral, shipped, 'amm-spot')).toEqual([])
    await play(
      collateral,
      async (scene) => {
        allSay(scene, { price: '5000.00' })
        await scene.step(startMs)
        expect(attested([scene.world], startMs)).toMatchObject({ refusal: null, feed: { cells: [500_000n] } })
      },
      { evenIfRefused: true },
    )
  })
})

describe('I26 a stablecoin is 1 by definition', () => {
  const constants = priceFeed('FUSD-USD', [], {
    sources: plainHosts.map((host) => plainSource(host, {}, { class: 'constant' })),
  })

  it('I26 a source of class constant is refused in every feed', () => {
    for (const risk of ['informational', 'standard', 'collateral'])
      expect(brokenRules({ ...constants, risk })).toContain('constant-source')
    expect(refusalOfFile(constants)).toMatchObject({ code: 'FEED_LINT' })
  })

  it('I26 without the rule it stays at 1 while it trades at 0.30', async () => {
    expect(brokenRules(constants, shipped, 'constant-source')).toEqual([])
    await play(
      constants,
      async (scene) => {
        allSay(scene, { price: '1', market: '0.30' })
        await scene.step(startMs)
        expect(attested([scene.world], startMs)).toMatchObject({ refusal: null, feed: { cells: [100n] } })
      },
      { evenIfRefused: true },
    )
  })
})

describe('I72 an upgrade changes decimals', () => {
  const [eight, eighteen] = declare([
    priceFeed('AAVE-USD', five, { decimals: 8 }),
    priceFeed('AAVE-USD', five, { decimals: 12, bounds: { max: '100000' } }),
  ])
  const idOf = (feed: typeof eight): string => {
    const document = { ...committeeDocument(engine), feeds: [committeeFeedOf(feed!)] }
    const committee = parseCommittee(engine, { ...document, bundles: [{ name: 'all', feeds: [feed!.name] }] })
    return committee.feeds[0]!.feedId
  }

  it('I72 other decimals are another feedId, so no reader of the old one sees the new numbers', () => {
    expect(idOf(eighteen)).not.toBe(idOf(eight))
    const [same] = declare([priceFeed('AAVE-USD', [...five].reverse(), { decimals: 8 })])
    expect(idOf(same)).toBe(idOf(eight))
  })

  it('I72 an oracle whose declaration is not the agreed one refuses to start', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'assay-incident-'))
    try {
      writeFileSync(
        join(folder, 'feed.yaml'),
        JSON.stringify(priceFeed('AAVE-USD', five, { decimals: 12, bounds: { max: '100000' } })),
      )
      const document = { ...committeeDocument(engine), feeds: [committeeFeedOf(eight!)] }
      const committee = parseCommittee(engine, { ...document, bundles: [{ name: 'all', feeds: ['aave-usd'] }] })
      const source = { kind: 'feeds', feeds: folder, origins: {}, loopback: [], replay: null } as const
      const open = openFeedSource({ engine, committee, self: 0, source, onWait: () => undefined })
      await expect(open).rejects.toMatchObject({ code: 'FEED_MISMATCH', path: '/feeds/0' })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('I72 without decimals in what the id covers both would be one feed', () => {
    const bare = (feed: typeof eight): string => {
      const { decimals: _, ...rest } = feed!.meaning
      return toHex(engine.keccak256(utf8(canonicalJson(rest))))
    }
    expect(bare(eighteen)).toBe(bare(eight))
  })
})

describe('I73 an amount of one unit where another is meant', () => {
  const mixed = priceFeed('BTC-USD', five, {
    sources: [...sourcesOf('BTC', 'USD', five.slice(0, 4)), ...sourcesOf('BTC', 'USDT', ['crypto-com'])],
  })

  it('I73 a source that quotes USDT is refused in a feed of USD, as is a unit that is not the quote', () => {
    expect(brokenRules(mixed)).toContain('quote-replaced')
    expect(refusalOfFile(mixed)).toMatchObject({ code: 'FEED_LINT' })
    const template = priceFeed('BTC-USD', five, {
      name: '{base}-{quote}',
      entities: [{ base: 'BTC', quote: 'USD' }],
      unit: 'USDT',
    })
    expect(brokenRules(template)).toContain('unit-quote')
  })

  it('I73 without the rules on quote and identity nobody minds', () => {
    const others = new Set(brokenRules(mixed, shipped, 'quote-replaced'))
    expect([...others]).toEqual(['identity'])
  })
})
