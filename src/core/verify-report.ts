// What a consumer runs on report.json: bytes in, proven values or a refusal with its reason out (I-1, I-5, I-6).

import { OracleError } from '../base/errors.js'
import { abiEncode } from './abi.js'
import { equalBytes, getU32, putInt, toHex } from './bytes.js'
import { parseCanonical } from './canonical.js'
import { type CommitteeKeys, checkMeaning, type FeedMeaning, feedIdOf, saltOf } from './committee.js'
import type { Engine } from './engine.js'
import { entryAt, entryBytes, hashLeaf, kindOf, writeEntryMeta } from './leaf.js'
import { rootFromProof } from './merkle.js'
import { type DocumentCode, Place } from './place.js'
import { validUntilOf } from './report-json.js'
import { type Status, statusCodes, statuses } from './status.js'
import { thresholdsOf } from './thresholds.js'
import { domainOf, reportDigest, sealedDigest } from './typed-data.js'
import { checkValue, type JsonValue } from './value-json.js'

/** Bytes of the largest report.json read unless the caller says more: about 1,000 feeds. */
const REPORT_BYTES_MAX = 1024 * 1024

/** One feed as the committee signed it; times are ms since 1970. */
export interface VerifiedFeed extends FeedMeaning {
  readonly feedId: string
  /** As in report.json; null exactly when the status is NO_DATA. */
  readonly value: JsonValue | null
  /** The fields in order, integers unscaled (bool: 0n or 1n); null like `value`. */
  readonly cells: readonly (bigint | string)[] | null
  readonly observedAtMs: number
  readonly validForS: number
  readonly validUntilMs: number
  readonly status: Status
  readonly groups: number
  readonly kind: 0 | 1
  readonly spreadPpm: number
}

/** A report whose every field was proven. Members are named by their index in the committee. */
export interface VerifiedReport {
  readonly salt: string
  readonly epoch: number
  readonly round: number
  readonly attestedAtMs: number
  readonly root: string
  readonly digest: string
  readonly attesters: readonly number[]
  readonly sealers: readonly number[]
  readonly bundles: readonly { readonly id: string; readonly feeds: readonly VerifiedFeed[] }[]
}

/** The report, or why it is refused: a code of docs/errors.md and the JSON Pointer of the place. */
export type ReportVerdict =
  | { readonly ok: true; readonly report: VerifiedReport }
  | { readonly ok: false; readonly code: DocumentCode; readonly path: string; readonly message: string }

/** How strict to be beyond the signatures. */
export interface VerifyOptions {
  /** The reader's clock: values past their validity are refused (I-6). 'any' accepts every age, for archives and audits. */
  readonly nowMs: number | 'any'
  /** Statuses the reader can use, all others are refused (I-6): OK alone unless said, every one where any age will do. */
  readonly accept?: readonly Status[]
  readonly bytesMax?: number
}

const invalid = 'REPORT_INVALID'
const UINT32_MAX = 0xffff_ffff

/** An integer below 2^53 as a decimal string. */
function decimalString(place: Place, max: number): number {
  const value = Number(place.text(/^(?:0|[1-9][0-9]{0,15})$/, 'a whole number as a decimal string'))
  if (value > max) place.fail(`expected at most ${max}`)
  return value
}

function readFeed(engine: Engine, place: Place, leaf: DataView, start: number): VerifiedFeed {
  const at = place.fields(
    [
      ...(['feedId', 'name', 'schema', 'unit', 'decimals', 'fields', 'value', 'observedAtMs', 'validForS'] as const),
      ...(['validUntilMs', 'status', 'groups', 'kind', 'spreadPpm'] as const),
    ],
    ['valueBytes'],
  )
  const meaning = checkMeaning(at)
  const feedId = feedIdOf(engine, meaning)
  if (!equalBytes(feedId, at.feedId.bytes(32))) at.feedId.fail('not the hash of the feed’s meaning', 'REPORT_DERIVED')
  const kind = kindOf(meaning.fields)
  if (at.kind.integer(0, 1) !== kind) at.kind.fail(`fields of this kind make ${kind}`, 'REPORT_DERIVED')
  const status = at.status.oneOf<Status>(statuses)
  const cells = at.value.value === null ? null : checkValue(meaning, at.value)
  if ((cells === null) !== (status === 'NO_DATA')) at.status.fail('NO_DATA and a value exclude each other')
  const observedAtMs = decimalString(at.observedAtMs, 2 ** 48 - 1)
  const validForS = at.validForS.integer(1, UINT32_MAX)
  const validUntilMs = validUntilOf(observedAtMs, validForS)
  if (decimalString(at.validUntilMs, Number.MAX_SAFE_INTEGER) !== validUntilMs)
    at.validUntilMs.fail(`observedAtMs and validForS make ${validUntilMs}`, 'REPORT_DERIVED')
  const groups = at.groups.integer(0, 255)
  const spreadPpm = at.spreadPpm.integer(0, UINT32_MAX)

  const bytes = new Uint8Array(leaf.buffer)
  bytes.set(feedId, start + entryAt.feedId)
  if (kind === 0 || cells === null) {
    at.valueBytes?.fail('only structured values have bytes')
    putInt(bytes, start + entryAt.word, 32, (cells?.[0] as bigint | undefined) ?? 0n)
  } else {
    const encoded = abiEncode(
      meaning.fields.map((field) => field.type),
      cells,
    )
    if (at.valueBytes?.value !== toHex(encoded))
      (at.valueBytes ?? place).fail('valueBytes is abi.encode of the value', 'REPORT_DERIVED')
    bytes.set(engine.keccak256(encoded), start + entryAt.word)
  }
  const timeHigh = Math.floor(observedAtMs / 0x1_0000_0000)
  const timeLow = observedAtMs % 0x1_0000_0000
  writeEntryMeta(leaf, start, { timeHigh, timeLow, validForS, status: statusCodes[status], groups, kind, spreadPpm })
  const value = at.value.value as JsonValue | null
  const feed = { ...meaning, feedId: toHex(feedId), value, cells, observedAtMs, validForS, validUntilMs }
  return { ...feed, status, groups, kind, spreadPpm }
}

/** One bundle as its leaf was hashed: the pre-image, and the siblings that lead from it to the signed root. */
export interface ProvenLeaf {
  readonly id: string
  readonly feeds: readonly VerifiedFeed[]
  readonly preimage: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** A proven report with the bytes that prove it, for whoever packs it anew. Signatures are in the order of their members. */
export interface ProvenReport {
  readonly report: VerifiedReport
  readonly leaves: readonly ProvenLeaf[]
  readonly attestations: readonly Uint8Array[]
  readonly seals: readonly Uint8Array[]
}

function readLeaf(engine: Engine, place: Place): ProvenLeaf & { readonly root: Uint8Array } {
  const at = place.fields(['bundle', 'feeds', 'proof'])
  const id = at.bundle.bytes(32)
  const items = at.feeds.items(1, 16)
  const preimage = new Uint8Array(32 + items.length * entryBytes)
  preimage.set(id)
  const view = new DataView(preimage.buffer)
  const feeds = items.map((item, i) => readFeed(engine, item, view, 32 + i * entryBytes))
  const proof = at.proof.items(0, 32).map((item) => item.bytes(32))
  return { id: toHex(id), feeds, preimage, proof, root: rootFromProof(engine, hashLeaf(engine, preimage), proof) }
}

/** The members whose bits are set, in ascending order. */
function readBitmap(place: Place, n: number): number[] {
  const bits = getU32(place.bytes(4), 0)
  const members: number[] = []
  for (let i = 0; i < 32; i++) if ((bits >>> i) & 1) members.push(i)
  if ((members.at(-1) ?? 0) >= n) place.fail(`the committee has ${n} members`)
  return members
}

/** The signatures, each of which must be that of the bitmap's next member: distinct members by construction (I-5). */
function verifySignatures(
  engine: Engine,
  digest: Uint8Array,
  members: readonly number[],
  items: readonly Place[],
  addresses: readonly Uint8Array[],
): readonly Uint8Array[] {
  return members.map((member, i) => {
    const item = items[i]!
    const signature = item.bytes(64)
    const signer = engine.recover(digest, signature)
    if (signer === null || !equalBytes(signer, addresses[member]!))
      item.fail(`not a signature of member ${member} over this report`, 'REPORT_SIGNATURE')
    return signature
  })
}

/** I-6: a value past its validity or of a status the reader did not accept is refused, never passed on in silence. */
function checkUsable(report: VerifiedReport, options: VerifyOptions): void {
  const accept = options.accept ?? (options.nowMs === 'any' ? statuses : ['OK'])
  // A quorum says that it is at least T, whatever the reader's clock says.
  const nowMs = options.nowMs === 'any' ? 0 : Math.max(options.nowMs, report.attestedAtMs)
  report.bundles.forEach((bundle, i) => {
    bundle.feeds.forEach((feed, j) => {
      const place = new Place(feed, `/leaves/${i}/feeds/${j}`, invalid)
      if (!accept.includes(feed.status)) place.fail(`${feed.name} is ${feed.status}`, 'REPORT_STATUS')
      // Without a value there is nothing to be stale, and whoever accepts NO_DATA asked for exactly that.
      if (feed.value !== null && feed.validUntilMs < nowMs)
        place.fail(`${feed.name} was valid until ${feed.validUntilMs}, it is ${nowMs}`, 'REPORT_STALE')
    })
  })
}

/**
 * The report in `bytes` with what proves it, whatever its age and statuses. Throws OracleError with the code of
 * `verifyReport` for bytes that the committee of `trust` did not attest.
 */
export function openReport(
  engine: Engine,
  bytes: Uint8Array,
  trust: CommitteeKeys,
  bytesMax: number = REPORT_BYTES_MAX,
): ProvenReport {
  const { addresses } = trust
  if (new Set(addresses.map(toHex)).size !== addresses.length) throw new Error('the trusted addresses are not distinct')
  const thresholds = thresholdsOf(addresses.length, trust.f)
  const top = new Place(parseCanonical(bytes, bytesMax), '', invalid)
  const at = top.fields(
    ['version', 'salt', 'epoch', 'round', 'attestedAtMs', 'bitmap', 'attestations', 'leaves'],
    ['seals'],
  )
  at.version.exactly(1, 'the version of the format')
  const salt = at.salt.bytes(32)
  if (!equalBytes(salt, saltOf(engine, trust))) at.salt.fail('the report of another committee', 'REPORT_FOREIGN')

  // Count before any curve arithmetic, so that a flood of bad reports costs the reader little.
  const attesters = readBitmap(at.bitmap, thresholds.n)
  const attestationPlaces = at.attestations.items(attesters.length, attesters.length)
  const sealsAt = at.seals?.fields(['bitmap', 'signatures'])
  const sealers = sealsAt === undefined ? [] : readBitmap(sealsAt.bitmap, thresholds.n)
  const sealPlaces = sealsAt === undefined ? [] : sealsAt.signatures.items(Math.max(1, sealers.length), sealers.length)
  if (attesters.length < thresholds.intersecting && sealers.length < thresholds.oneHonest)
    at.bitmap.fail(
      `${attesters.length} attestations and ${sealers.length} seals; it takes ${thresholds.intersecting} or ${thresholds.oneHonest}`,
      'REPORT_QUORUM',
    )

  const epoch = at.epoch.integer(0, UINT32_MAX)
  const round = at.round.integer(1, UINT32_MAX)
  const attestedAtMs = decimalString(at.attestedAtMs, 2 ** 48 - 1)
  const places = at.leaves.items(1, UINT32_MAX)
  const leaves = places.map((place) => readLeaf(engine, place))
  const root = leaves[0]!.root
  const ids = new Set<string>()
  leaves.forEach((leaf, i) => {
    if (ids.has(leaf.id)) places[i]!.fail('the bundle is repeated')
    ids.add(leaf.id)
    if (!equalBytes(leaf.root, root)) places[i]!.fail('the leaf leads to another root than the first', 'REPORT_ROOTS')
  })

  const domain = domainOf(engine, salt)
  const digest = reportDigest(engine, domain, { epoch, round, attestedAtMs, root })
  const attestations = verifySignatures(engine, digest, attesters, attestationPlaces, addresses)
  const seals = verifySignatures(engine, sealedDigest(engine, domain, digest), sealers, sealPlaces, addresses)
  const bundles = leaves.map(({ id, feeds }) => ({ id, feeds }))
  const header = { salt: toHex(salt), epoch, round, attestedAtMs, root: toHex(root), digest: toHex(digest) }
  return { report: { ...header, attesters, sealers, bundles }, leaves, attestations, seals }
}

/**
 * Whether `bytes` are a report.json that the committee of `trust` attested: exact canonical bytes, every field signed
 * or derived, every signature that of its member, q attestations or f+1 seals (P10, P11). Never throws on hostile
 * bytes; throws for a `trust` that is no committee, which is the caller's error.
 */
export function verifyReport(
  engine: Engine,
  bytes: Uint8Array,
  trust: CommitteeKeys,
  options: VerifyOptions,
): ReportVerdict {
  try {
    const { report } = openReport(engine, bytes, trust, options.bytesMax)
    checkUsable(report, options)
    return { ok: true, report }
  } catch (error) {
    if (!(error instanceof OracleError)) throw error
    return { ok: false, code: error.code, path: error.path, message: error.message }
  }
}
