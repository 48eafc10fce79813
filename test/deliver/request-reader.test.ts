// Reading a hub's events through endpoints that each bound what they answer: nothing else suffers, and it goes on.

import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { OracleError } from '../../src/base/errors.js'
import type { Block, Log } from '../../src/chain/answers.js'
import { RequestHub__factory } from '../../src/chain/generated/factories/RequestHub__factory.js'
import { balanceOf } from '../../src/chain/questions.js'
import {
  createRequestReader,
  type HubNews,
  type RequestReader,
  type RequestReaderParts,
} from '../../src/deliver/request-reader.js'
import { type Anvil, startAnvil } from '../chain/anvil.js'
import { type Fixture, startFixture } from '../chain/quorum-fixture.js'
import type { RpcProxy } from '../chain/rpc-proxy.js'
import { hex, hubAddress } from './request-desk-scene.js'

type Raw = NonNullable<RpcProxy['onRaw']>

let nowMs = 0
let news: HubNews[]
let unreadable: number[]
let blind: OracleError[]
beforeEach(() => {
  nowMs = 0
  news = []
  unreadable = []
  blind = []
})

function readerOf(rpc: RequestReaderParts['rpc']): RequestReader {
  const parts: RequestReaderParts = {
    ...{ rpc, steadyMs: () => nowMs, hub: hubAddress, feedIds: [hex(1)], fromBlock: 1, finalityBlocks: 64 },
    isOfInterest: () => true,
    onNews: (one) => void news.push(one),
    onRewind: () => {},
    onUnreadable: (block) => void unreadable.push(block),
    onBlind: (error) => void blind.push(error),
  }
  return createRequestReader(parts, null)
}

/** What answers an `eth_getLogs` of these blocks in place of the chain; others go through. */
const logsFault =
  (isBad: (from: number, to: number) => boolean, answer: (response: Parameters<Raw>[1]) => void): Raw =>
  ({ method, params }, response) => {
    if (method !== 'eth_getLogs') return false
    const { fromBlock, toBlock } = params[0] as { readonly fromBlock: string; readonly toBlock: string }
    if (!isBad(Number(fromBlock), Number(toBlock))) return false
    answer(response)
    return true
  }
const status = (code: number) => (response: Parameters<Raw>[1]) => void response.writeHead(code).end('{}')

describe('endpoints that all refuse', () => {
  let anvil: Anvil
  let fixture: Fixture
  beforeAll(async () => {
    anvil = await startAnvil()
    await anvil.ask('anvil_mine', '0x3e8')
  })
  beforeEach(async () => {
    fixture = await startFixture(anvil)
  })
  afterEach(() => fixture.end())
  afterAll(() => anvil.stop())
  const setRaw = (raw: Raw): void => {
    for (const proxy of fixture.proxies) proxy.onRaw = raw
  }
  /** Reads a block time later each time, as a desk does, and asks what a push asks; how many reads it took. */
  const readUntil = async (reader: RequestReader, done: () => boolean, ms: number): Promise<number> => {
    for (let reads = 0; reads < 60; reads++) {
      if (done()) return reads
      const head = await fixture.quorum.head()
      await reader.read(head)
      await fixture.quorum.read(balanceOf(hubAddress), head)
      nowMs += ms
      fixture.pass(ms)
    }
    throw new Error(`not in 60 reads: ${JSON.stringify([reader.mark().readTo, fixture.quorum.facts()])}`)
  }

  it.each([[400], [429]])(
    'long ranges with HTTP %i are read in short ones, and heads and balances all the while',
    async (code) => {
      let refused = 0
      setRaw(
        logsFault(
          (from, to) => to - from >= 16,
          (response) => {
            refused++
            status(code)(response)
          },
        ),
      )
      const reader = readerOf(fixture.quorum)
      const { number } = await fixture.quorum.head()
      const reads = await readUntil(reader, () => reader.mark().readTo === number, 1000)
      expect(fixture.changes).toEqual(['a:counting', 'b:counting', 'c:counting'])
      expect(unreadable).toEqual([])
      // 1,000 → 250 → 62 → 15, and 30 after 64 pieces, once: at three endpoints, in at most two questions.
      expect(reads).toBeLessThan(20)
      expect(refused).toBeLessThanOrEqual(4 * 3 * 2)
    },
  )

  it.each<[string, (response: Parameters<Raw>[1]) => void]>([
    ['HTTP 413', status(413)],
    ['no answer in time', () => {}],
    [
      'more than the bound',
      (response) => void response.setHeader('content-type', 'application/json').end('x'.repeat(8_100_000)),
    ],
  ])('one block with %s: it is left out, once, and nothing else is', async (_, answer) => {
    const block = 990
    setRaw(logsFault((from, to) => from <= block && to >= block, answer))
    const reader = readerOf(fixture.quorum)
    const { number } = await fixture.quorum.head()
    await readUntil(reader, () => reader.mark().readTo === number, 5000)
    expect([unreadable, blind]).toEqual([[block], []])
    // Not before it was tried for 20 s.
    expect(nowMs).toBeGreaterThan(25_000)
    await fixture.settled()
    expect(fixture.changes).toEqual(['a:counting', 'b:counting', 'c:counting'])
  })
})

describe('a request in each of two thousand blocks', () => {
  const hub = RequestHub__factory.createInterface()
  const blockOf = (number: number): Block => ({
    ...{ number, hash: hex(number + 10_000), parentHash: hex(number + 9_999) },
    ...{ timestampMs: 1000 * number, baseFee: 1n },
  })
  const logOf = (blockNumber: number): Log => {
    const values = [hex(blockNumber), hex(0xaa, 20), hex(1), '0x01', 2_000_000_000, 1000]
    const { topics, data } = hub.encodeEventLog('Requested', values)
    const where = { blockNumber, blockHash: blockOf(blockNumber).hash, transactionHash: hex(5), logIndex: 0 }
    return { address: hubAddress, topics, data, ...where }
  }

  it('costs some questions a read, some at once, and each request is told once with its time', async () => {
    const logs = Array.from({ length: 2000 }, (_, i) => logOf(i + 1))
    let [asked, busy, busiest] = [0, 0, 0]
    const reader = readerOf({
      head: async () => blockOf(2000),
      blockAt: async (number) => {
        asked++
        busiest = Math.max(busiest, ++busy)
        await sleep(0)
        busy--
        return blockOf(number)
      },
      read: async (question, at) => {
        const [{ fromBlock }] = question.params(at) as [{ fromBlock: string }]
        const isAsked = ({ blockNumber }: Log): boolean => blockNumber >= Number(fromBlock) && blockNumber <= at.number
        return logs.filter(isAsked) as never
      },
    })
    let reads = 0
    for (let state = 'more'; state === 'more'; reads++) {
      asked = 0
      state = await reader.read(blockOf(2000))
      expect(asked).toBeLessThanOrEqual(64 + 8)
    }
    expect([reads, busiest]).toEqual([32, 8])
    const told = news.flatMap(({ requested }) => requested)
    expect(told.map(({ blockNumber }) => blockNumber)).toEqual(logs.map(({ blockNumber }) => blockNumber))
    expect(told.every((one) => 'requestedAtMs' in one && one.requestedAtMs === 1000 * one.blockNumber)).toBe(true)
    expect(reader.mark().marks.every(({ number, hash }) => hash === blockOf(number).hash)).toBe(true)
  })

  it('or all in one, hold nobody up while they are decoded', async () => {
    const logs = Array.from({ length: 4000 }, () => logOf(1))
    const reader = readerOf({
      head: async () => blockOf(1),
      blockAt: async (number) => blockOf(number),
      read: async () => logs as never,
    })
    let turns = 0
    let isRead = false
    const work = reader.read(blockOf(1)).finally(() => {
      isRead = true
    })
    while (!isRead) {
      turns++
      await nextTurn()
    }
    await work
    expect(turns).toBeGreaterThan(25)
    expect(news.flatMap(({ requested }) => requested)).toHaveLength(4000)
  })

  it('of which one went with a reorganisation is read again, and told of no wrong time', async () => {
    const logs = [logOf(1), logOf(2), { ...logOf(3), blockHash: hex(7) }]
    const reader = readerOf({
      head: async () => blockOf(3),
      blockAt: async (number) => blockOf(number),
      read: async () => logs as never,
    })
    expect(await reader.read(blockOf(3))).toBe('failed')
    expect([news, reader.mark().readTo, unreadable]).toEqual([[], 0, []])
    logs[2] = logOf(3)
    expect(await reader.read(blockOf(3))).toBe('done')
    expect(news.flatMap(({ requested }) => requested)).toHaveLength(3)
  })
})

describe('a private chain that began anew', () => {
  it('is read from the first block, however far the one before was read', async () => {
    let life = 1
    const blockOf = (number: number): Block => ({
      ...{ number, hash: hex(life * 100_000 + number), parentHash: hex(life * 100_000 + number - 1) },
      ...{ timestampMs: 1000 * number, baseFee: 1n },
    })
    const asked: number[] = []
    const reader = readerOf({
      head: async () => blockOf(1),
      blockAt: async (number) => blockOf(number),
      read: async (question, at) => {
        const [{ fromBlock }] = question.params(at) as [{ fromBlock: string }]
        asked.push(Number(fromBlock))
        return [] as never
      },
    })
    await reader.read(blockOf(300))
    expect(reader.mark().readTo).toBe(300)
    life = 2
    asked.length = 0
    await reader.read(blockOf(54))
    expect([asked[0], reader.mark().readTo]).toEqual([1, 54])
  })
})
