import { Wallet } from 'ethers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lowerMedian } from '../../src/chain/answers.js'
import { createSenderRpc } from '../../src/chain/sender-rpc.js'
import { type Anvil, startAnvil } from './anvil.js'
import { changing, type Fixture, startFixture } from './quorum-fixture.js'

/** The first account that anvil funds, known to everybody. */
const wallet = new Wallet('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80')
let anvil: Anvil
let fixture: Fixture
beforeAll(async () => {
  anvil = await startAnvil()
  fixture = await startFixture(anvil)
})
afterAll(async () => {
  await fixture.end()
  await anvil.stop()
})

describe('what the sender sees through the quorum', () => {
  it('is a transaction from its fees to what it cost', async () => {
    const rpc = createSenderRpc(fixture.quorum)
    const before = await rpc.head()
    expect([await rpc.count(wallet.address, before), before.baseFeePerGas > 0n]).toEqual([0, true])
    const fees = { maxFeePerGas: before.baseFeePerGas * 2n, maxPriorityFeePerGas: 1_000n }
    const body = { chainId: 31_337, type: 2, to: wallet.address, nonce: 0, gasLimit: 21_000n, ...fees }
    const raw = await wallet.signTransaction(body)
    expect(['taken', 'known']).toContain(await rpc.send(raw))
    const head = await rpc.head()
    const hash = (await anvil.ask('eth_getBlockByNumber', 'latest', false)) as { transactions: string[] }
    const receipt = (await rpc.receipt(hash.transactions[0]!, head))!
    expect(receipt).toMatchObject({ isSuccess: true, gasUsed: 21_000n, blockHash: head.hash, blockNumber: head.number })
    const spent = (await rpc.balance(wallet.address, before)) - (await rpc.balance(wallet.address, head))
    expect([spent, await rpc.count(wallet.address, head)]).toEqual([receipt.paidWei, 1])
    expect(await rpc.send(raw)).toBe('nonceTooLow')
    expect(await rpc.tip(head)).toBeLessThanOrEqual(1_000n)
  })

  it('is a tip that one endpoint cannot set, and nobody is a liar for', async () => {
    const rpc = createSenderRpc(fixture.quorum)
    const head = await rpc.head()
    const truth = await rpc.tip(head)
    fixture.proxies[0]!.onReply = changing('eth_feeHistory', (history: object) => ({
      ...history,
      reward: [['0xffffffffffffffff']],
    }))
    expect(await rpc.tip(head)).toBe(truth)
    fixture.proxies[0]!.mend()
    expect(fixture.stateOf('a')).toBe('counting')
  })

  it('is the data fee of a rollup as well', async () => {
    const rpc = createSenderRpc(fixture.quorum)
    const head = await rpc.head()
    const hash = ((await anvil.ask('eth_getBlockByNumber', '0x1', false)) as { transactions: string[] })
      .transactions[0]!
    const plain = await rpc.receipt(hash, head)
    for (const proxy of fixture.proxies)
      proxy.onReply = changing('eth_getTransactionReceipt', (receipt: object) => ({ ...receipt, l1Fee: '0x64' }))
    expect((await rpc.receipt(hash, head))!.paidWei).toBe(plain!.paidWei + 100n)
    for (const proxy of fixture.proxies) proxy.mend()
  })

  it('is the lower middle', () => {
    expect([[3n], [3n, 1n], [10n, 9n, 2n], [4n, 30n, 1n, 20n]].map(lowerMedian)).toEqual([3n, 1n, 9n, 4n])
  })
})
