// Four oracles behind three endpoints of which two are lost or lie while an update is due: nothing goes out on their word (B33, I-8).

import type { ServerResponse } from 'node:http'
import { beforeAll, describe, expect, it } from 'vitest'
import type { EndpointConfig } from '../../src/chain/endpoint.js'
import { createWasmEngine, type SigningEngine } from '../../src/crypto/engine-wasm.js'
import { changing, forkedFrom, showing } from '../chain/quorum-fixture.js'
import { type Call, type Reply, type RpcProxy, startProxy } from '../chain/rpc-proxy.js'
import { deliveriesIn, heightOf, waitingIn } from './anvil-deploy.js'
import { inVain, percent, price, storedIn } from './anvil-updates.js'
import { type AnvilWorld, gwei, withAnvilWorld } from './anvil-world.js'

let engine: SigningEngine
beforeAll(async () => {
  engine = await createWasmEngine()
})

/** A test in a world of its own behind three proxies; what the first ones do wrong from the start. */
const behindThree =
  (faults: readonly Partial<RpcProxy>[], action: (world: AnvilWorld, proxies: readonly RpcProxy[]) => Promise<void>) =>
  async (): Promise<void> => {
    const proxies: RpcProxy[] = []
    const endpoints = async (url: string): Promise<readonly EndpointConfig[]> => {
      for (const fault of [faults[0], faults[1], {}]) proxies.push(Object.assign(await startProxy(url), fault))
      return proxies.map((proxy, i) => ({ name: 'abc'[i]!, url: proxy.url }))
    }
    try {
      await withAnvilWorld(engine, { endpoints, profile: { frozenMs: 180_000 } }, (world) => {
        world.values = [price]
        return action(world, proxies)
      })
    } finally {
      for (const proxy of proxies) await proxy.stop()
    }
  }

const answering = (answer: (response: ServerResponse) => void) => ({
  onRaw: (_: Call, response: ServerResponse): boolean => {
    answer(response)
    return true
  },
})
const reply = (onReply: (call: Call, reply: Reply) => Reply) => ({ onReply })
const hex = (value: bigint | number): string => `0x${value.toString(16)}`

/** Faults of the endpoints a and b; two that lie tell different lies. The blocks they last. */
const faults: readonly [string, (height: number) => readonly [Partial<RpcProxy>, Partial<RpcProxy>], number][] = [
  ['429', () => [0, 1].map(() => answering((response) => response.writeHead(429).end('slow down'))) as never, 10],
  [
    'a page',
    () => [0, 1].map(() => answering((response) => response.end('<!DOCTYPE html><p>Just a moment…'))) as never,
    10,
  ],
  ['no answer at all', () => [0, 1].map(() => answering(() => undefined)) as never, 2],
  ['an old head and a forked one', (height) => [{ onCall: showing(() => height - 6) }, reply(forkedFrom(height))], 10],
  [
    'nonces',
    () => [
      reply(changing('eth_getTransactionCount', (count: string) => hex(BigInt(count) + 5n))),
      reply(changing('eth_getTransactionCount', (count: string) => hex(BigInt(count) + 7n))),
    ],
    10,
  ],
  [
    'balances',
    () => [reply(changing('eth_getBalance', () => '0x0')), reply(changing('eth_getBalance', () => hex(10n ** 30n)))],
    10,
  ],
  [
    'stored values',
    () => [
      reply(changing('eth_call', (data: string) => data.replace(/.$/, '1'))),
      reply(changing('eth_call', (data: string) => `0x${'00'.repeat((data.length - 2) / 2)}`)),
    ],
    10,
  ],
]

const foreign = ['0x1', '0xa'].map((id) => reply(changing('eth_chainId', () => id)))

describe('two of three endpoints', { concurrent: true }, () => {
  it(
    'lost or lying while an update is due: nothing is sent, they are named with what they do, and later it goes out',
    behindThree([], async (world, proxies) => {
      const { blockMs, stageMs } = world.pace
      await world.run(16 * blockMs)
      expect((await storedIn(world)).value).toBe(price)
      const figures: Record<string, unknown> = {}
      for (const [i, [name, faultsAt, blocks]] of faults.entries()) {
        const value = percent(102 + (i % 2) * 3 + i)
        const height = await heightOf(world.anvil)
        const [sent, events] = [world.told('sent').length, world.events.length]
        faultsAt(height).forEach((fault, at) => void Object.assign(proxies[at]!, fault))
        // What was known before is true, and would do for one block.
        await world.run(blockMs)
        world.values = [value]
        await world.run(blocks * blockMs)
        expect(await waitingIn(world.anvil), name).toEqual([])
        expect(await deliveriesIn(world.anvil, world.store, height + 1, await heightOf(world.anvil)), name).toEqual([])
        expect(world.told('sent').length, name).toBe(sent)
        // Each member says why, and of whom.
        const said = world.events.slice(events).flatMap((event) => {
          if (event.event === 'endpoint' && event.state !== 'counting') return [`${event.endpoint}: ${event.reason}`]
          if (event.event === 'chain' && event.why !== null) return [event.why]
          return event.event === 'transmit' && event.news.event === 'blind' ? [event.news.why] : []
        })
        const senders = world.oracles.flatMap(({ chain }) =>
          chain!.facts().senders.map(({ blindBecause }) => blindBecause ?? ''),
        )
        const words = [...said, ...senders].join('\n')
        for (const endpoint of ['a', 'b']) expect(words, name).toMatch(new RegExp(`\\b${endpoint}: `))
        for (const proxy of proxies) proxy.mend()
        const from = await heightOf(world.anvil)
        while ((await storedIn(world)).value !== value) {
          await world.run(blockMs)
          expect((await heightOf(world.anvil)) - from, name).toBeLessThanOrEqual((4 * stageMs) / blockMs + 6)
        }
        figures[name] = { blocks, blocksAfter: (await heightOf(world.anvil)) - from, said: said.at(-1) ?? senders[0] }
        await world.run(8 * blockMs)
      }
      const vain = inVain(world, await deliveriesIn(world.anvil, world.store, 1, await heightOf(world.anvil)))
      console.log(JSON.stringify({ figure: 'two of three endpoints lost or lying', ...figures, vain: vain.length }))
      expect(vain).toEqual([])
    }),
  )

  it(
    'of other chains from the start: nothing is sent, they are named; put right and started again, it goes out',
    behindThree(foreign, async (world, proxies) => {
      const { blockMs, stageMs } = world.pace
      const height = await heightOf(world.anvil)
      await world.run(8 * blockMs)
      expect(await waitingIn(world.anvil)).toEqual([])
      expect(await deliveriesIn(world.anvil, world.store, height, await heightOf(world.anvil))).toEqual([])
      for (const { chain } of world.oracles) {
        const { endpoints, stoppedBy } = chain!.facts()
        expect(endpoints.map(({ state, reason }) => `${state} ${reason}`)).toEqual([
          'foreign its chain id is 1, not 31337',
          'foreign its chain id is 10, not 31337',
          expect.any(String),
        ])
        expect(stoppedBy).toMatchObject({ code: 'CHAIN_NO_QUORUM', why: expect.stringContaining('a: foreign') })
      }
      for (const proxy of proxies) proxy.mend()
      for (const { member } of world.oracles) {
        await world.stopOracle(member)
        await world.start(member)
      }
      await world.run(2 * stageMs)
      expect((await storedIn(world)).value).toBe(price)
    }),
  )

  it(
    'with false receipts: no update is taken for confirmed on their word, made up or denied',
    behindThree([], async (world, proxies) => {
      const { blockMs } = world.pace
      await world.run(16 * blockMs)
      const confirmed = (): number => world.told('confirmed').length
      expect(confirmed()).toBe(1)
      const [first] = await deliveriesIn(world.anvil, world.store, 1, await heightOf(world.anvil))
      const real = (await world.anvil.ask('eth_getTransactionReceipt', first!.hash)) as { logs: object[] }
      const madeUp = (gasUsed: string) =>
        reply(({ method, params: [transactionHash] }, answer) => {
          if (method !== 'eth_getTransactionReceipt' || answer.result !== null) return answer
          return {
            result: { ...real, transactionHash, gasUsed, logs: real.logs.map((log) => ({ ...log, transactionHash })) },
          }
        })
      // No block takes it, and two say that it is in one.
      Object.assign(proxies[0]!, madeUp('0x10000'))
      Object.assign(proxies[1]!, madeUp('0x10001'))
      world.values = [percent(103)]
      await world.run(blockMs / 2)
      world.baseFee = 600n * gwei
      await world.run(6 * blockMs)
      expect([confirmed(), world.told('sent').length > 1]).toEqual([1, true])
      // It is in one, and two deny it or say that it failed.
      for (const proxy of proxies) proxy.mend()
      Object.assign(
        proxies[0]!,
        reply(changing('eth_getTransactionReceipt', (receipt: object) => ({ ...receipt, status: '0x0' }))),
      )
      Object.assign(proxies[1]!, reply(changing('eth_getTransactionReceipt', () => null)))
      world.baseFee = 10n * gwei
      await world.run(12 * blockMs)
      expect((await storedIn(world)).value).toBe(percent(103))
      expect([confirmed(), world.told('refused')]).toEqual([1, []])
      for (const proxy of proxies) proxy.mend()
      await world.run(8 * blockMs)
      expect(confirmed()).toBe(2)
      const all = await deliveriesIn(world.anvil, world.store, 1, await heightOf(world.anvil))
      expect(all).toHaveLength(2)
    }),
  )
})
