// The observer over real sockets: who is asked, when a feed is judged anew, what the page of facts says, and streams.

import { afterEach, describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import type { Adapter } from '../../src/observe/adapter.js'
import { gravityOf, type SourceCode } from '../../src/observe/source-error.js'
import { hostOfVenue, openVenues, type Reply, trade, type Venues } from './venues.js'
import {
  declare,
  openWorld,
  priceFeed,
  shippedAdapter,
  soloFeed,
  startMs,
  type World,
  type WorldParts,
  withAdapter,
} from './world.js'

const pair = 'BTC-USD'
const five = ['coinbase', 'kraken', 'bitstamp', 'gemini', 'crypto-com']
const streamHost = 'ws-feed.exchange.coinbase.com'
const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

async function venuesOf(ids: readonly string[] = five): Promise<Venues> {
  const venues = await openVenues([...ids.map(hostOfVenue), streamHost])
  closers.push(venues.close)
  return venues
}

function worldOf(parts: WorldParts): World {
  const world = openWorld(parts)
  closers.push(world.close)
  return world
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function until(fits: () => boolean, what: string): Promise<void> {
  const endsMs = performance.now() + 5000
  while (!fits()) {
    if (performance.now() > endsMs) throw new Error(`waited in vain for ${what}`)
    await pause(5)
  }
}

describe('asking', () => {
  it('asks a source once for all the feeds that use it, whatever the order of its params', async () => {
    const venues = await venuesOf()
    const twin = {
      ...soloFeed(pair, 'coinbase'),
      name: 'twin-btc-usd',
      sources: [{ adapter: 'coinbase', version: 1, params: { quote: 'USD', base: 'BTC' }, group: 'coinbase' }],
    }
    const world = worldOf({ venues, feeds: declare([priceFeed(pair, five), soloFeed('ETH-USD', 'coinbase'), twin]) })
    for (const id of five)
      venues.answer(
        hostOfVenue(id),
        ({ url = '' }): Reply => trade(id, pair, url.includes('ETH') ? '7.00' : '100.00', world.nowMs()),
      )
    await world.step(startMs)
    expect(venues.asked(hostOfVenue('coinbase'))).toBe(2)
    expect(venues.asked(hostOfVenue('kraken'))).toBe(1)
    expect(world.shown('btc-usd').values).toEqual([10_000n])
    expect(world.shown('eth-usd').values).toEqual([700n])
    expect(world.shown('twin-btc-usd').values).toEqual([10_000n])
  })

  it('refuses a declaration whose adapter or version is not there', async () => {
    const venues = await venuesOf()
    const feeds = declare([priceFeed(pair, five)])
    const older = withAdapter({ ...shippedAdapter('kraken'), version: 2 })
    expect(() => openWorld({ venues, feeds, adapters: older })).toThrow(/no adapter kraken of version 1/)
  })

  it('asks at once and by schedule, judges after each answer, and stops when closed (2.5 s)', async () => {
    const venues = await venuesOf()
    const feeds = declare([priceFeed(pair, five, { schedule: { every: '1s' } })])
    const world = worldOf({ venues, feeds, clock: Date.now })
    let price = 100
    for (const id of five) venues.answer(hostOfVenue(id), () => trade(id, pair, price.toFixed(2), Date.now()))
    expect(world.observer.feeds()).toEqual([
      {
        feed: 'btc-usd',
        status: 'NO_DATA',
        reasons: ['no source was asked yet'],
        groups: 0,
        spreadPpm: 0,
        observedAtMs: null,
      },
    ])
    expect(world.source('btc-usd', 'gemini')).toMatchObject({ state: 'waiting', lastGood: null, lastError: null })
    world.observer.run()
    await until(() => world.shown('btc-usd').groups === 5, 'the first answers')
    expect(world.shown('btc-usd')).toMatchObject({ status: 'OK', values: [10_000n] })
    price = 100.25
    await until(() => world.shown('btc-usd').values?.[0] === 10_025n, 'the next answers')
    const counts = (): number[] => five.map((id) => venues.asked(hostOfVenue(id)))
    await until(() => new Set(counts()).size === 1, 'as many questions to each')
    const asked = counts()
    for (const count of asked) expect(count).toBeLessThanOrEqual(4)
    world.observer.close()
    await pause(1200)
    expect(counts()).toEqual(asked)
  })

  it('outlives an adapter that fails in its own code', async () => {
    const venues = await venuesOf()
    const broken: Adapter = {
      ...shippedAdapter('gemini'),
      normalise: () => {
        throw new TypeError('undefined is not a function')
      },
    }
    const world = worldOf({ venues, feeds: declare([priceFeed(pair, five)]), adapters: withAdapter(broken) })
    for (const id of five) venues.answer(hostOfVenue(id), trade(id, pair, '100.00', startMs))
    await world.step(startMs)
    expect(world.shown('btc-usd')).toMatchObject({ status: 'OK', groups: 4 })
    expect(world.source('btc-usd', 'gemini')).toMatchObject({ state: 'down', lastError: { code: 'SOURCE_DRIFT' } })
  })

  it('lets no value past the schema, whatever an adapter returns', async () => {
    const venues = await venuesOf(['kraken'])
    const values: readonly Readonly<Record<string, string | boolean>>[] = [
      { price: '-1' },
      { price: '1e3' },
      { price: 'NaN' },
      { price: true },
      { price: '1', volume: '2' },
      { bid: '1' },
    ]
    for (const value of values) {
      const loose: Adapter = { ...shippedAdapter('kraken'), normalise: () => ({ value, observedAtMs: null }) }
      const adapters = withAdapter(loose)
      const world = worldOf({ venues, feeds: declare([soloFeed(pair, 'kraken')], adapters), adapters })
      venues.answer(hostOfVenue('kraken'), { body: '{}' })
      await world.step(startMs)
      expect(world.shown('btc-usd').values).toBe(null)
      expect(world.source('btc-usd', 'kraken').lastError?.code).toBe('SOURCE_DRIFT')
    }
    for (const observedAtMs of [-1, 0.5, Number.NaN, 2 ** 48]) {
      const loose: Adapter = { ...shippedAdapter('kraken'), normalise: () => ({ value: { price: '1' }, observedAtMs }) }
      const adapters = withAdapter(loose)
      const world = worldOf({ venues, feeds: declare([soloFeed(pair, 'kraken')], adapters), adapters })
      await world.step(startMs)
      expect(world.shown('btc-usd').values).toBe(null)
      expect(world.source('btc-usd', 'kraken').lastError?.code).toBe('SOURCE_VALUE_INVALID')
    }
  })
})

describe('the passing of time', () => {
  it('is seen by refresh alone: OK, then below the bar and STALE, then NO_DATA', async () => {
    const venues = await venuesOf()
    const world = worldOf({ venues, feeds: declare([priceFeed(pair, five)]) })
    for (const [i, id] of five.entries()) venues.answer(hostOfVenue(id), trade(id, pair, '100.00', startMs - i * 1000))
    await world.step(startMs)
    const asked = venues.asked(hostOfVenue('kraken'))
    // Kraken has no time of its own: receipt. The others are 0, 2, 3 and 4 s old.
    const ages: readonly (readonly [number, string, number])[] = [
      [55_000, 'OK', 5],
      [57_000, 'OK', 4],
      [58_000, 'OK', 3],
      [58_001, 'STALE', 5],
      [60_001, 'STALE', 5],
    ]
    for (const [ageMs, status, groups] of ages) {
      // Venues with times in seconds are cut to the second before.
      world.to(startMs + ageMs)
      world.observer.refresh()
      expect([ageMs, world.shown('btc-usd').status]).toEqual([ageMs, status])
      if (status === 'OK') expect(world.shown('btc-usd').groups).toBe(groups)
      expect(world.shown('btc-usd').values).toEqual([10_000n])
    }
    const { timeMs } = world.shown('btc-usd')
    world.to(timeMs + 120_000)
    world.observer.refresh()
    expect(world.shown('btc-usd')).toMatchObject({ status: 'STALE', timeMs, values: [10_000n] })
    world.to(timeMs + 120_001)
    world.observer.refresh()
    expect(world.shown('btc-usd')).toMatchObject({ status: 'NO_DATA', values: null })
    expect(venues.asked(hostOfVenue('kraken'))).toBe(asked)
  })
})

describe('the page of facts', () => {
  it('says who counts, who is an outlier and how far off each is', async () => {
    const venues = await venuesOf()
    const world = worldOf({ venues, feeds: declare([priceFeed(pair, five)]) })
    for (const [i, id] of five.entries())
      venues.answer(hostOfVenue(id), trade(id, pair, i === 3 ? '130.00' : `100.0${i}`, startMs))
    await world.step(startMs)
    expect(world.shown('btc-usd')).toMatchObject({ status: 'OK', groups: 4, values: [10_001n], spreadPpm: 299_940 })
    expect(five.map((id) => world.source('btc-usd', id).state)).toEqual([
      'counting',
      'counting',
      'counting',
      'outlier',
      'counting',
    ])
    expect(world.source('btc-usd', 'gemini')).toMatchObject({
      group: 'gemini',
      version: 1,
      params: { base: 'BTC', quote: 'USD' },
      deviationPpm: 299_870,
      counts: { good: 1, errors: {} },
    })
    expect(world.observer.feeds()).toMatchObject([{ feed: 'btc-usd', status: 'OK', reasons: [], groups: 4 }])
  })
})

describe('a stream', () => {
  /** Short only where the test is about silence, however busy the machine is. */
  let quietMs = 5_000
  const patient: Adapter = {
    ...shippedAdapter('coinbase-stream'),
    subscribe: (params) => ({ ...shippedAdapter('coinbase-stream').subscribe!(params), quietMs }),
  }
  const adapters = withAdapter(patient)
  afterEach(() => {
    quietMs = 5_000
  })
  const feed = soloFeed(pair, 'coinbase-stream', { schedule: { stream: true, every: '1s' } })
  const ticker = (price: string, more: Readonly<Record<string, unknown>> = {}): string =>
    JSON.stringify({
      type: 'ticker',
      sequence: 1,
      product_id: 'BTC-USD',
      price,
      time: new Date().toISOString(),
      ...more,
    })

  interface Stream {
    readonly world: World
    /** Sockets opened so far, and what each was told. */
    readonly sockets: WebSocket[]
    readonly told: string[]
  }

  async function stream(onOpen: (socket: WebSocket, count: number) => void = () => undefined): Promise<Stream> {
    const venues = await venuesOf([])
    const sockets: WebSocket[] = []
    const told: string[] = []
    venues.stream(streamHost, (socket) => {
      sockets.push(socket)
      socket.on('message', (message) => told.push(String(message)))
      onOpen(socket, sockets.length)
    })
    const world = worldOf({ venues, feeds: declare([feed], adapters), adapters, clock: Date.now })
    world.observer.run()
    await until(() => told.length > 0, 'a subscription')
    return { world, sockets, told }
  }
  const value = (world: World): unknown => world.shown('btc-usd').values?.[0]
  const error = (world: World): unknown => world.source('btc-usd', 'coinbase-stream').lastError?.code

  it('is heard; heartbeats and messages of other products change nothing', async () => {
    const { world, sockets, told } = await stream()
    expect(JSON.parse(told[0]!)).toMatchObject({ type: 'subscribe', product_ids: ['BTC-USD'] })
    const [socket] = sockets
    socket!.send(JSON.stringify({ type: 'subscriptions', channels: [] }))
    socket!.send(ticker('666.00', { product_id: 'ETH-USD' }))
    socket!.send(JSON.stringify({ type: 'heartbeat', sequence: 2 }))
    socket!.send(ticker('100.00'))
    await until(() => value(world) === 10_000n, 'the price')
    socket!.send(ticker('666.00', { product_id: 'BTC-USDT' }))
    socket!.send(ticker('100.50'))
    await until(() => value(world) === 10_050n, 'the next price')
    expect(world.source('btc-usd', 'coinbase-stream')).toMatchObject({
      state: 'counting',
      counts: { good: 2, errors: {} },
    })
    expect(sockets).toHaveLength(1)
  })

  it('is left out after a bad message, and counts again after the next good one', async () => {
    const { world, sockets } = await stream()
    const [socket] = sockets
    const bad: readonly (readonly [string, SourceCode])[] = [
      ['{"type":"ticker",', 'SOURCE_NOT_JSON'],
      [ticker('NaN'), 'SOURCE_VALUE_INVALID'],
      [ticker('666.00', { time: 0 }), 'SOURCE_DRIFT'],
      [JSON.stringify({ type: 'ticker2' }), 'SOURCE_DRIFT'],
      [JSON.stringify({ type: 'error', message: 'rate' }), 'SOURCE_ERROR_BODY'],
      [ticker('666.00', { time: '2020-01-01T00:00:00Z' }), 'SOURCE_BACKWARDS'],
    ]
    for (const [i, [message, code]] of bad.entries()) {
      socket!.send(ticker(`100.0${i}`))
      await until(() => value(world) === 10_000n + BigInt(i), 'a good message')
      socket!.send(message)
      await until(() => error(world) === code, code)
      // What stands (drift) silences the source at once, what passes leaves its last good word.
      const isPassing = gravityOf[code] === 'passing'
      await until(() => value(world) === (isPassing ? 10_000n + BigInt(i) : undefined), 'a judgement')
    }
    expect(sockets).toHaveLength(1)
  })

  it('is opened anew when it closes, breaks off, says too much or falls silent (5 s)', async () => {
    quietMs = 400
    const ends: ((socket: WebSocket) => void)[] = [
      (socket) => socket.close(1000),
      (socket) => socket.terminate(),
      (socket) => socket.send('x'.repeat(70_000)),
      () => undefined,
    ]
    const codes: unknown[] = []
    const { world, sockets } = await stream((socket, count) => {
      socket.send(ticker(`10${count}.00`))
      setTimeout(() => ends[count - 1]?.(socket), 50)
    })
    for (let count = 1; count <= 4; count++) {
      const errors = (): number =>
        Object.values(world.source('btc-usd', 'coinbase-stream').counts.errors).reduce((a, b) => a + b, 0)
      await until(() => value(world) === BigInt(10_000 + 100 * count), `price ${count}`)
      await until(() => errors() === count, `error ${count}`)
      codes.push(error(world))
    }
    expect(codes).toEqual(['SOURCE_UNREACHABLE', 'SOURCE_UNREACHABLE', 'SOURCE_TOO_LARGE', 'SOURCE_TIMEOUT'])
    await until(() => sockets.length === 5, 'another socket')
    expect(world.source('btc-usd', 'coinbase-stream').counts.good).toBeGreaterThanOrEqual(4)
  })

  it('is not opened again after close', async () => {
    const { world, sockets } = await stream()
    sockets[0]!.close()
    world.observer.close()
    await pause(1300)
    expect(sockets).toHaveLength(1)
  })
})
