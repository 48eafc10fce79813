// The sender on a real node: spikes, caps, drops, reorganisations and foreign transactions; each effect exactly once (B34, B35, B36).

import { describe, expect, it } from 'vitest'
import { gwei, keys, rulesOf, walletOf } from './anvil-sender.js'
import { type Scene, withScene } from './sender-scene.js'

const headOf = async ({ rpc }: Scene): Promise<number> => (await rpc.head()).number

/** Sends a transaction of the key that the sender knows nothing of. */
async function sendForeign(scene: Scene, nonce: number, tip: bigint): Promise<void> {
  const { raw } = await walletOf(keys[0]!).sign({
    chainId: 31_337,
    nonce,
    to: scene.address,
    data: '0x',
    gasLimit: 21_000n,
    maxFeePerGas: 500n * gwei,
    maxPriorityFeePerGas: tip,
  })
  await scene.anvil.ask('eth_sendRawTransaction', raw)
}

describe('a sender', () => {
  it('sends jobs by priority, tells them done at their depth, and takes none twice', () =>
    withScene(async (scene) => {
      const sender = await scene.open({ confirmations: 3 })
      for (const slot of [1, 2, 3]) await sender.submit(scene.job(slot, slot))
      await sender.submit(scene.job(2))
      expect(scene.sent()).toEqual([])
      await scene.round(sender)
      expect(scene.sent().map(({ job, nonce }) => [job.id, nonce])).toEqual([
        ['job 3', 0],
        ['job 2', 1],
        ['job 1', 2],
      ])
      const mined = await headOf(scene)
      while ((await headOf(scene)) < mined + 2) {
        await sender.look()
        expect(scene.ends()).toEqual([])
        await scene.anvil.mine()
      }
      await sender.look()
      expect([...scene.ends()].sort()).toEqual(['job 1 done', 'job 2 done', 'job 3 done'])
      await sender.submit(scene.job(2))
      expect(scene.ends().at(-1)).toBe('job 2 done')
      await scene.round(sender)
      expect(await Promise.all([1, 2, 3].map(scene.count))).toEqual([1, 1, 1])
      expect(scene.sent().length).toBe(3)
      expect(scene.alarms()).toEqual([])
    }))

  it('I06: lands within 6 blocks of a base fee that rises twentyfold in 10, with raises that the node takes', () =>
    withScene(async (scene) => {
      const sender = await scene.open()
      await sender.look()
      let fee = Number(gwei)
      const landed: number[] = []
      for (let block = 1; block <= 24; block++) {
        if (block <= 10) fee *= 20 ** 0.1
        if (block <= 12) await sender.submit(scene.job(block))
        const before = await Promise.all(Array.from({ length: 12 }, (_, i) => scene.count(i + 1)))
        await scene.round(sender, BigInt(Math.round(fee)))
        for (let slot = 1; slot <= 12; slot++) {
          if (before[slot - 1] === 0 && (await scene.count(slot)) === 1) landed.push(block - slot)
        }
      }
      expect(landed.length).toBe(12)
      expect(Math.max(...landed)).toBeLessThanOrEqual(6)
      expect(fee).toBeGreaterThan(19.9 * Number(gwei))
      expect(scene.alarms()).toEqual([])
    }))

  it('I06: lands within 6 blocks of a jump to twenty times, replacing at the same nonce', () =>
    withScene(async (scene) => {
      const sender = await scene.open()
      await sender.look()
      await sender.submit(scene.job(1))
      await sender.idle()
      let blocks = 0
      while ((await scene.count(1)) === 0) {
        await scene.round(sender, 20n * gwei)
        blocks++
      }
      expect(blocks).toBeLessThanOrEqual(6)
      const [first, second] = scene.sent()
      expect(second).toMatchObject({ nonce: first!.nonce, tries: 2 })
      for (const field of ['maxFeePerGas', 'maxPriorityFeePerGas'] as const) {
        expect(second!.attempt.fees[field] * 8n).toBeGreaterThanOrEqual(first!.attempt.fees[field] * 9n)
      }
    }))

  it('I16: replaces a transaction stuck at 97 gwei with one that the node accepts', () =>
    withScene(async (scene) => {
      const limits = { ...rulesOf('').limits, tipMin: 97n * gwei, tipMax: 97n * gwei, perGasMax: 97n * gwei }
      // The first attempt is capped at 97 gwei on both fields.
      await scene.anvil.ask('anvil_setNextBlockBaseFeePerGas', '0x0')
      await scene.anvil.mine()
      const first = await scene.open({ limits })
      await first.look()
      await first.submit(scene.job(1))
      await first.close()
      const sender = await scene.open({ limits: { ...limits, tipMin: 0n, tipMax: 0n, perGasMax: 500n * gwei } })
      for (let i = 0; i < 4; i++) await scene.round(sender, 100n * gwei)
      const [stuck, next] = scene.sent().map(({ attempt }) => attempt.fees)
      expect(stuck).toEqual({ maxFeePerGas: 97n * gwei, maxPriorityFeePerGas: 97n * gwei })
      expect(next!.maxPriorityFeePerGas * 10n).toBeGreaterThanOrEqual(1067n * gwei)
      expect(next!.maxFeePerGas * 10n).toBeGreaterThanOrEqual(1067n * gwei)
      expect(await scene.count(1)).toBe(1)
    }))

  it('waits at the cap and says so, and lands when the market comes down', () =>
    withScene(async (scene) => {
      const limits = { ...rulesOf('').limits, perGasMax: 30n * gwei }
      const sender = await scene.open({ limits })
      await sender.look()
      await sender.submit(scene.job(1))
      await sender.idle()
      for (let i = 0; i < 5; i++) await scene.round(sender, 50n * gwei)
      await sender.submit(scene.job(2))
      await scene.round(sender, 50n * gwei)
      expect(scene.alarms()).toEqual(['+FEE_CAP'])
      expect(sender.standing).toBe('stuck')
      expect(scene.sent().every(({ attempt }) => attempt.fees.maxFeePerGas <= 30n * gwei)).toBe(true)
      for (let i = 0; i < 6; i++) await scene.round(sender, 10n * gwei)
      expect(await Promise.all([1, 2].map(scene.count))).toEqual([1, 1])
      expect(scene.alarms()).toEqual(['+FEE_CAP', '-FEE_CAP'])
    }))

  it('waits when the budget of the hour is used up, also after a restart, and goes on when it recovers', () =>
    withScene(async (scene) => {
      let wallMs = 1_800_000_000_000
      const ports = { wallMs: () => wallMs }
      // Room for two transactions under way at their most, or for what dozens pay in fact.
      const rules = { limits: { ...rulesOf('').limits, perHourMax: 60_000n * 8n * gwei } }
      const sender = await scene.open(rules, ports)
      await sender.look()
      let slot = 0
      for (; !scene.alarms().includes('+FEE_BUDGET'); slot++) {
        await sender.submit(scene.job(slot))
        for (let i = 0; i < 3; i++) await scene.round(sender, gwei)
        expect(slot).toBeLessThan(30)
      }
      expect(slot).toBeGreaterThan(3)
      expect(await scene.count(slot - 1)).toBe(0)
      await sender.close()
      const again = await scene.open(rules, ports)
      await again.look()
      await again.submit(scene.job(slot - 1))
      for (let i = 0; i < 3; i++) await scene.round(again, gwei)
      expect(await scene.count(slot - 1)).toBe(0)
      wallMs += 3_600_000
      for (let i = 0; i < 3; i++) await scene.round(again, gwei)
      expect(await scene.count(slot - 1)).toBe(1)
    }))

  it('sends again what the nodes forgot', () =>
    withScene(async (scene) => {
      const sender = await scene.open()
      await sender.look()
      await sender.submit(scene.job(1))
      await sender.submit(scene.job(2))
      await sender.idle()
      for (const { attempt } of scene.sent()) await scene.anvil.ask('anvil_dropTransaction', attempt.hash)
      for (let i = 0; i < 6; i++) await scene.round(sender)
      expect(await Promise.all([1, 2].map(scene.count))).toEqual([1, 1])
    }))

  it('gives a job a new nonce when another tool took its own, only if its effect is missing', () =>
    withScene(async (scene) => {
      const asked: string[] = []
      const stillWanted = async ({ id }: { readonly id: string }): Promise<boolean> => {
        asked.push(id)
        return id === 'job 1'
      }
      const sender = await scene.open({}, { stillWanted })
      await sender.look()
      for (const slot of [1, 2, 3]) await sender.submit(scene.job(slot))
      await sender.idle()
      await sendForeign(scene, 0, 400n * gwei)
      await sendForeign(scene, 1, 400n * gwei)
      for (let i = 0; i < 6; i++) await scene.round(sender)
      expect(asked.sort()).toEqual(['job 1', 'job 2'])
      expect(await Promise.all([1, 2, 3].map(scene.count))).toEqual([1, 0, 1])
      expect([...scene.ends()].sort()).toEqual(['job 1 done', 'job 2 superseded', 'job 3 done'])
      expect(scene.alarms()).toEqual(['+NONCE_TAKEN', '-NONCE_TAKEN'])
    }))

  it('asks once whether a job is still wanted, until there is an answer', () =>
    withScene(async (scene) => {
      let asked = 0
      let answer = (_: boolean): void => {}
      const stillWanted = (): Promise<boolean> => {
        asked++
        return new Promise((resolve) => {
          answer = resolve
        })
      }
      const sender = await scene.open({}, { stillWanted })
      await sender.submit(scene.job(1))
      for (let i = 0; i < 4; i++) {
        await sender.look()
        await scene.anvil.mine()
      }
      expect([asked, sender.facts().queued, scene.sent()]).toEqual([1, 1, []])
      answer(true)
      for (let i = 0; i < 2; i++) await scene.round(sender)
      expect([asked, await scene.count(1)]).toEqual([1, 1])
    }))

  it('uses up the nonce of a job that no node takes, so that the next one goes on', () =>
    withScene(async (scene) => {
      const sender = await scene.open()
      await sender.look()
      await sender.submit({ ...scene.job(1), gasLimit: 100_000_000n })
      await sender.submit(scene.job(2))
      for (let i = 0; i < 6; i++) await scene.round(sender)
      expect(await Promise.all([1, 2].map(scene.count))).toEqual([0, 1])
      expect([...scene.ends()].sort()).toEqual(['job 1 refused', 'job 2 done'])
      expect(scene.alarms()).toContain('+JOB_REFUSED')
      expect(scene.alarms().at(-1)).toBe('-JOB_REFUSED')
      expect(await scene.rpc.count(scene.address, await scene.rpc.head())).toBe(2)
    }))

  it('says nothing and sends nothing while no quorum is heard', () =>
    withScene(async (scene) => {
      let isLost = false
      const { OracleError } = await import('../../src/base/errors.js')
      const lost = {
        ...scene.rpc,
        head: () => (isLost ? Promise.reject(new OracleError('CLIENT_UNREACHABLE', 'lost')) : scene.rpc.head()),
      }
      const sender = await scene.open({}, { rpc: lost })
      await sender.look()
      isLost = true
      await sender.look()
      await sender.submit(scene.job(1))
      for (let i = 0; i < 3; i++) await scene.round(sender)
      expect([sender.standing, scene.sent().length]).toEqual(['blind', 0])
      expect(sender.facts().blindBecause).toContain('CLIENT_UNREACHABLE')
      isLost = false
      for (let i = 0; i < 3; i++) await scene.round(sender)
      expect(await scene.count(1)).toBe(1)
      expect(sender.facts().blindBecause).toBe(null)
    }))
})

describe('reorganisations', () => {
  it.each([1, 2, 3, 5, 8, 16, 33, 64])('of %i blocks lose nothing and apply nothing twice', (depth) =>
    withScene(async (scene) => {
      const sender = await scene.open({ confirmations: 2, finalityBlocks: 70 })
      await scene.anvil.mine(Math.max(1, depth - 4))
      await sender.look()
      for (const slot of [1, 2, 3]) {
        await sender.submit(scene.job(slot))
        await scene.round(sender)
      }
      await scene.anvil.mine(Math.max(0, depth - 3))
      await sender.look()
      const before = await Promise.all([1, 2, 3].map(scene.count))
      expect(before).toEqual([1, 1, 1])
      await scene.anvil.ask('anvil_reorg', depth, [])
      await sender.submit(scene.job(4))
      let blocks = 0
      for (; blocks < 12; blocks++) {
        await scene.round(sender)
        if ((await Promise.all([1, 2, 3, 4].map(scene.count))).every((count) => count === 1)) break
      }
      // All that fell goes out again at the first sight.
      expect(blocks).toBeLessThanOrEqual(1)
      for (let i = 0; i < 3; i++) await scene.round(sender)
      expect(await Promise.all([1, 2, 3, 4].map(scene.count))).toEqual([1, 1, 1, 1])
      expect(await scene.rpc.count(scene.address, await scene.rpc.head())).toBe(4)
      const last = new Map(
        scene.news.flatMap((one) => (one.kind === 'ended' ? [[one.outcome.id, one.outcome.end]] : [])),
      )
      expect([...last.values()]).toEqual(['done', 'done', 'done', 'done'])
    }),
  )
})
