// Reports for the bench, signed by keys of ours: the wire format of IReportVerifier, put together from its description.

import { AbiCoder, concat, id, keccak256, TypedDataEncoder, toBeHex } from 'ethers'
import { benchSigners, corrupt, type Signer } from './signer.js'

/** A committee of the bench, with its keys. */
export interface BenchCommittee {
  readonly lineage: string
  readonly generation: number
  readonly f: number
  readonly signers: readonly Signer[]
}

/** `n` members of which `f` may be faulty. */
export function benchCommittee(n: number, f: number): BenchCommittee {
  return { lineage: id(`Assay gas bench, ${n}`), generation: 1, f, signers: benchSigners(n) }
}

/** A bundle: its id and feeds, by which its leaf is made. */
export interface BenchBundle {
  readonly id: string
  readonly feedIds: readonly string[]
}

/** The meaning of a feed of the bench, whose hash is its id: a price with eight decimals. */
export function benchMeaning(bundle: number, feed: number): string {
  const fields = '[{"combine":"median","name":"price","type":"int64"}]'
  return `{"decimals":8,"fields":${fields},"name":"bench-${bundle}-${feed}","schema":"${id('price')}","unit":"USD"}`
}

/** Bundle number `index` of the bench, with `feeds` feeds. */
export function benchBundle(index: number, feeds: number): BenchBundle {
  const feedIds = Array.from({ length: feeds }, (_, feed) => id(benchMeaning(index, feed)))
  return { id: id(`Assay gas bench, bundle ${index}`), feedIds }
}

/** What a report says and how it is to be sent. */
export interface ReportPlan {
  readonly committee: BenchCommittee
  /** Seals of f+1, or attestations of a quorum. */
  readonly by: 'seals' | 'attestations'
  readonly timeMs: number
  /** The bundles told; the first stands at `depth` below the root. */
  readonly bundles: readonly BenchBundle[]
  readonly depth: number
  /** Whether the ids are left out. */
  readonly short?: boolean
}

const reportFields = [
  { name: 'epoch', type: 'uint32' },
  { name: 'round', type: 'uint32' },
  { name: 'attestedAtMs', type: 'uint64' },
  { name: 'root', type: 'bytes32' },
]
const spreadPpm = 800n
const groups = 5n
const validForS = 3600n
const delayMs = 900

/** The value that the bench's feeds have at a time: a price of five digits with eight decimals. */
export function benchValue(feed: number, timeMs: number): bigint {
  return 6_700_000_000_000n + BigInt(feed) * 10_000_019n + BigInt(timeMs % 1_000_000)
}

const metaOf = (timeMs: number): bigint =>
  (spreadPpm << 120n) | (groups << 104n) | (validForS << 64n) | BigInt(timeMs - delayMs)

const pairOf = (a: string, b: string): string => keccak256(BigInt(a) < BigInt(b) ? concat([a, b]) : concat([b, a]))

function leafOf(bundle: BenchBundle, timeMs: number): string {
  const feeds = bundle.feedIds.flatMap((feedId, feed) => [
    feedId,
    toBeHex(benchValue(feed, timeMs), 32),
    toBeHex(metaOf(timeMs), 32),
  ])
  return keccak256(keccak256(concat([bundle.id, ...feeds])))
}

/** One bundle's bytes before its siblings. */
function bundleBytes({ id: bundleId, feedIds }: BenchBundle, timeMs: number, short: boolean): string {
  const feeds = feedIds.flatMap((feedId, feed) => {
    const value = benchValue(feed, timeMs)
    if (short) return [toBeHex((value << 152n) | metaOf(timeMs), 32)]
    return [feedId, toBeHex(value, 32), toBeHex(metaOf(timeMs), 32)]
  })
  return concat([toBeHex(feedIds.length, 1), ...(short ? [] : [bundleId]), ...feeds])
}

const sibling = (level: number): string => id(`Assay gas bench, sibling ${level}`)

/** The bundles with their siblings, and the root: one bundle at `depth`, or several as neighbours in a tree of 2^depth. */
function tree({ bundles, timeMs, depth, short }: ReportPlan): { readonly bytes: string; readonly root: string } {
  if (bundles.length === 1) {
    const siblings = Array.from({ length: depth }, (_, level) => sibling(level))
    const root = siblings.reduce(pairOf, leafOf(bundles[0]!, timeMs))
    const bytes = bundleBytes(bundles[0]!, timeMs, short === true)
    return { bytes: concat([bytes, toBeHex(depth, 1), ...siblings, '0x00']), root }
  }
  return scattered(bundles, timeMs, depth)
}

/** Bundles spread evenly over a tree of 2^depth leaves, with the nodes that they do not share. */
function scattered(bundles: readonly BenchBundle[], timeMs: number, depth: number) {
  const stride = Math.floor(2 ** depth / bundles.length)
  const known = new Map<number, string>(bundles.map((bundle, i) => [2 ** depth + i * stride, leafOf(bundle, timeMs)]))
  const onPath = new Set<number>()
  for (const leaf of known.keys()) for (let node = leaf; node >= 1; node >>= 1) onPath.add(node)
  const nodeAt = (node: number): string => {
    if (known.has(node)) return known.get(node)!
    return onPath.has(node) ? pairOf(nodeAt(2 * node), nodeAt(2 * node + 1)) : id(`Assay gas bench, node ${node}`)
  }
  const parts = bundles.map((bundle, i) => {
    let node = 2 ** depth + i * stride
    const climb = (): string[] => {
      const siblings: string[] = []
      // A right child whose left brother is being proven waits for the merge; a left child waits for its brother.
      for (; node > 1 && !onPath.has(node ^ 1); node >>= 1) siblings.push(nodeAt(node ^ 1))
      return [toBeHex(siblings.length, 1), ...siblings]
    }
    const first = climb()
    const merges: string[][] = []
    for (; node > 1 && (node & 1) === 1; ) {
      node >>= 1
      merges.push(climb())
    }
    return concat([bundleBytes(bundle, timeMs, false), ...first, toBeHex(merges.length, 1), ...merges.flat()])
  })
  return { bytes: concat(parts), root: nodeAt(1) }
}

/** The report as the verifier takes it, and the same with one bit of its last signature changed. */
export function signReport(plan: ReportPlan): { readonly honest: string; readonly corrupted: string } {
  const { committee, by, timeMs, bundles, short } = plan
  const { lineage, generation, f, signers } = committee
  const addresses = signers.map(({ address }) => address)
  const salt = keccak256(
    AbiCoder.defaultAbiCoder().encode(
      ['bytes32', 'bytes32', 'uint256', 'uint256', 'address[]'],
      [id('assay/committee/v1'), lineage, generation, f, addresses],
    ),
  )
  const domain = { name: 'Assay', version: '1', salt }
  const { bytes, root } = tree(plan)
  const [epoch, round] = [12, 345]
  const report = { epoch, round, attestedAtMs: timeMs, root }
  const reportDigest = TypedDataEncoder.hash(domain, { Report: reportFields }, report)
  const sealed = { Sealed: [{ name: 'reportDigest', type: 'bytes32' }] }
  const digest = by === 'seals' ? TypedDataEncoder.hash(domain, sealed, { reportDigest }) : reportDigest
  const threshold = by === 'seals' ? f + 1 : Math.floor((signers.length + f) / 2) + 1
  const signatures = signers.slice(0, threshold).map(({ key }) => key.sign(digest).compactSerialized)
  const kind = (by === 'seals' ? 1 : 2) | (short === true ? 0x80 : 0)
  const bitmap = 2 ** threshold - 1
  const head = [
    toBeHex(kind, 1),
    toBeHex(generation, 4),
    toBeHex(epoch, 4),
    toBeHex(round, 4),
    toBeHex(timeMs, 6),
    toBeHex(bitmap, 4),
    toBeHex(bundles.length, 1),
  ]
  const whole = (last: string): string => concat([...head, bytes, ...signatures.slice(0, -1), last])
  return { honest: whole(signatures.at(-1)!), corrupted: whole(corrupt(signatures.at(-1)!)) }
}

/** What is appended to calldata: the report, its length, the marker. */
export function trailer(report: string): string {
  return concat([report, toBeHex((report.length - 2) / 2, 2), '0xa55a'])
}
