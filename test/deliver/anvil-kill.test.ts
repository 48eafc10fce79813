// kill −9 of one of four oracles at every named point from due to final: no effect twice, none lost, no gap in nonces that stays (B36).

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWasmEngine, type SigningEngine } from '../../src/crypto/engine-wasm.js'
import { turnOrder } from '../../src/deliver/turn.js'
import { ended } from '../store/child.js'
import { deliveriesIn, heightOf, waitingIn } from './anvil-deploy.js'
import { inVain, price, storedIn } from './anvil-updates.js'
import { type AnvilWorld, openAnvilWorld } from './anvil-world.js'

const lines = ['before its line', 'half its line', 'line not synced', 'line synced']
const points: readonly string[] = [
  ...['told: due', 'told: waiting', 'told: sent', 'told: confirmed', 'told: undone', 'told: +NONCE_TAKEN'],
  ...['what is stored', 'whether it reverts'].flatMap((call) => [`${call}: asked`, `${call}: answered`]),
  ...['first', 'end'].flatMap((subject) => lines.map((line) => `journal, ${subject}: ${line}`)),
  ...['header', 'raise', 'next', 'lost', 'final'].map((subject) => `journal, ${subject}: line synced`),
  'eth_sendRawTransaction: asked',
  ...[1, 2, 3, 4, 6].map((times) => `sent to ${times}`),
  'mined, unseen',
  ...['eth_getTransactionReceipt: answered', 'eth_getTransactionReceipt: found'],
]

let engine: SigningEngine
/** Compiled once, inside the project, so that packages resolve. */
const child: string = fileURLToPath(new URL(`../../dist/children/anvil-child-${process.pid}.mjs`, import.meta.url))
const blocksToHeal: number[] = []
let killed = 0
let appliedTwice = 0
let vainAfter = 0
beforeAll(async () => {
  engine = await createWasmEngine()
  const entry = fileURLToPath(new URL('./anvil-child.ts', import.meta.url))
  const how = { bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'error' } as const
  buildSync({ entryPoints: [entry], outfile: child, ...how })
})
afterAll(() => {
  console.log(
    JSON.stringify({
      figure: 'kill -9 from due to final',
      points: points.length,
      killed,
      maxBlocksToHeal: Math.max(...blocksToHeal),
      appliedTwice,
      vain: vainAfter,
    }),
  )
})

/** A chain with contracts and no oracle; who is first to bring the first value. */
async function scene(): Promise<{ world: AnvilWorld; member: number }> {
  const world = await openAnvilWorld(engine, { dead: [0, 1, 2, 3], profile: { confirmations: 2, finalityBlocks: 6 } })
  const { chainId } = world.config.profile
  const seed = {
    committee: world.committee.digest,
    chainId,
    store: world.store,
    feedId: world.committee.feeds[0]!.feedId,
  }
  return { world, member: turnOrder(engine, { ...seed, replacedMs: 0 }, 4)[0]! }
}

/** Runs the child until it ends; how it ended, and what was attested last. */
async function live(world: AnvilWorld, member: number, point: string): Promise<{ end: string; value: bigint }> {
  const { url } = world.anvil
  const args = [point, `${member}`, url, world.store, world.registry, world.folder, `${world.nowMs}`]
  const {
    signal,
    code,
    lines: said,
    errors,
  } = await ended(spawn(process.execPath, [child, ...args], { stdio: ['ignore', 'pipe', 'pipe'] }))
  const value = said.findLast((line) => line.startsWith('attests '))?.slice(8)
  return { end: signal ?? `${code} ${said.at(-1)}${errors}`, value: value === undefined ? price : BigInt(value) }
}

/** All four go on; the dead one where its journal ends. */
async function recover(world: AnvilWorld, member: number, value: bigint): Promise<void> {
  const block = (await world.anvil.ask('eth_getBlockByNumber', 'latest', false)) as { timestamp: string }
  const { blockMs, stageMs } = world.pace
  world.nowMs = Math.ceil((Number(block.timestamp) * 1000) / blockMs) * blockMs
  for (const oracle of world.oracles) await world.start(oracle.member)
  world.values = [value]
  const { address } = world.oracles[member]!.keys[0]!
  const count = (at: string): Promise<string> => world.anvil.ask('eth_getTransactionCount', address, at)
  const openNonces = (): number => world.oracles[member]!.chain!.facts().senders[0]!.underWay.length
  let blocks = 0
  let healedAt = -1
  while (blocks < (2 * stageMs) / blockMs + 6) {
    await world.run(blockMs)
    blocks++
    const isWhole = (await waitingIn(world.anvil)).length === 0 && (await count('latest')) === (await count('pending'))
    if (isWhole && openNonces() === 0 && healedAt < 0) healedAt = blocks
    if (healedAt >= 0 && (await storedIn(world)).value === value) break
  }
  expect(healedAt).toBeGreaterThan(0)
  expect(healedAt).toBeLessThanOrEqual(6)
  blocksToHeal.push(healedAt)
  expect((await storedIn(world)).value).toBe(value)
  await world.run(4 * blockMs)
  // Nothing came after, nothing waits, and each T is in the chain once.
  expect(await waitingIn(world.anvil)).toEqual([])
  const all = await deliveriesIn(world.anvil, world.store, 1, await heightOf(world.anvil))
  const applied = all.flatMap(({ updates }) => updates.map((one) => `${one.feedId}/${one.attestedAtMs}`))
  appliedTwice += applied.length - new Set(applied).size
  expect(new Set(applied).size).toBe(applied.length)
  // The others never ran before: what the dead one had under way in its later turn may come beside what the first brings.
  const vain = inVain(world, all).length
  vainAfter += vain
  expect(vain).toBeLessThanOrEqual(1)
  expect(world.faults).toEqual([])
}

async function lifeAndRecovery(point: string, end: unknown): Promise<void> {
  const { world, member } = await scene()
  try {
    const life = await live(world, member, point)
    expect(life.end).toEqual(end)
    if (life.end === 'SIGKILL') killed++
    await recover(world, member, life.value)
  } finally {
    await world.close()
  }
}

describe('kill -9 of an oracle', { concurrent: true, timeout: 180_000 }, () => {
  it('is what ends each life below: left alone, the child comes through', () =>
    lifeAndRecovery('never', expect.stringMatching(/^0 true \d+ confirmed, \d+ handed out$/)))

  it.each(points)('at "%s" loses nothing and does nothing twice', (point) => lifeAndRecovery(point, 'SIGKILL'))
})
