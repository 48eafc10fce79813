// A report as contracts read it: the packed bytes of IReportVerifier.verifyPacked, made of the report.json a consumer got.

import { OracleError } from '../base/errors.js'
import { concat, fromHex, putU32, putU48, toHex } from './bytes.js'
import type { CommitteeKeys } from './committee.js'
import type { Engine } from './engine.js'
import { entryAt, entryBytes, hashLeaf } from './leaf.js'
import { hashPair } from './merkle.js'
import { thresholdsOf } from './thresholds.js'
import { openReport, type ProvenLeaf, type ProvenReport } from './verify-report.js'

/** In which form a contract wants the report. */
export interface CalldataOptions {
  /** f+1 seals or q attestations; seals unless the report lacks them. */
  readonly signatures?: 'seals' | 'attestations'
  /** Ids of the bundles to take, at least one, none repeated; all of the report unless said. */
  readonly bundles?: readonly string[]
  /**
   * Leaves out the ids of bundle and feeds, and packs each feed into a word, for a contract that knows them: one bundle
   * only. A bundle with a structured value, or a number beyond 104 bits, comes in full: such contracts read both forms.
   */
  readonly short?: boolean
  /** Appends length and marker, by which a contract finds a report at the end of its calldata. */
  readonly trailer?: boolean
}

const kinds = { seals: 1, attestations: 2 } as const
const shortBit = 0x80
const marker = [0xa5, 0x5a] as const
const headBytes = 24
/** What the two bytes of the trailer's length hold. */
const trailedBytesMax = 0xffff
/** What the byte that counts bundles holds. */
const bundlesMax = 0xff
/** Where a leaf's feeds begin: behind the bundle's id. */
const entriesAt = 32

/**
 * The bytes of report.json `bytes` as contracts take them: exactly as many signatures as they ask for, those of the
 * lowest members, and one Merkle proof for all bundles that sends no node twice and none that follows from others.
 * Throws OracleError with the code of `verifyReport` when the committee of `trust` did not attest the report, and
 * REPORT_QUORUM when it lacks the signatures that `options` names.
 */
export function toCalldata(
  engine: Engine,
  bytes: Uint8Array,
  trust: CommitteeKeys,
  options: CalldataOptions = {},
): Uint8Array {
  const proven = openReport(engine, bytes, trust, bytes.length)
  const { report } = proven
  const leaves = chosenLeaves(proven, options)
  const signed = chosenSignatures(proven, trust, options)

  const short = options.short === true && leaves.every(({ preimage }) => fitsShort(preimage))
  const head = new Uint8Array(headBytes)
  head[0] = kinds[signed.kind] | (short ? shortBit : 0)
  putU32(head, 1, trust.generation)
  putU32(head, 5, report.epoch)
  putU32(head, 9, report.round)
  putU48(head, 13, report.attestedAtMs)
  const bitmap = signed.members.reduce((bits, member) => bits | (1 << member), 0)
  putU32(head, 19, bitmap)
  head[23] = leaves.length

  const bundles = climbsOf(engine, leaves).map((climb) => {
    const { preimage, feeds } = leaves[climb.leaf]!
    const [first, ...merged] = climb.stretches.map((stretch) => concat(Uint8Array.of(stretch.length), ...stretch))
    const body = short ? shortForm(preimage) : preimage
    return concat(Uint8Array.of(feeds.length), body, first!, Uint8Array.of(merged.length), ...merged)
  })
  const packed = concat(head, ...bundles, ...signed.signatures)
  if (!options.trailer) return packed
  if (packed.length > trailedBytesMax)
    throw new Error(`${packed.length} bytes are too many to append: take fewer bundles`)
  return concat(packed, Uint8Array.of(packed.length >>> 8, packed.length, ...marker))
}

function chosenLeaves({ leaves }: ProvenReport, { bundles, short }: CalldataOptions): readonly ProvenLeaf[] {
  const ids = bundles ?? leaves.map((leaf) => leaf.id)
  if (ids.length === 0 || ids.length > bundlesMax || new Set(ids).size !== ids.length)
    throw new Error(`1 to ${bundlesMax} different bundles make a report, not ${ids.join()}`)
  if (short && ids.length > 1) throw new Error('a report without ids has one bundle')
  return ids.map((id) => {
    const leaf = leaves.find((candidate) => candidate.id === id)
    if (leaf === undefined) throw new Error(`the report has no bundle ${id}`)
    return leaf
  })
}

interface ChosenSignatures {
  readonly kind: keyof typeof kinds
  readonly members: readonly number[]
  readonly signatures: readonly Uint8Array[]
}

/** As many as a contract asks for and no more: each costs gas. */
function chosenSignatures(
  { report: { sealers, attesters }, seals, attestations }: ProvenReport,
  { addresses, f }: CommitteeKeys,
  options: CalldataOptions,
): ChosenSignatures {
  const { oneHonest, intersecting } = thresholdsOf(addresses.length, f)
  const kind = options.signatures ?? (sealers.length < oneHonest ? 'attestations' : 'seals')
  const [members, signatures, count] =
    kind === 'seals' ? [sealers, seals, oneHonest] : [attesters, attestations, intersecting]
  if (members.length < count)
    throw new OracleError('REPORT_QUORUM', `contracts ask for ${count} ${kind}, the report has ${members.length}`)
  return {
    kind,
    members: members.slice(0, count),
    signatures: signatures.slice(0, count),
  }
}

/** Bytes of a number in the short form: beside it, the 19 bytes of meta that are in use fill a word. */
const shortNumberBytes = 13

/** Whether each word of a leaf is a number of as many bits as the short form has room for. */
function fitsShort(preimage: Uint8Array): boolean {
  for (let at = entriesAt; at < preimage.length; at += entryBytes) {
    const word = preimage.subarray(at + entryAt.word, at + entryAt.meta)
    const low = word.length - shortNumberBytes
    const sign = word[low]! & 0x80 ? 0xff : 0
    if (word.subarray(0, low).some((byte) => byte !== sign)) return false
  }
  return true
}

function shortForm(preimage: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = []
  for (let at = entriesAt; at < preimage.length; at += entryBytes)
    parts.push(
      preimage.subarray(at + entryAt.meta - shortNumberBytes, at + entryAt.meta),
      preimage.subarray(at + entryAt.meta + shortNumberBytes, at + entryBytes),
    )
  return concat(...parts)
}

/** One leaf's way up: the siblings of its own first stretch, then those after each merge with what waits. */
interface Climb {
  readonly leaf: number
  readonly stretches: Uint8Array[][]
}

/**
 * The leaves in the order of the tree they stand in, with what a reader cannot work out. Nodes are known by their
 * hashes, so neither the tree's shape nor its size matters.
 */
function climbsOf(engine: Engine, leaves: readonly ProvenLeaf[]): Climb[] {
  const leafOf = new Map<string, number>()
  /** Each node that some chosen leaf lies below: the child on that way, and the other. */
  const children = new Map<string, readonly [string, string]>()
  let root = ''
  leaves.forEach(({ preimage, proof }, i) => {
    let node = hashLeaf(engine, preimage)
    leafOf.set(toHex(node), i)
    for (const sibling of proof) {
      const parent = hashPair(engine, node, sibling)
      const known = children.get(toHex(parent))
      if (known === undefined) children.set(toHex(parent), [toHex(node), toHex(sibling)])
      node = parent
    }
    root = toHex(node)
  })
  const climbs: Climb[] = []
  const walk = (node: string): Climb => {
    const pair = children.get(node)
    if (pair === undefined) {
      const climb = { leaf: leafOf.get(node)!, stretches: [[]] }
      climbs.push(climb)
      return climb
    }
    const [ours, other] = pair
    const first = walk(ours)
    if (!children.has(other) && !leafOf.has(other)) {
      first.stretches.at(-1)!.push(fromHex(other, 32)!)
      return first
    }
    const second = walk(other)
    second.stretches.push([])
    return second
  }
  walk(root)
  return climbs
}
