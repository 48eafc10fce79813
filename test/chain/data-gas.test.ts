// Gas for data on Arbitrum, as endpoints of a real chain estimate it: a stand-in for the node's own interface, put there as code.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withDataGas } from '../../src/chain/data-gas.js'
import type { Job } from '../../src/chain/sender-state.js'
import { type Anvil, startAnvil } from './anvil.js'
import { type Fixture, startFixture } from './quorum-fixture.js'

const nodeInterface = '0x00000000000000000000000000000000000000c8'
const job: Job = { id: 'a', to: `0x${'11'.repeat(20)}`, data: '0xaabbcc', gasLimit: 100_000n, priority: 0 }

/** Code that returns ten times the length of its calldata as a first word of three. */
const estimator = '0x36600a0260005260606000f3'

let anvil: Anvil
const fixtures: Fixture[] = []
beforeAll(async () => {
  anvil = await startAnvil()
})
afterAll(async () => {
  for (const fixture of fixtures) await fixture.end()
  await anvil.stop()
})

async function arbitrum(feeModel: 'arbitrum' | 'ethereum' = 'arbitrum'): Promise<Fixture> {
  const fixture = await startFixture(anvil, { profile: { feeModel } })
  fixtures.push(fixture)
  return fixture
}

describe('gas for data', () => {
  it('is added with half as much again, by the middle of what endpoints say', async () => {
    await anvil.ask('anvil_setCode', nodeInterface, estimator)
    const { quorum, proxies } = await arbitrum()
    // Selector, three words, the length's word and one of padded data: 164 bytes.
    expect(await withDataGas(quorum, job)).toEqual({ ...job, gasLimit: 100_000n + 1_640n + 820n })
    proxies[0]!.onReply = ({ method }, reply) =>
      method === 'eth_call' ? { result: `0x${'0'.repeat(58)}ffffff${'0'.repeat(128)}` } : reply
    expect((await withDataGas(quorum, job)).gasLimit).toBe(102_460n)
  })

  it('is nothing on other chains, and without an estimate the job does not go', async () => {
    const plain = await arbitrum('ethereum')
    expect(await withDataGas(plain.quorum, job)).toBe(job)
    await anvil.ask('anvil_setCode', nodeInterface, '0x')
    const { quorum } = await arbitrum()
    await expect(withDataGas(quorum, job)).rejects.toMatchObject({ code: 'CHAIN_NO_QUORUM' })
  })
})
