// A scene of an incident: venues on loopback, oracles that read them, and the report that a committee makes of it.

import { adapters as shipped } from '../../adapters/index.js'
import { combiner } from '../../src/core/combine.js'
import { keysOf } from '../../src/core/committee.js'
import { layoutOf } from '../../src/core/layout.js'
import { reportKernel } from '../../src/core/report.js'
import { buildReport } from '../../src/core/report-json.js'
import { domainOf, reportDigest } from '../../src/core/typed-data.js'
import { type VerifiedFeed, type VerifyOptions, verifyReport } from '../../src/core/verify-report.js'
import { completeFeed } from '../../src/feed/complete-feed.js'
import { expandTemplate } from '../../src/feed/expand-template.js'
import { lintFeed, rules } from '../../src/feed/lint.js'
import type { WrittenFeed } from '../../src/feed/written-feed.js'
import type { Adapter, SourceReading } from '../../src/observe/adapter.js'
import { type SourceCode, SourceError } from '../../src/observe/source-error.js'
import { memberKey } from '../committee-document.js'
import { hostOfVenue, openVenues, type Reply, trade, type Venues } from '../observe/venues.js'
import { declare, engine, openWorld, type World, type WorldParts, type Written } from '../observe/world.js'

/** Hosts of http-json sources. */
export const plainHosts = ['a.example', 'b.example', 'c.example', 'd.example', 'e.example'] as const

export interface Scene {
  readonly venues: Venues
  readonly world: World
  readonly step: World['step']
  readonly shown: World['shown']
  readonly source: World['source']
}

export interface SceneParts extends Partial<Omit<WorldParts, 'venues' | 'feeds'>> {
  /** A declaration that lint refuses is used all the same: what if lint were not there. */
  readonly evenIfRefused?: boolean
}

const hosts = [
  ...new Set(['coinbase', 'kraken', 'bitstamp', 'binance-us', 'gemini', 'crypto-com', 'binance'].map(hostOfVenue)),
]
const otherHosts = ['earthquake.usgs.gov', 'www.ecb.europa.eu', 'api.open-meteo.com', 'moved.example']

/** Plays `act` with one oracle over fresh venues. */
export async function play(
  written: Written,
  act: (scene: Scene) => Promise<void>,
  parts: SceneParts = {},
): Promise<void> {
  const venues = await openVenues([...hosts, ...plainHosts, ...otherHosts])
  const { evenIfRefused = false, ...more } = parts
  const feeds = declare([written], parts.adapters, evenIfRefused)
  const world = openWorld({ venues, feeds, ...more })
  try {
    await act({ venues, world, step: world.step, shown: world.shown, source: world.source })
  } finally {
    await world.close()
    await venues.close()
  }
}

/** Every venue says its price of `pair` now. */
export function say({ venues, world }: Scene, pair: string, prices: Readonly<Record<string, string>>): void {
  for (const [venue, price] of Object.entries(prices))
    venues.answer(hostOfVenue(venue), () => trade(venue, pair, price, world.nowMs()))
}

/** Every http-json host says its body now. */
export function sayPlain({ venues }: Scene, bodies: Readonly<Record<string, unknown>>): void {
  for (const [host, body] of Object.entries(bodies))
    venues.answer(host, (): Reply => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }))
}

/** An http-json source at `host`, a group of its own. */
export function plainSource(host: string, params: Written = {}, more: Written = {}): Written {
  return {
    adapter: 'http-json',
    version: 1,
    params: { url: `https://${host}/price`, pick: '/price', ...params },
    group: host.replace('.', '-'),
    ...more,
  }
}

/** What readers are told: the feed as a quorum attests it, and the verdict of the verifier that the client uses. */
export interface Read {
  readonly feed: VerifiedFeed
  /** REPORT_STATUS, REPORT_STALE … where a reader that asks for nothing special is refused; null where it may read. */
  readonly refusal: string | null
}

/** Three of four members attest what their oracles observe; fewer oracles than four are repeated. */
export function attested(worlds: readonly World[], nowMs: number, options: Partial<VerifyOptions> = {}): Read {
  const { committee } = worlds[0]!
  const kernel = reportKernel(engine, committee)
  const observations = [0, 1, 2, 3].map((member) => worlds[member % worlds.length]!.board.observe())
  const values = combiner(layoutOf(committee), committee.thresholds)(observations)
  const header = { epoch: 1, round: 1, attestedAtMs: worlds[0]!.nowMs(), root: kernel.root(values) }
  const digest = reportDigest(engine, domainOf(engine, committee.salt), header)
  const signers = [0, 1, 2]
  const signatures = signers.map((member) => engine.sign(digest, memberKey(engine, member)))
  const bytes = buildReport(engine, committee, kernel, { ...header, signers, signatures, values })
  const verdict = verifyReport(engine, bytes, keysOf(committee), { nowMs, ...options })
  const whole = verifyReport(engine, bytes, keysOf(committee), { nowMs: 'any' })
  if (!whole.ok) throw new Error(whole.message)
  return { feed: whole.report.bundles[0]!.feeds[0]!, refusal: verdict.ok ? null : verdict.code }
}

/** The lint rules that a declaration breaks, without the rule named `without`: what if nobody had thought of it. */
export function brokenRules(written: Written, adapters: readonly Adapter[] = shipped, without = ''): readonly string[] {
  const table = new Map(adapters.map((adapter) => [adapter.id, adapter]))
  const among = rules.filter(({ id }) => id !== without)
  if (without !== '' && among.length === rules.length) throw new Error(`there is no rule ${without}`)
  return expandTemplate(written as unknown as WrittenFeed).flatMap((instance) => {
    const complete = completeFeed(engine, instance, table)
    if (!('feed' in complete)) return complete.map(({ rule }) => rule)
    return lintFeed(complete, among).flatMap(({ rule, isError }) => (isError ? [rule] : []))
  })
}

/** An adapter whose refusals of `code` become a reading: what if it did not look. */
export function without(code: SourceCode, adapter: Adapter, otherwise: SourceReading): Adapter {
  return {
    ...adapter,
    normalise: (raw, params) => {
      try {
        return adapter.normalise(raw, params)
      } catch (error) {
        if (error instanceof SourceError && error.code === code) return otherwise
        throw error
      }
    },
  }
}

/** The adapter that takes the time of receipt, whatever the source says. */
export function timeless(adapter: Adapter): Adapter {
  return { ...adapter, normalise: (raw, params) => ({ ...adapter.normalise(raw, params)!, observedAtMs: null }) }
}
