// A desk of requests before a chain that a test makes up: what its hub says, what calls return, and a disk that fails.

import type { Block, Log } from '../../src/chain/answers.js'
import { RequestHub__factory } from '../../src/chain/generated/factories/RequestHub__factory.js'
import type { CallResult, Question } from '../../src/chain/questions.js'
import type { RpcQuorum } from '../../src/chain/rpc-quorum.js'
import type { Job } from '../../src/chain/sender-state.js'
import { type Committee, parseCommittee } from '../../src/core/committee.js'
import { reportKernel } from '../../src/core/report.js'
import type { ReportParts } from '../../src/core/report-json.js'
import type { SigningEngine } from '../../src/crypto/engine-wasm.js'
import { createCosts } from '../../src/deliver/costs.js'
import { createRequestDesk } from '../../src/deliver/request-desk.js'
import type { RequestDesk, RequestEvent, RequestSettings } from '../../src/deliver/request-event.js'
import { committeeDocument } from '../committee-document.js'
import { sealedReport } from './request-reports.js'

/** `value` as `bytes` bytes of 0x hex. */
export const hex = (value: number, bytes = 32): string => `0x${value.toString(16).padStart(2 * bytes, '0')}`
/** The hub of every desk here. */
export const hubAddress: string = hex(0xbeef, 20)
const hub = RequestHub__factory.createInterface()

/** What a test turns and sees. */
export interface DeskScene {
  desk: RequestDesk
  readonly committee: Committee
  nowMs: number
  /** All that the hub ever told. */
  readonly logs: Log[]
  /** The code at the hub's address. */
  code: string
  /** What every call returns. */
  call: CallResult
  /** Thrown by what reads the hub's events. */
  logError: Error | null
  /** Thrown by the memory, on loading and on saving. */
  diskError: Error | null
  saved: Uint8Array | null
  saves: number
  readonly events: RequestEvent[]
  readonly faults: unknown[]
  readonly jobs: Job[]
  blockOf(number: number): Block
  /** A request in `block`, open for `openS`. */
  requested(count: number, block: number, openS?: number, feedId?: string): Log
  report(): ReportParts
  /** Another process with what was saved. */
  restart(openJobs?: readonly string[]): void
  /** Resolves when nothing is being decided. */
  settled(): Promise<void>
  told(event: RequestEvent['event']): readonly RequestEvent[]
}

export const startMs = 1_800_000_000_000

/** A scene whose blocks come each second from `startMs`, with block 0. */
export function openDeskScene(engine: SigningEngine, settings: Partial<RequestSettings> = {}): DeskScene {
  const committee = parseCommittee(engine, committeeDocument(engine))
  const kernel = reportKernel(engine, committee)
  const { feedId: known } = committee.feeds[0]!
  const blockOf = (number: number): Block => ({
    number,
    hash: hex(number + 1_000_000),
    parentHash: hex(number + 999_999),
    timestampMs: startMs + 1000 * number,
    baseFee: 1n,
  })
  const clock = () => ({ wallMs: scene.nowMs, steadyMs: scene.nowMs })
  const rpc: Pick<RpcQuorum, 'head' | 'read' | 'blockAt'> = {
    head: async () => blockOf(Math.floor((scene.nowMs - startMs) / 1000)),
    blockAt: async (number) => blockOf(number),
    read: async <T>({ method, params }: Question<T>, at: { number: number; hash: string }) => {
      if (method === 'eth_getCode') return scene.code as T
      if (method !== 'eth_getLogs') return scene.call as T
      if (scene.logError !== null) throw scene.logError
      const [{ fromBlock, toBlock }] = params(at) as [{ fromBlock: string; toBlock: string }]
      const isAsked = ({ blockNumber: block }: Log): boolean => block >= Number(fromBlock) && block <= Number(toBlock)
      return scene.logs.filter(isAsked) as T
    },
  }
  const open = (openJobs: readonly string[]): RequestDesk =>
    createRequestDesk({
      ...{ engine, committee, kernel, member: 0, costs: createCosts() },
      settings: {
        ...{ chainId: 1, hub: hubAddress, fromBlock: 1, callbackGasMax: 500_000, requesters: null },
        ...{ openMax: 1000, openPerRequesterMax: 1000, stageMs: 8000, landBlocks: 1, blockMs: 1000 },
        ...settings,
      },
      ports: {
        clock,
        rpc,
        submit: async (job) => void scene.jobs.push(job),
        openJobs: () => openJobs,
        askFeed: () => {},
        memory: {
          load: async () => {
            if (scene.diskError !== null) throw scene.diskError
            return scene.saved
          },
          save: async (bytes) => {
            if (scene.diskError !== null) throw scene.diskError
            scene.saves++
            scene.saved = bytes
          },
        },
        onEvent: (event) => void scene.events.push(event),
        onFault: (error) => void scene.faults.push(error),
      },
    })
  const scene: DeskScene = {
    desk: null as unknown as RequestDesk,
    committee,
    nowMs: startMs,
    logs: [],
    code: '0x60',
    call: { reverted: false, data: '0x' },
    logError: null,
    diskError: null,
    saved: null,
    saves: 0,
    events: [],
    faults: [],
    jobs: [],
    blockOf,
    requested: (count, block, openS = 3600, feedId = known) => {
      const deadlineS = startMs / 1000 + block + openS
      const values = [hex(count), hex(0xaa, 20), feedId, '0x01', deadlineS, 100_000]
      const { topics, data } = hub.encodeEventLog('Requested', values)
      const where = { blockNumber: block, blockHash: blockOf(block).hash, transactionHash: hex(5), logIndex: count }
      return { address: hubAddress, topics, data, ...where }
    },
    report: () => sealedReport(engine, committee, kernel, scene.nowMs),
    restart: (openJobs = []) => {
      scene.desk = open(openJobs)
    },
    settled: async () => {
      let seen = -1
      for (let still = 0; still < 4; ) {
        await new Promise((resolve) => setImmediate(resolve))
        const now = scene.events.length + scene.jobs.length + scene.faults.length + scene.saves
        still = now === seen ? still + 1 : 0
        seen = now
      }
    },
    told: (event) => scene.events.filter((one) => one.event === event),
  }
  scene.restart()
  return scene
}
