import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  balanceOf,
  type CallResult,
  callOf,
  codeOf,
  logsOf,
  logsSince,
  nonceOf,
  type Question,
  storageOf,
} from '../../src/chain/questions.js'
import type { Anvil } from './anvil.js'
import { feed, feedCode, refuser, signed, startFeedChain, wallet, word } from './logger-contract.js'
import { changing, codeOfError, type Fixture, type FixtureParts, startFixture } from './quorum-fixture.js'
import type { Call, Reply } from './rpc-proxy.js'

let anvil: Anvil
const fixtures: Fixture[] = []
beforeAll(async () => {
  anvil = await startFeedChain()
})
afterAll(() => anvil.stop())
afterEach(async () => {
  for (const fixture of fixtures.splice(0)) await fixture.end()
})

async function start(parts: FixtureParts = {}): Promise<Fixture> {
  const fixture = await startFixture(anvil, parts)
  fixtures.push(fixture)
  return fixture
}

const hashed = (hash: string): string => `0xbad${hash.slice(5)}`

/** Sends a transaction that logs, and mines it. */
async function logged({ quorum, settled }: Fixture): Promise<string> {
  const { hash, accepted } = await quorum.send(await signed(anvil))
  expect(accepted).toBe(true)
  await settled()
  // anvil answers before it has mined.
  while ((await anvil.ask('eth_getTransactionReceipt', hash)) === null) await sleep(5)
  return hash
}

describe('a read at the agreed block', () => {
  it('is what the chain has, and stays so when the chain goes on', async () => {
    const fixture = await start()
    const { quorum, step } = fixture
    await logged(fixture)
    const at = await quorum.head()
    const nonce = Number(await anvil.ask('eth_getTransactionCount', wallet.address, 'latest'))
    const balance = BigInt((await anvil.ask('eth_getBalance', wallet.address, 'latest')) as string)
    await logged(fixture)
    await step()
    expect(await quorum.read(nonceOf(wallet.address), at)).toBe(nonce)
    expect(await quorum.read(balanceOf(wallet.address), at)).toBe(balance)
    expect(await quorum.read(codeOf(feed), at)).toBe(feedCode)
    expect(await quorum.read(storageOf(feed, 0n), at)).toBe(0n)
    expect(await quorum.read(nonceOf(wallet.address), await quorum.head())).toBe(nonce + 1)
    expect(await quorum.read(callOf(refuser, '0x'), at)).toEqual({ reverted: true, data: word(42) })
    const logs = await quorum.read(logsOf({ address: feed, topics: [] }), at)
    expect(logs).toMatchObject([{ address: feed, blockHash: at.hash, topics: [word(0xaa).replace(/^0x/, '0x')] }])
    expect(
      await quorum.read(logsSince({ address: feed, topics: [[word(0xaa)]] }, at.number), await quorum.head()),
    ).toHaveLength(2)
  })

  it.each<[string, Question<unknown>, string, (result: never) => unknown]>([
    ['nonce', nonceOf(wallet.address), 'eth_getTransactionCount', () => '0x99'],
    ['code', codeOf(feed), 'eth_getCode', () => '0x00'],
    ['balance', balanceOf(wallet.address), 'eth_getBalance', () => '0x0'],
    ['slot', storageOf(feed, 0n), 'eth_getStorageAt', () => word(1)],
    ['call', callOf(feed, '0xfeaf968c'), 'eth_call', (data: string) => data.replace(/1$/, '2')],
    ['event, left out', logsOf({ address: feed, topics: [] }), 'eth_getLogs', () => []],
    [
      'event, changed',
      logsOf({ address: feed, topics: [] }),
      'eth_getLogs',
      (logs: object[]) => logs.map((log) => ({ ...log, data: word(1) })),
    ],
  ])('another %s by one endpoint is not believed, and named', async (_, question, method, change) => {
    const fixture = await start({ liarMs: 5_000 })
    const { quorum, proxies, stateOf, reasonOf, stepsUntil, settled } = fixture
    await logged(fixture)
    const at = await quorum.head()
    const truth = await quorum.read(question, at)
    proxies[1]!.onReply = changing(method, change)
    expect(await quorum.read(question, at)).toEqual(truth)
    await settled()
    expect(['a', 'b', 'c'].map(stateOf)).toEqual(['counting', 'lying', 'counting'])
    expect(reasonOf('b')).toContain(`${question.name}, block ${at.number}: it says`)
    proxies[1]!.mend()
    expect(await stepsUntil(() => stateOf('b') === 'counting')).toBe(6)
  })

  it('a revert against a value is named as well', async () => {
    const { quorum, proxies, stateOf, settled } = await start()
    const at = await quorum.head()
    proxies[0]!.onReply = ({ method }, reply): Reply =>
      method === 'eth_call' ? { error: { code: 3, message: 'execution reverted', data: '0x' } } : reply
    const { reverted }: CallResult = await quorum.read(callOf(feed, '0xfeaf968c'), at)
    await settled()
    expect([reverted, stateOf('a')]).toEqual([false, 'lying'])
  })

  it('three answers are none, and nobody is named', async () => {
    const { quorum, proxies, stateOf, settled } = await start()
    const at = await quorum.head()
    proxies[0]!.onReply = changing('eth_getTransactionCount', () => '0x98')
    proxies[1]!.onReply = changing('eth_getTransactionCount', () => '0x99')
    const work = quorum.read(nonceOf(wallet.address), at)
    await expect(work).rejects.toMatchObject({
      code: 'CHAIN_NO_QUORUM',
      facts: { said: expect.stringContaining('b: 153') },
    })
    await settled()
    expect(['a', 'b', 'c'].map(stateOf)).toEqual(['counting', 'counting', 'counting'])
  })

  it('an endpoint that does not have the block says nothing and is no liar; two such leave no quorum', async () => {
    const { quorum, proxies, stateOf, settled } = await start()
    const at = await quorum.head()
    const lacking = ({ method }: Call, reply: Reply): Reply =>
      method === 'eth_getCode' ? { error: { code: -32000, message: 'header not found' } } : reply
    proxies[0]!.onReply = lacking
    expect(await quorum.read(codeOf(feed), at)).toBe(feedCode)
    proxies[1]!.onReply = lacking
    expect(await codeOfError(quorum.read(codeOf(feed), at))).toBe('CHAIN_NO_QUORUM')
    await settled()
    expect(['a', 'b', 'c'].map(stateOf)).toEqual(['counting', 'counting', 'counting'])
  })

  it('does not wait for one that hangs', async () => {
    const { quorum, proxies, stateOf } = await start()
    const at = await quorum.head()
    proxies[2]!.onRaw = () => true
    const startMs = performance.now()
    expect(await quorum.read(codeOf(feed), at)).toBe(feedCode)
    expect(performance.now() - startMs).toBeLessThan(300)
    await new Promise((resolve) => setTimeout(resolve, 450))
    expect(stateOf('c')).toBe('failing')
  })

  it.each<[string, (response: ServerResponse) => void]>([
    ['HTTP 413', (response) => response.writeHead(413).end()],
    ['HTTP 429', (response) => response.writeHead(429, { 'retry-after': '60' }).end()],
    ['a page', (response) => response.end('<html>')],
    ['nothing', () => {}],
  ])('of events that all answer with %s fails by itself: heads and states are read on', async (_, answer) => {
    const { quorum, proxies, changes, settled } = await start()
    const at = await quorum.head()
    for (const proxy of proxies)
      proxy.onRaw = ({ method }, response) => {
        if (method === 'eth_getLogs') answer(response)
        return method === 'eth_getLogs'
      }
    for (const question of [logsOf({ address: feed, topics: [] }), logsSince({ address: feed, topics: [] }, 0)])
      expect(await codeOfError(quorum.read(question, at))).toBe('CHAIN_NO_QUORUM')
    await settled()
    expect(changes).toEqual(['a:counting', 'b:counting', 'c:counting'])
    expect(await quorum.read(codeOf(feed), await quorum.head())).toBe(feedCode)
  })

  it('at a block that a reorganisation took away has no answer', async () => {
    const { quorum, step } = await start()
    await step()
    await step()
    const at = await quorum.head()
    await anvil.ask('anvil_reorg', 1, [])
    await quorum.head()
    expect(await codeOfError(quorum.read(codeOf(feed), at))).toBe('CHAIN_NO_QUORUM')
    expect(await codeOfError(quorum.read(logsSince({ address: feed, topics: [] }, 0), at))).toBe('CHAIN_NO_QUORUM')
  })

  it('opinions are those of all that count, liars or not', async () => {
    const { quorum, proxies } = await start()
    proxies[1]!.onReply = changing('eth_getTransactionCount', () => '0x99')
    const opinions = await quorum.opinions(nonceOf(wallet.address), await quorum.head())
    expect([opinions.length, opinions.includes(0x99)]).toEqual([3, true])
  })

  it('opinions of fewer than a quorum are none', async () => {
    const { quorum, proxies } = await start()
    const at = await quorum.head()
    for (const proxy of proxies.slice(1))
      proxy.onRaw = ({ method }, response) => {
        if (method === 'eth_getTransactionCount') response.writeHead(503).end()
        return method === 'eth_getTransactionCount'
      }
    expect(await codeOfError(quorum.opinions(nonceOf(wallet.address), at))).toBe('CHAIN_NO_QUORUM')
  })

  it('a block of another height is no answer', async () => {
    const { quorum, proxies, settled, reasonOf } = await start()
    proxies[0]!.onCall = ({ method, params }) => ({ method, params: params[0] === '0x2' ? ['0x1', false] : params })
    expect((await quorum.blockAt(2)).number).toBe(2)
    await settled()
    expect(reasonOf('a')).toContain('the block has another number')
    expect(await codeOfError(quorum.blockAt(9_999))).toBe('CHAIN_NO_QUORUM')
  })
})

describe('a receipt', () => {
  it('is given with its confirmations, up to the agreed head', async () => {
    const fixture = await start()
    const { quorum, step } = fixture
    const before = await quorum.head()
    const hash = await logged(fixture)
    const at = await quorum.head()
    const found = await quorum.receipt(hash, at)
    expect(found).toMatchObject({
      confirmations: 1,
      receipt: { succeeded: true, blockHash: at.hash, logs: [{ address: feed }] },
    })
    expect(await quorum.receipt(hash, before)).toBeNull()
    await step()
    expect((await quorum.receipt(hash, await quorum.head()))!.confirmations).toBe(2)
    expect(await quorum.receipt(`0x${'11'.repeat(32)}`, at)).toBeNull()
  })

  it('is gone with the block that a reorganisation took away', async () => {
    const fixture = await start()
    const { quorum, step } = fixture
    const hash = await logged(fixture)
    await step()
    await quorum.head()
    await anvil.ask('anvil_reorg', 2, [])
    expect(await quorum.receipt(hash, await quorum.head())).toBeNull()
  })

  it.each<[string, (receipt: { logs: object[] }) => object]>([
    ['a status', (receipt) => ({ ...receipt, status: '0x0' })],
    ['an event', (receipt) => ({ ...receipt, logs: receipt.logs.map((log) => ({ ...log, data: word(1) })) })],
    ['no event', (receipt) => ({ ...receipt, logs: [] })],
    ['the gas', (receipt) => ({ ...receipt, gasUsed: '0x1' })],
    [
      'the block',
      (receipt) => {
        const blockHash = `0x${'44'.repeat(32)}`
        return { ...receipt, blockHash, logs: receipt.logs.map((log) => ({ ...log, blockHash })) }
      },
    ],
  ])('with %s changed by one endpoint is not believed, and named', async (_, change) => {
    const fixture = await start()
    const { quorum, proxies, stateOf, settled } = fixture
    const hash = await logged(fixture)
    const at = await quorum.head()
    const truth = await quorum.receipt(hash, at)
    proxies[0]!.onReply = changing('eth_getTransactionReceipt', change)
    expect(await quorum.receipt(hash, at)).toEqual(truth)
    await settled()
    expect(['a', 'b', 'c'].map(stateOf)).toEqual(['lying', 'counting', 'counting'])
  })

  it.each([
    ['of a block that is the agreed one', (hash: string) => hash],
    ['of a block that is not', hashed],
  ])('made up, %s, is not believed, and named', async (_, blockOf) => {
    const fixture = await start()
    const { quorum, proxies, stateOf, reasonOf, settled } = fixture
    const known = await logged(fixture)
    const at = await quorum.head()
    const never = `0x${'22'.repeat(32)}`
    const real = (await anvil.ask('eth_getTransactionReceipt', known)) as { logs: object[] }
    const blockHash = blockOf(at.hash)
    const own = { transactionHash: never, blockHash }
    proxies[0]!.onReply = ({ method }, reply): Reply =>
      method === 'eth_getTransactionReceipt'
        ? { result: { ...real, ...own, logs: real.logs.map((log) => ({ ...log, ...own })) } }
        : reply
    expect(await quorum.receipt(never, at)).toBeNull()
    await settled()
    expect(['a', 'b', 'c'].map(stateOf)).toEqual(['lying', 'counting', 'counting'])
    expect(reasonOf('a')).toContain('the block does not hold it')
  })

  it('of a block that is not the agreed one is none, though two endpoints have it', async () => {
    const fixture = await start()
    const { quorum, proxies } = fixture
    const hash = await logged(fixture)
    const at = await quorum.head()
    for (const proxy of proxies.slice(1))
      proxy.onReply = changing('eth_getTransactionReceipt', (receipt: { blockHash: string; logs: object[] }) => {
        const blockHash = hashed(receipt.blockHash)
        return { ...receipt, blockHash, logs: receipt.logs.map((log) => ({ ...log, blockHash })) }
      })
    expect(await quorum.receipt(hash, at)).toBeNull()
  })

  it('that only one endpoint has, of a block above the agreed head, is early and no lie', async () => {
    const fixture = await start()
    const { quorum, proxies, stateOf, settled } = fixture
    const at = await quorum.head()
    const hash = await logged(fixture)
    for (const proxy of proxies.slice(1))
      proxy.onReply = ({ method, params }, reply): Reply => {
        const isNew = method === 'eth_getBlockByNumber' && Number(params[0]) > at.number
        return isNew || method === 'eth_getTransactionReceipt' ? { result: null } : reply
      }
    expect(await quorum.receipt(hash, at)).toBeNull()
    await settled()
    expect(['a', 'b', 'c'].map(stateOf)).toEqual(['counting', 'counting', 'counting'])
  })

  it('that one endpoint has not indexed yet is believed of the others, and nobody is named', async () => {
    const fixture = await start()
    const { quorum, proxies, stateOf, settled } = fixture
    const hash = await logged(fixture)
    const at = await quorum.head()
    const late = changing('eth_getTransactionReceipt', () => null)
    proxies[0]!.onReply = late
    expect((await quorum.receipt(hash, at))!.confirmations).toBe(1)
    // Two that lack it make "not there" the quorum's word; the third has it all the same and is no liar.
    proxies[1]!.onReply = late
    expect(await quorum.receipt(hash, at)).toBeNull()
    await settled()
    expect(['a', 'b', 'c'].map(stateOf)).toEqual(['counting', 'counting', 'counting'])
  })
})
