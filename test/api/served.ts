// One oracle's API over a real report store: a committee, reports signed by its members, and facts a test may change.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NodeStatus, NodeView, PeerFacts } from '../../src/api/node-view.js'
import { type Api, startApi } from '../../src/api/start-api.js'
import { type Committee, parseCommittee } from '../../src/core/committee.js'
import { packReadings, type Reading } from '../../src/core/layout.js'
import type { Slot } from '../../src/core/messages.js'
import { type ReportKernel, reportKernel } from '../../src/core/report.js'
import { statusCodes } from '../../src/core/status.js'
import { domainOf, reportDigest, sealedDigest } from '../../src/core/typed-data.js'
import { createWasmEngine, type SigningEngine } from '../../src/crypto/engine-wasm.js'
import type { ChainEvent, ChainFacts } from '../../src/deliver/chain-event.js'
import type { FeedFacts, SourceFacts } from '../../src/observe/facts.js'
import { openReportStore, type ReportStore, type StoredReport } from '../../src/store/report-store.js'
import { type CommitteeDocument, committeeDocument, memberKey } from '../committee-document.js'
import { readings as allReadings, attestedAtMs as firstMs } from '../signed-report.js'

/** What a test sees and steers of an oracle that serves. */
export interface Served {
  readonly engine: SigningEngine
  readonly document: CommitteeDocument
  readonly committee: Committee
  readonly kernel: ReportKernel
  readonly store: ReportStore
  readonly view: NodeView
  readonly api: Api
  /** The oracle's clock. */
  nowMs: number
  readonly status: { -readonly [K in keyof NodeStatus]: NodeStatus[K] }
  readonly peers: { -readonly [K in keyof PeerFacts]: PeerFacts[K] }[]
  readonly chains: ChainFacts[]
  /** Signs, stores and announces the report of `round` (epoch 12), attested `round` seconds after the first. */
  report(round: number, readings?: readonly Reading[]): Promise<StoredReport>
  /** Tells the API of something that happened on a chain. */
  onChain(event: ChainEvent): void
  /** Says that `slot` has a report now, whether it has or not. */
  announce(slot: Slot): void
  seal(slot: Slot): Promise<void>
  get(path: string, init?: RequestInit): Promise<Response>
  close(): Promise<void>
}

export const epoch = 12
/** T of `round`. */
export function timeOf(round: number): number {
  return firstMs + 1000 * round
}

/** Readings of all six feeds at `round`: BTC's price says which round it is. */
export function readingsAt(round: number): Reading[] {
  return allReadings().map((reading, i) => ({
    ...reading,
    timeMs: reading.timeMs + 1000 * round,
    values: i === 0 ? [6_400_000_000_000n + BigInt(round)] : reading.values,
  }))
}

/** Makes a document's feeds 64 texts of a kilobyte: a report of some 250 kB. */
export function wordy(document: CommitteeDocument): void {
  const quake = document.feeds[5]!
  const text = { name: 'text', type: 'string', combine: 'majority', bytesMax: 1024 }
  document.feeds = Array.from({ length: 64 }, (_, i) => ({ ...quake, name: `text-${i}`, fields: [text] }))
  const names = document.feeds.map((feed) => feed.name)
  document.bundles = [0, 16, 32, 48].map((at) => ({ name: `texts-${at}`, feeds: names.slice(at, at + 16) }))
}

/** Readings of a wordy committee. */
export function textsAt({ committee }: Served, round: number): Reading[] {
  const reading = { status: statusCodes.OK, groups: 3, spreadPpm: 0, timeMs: timeOf(round) }
  return committee.feeds.map(() => ({ ...reading, values: [String(round).padEnd(1024, '.')] }))
}

const sources: readonly SourceFacts[] = [
  {
    feed: 'btc-usd',
    adapter: 'kraken',
    version: 1,
    params: { base: 'BTC', quote: 'USD' },
    group: 'kraken',
    state: 'counting',
    lastGood: {
      value: { price: '64000.1' },
      observedAtMs: firstMs,
      isReceiptTime: true,
      receivedAtMs: firstMs,
      latencyMs: 81.5,
    },
    lastError: null,
    deviationPpm: 12,
    counts: { good: 7, errors: {} },
  },
  {
    feed: 'btc-usd',
    adapter: 'coinbase',
    version: 1,
    params: { base: 'BTC', quote: 'USD' },
    group: 'coinbase',
    state: 'down',
    lastGood: null,
    lastError: { code: 'SOURCE_RATE_LIMITED', message: 'the source answered 429', path: '', atMs: firstMs },
    deviationPpm: null,
    counts: { good: 0, errors: { SOURCE_RATE_LIMITED: 3 } },
  },
]

const feedFacts: readonly FeedFacts[] = [
  {
    feed: 'btc-usd',
    status: 'LOW_CONFIDENCE',
    reasons: ['1 of 2 sources'],
    groups: 1,
    spreadPpm: 0,
    observedAtMs: firstMs,
  },
]

/** Serves a committee of four with `chains`; `change` may change its document first. */
export async function serve(
  change: (document: CommitteeDocument) => void = () => undefined,
  chains: ChainFacts[] = [],
): Promise<Served> {
  const engine = await createWasmEngine()
  const document = committeeDocument(engine)
  change(document)
  const committee = parseCommittee(engine, document)
  const kernel = reportKernel(engine, committee)
  const domain = domainOf(engine, committee.salt)
  const folder = mkdtempSync(join(tmpdir(), 'assay-api-'))
  const store = await openReportStore({ path: join(folder, 'reports'), onState: () => undefined, headroomBytes: 0 })
  const listeners = new Set<(slot: Slot) => void>()
  const chainListeners = new Set<(event: ChainEvent) => void>()

  const status: Served['status'] = {
    member: 'oracle-0',
    version: '0.1.0',
    engine: 'wasm',
    startedAtMs: firstMs,
    signingClosedBy: null,
    haltedBy: null,
    epoch,
    latest: null,
    reasons: [],
    reports: 0,
  }
  const peers = committee.members.map(({ index, name, address, endpoint }): Served['peers'][number] => {
    return { index, name, address, endpoint, state: index === 0 ? 'self' : 'up', reason: null, sinceMs: firstMs }
  })
  const view: NodeView = {
    engine,
    committee,
    document,
    kernel,
    store,
    nowMs: () => served.nowMs,
    status: () => status,
    sources: () => sources,
    feeds: () => feedFacts,
    peers: () => peers,
    drops: () => ({ SESSION_RATE: 3 }),
    chains: () => chains,
    onChain: (listener) => {
      chainListeners.add(listener)
      return () => chainListeners.delete(listener)
    },
    onReport: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const sign = (signers: readonly number[], digest: Uint8Array) => ({
    signers,
    signatures: signers.map((member) => engine.sign(digest, memberKey(engine, member))),
  })

  const api = await startApi(view, { host: '127.0.0.1', port: 0 })
  const served: Served = {
    engine,
    document,
    committee,
    kernel,
    store,
    view,
    api,
    nowMs: firstMs,
    status,
    peers,
    chains,
    onChain: (event) => {
      for (const listener of chainListeners) listener(event)
    },
    report: async (round, readings = readingsAt(round)) => {
      const values = packReadings(kernel.layout, readings)
      const header = { epoch, round, attestedAtMs: timeOf(round), root: kernel.root(values) }
      const report = { ...header, values, ...sign([0, 1, 3], reportDigest(engine, domain, header)) }
      await store.put(report)
      served.nowMs = Math.max(served.nowMs, timeOf(round) + 250)
      status.latest = { epoch, round, attestedAtMs: header.attestedAtMs }
      status.reports++
      served.announce({ epoch, round })
      return { ...report, seals: null }
    },
    announce: (slot) => {
      for (const listener of listeners) listener(slot)
    },
    seal: async (slot) => {
      const report = store.bySlot(slot)!
      await store.putSeals(slot, sign([0, 2], sealedDigest(engine, domain, reportDigest(engine, domain, report))))
    },
    get: (path, init) => fetch(`${api.url}${path}`, init),
    close: async () => {
      await api.close()
      await store.close()
      rmSync(folder, { recursive: true })
    },
  }
  return served
}
