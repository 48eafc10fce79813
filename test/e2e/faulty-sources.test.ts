// Ten minutes with one source killed, one slow, one lying and one flapping, as four oracles see them: 600 steps of a second
// through real sockets. What a script of the same faults shows on real clocks is `npm run bench -- faults`.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { applyLie, parseLie } from '../../src/replay/lie.js'
import { hostOfVenue, openVenues, type Script, trade, type Venues } from '../observe/venues.js'
import { declare, openWorld, priceFeed, shippedAdapter, startMs, type World, withAdapter } from '../observe/world.js'

const steps = 600
const [killed, slow, lying, flapping] = ['coinbase', 'kraken', 'bitstamp', 'gemini'] as const
const honest = ['crypto-com', 'binance-us', 'binance'] as const
/** Steps before which all is well. */
const faultsFrom = 30
/** A flap lasts so many steps; every other one is a refusal (403), the ones between are faults of the server (503). */
const flapSteps = 3

let step = 0
/** A deadline that only the fault can miss, however busy the machine is. */
const limits = {
  ...shippedAdapter(slow).limits,
  get timeoutMs(): number {
    return step < faultsFrom ? 5_000 : 8
  },
}
const adapters = withAdapter({ ...shippedAdapter(slow), limits })
const freshness = { maxAgeS: 10, validForS: 20 }
const [bitcoin, ether] = declare(
  [
    priceFeed('BTC-USD', [killed, slow, lying, flapping, ...honest], { freshness }),
    priceFeed('ETH-USD', [killed, slow, ...honest], { freshness }),
  ],
  adapters,
)

let venues: Venues
let doomed: Venues
const worlds: World[] = []
beforeAll(async () => {
  venues = await openVenues([slow, lying, flapping, ...honest].map(hostOfVenue))
  doomed = await openVenues([hostOfVenue(killed)])
  const both = {
    ...venues,
    origins: { ...venues.origins, ...doomed.origins },
    loopback: [...venues.loopback, ...doomed.loopback],
  }
  for (let i = 0; i < 4; i++) worlds.push(openWorld({ venues: both, feeds: [bitcoin!, ether!], adapters }))
})
afterAll(async () => {
  for (const world of worlds) await world.close()
  await venues.close()
})

/** True prices at a step, in cents. */
const trueCents = (step: number) => ({ btc: 1_000_000 + 7 * step, eth: 50_000 + step })
const dollars = (cents: number): string => (cents / 100).toFixed(2)

/** What a venue says at a step: the truth, a cent more for each venue of a higher place. */
function truth(venue: string, step: () => number, change: (price: string) => string = (price) => price): Script {
  return ({ url = '' }) => {
    const now = trueCents(step())
    const isEther = /ETH/i.test(url)
    const price = change(dollars(isEther ? now.eth : now.btc))
    return trade(venue, isEther ? 'ETH-USD' : 'BTC-USD', price, startMs + 1000 * step())
  }
}

/** −1 while the flapping venue is well; else the status that it answers with. */
function flap(step: number): number {
  if (step < faultsFrom) return -1
  const spell = Math.floor((step - faultsFrom) / flapSteps)
  return spell % 2 === 1 ? -1 : spell % 4 === 0 ? 503 : 403
}

it('four sources fail for ten minutes; no feed misses a heartbeat, and the page of facts says what happened (16 s)', async () => {
  const now = (): number => step
  const lie = parseLie('+30%')
  for (const venue of honest) venues.answer(hostOfVenue(venue), truth(venue, now))
  doomed.answer(hostOfVenue(killed), truth(killed, now))
  const promptly = truth(slow, now)
  venues.answer(hostOfVenue(slow), (request) => {
    const reply = typeof promptly === 'function' ? promptly(request) : promptly
    if (step < faultsFrom) return reply
    return { act: (response) => void setTimeout(() => response.end(reply.body), 40) }
  })
  venues.answer(hostOfVenue(lying), (request) => {
    const lies = truth(lying, now, (price) => (step < faultsFrom ? price : applyLie(price, lie)))
    return typeof lies === 'function' ? lies(request) : lies
  })
  const well = truth(flapping, now)
  venues.answer(hostOfVenue(flapping), (request) => {
    const status = flap(step)
    return status > 0 ? { status } : typeof well === 'function' ? well(request) : well
  })

  const missed = { btc: 0, eth: 0 }
  for (step = 0; step < steps; step++) {
    if (step === faultsFrom) await doomed.close()
    const atMs = startMs + 1000 * step
    await Promise.all(worlds.map((world) => world.step(atMs)))
    const cents = trueCents(step)
    for (const world of worlds) {
      const [btc, eth] = [world.shown('btc-usd'), world.shown('eth-usd')]
      // The middle of the source times: of this second, but while three of seven bridge a fault with their last answer.
      const isFresh = (timeMs: number, s: number): boolean => timeMs > atMs - 1000 * s && timeMs <= atMs
      if (btc.status !== 'OK' || !isFresh(btc.timeMs, 1 + flapSteps)) missed.btc++
      if (eth.status !== 'OK' || !isFresh(eth.timeMs, 1)) missed.eth++
      // All honest venues say the same; a last good answer of a failing one is older by cents.
      expect(eth.values).toEqual([BigInt(cents.eth)])
      expect(Number(btc.values![0])).toBeGreaterThan(cents.btc - 80)
      expect(Number(btc.values![0])).toBeLessThanOrEqual(cents.btc)
    }
    if (step === faultsFrom - 1)
      for (const world of worlds)
        expect(world.observer.sources().map(({ state }) => state)).toEqual(Array(12).fill('counting'))
    if (step === faultsFrom + 20) for (const world of worlds) checkFacts(world, step)
  }
  expect(missed).toEqual({ btc: 0, eth: 0 })
  for (const world of worlds) checkFacts(world, steps - 1)
}, 180_000)

function checkFacts(world: World, step: number): void {
  const lastGoodMs = startMs + 1000 * (faultsFrom - 1)
  const faulty = step - faultsFrom + 1
  for (const feed of ['btc-usd', 'eth-usd']) {
    expect(world.source(feed, killed)).toMatchObject({
      state: 'late',
      lastGood: { observedAtMs: lastGoodMs },
      lastError: { code: 'SOURCE_UNREACHABLE', atMs: startMs + 1000 * step },
      counts: { good: faultsFrom, errors: { SOURCE_UNREACHABLE: faulty } },
    })
    expect(world.source(feed, slow)).toMatchObject({
      state: 'late',
      lastGood: { observedAtMs: lastGoodMs, isReceiptTime: true },
      lastError: { code: 'SOURCE_TIMEOUT' },
      counts: { good: faultsFrom, errors: { SOURCE_TIMEOUT: faulty } },
    })
    for (const venue of honest)
      expect(world.source(feed, venue)).toMatchObject({ state: 'counting', counts: { good: step + 1, errors: {} } })
  }
  expect(world.source('btc-usd', lying)).toMatchObject({
    state: 'outlier',
    lastError: null,
    counts: { good: step + 1 },
  })
  expect(world.source('btc-usd', lying).deviationPpm).toBeGreaterThan(290_000)
  const flaps = Array.from({ length: step + 1 }, (_, i) => flap(i))
  const count = (status: number): number => flaps.filter((answer) => answer === status).length
  const facts = world.source('btc-usd', flapping)
  expect(facts.counts).toEqual({
    good: count(-1),
    errors: { SOURCE_FAILED: count(503), SOURCE_UNAUTHORISED: count(403) },
  })
  // A fault of the server is bridged by the last good answer; a refusal is not.
  expect(facts.state).toBe(flap(step) === 403 ? 'down' : 'counting')
  expect(world.observer.feeds()).toMatchObject([
    { feed: 'btc-usd', status: 'OK', reasons: [] },
    { feed: 'eth-usd', status: 'OK', reasons: [], groups: 3 },
  ])
}
