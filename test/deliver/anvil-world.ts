// Four oracles with a chain of the node each, one real anvil below them, and a clock that only moves step by step.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ChainProfile, chainProfile } from '../../src/chain/chain-profile.js'
import type { EndpointConfig } from '../../src/chain/endpoint.js'
import { createWallet } from '../../src/chain/wallet.js'
import type { ChainConfig, SpendingConfig } from '../../src/chain-config.js'
import { openChain, type RunningChain } from '../../src/chain-part.js'
import type { PayerKey } from '../../src/chain-payers.js'
import { toHex, utf8 } from '../../src/core/bytes.js'
import type { SigningEngine } from '../../src/crypto/engine-wasm.js'
import type { ChainEvent } from '../../src/deliver/chain-event.js'
import { type Costs, createCosts } from '../../src/deliver/costs.js'
import {
  type DeclaredTriggers,
  type FeedSettings,
  type Pace,
  type Target,
  type TargetSettings,
  targetOf,
} from '../../src/deliver/target.js'
import type { TransmitEvent } from '../../src/deliver/transmit-event.js'
import { askNode, startAnvil, type Anvil as WholeAnvil } from '../chain/anvil.js'
import { type Deployment, deployStore } from './anvil-deploy.js'
import { quiet } from './anvil-quiet.js'
import { type Attesting, attesting } from './anvil-reports.js'
import { startMs } from './fixtures.js'

/** A node as the world uses it: its own, or that of another process. */
export type Anvil = Pick<WholeAnvil, 'url' | 'ask' | 'mine' | 'stop'>

export const gwei = 1_000_000_000n

export interface AnvilWorldSettings {
  readonly pace?: Partial<Pace>
  readonly roundMs?: number
  /** Names of the committee's first two feeds. */
  readonly names?: readonly [string, string]
  readonly validForS?: number
  /** What the store keeps fresh; the first feed alone unless said. */
  readonly feeds?: readonly FeedSettings[]
  readonly deviationPpm?: number
  readonly heartbeatS?: number
  readonly profile?: Partial<ChainProfile>
  readonly spending?: Partial<SpendingConfig['limits']>
  /** Keys of each member; one unless said. */
  readonly keys?: number
  /** Members that never run. */
  readonly dead?: readonly number[]
  /** Where the members ask; the one anvil unless said. */
  readonly endpoints?: (url: string) => Promise<readonly EndpointConfig[]>
  readonly quorum?: number
  /** A chain that is there already, with contracts, the members' folders, and the time it is. */
  readonly on?: Deployment & { readonly url: string; readonly folder: string; readonly nowMs: number }
}

/** One oracle. */
export interface Oracle {
  readonly member: number
  /** Null while it does not run. */
  chain: RunningChain | null
  readonly keys: readonly PayerKey[]
  readonly folder: string
  readonly costs: Costs
}

export interface AnvilWorld extends Deployment, Attesting {
  readonly anvil: Anvil
  /** Of the members' folders. */
  readonly folder: string
  readonly oracles: readonly Oracle[]
  /** All that the oracles told, in order. */
  readonly events: (ChainEvent & { readonly member: number })[]
  /** Faults of our own that a chain passed on; every test that ends well has none. */
  readonly faults: unknown[]
  readonly pace: Pace
  /** The rules of the store's feeds, and the margin of their heartbeats. */
  readonly rules: Target['rules']
  readonly marginMs: number
  readonly config: ChainConfig
  nowMs: number
  /** What is attested from now on, of the first feeds; null: no reports. */
  values: readonly bigint[] | null
  /** The base fee of the next block. */
  baseFee: bigint
  /** T of the last report. */
  attestedMs: number
  /** Members that see no reports before so many ms after T. */
  readonly reportDelays: number[]
  /** Called after each block, before anybody has looked. */
  onMined: () => Promise<void> | void
  /** Called after each block, when all have looked. */
  onBlock: () => Promise<void> | void
  /** Lets time pass, tick by tick, with the rounds and blocks that are due. */
  run(forMs: number): Promise<void>
  /** One block now, of which everybody hears. */
  block(): Promise<void>
  /** Everybody looks at the chain. */
  look(): Promise<void>
  /** Takes the newest `depth` blocks away and mines as many others, the last with `raws`; nobody has looked at them yet. */
  reorg(depth: number, raws?: readonly string[]): Promise<void>
  start(member: number): Promise<void>
  stopOracle(member: number): Promise<void>
  /** What transmitters told, without the rest. */
  told<K extends TransmitEvent['event']>(
    event: K,
  ): readonly (Extract<TransmitEvent, { event: K }> & { readonly member: number })[]
  close(): Promise<void>
}

const usualPace: Pace = { blockMs: 12_000, landBlocks: 2, stageMs: 48_000 }

/** The key `index` of a member: public, worthless, the same in every run. */
function payerKey(engine: SigningEngine, member: number, index: number): PayerKey {
  const privateKey = engine.keccak256(utf8(`assay tests, key ${index} that pays for member ${member}`))
  return { privateKey, address: toHex(engine.addressOf(privateKey)) }
}

/** The chain of one oracle as config.json would have it. */
function chainConfigOf(settings: AnvilWorldSettings, store: string, endpoints: readonly EndpointConfig[]): ChainConfig {
  const pace = { ...usualPace, ...settings.pace }
  const { blockMs } = pace
  const profile = chainProfile('local', { blockMs, confirmations: 2, finalityBlocks: 70, ...settings.profile })
  const { feeds = [{ name: settings.names?.[0] ?? 'btc-usd' }] } = settings
  const target: TargetSettings = { ...pace, chainId: profile.chainId, store, kind: 'feeds', feeds }
  return {
    name: 'anvil',
    profile,
    endpoints,
    quorum: settings.quorum ?? Math.floor(endpoints.length / 2) + 1,
    pollMs: 1000,
    senders: [],
    spending: {
      limits: {
        perGasMax: 500n * gwei,
        tipMin: gwei / 100n,
        tipMax: 5n * gwei,
        perTransactionMax: 10n ** 18n,
        perHourMax: 10n ** 19n,
        ...settings.spending,
      },
      balanceMinWei: 10n ** 17n,
    },
    stores: [target],
    requests: null,
  }
}

/** The declarations of the first two feeds. */
function declaredTriggers(settings: AnvilWorldSettings): readonly DeclaredTriggers[] {
  const { names = ['btc-usd', 'eth-usd'], deviationPpm = 5000, heartbeatS = 3600 } = settings
  return names.map((name) => ({ name, triggers: { deviationPpm, heartbeatS }, singleSource: null }))
}

/** Committee, chain, contracts, and all oracles but the dead, which have looked once. */
export async function openAnvilWorld(engine: SigningEngine, settings: AnvilWorldSettings = {}): Promise<AnvilWorld> {
  const { roundMs = 12_000, validForS = 7200, names, keys = 1, dead = [] } = settings
  const made = attesting(engine, { roundMs, validForS, ...(names === undefined ? {} : { names }) })
  const { committee, kernel } = made
  const { on } = settings
  const anvil = on === undefined ? await freshAnvil() : await anvilAt(on.url)
  const deployment = on ?? (await deployStore(anvil, committee))
  const endpoints = (await settings.endpoints?.(anvil.url)) ?? [{ name: 'anvil', url: anvil.url }]
  const config = chainConfigOf(settings, deployment.store, endpoints)
  const pace = config.stores[0]!
  const { rules, marginMs } = targetOf(committee, declaredTriggers(settings), pace)
  const folder = on?.folder ?? mkdtempSync(join(tmpdir(), 'assay-world-'))
  const tickMs = Math.min(pace.stageMs / 8, pace.blockMs)
  const delayed: { readonly atMs: number; readonly run: () => void }[] = []

  const oracles = committee.members.map(
    (_, member): Oracle => ({
      member,
      chain: null,
      keys: Array.from({ length: keys }, (_, index) => payerKey(engine, member, index)),
      folder: join(folder, `oracle-${member}`),
      costs: createCosts(),
    }),
  )
  for (const { address } of on === undefined ? oracles.flatMap((oracle) => oracle.keys) : [])
    await anvil.ask('anvil_setBalance', address, `0x${(10n ** 20n).toString(16)}`)

  const settle = (): Promise<void> => quiet(endpoints.map(({ url }) => url))
  const running = (): readonly RunningChain[] => oracles.flatMap(({ chain }) => chain ?? [])

  const mine = async (): Promise<void> => {
    await anvil.ask('anvil_setNextBlockBaseFeePerGas', `0x${world.baseFee.toString(16)}`)
    await anvil.ask('evm_mine', { timestamp: Math.floor(world.nowMs / 1000) })
  }

  const look = async (): Promise<void> => {
    await Promise.all(running().map((chain) => chain.look()))
    await settle()
  }

  const report = (): void => {
    if (world.values === null) return
    const { attested, sealed } = made.report(world.values, world.nowMs)
    world.attestedMs = world.nowMs
    for (const { member } of oracles) {
      const run = (): void => {
        oracles[member]!.chain?.onReport(attested)
        oracles[member]!.chain?.onReport(sealed)
      }
      const delayMs = world.reportDelays[member]!
      if (delayMs === 0) run()
      else delayed.push({ atMs: world.nowMs + delayMs, run })
    }
  }

  const tick = async (): Promise<void> => {
    world.nowMs += tickMs
    for (const late of delayed.filter(({ atMs }) => atMs <= world.nowMs)) {
      delayed.splice(delayed.indexOf(late), 1)
      late.run()
    }
    // Between two blocks, as a rule.
    if ((world.nowMs - tickMs) % roundMs === 0) report()
    if (world.nowMs % pace.blockMs === 0) {
      await settle()
      await world.block()
    }
    for (const chain of running()) chain.tick()
    await settle()
  }

  const world: AnvilWorld = {
    ...made,
    registry: deployment.registry,
    store: deployment.store,
    anvil,
    folder,
    oracles,
    events: [],
    faults: [],
    pace,
    rules,
    marginMs,
    config,
    nowMs: on?.nowMs ?? startMs,
    values: null,
    baseFee: 10n * gwei,
    attestedMs: 0,
    reportDelays: committee.members.map(() => 0),
    onMined: () => undefined,
    onBlock: () => undefined,
    run: async (forMs) => {
      const endMs = world.nowMs + forMs
      while (world.nowMs < endMs) await tick()
    },
    block: async () => {
      await mine()
      await world.onMined()
      await look()
      await world.onBlock()
    },
    look,
    reorg: async (depth, raws = []) => {
      // Others than those before: another clock between the blocks, and another miner.
      await anvil.ask('anvil_rollback', depth)
      await anvil.ask('anvil_setCoinbase', `0x${(++reorgs).toString(16).padStart(40, '0')}`)
      const first = Number(
        ((await anvil.ask('eth_getBlockByNumber', 'latest', false)) as { timestamp: string }).timestamp,
      )
      const spare = Math.floor(world.nowMs / 1000) - first - depth
      if (spare < 0) throw new Error('there is no time for so many blocks')
      for (let i = 1; i <= depth; i++) {
        if (i === depth) for (const raw of raws) await anvil.ask('eth_sendRawTransaction', raw)
        await anvil.ask('anvil_setNextBlockBaseFeePerGas', `0x${world.baseFee.toString(16)}`)
        await anvil.ask('evm_mine', { timestamp: first + i + Math.floor((spare * i) / depth) })
      }
    },
    start: async (member) => {
      const oracle = oracles[member]!
      mkdirSync(oracle.folder, { recursive: true })
      oracle.chain = await openChain({
        engine,
        committee,
        kernel,
        member,
        chain: config,
        declared: declaredTriggers(settings),
        keys: { pushes: oracle.keys, requests: [] },
        folder: oracle.folder,
        clock: () => ({ wallMs: world.nowMs, steadyMs: world.nowMs - startMs }),
        costs: oracle.costs,
        askFeed: () => undefined,
        onEvent: (event) => void world.events.push({ ...event, member }),
        onFault: (error) => void world.faults.push(error),
      })
    },
    stopOracle: async (member) => {
      const { chain } = oracles[member]!
      oracles[member]!.chain = null
      await chain?.close()
    },
    told: <K extends TransmitEvent['event']>(event: K) =>
      world.events.flatMap((one) =>
        one.event === 'transmit' && one.news.event === event
          ? [{ ...(one.news as Extract<TransmitEvent, { event: K }>), member: one.member }]
          : [],
      ),
    close: async () => {
      await Promise.all(oracles.map(({ member }) => world.stopOracle(member)))
      await anvil.stop()
      if (on === undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
  let reorgs = 0
  try {
    for (const { member } of oracles) if (!dead.includes(member)) await world.start(member)
    await world.block()
    return world
  } catch (error) {
    await world.close()
    throw error
  }
}

/** Runs `action` in a world of its own, which is gone afterwards; no fault of ours may have come up in it. */
export async function withAnvilWorld(
  engine: SigningEngine,
  settings: AnvilWorldSettings,
  action: (world: AnvilWorld) => Promise<void>,
): Promise<void> {
  const world = await openAnvilWorld(engine, settings)
  try {
    await action(world)
    if (world.faults.length > 0) throw world.faults[0]
  } finally {
    await world.close()
  }
}

function freshAnvil(): Promise<Anvil> {
  const args = ['--no-mining', '--timestamp', `${startMs / 1000 - 600}`, '--block-base-fee-per-gas', `${10n * gwei}`]
  return startAnvil(args)
}

/** The anvil of another process, which that one stops. */
async function anvilAt(url: string): Promise<Pick<Anvil, 'url' | 'ask' | 'mine' | 'stop'>> {
  const ask: Anvil['ask'] = async <T>(method: string, ...params: readonly unknown[]) =>
    (await askNode(url, method, params)) as T
  return { url, ask, mine: (blocks = 1) => ask('anvil_mine', `0x${blocks.toString(16)}`), stop: async () => undefined }
}

/** Sends what none of the oracles sent: a foreign transaction with a key of theirs. */
export async function sendForeign(world: AnvilWorld, key: PayerKey, nonce: number): Promise<string> {
  const { raw } = await createWallet(key.privateKey).sign({
    chainId: world.config.profile.chainId,
    nonce,
    to: key.address,
    data: '0x',
    gasLimit: 21_000n,
    maxFeePerGas: 400n * gwei,
    maxPriorityFeePerGas: 100n * gwei,
  })
  return world.anvil.ask('eth_sendRawTransaction', raw)
}
