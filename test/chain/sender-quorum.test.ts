// The sender behind a quorum of three endpoints of a real node: what one of them says moves nothing, and two lost stop it (B33, I-8).

import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { createSenderRpc } from '../../src/chain/sender-rpc.js'
import { changing, type Fixture, startFixture } from './quorum-fixture.js'
import { type Scene, withScene } from './sender-scene.js'

const dead = (_: unknown, response: ServerResponse): boolean => {
  response.destroy()
  return true
}

/** A scene whose sender sees the node through endpoints a, b and c. */
function withQuorum(action: (scene: Scene, fixture: Fixture) => Promise<void>): Promise<void> {
  return withScene(async (scene) => {
    const fixture = await startFixture(scene.anvil)
    try {
      await action(scene, fixture)
    } finally {
      await fixture.end()
    }
  })
}

const sendsOf = (fixture: Fixture): number =>
  fixture.proxies.reduce((sum, { asked }) => sum + asked.filter((name) => name === 'eth_sendRawTransaction').length, 0)

describe('a sender behind a quorum', () => {
  it('believes no single endpoint on a receipt or a nonce', () =>
    withQuorum(async (scene, fixture) => {
      const sender = await scene.open({}, { rpc: createSenderRpc(fixture.quorum) })
      fixture.proxies[0]!.onReply = (call, reply) =>
        call.method === 'eth_getTransactionReceipt'
          ? { result: null }
          : changing('eth_getTransactionCount', () => '0x9')(call, reply)
      await sender.look()
      await sender.submit(scene.job(1))
      await sender.submit(scene.job(2))
      for (let i = 0; i < 5; i++) await scene.round(sender)
      expect(await Promise.all([1, 2].map(scene.count))).toEqual([1, 1])
      expect(scene.ends()).toEqual(['job 1 done', 'job 2 done'])
      expect(scene.sent().map(({ nonce }) => nonce)).toEqual([0, 1])
    }))

  it('sends nothing while two of three are lost, says why, and goes on when one is back', () =>
    withQuorum(async (scene, fixture) => {
      const sender = await scene.open({}, { rpc: createSenderRpc(fixture.quorum) })
      await sender.look()
      for (const proxy of fixture.proxies.slice(1)) proxy.onRaw = dead
      await sender.look()
      await sender.submit(scene.job(1))
      for (let i = 0; i < 3; i++) await scene.round(sender)
      expect([sender.standing, scene.sent().length, sendsOf(fixture)]).toEqual(['blind', 0, 0])
      expect(sender.facts().blindBecause).toContain('CHAIN_NO_QUORUM')
      fixture.proxies[1]!.mend()
      let rounds = 0
      for (; (await scene.count(1)) === 0 && rounds < 12; rounds++) {
        fixture.pass(1000)
        await scene.round(sender)
        await fixture.settled()
      }
      expect(await scene.count(1)).toBe(1)
    }))
})
