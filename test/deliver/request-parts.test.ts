// The pure parts of a desk of requests: who has room, what is remembered, when feeds are asked, what a request asks for.

import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Committee, parseCommittee } from '../../src/core/committee.js'
import { layoutOf, openPacked, packReadings, type Reading } from '../../src/core/layout.js'
import { statusCodes } from '../../src/core/status.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { type OpenRequest, requestBook } from '../../src/deliver/request-book.js'
import type { RequestSettings } from '../../src/deliver/request-event.js'
import { requestFlights } from '../../src/deliver/request-flights.js'
import { parseRequestJob, type RequestJob, requestJobId } from '../../src/deliver/request-job.js'
import { openMemory, packMemory } from '../../src/deliver/request-memory.js'
import { comesFirst, type Planner, requestPlanner } from '../../src/deliver/request-plan.js'
import { requestRounds } from '../../src/deliver/request-rounds.js'
import { committeeDocument } from '../committee-document.js'
import { readings } from '../signed-report.js'
import { startMs, storeAddress } from './fixtures.js'

const hex = (value: number, bytes: number): string => `0x${value.toString(16).padStart(2 * bytes, '0')}`
const hub = `31337/${storeAddress}`

let next = 1
function asked(change: Partial<OpenRequest> = {}): OpenRequest {
  return {
    id: hex(next++, 32),
    requester: hex(1, 20),
    feed: 0,
    requestedAtMs: startMs,
    deadlineMs: startMs + 600_000,
    callbackGas: 100_000,
    blockNumber: 10,
    blockHash: hex(10, 32),
    sinceMs: null,
    isAsked: false,
    isExpired: false,
    end: null,
    ...change,
  }
}

const nobody = (): boolean => false
const ended = { how: 'answered', isTold: true } as const

describe('the book', () => {
  it('gives each requester its share, and makes room for who has fewer', () => {
    const book = requestBook({ openMax: 4, openPerRequesterMax: 3 })
    const greedy = Array.from({ length: 4 }, () => asked({ requester: hex(1, 20) }))
    expect(greedy.map((request) => book.take(request, nobody))).toEqual([null, null, null, greedy[3]])
    const second = asked({ requester: hex(2, 20) })
    expect(book.take(second, nobody)).toBeNull()
    // Full: the newest of the greedy one goes, unless its transaction is under way.
    const third = asked({ requester: hex(3, 20) })
    expect(book.take(third, (id) => id === greedy[2]!.id)).toBe(greedy[1])
    // Two against one: neither would gain.
    const fourth = asked({ requester: hex(2, 20) })
    expect(book.take(fourth, nobody)).toBe(fourth)
    expect(book.open().map(({ id }) => id)).toEqual([greedy[0]!, greedy[2]!, second, third].map(({ id }) => id))
  })

  it('follows the chain back and forth: what is undone is open again or was never asked', () => {
    const book = requestBook({ openMax: 4, openPerRequesterMax: 4 })
    const [early, late, over] = [asked(), asked({ blockNumber: 20 }), asked()]
    for (const request of [early, late, over]) book.take(request, nobody)
    book.end(over, { ...ended, blockNumber: 12 })
    book.end(early, { ...ended, blockNumber: 21 })
    expect(book.openCount()).toBe(1)
    book.rewind(19)
    expect(book.open()).toEqual([early])
    book.settle(12)
    expect(book.all()).toEqual([early])
  })

  it('is bounded and fair to the count whatever comes (500 random stories)', () => {
    const step = fc.record({
      what: fc.constantFrom('take', 'take', 'take', 'end', 'rewind', 'reopen', 'settle', 'drop'),
      who: fc.nat(4),
      block: fc.nat(30),
      pick: fc.nat(40),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const limits = { openMax: 6, openPerRequesterMax: 3 }
        const book = requestBook(limits)
        for (const { what, who, block, pick } of steps) {
          const one = book.all()[pick % Math.max(1, book.all().length)]
          if (what === 'take') book.take(asked({ requester: hex(who, 20), blockNumber: block }), nobody)
          else if (what === 'rewind') book.rewind(block)
          else if (what === 'settle') book.settle(block)
          else if (one !== undefined && what === 'end') book.end(one, { ...ended, blockNumber: block })
          else if (one !== undefined && what === 'reopen') book.reopen(one)
          else if (one !== undefined) book.drop(one)
          const open = book.open()
          expect(book.openCount()).toBe(open.length)
          expect(book.all().length).toBeLessThanOrEqual(2 * limits.openMax + 6)
          expect(book.all().every((request) => book.get(request.id) === request)).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('what is remembered', () => {
  const feedIds = [hex(77, 32), hex(78, 32)]
  const mark = { readTo: 20, marks: [{ number: 20, hash: hex(20, 32) }] }
  const requests = [asked({ sinceMs: startMs + 31_000, isAsked: true }), asked({ end: { ...ended, blockNumber: 19 } })]
  const bytes = packMemory({ hub, mark, requests }, feedIds)

  it('is read back as it was, by another committee only what it knows, for another hub not at all', () => {
    expect(openMemory(bytes, hub, feedIds)).toEqual({ hub, mark, requests })
    expect(openMemory(bytes, hub, [...feedIds].reverse())!.requests.map(({ feed }) => feed)).toEqual([1, 1])
    expect(openMemory(bytes, hub, [hex(79, 32)])!.requests).toEqual([])
    expect(openMemory(bytes, `1/${storeAddress}`, feedIds)).toBeNull()
  })

  it('is null or well-formed however it was damaged (2,000 flips and cuts)', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.boolean(), (at, value, isCut) => {
        const damaged = isCut ? bytes.slice(0, at) : Uint8Array.from(bytes, (byte, i) => (i === at ? value : byte))
        const memory = openMemory(damaged, hub, feedIds)
        for (const request of memory?.requests ?? []) {
          expect(request.id).toMatch(/^0x[0-9a-f]{64}$/)
          expect(Number.isSafeInteger(request.deadlineMs)).toBe(true)
          expect(feedIds[request.feed]).toBeDefined()
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('the id of a job', () => {
  it('says all that is needed, and other texts say nothing', () => {
    const job: RequestJob = { hub, id: hex(5, 32), act: 'answer', atMs: startMs }
    const id = requestJobId(job)
    expect(id).toBe(`request/31337/${storeAddress}/${hex(5, 32)}/answer/${startMs}`)
    expect(parseRequestJob(id)).toEqual(job)
    for (const other of [
      `${id}/`,
      id.replace('answer', 'pay'),
      id.replace('request', 'reply'),
      id.replace('31337', '031337'),
      id.toUpperCase(),
      `31337/${storeAddress}/1/0`,
      'filler/3',
    ])
      expect(parseRequestJob(other)).toBeNull()
  })
})

describe('jobs under way', () => {
  it('count by their limit until they end, and an hour later not at all', () => {
    let nowMs = startMs
    const flights = requestFlights(hub, () => nowMs, [])
    const job = (n: number): RequestJob => ({ hub, id: hex(n, 32), act: 'answer', atMs: nowMs })
    const first = flights.add(job(1), { data: '0x', liveUntilMs: null, gasLimit: 700_000 }, hex(1, 20))
    flights.add(job(2), { data: '0x', liveUntilMs: null, gasLimit: 700_000 }, hex(1, 20))
    expect([flights.gasOf(hex(1, 20)), flights.gasOf(hex(2, 20))]).toEqual([1_400_000, 0])
    flights.end(first, 90_000)
    expect(flights.gasOf(hex(1, 20))).toBe(790_000)
    expect([flights.isUnderWay(hex(1, 32)), flights.isUnderWay(hex(2, 32))]).toEqual([false, true])
    nowMs += 3_600_001
    expect(flights.gasOf(hex(1, 20))).toBe(700_000)
  })

  it('of an earlier life are taken over, those of others are not', () => {
    const mine = requestJobId({ hub, id: hex(1, 32), act: 'refuse', atMs: 7 })
    const flights = requestFlights(hub, () => startMs, [mine, `31337/${storeAddress}/7/0`])
    expect(flights.underWay().map(({ job }) => job)).toEqual([mine])
    expect(flights.of(mine.replace('31337', '1'))).toBeNull()
    expect(flights.mayBeOurs(hex(1, 32), hex(9, 32))).toBe(true)
  })
})

describe('who goes first', () => {
  it('is who cost least within the hour, then whose deadline is nearest; the news that it is over waits', () => {
    const rank = (act: 'answer' | 'expire', gasSpent: number, openMs: number): Parameters<typeof comesFirst>[0] => ({
      act,
      gasSpent,
      request: asked({ deadlineMs: startMs + openMs }),
    })
    const order = [
      rank('answer', 0, 60_000),
      rank('answer', 0, 90_000),
      rank('answer', 600_000, 50_000),
      rank('expire', 0, 10_000),
      rank('expire', 600_000, 9_000),
    ]
    const sorted = [...order].reverse().sort((a, b) => (comesFirst(a, b) ? -1 : 1))
    expect(sorted).toEqual(order)
  })
})

describe('rounds', () => {
  it('are asked for when a report can answer, once for all that wait, and again where it did not help', () => {
    const rounds = requestRounds(1000, 8000)
    const first = asked()
    const second = asked({ requestedAtMs: startMs + 500 })
    const other = asked({ feed: 3, requestedAtMs: startMs + 500 })
    const waiting = [first, second, other]
    const due = (ms: number): readonly number[] => rounds.due(waiting, startMs + ms)
    expect(due(30_000)).toEqual([])
    expect(due(30_001)).toEqual([0])
    // The second became ready within a round of the first.
    expect(due(30_501)).toEqual([3])
    expect(due(31_000)).toEqual([])
    expect(due(31_001)).toEqual([0])
    expect(due(38_502)).toEqual([3])
    expect(due(39_001)).toEqual([0])
  })
})

describe('what a request asks for', () => {
  let committee: Committee
  let planner: Planner
  beforeAll(async () => {
    const engine = await createWasmEngine()
    committee = parseCommittee(engine, committeeDocument(engine))
    const settings: RequestSettings = {
      ...{ chainId: 31_337, hub: storeAddress, fromBlock: 1, blockMs: 1000, landBlocks: 2, stageMs: 8000 },
      ...{ callbackGasMax: 200_000, requesters: [hex(1, 20)], openMax: 10, openPerRequesterMax: 5 },
    }
    planner = requestPlanner(committee, layoutOf(committee), settings)
  })
  const held = (attestedAtMs: number, change: Partial<Reading> = {}): never => {
    const layout = layoutOf(committee)
    const all = readings().map((reading) => ({ ...reading, timeMs: attestedAtMs - 500, ...change }))
    return { report: { attestedAtMs }, packed: openPacked(layout, packReadings(layout, all)) } as never
  }
  const refusal = { status: statusCodes.HALT }

  it('is an answer by a report of more than 30 s later, while its value lives and can still land', () => {
    const request = asked()
    const at = startMs + 30_001
    expect(planner.planOf(request, null, at)).toBeNull()
    expect(planner.planOf(request, held(at - 1), at)).toBeNull()
    expect(planner.planOf(request, held(at), at)).toEqual({
      ...{ act: 'answer', sinceMs: at, liveUntilMs: at + 59_500 },
    })
    request.sinceMs = at - 1
    expect(planner.planOf(request, held(at), at)).toMatchObject({ act: 'answer', sinceMs: at - 1 })
    // Valid for 60 s from its source time, 500 ms before T; it lands two blocks later.
    expect(planner.planOf(request, held(at), at + 57_500)).not.toBeNull()
    expect(planner.planOf(request, held(at), at + 57_501)).toBeNull()
    const { deadlineMs } = request
    expect(planner.planOf(request, held(deadlineMs - 3000), deadlineMs - 2000)).not.toBeNull()
    expect(planner.planOf(request, held(deadlineMs - 3000), deadlineMs - 1999)).toBeNull()
  })

  it('is a refusal only in the second half of the time that is left for answers', () => {
    const request = asked()
    const middleMs = startMs + 30_001 + Math.floor((600_000 - 30_001) / 2)
    expect(planner.planOf(request, held(middleMs - 1, refusal), middleMs - 1)).toBeNull()
    expect(planner.planOf(request, held(middleMs - 1, refusal), middleMs)).toEqual({
      ...{ act: 'refuse', sinceMs: middleMs, liveUntilMs: middleMs - 1 + 60_000 },
    })
    expect(planner.planOf(request, held(middleMs - 58_001, refusal), middleMs)).toBeNull()
    expect(planner.planOf({ ...request, isExpired: true }, null, startMs)).toEqual({
      ...{ act: 'expire', sinceMs: request.deadlineMs, liveUntilMs: null },
    })
    expect(planner.planOf({ ...request, end: { ...ended, blockNumber: 1 } }, held(middleMs), middleMs)).toBeNull()
  })

  it('is nothing where it is declined', () => {
    const { feedId } = committee.feeds[0]!
    const log = { kind: 'requested', feedId, requester: hex(1, 20), callbackGas: 200_000 } as never
    const why = (change: object): unknown => planner.whyDeclined({ ...(log as object), ...change } as never)
    expect(why({})).toBeNull()
    expect(why({ callbackGas: 200_001 })).toBe('CALLBACK_GAS_TOO_HIGH')
    expect(why({ requester: hex(2, 20) })).toBe('REQUESTER_NOT_LISTED')
    expect(why({ feedId: hex(2, 32) })).toBe('UNKNOWN_FEED')
    // 30 s, a round, two blocks.
    const near = (openMs: number, at = startMs): boolean =>
      planner.isTooNear({ requestedAtMs: startMs, deadlineMs: startMs + openMs }, at)
    expect([near(33_000), near(33_001)]).toEqual([true, false])
    expect([near(60_000, startMs + 58_000), near(60_000, startMs + 58_001)]).toEqual([false, true])
  })
})
