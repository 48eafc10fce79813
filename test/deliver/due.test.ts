// When a feed is due: each reason, each reason not to, and the boundaries exactly.

import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Committee, parseCommittee } from '../../src/core/committee.js'
import { createWasmEngine, type SigningEngine } from '../../src/crypto/engine-wasm.js'
import { dueReason } from '../../src/deliver/due.js'
import { dueBook } from '../../src/deliver/due-book.js'
import { type AttestedFeed, attestedFeed, type StoredFeed } from '../../src/deliver/facts.js'
import type { FeedRule } from '../../src/deliver/target.js'
import { committeeDocument } from '../committee-document.js'
import { readings } from '../signed-report.js'
import { attestedAt, numberFeed, startMs, storedAtStart, target } from './fixtures.js'

const noData = 9
const rule: FeedRule = { feed: numberFeed, bundle: 0, deviationPpm: 5000, heartbeatMs: 600_000, isPushed: true }
const pace = { blockMs: 1000, landBlocks: 2, marginMs: 30_000 }

function reason(
  stored: StoredFeed | null,
  attested: AttestedFeed,
  changes: Partial<FeedRule> = {},
  lateMs = 0,
): string | null {
  return dueReason({ ...rule, ...changes }, stored, attested, pace, attested.attestedAtMs + lateMs)
}

describe('a feed', () => {
  it('without a value on chain is due when it has one', () => {
    expect(reason(null, attestedAt(0))).toBe('first value')
    expect(reason(null, attestedAt(0, { value: null, status: noData }))).toBeNull()
  })

  it('is due when its status changes, either way, and when its value goes or comes', () => {
    expect(reason(storedAtStart(), attestedAt(1, { status: 1 }))).toBe('status')
    expect(reason(storedAtStart({ status: 8 }), attestedAt(1))).toBe('status')
    expect(reason(storedAtStart(), attestedAt(1, { value: null, status: noData }))).toBe('status')
    expect(reason(storedAtStart({ value: 0n, status: noData }), attestedAt(1))).toBe('status')
  })

  it('without a value on either side is never due, not even by its heartbeat', () => {
    const stored = storedAtStart({ value: 0n, status: noData })
    expect(reason(stored, attestedAt(3_000_000, { value: null, status: noData }))).toBeNull()
  })

  it('is due from the exact boundary of its deviation on, in parts per million of what is stored', () => {
    const moved = (value: bigint, stored = 1_000_000n): string | null =>
      reason(storedAtStart({ value: stored }), attestedAt(1, { value }))
    expect([moved(1_004_999n), moved(1_005_000n), moved(995_001n), moved(995_000n)]).toEqual([
      null,
      'deviation',
      null,
      'deviation',
    ])
    expect([moved(-995_001n, -1_000_000n), moved(-995_000n, -1_000_000n)]).toEqual([null, 'deviation'])
    // A percentage of zero is zero: any change is one, none is none.
    expect([moved(0n, 0n), moved(1n, 0n), moved(-1n, 0n)]).toEqual([null, 'deviation', 'deviation'])
  })

  it('deviates exactly when the fraction says so, for numbers of any size', () => {
    const number = fc.bigInt({ min: -(2n ** 175n), max: 2n ** 175n - 1n })
    fc.assert(
      fc.property(number, number, fc.integer({ min: 1, max: 10_000_000 }), (old, value, deviationPpm) => {
        const due = reason(storedAtStart({ value: old }), attestedAt(1, { value }), { deviationPpm }) === 'deviation'
        // The same as a ratio: rounded up, the change is at least the deviation.
        const change = value > old ? value - old : old - value
        const size = old < 0n ? -old : old
        const needed = (size * BigInt(deviationPpm) + 999_999n) / 1_000_000n
        expect(due).toBe(change > 0n && change >= needed)
      }),
      { seed: 5, numRuns: 2000 },
    )
  })

  it('never deviates where the rule gives no deviation', () => {
    expect(reason(storedAtStart(), attestedAt(1, { value: 9_000_000n }), { deviationPpm: 0 })).toBeNull()
  })

  it('with a structured value deviates when it is another one, where deviation counts', () => {
    const stored = storedAtStart({ kind: 1, value: 7n })
    expect(reason(stored, attestedAt(1, { kind: 1, value: 8n }))).toBe('deviation')
    expect(reason(stored, attestedAt(1, { kind: 1, value: 7n }))).toBeNull()
    expect(reason(stored, attestedAt(1, { kind: 1, value: 8n }), { deviationPpm: 0 })).toBeNull()
  })

  it('is due by its heartbeat a margin before it is over, to the millisecond', () => {
    expect(reason(storedAtStart(), attestedAt(569_999))).toBeNull()
    expect(reason(storedAtStart(), attestedAt(570_000))).toBe('heartbeat')
  })

  it('is due before its validity ends where that is sooner and a later observation is at hand', () => {
    // Observed long before it was attested: valid for another 200 s only.
    const stored = storedAtStart({ observedAtMs: startMs - 3_400_000, validUntilMs: startMs + 200_000 })
    const later = { validUntilMs: startMs + 900_000 }
    expect(reason(stored, attestedAt(169_999, later))).toBeNull()
    expect(reason(stored, attestedAt(170_000, later))).toBe('heartbeat')
    // The same observation again, which the store rounded: nothing would be gained.
    expect(reason(stored, attestedAt(170_000, { validUntilMs: startMs + 300_000 }))).toBeNull()
  })

  it('is not due when the store would refuse it: not newer, or too old when it lands', () => {
    expect(reason(storedAtStart(), attestedAt(0, { status: 1 }))).toBeNull()
    expect(reason(storedAtStart(), attestedAt(-1, { status: 1 }))).toBeNull()
    const landing = pace.landBlocks * pace.blockMs
    expect(reason(null, attestedAt(0), {}, 3_600_000 - landing)).toBe('first value')
    expect(reason(null, attestedAt(0), {}, 3_600_001 - landing)).toBeNull()
  })

  it('of a single origin is not due unless somebody opted in', () => {
    expect(reason(null, attestedAt(0), { isPushed: false })).toBeNull()
    expect(reason(storedAtStart(), attestedAt(1, { status: 8 }), { isPushed: false })).toBeNull()
  })
})

describe('facts and the book of what is due', () => {
  let engine: SigningEngine
  let committee: Committee
  beforeAll(async () => {
    engine = await createWasmEngine()
    committee = parseCommittee(engine, committeeDocument(engine))
  })

  it('show a value as a store keeps it: the number, or 176 bits of the hash', () => {
    const [btc, , , , candle] = readings()
    expect(attestedFeed(engine, committee.feeds[0]!, btc!, startMs).value).toBe(6_412_345_678_901n)
    const hash = attestedFeed(engine, committee.feeds[4]!, candle!, startMs)
    expect(hash.kind).toBe(1)
    expect(hash.value! < 2n ** 176n && hash.value! > 2n ** 150n).toBe(true)
    const none = { ...btc!, status: noData, values: null }
    expect(attestedFeed(engine, committee.feeds[0]!, none, startMs).value).toBeNull()
  })

  it('remember since when a feed is due, until the store has another value or the feed came back', () => {
    const book = dueBook(target(committee, { feeds: [{ name: 'btc-usd' }] }))
    const at = (ageMs: number, value: bigint, stored: StoredFeed | undefined) =>
      book.update(
        () => stored,
        () => attestedAt(ageMs, { value, validForS: 60, validUntilMs: startMs + ageMs + 59_000 }),
        startMs + ageMs,
      )
    expect(at(1000, 1_000_000n, storedAtStart()).began).toHaveLength(0)
    expect(at(2000, 1_010_000n, storedAtStart()).began).toHaveLength(1)
    expect(at(3000, 1_020_000n, storedAtStart())).toEqual({ began: [], replaced: [], ended: [] })
    expect(book.lead()).toMatchObject({ sinceMs: startMs + 2000, replacedMs: startMs, reason: 'deviation' })
    expect(at(4000, 1_000_000n, storedAtStart()).ended).toHaveLength(1)
    expect(book.lead()).toBeNull()
    at(5000, 1_010_000n, storedAtStart())
    const landed = storedAtStart({ attestedAtMs: startMs + 5000, value: 1_010_000n, validUntilMs: startMs + 64_000 })
    const change = at(6000, 1_030_000n, landed)
    expect([change.began.length, change.replaced.length]).toEqual([1, 1])
    expect(book.lead()).toMatchObject({ sinceMs: startMs + 6000, replacedMs: startMs + 5000 })
    expect(at(7000, 1_030_000n, undefined)).toMatchObject({ began: [], replaced: [] })
    expect(book.due()).toEqual([])
  })

  it('are led by what is due longest, whatever becomes due meanwhile; together, by the document’s order', () => {
    const feeds = [{ name: 'eth-usd' }, { name: 'btc-usd' }, { name: 'ams-temperature' }]
    const book = dueBook(target(committee, { feeds }))
    const step = (ageMs: number, dueNames: readonly string[]): string | undefined => {
      book.update(
        () => storedAtStart(),
        ({ feed }) =>
          attestedAt(ageMs, { value: dueNames.includes(feed.name) ? 2_000_000n : 1_000_000n, validForS: 60 }),
        startMs + ageMs,
      )
      return book.lead()?.rule.feed.name
    }
    expect(step(1000, ['ams-temperature'])).toBe('ams-temperature')
    expect(step(2000, ['ams-temperature', 'btc-usd', 'eth-usd'])).toBe('ams-temperature')
    expect(step(3000, ['btc-usd', 'eth-usd'])).toBe('btc-usd')
  })
})
