// 24 recorded hours through four oracles on a real chain, with every block compared with what was attested.

import type { SigningEngine } from '../../src/crypto/engine-wasm.js'
import { toUnits } from '../../src/observe/cells.js'
import { lastTrade, readRecordings, type Series } from '../../src/replay/recordings.js'
import { Rng } from '../simulation/rng.js'
import { type Delivery, deliveriesIn, heightOf, type Slot, slotOf } from './anvil-deploy.js'
import { inVain, timeOf } from './anvil-updates.js'
import { type AnvilWorld, gwei, openAnvilWorld } from './anvil-world.js'

const minuteMs = 60_000
const decimals = 8
const deviationPpm = 5_000
const heartbeatS = 3_600
/** A venue without a trade for so long is not heard; candles of an hour count for two. */
const freshMs = 2 * 3_600_000

interface DaySettings {
  /** A folder of recorded candles, as src/replay reads them. */
  readonly folder: string
  /** One or two pairs of it. */
  readonly pairs: readonly string[]
  readonly hours: number
  readonly blockMs: number
}

/** What a day showed. Deviations in parts per million of what was stored, times in ms. */
export interface DayFigures {
  readonly series: string
  readonly pairs: readonly string[]
  readonly from: string
  readonly hours: number
  readonly blockMs: number
  readonly blocks: number
  /** By pair. */
  readonly updates: Readonly<Record<string, number>>
  readonly transactions: number
  readonly gas: number
  readonly feeEth: string
  /** From the report by which an update was due to the block that has it. */
  readonly maxLagMs: number
  /** Between what was stored and what was attested last: after any block, and just before one. */
  readonly maxDeviationPpm: number
  readonly maxWaitingPpm: number
  /** How often it was more than the deviation and the move of one round. */
  readonly blocksBeyond: number
  readonly maxAgeMs: number
  readonly duplicates: number
  /** The tables of costs against what the keys' balances lost, wei. */
  readonly costErrorWei: string
}

type Values = readonly bigint[]

/** The lower medians over venues at each minute of the stretch of `hours` in which the pairs moved most. */
function recordedDay({ folder, pairs, hours }: DaySettings): { fromMs: number; minutes: readonly Values[] } {
  const { series, timesMs } = readRecordings(folder)
  const venues = pairs.map((pair) => series.filter(({ base, quote }) => `${base}-${quote}`.toLowerCase() === pair))
  const [firstMs, lastMs] = [timesMs[0]!, timesMs.at(-1)!]
  const all: (Values | null)[] = []
  for (let atMs = firstMs; atMs <= lastMs; atMs += minuteMs) {
    const values = venues.map((one) => medianAt(one, atMs))
    all.push(values.every((value) => value !== null) ? values : null)
  }
  const count = hours * 60 + 1
  let best = 0
  let most = -1
  for (let from = 0; from + count <= Math.max(all.length, count); from += 60) {
    const moved = movement(all.slice(from, from + count))
    if (moved > most) [best, most] = [from, moved]
  }
  const minutes = all.slice(best, best + count)
  const first = minutes.find((values) => values !== null)
  if (first == null) throw new Error(`${pairs.join(' and ')} are not recorded in ${folder}`)
  // Without a trade the last value stays.
  let last: Values = first
  return { fromMs: firstMs + best * minuteMs, minutes: minutes.map((values) => (last = values ?? last)) }
}

function medianAt(venues: readonly Series[], atMs: number): bigint | null {
  const trades = venues.flatMap((one) => {
    const row = lastTrade(one, atMs)
    const value = row === null || atMs - row.timeMs > freshMs ? null : toUnits(row.close, decimals)
    return value === null ? [] : [value]
  })
  if (trades.length === 0) return null
  return trades.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))[(trades.length - 1) >> 1]!
}

/** The way that all pairs went, in parts per million. */
function movement(minutes: readonly (Values | null)[]): number {
  let sum = 0
  for (const [i, values] of minutes.entries()) {
    const before = minutes[i - 1]
    if (values == null || before == null) continue
    for (const [pair, value] of values.entries()) sum += ppm(value, before[pair]!)
  }
  return sum
}

const abs = (value: bigint): bigint => (value < 0n ? -value : value)
const ppm = (value: bigint, of: bigint): number => Number((abs(value - of) * 1_000_000n) / abs(of))

/** Runs the day. The caller judges the figures; a fault of the chain part itself is thrown. */
export async function chainDay(engine: SigningEngine, settings: DaySettings): Promise<DayFigures> {
  const { pairs, blockMs } = settings
  const { fromMs, minutes } = recordedDay(settings)
  const landBlocks = blockMs >= minuteMs ? 1 : 2
  const world = await openAnvilWorld(engine, {
    names: [pairs[0]!, pairs[1] ?? 'unused'],
    feeds: pairs.map((name) => ({ name })),
    pace: { blockMs, landBlocks, stageMs: 2 * landBlocks * blockMs },
    roundMs: minuteMs,
    deviationPpm,
    heartbeatS,
    spending: { perHourMax: 10n ** 18n },
  })
  try {
    const figures = await runDay(world, settings, minutes, fromMs)
    if (world.faults.length > 0) throw world.faults[0]
    return figures
  } finally {
    await world.close()
  }
}

async function runDay(
  world: AnvilWorld,
  { folder, pairs, hours, blockMs }: DaySettings,
  minutes: readonly Values[],
  fromMs: number,
): Promise<DayFigures> {
  const balances = await balancesOf(world)
  const watch = createWatch(world, pairs)
  const rng = new Rng(24n)
  world.onBlock = async () => {
    // Up or down by an eighth at most, as the protocol lets it.
    const step = BigInt(rng.next() % 251) - 125n
    const next = (world.baseFee * (1000n + step)) / 1000n
    world.baseFee = next < 2n * gwei ? 2n * gwei : next > 80n * gwei ? 80n * gwei : next
    await watch.look()
  }
  for (const values of minutes) {
    watch.attest(values)
    await world.run(minuteMs)
  }
  world.onBlock = () => undefined
  world.values = null
  await world.run(6 * Math.max(blockMs, minuteMs))

  const all = await deliveriesIn(world.anvil, world.store, 1, await heightOf(world.anvil))
  const total = (values: readonly bigint[]): bigint => values.reduce((sum, value) => sum + value, 0n)
  const fee = total(all.map(({ paidWei }) => paidWei))
  const after = await balancesOf(world)
  const errors = world.oracles.map(({ costs }, member) => {
    const table = total(costs.rows().map(({ feeWei }) => feeWei))
    return abs(balances[member]! - after[member]! - table)
  })
  const dues = world.told('due')
  return {
    series: folder.replace(/\/+$/, '').split('/').at(-1)!,
    pairs,
    from: new Date(fromMs).toISOString(),
    hours,
    blockMs,
    blocks: watch.blocks(),
    updates: Object.fromEntries(pairs.map((pair, i) => [pair, countOf(world, all, i)])),
    transactions: all.length,
    gas: Number(total(all.map(({ gasUsed }) => gasUsed))),
    feeEth: `${Number(fee / 10n ** 12n) / 1e6}`,
    maxLagMs: Math.max(...(await lags(world, dues, all))),
    ...watch.worst(),
    duplicates: inVain(world, all).length,
    costErrorWei: `${total(errors)}`,
  }
}

/** Compares each block with what was attested. */
function createWatch(world: AnvilWorld, pairs: readonly string[]) {
  let now: Values = []
  let before: Values = []
  let pending: Values | null = null
  let attestedMs = 0
  let blocks = 0
  let maxDeviationPpm = 0
  let maxWaitingPpm = 0
  let blocksBeyond = 0
  let maxAgeMs = 0
  let stored: readonly Slot[] = []
  /** How far the store is from what was attested last; counts it when that is beyond the rule. */
  const distance = ({ value, attestedAtMs }: Slot, i: number): number => {
    const attested = now[i]!
    maxAgeMs = Math.max(maxAgeMs, world.nowMs - attestedAtMs)
    // The deviation that asks for no update, and the move of the round that asked for one.
    const allowed = BigInt(deviationPpm) * abs(value) + 1_000_000n * abs(attested - before[i]!)
    if (1_000_000n * abs(attested - value) > allowed) blocksBeyond++
    return ppm(attested, value)
  }
  return {
    attest: (values: Values): void => {
      pending = values
      world.values = values
    },
    look: async (): Promise<void> => {
      // Attested in between: what was last is the round before now.
      if (pending !== null && world.attestedMs > attestedMs) {
        before = now.length === 0 ? pending : now
        now = pending
        attestedMs = world.attestedMs
        pending = null
      }
      if (now.length === 0) return
      const slots = await Promise.all(
        pairs.map((_, i) => slotOf(world.anvil, world.store, world.committee.feeds[i]!.feedId)),
      )
      // Before the first value has landed there is nothing to compare.
      if (blocks === 0 && slots.some((slot) => slot.attestedAtMs === 0)) return
      blocks++
      // Until this block readers had what was stored before it, after it they have what is stored now.
      maxWaitingPpm = Math.max(maxWaitingPpm, ...stored.map(distance))
      maxDeviationPpm = Math.max(maxDeviationPpm, ...slots.map(distance))
      stored = slots
    },
    blocks: () => blocks,
    worst: () => ({ maxDeviationPpm, maxWaitingPpm, blocksBeyond, maxAgeMs }),
  }
}

async function balancesOf({ anvil, oracles }: AnvilWorld): Promise<readonly bigint[]> {
  return Promise.all(
    oracles.map(async ({ keys }) => {
      const each = await Promise.all(keys.map(({ address }) => anvil.ask<string>('eth_getBalance', address, 'latest')))
      return each.reduce((sum, balance) => sum + BigInt(balance), 0n)
    }),
  )
}

/** How often feed `i` was renewed. */
function countOf({ committee }: AnvilWorld, all: readonly Delivery[], i: number): number {
  const { feedId } = committee.feeds[i]!
  return all.filter(({ updates }) => updates.some((update) => update.feedId === feedId)).length
}

/** For each update: from the first member's word that it was due to its block; heartbeats have until their end. */
async function lags(
  world: AnvilWorld,
  dues: ReturnType<AnvilWorld['told']>,
  all: readonly Delivery[],
): Promise<readonly number[]> {
  const found: number[] = [0]
  const seen = new Set<string>()
  for (const due of dues) {
    if (due.event !== 'due' || due.reason === 'heartbeat' || seen.has(`${due.feed}/${due.sinceMs}`)) continue
    seen.add(`${due.feed}/${due.sinceMs}`)
    const feed = world.committee.feeds.find(({ name }) => name === due.feed)!
    const landed = all.find(({ updates }) =>
      updates.some(({ feedId, attestedAtMs }) => feedId === feed.feedId && attestedAtMs >= due.sinceMs),
    )
    if (landed !== undefined) found.push((await timeOf(world, landed.blockNumber)) - due.sinceMs)
  }
  return found
}
