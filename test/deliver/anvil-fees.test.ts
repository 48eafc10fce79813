// Four oracles on a real chain whose gas gets dear: what is due lands in time, or waits under the cap and then goes out once.

import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createWasmEngine, type SigningEngine } from '../../src/crypto/engine-wasm.js'
import { deliveriesIn, heightOf, waitingIn } from './anvil-deploy.js'
import { inVain, landed, percent, price, storedIn } from './anvil-updates.js'
import { type AnvilWorld, type AnvilWorldSettings, gwei, openAnvilWorld } from './anvil-world.js'

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

async function open(settings: AnvilWorldSettings = {}): Promise<AnvilWorld> {
  const world = await openAnvilWorld(engine, settings)
  worlds.push(world)
  world.values = [price]
  await world.run(16 * world.pace.blockMs)
  expect((await storedIn(world)).value).toBe(price)
  return world
}

/** 10 gwei, and 35 % more with each block until it is 20 times as much. */
const steep = (block: number): bigint => {
  const blocks = BigInt(Math.max(0, Math.min(block, 10)))
  return (10n * gwei * 135n ** blocks) / 100n ** blocks
}
const stairs = (...fees: readonly bigint[]) => {
  return (block: number): bigint => fees[Math.min(block, fees.length) - 1]! * gwei
}

/** The base fee of the first block after the update is due, of the second, and so on; it is 10 gwei before. */
const courses: readonly [string, (block: number) => bigint][] = [
  ['twentyfold in the next block', stairs(200n)],
  ['35 % a block', steep],
  ['35 % a block, begun 5 blocks before', (block) => steep(block + 5)],
  ['twofold each other block', stairs(21n, 21n, 41n, 41n, 81n, 81n, 161n, 161n, 200n)],
  ['just above each offer', stairs(21n, 43n, 87n, 175n, 200n)],
  ['just above each offer, held two blocks', stairs(21n, 21n, 43n, 43n, 87n, 87n, 175n, 175n, 200n)],
]

describe('a base fee that rises twentyfold within 10 blocks', () => {
  it('lets what is due land within 6 blocks, whatever its course, and is paid for once unless that took a stage', async () => {
    const world = await open()
    const blocks: Record<string, number> = {}
    for (const [i, [name, course]] of courses.entries()) {
      const landing = await landed(engine, world, percent(102 + 3 * (i % 2) + i), 20, (block) => {
        world.baseFee = course(block)
      })
      blocks[name] = landing.blocks
      // Down again, until nothing of it is left.
      world.baseFee = 10n * gwei
      await world.run(8 * world.pace.blockMs)
    }
    const all = await deliveriesIn(world.anvil, world.store, 1, await heightOf(world.anvil))
    const vain = inVain(world, all).length
    console.log(JSON.stringify({ figure: 'blocks from due to landed, base fee x20', blocks, vain }))
    for (const count of Object.values(blocks)) expect(count).toBeLessThanOrEqual(6)
    // Who is second cannot know that the first has sent: it sends as well when its turn comes before the landing.
    const slow = Object.values(blocks).filter((count) => count * world.pace.blockMs > world.pace.stageMs).length
    expect(vain).toBeLessThanOrEqual(slow)
    expect(all.length - vain).toBe(1 + courses.length)
  })
})

describe('a base fee above the cap', () => {
  it('sends nothing and alarms; when it falls, the update goes out once, though all members waited', async () => {
    const world = await open({ spending: { perGasMax: 100n * gwei } })
    const { blockMs, stageMs } = world.pace
    world.baseFee = 150n * gwei
    await world.run(2 * blockMs)
    const before = (await heightOf(world.anvil)) + 1
    const alarms = (): readonly string[] =>
      world.events.flatMap((event) =>
        event.event === 'sender' ? [`${event.isRaised ? '+' : '-'}${event.code} ${event.member}`] : [],
      )
    world.values = [percent(101)]
    // Two turns of each member.
    await world.run(8 * stageMs)
    expect(await waitingIn(world.anvil)).toEqual([])
    expect(await deliveriesIn(world.anvil, world.store, before, await heightOf(world.anvil))).toEqual([])
    expect(new Set(alarms())).toEqual(new Set([0, 1, 2, 3].map((member) => `+FEE_CAP ${member}`)))
    expect(world.told('sent')).toHaveLength(1)

    world.baseFee = 20n * gwei
    const fell = await heightOf(world.anvil)
    await world.run(2 * stageMs)
    const after = await deliveriesIn(world.anvil, world.store, fell, await heightOf(world.anvil))
    console.log(
      JSON.stringify({
        figure: 'fee cap hit',
        blocksAbove: fell - before + 1,
        sentMeanwhile: 0,
        blocksAfterFall: after[0]!.blockNumber - fell,
        transactions: after.length,
      }),
    )
    expect(after).toHaveLength(1)
    expect((await storedIn(world)).value).toBe(percent(101))
    // The first block below the cap, a turn of a member's, and a block.
    expect(after[0]!.blockNumber - fell).toBeLessThanOrEqual(2 + stageMs / blockMs)
    expect(alarms().filter((alarm) => alarm.startsWith('-FEE_CAP'))).toHaveLength(4)
  })
})
