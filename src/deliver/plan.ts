// Which transactions carry the feeds that are due: one for all bundles of a report unless it gets too long or too dear.

import { dueReasons } from './due.js'
import type { DueFeed } from './due-book.js'
import type { Target } from './target.js'

/** What a plan needs to know of a report: how long it gets. */
export interface ReportShape {
  /** Signatures that a contract asks for. */
  readonly signatures: number
  /** Feeds of a bundle, by its index. */
  readonly feedsOf: (bundle: number) => number
  /** Siblings from a bundle's leaf to the root. */
  readonly siblingsOf: (bundle: number) => number
}

/** One transaction: some bundles of one report to one store. */
export interface Push {
  /** Indices of the bundles, most urgent first. */
  readonly bundles: readonly number[]
  /** What it is sent for, most urgent first. */
  readonly feeds: readonly DueFeed[]
  /** No shorter than its calldata will be. */
  readonly bytesMax: number
  /** No less than it will use, even where each feed's slot is written for the first time. */
  readonly gasLimit: number
}

/** Selector, head and trailer. */
const fixedBytes = 4 + 24 + 4
const signatureBytes = 64
/** The two counts and merge of a bundle, and its id. */
const bundleBytes = 4 + 32
const feedBytes = 96
const siblingBytes = 32
/** What the byte that counts bundles holds. */
const bundlesMax = 255

/** Gas above what docs/gas.md measures: a transaction, its accounts and event, then each part. */
export const gas = {
  transaction: 21_000,
  byte: 16,
  byteFloor: 40,
  fixed: 30_000,
  signature: 5_000,
  feed: 24_000,
  sibling: 500,
}

/** The transactions for what is due, most urgent first; none of them too long, unless a single bundle is. */
export function planPushes(target: Target, due: readonly DueFeed[], shape: ReportShape): readonly Push[] {
  const byBundle = new Map<number, DueFeed[]>()
  for (const feed of [...due].sort(byUrgency)) {
    const feeds = byBundle.get(feed.rule.bundle)
    if (feeds === undefined) byBundle.set(feed.rule.bundle, [feed])
    else feeds.push(feed)
  }
  const pushes: Push[] = []
  for (const [bundle, feeds] of byBundle) {
    const last = pushes.at(-1)
    const joined = last === undefined ? null : pushOf([...last.bundles, bundle], [...last.feeds, ...feeds], shape)
    if (joined !== null && fits(target, joined)) pushes[pushes.length - 1] = joined
    else pushes.push(pushOf([bundle], feeds, shape))
  }
  return pushes
}

/** Status before first value before deviation before heartbeat; then what is due longest, then the document's order. */
function byUrgency(a: DueFeed, b: DueFeed): number {
  const reasons = dueReasons.indexOf(a.reason) - dueReasons.indexOf(b.reason)
  return reasons || a.sinceMs - b.sinceMs || a.rule.feed.index - b.rule.feed.index
}

function fits({ calldataBytesMax, gasMax }: Target, { bundles, bytesMax, gasLimit }: Push): boolean {
  return bundles.length <= bundlesMax && bytesMax <= calldataBytesMax && gasLimit <= gasMax
}

function pushOf(bundles: readonly number[], feeds: readonly DueFeed[], shape: ReportShape): Push {
  const count = sum(bundles, shape.feedsOf)
  const siblings = sum(bundles, shape.siblingsOf)
  const { signatures } = shape
  const bytesMax =
    fixedBytes +
    signatures * signatureBytes +
    bundles.length * bundleBytes +
    count * feedBytes +
    siblings * siblingBytes
  const used = gas.byte * bytesMax + gas.fixed + gas.signature * signatures + gas.feed * count + gas.sibling * siblings
  return { bundles, feeds, bytesMax, gasLimit: gas.transaction + Math.max(used, gas.byteFloor * bytesMax) }
}

function sum(bundles: readonly number[], of: (bundle: number) => number): number {
  return bundles.reduce((total, bundle) => total + of(bundle), 0)
}
