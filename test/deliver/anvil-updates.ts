// Updates of a world's first feed, one after the other: when each was due, whose turn it was, when it landed, and what was paid in vain.

import type { SigningEngine } from '../../src/crypto/engine-wasm.js'
import { turnOrder } from '../../src/deliver/turn.js'
import { type Delivery, deliveriesIn, heightOf, type Slot, slotOf } from './anvil-deploy.js'
import type { AnvilWorld } from './anvil-world.js'

/** An update that landed. */
export interface Landing {
  /** T of the report by which it was due. */
  readonly dueMs: number
  /** Blocks from then to the one that holds it: 1 for the next. */
  readonly blocks: number
  /** Time of that block. */
  readonly landedMs: number
  /** The members in the order of their turns. */
  readonly order: readonly number[]
  /** Who brought it. */
  readonly by: number
}

export const price = 6_412_345_678_901n

/** `price` at so many percent. */
export const percent = (of: number): bigint => (price * BigInt(of)) / 100n

/** Sixteen blocks in which the first value lands and is confirmed. */
export async function begin(world: AnvilWorld): Promise<void> {
  world.values = [price]
  await world.run(16 * world.pace.blockMs)
  if ((await storedIn(world)).value !== price) throw new Error('the first value did not land')
}

/** What the store has of the first feed. */
export function storedIn(world: AnvilWorld): Promise<Slot> {
  return slotOf(world.anvil, world.store, world.committee.feeds[0]!.feedId)
}

/** Attests `value` until the store has it, block by block; an Error after `blocksMax`. */
export async function landed(
  engine: SigningEngine,
  world: AnvilWorld,
  value: bigint,
  blocksMax = 40,
  onBlock: (blocks: number) => void = () => undefined,
): Promise<Landing> {
  const { chainId } = world.config.profile
  const { feedId, name } = world.committee.feeds[0]!
  const { attestedAtMs: replacedMs } = await storedIn(world)
  const order = turnOrder(
    engine,
    { committee: world.committee.digest, chainId, store: world.store, feedId, replacedMs },
    4,
  )
  const before = world.told('due').length
  const first = (await heightOf(world.anvil)) + 1
  world.values = [value]
  let blocks = 0
  while ((await storedIn(world)).value !== value) {
    if (blocks++ === blocksMax) throw new Error(`not landed in ${blocksMax} blocks`)
    onBlock(blocks)
    await world.run(world.pace.blockMs)
  }
  const due = world
    .told('due')
    .slice(before)
    .find(({ feed, reason }) => feed === name && reason !== 'heartbeat')
  if (due === undefined) throw new Error('it was never due')
  const found = await deliveriesIn(world.anvil, world.store, first, await heightOf(world.anvil))
  const delivery = found.find(({ updates }) => updates.some((update) => update.value === value))!
  const { sinceMs: dueMs } = due
  const landedMs = await timeOf(world, delivery.blockNumber)
  return {
    dueMs,
    blocks: Math.ceil((landedMs - dueMs) / world.pace.blockMs),
    landedMs,
    order,
    by: payerOf(world, delivery),
  }
}

/** The member that paid for a delivery. */
export function payerOf(world: AnvilWorld, { from }: Delivery): number {
  return world.oracles.findIndex(({ keys }) => keys.some(({ address }) => address === from))
}

/** The time of a block, ms. */
export async function timeOf({ anvil }: AnvilWorld, number: number): Promise<number> {
  const block = (await anvil.ask('eth_getBlockByNumber', `0x${number.toString(16)}`, false)) as { timestamp: string }
  return Number(block.timestamp) * 1000
}

/** Those of `deliveries`, in the order of the chain, that were paid in vain: reverted, or nothing in them was due. */
export function inVain(world: AnvilWorld, deliveries: readonly Delivery[]): readonly Delivery[] {
  const rules = new Map(world.rules.map((rule) => [rule.feed.feedId, rule]))
  const stored = new Map<string, Slot>()
  return deliveries.filter(({ isSuccess, updates }) => {
    const wasDue = updates.some(({ feedId, value, attestedAtMs }) => {
      const rule = rules.get(feedId)
      const old = stored.get(feedId)
      if (rule === undefined) return false
      if (old === undefined) return true
      const moved = value > old.value ? value - old.value : old.value - value
      return (
        moved * 1_000_000n >= BigInt(rule.deviationPpm) * old.value ||
        attestedAtMs >= old.attestedAtMs + rule.heartbeatMs - world.marginMs
      )
    })
    for (const update of updates) stored.set(update.feedId, update)
    return !isSuccess || !wasDue
  })
}
