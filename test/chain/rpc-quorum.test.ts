import type { ServerResponse } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { chainProfile } from '../../src/chain/chain-profile.js'
import { codeOf } from '../../src/chain/questions.js'
import { createRpcQuorum } from '../../src/chain/rpc-quorum.js'
import { type Anvil, startAnvil } from './anvil.js'
import {
  changing,
  codeOfError,
  type Fixture,
  type FixtureParts,
  forkedFrom,
  showing,
  startFixture,
} from './quorum-fixture.js'
import type { Call } from './rpc-proxy.js'

let anvil: Anvil
const fixtures: Fixture[] = []
beforeAll(async () => {
  anvil = await startAnvil()
  await anvil.mine(20)
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

const tip = async (): Promise<number> => Number(await anvil.ask('eth_blockNumber'))
const nobody = '0x00000000000000000000000000000000000000aa'
const page = (_: Call, response: ServerResponse): boolean => {
  response.setHeader('content-type', 'text/html').end('<html>Down for maintenance</html>')
  return true
}
const dead = (_: Call, response: ServerResponse): boolean => {
  response.destroy()
  return true
}

describe('the head', () => {
  it('is the newest block when all agree, and all count', async () => {
    const { quorum, proxies, stateOf, step, changes } = await start()
    const number = await step()
    expect(number).toBe(await tip())
    const { hash } = (await anvil.ask('eth_getBlockByNumber', 'latest', false)) as { hash: string }
    expect((await quorum.head()).hash).toBe(hash)
    expect(['a', 'b', 'c'].map(stateOf)).toEqual(['counting', 'counting', 'counting'])
    expect(changes).toEqual(['a:counting', 'b:counting', 'c:counting'])
    const asked = proxies[0]!.asked.filter((method) => method !== 'eth_getBlockByNumber')
    expect(asked).toEqual(['eth_chainId'])
  })

  it('is the highest block that two confirm, not the highest that one claims', async () => {
    const { quorum, proxies, stateOf } = await start()
    await anvil.mine(3)
    const top = await tip()
    proxies[1]!.onCall = showing(() => top - 1)
    proxies[2]!.onCall = showing(() => top - 2)
    expect((await quorum.head()).number).toBe(top - 1)
    expect(['a', 'b', 'c'].map(stateOf)).toEqual(['counting', 'counting', 'counting'])
  })

  it('is below a height that endpoints have announced and cannot show', async () => {
    const { quorum, proxies, step, stateOf } = await start()
    const top = await step()
    await anvil.mine(2)
    // a is two ahead, b one; asked for block top + 1, a has none yet, as behind a balancer.
    proxies[1]!.onCall = showing(() => top + 1)
    proxies[2]!.onCall = showing(() => top)
    proxies[0]!.onReply = changing('eth_getBlockByNumber', (block: { number: string }, { params }) =>
      params[0] !== 'latest' && Number(block.number) > top ? null : block,
    )
    expect((await quorum.head()).number).toBe(top)
    expect(['a', 'b', 'c'].map(stateOf)).toEqual(['counting', 'counting', 'counting'])
  })

  it('does not fall along its own chain when the endpoint that was ahead is lost', async () => {
    const { quorum, proxies, step, stateOf } = await start()
    proxies[2]!.onCall = showing(() => top - 1)
    let top = (await tip()) + 1
    top = await step()
    proxies[1]!.onRaw = dead
    expect((await quorum.head()).number).toBe(top)
    expect([stateOf('b'), quorum.facts()[2]!.head]).toEqual(['failing', top - 1])
  })

  it('follows a reorganisation, also to a lower height', async () => {
    const { quorum, step } = await start()
    await step()
    const snapshot = await anvil.ask('evm_snapshot')
    for (let i = 0; i < 3; i++) await step()
    const before = await quorum.head()
    await anvil.ask('anvil_reorg', 2, [])
    const after = await quorum.head()
    expect([after.number, after.hash === before.hash]).toEqual([before.number, false])
    await anvil.ask('evm_revert', snapshot)
    await anvil.ask('evm_increaseTime', 77)
    await anvil.mine(2)
    const lower = await quorum.head()
    expect([lower.number, lower.hash]).toEqual([before.number - 1, (await quorum.blockAt(lower.number)).hash])
    expect(quorum.facts().map(({ state }) => state)).toEqual(['counting', 'counting', 'counting'])
  })
})

describe('an endpoint that is stuck', () => {
  it('I29 is dropped after 3 missed blocks although it answers 200, and the chain goes on without it', async () => {
    const { quorum, proxies, step, stateOf, reasonOf, changes, stepsUntil } = await start()
    const stuckAt = await step()
    proxies[2]!.onCall = showing(() => stuckAt)
    const states: string[] = []
    for (let i = 0; i < 4; i++) {
      expect(await step()).toBe(stuckAt + 1 + i)
      states.push(stateOf('c'))
    }
    expect(states).toEqual(['counting', 'counting', 'frozen', 'frozen'])
    expect(reasonOf('c')).toBe(`its head ${stuckAt} has not moved for 4 s`)
    const asked = proxies[2]!.asked.length
    await quorum.read(codeOf(nobody), await quorum.head())
    expect(proxies[2]!.asked.slice(asked)).not.toContain('eth_getCode')
    proxies[2]!.mend()
    expect(await stepsUntil(() => stateOf('c') === 'counting')).toBe(3)
    expect(changes.slice(3)).toEqual(['c:frozen', 'c:counting'])
  })

  it('I29 is dropped with one other left as well: then nothing is read', async () => {
    const { quorum, proxies, step, stateOf } = await start()
    const stuckAt = await step()
    proxies[1]!.onCall = showing(() => stuckAt)
    proxies[2]!.onRaw = dead
    const codes: (string | number)[] = []
    for (let i = 0; i < 3; i++) codes.push(await step().catch((error: { code: string }) => error.code))
    expect(codes).toEqual([stuckAt, stuckAt, 'CHAIN_NO_QUORUM'])
    expect([stateOf('a'), stateOf('b')]).toEqual(['counting', 'frozen'])
    expect(await codeOfError(quorum.read(codeOf(nobody), { number: stuckAt, hash: '0x00' }))).toBe('CHAIN_NO_QUORUM')
  })

  it('is not one whose chain waits: a boasting endpoint puts out itself, not the others', async () => {
    const { quorum, proxies, pass, stateOf, reasonOf, settled } = await start()
    const top = await tip()
    proxies[2]!.onReply = changing('eth_getBlockByNumber', (block: object, { params }) =>
      params[0] === 'latest' ? { ...block, number: `0x${(top + 50).toString(16)}` } : block,
    )
    for (let i = 0; i < 5; i++) {
      pass(1_000)
      expect((await quorum.head()).number).toBe(top)
      await settled()
    }
    expect(['a', 'b', 'c'].map(stateOf)).toEqual(['counting', 'counting', 'lying'])
    expect(reasonOf('c')).toContain(`it claims head ${top + 50}`)
  })

  it('is not one that waits while less than half of the others claim to be ahead', async () => {
    const { quorum, proxies, pass, stateOf } = await start({ profile: { lagBlocks: 10 } })
    const top = await tip()
    proxies[2]!.onReply = changing('eth_getBlockByNumber', (block: object, { params }) =>
      params[0] === 'latest' ? { ...block, number: `0x${(top + 5).toString(16)}` } : block,
    )
    for (let i = 0; i < 5; i++) {
      pass(1_000)
      expect((await quorum.head()).number).toBe(top)
    }
    expect([stateOf('a'), stateOf('b')]).toEqual(['counting', 'counting'])
  })

  it('is each of them when the whole chain stands still beyond frozenMs', async () => {
    const { quorum, pass, stateOf } = await start({ profile: { frozenMs: 5_000 } })
    pass(4_000)
    expect((await quorum.head()).number).toBe(await tip())
    pass(1_000)
    expect(await codeOfError(quorum.head())).toBe('CHAIN_NO_QUORUM')
    expect(['a', 'b', 'c'].map(stateOf)).toEqual(['frozen', 'frozen', 'frozen'])
  })

  it('is lagging when it moves too far behind', async () => {
    const { proxies, step, stateOf, reasonOf, stepsUntil } = await start()
    let top = await step()
    proxies[2]!.onCall = showing(() => top - 2)
    top = await step()
    expect(stateOf('c')).toBe('counting')
    const shown = top - 3
    proxies[2]!.onCall = showing(() => shown)
    top = await step()
    expect([stateOf('c'), reasonOf('c')]).toEqual(['lagging', `its head ${shown} is behind ${top}`])
    proxies[2]!.mend()
    expect(await stepsUntil(() => stateOf('c') === 'counting')).toBe(3)
  })
})

describe('an endpoint that fails', () => {
  it.each<[string, (call: Call, response: ServerResponse) => boolean, string]>([
    ['a hang', () => true, 'no whole answer in 400 ms'],
    ['a page in place of JSON', page, 'a page came in place of JSON'],
    ['429', (_, response) => response.writeHead(429).end() !== undefined, 'HTTP 429'],
    ['503', (_, response) => response.writeHead(503).end() !== undefined, 'HTTP 503'],
    ['a closed connection', dead, 'the connection failed (ECONNRESET)'],
    ['no block', (_, response) => response.end('{"jsonrpc":"2.0","id":1}') !== undefined, 'not JSON-RPC'],
  ])('with %s is named; the others go on; it comes back when it agreed for a while', async (_, fault, reason) => {
    const { quorum, proxies, step, stateOf, reasonOf, stepsUntil } = await start()
    proxies[0]!.onRaw = fault
    expect(await step()).toBe(await tip())
    expect(stateOf('a')).toBe('failing')
    expect(reasonOf('a')).toContain(reason)
    await quorum.read(codeOf(nobody), await quorum.head())
    proxies[0]!.mend()
    expect(await stepsUntil(() => stateOf('a') === 'counting')).toBeGreaterThanOrEqual(2)
  })

  it('is asked ever more rarely, and not before the time that a 429 names', async () => {
    const { proxies, step } = await start()
    proxies[0]!.onRaw = (_, response) => response.writeHead(503).end() !== undefined
    for (let i = 0; i < 16; i++) await step()
    const tries = proxies[0]!.asked.length
    expect(tries).toBeLessThan(8)
    proxies[1]!.onRaw = (_, response) => response.writeHead(429, { 'retry-after': '20' }).end() !== undefined
    await step().catch(() => {})
    const asked = proxies[1]!.asked.length
    for (let i = 0; i < 18; i++) await step().catch(() => {})
    expect(proxies[1]!.asked.length).toBe(asked)
  })

  it('of another chain is named and never asked again', async () => {
    const { quorum, proxies, step, stateOf, reasonOf, pass } = await start({
      prepare: ([, b]) => {
        b!.onReply = changing('eth_chainId', () => '0x1')
      },
    })
    expect([stateOf('b'), reasonOf('b')]).toEqual(['foreign', 'its chain id is 1, not 31337'])
    expect(proxies[1]!.asked).toEqual(['eth_chainId'])
    proxies[1]!.mend()
    for (let i = 0; i < 5; i++) {
      pass(3_600_000)
      await step()
    }
    expect(proxies[1]!.asked).toEqual(['eth_chainId'])
    expect((await quorum.head()).number).toBe(await tip())
  })
})

describe('an endpoint that lies about blocks', () => {
  it('is named with its hash, does not count, and comes back when it agreed for longer', async () => {
    const { proxies, step, stateOf, reasonOf, stepsUntil } = await start({ profile: { confirmations: 5 } })
    const top = await step()
    proxies[0]!.onReply = forkedFrom(top + 1)
    expect(await step()).toBe(top + 1)
    expect(stateOf('a')).toBe('lying')
    expect(reasonOf('a')).toMatch(new RegExp(`^its block ${top + 1} has hash 0xbad.*, b, c say 0x`))
    proxies[0]!.mend()
    expect(await stepsUntil(() => stateOf('a') === 'counting')).toBe(6)
  })

  it('is named for another base fee or time under the true hash, and for long', async () => {
    const { proxies, step, stateOf, stepsUntil } = await start({ liarMs: 10_000 })
    proxies[0]!.onReply = changing('eth_getBlockByNumber', (block: object) => ({ ...block, baseFeePerGas: '0x1' }))
    await step()
    expect(stateOf('a')).toBe('lying')
    proxies[0]!.mend()
    expect(await stepsUntil(() => stateOf('a') === 'counting')).toBe(11)
  })
})

describe('I82', () => {
  it('two lost and the third lying: nothing is believed, read or sent', async () => {
    const { quorum, proxies, step } = await start()
    const top = await step()
    const at = await quorum.head()
    proxies[0]!.onRaw = dead
    proxies[1]!.onRaw = () => true
    proxies[2]!.onReply = forkedFrom(top)
    for (let i = 0; i < 3; i++) {
      expect(await codeOfError(step())).toBe('CHAIN_NO_QUORUM')
      expect(await codeOfError(quorum.read(codeOf(nobody), at))).toBe('CHAIN_NO_QUORUM')
      expect(await codeOfError(quorum.receipt(`0x${'11'.repeat(32)}`, at))).toBe('CHAIN_NO_QUORUM')
      expect(await codeOfError(quorum.send('0x02'))).toBe('CHAIN_NO_QUORUM')
      expect(await codeOfError(quorum.opinions(codeOf(nobody), at))).toBe('CHAIN_NO_QUORUM')
    }
    expect(proxies[2]!.asked).not.toContain('eth_sendRawTransaction')
  })

  it('two lost between two heads: the third alone is given nothing', async () => {
    const { quorum, proxies, step } = await start()
    await step()
    const at = await quorum.head()
    proxies[0]!.onRaw = dead
    proxies[1]!.onRaw = dead
    expect(await codeOfError(quorum.read(codeOf(nobody), at))).toBe('CHAIN_NO_QUORUM')
    expect(await codeOfError(quorum.send('0x02'))).toBe('CHAIN_NO_QUORUM')
    expect(proxies[2]!.asked).not.toContain('eth_sendRawTransaction')
  })

  it('two lost that come back count again, though nobody counted meanwhile', async () => {
    const { proxies, step, stepsUntil, quorum } = await start()
    for (const proxy of proxies) proxy.onRaw = dead
    expect(await codeOfError(step())).toBe('CHAIN_NO_QUORUM')
    for (const proxy of proxies) proxy.mend()
    // All three agree at once, and that is not enough yet.
    expect(await codeOfError(step())).toBe('CHAIN_NO_QUORUM')
    expect(quorum.facts().map(({ state, head }) => [state, head === null])).toEqual(Array(3).fill(['failing', false]))
    await stepsUntil(() => quorum.facts().every(({ state }) => state === 'counting'))
    expect(await step()).toBe(await tip())
  })

  it('two that disagree on the hash of one height halt the chain until they agree again', async () => {
    const { quorum, proxies, step, stateOf } = await start()
    proxies[2]!.onRaw = dead
    const top = await step()
    const at = await quorum.head()
    proxies[1]!.onReply = forkedFrom(top + 1)
    for (let i = 0; i < 2; i++) {
      expect(await codeOfError(step())).toBe('CHAIN_SPLIT')
      expect(await codeOfError(quorum.send('0x02'))).toBe('CHAIN_SPLIT')
      expect(await codeOfError(quorum.read(codeOf(nobody), at))).toBe('CHAIN_SPLIT')
    }
    expect([stateOf('a'), stateOf('b')]).toEqual(['counting', 'counting'])
    await expect(quorum.head()).rejects.toMatchObject({
      facts: { chain: 'local', said: expect.stringContaining('b: 0xbad') },
    })
    proxies[1]!.mend()
    expect(await step()).toBe(await tip())
    expect(await quorum.read(codeOf(nobody), await quorum.head())).toBe('0x')
  })

  it('the third, come back, tells which of the two lies', async () => {
    const { proxies, step, stateOf, stepsUntil } = await start()
    proxies[2]!.onRaw = dead
    const top = await step()
    proxies[1]!.onReply = forkedFrom(top + 1)
    expect(await codeOfError(step())).toBe('CHAIN_SPLIT')
    proxies[2]!.mend()
    await stepsUntil(() => stateOf('c') === 'counting')
    expect([stateOf('a'), stateOf('b')]).toEqual(['counting', 'lying'])
    expect(await step()).toBe(await tip())
  })
})

describe('what is configured', () => {
  const make = (quorum: number, ...urls: readonly string[]): (() => unknown) => {
    const endpoints = urls.map((url, i) => ({ name: `rpc${i}`, url }))
    const clock = (): { wallMs: number; steadyMs: number } => ({ wallMs: 0, steadyMs: 0 })
    return () => createRpcQuorum({ endpoints, quorum, profile: chainProfile('local'), clock })
  }
  const three = ['http://127.0.0.1:1', 'http://127.0.0.1:2', 'http://127.0.0.1:3']

  it.each([0, 1, 4, 1.5, Number.NaN])('a quorum of %s of 3 is refused', (quorum) => {
    expect(make(quorum, ...three)).toThrow('is not more than half of 3 endpoints')
  })

  it('one URL twice is refused: it would vote twice', () => {
    expect(make(2, three[0]!, three[0]!, three[1]!)).toThrow('share a name or a URL')
  })

  it.each([
    ['blockMs', { blockMs: 0 }],
    ['confirmations', { confirmations: 0.5 }],
    ['chainId', { chainId: -1 }],
    ['frozenMs', { frozenMs: 100 }],
    ['sequencerFeed/address', { sequencerFeed: { address: '0x12', graceMs: 0 } }],
  ])('a profile with a %s that makes no sense is refused', (path, own) => {
    expect(() => chainProfile('local', own)).toThrow(expect.objectContaining({ path: `/profile/${path}` }))
  })
})
