// Puts the observer together for one oracle: its feeds, its adapters, the wire to them, and a replay's clock.

import { setTimeout } from 'node:timers/promises'
import { adapters } from '../adapters/index.js'
import { readClock } from './base/clock.js'
import { OracleError } from './base/errors.js'
import type { FeedsConfig } from './config.js'
import type { Committee } from './core/committee.js'
import type { Engine } from './core/engine.js'
import { agreedFeeds } from './feed/agreed-feeds.js'
import type { FeedDeclaration } from './feed/declaration.js'
import { createObserver, type Observer } from './observe/observer.js'
import { connectReplay, type ReplayClock } from './observe/replay-clock.js'
import type { SourceLink, SourcePart } from './observe/source-part.js'
import { createSourceWire } from './observe/wire.js'

/** A minute without a report is not waited for longer than this; the first one waits for peers to connect. */
const patience = { firstMs: 15_000, laterMs: 2_000 } as const

/** A round that a contract asked for waits no longer for slow sources. */
const askPatienceMs = 5_000

export interface FeedSourceParts {
  readonly engine: Engine
  readonly committee: Committee
  readonly self: number
  readonly source: FeedsConfig
  /** Told while a replay does not answer. */
  readonly onWait: (sentence: string) => void
}

/** The feeds of the committee as this oracle's own files declare them; FEED_… where those are not what was agreed. */
export function declarationsOf(
  engine: Engine,
  committee: Committee,
  { feeds }: FeedsConfig,
): readonly FeedDeclaration[] {
  return agreedFeeds(engine, committee, feeds, adapters)
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return setTimeout(ms, undefined, { signal }).catch(() => undefined)
}

/** Declarations are checked against the committee before anything is asked; a replay is connected to first. */
export async function openFeedSource(parts: FeedSourceParts): Promise<SourcePart> {
  const { engine, committee, self, source, onWait } = parts
  const declarations = declarationsOf(engine, committee, source)
  const { replay: url, loopback, origins } = source
  if (url !== null) checkReplayed(declarations, source)
  const oracle = committee.members[self]!.name
  const replay = url === null ? null : await connectReplay({ url, oracle, onWait })
  const clock = replay === null ? readClock : replay.clock
  const nowMs = (): number => clock().wallMs
  return {
    clock,
    close: () => replay?.close(),
    start: (link) => {
      const wire = createSourceWire({ loopback, origins })
      const { board } = link
      const receiptMs = replay === null ? nowMs : replay.receiptMs
      const observer = createObserver({ declarations, adapters, wire, board, nowMs, receiptMs })
      if (replay === null) observer.run()
      else followReplay(replay, observer, link)
      let isStopped = false
      const ask = async (feed: number): Promise<void> => {
        // A replay asks everything at each step.
        if (replay !== null) return
        const patience = new AbortController()
        await Promise.race([observer.askFeed(feed), pause(askPatienceMs, patience.signal)])
        patience.abort()
        if (!isStopped) link.move()
      }
      const stop = (): void => {
        isStopped = true
        replay?.close()
        observer.close()
        void wire.close()
      }
      return {
        refresh: observer.refresh,
        ask: (feed) => void ask(feed),
        sources: observer.sources,
        feeds: observer.feeds,
        stop,
      }
    },
  }
}

/** An oracle on a replay's clock asks nobody but the replay: live answers would be signed with the time of another year. */
function checkReplayed(declarations: readonly FeedDeclaration[], { origins, loopback }: FeedsConfig): void {
  for (const feed of declarations) {
    for (const { adapter: id, version, params } of feed.sources) {
      const adapter = adapters.find((candidate) => candidate.id === id && candidate.version === version)
      if (adapter?.request === undefined) continue
      const { hostname } = new URL(adapter.request(params).url)
      const origin = origins[hostname]
      if (origin !== undefined && loopback.includes(new URL(origin).host)) continue
      const message = `${feed.name} asks ${hostname}, which the replay does not serve: map it in origins, to a place in loopback`
      throw new OracleError('CONFIG_INVALID', message, { path: '/source/replay' })
    }
  }
}

/** Clock and readings change together, so no observation mixes two steps; the step ends once its report is known. */
function followReplay(replay: ReplayClock, observer: Observer, link: SourceLink): void {
  let patienceMs: number = patience.firstMs
  replay.run({
    read: observer.readAll,
    take: async (step) => {
      replay.flip(step)
      observer.judgeAll()
      link.move()
      // In the first step some members begin rounds before others have read anything.
      await link.reported(step.nowMs, patienceMs, patienceMs === patience.firstMs)
      patienceMs = patience.laterMs
    },
  })
}
