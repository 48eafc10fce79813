// Reorganisations of every depth from 1 to 64 blocks around real updates: nothing is lost, nothing is done or paid twice (B34).

import { Transaction } from 'ethers'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createWasmEngine, type SigningEngine } from '../../src/crypto/engine-wasm.js'
import { Rng } from '../simulation/rng.js'
import { type Delivery, deliveriesIn, heightOf } from './anvil-deploy.js'
import { percent, price, storedIn } from './anvil-updates.js'
import { type AnvilWorld, openAnvilWorld } from './anvil-world.js'

let engine: SigningEngine
const worlds: AnvilWorld[] = []
beforeAll(async () => {
  engine = await createWasmEngine()
})
afterEach(async () => {
  for (const world of worlds.splice(0)) {
    expect(world.faults).toEqual([])
    await world.close()
  }
})

/** Transactions of the blocks above `number`, signed as they were sent. */
async function rawAbove({ anvil }: AnvilWorld, number: number): Promise<readonly string[]> {
  const raws: string[] = []
  for (let at = number + 1; at <= (await heightOf(anvil)); at++) {
    const block = (await anvil.ask('eth_getBlockByNumber', `0x${at.toString(16)}`, true)) as {
      readonly transactions: readonly Readonly<Record<string, string>>[]
    }
    for (const {
      to,
      chainId,
      nonce,
      input,
      gas,
      maxFeePerGas,
      maxPriorityFeePerGas,
      r,
      s,
      yParity,
    } of block.transactions) {
      const fields = {
        type: 2,
        to: to!,
        chainId: BigInt(chainId!),
        nonce: Number(nonce),
        data: input!,
        gasLimit: BigInt(gas!),
      }
      const fees = { maxFeePerGas: BigInt(maxFeePerGas!), maxPriorityFeePerGas: BigInt(maxPriorityFeePerGas!) }
      raws.push(
        Transaction.from({ ...fields, ...fees, signature: { r: r!, s: s!, yParity: Number(yParity) as 0 | 1 } })
          .serialized,
      )
    }
  }
  return raws
}

/** T by feed of every update on the chain; an entry for each time. */
const updatesOf = (deliveries: readonly Delivery[]): readonly string[] =>
  deliveries.flatMap(({ updates }) => updates.map(({ feedId, attestedAtMs }) => `${feedId}/${attestedAtMs}`))

describe('reorganisations of 1 to 64 blocks', () => {
  it('lose nothing and apply nothing twice', async () => {
    const world = await openAnvilWorld(engine)
    worlds.push(world)
    const { blockMs, stageMs } = world.pace
    const rng = new Rng(34n)
    const draw = (below: number): number => rng.next() % below
    // More blocks than any reorganisation takes away.
    await world.run(70 * blockMs)
    world.values = [price]
    await world.run(8 * blockMs)
    const blocksToHeal: number[] = []
    let undone = 0
    let kept = 0
    for (let i = 0; i < 64; i++) {
      const depth = ((i * 37) % 64) + 1
      // An update, and how deep it is when the chain turns: unsent, waiting, just mined, deep.
      const value = percent(102 + (i % 2) * 3 + (i % 5))
      world.values = [value]
      await world.run(draw(5) * blockMs)
      const before = await storedIn(world)
      const height = await heightOf(world.anvil)
      // In half of them nodes still have what the lost blocks held, as a rule of real ones.
      const raws = i % 2 === 0 ? [] : await rawAbove(world, height - depth)
      await world.reorg(depth, raws)
      kept += raws.length
      const lacked = (await storedIn(world)).attestedAtMs < before.attestedAtMs
      if (lacked) undone++
      const from = world.nowMs
      await world.look()
      while ((await storedIn(world)).value !== value) {
        await world.run(blockMs)
        expect(world.nowMs - from, `depth ${depth}`).toBeLessThanOrEqual(4 * stageMs)
      }
      blocksToHeal.push((world.nowMs - from) / blockMs)
    }
    await world.run(8 * blockMs)
    const all = await deliveriesIn(world.anvil, world.store, 1, await heightOf(world.anvil))
    const applied = updatesOf(all.filter(({ isSuccess }) => isSuccess))
    const reverted = all.filter(({ isSuccess }) => !isSuccess).length
    console.log(
      JSON.stringify({
        figure: 'reorganisations of 1 to 64 blocks',
        reorgs: blocksToHeal.length,
        tookUpdatesBack: undone,
        transactionsKept: kept,
        maxBlocksToHeal: Math.max(...blocksToHeal),
        deliveries: all.length,
        reverted,
        appliedTwice: applied.length - new Set(applied).size,
        undoneTold: world.told('undone').length,
      }),
    )
    expect(undone).toBeGreaterThan(20)
    expect(applied.length).toBe(new Set(applied).size)
    // One transaction for each of the 65 values, in the chain as it is now; at most one in 100 more.
    expect(all.length).toBeGreaterThanOrEqual(65)
    expect(all.length).toBeLessThanOrEqual(66)
    // Nothing waits, and each key's nonces are all in the chain.
    for (const { keys } of world.oracles)
      for (const { address } of keys) {
        const latest = await world.anvil.ask('eth_getTransactionCount', address, 'latest')
        expect(await world.anvil.ask('eth_getTransactionCount', address, 'pending')).toBe(latest)
      }
    // What was paid is what the tables say, whatever was taken back meanwhile.
    for (const { costs, keys } of world.oracles) {
      const paid = all.filter(({ from }) => keys.some(({ address }) => address === from))
      const total = (rows: readonly bigint[]): bigint => rows.reduce((sum, one) => sum + one, 0n)
      expect(total(costs.rows().map(({ feeWei }) => feeWei))).toBe(total(paid.map(({ paidWei }) => paidWei)))
    }
  })
})
