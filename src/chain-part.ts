// One chain put together for one oracle: endpoints that must agree, keys that pay, a transmitter a store, a desk for requests.

import { join } from 'node:path'
import type { Clock } from './base/clock.js'
import { nodeDisk } from './base/disk.js'
import { OracleError } from './base/errors.js'
import { readWhole, replaceWhole } from './base/whole-file.js'
import type { Block } from './chain/answers.js'
import { withDataGas } from './chain/data-gas.js'
import { createGate, type Gate } from './chain/gate.js'
import { createRpcQuorum, type RpcQuorum } from './chain/rpc-quorum.js'
import type { SenderPool } from './chain/sender-pool.js'
import type { Job, News, Outcome } from './chain/sender-state.js'
import type { ChainConfig } from './chain-config.js'
import { openPayers, type PayerKey, type PayersParts } from './chain-payers.js'
import type { Committee } from './core/committee.js'
import type { Engine } from './core/engine.js'
import type { ReportKernel } from './core/report.js'
import type { ReportParts } from './core/report-json.js'
import type { ChainEvent, ChainFacts } from './deliver/chain-event.js'
import type { Costs } from './deliver/costs.js'
import { createRequestDesk } from './deliver/request-desk.js'
import type { RequestDesk } from './deliver/request-event.js'
import { createStoreReader } from './deliver/store-reader.js'
import { type DeclaredTriggers, type Target, targetOf } from './deliver/target.js'
import { createTransmitter, type Transmitter } from './deliver/transmitter.js'

export interface ChainParts {
  readonly engine: Engine
  readonly committee: Committee
  readonly kernel: ReportKernel
  /** Index of this member. */
  readonly member: number
  readonly chain: ChainConfig
  readonly declared: readonly DeclaredTriggers[]
  readonly keys: { readonly pushes: readonly PayerKey[]; readonly requests: readonly PayerKey[] }
  /** An existing folder for journals and the desk's memory: one process at a time has it. */
  readonly folder: string
  readonly clock: Clock
  readonly costs: Costs
  /** Asks for a round, and before it the sources of a feed that are asked on request only. */
  readonly askFeed: (feed: number) => void
  readonly onEvent: (event: ChainEvent) => void
  /** A fault of ours on the way: the chain is looked at again all the same. */
  readonly onFault: (error: unknown) => void
}

export interface RunningChain {
  /** A report was attested, or now has seals. */
  onReport(report: ReportParts): void
  /** Looks at the chain and does what follows. */
  look(): Promise<void>
  /** Time has passed. */
  tick(): void
  /** Looks and ticks by itself from now on. */
  run(): void
  facts(): ChainFacts
  /** Nothing leaves any more; journals are closed. */
  close(): Promise<void>
}

/** What reads and writes a chain, opened. */
interface Opened {
  readonly quorum: RpcQuorum
  readonly gate: Gate
  readonly pushing: SenderPool
  /** Null where no requests are answered. */
  readonly answering: SenderPool | null
  readonly transmitters: readonly Transmitter[]
  readonly desk: RequestDesk | null
}

/** A chain that has asked nothing yet; CHAIN_CONFIG_INVALID, TARGET_INVALID or JOURNAL_… where it cannot be. */
export async function openChain(parts: ChainParts): Promise<RunningChain> {
  checkKeys(parts)
  const targets = parts.chain.stores.map((store) => targetOf(parts.committee, parts.declared, store))
  const closers: (() => Promise<void> | void)[] = []
  /** One that fails leaves the others to be closed. */
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).toReversed()) {
      try {
        await close()
      } catch (error) {
        parts.onFault(error)
      }
    }
  }
  try {
    return runningChain(parts, targets, await openParts(parts, targets, closers), closeAll)
  } catch (error) {
    await closeAll()
    throw error
  }
}

async function openParts(
  parts: ChainParts,
  targets: readonly Target[],
  closers: (() => Promise<void> | void)[],
): Promise<Opened> {
  const { engine, committee, kernel, member, chain, clock, costs, folder, keys, onEvent, onFault } = parts
  const what = { engine, committee, kernel, member, costs }
  const { name, profile, endpoints, requests } = chain
  const quorum = createRpcQuorum({
    endpoints,
    quorum: chain.quorum,
    profile,
    clock,
    onHealth: ({ name: endpoint, state, reason }) =>
      onEvent({ event: 'endpoint', chain: name, endpoint, state, reason }),
  })
  closers.push(quorum.close)
  const gate = createGate(quorum, (stop) => {
    onEvent({ event: 'chain', chain: name, code: stop?.code ?? null, why: stop?.why ?? null })
  })

  const transmitters: Transmitter[] = []
  let desk: RequestDesk | null = null
  const payers: Omit<PayersParts, 'keys' | 'spending'> = {
    quorum: gate.keysRpc,
    clock,
    folder,
    onFault,
    // Jobs of a store or a hub that is no longer configured are nobody's wish.
    stillWanted: async (job) => {
      const store = targets.findIndex((target) => target.store === job.to.toLowerCase())
      return (await (transmitters[store] ?? desk)?.isWanted(job.id)) ?? false
    },
    onNews: (address, news) => {
      safely(onFault, () => tellAlarm(parts, address, news))
      for (const listener of [...transmitters, desk]) safely(onFault, () => listener?.onNews(news))
    },
  }
  const submitTo =
    ({ submit }: SenderPool) =>
    async (job: Job): Promise<void> =>
      submit(await withDataGas(quorum, job))

  const pushing = await openPayers({ ...payers, keys: keys.pushes, spending: chain.spending })
  closers.push(pushing.close)
  const reader = createStoreReader(gate.rpc)
  for (const target of targets) {
    const tell: Parameters<typeof createTransmitter>[0]['ports']['onEvent'] = (news) =>
      onEvent({ event: 'transmit', chain: name, news })
    const ports = { clock, ...reader, submit: submitTo(pushing), openJobs: pushing.openJobs, onEvent: tell, onFault }
    transmitters.push(createTransmitter({ ...what, target, ports }))
  }
  // What ended just before a crash may not have reached the table of costs.
  for (const outcome of pushing.endings)
    for (const transmitter of transmitters) transmitter.onNews({ kind: 'ended', outcome })
  closers.push(async () => {
    await Promise.all(transmitters.map((transmitter) => transmitter.close()))
  })
  if (requests === null) return { quorum, gate, pushing, answering: null, transmitters, desk }

  const answering = await openPayers({ ...payers, keys: keys.requests, spending: requests.spending })
  closers.push(answering.close)
  for (const outcome of answering.endings) bookAnswer(parts, `${requests.chainId}/${requests.hub}`, outcome)
  const memory = join(folder, `requests-${requests.hub}`)
  desk = createRequestDesk({
    ...what,
    settings: requests,
    ports: {
      clock,
      rpc: gate.rpc,
      submit: submitTo(answering),
      openJobs: answering.openJobs,
      askFeed: parts.askFeed,
      memory: { load: () => readWhole(nodeDisk, memory), save: (bytes) => replaceWhole(nodeDisk, memory, bytes) },
      onEvent: (news) => onEvent({ event: 'request', chain: name, news }),
      onFault,
    },
  })
  closers.push(desk.close)
  return { quorum, gate, pushing, answering, transmitters, desk }
}

function runningChain(
  { chain, costs, onFault }: ChainParts,
  targets: readonly Target[],
  { quorum, gate, pushing, answering, transmitters, desk }: Opened,
  closeAll: () => Promise<void>,
): RunningChain {
  let seen: string | null = null
  let isClosed = false
  let looking: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | null = null
  let ticking: NodeJS.Timeout | null = null

  const act = async (block: Block | null): Promise<void> => {
    // Without a quorum keys learn that they are blind; while a sequencer is down nothing of theirs is raised or repeated.
    const stop = gate.stop()
    if (stop === null || stop.isBlind) await Promise.all([pushing.look(), answering?.look()])
    if (isClosed || block === null || block.hash === seen) return
    seen = block.hash
    // Old requests may take long to read: prices do not wait for them.
    desk?.onHead(block).catch(onFault)
    await Promise.all(transmitters.map((transmitter) => transmitter.onHead()))
  }
  const look = async (): Promise<void> => {
    const block = await gate.look()
    if (isClosed) return
    await (block === null ? act(null) : gate.holding(block, () => act(block)))
  }
  const lookOn = (): void => {
    looking = look()
      .catch(onFault)
      .then(() => {
        if (!isClosed) timer = setTimeout(lookOn, chain.pollMs)
      })
  }
  const tick = (): void => {
    for (const listener of [...transmitters, desk]) safely(onFault, () => listener?.onTick())
  }

  return {
    onReport: (report) => {
      for (const listener of [...transmitters, desk]) safely(onFault, () => listener?.onReport(report))
    },
    look,
    tick,
    run: () => {
      lookOn()
      ticking = setInterval(tick, tickMs(chain, targets))
    },
    facts: () => {
      const head = gate.head()
      return {
        chain: chain.name,
        chainId: chain.profile.chainId,
        head: head === null ? null : { number: head.number, timestampMs: head.timestampMs },
        stoppedBy: gate.stop(),
        endpoints: quorum.facts(),
        senders: [...sendersOf(pushing, 'pushes'), ...sendersOf(answering, 'requests')],
        stores: transmitters.map((transmitter) => transmitter.facts()),
        requests: desk?.facts() ?? null,
        costs: costs.rows(),
      }
    },
    close: async () => {
      isClosed = true
      if (timer !== null) clearTimeout(timer)
      if (ticking !== null) clearInterval(ticking)
      await looking
      await closeAll()
    },
  }
}

function sendersOf(pool: SenderPool | null, pays: 'pushes' | 'requests'): ChainFacts['senders'] {
  return (pool?.senders ?? []).map((sender) => ({ ...sender.facts(), pays }))
}

/** Turns are looked at ten times a stage, and four times a second. */
function tickMs({ requests }: ChainConfig, targets: readonly Target[]): number {
  const stages = [...targets, ...(requests === null ? [] : [requests])].map(({ stageMs }) => Math.floor(stageMs / 10))
  return Math.max(20, Math.min(250, ...stages))
}

/** A fault of ours in one part is told, and stops neither the others nor the oracle. */
function safely(onFault: (error: unknown) => void, action: () => void): void {
  try {
    action()
  } catch (error) {
    onFault(error)
  }
}

/** An answer of an earlier life that ended just before a crash may not have reached the table of costs. */
function bookAnswer({ costs }: ChainParts, target: string, { id, end, receipt, atMs }: Outcome): void {
  if (receipt === null) return
  const { hash: txHash, gasUsed, paidWei: feeWei } = receipt
  costs.add({ job: id, txHash, atMs, target, feeds: ['ended requests'], isReverted: end !== 'done', gasUsed, feeWei })
}

function tellAlarm({ chain, onEvent }: ChainParts, address: string, news: News): void {
  if (news.kind !== 'alarm') return
  const { code, isRaised, sentence } = news
  onEvent({ event: 'sender', chain: chain.name, address, code, isRaised, sentence })
}

/** A key that two pools used would take each other's nonces. */
function checkKeys({ chain, keys }: ChainParts): void {
  const addresses = [...keys.pushes, ...keys.requests].map(({ address }) => address)
  const twice = addresses.find((address, i) => addresses.indexOf(address) !== i)
  if (twice === undefined) return
  const message = `on ${chain.name} two senders have the key of ${twice}`
  throw new OracleError('CHAIN_CONFIG_INVALID', message, { path: '/chains' })
}
