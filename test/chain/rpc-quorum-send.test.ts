import { Transaction, Wallet } from 'ethers'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { outcomeOf } from '../../src/chain/send-outcome.js'
import type { Anvil } from './anvil.js'
import { signed, startFeedChain } from './logger-contract.js'
import { codeOfError, type Fixture, startFixture } from './quorum-fixture.js'
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

async function start(): Promise<Fixture> {
  const fixture = await startFixture(anvil)
  fixtures.push(fixture)
  return fixture
}

describe('sending', () => {
  it('goes to all; one that takes it is enough, and no evidence of inclusion', async () => {
    const { quorum, proxies } = await start()
    await anvil.ask('evm_setAutomine', false)
    try {
      for (const proxy of proxies.slice(1))
        proxy.onRaw = ({ method }, response) => {
          if (method === 'eth_sendRawTransaction') response.writeHead(503).end()
          return method === 'eth_sendRawTransaction'
        }
      const sent = await quorum.send(await signed(anvil))
      expect([sent.accepted, sent.refusal]).toEqual([true, null])
      expect(sent.outcomes.map(({ outcome }) => outcome)).toEqual(['taken', 'gone', 'gone'])
      expect(await codeOfError(quorum.receipt(sent.hash, { number: 1, hash: '0x' }))).toBe('CHAIN_NO_QUORUM')
    } finally {
      await anvil.ask('evm_setAutomine', true)
      await anvil.mine()
    }
  })

  it('knows the refusals of a real node', async () => {
    const { quorum } = await start()
    const poor = new Wallet(`0x${'77'.repeat(32)}`)
    const low = { maxFeePerGas: 1n, maxPriorityFeePerGas: 1n }
    const refusals: unknown[] = []
    for (const raw of [await signed(anvil, { nonce: 0 }), await signed(anvil, {}, poor), await signed(anvil, low)])
      refusals.push((await quorum.send(raw)).refusal)
    expect(refusals).toEqual(['nonceTooLow', 'funds', 'feeTooLow'])
    await anvil.ask('evm_setAutomine', false)
    try {
      const first = await signed(anvil)
      const outcomes = (await quorum.send(first)).outcomes.map(({ outcome }) => outcome)
      expect(outcomes.sort()).toEqual(['known', 'known', 'taken'])
      expect(await quorum.send(first)).toMatchObject({ accepted: true, hash: Transaction.from(first).hash })
      const second = await quorum.send(await signed(anvil, { gasLimit: 100_001n }))
      expect([second.accepted, second.refusal]).toEqual([false, 'underpriced'])
    } finally {
      await anvil.ask('evm_setAutomine', true)
      await anvil.mine()
    }
  })

  it('one endpoint’s reason is none, and another hash is a lie', async () => {
    const { quorum, proxies, stateOf } = await start()
    const answering = (reply: Reply): ((call: Call, reply: Reply) => Reply) => {
      return ({ method }, other) => (method === 'eth_sendRawTransaction' ? reply : other)
    }
    proxies[0]!.onReply = answering({ error: { code: -32000, message: 'nonce too low' } })
    proxies[1]!.onReply = answering({ result: `0x${'33'.repeat(32)}` })
    proxies[2]!.onReply = answering({ error: { code: -32000, message: 'txpool is full' } })
    const { accepted, refusal, outcomes } = await quorum.send(await signed(anvil, { nonce: 0 }))
    expect([accepted, refusal]).toEqual([false, null])
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['nonceTooLow', 'gone', 'refused'])
    expect(stateOf('b')).toBe('lying')
  })

  it.each([
    ['known', 'already known'],
    ['known', 'AlreadyKnown'],
    ['known', 'Known transaction'],
    ['known', 'transaction already imported'],
    ['nonceTooLow', 'nonce too low: next nonce 5, tx nonce 4'],
    ['nonceTooLow', 'OldNonce, Current nonce: 5, nonce of rejected tx: 4'],
    ['nonceTooHigh', 'nonce too high'],
    ['underpriced', 'replacement transaction underpriced'],
    ['underpriced', 'could not replace existing tx'],
    ['underpriced', 'ReplacementNotAllowed'],
    ['funds', 'insufficient funds for gas * price + value: balance 0, tx cost 1'],
    ['funds', 'Upfront cost exceeds account balance'],
    ['feeTooLow', 'max fee per gas less than block base fee: address 0x, maxFeePerGas: 1, baseFee: 2'],
    ['feeTooLow', 'FeeTooLow, MaxFeePerGas too low.'],
    ['feeTooLow', 'transaction underpriced'],
    ['feeTooLow', 'Gas price below current base fee'],
    ['refused', 'intrinsic gas too low'],
    ['refused', 'exceeds block gas limit'],
  ])('%s: %s', (outcome, message) => {
    expect(outcomeOf(message)).toBe(outcome)
  })
})
