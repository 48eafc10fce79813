// The observer: asks every source of every feed on its schedule, judges, and keeps the board and the page of facts.

import { OracleError } from '../base/errors.js'
import type { Reading } from '../core/layout.js'
import { statusCodes, statuses } from '../core/status.js'
import { type FeedDeclaration, requestGapMs, type Schedule, type SourceDeclaration } from '../feed/declaration.js'
import { sourceKey } from '../feed/source-key.js'
import type { Adapter } from './adapter.js'
import type { Board } from './board.js'
import { bidAskPpmOf, cellsOf } from './cells.js'
import type { FeedFacts, SourceFacts } from './facts.js'
import { type Candidate, type Judgement, judge, type Past, ppmOf } from './judge.js'
import { burstMax } from './pace.js'
import { createReader, type Reader } from './reader.js'
import { runSchedule } from './schedule.js'
import { type Failure, type Good, isFresh, type SourceState } from './source.js'
import { SourceError } from './source-error.js'
import type { SourceWire } from './wire.js'

export interface ObserverParts {
  /** One for each feed of the committee, in its order. */
  readonly declarations: readonly FeedDeclaration[]
  readonly adapters: readonly Adapter[]
  readonly wire: SourceWire
  readonly board: Board
  /** The oracle's clock, ms since 1970. */
  readonly nowMs: () => number
  /** Time of receipt: the clock, but for a replay, where it is the time of the step being read. */
  readonly receiptMs: () => number
}

export interface Observer {
  /** Asks by schedule and listens to streams until closed. */
  readonly run: () => void
  /**
   * Asks the sources of a feed that are asked on request, at most every `requestGapMs`; resolves when all have answered.
   * Those of other feeds are as fresh as their schedule keeps them.
   */
  readonly askFeed: (index: number) => Promise<void>
  /** Asks every source once, without judging: what a replay does at each step. */
  readonly readAll: () => Promise<void>
  /** Judges every feed anew at this moment and writes the board. */
  readonly judgeAll: () => void
  /** Judges the feeds of which a source's word has run out since; called before the board is observed. */
  readonly refresh: () => void
  readonly sources: () => readonly SourceFacts[]
  readonly feeds: () => readonly FeedFacts[]
  readonly close: () => void
}

interface Wired {
  readonly source: SourceDeclaration
  readonly reader: Reader
}

/** One reader with the feeds that use it, by index, and what they ask of it. */
interface Asked {
  readonly reader: Reader
  readonly adapter: Adapter
  readonly isStream: boolean
  readonly users: number[]
  readonly schedules: Schedule[]
}

/** What the observer remembers of one feed between judgements. */
interface FeedState {
  readonly feed: FeedDeclaration
  readonly wired: readonly Wired[]
  judgement: Judgement | null
  /** The candidates of the last judgement, by source; −1: none. */
  places: readonly number[]
  last: Reading | null
  past: Past[]
  /** Why an answer cannot be signed by this feed, by source; null: it can. */
  unfit: readonly (SourceError | null)[]
  judgedAtMs: number
  /** When its sources were last asked on request. */
  askedAtMs: number
  /** When the judgement changes by the passing of time alone. */
  expiresAtMs: number
}

const pastCountMax = 128

/** An observer with every source wired and nothing asked yet. */
export function createObserver(parts: ObserverParts): Observer {
  const { declarations, adapters, wire, board, nowMs } = parts
  const readers = new Map<string, Asked>()
  const dirty = new Set<number>()
  let flushing: NodeJS.Immediate | null = null
  /** Between reading a step and judging it, what sources say is of a time that has not come yet. */
  let isReading = false

  /** While a step is read the clock still stands at the one before. */
  const factsMs = (): number => (isReading ? parts.receiptMs() : nowMs())
  const flush = (): void => {
    flushing = null
    for (const index of dirty) judgeFeed(index)
    dirty.clear()
  }
  const touch = (users: readonly number[]): void => {
    if (isReading) return
    for (const index of users) dirty.add(index)
    flushing ??= setImmediate(flush)
  }
  const readerOf = (source: SourceDeclaration, index: number, schedule: Schedule): Reader => {
    const adapter = adapterOf(adapters, source)
    const isStream = adapter.subscribe !== undefined && (schedule.kind === 'stream' || adapter.request === undefined)
    const key = `${isStream} ${sourceKey(source)}`
    const known = readers.get(key)
    if (known !== undefined) {
      if (!known.users.includes(index)) known.users.push(index)
      known.schedules.push(schedule)
      return known.reader
    }
    const users = [index]
    const onChange = (): void => touch(users)
    const reader = createReader({ adapter, params: source.params, wire, nowMs: parts.receiptMs, onChange })
    readers.set(key, { reader, adapter, isStream, users, schedules: [schedule] })
    return reader
  }
  const feeds: FeedState[] = declarations.map((feed, index) => ({
    feed,
    wired: feed.sources.map((source) => ({ source, reader: readerOf(source, index, feed.schedule) })),
    judgement: null,
    places: [],
    last: null,
    past: [],
    unfit: [],
    judgedAtMs: -Infinity,
    askedAtMs: -Infinity,
    expiresAtMs: Infinity,
  }))

  function judgeFeed(index: number): void {
    const state = feeds[index]!
    const { feed } = state
    const at = nowMs()
    const { candidates, places, unfit, expiresAtMs } = candidatesOf(state, at)
    const last = isStaleShown(state) ? state.last : null
    const judgement = judge(feed, candidates, { nowMs: at, last, past: state.past })
    Object.assign(state, { judgement, places, unfit, expiresAtMs, judgedAtMs: at })
    const { reading } = judgement
    // What is no honest majority's word must not become what honest words are measured by, nor be shown later.
    if (reading.values !== null && reading.status < statusCodes.DIVERGED) remember(state, reading, at)
    else if (reading.status === statusCodes.STALE)
      state.expiresAtMs = Math.min(expiresAtMs, reading.timeMs + feed.freshness.validForS * 1000)
    board.update(index, reading)
  }

  const closers: (() => void)[] = []
  return {
    run: () => {
      const offsetOf = createOffsets()
      for (const { reader, adapter, isStream, schedules } of readers.values()) {
        if (isStream) reader.listen()
        else {
          const offsetMs = offsetOf(adapter)
          for (const schedule of distinct(schedules)) closers.push(runSchedule(schedule, nowMs, reader.ask, offsetMs))
        }
      }
    },
    askFeed: async (index) => {
      const state = feeds[index]
      const at = nowMs()
      if (state?.feed.schedule.kind !== 'request') return
      if (at >= state.askedAtMs && at - state.askedAtMs < requestGapMs) return
      state.askedAtMs = at
      const own = state.wired.map(({ reader }) => reader)
      const asked = [...readers.values()].filter(({ reader, isStream }) => !isStream && own.includes(reader))
      await Promise.all(asked.map(({ reader }) => reader.ask()))
    },
    readAll: async () => {
      isReading = true
      const asked = [...readers.values()].filter(({ adapter }) => adapter.request !== undefined)
      await Promise.all(asked.map(({ reader }) => reader.ask()))
    },
    judgeAll: () => {
      isReading = false
      for (const index of feeds.keys()) judgeFeed(index)
    },
    refresh: () => {
      if (isReading) return
      const at = nowMs()
      for (const [index, state] of feeds.entries()) {
        // A clock that was set back makes fresh answers into answers from ahead.
        const isOver = at > state.expiresAtMs || at < state.judgedAtMs
        if (isOver || dirty.has(index)) judgeFeed(index)
      }
      dirty.clear()
    },
    sources: () => feeds.flatMap((state) => state.wired.map((_, place) => sourceFacts(state, place, factsMs()))),
    feeds: () => feeds.map(feedFacts),
    close: () => {
      if (flushing !== null) clearImmediate(flushing)
      for (const close of closers) close()
      for (const { reader } of readers.values()) reader.close()
    },
  }
}

/**
 * Sources of one host that no burst covers are asked one after the other: a host that is asked too much at once refuses
 * the last ones, and those would be the same each time. All members have the same declarations, so their order is the same.
 */
function createOffsets(): (adapter: Adapter) => number {
  const counts = new Map<string, number>()
  return ({ id, limits }) => {
    const count = counts.get(id) ?? 0
    counts.set(id, count + 1)
    const burst = Math.floor(Math.min(limits.perMinute, burstMax) / 2)
    return count < burst ? 0 : Math.ceil(((count - burst + 1) * 60_000) / limits.perMinute)
  }
}

function adapterOf(adapters: readonly Adapter[], { adapter: id, version }: SourceDeclaration): Adapter {
  const adapter = adapters.find((candidate) => candidate.id === id && candidate.version === version)
  if (adapter !== undefined) return adapter
  throw new OracleError('ADAPTER_UNKNOWN', `there is no adapter ${id} of version ${version}`)
}

interface Fresh {
  readonly candidates: readonly Candidate[]
  /** For each source its place among the candidates, or −1. */
  readonly places: readonly number[]
  readonly unfit: readonly (SourceError | null)[]
  readonly expiresAtMs: number
}

/** The fresh answers of a feed's sources, and when the first of them ceases to be fresh. */
function candidatesOf({ feed, wired }: FeedState, atMs: number): Fresh {
  const { maxAgeS } = feed.freshness
  const candidates: Candidate[] = []
  const unfit: (SourceError | null)[] = wired.map(() => null)
  let expiresAtMs = Infinity
  const places = wired.map(({ source, reader }, i) => {
    const state = reader.state()
    if (!isFresh(state, maxAgeS, atMs)) return -1
    const good = state.good!
    const { observedAtMs } = good
    expiresAtMs = Math.min(expiresAtMs, observedAtMs + maxAgeS * 1000)
    try {
      const cells = cellsOf(feed.leaves, good)
      return candidates.push({ group: source.group, cells, observedAtMs, bidAskPpm: bidAskPpmOf(good) }) - 1
    } catch (error) {
      // The answer is good, and another feed may sign it: it is this feed's decimals that it does not fit.
      if (!(error instanceof SourceError)) throw error
      unfit[i] = error
      return -1
    }
  })
  return { candidates, places, unfit, expiresAtMs }
}

/**
 * The last value may be shown as STALE while enough of its sources only fail in passing: after a refusal that stands (401,
 * 403, drift) what a source said is the operator's to see, and not to be observed (formats.md, Status).
 */
function isStaleShown({ feed, wired }: FeedState): boolean {
  const { minSources, minGroups } = feed.combineSources
  const usable = wired.filter(({ reader }) => reader.state().good !== null && !reader.state().isShut)
  return usable.length >= minSources && new Set(usable.map(({ source }) => source.group)).size >= minGroups
}

function remember(state: FeedState, reading: Reading, atMs: number): void {
  state.last = reading
  const { change } = state.feed.bounds
  const first = reading.values![0]!
  if (change === null || typeof first !== 'bigint') return
  const windowMs = change.windowS * 1000
  const newest = state.past.at(-1)
  if (newest !== undefined && atMs - newest.atMs < windowMs / pastCountMax) return
  state.past = [...state.past.filter((past) => past.atMs >= atMs - windowMs), { atMs, value: first }]
}

function sourceFacts({ feed, wired, judgement, places, unfit }: FeedState, place: number, atMs: number): SourceFacts {
  const { source, reader } = wired[place]!
  const state = reader.state()
  const candidate = places[place] ?? -1
  const value = judgement?.reading.values?.[0]
  const own = state.good === null ? null : firstOf(feed, state.good)
  const misfit = unfit[place] ?? null
  return {
    feed: feed.name,
    adapter: source.adapter,
    version: source.version,
    params: source.params,
    group: source.group,
    state: standing(),
    lastGood: state.good,
    lastError: lastError(),
    deviationPpm: typeof value === 'bigint' && own !== null ? ppmOf(value, own, value) : null,
    counts: { good: state.goodCount, errors: state.errors },
  }

  function lastError(): Failure | null {
    if (misfit !== null) return { code: misfit.code, message: misfit.message, path: misfit.path, atMs }
    return standing() === 'late' && !isFailing(state) ? lateness(state, feed, atMs) : state.failure
  }

  function standing(): SourceFacts['state'] {
    if (state.good === null) return state.failure === null ? 'waiting' : 'down'
    if (state.isShut || misfit !== null) return 'down'
    if (!isFresh(state, feed.freshness.maxAgeS, atMs)) return 'late'
    return candidate >= 0 && judgement?.outliers.has(candidate) === true ? 'outlier' : 'counting'
  }
}

/** Whether the last thing a source did was to be refused. */
function isFailing({ good, failure }: SourceState): boolean {
  return failure !== null && (good === null || failure.atMs >= good.receivedAtMs)
}

/** A source that answers well but whose value grew too old, or is of a time that this clock was set back from. */
function lateness({ good }: SourceState, { freshness }: FeedDeclaration, atMs: number): Failure {
  const ageS = Math.floor((atMs - good!.observedAtMs) / 1000)
  const [code, message] =
    ageS < 0
      ? (['SOURCE_FUTURE', `its value is ${-ageS} s ahead of this clock`] as const)
      : (['SOURCE_STALE', `its value is ${ageS} s old, at most ${freshness.maxAgeS} s count`] as const)
  return { code, message, path: '', atMs }
}

/** The first leaf of a reading where it is a number that this feed can sign. */
function firstOf(feed: FeedDeclaration, good: Good): bigint | null {
  try {
    const first = cellsOf(feed.leaves, good)[0]
    return typeof first === 'bigint' ? first : null
  } catch {
    return null
  }
}

function feedFacts({ feed, judgement }: FeedState): FeedFacts {
  const reading = judgement?.reading
  return {
    feed: feed.name,
    status: statuses[reading?.status ?? statusCodes.NO_DATA]!,
    reasons: judgement?.reasons ?? ['no source was asked yet'],
    groups: reading?.groups ?? 0,
    spreadPpm: reading?.spreadPpm ?? 0,
    observedAtMs: reading === undefined || reading.values === null ? null : reading.timeMs,
  }
}

function distinct(schedules: readonly Schedule[]): readonly Schedule[] {
  return [...new Map(schedules.map((schedule) => [JSON.stringify(schedule), schedule])).values()]
}
