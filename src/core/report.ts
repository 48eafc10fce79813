// From a proposal to its report (P8): time, values, and the Merkle root over the bundles that hold them.

import { abiEncode } from './abi.js'
import { fromHex } from './bytes.js'
import { combiner, lowerMedian } from './combine.js'
import type { Committee, Feed } from './committee.js'
import type { Engine } from './engine.js'
import { type Layout, layoutOf, openPacked, type Packed, presentBit, type Row, readCell, recordAt } from './layout.js'
import { entryBytes, hashLeaf, kindOf, writeEntryMeta } from './leaf.js'
import { merkleRoot } from './merkle.js'
import type { Observation, ReportHeader, Slot } from './messages.js'

/** What a proposal comes to: the header that is signed, and the values under its root. */
export interface Report extends ReportHeader {
  readonly values: Uint8Array
  /** Whether at least one feed has a value: what counts as progress (P12). */
  readonly hasValue: boolean
}

/** A report with a quorum of attestations (P10). Signatures in ascending order of `signers`. */
export interface AttestedReport extends Report {
  readonly digest: Uint8Array
  readonly signers: readonly number[]
  readonly signatures: readonly Uint8Array[]
}

/** P8 and the leaves of one committee, with the buffers they reuse. */
export interface ReportKernel {
  readonly layout: Layout
  /** The report of at least n−f verified observations of `slot`. */
  report(slot: Slot, observations: readonly Observation[]): Report
  /** The Merkle root over packed values that checkPacked accepted. */
  root(values: Uint8Array): Uint8Array
  /** All leaves in order of bundles, fresh; for proofs. */
  leaves(values: Uint8Array): readonly Uint8Array[]
  /** The leaf pre-image of one bundle: bundle id, then feedId, word and meta of each feed; fresh bytes. */
  leafPreimage(values: Uint8Array, bundle: number): Uint8Array
  /** How many leaves, from the first, form the subtree next to the root. */
  readonly hotCount: number
}

/** Builds the kernel: leaf pre-images are laid out once, each round writes only words and metas into them. */
export function reportKernel(engine: Engine, committee: Committee): ReportKernel {
  const layout = layoutOf(committee)
  const combine = combiner(layout, committee.thresholds)
  const bundles = committee.bundles.map((bundle) => ({
    feeds: bundle.feeds,
    preimage: bundlePreimage(
      bundle.id,
      bundle.feeds.map((index) => committee.feeds[index]!.feedId),
    ),
  }))
  const hotCount = committee.bundles.filter((bundle) => bundle.hot).length

  const fill = (values: Packed, bundle: (typeof bundles)[number]): Uint8Array => {
    const { preimage, feeds } = bundle
    const view = new DataView(preimage.buffer)
    for (let i = 0; i < feeds.length; i++) {
      const feed = feeds[i]!
      writeEntry(engine, committee.feeds[feed]!, layout.rows[feed]!, values, view, 32 + i * entryBytes)
    }
    return preimage
  }
  const leaves = (values: Uint8Array): readonly Uint8Array[] => {
    const packed = openPacked(layout, values)
    return bundles.map((bundle) => hashLeaf(engine, fill(packed, bundle)))
  }
  const root = (values: Uint8Array): Uint8Array => merkleRoot(engine, leaves(values), hotCount)

  return {
    layout,
    hotCount,
    leaves,
    root,
    leafPreimage: (values, bundle) => fill(openPacked(layout, values), bundles[bundle]!).slice(),
    report: (slot, observations) => {
      const values = combine(observations.map((observation) => observation.readings))
      return {
        epoch: slot.epoch,
        round: slot.round,
        attestedAtMs: lowerMedian(observations.map((observation) => observation.clockMs)),
        root: root(values),
        values,
        hasValue: layout.rows.some((row) => (values[row.offset]! & presentBit) !== 0),
      }
    },
  }
}

function bundlePreimage(id: string, feedIds: readonly string[]): Uint8Array {
  const preimage = new Uint8Array(32 + feedIds.length * entryBytes)
  preimage.set(fromHex(id, 32)!)
  feedIds.forEach((feedId, i) => {
    preimage.set(fromHex(feedId, 32)!, 32 + i * entryBytes)
  })
  return preimage
}

/** Writes one feed's word and meta. The word is the number itself, or the hash of abi.encode of all fields, or 0. */
function writeEntry(engine: Engine, feed: Feed, row: Row, values: Packed, leaf: DataView, at: number): void {
  const head = values.bytes[row.offset]!
  const present = (head & presentBit) !== 0
  const kind = kindOf(feed.fields)
  if (!present) zeroWord(leaf, at + 32)
  else if (kind === 0) writeNumber(values.view, row, leaf, at + 32)
  else new Uint8Array(leaf.buffer).set(engine.keccak256(encodeValue(feed, row, values)), at + 32)
  writeEntryMeta(leaf, at, {
    timeHigh: values.view.getUint16(row.offset + recordAt.time),
    timeLow: values.view.getUint32(row.offset + recordAt.time + 2),
    validForS: feed.validForS,
    status: head & 0x0f,
    groups: values.bytes[row.offset + recordAt.groups]!,
    kind,
    spreadPpm: values.view.getUint32(row.offset + recordAt.spread),
  })
}

/** abi.encode of all fields in schema order: the signed form of a structured value. */
function encodeValue(feed: Feed, row: Row, values: Packed): Uint8Array {
  return abiEncode(
    feed.fields.map((field) => field.type),
    row.cells.map((cell) => readCell(values, cell)),
  )
}

function zeroWord(leaf: DataView, at: number): void {
  for (let i = 0; i < 32; i += 4) leaf.setUint32(at + i, 0)
}

function writeNumber(values: DataView, row: Row, leaf: DataView, at: number): void {
  const cell = row.cells[0]!
  const sign = values.getInt32(cell.offset) < 0 ? 0xffff_ffff : 0
  const pad = 32 - cell.bytes
  for (let i = 0; i < pad; i += 4) leaf.setUint32(at + i, sign)
  for (let i = 0; i < cell.bytes; i += 4) leaf.setUint32(at + pad + i, values.getUint32(cell.offset + i))
}
