// What is planned, on a real chain: stores take the calldata, the gas is enough, and what they then show is not due again.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readClock } from '../../src/base/clock.js'
import { chainProfile } from '../../src/chain/chain-profile.js'
import { BundleStore__factory } from '../../src/chain/generated/factories/BundleStore__factory.js'
import { CommitteeRegistry__factory } from '../../src/chain/generated/factories/CommitteeRegistry__factory.js'
import { FeedStore__factory } from '../../src/chain/generated/factories/FeedStore__factory.js'
import { createRpcQuorum, type RpcQuorum } from '../../src/chain/rpc-quorum.js'
import { toHex } from '../../src/core/bytes.js'
import { type Committee, parseCommittee } from '../../src/core/committee.js'
import { openPacked, packReadings, readReading } from '../../src/core/layout.js'
import { type ReportKernel, reportKernel } from '../../src/core/report.js'
import type { ReportParts, Signatures } from '../../src/core/report-json.js'
import { domainOf, reportDigest, sealedDigest } from '../../src/core/typed-data.js'
import { createWasmEngine, type SigningEngine } from '../../src/crypto/engine-wasm.js'
import { dueBook } from '../../src/deliver/due-book.js'
import { type AttestedFeed, attestedFeed, type StoredView } from '../../src/deliver/facts.js'
import { type Push, planPushes } from '../../src/deliver/plan.js'
import { createPacker } from '../../src/deliver/push-data.js'
import { createStoreReader, type StoreReader } from '../../src/deliver/store-reader.js'
import type { FeedRule, Target } from '../../src/deliver/target.js'
import { type Anvil, startAnvil } from '../chain/anvil.js'
import { committeeDocument, memberKey } from '../committee-document.js'
import { readings } from '../signed-report.js'
import { target } from './fixtures.js'

let anvil: Anvil
let rpc: RpcQuorum
let reader: StoreReader
let engine: SigningEngine
let committee: Committee
let kernel: ReportKernel
let from: string
let registry: string
let feedStore: string
let bundleStore: string
/** T of the last report; the chain's time is near it. */
let timeMs = 0

beforeAll(async () => {
  engine = await createWasmEngine()
  committee = parseCommittee(engine, committeeDocument(engine))
  kernel = reportKernel(engine, committee)
  anvil = await startAnvil()
  from = ((await anvil.ask('eth_accounts')) as string[])[0]!
  rpc = createRpcQuorum({
    endpoints: [{ name: 'anvil', url: anvil.url }],
    quorum: 1,
    profile: chainProfile('local'),
    clock: readClock,
  })
  reader = createStoreReader(rpc)
  const lineage = committee.lineage
  registry = await deploy(new CommitteeRegistry__factory().getDeployTransaction(lineage, from, from, 86_400))
  const signers = committee.members.map(({ address }) => address)
  const start = CommitteeRegistry__factory.createInterface().encodeFunctionData('start', [
    committee.generation,
    1,
    signers,
  ])
  await send(registry, start)
  feedStore = await deploy(new FeedStore__factory().getDeployTransaction(registry))
  const majors = committee.bundles[0]!
  const ids = majors.feeds.map((index) => committee.feeds[index]!.feedId)
  bundleStore = await deploy(new BundleStore__factory().getDeployTransaction(registry, majors.id, ids))
  timeMs =
    Number(((await anvil.ask('eth_getBlockByNumber', 'latest', false)) as { timestamp: string }).timestamp) * 1000
})
afterAll(async () => {
  rpc?.close()
  await anvil?.stop()
})

interface Receipt {
  readonly status: string
  readonly gasUsed: string
  readonly contractAddress: string | null
}

async function receiptOf(transaction: Readonly<Record<string, unknown>>): Promise<Receipt> {
  const hash = await anvil.ask('eth_sendTransaction', { from, ...transaction })
  for (;;) {
    const receipt = (await anvil.ask('eth_getTransactionReceipt', hash)) as Receipt | null
    if (receipt !== null) return receipt
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function deploy(transaction: Promise<{ readonly data: string }>): Promise<string> {
  return (await receiptOf({ data: (await transaction).data, gas: '0xf00000' })).contractAddress!
}

async function send(to: string, data: string, gasLimit = 16_000_000): Promise<Receipt> {
  return receiptOf({ to, data, gas: `0x${gasLimit.toString(16)}` })
}

/** A report a second after the last; sealed by two unless said. */
function report(isSealed = true): ReportParts {
  timeMs += 1000
  const current = readings().map((reading) => ({ ...reading, timeMs: timeMs - 1500 }))
  const values = packReadings(kernel.layout, current)
  const header = { epoch: 1, round: 1, attestedAtMs: timeMs, root: kernel.root(values) }
  const domain = domainOf(engine, committee.salt)
  const digest = reportDigest(engine, domain, header)
  const by = (signers: readonly number[], over: Uint8Array): Signatures => ({
    signers,
    signatures: signers.map((member) => engine.sign(over, memberKey(engine, member))),
  })
  const seals = isSealed ? { seals: by([0, 2], sealedDigest(engine, domain, digest)) } : {}
  return { ...header, values, ...by([0, 1, 3], digest), ...seals }
}

function attestedIn(parts: ReportParts): (rule: FeedRule) => AttestedFeed {
  const packed = openPacked(kernel.layout, parts.values)
  return ({ feed }) => attestedFeed(engine, feed, readReading(kernel.layout, packed, feed.index), parts.attestedAtMs)
}

/** What is due in `goal` by `parts`, and what the store has. */
async function dueIn(goal: Target, parts: ReportParts): Promise<{ pushes: readonly Push[]; view: StoredView }> {
  const view = await reader.readStored(
    goal,
    goal.rules.map(({ feed }) => feed.feedId),
  )
  const book = dueBook(goal)
  book.update((feedId) => view.feeds.get(feedId), attestedIn(parts), timeMs)
  return { pushes: planPushes(goal, book.due(), createPacker(engine, committee, kernel).shapeOf(parts)), view }
}

const everything = { feeds: ['btc-usd', 'ams-temperature', 'btc-usd-candle', 'quake'].map((name) => ({ name })) }

describe('a planned push', () => {
  const kinds: readonly [string, () => Target][] = [
    ['FeedStore, all bundles', () => target(committee, { store: feedStore, ...everything })],
    ['BundleStore', () => target(committee, { store: bundleStore, kind: 'bundle', bundle: 'majors', feeds: [] })],
  ]
  for (const [name, make] of kinds)
    it(`is taken by a real ${name}, with enough gas and not far more, and ends what was due`, async () => {
      const goal = make()
      for (const isSealed of [true, false]) {
        const parts = report(isSealed)
        // The second time something has to be due again: everything, as if nothing were stored.
        const due = isSealed
          ? (await dueIn(goal, parts)).pushes
          : (await dueIn({ ...goal, marginMs: 10 ** 9 }, parts)).pushes
        expect(due).toHaveLength(1)
        const reason = isSealed ? 'first value' : 'heartbeat'
        expect(due[0]!.feeds.map((feed) => feed.reason)).toEqual(goal.rules.map(() => reason))
        const push = due[0]!
        const data = toHex(createPacker(engine, committee, kernel).pushData(goal, parts, push.bundles))
        expect(await reader.whyReverts(goal, data)).toBeNull()
        const { status, gasUsed } = await send(goal.store, data, push.gasLimit)
        expect(status).toBe('0x1')
        expect(push.gasLimit).toBeLessThan(3 * Number(gasUsed))
        expect(await reader.whyReverts(goal, data)).toBe('NothingNewer')

        const { view } = await dueIn(goal, parts)
        for (const rule of goal.rules) {
          const { value, attestedAtMs, status, kind } = attestedIn(parts)(rule)
          expect(view.feeds.get(rule.feed.feedId)).toMatchObject({ value, attestedAtMs, status, kind })
        }
        expect((await dueIn(goal, report())).pushes).toEqual([])
      }
    })

  it('is refused in words, and an address without a store is no empty store', async () => {
    const goal = target(committee, { store: feedStore, ...everything })
    expect(await reader.whyReverts(goal, '0x12345678')).toBe('UnknownFunction')
    // An account without code answers nothing, a contract that is none reverts.
    for (const store of [from, registry])
      await expect(reader.readStored({ ...goal, store }, [committee.feeds[0]!.feedId])).rejects.toMatchObject({
        code: 'TARGET_INVALID',
      })
  })
})
