// Four transmitters and a chain: normally one pays, the next takes over, no heartbeat is missed (B37).

import { beforeAll, describe, expect, it } from 'vitest'
import { createWasmEngine, type SigningEngine } from '../../src/crypto/engine-wasm.js'
import { turnOrder } from '../../src/deliver/turn.js'
import type { Mined } from './model-chain.js'
import { changed, delays, moved, noDelays, World, type WorldSettings } from './world.js'

let engine: SigningEngine
beforeAll(async () => {
  engine = await createWasmEngine()
})

function world(settings: Partial<WorldSettings> = {}): World {
  return new World(engine, { seed: 1n, delays: noDelays, ...settings })
}

/** Whether a mined transaction did what had to be done: a feed moved by 0.5 %, was new, or nearly over. */
function wasNeeded({ target, chain }: World, { stored, before, atMs }: Mined): boolean {
  return stored.some((feedId) => {
    const rule = target.rules.find(({ feed }) => feed.feedId === feedId)
    const old = before.get(feedId) ?? null
    if (rule === undefined) return false
    if (old === null || old.status !== chain.stored(feedId)!.status) return true
    if (atMs - old.attestedAtMs >= rule.heartbeatMs - target.marginMs) return true
    return 0.0049 < Math.abs(Number(chain.stored(feedId)!.value - old.value)) / Math.abs(Number(old.value))
  })
}

describe('four transmitters', () => {
  /** Updates of which each is needed, one after the other; which of the mined were paid in vain. */
  async function updates(
    count: number,
    settings: Partial<WorldSettings>,
  ): Promise<{ world: World; vain: readonly Mined[] }> {
    const made = world({ delays, ...settings })
    const vain: Mined[] = []
    let looked = 0
    for (let i = 0; i < count; i++) {
      made.readings = moved(100 + (i % 7))
      // Step by step, so that what a transaction replaced is compared with what it left behind.
      for (let step = 0; step < 40; step++) {
        await made.run(1000)
        for (const mined of made.chain.mined.slice(looked)) if (!wasNeeded(made, mined)) vain.push(mined)
        looked = made.chain.mined.length
      }
    }
    return { world: made, vain }
  }

  it('pay at most one duplicate in 100 updates with delays of half a stage (B37), and share the payments', async () => {
    const { world: made, vain } = await updates(100, { seed: 37n })
    expect(made.chain.mined.length).toBeGreaterThanOrEqual(100)
    expect(vain.length).toBeLessThanOrEqual(1)
    const payments = [0, 1, 2, 3].map((member) => made.chain.mined.filter((mined) => mined.member === member).length)
    for (const paid of payments) expect(paid).toBeGreaterThan(10)
  })

  it('pay twice when a stage is too short for what the chain takes: the measure above can fail', async () => {
    const { vain } = await updates(40, { seed: 38n, delays: { ...delays, submit: 9000 } })
    expect(vain.length).toBeGreaterThan(1)
  })

  it('lose one stage to a first member that is dead, and no more', async () => {
    const dead = 2
    const made = world({
      seed: 39n,
      dead: [dead],
      delays: { report: 500, head: 100, read: 200, submit: 200 },
      target: { feeds: [{ name: 'btc-usd' }] },
    })
    await made.run(60_000)
    const { stageMs, blockMs, chainId, store } = made.target
    const { feedId } = made.committee.feeds[0]!
    const late: number[] = []
    const prompt: number[] = []
    for (let i = 0; i < 40; i++) {
      await made.run(6000)
      const replacedMs = made.chain.stored(feedId)!.attestedAtMs
      const order = turnOrder(engine, { committee: made.committee.digest, chainId, store, feedId, replacedMs }, 4)
      made.readings = moved(101 + (i % 5))
      const since = made.events.length
      const from = made.nowMs
      while (made.chain.stored(feedId)!.attestedAtMs === replacedMs) await made.run(100)
      const due = made.events.slice(since).find((event) => event.event === 'due' && event.feed === 'btc-usd')
      // Only what was due by this move: a heartbeat may have come first, with another order.
      if (due?.event !== 'due' || due.reason !== 'deviation' || due.sinceMs < from) continue
      const tookMs = made.nowMs - due.sinceMs
      if (order[0] === dead) late.push(tookMs)
      else prompt.push(tookMs)
    }
    expect(late.length).toBeGreaterThan(3)
    expect(prompt.length).toBeGreaterThan(15)
    // Report, seals, looking twice, submitting, a tick and a block.
    const landMs = 500 + 50 + 200 + 200 + 200 + stageMs / 8 + blockMs
    expect(Math.max(...prompt)).toBeLessThanOrEqual(landMs)
    expect(Math.min(...late)).toBeGreaterThanOrEqual(stageMs)
    expect(Math.max(...late)).toBeLessThanOrEqual(stageMs + landMs)
  })

  it('never miss a heartbeat, with a member dead and values that stand still', async () => {
    const made = world({ seed: 40n, dead: [0], delays })
    await made.run(20_000)
    let oldestMs = 0
    for (let i = 0; i < 600; i++) {
      await made.run(1000)
      for (const { feed } of made.target.rules)
        oldestMs = Math.max(oldestMs, made.nowMs - made.chain.stored(feed.feedId)!.attestedAtMs)
    }
    expect(oldestMs).toBeLessThanOrEqual(60_000)
    expect(made.events.filter(({ event }) => event === 'overdue')).toEqual([])
    // No more often than asked for: two bundles, each at most once in 60 s less the margin.
    expect(made.chain.mined.length).toBeLessThanOrEqual(2 * Math.ceil(620_000 / (60_000 - made.target.marginMs)))
  })

  it('carry feeds that are due together in one transaction', async () => {
    const made = world({ delays })
    await made.run(30_000)
    const mined = made.chain.mined.length
    const both = changed(moved(103), 2, { values: [-1000n] })
    made.readings = both
    await made.run(20_000)
    expect(made.chain.mined.length).toBe(mined + 1)
    // Both bundles, all four feeds in them.
    expect(made.chain.mined.at(-1)!.stored).toHaveLength(4)
  })
})
