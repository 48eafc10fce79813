// Calldata of a push: some bundles of an attested report as a store takes them.

import { concat, utf8 } from '../core/bytes.js'
import { type Committee, keysOf } from '../core/committee.js'
import type { Engine } from '../core/engine.js'
import { merkleTree } from '../core/merkle.js'
import type { ReportKernel } from '../core/report.js'
import { toCalldata } from '../core/report-calldata.js'
import { buildReport, type ReportParts } from '../core/report-json.js'
import type { ReportShape } from './plan.js'
import type { Target } from './target.js'

/** What reports of a committee are packed with. */
export interface Packer {
  /** How long `report` gets. */
  shapeOf(report: ReportParts): ReportShape
  /** push() with `bundles` of `report` behind it; proven before it leaves, so no fault of ours is sent. */
  pushData(target: Pick<Target, 'kind'>, report: ReportParts, bundles: readonly number[]): Uint8Array
}

/** The packer of `committee`. */
export function createPacker(engine: Engine, committee: Committee, kernel: ReportKernel): Packer {
  const selector = engine.keccak256(utf8('push()')).slice(0, 4)
  const keys = keysOf(committee)
  // The tree's shape is that of any leaves.
  const leaves = committee.bundles.map(() => new Uint8Array(32))
  const tree = merkleTree(engine, leaves, kernel.hotCount)
  const siblings = committee.bundles.map(({ index }) => tree.proof(index).length)
  return {
    shapeOf: (report) => ({
      signatures: isSealed(committee, report) ? committee.thresholds.oneHonest : committee.thresholds.intersecting,
      feedsOf: (bundle) => committee.bundles[bundle]!.feeds.length,
      siblingsOf: (bundle) => siblings[bundle]!,
    }),
    pushData: ({ kind }, report, bundles) => {
      const bytes = buildReport(engine, committee, kernel, report, bundles)
      const signatures = isSealed(committee, report) ? 'seals' : 'attestations'
      // A BundleStore knows the ids of its bundle.
      const options = { signatures, trailer: true, ...(kind === 'bundle' ? { short: true } : {}) } as const
      return concat(selector, toCalldata(engine, bytes, keys, options))
    },
  }
}

/** Whether a contract takes the report by its seals, which are fewer than a quorum's attestations. */
export function isSealed({ thresholds }: Committee, { seals }: ReportParts): boolean {
  return (seals?.signers.length ?? 0) >= thresholds.oneHonest
}
