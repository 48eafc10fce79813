// What becomes of jobs: told once, paid once, taken over after a restart, and never mixed up with another store's.

import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { News, Outcome } from '../../src/chain/sender-state.js'
import { type Committee, parseCommittee } from '../../src/core/committee.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { type Costs, createCosts } from '../../src/deliver/costs.js'
import type { DueFeed } from '../../src/deliver/due-book.js'
import { createFlights, type Flights } from '../../src/deliver/flights.js'
import { freshAlarm } from '../../src/deliver/fresh-alarm.js'
import { jobId } from '../../src/deliver/job.js'
import type { Target } from '../../src/deliver/target.js'
import type { TransmitEvent } from '../../src/deliver/transmit-event.js'
import { committeeDocument } from '../committee-document.js'
import { startMs, target } from './fixtures.js'

let committee: Committee
let goal: Target
let costs: Costs
let events: TransmitEvent[]
let refusals: number
/** T of what the store has of every feed. */
let storedMs: number

beforeAll(async () => {
  const engine = await createWasmEngine()
  committee = parseCommittee(engine, committeeDocument(engine))
  goal = target(committee)
})
beforeEach(() => {
  costs = createCosts()
  events = []
  refusals = 0
  storedMs = 0
})

function flights(openJobs: readonly string[] = []): Flights {
  const onEvent = (event: TransmitEvent): void => void events.push(event)
  const onRefused = (): void => void refusals++
  return createFlights(
    { target: goal, costs, nowMs: () => startMs, storedMs: () => storedMs, onEvent, onRefused },
    openJobs,
  )
}

const idOf = (attestedAtMs: number, on = goal.id, bundles: readonly number[] = [0]): string =>
  jobId({ target: on, attestedAtMs, bundles })
const flight = { attestedAtMs: startMs, bundles: [0], feeds: ['btc-usd'], dueAtMs: startMs - 5 }
const receipt = { hash: '0x0a', blockNumber: 7, blockHash: '0x0b', isSuccess: true, gasUsed: 10n, paidWei: 30n }
const ended = (end: Outcome['end'], paid = true, id = idOf(startMs)): News => ({
  kind: 'ended',
  outcome: { id, nonce: 0, end, receipt: paid ? receipt : null, atMs: startMs },
})
const names = (): readonly string[] => events.map(({ event }) => event)

describe('a flight', () => {
  it('that is done is confirmed with its cost; told again, nothing', () => {
    const book = flights()
    book.add(flight)
    book.hear(ended('done'))
    book.hear(ended('done'))
    expect(events).toMatchObject([
      { event: 'confirmed', blockNumber: 7, gasUsed: 10n, feeWei: 30n, dueAtMs: startMs - 5 },
    ])
    expect(costs.rows()).toMatchObject([{ feed: 'btc-usd', updates: 1, reverted: 0, feeWei: 30n }])
  })

  it('that reverts was superseded where the store has as new a value, else it is refused; both are paid for', () => {
    for (const [stored, event] of [
      [startMs, 'superseded'],
      [startMs - 1, 'refused'],
    ] as const) {
      events = []
      costs = createCosts()
      storedMs = stored
      const book = flights()
      book.add(flight)
      book.hear(ended('reverted'))
      expect(events).toMatchObject([{ event, gasUsed: 10n, feeWei: 30n }])
      expect(costs.rows()).toMatchObject([{ updates: 0, reverted: 1, feeWei: 30n }])
    }
    expect(refusals).toBe(1)
  })

  it('that was never mined costs nothing: superseded when not wanted, refused when nobody takes it', () => {
    for (const end of ['superseded', 'refused'] as const) {
      const book = flights()
      book.add(flight)
      book.hear(ended(end, false))
    }
    expect(names()).toEqual(['superseded', 'refused'])
    expect(costs.rows()).toEqual([])
    expect(refusals).toBe(1)
  })

  it('is under way until it has ended, landed, or would not be taken any more', () => {
    const book = flights()
    book.add(flight)
    expect(book.isUnderWay()).toBe(true)
    storedMs = startMs
    expect(book.isUnderWay()).toBe(false)
    storedMs = 0
    expect(book.isUnderWay()).toBe(true)
    book.hear(ended('refused', false))
    expect(book.isUnderWay()).toBe(false)
    const old = { ...flight, attestedAtMs: startMs - 60_001 }
    book.add(old)
    expect(book.isUnderWay()).toBe(false)
    book.add({ ...old, attestedAtMs: startMs - 60_000 })
    expect(book.isUnderWay()).toBe(true)
  })

  it('knows what it brought, also when it has ended before anybody looked', () => {
    const due = { rule: goal.rules[0]!, reason: 'status', sinceMs: startMs, replacedMs: 0 } as DueFeed
    const other = { ...due, rule: goal.rules[2]! }
    const book = flights()
    book.add(flight)
    expect([book.isOurs(due), book.isOurs(other)]).toEqual([true, false])
    book.hear(ended('done'))
    expect(book.isOurs(due)).toBe(false)
    storedMs = startMs
    expect([book.isOurs(due), book.isOurs(other)]).toEqual([true, false])
  })

  it('of an earlier life is taken over, and one that a reorganisation undoes after its end', () => {
    expect(flights([idOf(startMs)]).isUnderWay()).toBe(true)
    const book = flights()
    book.hear({ kind: 'undone', id: idOf(startMs), nonce: 0 })
    expect(book.isUnderWay()).toBe(true)
    expect(names()).toEqual(['undone'])
  })

  it('costs once, whoever tells it again after a restart; undone after it, nothing', () => {
    const first = flights()
    first.add(flight)
    first.hear(ended('done'))
    const { rows } = costs
    const before = rows()
    // Told to one that took the job over, and to one that never heard of it.
    flights([idOf(startMs)]).hear(ended('done'))
    flights().hear(ended('done'))
    expect(rows()).toEqual(before)
    expect(names()).toEqual(['confirmed', 'confirmed'])
    const book = flights()
    book.hear({ kind: 'undone', id: idOf(startMs), nonce: 0 })
    expect(rows()).toEqual([])
    book.hear(ended('done'))
    const half = { updates: 1, feeWei: 15n }
    expect(rows()).toMatchObject([
      { ...half, feed: 'btc-usd' },
      { ...half, feed: 'eth-usd' },
    ])
  })

  it('that ended just before a crash is booked when it is told, on the day of its end, and said no more', () => {
    const at = (atMs: number, id = idOf(startMs)): News => ({
      kind: 'ended',
      outcome: { id, nonce: 0, end: 'reverted', receipt, atMs },
    })
    flights().hear(at(startMs - 3_600_000))
    flights().hear(at(startMs - 1, idOf(startMs, goal.id.replace('31337', '1'))))
    flights().hear(at(startMs - 1, 'filler/3'))
    expect(costs.rows()).toEqual([])
    flights().hear(at(startMs - 3_599_999))
    const day = new Date(startMs - 3_599_999).toISOString().slice(0, 10)
    const half = { day, updates: 0, reverted: 1, gasUsed: 5n, feeWei: 15n }
    expect(costs.rows()).toMatchObject([
      { ...half, feed: 'btc-usd' },
      { ...half, feed: 'eth-usd' },
    ])
    expect([names(), refusals]).toEqual([[], 0])
  })

  it('is none when its job is another store’s, of bundles that are not here, or a filler', () => {
    const foreign = [idOf(startMs, goal.id.replace('31337', '1')), idOf(startMs, goal.id, [3]), 'filler/3']
    const book = flights(foreign)
    for (const id of foreign) book.hear({ kind: 'undone', id, nonce: 0 })
    expect(book.isUnderWay()).toBe(false)
    expect(events).toEqual([])
    expect(foreign.map(book.isLacking)).toEqual([false, false, false])
    expect(book.isLacking(idOf(startMs))).toBe(true)
  })

  it('is forgotten in the end, but never while it is under way', () => {
    const book = flights()
    book.add(flight)
    for (let i = 1; i <= 200; i++) {
      const attestedAtMs = startMs + i
      book.add({ ...flight, attestedAtMs })
      book.hear(ended('done', true, idOf(attestedAtMs)))
    }
    expect(book.has(idOf(startMs))).toBe(true)
    expect(book.has(idOf(startMs + 1))).toBe(false)
    expect(book.has(idOf(startMs + 200))).toBe(true)
  })
})

describe('the alarm', () => {
  it('is for feeds that are pushed, once, and ends when they are renewed', () => {
    const rules = goal.rules.map((rule, i) => ({ ...rule, isPushed: i === 0 }))
    const alarm = freshAlarm({ ...goal, rules }, 4, startMs, (event) => void events.push(event))
    // The heartbeat, and half of it, which is less than a turn for each of the four.
    const lastMs = startMs + 60_000 + 30_000
    for (const nowMs of [startMs, lastMs, lastMs + 1, lastMs + 9000]) alarm.look(null, nowMs)
    expect(events).toMatchObject([{ event: 'overdue', feed: 'btc-usd', storedMs: 0, atMs: lastMs + 1 }])
    const feeds = new Map([[rules[0]!.feed.feedId, { attestedAtMs: lastMs } as never]])
    alarm.look({ blockNumber: 1, feeds }, lastMs + 10_000)
    expect(names()).toEqual(['overdue', 'renewed'])
  })
})
