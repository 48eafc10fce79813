// Several keys on a real node: no job waits behind another key's trouble, and none is sent by two.

import { describe, expect, it } from 'vitest'
import { createSenderPool } from '../../src/chain/sender-pool.js'
import { gwei, keys, rulesOf, walletOf } from './anvil-sender.js'
import { withScene } from './sender-scene.js'

const addresses = keys.map((key) => walletOf(key).address)

describe('a pool of keys', () => {
  it('passes jobs on when a key has no funds, says so at once, and uses the key again when it is funded', () =>
    withScene(async (scene) => {
      await scene.anvil.ask('anvil_setBalance', addresses[0], '0x0')
      const senders = [await scene.open({}, {}, 0), await scene.open({}, {}, 1)]
      const pool = createSenderPool(senders)
      const both = {
        look: () => pool.look(),
        idle: async () => void (await Promise.all(senders.map((one) => one.idle()))),
      }
      for (const slot of [1, 2, 3]) await pool.submit(scene.job(slot))
      await pool.look()
      expect(scene.alarms()).toEqual(['+LOW_BALANCE'])
      expect(senders.map(({ standing }) => standing)).toEqual(['poor', 'free'])
      for (let i = 0; i < 5; i++) await scene.round(both)
      expect(await Promise.all([1, 2, 3].map(scene.count))).toEqual([1, 1, 1])
      const head = await scene.rpc.head()
      expect(await Promise.all(addresses.map((address) => scene.rpc.count(address, head)))).toEqual([0, 3])
      await scene.anvil.ask('anvil_setBalance', addresses[0], `0x${(10n ** 18n).toString(16)}`)
      await scene.round(both)
      expect(scene.alarms()).toEqual(['+LOW_BALANCE', '-LOW_BALANCE'])
      await pool.submit(scene.job(4))
      for (let i = 0; i < 3; i++) await scene.round(both)
      expect(await scene.rpc.count(addresses[0]!, await scene.rpc.head())).toBe(1)
      expect(await scene.count(4)).toBe(1)
    }))

  it('lets no job wait behind a stuck nonce, and knows again after a restart which key has which job', () =>
    withScene(async (scene) => {
      const capped = { limits: { ...rulesOf('').limits, perGasMax: 3n * gwei } }
      const first = await scene.open(capped, {}, 0)
      await first.look()
      await first.submit(scene.job(1))
      await first.idle()
      for (let i = 0; i < 3; i++) await scene.round(first, 9n * gwei)
      expect(first.standing).toBe('stuck')
      await first.close()
      await first.journal.close()
      const senders = [await scene.open(capped, {}, 0), await scene.open({}, {}, 1)]
      const pool = createSenderPool(senders)
      const both = {
        look: () => pool.look(),
        idle: async () => void (await Promise.all(senders.map((one) => one.idle()))),
      }
      await scene.round(both, 9n * gwei)
      expect(pool.openJobs()).toEqual(['job 1'])
      for (const slot of [1, 2, 3]) await pool.submit(scene.job(slot))
      expect([...pool.openJobs()].sort()).toEqual(['job 1', 'job 2', 'job 3'])
      for (let i = 0; i < 4; i++) await scene.round(both, 9n * gwei)
      expect(await Promise.all([1, 2, 3].map(scene.count))).toEqual([0, 1, 1])
      for (let i = 0; i < 5; i++) await scene.round(both, gwei)
      expect(pool.openJobs()).toEqual([])
      expect(await Promise.all([1, 2, 3].map(scene.count))).toEqual([1, 1, 1])
      const head = await scene.rpc.head()
      expect(await Promise.all(addresses.map((address) => scene.rpc.count(address, head)))).toEqual([1, 2])
    }))
})
