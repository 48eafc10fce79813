// Nothing is decided on a chain that no quorum can show, or whose sequencer is down: the gate says why, once, and opens again.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createGate, type Gate } from '../../src/chain/gate.js'
import { storageOf } from '../../src/chain/questions.js'
import type { Anvil } from './anvil.js'
import { feed, startFeedChain, word } from './logger-contract.js'
import { codeOfError, type Fixture, type FixtureParts, startFixture } from './quorum-fixture.js'

let anvil: Anvil
const fixtures: Fixture[] = []
beforeAll(async () => {
  anvil = await startFeedChain()
})
afterAll(() => anvil.stop())
afterEach(async () => {
  for (const fixture of fixtures.splice(0)) await fixture.end()
})

async function start(parts: FixtureParts = {}): Promise<{ fixture: Fixture; gate: Gate; told: (string | null)[] }> {
  const fixture = await startFixture(anvil, parts)
  fixtures.push(fixture)
  const told: (string | null)[] = []
  return { fixture, gate: createGate(fixture.quorum, (stop) => told.push(stop?.code ?? null)), told }
}

describe('a gate', () => {
  it('closes with the quorum, and opens with it', async () => {
    const { fixture, gate, told } = await start()
    const before = await gate.look()
    expect([before?.hash, gate.head()?.hash, gate.stop()]).toEqual([before!.hash, before!.hash, null])
    for (const proxy of fixture.proxies.slice(0, 2))
      proxy.onRaw = (_, response) => {
        response.writeHead(503).end()
        return true
      }
    for (let look = 0; look < 3; look++) expect(await gate.look()).toBe(null)
    expect(told).toEqual(['CHAIN_NO_QUORUM'])
    expect(gate.stop()!.why).toContain('fewer than 2 endpoints')
    expect(await codeOfError(gate.rpc.head())).toBe('CHAIN_NO_QUORUM')
    expect(await codeOfError(gate.rpc.read(storageOf(feed, 0n), before!))).toBe('CHAIN_NO_QUORUM')
    // The last head stays what it was: it is shown, not acted on.
    expect(gate.head()).toEqual(before)
    for (const proxy of fixture.proxies) proxy.mend()
    await fixture.stepsUntil(() => fixture.quorum.facts().every(({ state }) => state === 'counting'))
    const after = await gate.look()
    expect(after!.number).toBeGreaterThan(before!.number)
    expect([told, (await gate.rpc.head()).hash]).toEqual([['CHAIN_NO_QUORUM', null], after!.hash])
  })

  it('is closed while the sequencer is down, though every endpoint agrees', async () => {
    const graceMs = 60_000
    const { fixture, gate, told } = await start({ profile: { sequencerFeed: { address: feed, graceMs } } })
    const tell = async (answer: number, startedAt: number): Promise<void> => {
      await anvil.ask('anvil_setStorageAt', feed, word(0), word(answer))
      await anvil.ask('anvil_setStorageAt', feed, word(1), word(startedAt))
      await fixture.step()
    }
    const nowS = (await fixture.quorum.head()).timestampMs / 1000
    await tell(1, nowS - 100)
    expect(await gate.look()).toBe(null)
    expect(await codeOfError(gate.rpc.head())).toBe('CHAIN_SEQUENCER_DOWN')
    await tell(0, nowS - 100)
    expect((await gate.look())?.number).toBe((await gate.rpc.head()).number)
    expect(told).toEqual(['CHAIN_SEQUENCER_DOWN', null])
  })

  it('is closed, but not blind, while nobody says how the sequencer is', async () => {
    const { fixture, gate } = await start({ profile: { sequencerFeed: { address: feed, graceMs: 60_000 } } })
    for (const proxy of fixture.proxies)
      proxy.onReply = ({ method }, reply) =>
        method === 'eth_call' ? { error: { code: -32000, message: 'missing trie node' } } : reply
    expect(await gate.look()).toBe(null)
    expect(gate.stop()).toMatchObject({ code: 'CHAIN_NO_QUORUM', isBlind: false })
    for (const proxy of fixture.proxies)
      proxy.onRaw = (_, response) => {
        response.writeHead(503).end()
        return true
      }
    for (let look = 0; look < 3; look++) await gate.look()
    expect(gate.stop()).toMatchObject({ code: 'CHAIN_NO_QUORUM', isBlind: true })
  })

  it('lets one head serve a whole look, and no longer', async () => {
    const { fixture, gate } = await start()
    const block = (await gate.look())!
    await fixture.settled()
    const asked = (): number => fixture.proxies.reduce((sum, proxy) => sum + proxy.asked.length, 0)
    const before = asked()
    await gate.holding(block, async () => {
      await anvil.mine()
      expect([await gate.rpc.head(), await gate.keysRpc.head()]).toEqual([block, block])
      expect(asked()).toBe(before)
    })
    expect((await gate.rpc.head()).number).toBe(block.number + 1)
    await expect(gate.holding(block, () => Promise.reject(new Error('a fault')))).rejects.toThrow('a fault')
    expect((await gate.keysRpc.head()).number).toBe(block.number + 1)
  })
})
