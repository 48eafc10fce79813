// Feeds whose sources are asked on request: once at the start, when asked for, and never faster than lint reckons with.

import { afterEach, describe, expect, it } from 'vitest'
import { adapters } from '../../adapters/index.js'
import { checkSet } from '../../src/feed/check-set.js'
import { requestGapMs } from '../../src/feed/declaration.js'
import { runSchedule } from '../../src/observe/schedule.js'
import { bareSource } from '../../src/observe/source-part.js'
import { hostOfVenue, openVenues, trade, type Venues } from './venues.js'
import { declare, lint, openWorld, priceFeed, startMs, type World, type Written } from './world.js'

const venues = ['coinbase', 'kraken', 'bitstamp', 'gemini', 'crypto-com']
const onRequest = { schedule: { onRequest: true }, freshness: { maxAgeS: 60, validForS: 120 } }
const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

async function worldOf(...feeds: readonly Written[]): Promise<{ readonly world: World; readonly served: Venues }> {
  const served = await openVenues(venues.map(hostOfVenue))
  closers.push(served.close)
  const world = openWorld({ venues: served, feeds: declare(feeds) })
  closers.push(world.close)
  for (const id of venues)
    served.answer(hostOfVenue(id), ({ url = '' }) =>
      trade(id, url.includes('ETH') ? 'ETH-USD' : 'BTC-USD', url.includes('ETH') ? '7.00' : '100.00', world.nowMs()),
    )
  return { world, served }
}

describe('a feed on request', () => {
  it('has all its sources asked at once when it is asked for, and shows their value', async () => {
    const { world, served } = await worldOf(priceFeed('BTC-USD', venues, onRequest))
    expect(world.shown('btc-usd').status).toBe('NO_DATA')
    await world.observer.askFeed(0)
    world.observer.refresh()
    expect(venues.map((id) => served.asked(hostOfVenue(id)))).toEqual([1, 1, 1, 1, 1])
    expect(world.shown('btc-usd')).toMatchObject({ status: 'OK', values: [10_000n] })
  })

  it('is asked for at most every 10 s, whoever asks how often', async () => {
    const { world, served } = await worldOf(priceFeed('BTC-USD', venues, onRequest))
    for (let ms = 0; ms <= 20_000; ms += 1000) {
      world.to(startMs + ms)
      await world.observer.askFeed(0)
    }
    expect(requestGapMs).toBe(10_000)
    expect(served.asked(hostOfVenue('kraken'))).toBe(3)
    // A clock that was set back holds nothing up.
    world.to(startMs)
    await world.observer.askFeed(0)
    expect(served.asked(hostOfVenue('kraken'))).toBe(4)
  })

  it('takes nothing from feeds that have a schedule: those are as fresh as it keeps them', async () => {
    const { world, served } = await worldOf(
      priceFeed('BTC-USD', venues),
      priceFeed('ETH-USD', venues, { ...onRequest, schedule: { onRequest: true } }),
    )
    await world.observer.askFeed(0)
    await world.observer.askFeed(7)
    expect(served.asked(hostOfVenue('kraken'))).toBe(0)
    await world.observer.askFeed(1)
    expect(served.asked(hostOfVenue('kraken'))).toBe(1)
  })
})

describe('its schedule', () => {
  it('asks once, at the start', async () => {
    let asked = 0
    const stop = runSchedule(
      { kind: 'request' },
      () => startMs,
      async () => void asked++,
      0,
    )
    stop()
    expect(asked).toBe(1)
  })

  it('stands alone, and its values live until they may be asked for again', () => {
    const rules = (change: Written): readonly string[] =>
      lint(priceFeed('BTC-USD', venues, change)).flatMap(({ rule, isError }) => (isError ? [rule] : []))
    expect(rules(onRequest)).toEqual([])
    expect(rules({ schedule: { onRequest: true, every: '5s' } })).toEqual(['schedule'])
    expect(rules({ schedule: { onRequest: false } })).toEqual(['schema'])
    expect(rules({ ...onRequest, freshness: { maxAgeS: 9, validForS: 120 } })).toEqual(['max-age'])
  })

  it('is reckoned with among all that a host is asked', () => {
    const feeds = Array.from({ length: 20 }, (_, i) =>
      priceFeed(`A${i}-USD`, venues, { ...onRequest, name: `a${i}-usd` }),
    )
    const placed = declare(feeds).map((feed, i) => ({ ...feed, file: 'feeds/test.yaml', line: i + 1 }))
    const tight = adapters.map((adapter) => ({ ...adapter, limits: { ...adapter.limits, perMinute: 119 } }))
    const wide = adapters.map((adapter) => ({ ...adapter, limits: { ...adapter.limits, perMinute: 120 } }))
    expect(checkSet(placed as never, tight).map(({ rule }) => rule)).toEqual(venues.map(() => 'rate-limit'))
    expect(checkSet(placed as never, wide)).toEqual([])
  })

  it('of a source inside the process is none: a round is all that follows', () => {
    let moves = 0
    const running = bareSource(() => () => undefined)({
      board: null as never,
      move: () => void moves++,
      reported: async () => undefined,
    })
    running.ask(0)
    expect(moves).toBe(1)
  })
})
