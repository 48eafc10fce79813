// Four oracles that take turns on a real chain: normally one pays, a dead one costs a stage, and an empty key stops nobody (B37).

import { beforeAll, describe, expect, it } from 'vitest'
import { createWasmEngine, type SigningEngine } from '../../src/crypto/engine-wasm.js'
import { Rng } from '../simulation/rng.js'
import { deliveriesIn, heightOf } from './anvil-deploy.js'
import { begin, inVain, type Landing, landed, payerOf, percent } from './anvil-updates.js'
import { type AnvilWorld, type AnvilWorldSettings, withAnvilWorld } from './anvil-world.js'

let engine: SigningEngine
beforeAll(async () => {
  engine = await createWasmEngine()
})

/** A test in a world of its own that has its first value. */
const inWorld =
  (settings: AnvilWorldSettings, action: (world: AnvilWorld) => Promise<void>): (() => Promise<void>) =>
  () =>
    withAnvilWorld(engine, settings, async (world) => {
      await begin(world)
      await action(world)
    })

const allOf = async (world: AnvilWorld) => deliveriesIn(world.anvil, world.store, 1, await heightOf(world.anvil))

describe('100 updates by four transmitters', { concurrent: true }, () => {
  it(
    'are paid for once each, but for one at most, and by all members in turn',
    inWorld({}, async (world) => {
      const rng = new Rng(37n)
      const draw = (below: number): number => rng.next() % below
      const { stageMs, blockMs } = world.pace
      const landings: Landing[] = []
      for (let i = 0; i < 100; i++) {
        // Reports take up to three eighths of a stage to each member.
        world.reportDelays.forEach((_, member) => {
          world.reportDelays[member] = (draw(4) * stageMs) / 8
        })
        landings.push(await landed(engine, world, percent(100 + (i % 2 === 0 ? 2 : 0) + (i % 7))))
        await world.run(draw(4) * blockMs)
      }
      await world.run(8 * blockMs)
      const all = await allOf(world)
      const vain = inVain(world, all)
      const payments = [0, 1, 2, 3].map((member) => all.filter((one) => payerOf(world, one) === member).length)
      const lagsMs = landings.map(({ dueMs, landedMs }) => landedMs - dueMs).sort((a, b) => a - b)
      console.log(
        JSON.stringify({
          figure: '100 updates by four transmitters',
          ...{ transactions: all.length, vain: vain.length, payments },
          ...{ medianLagMs: lagsMs[50], maxLagMs: lagsMs.at(-1), stageMs, blockMs },
        }),
      )
      expect(all.length).toBeGreaterThanOrEqual(101)
      expect(vain.length).toBeLessThanOrEqual(1)
      for (const paid of payments) expect(paid).toBeGreaterThan(10)
      // Half a stage for the report, two blocks.
      expect(lagsMs.at(-1)).toBeLessThanOrEqual(stageMs / 2 + 2 * blockMs)
    }),
  )
})

/** Updates until `wanted` of them had `member` first in turn; those, and the others. */
async function withFirst(
  world: AnvilWorld,
  member: number,
  wanted: number,
): Promise<{ mine: Landing[]; others: Landing[] }> {
  const mine: Landing[] = []
  const others: Landing[] = []
  for (let i = 0; mine.length < wanted; i++) {
    const landing = await landed(engine, world, percent(102 + (i % 2) * 3 + (i % 5)))
    if (landing.order[0] === member) mine.push(landing)
    else others.push(landing)
    await world.run(3 * world.pace.blockMs)
  }
  return { mine, others }
}

const lagsOf = (landings: readonly Landing[]): readonly number[] =>
  landings.map(({ dueMs, landedMs }) => landedMs - dueMs)

describe('the first in turn', { concurrent: true }, () => {
  it(
    'dead: the update lands one stage later, by the second',
    inWorld({ dead: [2] }, async (world) => {
      const { stageMs, blockMs } = world.pace
      const { mine, others } = await withFirst(world, 2, 6)
      const [late, prompt] = [lagsOf(mine), lagsOf(others)]
      const vain = inVain(world, await allOf(world))
      console.log(
        JSON.stringify({
          figure: 'first in turn dead',
          stageMs,
          blockMs,
          lateMs: late,
          promptMsMax: Math.max(...prompt),
          updates: late.length + prompt.length,
          vain: vain.length,
        }),
      )
      expect(Math.max(...prompt)).toBeLessThanOrEqual(blockMs)
      expect(Math.min(...late)).toBeGreaterThanOrEqual(stageMs)
      // One stage, a tick and a block.
      expect(Math.max(...late)).toBeLessThanOrEqual(stageMs + stageMs / 8 + blockMs)
      for (const { order, by } of mine) expect(by).toBe(order[1])
      expect(vain).toEqual([])
    }),
  )

  it(
    'without funds: it alarms at once, the next takes over, and nothing of it is paid twice when funds come',
    inWorld({}, async (world) => {
      const poor = 1
      const { address } = world.oracles[poor]!.keys[0]!
      const { stageMs, blockMs } = world.pace
      const { heartbeatMs } = world.rules[0]!
      const emptyMs = world.nowMs
      await world.anvil.ask('anvil_setBalance', address, '0x0')
      const alarmed = (): boolean =>
        world.events.some(
          (event) =>
            event.event === 'sender' && event.code === 'LOW_BALANCE' && event.isRaised && event.address === address,
        )
      while (!alarmed() && world.nowMs - emptyMs < heartbeatMs) await world.run(blockMs)
      expect(alarmed()).toBe(true)
      const alarmMs = world.nowMs - emptyMs
      const { mine, others } = await withFirst(world, poor, 4)
      const [late, prompt] = [lagsOf(mine), lagsOf(others)]
      expect(Math.max(...prompt)).toBeLessThanOrEqual(blockMs)
      expect(Math.max(...late)).toBeLessThanOrEqual(stageMs + stageMs / 8 + blockMs)
      // Its turn, and the last stage's is over: funds come while the update waits.
      await world.anvil.ask('anvil_setBalance', address, `0x${(10n ** 20n).toString(16)}`)
      const { mine: again } = await withFirst(world, poor, 2)
      expect(Math.max(...lagsOf(again))).toBeLessThanOrEqual(blockMs)
      for (const { by } of again) expect(by).toBe(poor)
      const vain = inVain(world, await allOf(world))
      console.log(
        JSON.stringify({
          figure: 'a key without funds',
          heartbeatMs,
          alarmMs,
          lateMs: late,
          promptMsMax: Math.max(...prompt),
          vain: vain.length,
        }),
      )
      expect(vain).toEqual([])
      expect(
        world.events
          .filter((event) => event.event === 'sender' && event.address === address)
          .map((event) => event.event === 'sender' && `${event.isRaised ? '+' : '-'}${event.code}`),
      ).toEqual(['+LOW_BALANCE', '-LOW_BALANCE'])
    }),
  )
})
