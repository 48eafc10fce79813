// Sources killed, slow, lying and flapping for minutes under four real oracles: heartbeats missed, and what /v1/sources says.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { declaredFeeds } from '../src/cli/declared.js'
import { createWasmEngine } from '../src/crypto/engine-wasm.js'
import type { SourceFacts } from '../src/observe/facts.js'
import { makeCommittee, sleep, spawnBencher, stopAll } from './committee.js'
import { type Fault, startFaultyVenues } from './faulty-venues.js'
import { figure } from './figure.js'

const oracles = 4
const port = 17_600
const apiPort = 17_650
/** Each fault has a venue and a feed of its own; the last feed has none. */
const faults: readonly { readonly fault: Fault; readonly venue: string; readonly base: string }[] = [
  { fault: 'killed', venue: 'coinbase', base: 'BTC' },
  { fault: 'slow', venue: 'kraken', base: 'ETH' },
  { fault: 'lying', venue: 'bitstamp', base: 'SOL' },
  { fault: 'flapping', venue: 'gemini', base: 'LTC' },
]
const control = 'ADA'
const honest = ['crypto-com', 'binance-us', 'binance']
const venues = [...honest, ...faults.map(({ venue }) => venue)]
const bases = [...faults.map(({ base }) => base), control]
const maxAgeS = 15
/** A heartbeat is a report with the feed OK, not older than this when it is looked at each second. */
const heartbeatMs = 3_000
const settleMs = 10_000

/** Cents of a base at a time: a slow walk that is the same for all who ask at once. */
function cents(base: string, nowMs: number): number {
  return 10_000 * (1 + bases.indexOf(base)) + (Math.floor(nowMs / 1000) % 60)
}

/** The market that a venue's symbol names, priced; an empty base where there is none. */
function priceOf(symbol: string, nowMs: number): { base: string; quote: string; price: string } {
  const text = symbol.toUpperCase().replace('XBT', 'BTC')
  const base = bases.find((candidate) => new RegExp(`^${candidate}[-_/]?USD$`).test(text)) ?? ''
  return { base, quote: 'USD', price: base === '' ? '0' : (cents(base, nowMs) / 100).toFixed(2) }
}

function declaration(base: string, venue: string | null): Record<string, unknown> {
  return {
    ...{
      version: 1,
      name: `${base}-USD`.toLowerCase(),
      title: `${base} in USD`,
      value: 'price',
      unit: 'USD',
      decimals: 2,
    },
    sources: (venue === null ? honest : [...honest, venue]).map((adapter) => ({
      ...{ adapter, version: 1, params: { base, quote: 'USD' }, group: adapter },
    })),
    combineSources: { minSources: 1, minGroups: 2, outlierPercent: '5' },
    freshness: { maxAgeS, validForS: 2 * maxAgeS },
    ...{ schedule: { every: '1s' }, risk: 'informational', licence: 'made up for a benchmark' },
  }
}

interface FeedNow {
  readonly name: string
  readonly status: string
  readonly attestedAtMs: number | null
}

/** All faults at once for `minutes`, then all healed; prints a line for each fault and one for the feed without any. */
export async function benchFaults(minutes = 10): Promise<void> {
  const served = await startFaultyVenues(venues, priceOf)
  const declarations = [...faults.map(({ base, venue }) => declaration(base, venue)), declaration(control, null)]
  const engine = await createWasmEngine()
  const written = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  const file = join(written, 'faults.yaml')
  writeFileSync(file, declarations.map((feed) => JSON.stringify(feed, null, 2)).join('\n---\n'))
  const { origins, loopback } = served
  const committee = await makeCommittee({
    ...{ oracles, host: '127.0.0.1', port, feeds: declaredFeeds(engine, file), declarations: file },
    source: () => ({ kind: 'feeds', feeds: '../feeds', origins, loopback }),
    api: (member) => ({ listen: `127.0.0.1:${apiPort + Number(member.split('-')[1])}` }),
  })
  const names = Array.from({ length: oracles }, (_, i) => `oracle-${i + 1}`)
  const running = names.map((name) =>
    spawnBencher('../src/cli/main.js', ['start', join(committee.folder, name), '--json', '--until-stdin-ends']),
  )
  try {
    await untilHealthy()
    const watched = watch()
    await sleep(settleMs)
    const before = watched.count()
    for (const { venue, fault } of faults) await served.set(venue, fault)
    await sleep(minutes * 60_000)
    const during = watched.count()
    const pages = await Promise.all(names.map((_, i) => sources(i)))
    for (const { venue } of faults) await served.set(venue, null)
    await sleep(2 * settleMs)
    watched.stop()
    const healed = await Promise.all(names.map((_, i) => sources(i)))
    for (const { fault, venue, base } of faults) {
      const own = `${base}-USD`.toLowerCase()
      const others = Object.entries(during.missed).filter(([feed]) => feed !== own)
      const said = pages.map((page) => page.find((facts) => facts.feed === own && facts.adapter === venue)!)
      const after = healed.map((page) => page.find((facts) => facts.feed === own && facts.adapter === venue)!.state)
      figure(
        `faults-${fault}-missed-by-other-feeds`,
        others.reduce((sum, [, missed]) => sum + missed, 0),
        'heartbeats',
        {
          ...{ venue, minutes, looks: during.looks - before.looks, missedByOwnFeed: during.missed[own] ?? 0 },
          says: said.map(({ state, lastError, counts }) => ({ state, code: lastError?.code ?? null, ...counts })),
          healed: after,
        },
      )
    }
    const all = Object.values(during.missed).reduce((a, b) => a + b, 0)
    figure('faults-missed-in-all', all, 'heartbeats', {
      ...{
        feeds: bases.length,
        oracles,
        minutes,
        missedBefore: Object.values(before.missed).reduce((a, b) => a + b, 0),
      },
    })
  } finally {
    await stopAll(running)
    await served.close()
    committee.remove()
    rmSync(written, { recursive: true, force: true })
  }
}

const urlOf = (oracle: number): string => `http://127.0.0.1:${apiPort + 1 + oracle}`

async function ask(oracle: number, path: string): Promise<unknown> {
  const answer = await fetch(`${urlOf(oracle)}${path}`, { signal: AbortSignal.timeout(2000) })
  return answer.json()
}

async function sources(oracle: number): Promise<readonly SourceFacts[]> {
  return ((await ask(oracle, '/v1/sources')) as { sources: readonly SourceFacts[] }).sources
}

/** Looks at every feed of every oracle once a second and counts the heartbeats that are missing. */
function watch(): { count: () => { looks: number; missed: Record<string, number> }; stop: () => void } {
  const missed: Record<string, number> = Object.fromEntries(bases.map((base) => [`${base}-USD`.toLowerCase(), 0]))
  let looks = 0
  const look = async (oracle: number): Promise<void> => {
    const feeds = await ask(oracle, '/v1/feeds').then(
      (body) => (body as { feeds: readonly FeedNow[] }).feeds,
      () => [],
    )
    for (const name of Object.keys(missed)) {
      const feed = feeds.find((candidate) => candidate.name === name)
      const isThere = feed?.status === 'OK' && Date.now() - (feed.attestedAtMs ?? 0) <= heartbeatMs
      if (!isThere) missed[name] = missed[name]! + 1
    }
    looks++
  }
  const timer = setInterval(() => {
    for (let oracle = 0; oracle < oracles; oracle++) void look(oracle)
  }, 1000)
  return { count: () => ({ looks, missed: { ...missed } }), stop: () => clearInterval(timer) }
}

/** Until every oracle serves every feed as OK; a minute at most. */
async function untilHealthy(): Promise<void> {
  for (let waited = 0; waited < 60; waited++) {
    const all = await Promise.all(
      Array.from({ length: oracles }, (_, i) =>
        ask(i, '/v1/feeds').then(
          (body) => (body as { feeds: readonly FeedNow[] }).feeds.every(({ status }) => status === 'OK'),
          () => false,
        ),
      ),
    )
    if (all.every(Boolean)) return
    await sleep(1000)
  }
  throw new Error(`four oracles over ${venues.length} venues did not become healthy within a minute`)
}
