// One oracle's observer for tests: real declarations, adapters, wire and board over venues on loopback, in a time of its own.

import { adapters as shipped } from '../../adapters/index.js'
import { type Committee, parseCommittee } from '../../src/core/committee.js'
import { layoutOf } from '../../src/core/layout.js'
import { type Status, statuses } from '../../src/core/status.js'
import { createWasmEngine, type SigningEngine } from '../../src/crypto/engine-wasm.js'
import { committeeFeedOf } from '../../src/feed/committee-feed.js'
import type { FeedDeclaration } from '../../src/feed/declaration.js'
import type { Finding } from '../../src/feed/finding.js'
import { parseFeeds } from '../../src/feed/parse-feeds.js'
import type { Adapter } from '../../src/observe/adapter.js'
import { type Board, createBoard } from '../../src/observe/board.js'
import type { SourceFacts } from '../../src/observe/facts.js'
import { createObserver, type Observer } from '../../src/observe/observer.js'
import { createSourceWire, type SourceWire, type WireParts } from '../../src/observe/wire.js'
import { committeeDocument } from '../committee-document.js'
import type { Venues } from './venues.js'

export const engine: SigningEngine = await createWasmEngine()

/** Any part of a declaration as it is written. */
export type Written = Record<string, unknown>

/** A price of `pair` from `venues`, each a group, three needed; as it is written, with what a test changes. */
export function priceFeed(pair: string, venues: readonly string[], change: Written = {}): Written {
  const [base, quote] = pair.split('-') as [string, string]
  return {
    version: 1,
    name: pair.toLowerCase(),
    title: `${base} in ${quote}`,
    value: 'price',
    unit: quote,
    decimals: 2,
    sources: venues.map((adapter) => ({ adapter, version: 1, params: { base, quote }, group: adapter })),
    combineSources: { minSources: 3, minGroups: 3, outlierPercent: '2' },
    freshness: { maxAgeS: 60, validForS: 120 },
    schedule: { every: '1s' },
    risk: 'informational',
    licence: 'none',
    ...change,
  }
}

/** As `priceFeed` with one venue, as a feed of one origin. */
export function soloFeed(pair: string, venue: string, change: Written = {}): Written {
  const { combineSources: _, ...rest } = priceFeed(pair, [venue])
  return { ...rest, singleSource: 'one venue is asked', ...change }
}

/** What lint says of a declaration: the rules that it breaks. */
export function lint(written: Written, adapters: readonly Adapter[] = shipped): readonly Finding[] {
  return parseFeeds(engine, 'feeds/test.yaml', JSON.stringify(written), adapters).findings
}

/** Declarations that the real parser makes; throws where one has an error, unless `evenIfRefused`. */
export function declare(
  written: readonly Written[],
  adapters: readonly Adapter[] = shipped,
  evenIfRefused = false,
): readonly FeedDeclaration[] {
  return written.flatMap((feed) => {
    const { declarations, findings } = parseFeeds(engine, 'feeds/test.yaml', JSON.stringify(feed), adapters)
    const error = findings.find(({ isError }) => isError)
    if (error !== undefined && !evenIfRefused) throw new Error(`${error.rule}: ${error.message}`)
    return declarations
  })
}

export interface WorldParts {
  readonly venues: Venues
  readonly feeds: readonly FeedDeclaration[]
  readonly adapters?: readonly Adapter[]
  /** The time in place of one that the test sets. */
  readonly clock?: () => number
  readonly wire?: Partial<WireParts>
  /** Stands between the observer and the wire. */
  readonly around?: (wire: SourceWire) => SourceWire
}

export interface Shown {
  readonly status: Status
  readonly groups: number
  readonly spreadPpm: number
  readonly timeMs: number
  readonly values: readonly (bigint | string)[] | null
}

export interface World {
  readonly committee: Committee
  readonly observer: Observer
  readonly board: Board
  readonly nowMs: () => number
  /** Sets the time. */
  readonly to: (nowMs: number) => void
  /** Sets the time, asks every source and judges every feed. */
  readonly step: (nowMs: number) => Promise<void>
  /** What the oracle would sign of a feed. */
  readonly shown: (feed: string) => Shown
  readonly source: (feed: string, adapter: string) => SourceFacts
  readonly close: () => Promise<void>
}

/** When the tests' time begins. */
export const startMs: number = Date.UTC(2024, 0, 2, 3, 4, 5)

/** An observer over `venues`; nothing is asked yet. The wire's steady clock is the world's time, too. */
export function openWorld(parts: WorldParts): World {
  const { venues, feeds, adapters = shipped, around = (wire) => wire } = parts
  let nowMs = startMs
  const clock = parts.clock ?? ((): number => nowMs)
  const { origins, loopback } = venues
  const wire = createSourceWire({ origins, loopback, steadyMs: clock, ...parts.wire })
  const committee = committeeOf(feeds)
  const layout = layoutOf(committee)
  const board = createBoard(committee, layout, () => undefined)
  const observer = createObserver({
    declarations: feeds,
    adapters,
    wire: around(wire),
    board,
    nowMs: clock,
    receiptMs: clock,
  })
  return {
    committee,
    observer,
    board,
    nowMs: clock,
    to: (atMs) => {
      nowMs = atMs
    },
    step: async (atMs) => {
      nowMs = atMs
      await observer.readAll()
      observer.judgeAll()
    },
    shown: (name) => {
      const reading = board.read(feeds.findIndex((feed) => feed.name === name))
      return { ...reading, status: statuses[reading.status]! }
    },
    source: (feed, adapter) => observer.sources().find((facts) => facts.feed === feed && facts.adapter === adapter)!,
    close: async () => {
      observer.close()
      await wire.close()
    },
  }
}

function committeeOf(feeds: readonly FeedDeclaration[]): Committee {
  const document = committeeDocument(engine)
  return parseCommittee(engine, {
    ...document,
    feeds: feeds.map(committeeFeedOf),
    bundles: [{ name: 'all', feeds: feeds.map(({ name }) => name) }],
  })
}

/** The shipped adapters with one replaced by its namesake. */
export function withAdapter(changed: Adapter): readonly Adapter[] {
  return shipped.map((adapter) => (adapter.id === changed.id ? changed : adapter))
}

export function shippedAdapter(id: string): Adapter {
  const adapter = shipped.find((candidate) => candidate.id === id)
  if (adapter === undefined) throw new Error(`no adapter ${id}`)
  return adapter
}
