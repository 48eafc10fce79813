// The source part as an oracle runs it in a replay: declarations on disk, the replay's clock and venues, and the board.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { adapters } from '../../adapters/index.js'
import type { FeedsConfig } from '../../src/config.js'
import { type Committee, parseCommittee } from '../../src/core/committee.js'
import { layoutOf, type Reading } from '../../src/core/layout.js'
import { committeeFeedOf } from '../../src/feed/committee-feed.js'
import { loadFeeds } from '../../src/feed/load-feeds.js'
import { openFeedSource } from '../../src/feed-source.js'
import { type Board, createBoard } from '../../src/observe/board.js'
import { startReplay } from '../../src/replay/server.js'
import type { Show } from '../../src/replay/show.js'
import { tickers } from '../../src/replay/tickers.js'
import { committeeDocument } from '../committee-document.js'
import { engine, priceFeed, type Written } from './world.js'

const venues = ['coinbase', 'kraken', 'bitstamp', 'gemini', 'crypto-com']
const startMs = Date.UTC(2023, 2, 11)
const closers: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

/** `count` minutes in which every venue says 100 and as many cents as the step. */
function showOf(count: number): Show {
  const byHost = new Map(venues.map((id) => [tickers[id]!.host, tickers[id]!]))
  const stepsMs = Array.from({ length: count }, (_, i) => startMs + 60_000 * i)
  return {
    stepsMs,
    hosts: [...byHost.keys()],
    answer: (host, _, step) =>
      byHost.get(host)!.ticker({ base: 'BTC', quote: 'USD' }, `100.${String(step).padStart(2, '0')}`, stepsMs[step]!),
  }
}

function declared(...feeds: readonly Written[]): { folder: string; committee: Committee } {
  const folder = mkdtempSync(join(tmpdir(), 'assay-source-'))
  closers.push(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'feeds.yaml'), feeds.map((feed) => JSON.stringify(feed)).join('\n---\n'))
  const { declarations } = loadFeeds(engine, folder, adapters)
  const committee = parseCommittee(engine, {
    ...committeeDocument(engine),
    feeds: declarations.map(committeeFeedOf),
    bundles: [{ name: 'all', feeds: declarations.map(({ name }) => name) }],
  })
  return { folder, committee }
}

interface Move {
  readonly wallMs: number
  readonly reading: Reading
}

describe('a source part in a replay', () => {
  it('moves clock and readings together for four oracles, a report each minute', async () => {
    const minutes = 12
    const { folder, committee } = declared(priceFeed('BTC-USD', venues))
    const replay = await startReplay({ show: showOf(minutes), expect: 4, speed: null })
    closers.push(replay.close)
    const source: FeedsConfig = {
      ...{ kind: 'feeds', feeds: folder, origins: replay.origins, loopback: replay.loopback },
      replay: replay.clockUrl,
    }
    const all = await Promise.all(
      [0, 1, 2, 3].map(async (self) => {
        const part = await openFeedSource({ engine, committee, self, source, onWait: () => undefined })
        expect(part.clock().wallMs - startMs).toBeLessThan(58_999)
        const board: Board = createBoard(committee, layoutOf(committee), () => undefined)
        const moves: Move[] = []
        const reported: (readonly [number, number])[] = []
        const running = part.start({
          board,
          // What the oracle does now: it observes the board by its clock.
          move: () => void moves.push({ wallMs: part.clock().wallMs, reading: board.read(0) }),
          reported: async (sinceMs, patienceMs) => {
            reported.push([sinceMs, patienceMs])
            await new Promise((resolve) => setTimeout(resolve, self))
          },
        })
        closers.push(running.stop)
        return { moves, reported, running }
      }),
    )
    await replay.ended
    for (const { moves, reported, running } of all) {
      expect(moves).toHaveLength(minutes)
      for (const [step, { wallMs, reading }] of moves.entries()) {
        const stepMs = startMs + 60_000 * step
        expect(wallMs).toBeGreaterThanOrEqual(stepMs)
        expect(wallMs).toBeLessThan(stepMs + 60_000)
        expect(reading).toMatchObject({ status: 0, groups: 5, timeMs: stepMs, values: [BigInt(10_000 + step)] })
      }
      // The first report waits for peers to connect.
      expect(reported.map(([sinceMs]) => sinceMs)).toEqual(moves.map((_, step) => startMs + 60_000 * step))
      expect(reported.map(([, patienceMs]) => patienceMs)).toEqual(
        moves.map((_, step) => (step === 0 ? 15_000 : 2_000)),
      )
      expect(running.sources().map(({ counts }) => counts)).toEqual(venues.map(() => ({ good: minutes, errors: {} })))
      expect(running.feeds()).toMatchObject([{ feed: 'btc-usd', status: 'OK', groups: 5 }])
    }
  })
})

describe('declarations that are not what the committee agreed on', () => {
  const bitcoin = priceFeed('BTC-USD', venues, { schedule: { every: '2s' } })
  const open = (committee: Committee, folder: string): Promise<unknown> => {
    const source: FeedsConfig = { kind: 'feeds', feeds: folder, origins: {}, loopback: [], replay: null }
    return openFeedSource({ engine, committee, self: 0, source, onWait: () => undefined })
  }

  it('are refused with the path of the feed, before anything is asked', async () => {
    // Two feeds of one host a second would be more than the host allows.
    const slow = { schedule: { every: '5s' } }
    const agreed = declared(bitcoin, priceFeed('ETH-USD', venues, slow))
    const missing = declared(bitcoin)
    await expect(open(agreed.committee, missing.folder)).rejects.toMatchObject({
      code: 'FEED_MISMATCH',
      path: '/feeds/1',
    })
    const changed = declared(
      bitcoin,
      priceFeed('ETH-USD', venues, { ...slow, freshness: { maxAgeS: 61, validForS: 120 } }),
    )
    await expect(open(agreed.committee, changed.folder)).rejects.toMatchObject({
      code: 'FEED_MISMATCH',
      path: '/feeds/1',
      facts: { agreed: agreed.committee.feeds[1]!.declaration, found: changed.committee.feeds[1]!.declaration },
    })
    // Other feeds in the folder do no harm: the committee does not name them.
    await expect(open(missing.committee, agreed.folder)).resolves.toBeDefined()
  })

  it('are refused where the committee pins none, and where lint refuses them', async () => {
    const { folder } = declared(bitcoin)
    const bare = parseCommittee(engine, committeeDocument(engine))
    await expect(open(bare, folder)).rejects.toMatchObject({ code: 'FEED_MISMATCH', path: '/feeds/0' })
    const poor = declared(priceFeed('BTC-USD', venues.slice(0, 3)))
    await expect(open(poor.committee, poor.folder)).rejects.toMatchObject({ code: 'FEED_LINT' })
    writeFileSync(join(poor.folder, 'more.yaml'), 'version: 1\nname: [')
    await expect(open(poor.committee, join(poor.folder, 'more.yaml'))).rejects.toMatchObject({ code: 'FEED_INVALID' })
  })
})
