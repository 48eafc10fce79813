// The rows of our own contracts: committees of several sizes, pull, push, read, and what rotating and pausing cost.

import { AbiCoder, concat, toBeHex, toUtf8Bytes } from 'ethers'
import { type Chain, type Deployed, intrinsicGas } from './chain.js'
import { type Artifact, compile } from './compile.js'
import {
  type BenchBundle,
  type BenchCommittee,
  benchBundle,
  benchCommittee,
  benchMeaning,
  benchValue,
  type ReportPlan,
  signReport,
  trailer,
} from './report.js'
import type { Row } from './row.js'

const terms = { bench: 'gas', system: 'assay', rotation: true, pause: true, validityWindow: true } as const
const entries = ['CommitteeRegistry', 'FeedStore', 'BundleStore', 'AggregatorFacade', 'PythFacade'].map(
  (name) => `contracts/src/${name}.sol`,
)

/** A started registry, and what measuring with it takes. */
interface Bench {
  readonly chain: Chain
  readonly artifacts: Readonly<Record<string, Artifact>>
  readonly registry: Deployed
  readonly committee: BenchCommittee
  readonly rows: Row[]
}

/** Every row of Assay. */
export async function oursRows(chain: Chain): Promise<readonly Row[]> {
  const artifacts = compile('assay', [...entries, 'ours/Consumers.sol'])
  const rows: Row[] = []
  for (const [n, f] of [
    [4, 1],
    [7, 2],
    [31, 10],
  ] as const) {
    const committee = benchCommittee(n, f)
    const registry = await startRegistry(chain, artifacts, committee, rows)
    const bench = { chain, artifacts, registry, committee, rows }
    await pullRows(bench)
    if (n === 7) await pullBundleRows(bench)
    if (n < 31) await storeRows(bench)
    await changeRows(bench)
  }
  return rows
}

async function startRegistry(
  chain: Chain,
  artifacts: Readonly<Record<string, Artifact>>,
  { lineage, generation, f, signers }: BenchCommittee,
  rows: Row[],
): Promise<Deployed> {
  const owner = ((await chain.provider.send('eth_accounts', [])) as readonly string[])[0]!
  const registry = await chain.deploy(artifacts['CommitteeRegistry'], lineage, owner, owner, 86_400)
  const addresses = signers.map(({ address }) => address)
  const gas = await chain.invoke(registry, 'start', generation, f, addresses)
  rows.push(changeRow(signers.length, gas, 'the first committee: its verifier is created'))
  return registry
}

/** A transaction of `target` with a report appended, and the row it makes. */
async function pull(
  { chain, committee, rows }: Bench,
  target: Deployed,
  method: string,
  plan: Omit<ReportPlan, 'committee' | 'timeMs'>,
  note: string,
  encode: (honest: string) => string = (report) =>
    concat([target.interface.getFunction(method)!.selector, trailer(report)]),
): Promise<void> {
  const build = (timeMs: number) => signReport({ ...plan, committee, timeMs })
  // What a reader stores is non-zero in the steady state: one earlier report for it.
  await chain.send(target.address, encode(build(chain.now() * 1000).honest))
  const timeMs = chain.now() * 1000
  const { honest, corrupted } = build(timeMs)
  const returns = returned(target, method, plan.bundles, timeMs)
  const transaction = { to: target.address, data: encode(honest), corrupted: encode(corrupted), returns }
  const feeds = plan.bundles.reduce((sum, bundle) => sum + bundle.feedIds.length, 0)
  rows.push({
    ...terms,
    what: 'pull',
    feeds,
    ...signed(committee, plan.by),
    hop: 'consumer',
    ...(await chain.measure(transaction)),
    note,
  })
}

/** What the consumers of ours/Consumers.sol return for a report of that time. */
function returned(target: Deployed, method: string, bundles: readonly BenchBundle[], timeMs: number): string {
  const values = bundles.flatMap(({ feedIds }) => feedIds.map((_, feed) => benchValue(feed, timeMs)))
  if (method === 'feeds') return toBeHex(values.length, 32)
  if (method === 'prices') return AbiCoder.defaultAbiCoder().encode(['int256[]'], [values])
  return target.interface.encodeFunctionResult(method, [values[0]])
}

const signed = ({ signers, f }: BenchCommittee, by: ReportPlan['by']) => ({
  signatures: by === 'seals' ? f + 1 : Math.floor((signers.length + f) / 2) + 1,
  signers: signers.length,
})

async function pullRows(bench: Bench): Promise<void> {
  const { chain, artifacts, registry, committee } = bench
  const bundle = benchBundle(0, 1)
  const bundles = [bundle]
  const [feedId] = bundle.feedIds
  const one = await chain.deploy(artifacts['PullOne'], registry.address, bundle.id, feedId)
  const by = 'seals'
  await pull(
    bench,
    one,
    'price',
    { by, bundles, depth: 4, short: true },
    'f+1 seals, depth 4, ids known to the consumer',
  )
  await pull(bench, one, 'price', { by, bundles, depth: 4 }, 'f+1 seals, depth 4, ids in the report')
  await pull(
    bench,
    one,
    'price',
    { by: 'attestations', bundles, depth: 4, short: true },
    'a quorum’s attestations, depth 4',
  )
  if (committee.signers.length !== 7) return
  await pull(bench, one, 'price', { by, bundles, depth: 0, short: true }, 'f+1 seals, depth 0')
  await pull(bench, one, 'price', { by, bundles, depth: 10, short: true }, 'f+1 seals, depth 10')
  const newest = await chain.deploy(artifacts['PullNewest'], registry.address, bundle.id, feedId)
  await pull(bench, newest, 'price', { by, bundles, depth: 4, short: true }, 'f+1 seals, depth 4, monotonic guard')
  const guarded = 'f+1 seals, depth 4, ids in the report, monotonic guard'
  await pull(bench, newest, 'price', { by, bundles, depth: 4 }, guarded)
  const once = await chain.deploy(artifacts['PullOnce'], registry.address, feedId)
  await pull(bench, once, 'price', { by, bundles, depth: 4 }, 'f+1 seals, depth 4, ids in the report, read three times')
  const argument = await chain.deploy(artifacts['PullArgument'], registry.address, feedId)
  await pull(
    bench,
    argument,
    'price',
    { by, bundles, depth: 4 },
    'f+1 seals, depth 4, ids in the report, as an argument',
    (report) => argument.interface.encodeFunctionData('price', [report]),
  )
}

async function pullBundleRows(bench: Bench): Promise<void> {
  const { chain, artifacts, registry } = bench
  const bundle = benchBundle(1, 10)
  const by = 'seals'
  const ten = await chain.deploy(artifacts['PullBundle'], registry.address, bundle.id, bundle.feedIds)
  await pull(
    bench,
    ten,
    'prices',
    { by, bundles: [bundle], depth: 4, short: true },
    'one bundle, depth 4, ids known to the consumer',
  )
  await pull(bench, ten, 'prices', { by, bundles: [bundle], depth: 4 }, 'one bundle, depth 4, ids in the report')
  const scattered = await chain.deploy(artifacts['PullScattered'], registry.address)
  const bundles = Array.from({ length: 10 }, (_, index) => benchBundle(10 + index, 1))
  await pull(bench, scattered, 'feeds', { by, bundles, depth: 7 }, 'ten bundles scattered over 128, one multiproof')
}

async function storeRows(bench: Bench): Promise<void> {
  const { chain, artifacts, registry, committee, rows } = bench
  const one = benchBundle(0, 1)
  const ten = benchBundle(1, 10)
  const store = await chain.deploy(artifacts['FeedStore'], registry.address)
  const packed = await chain.deploy(artifacts['BundleStore'], registry.address, ten.id, ten.feedIds)
  for (const [target, bundle, note, short] of [
    [store, one, 'depth 4', false],
    [store, ten, 'one bundle, depth 4, a slot each', false],
    [packed, ten, 'one bundle, depth 4, two to a slot', true],
  ] as const) {
    const push = (report: string) => concat([target.interface.getFunction('push')!.selector, trailer(report)])
    const build = () =>
      signReport({ committee, by: 'seals', timeMs: chain.now() * 1000, bundles: [bundle], depth: 4, short })
    await chain.send(target.address, push(build().honest))
    const { honest, corrupted } = build()
    const measured = await chain.measure({ to: target.address, data: push(honest), corrupted: push(corrupted) })
    const feeds = bundle.feedIds.length
    rows.push({
      ...terms,
      what: 'push',
      feeds,
      ...signed(committee, 'seals'),
      hop: 'direct',
      ...measured,
      note: `f+1 seals, ${note}`,
    })
  }
  const feedId = one.feedIds[0]!
  const meaning = toUtf8Bytes(benchMeaning(0, 0))
  const aggregator = await chain.deploy(artifacts['AggregatorFacade'], store.address, meaning, 3600)
  const pyth = await chain.deploy(artifacts['PythFacade'], store.address, [[feedId, meaning]], 3600)
  if (committee.signers.length !== 7) return
  for (const [hop, reader, args, note] of [
    ['consumer', 'StoreReader', [store.address, feedId], 'a slot each'],
    ['consumer', 'StoreReader', [packed.address, ten.feedIds[0]], 'two to a slot'],
    ['proxy', 'AggregatorReader', [aggregator.address], 'through AggregatorFacade'],
    ['proxy', 'PythReader', [pyth.address, feedId], 'through PythFacade'],
  ] as const) {
    const contract = await chain.deploy(artifacts[reader], ...args)
    const data = contract.interface.encodeFunctionData('price')
    const gas = (await chain.send(contract.address, data)) - intrinsicGas(data)
    const read = { what: 'read', feeds: 1, signatures: 0, signers: committee.signers.length, hop } as const
    rows.push({ ...terms, ...read, gas, corrupted: 'unsigned', note: `execution only; ${note}` })
  }
}

/** What it costs to rotate the committee, and to stop it. */
async function changeRows({ chain, registry, committee, rows }: Bench): Promise<void> {
  const { signers, f, generation } = committee
  const next = [generation + 1, f, signers.map(({ address }) => address), 3600] as const
  const propose = await chain.invoke(registry, 'propose', ...next, chain.now() + 3600)
  chain.setTime(chain.now() + 86_400)
  const activate = await chain.invoke(registry, 'activate', ...next)
  rows.push(changeRow(signers.length, propose + activate, 'another committee: proposed and, a day later, activated'))
  rows.push(
    changeRow(signers.length, await chain.invoke(registry, 'pause'), 'the guardian stops both living generations'),
  )
}

function changeRow(signers: number, gas: number, note: string): Row {
  const common = { what: 'change', feeds: 0, signatures: 0, signers, hop: 'direct', corrupted: 'unsigned' } as const
  return { ...terms, ...common, gas, note }
}
