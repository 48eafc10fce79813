// A hub on a real chain with contracts that ask it, a desk of one member with a sender of its own, and a clock that tests turn.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeDisk } from '../../src/base/disk.js'
import { OracleError } from '../../src/base/errors.js'
import { chainProfile } from '../../src/chain/chain-profile.js'
import type { EndpointConfig } from '../../src/chain/endpoint.js'
import { CommitteeRegistry__factory } from '../../src/chain/generated/factories/CommitteeRegistry__factory.js'
import { RequestHub__factory } from '../../src/chain/generated/factories/RequestHub__factory.js'
import { type Journal, openJournal } from '../../src/chain/journal.js'
import { createRpcQuorum, type RpcQuorum } from '../../src/chain/rpc-quorum.js'
import { createSender, type Sender } from '../../src/chain/sender.js'
import { createSenderRpc } from '../../src/chain/sender-rpc.js'
import type { Outcome, SenderRules } from '../../src/chain/sender-state.js'
import { toHex, utf8 } from '../../src/core/bytes.js'
import { canonicalJson } from '../../src/core/canonical.js'
import { type Committee, parseCommittee } from '../../src/core/committee.js'
import type { Reading } from '../../src/core/layout.js'
import { type ReportKernel, reportKernel } from '../../src/core/report.js'
import type { ReportParts } from '../../src/core/report-json.js'
import { statusCodes } from '../../src/core/status.js'
import { createWasmEngine, type SigningEngine } from '../../src/crypto/engine-wasm.js'
import { type CostTable, createCosts } from '../../src/deliver/costs.js'
import { createRequestDesk } from '../../src/deliver/request-desk.js'
import type { RequestDesk, RequestEvent, RequestSettings } from '../../src/deliver/request-event.js'
import { turnOrder } from '../../src/deliver/turn.js'
import { type Anvil, startAnvil } from '../chain/anvil.js'
import { keys, rulesOf, walletOf } from '../chain/anvil-sender.js'
import { committeeDocument } from '../committee-document.js'
import { sealedReport } from './request-reports.js'

export const hubInterface: ReturnType<typeof RequestHub__factory.createInterface> =
  RequestHub__factory.createInterface()

/** A desk with its sender; what an oracle's process would be. */
export interface Life {
  readonly desk: RequestDesk
  readonly sender: Sender
  readonly rpc: RpcQuorum
  readonly events: RequestEvent[]
  /** Feeds that were asked, by index. */
  readonly asked: number[]
  readonly outcomes: Outcome[]
  /** What went wrong on the way; a test that expects it takes it out. */
  readonly faults: unknown[]
  close(): Promise<void>
}

export interface LifeParts {
  readonly member?: number
  readonly settings?: Partial<RequestSettings>
  readonly rules?: Partial<SenderRules>
  readonly endpoints?: readonly EndpointConfig[]
  /** How many endpoints must agree. */
  readonly quorum?: number
  /** Which of anvil's accounts pays; each but the first one given remembers nothing over a restart. */
  readonly payer?: number
}

/** Anvil's accounts, as everybody knows them; the last one deploys and asks. */
const payers: readonly string[] = [...keys, '0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a']

/** What a callback does. */
export type Callback = 'note' | 'burn'

const callbacks: Readonly<Record<Callback, string>> = {
  // Slot id: the selector that came. Slot id + 1: the third word, which is onAnswer's value.
  note: '5f3560e01c6004355560443560043560010155' + '00',
  burn: 'fe',
}

const byte = (value: number): string => value.toString(16).padStart(2, '0')

/** Runtime that gives its calldata to `hub`, `times` over, and does `callback` when the hub calls. */
function askerCode(hub: string, callback: Callback, times: number): string {
  const address = `73${hub.slice(2)}`
  const head = `${address}3314`
  const start = head.length / 2 + 3
  // CALLDATACOPY, the count, then the loop.
  const copy = `36 5f 5f 37 60${byte(times)}`.replaceAll(' ', '')
  const loopAt = start + copy.length / 2
  const call = `5b 5f 5f 36 5f 5f ${address} 5a f1`.replaceAll(' ', '')
  const okAt = loopAt + call.length / 2 + 6
  const check = `60${byte(okAt)}57 5f 5f fd 5b`.replaceAll(' ', '')
  const next = `60 01 90 03 80 60${byte(loopAt)} 57 00`.replaceAll(' ', '')
  const body = copy + call + check + next
  const callbackAt = start + body.length / 2
  const runtime = `${head}60${byte(callbackAt)}57${body}5b${callbacks[callback]}`
  const length = byte(runtime.length / 2)
  return `0x60${length}600c60003960${length}6000f3${runtime}`
}

interface Receipt {
  readonly status: string
  readonly gasUsed: string
  readonly contractAddress: string | null
  readonly blockNumber: string
  readonly logs: readonly { readonly address: string; readonly topics: readonly string[] }[]
}

/** A chain with a hub; blocks come when told to, at the scene's time. */
export class RequestScene {
  readonly anvil: Anvil
  readonly engine: SigningEngine
  readonly committee: Committee
  readonly kernel: ReportKernel
  readonly from: string
  hub = ''
  /** The scene's time, ms. */
  nowMs = 1_800_000_000_000
  /** What a desk saved last. */
  saved: Uint8Array | null = null
  /** What answers cost, over all lives. */
  readonly costs: CostTable = createCosts()
  readonly lives: Life[] = []
  readonly #folder = mkdtempSync(join(tmpdir(), 'assay-requests-'))
  readonly #journals: Journal[] = []

  constructor(anvil: Anvil, engine: SigningEngine, from: string) {
    this.anvil = anvil
    this.engine = engine
    this.committee = parseCommittee(engine, committeeDocument(engine))
    this.kernel = reportKernel(engine, this.committee)
    this.from = from
  }

  /** Mines one block at the scene's time. */
  async mine(): Promise<void> {
    const next = Math.floor(this.nowMs / 1000)
    await this.anvil.ask('evm_setNextBlockTimestamp', next)
    await this.anvil.mine()
  }

  /** Gives transactions to the chain and mines a block a second later; their receipts. */
  async transact(...transactions: readonly Readonly<Record<string, unknown>>[]): Promise<readonly Receipt[]> {
    const hashes: unknown[] = []
    for (const transaction of transactions)
      hashes.push(await this.anvil.ask('eth_sendTransaction', { from: this.from, gas: '0xf00000', ...transaction }))
    this.nowMs += 1000
    await this.mine()
    const receipts: Receipt[] = []
    for (const hash of hashes) receipts.push((await this.anvil.ask<Receipt>('eth_getTransactionReceipt', hash))!)
    return receipts
  }

  async asker(callback: Callback, times = 1): Promise<string> {
    const [receipt] = await this.transact({ data: askerCode(this.hub, callback, times) })
    return receipt!.contractAddress!
  }

  /** The meaning of a feed, as a contract asks for it. */
  meaningOf(name: string): string {
    const { schema, unit, decimals, fields } = this.committee.feeds.find((feed) => feed.name === name)!
    return toHex(utf8(canonicalJson({ name, schema, unit, decimals, fields } as never)))
  }

  /** Calldata of a request that stays open for `openS` from the block after this one. */
  request(meaning: string, openS: number, callbackGas = 100_000): string {
    const deadlineS = Math.floor(this.nowMs / 1000) + 1 + openS
    return hubInterface.encodeFunctionData('request', [meaning, deadlineS, callbackGas])
  }

  /** Asks once; the request's id. */
  async ask(asker: string, feed: string, openS: number, callbackGas = 100_000): Promise<string> {
    const [receipt] = await this.transact({ to: asker, data: this.request(this.meaningOf(feed), openS, callbackGas) })
    if (receipt!.status !== '0x1') throw new Error('the request reverted')
    return receipt!.logs[0]!.topics[1]!
  }

  /** What an asker that notes was told: the callback's selector, and its third word. */
  async noted(asker: string, id: string): Promise<{ readonly selector: string; readonly value: bigint }> {
    const slot = async (key: bigint): Promise<bigint> =>
      BigInt(
        await this.anvil.ask<string>('eth_getStorageAt', asker, `0x${key.toString(16).padStart(64, '0')}`, 'latest'),
      )
    return {
      selector: `0x${(await slot(BigInt(id))).toString(16).padStart(8, '0')}`,
      value: await slot(BigInt(id) + 1n),
    }
  }

  /** A report of now, sealed; `change` of its readings. */
  report(change?: (readings: Reading[]) => readonly Reading[]): ReportParts {
    return sealedReport(this.engine, this.committee, this.kernel, this.nowMs, change)
  }

  /** The id of the hub's request number `count`. */
  idOf(count: number): string {
    const words = [31_337n, BigInt(this.hub), BigInt(count)].map((word) => word.toString(16).padStart(64, '0'))
    return toHex(this.engine.keccak256(Buffer.from(words.join(''), 'hex')))
  }

  /** The member whose turn is first for a request of this block time. */
  firstMember(id: string, requestedAtMs: number): number {
    const { committee } = this
    const seed = {
      committee: committee.digest,
      chainId: 31_337,
      store: this.hub,
      feedId: id,
      replacedMs: requestedAtMs,
    }
    return turnOrder(this.engine, seed, committee.members.length)[0]!
  }

  async open(parts: LifeParts = {}): Promise<Life> {
    const { committee, kernel, engine } = this
    const clock = () => ({ wallMs: this.nowMs, steadyMs: this.nowMs })
    const rpc = createRpcQuorum({
      endpoints: parts.endpoints ?? [{ name: 'anvil', url: this.anvil.url }],
      quorum: parts.quorum ?? 1,
      profile: chainProfile('local'),
      clock,
      timeoutMs: 2000,
    })
    const { payer = 1 } = parts
    const wallet = walletOf(payers[payer]!)
    const rules = rulesOf(wallet.address, { confirmations: 1, ...parts.rules })
    const journal = await openJournal({ disk: nodeDisk, path: join(this.#folder, `journal-${payer}`), owner: rules })
    this.#journals.push(journal)
    const events: RequestEvent[] = []
    const asked: number[] = []
    const outcomes: Outcome[] = []
    const faults: unknown[] = []
    let desk: RequestDesk | null = null
    const sender = createSender(rules, {
      rpc: createSenderRpc(rpc),
      wallet,
      journal,
      clock,
      stillWanted: async ({ id }) => desk!.isWanted(id),
      onNews: (news) => {
        if (news.kind === 'ended') outcomes.push(news.outcome)
        desk?.onNews(news)
      },
    })
    desk = createRequestDesk({
      engine,
      committee,
      kernel,
      member: parts.member ?? 0,
      costs: this.costs,
      settings: {
        chainId: 31_337,
        hub: this.hub,
        fromBlock: 1,
        blockMs: 1000,
        landBlocks: 1,
        stageMs: 8000,
        callbackGasMax: 500_000,
        requesters: null,
        openMax: 1000,
        openPerRequesterMax: 50,
        ...parts.settings,
      },
      ports: {
        clock,
        rpc,
        submit: (job) => sender.submit(job),
        openJobs: sender.openJobs,
        askFeed: (feed) => void asked.push(feed),
        memory: {
          load: async () => (payer === 1 ? this.saved : null),
          save: async (bytes) => {
            if (payer === 1) this.saved = bytes
          },
        },
        onEvent: (event) => void events.push(event),
        onFault: (error) => void faults.push(error),
      },
    })
    const close = async (): Promise<void> => {
      await desk.close()
      await sender.close()
      await journal.close()
      this.#journals.splice(this.#journals.indexOf(journal), 1)
      this.lives.splice(this.lives.indexOf(life), 1)
      rpc.close()
    }
    const life: Life = { desk, sender, rpc, events, asked, outcomes, faults, close }
    this.lives.push(life)
    return life
  }

  /** One look of a life at the chain: what a process does at each new head. */
  async look(life: Life): Promise<void> {
    const head = await life.rpc.head().catch((error: unknown): null => {
      if (!(error instanceof OracleError)) throw error
      return null
    })
    await life.sender.look()
    if (head !== null) await life.desk.onHead(head)
    life.desk.onTick()
    await this.#settled(life)
  }

  /** Lets `ms` pass: a block, a report where one is given, and a look. */
  async step(life: Life, ms = 1000, report: ReportParts | null = null): Promise<void> {
    this.nowMs += ms
    await this.mine()
    if (report !== null) life.desk.onReport(report)
    await this.look(life)
  }

  /** Steps with a report each until `done`; how many it took. */
  async until(
    life: Life,
    done: () => boolean,
    max = 120,
    change?: (readings: Reading[]) => readonly Reading[],
  ): Promise<number> {
    for (let steps = 0; steps < max; steps++) {
      if (done()) return steps
      this.nowMs += 1000
      await this.mine()
      life.desk.onReport(this.report(change))
      await this.look(life)
    }
    throw new Error(
      `not in ${max} steps: ${JSON.stringify(life.events.slice(-5), (_, v) => (typeof v === 'bigint' ? `${v}` : v))}`,
    )
  }

  /** Nothing is being decided or handed out any more. */
  async #settled(life: Life): Promise<void> {
    let seen = -1
    for (let still = 0; still < 3; ) {
      await life.sender.idle()
      await new Promise((resolve) => setImmediate(resolve))
      const now = life.events.length + life.sender.openJobs().length
      still = now === seen ? still + 1 : 0
      seen = now
    }
  }

  async stop(): Promise<void> {
    const faults = this.lives.flatMap((life) => life.faults)
    for (const life of [...this.lives]) await life.close()
    for (const journal of this.#journals) await journal.close()
    await this.anvil.stop()
    rmSync(this.#folder, { recursive: true })
    if (faults.length > 0) throw faults[0]
  }
}

/** A scene with a committee on chain and a hub. */
export async function openScene(): Promise<RequestScene> {
  const engine = await createWasmEngine()
  const args = ['--no-mining', '--block-base-fee-per-gas', '1000000000', '--gas-limit', '1000000000']
  const anvil = await startAnvil([...args, '--timestamp', '1800000000'])
  const from = (await anvil.ask<string[]>('eth_accounts'))[3]!
  const scene = new RequestScene(anvil, engine, from)
  const { lineage, generation, members } = scene.committee
  const deploy = async (made: Promise<{ readonly data: string }>): Promise<string> => {
    const [receipt] = await scene.transact({ data: (await made).data })
    return receipt!.contractAddress!
  }
  const registry = await deploy(new CommitteeRegistry__factory().getDeployTransaction(lineage, from, from, 86_400))
  const signers = members.map(({ address }) => address)
  const data = CommitteeRegistry__factory.createInterface().encodeFunctionData('start', [generation, 1, signers])
  await scene.transact({ to: registry, data })
  scene.hub = (await deploy(new RequestHub__factory().getDeployTransaction(registry))).toLowerCase()
  return scene
}

/** Readings with one feed's status. */
export function withStatus(feed: number, status: keyof typeof statusCodes): (all: Reading[]) => readonly Reading[] {
  return (all) =>
    all.map((reading, i) => {
      if (i !== feed) return reading
      const isAbsent = status === 'NO_DATA'
      const absent = { groups: 0, spreadPpm: 0, timeMs: 0, values: null }
      return { ...reading, status: statusCodes[status], ...(isAbsent ? absent : {}) }
    })
}
