// The committee document (P1): members, feeds, timing and limits under one digest, checked before anything uses it.

import { fromHex, putInt, toHex, utf8 } from './bytes.js'
import { canonicalJson } from './canonical.js'
import type { Engine } from './engine.js'
import { Place, slug } from './place.js'
import { type Thresholds, thresholdsOf } from './thresholds.js'

/** One oracle of the committee. Keys and addresses are lower-case 0x hex. */
export interface Member {
  readonly index: number
  readonly name: string
  /** Signing address, 20 bytes. */
  readonly address: string
  /** Raw Ed25519 public key of its TLS certificate, 32 bytes. */
  readonly peerKey: string
  /** host:port its peers dial. */
  readonly endpoint: string
}

/** Cell types of a value: fixed-width two's complement integers, a boolean, or bounded UTF-8 text. */
export type FieldType = 'int64' | 'int176' | 'bool' | 'string'

/** How members' values become one: lower median by rank, held by more than half, or the identity filter of P8. */
export type Combine = 'median' | 'majority' | 'identity'

/** One leaf of a feed's value, in schema order. `bytesMax` (1 to 1024) is given for strings, and only for them. */
export interface Field {
  readonly name: string
  readonly type: FieldType
  readonly combine: Combine
  readonly bytesMax?: number
}

/** A declared stream of values, as the committee document pins it. */
export interface Feed {
  readonly index: number
  readonly name: string
  /** keccak256 of the RFC 8785 bytes of the feed's meaning {decimals, fields, name, schema, unit}; 0x hex. */
  readonly feedId: string
  /** Digest of the value schema, 32 bytes of 0x hex. */
  readonly schema: string
  readonly unit: string
  readonly decimals: number
  readonly fields: readonly Field[]
  /** Seconds a value stays valid after its source time. */
  readonly validForS: number
  /** Move of the first field, in parts per million of what the member last observed, that asks for a round at once (P4); 0: never. */
  readonly streamPpm: number
  /** Digest of the declaration that says where the values come from, 32 bytes of 0x hex; null where none is agreed. */
  readonly declaration: string | null
}

/** Feeds that share a Merkle leaf: 1 to 16, by index. Hot bundles form a subtree of their own next to the root. */
export interface Bundle {
  readonly index: number
  readonly name: string
  /** keccak256 of the RFC 8785 bytes of {feeds: [feedId…], name}; 0x hex. */
  readonly id: string
  readonly hot: boolean
  readonly feeds: readonly number[]
}

/** Timers of the protocol; milliseconds unless said. */
export interface Timing {
  readonly roundMs: number
  readonly roundMsMin: number
  readonly graceMs: number
  readonly slotMs: number
  readonly delayMs: number
  readonly skewMs: number
  readonly progressMs: number
  readonly epochMs: number
  readonly resendMs: number
  readonly roundsPerEpoch: number
}

/** A checked, frozen committee document with everything that is derived from it once. */
export interface Committee {
  readonly lineage: string
  readonly generation: number
  readonly members: readonly Member[]
  readonly feeds: readonly Feed[]
  readonly bundles: readonly Bundle[]
  readonly timing: Timing
  readonly thresholds: Thresholds
  /** D, digest of the whole document, 32 bytes: in every message between oracles. */
  readonly digest: Uint8Array
  /** S, what contracts and readers know, 32 bytes: the EIP-712 salt of all that leaves the committee. */
  readonly salt: Uint8Array
}

/** Bytes all observations of one proposal may have; every message bound follows from it (P14). */
const PROPOSAL_BYTES_MAX = 16 * 1024 * 1024
const FEEDS_MAX = 20_000
const UINT32_MAX = 0xffff_ffff
/** A name that fits UCUM and currency codes: printable ASCII, no outer spaces. */
const UNIT = /^[!-~](?:[ -~]{0,30}[!-~])?$/
const SALT_TAG = 'assay/committee/v1'

/** What S covers: all that a contract or a reader must know of a committee. Lineage and addresses are raw bytes. */
export interface CommitteeKeys {
  readonly lineage: Uint8Array
  readonly generation: number
  readonly f: number
  readonly addresses: readonly Uint8Array[]
}

/** The keys of a checked committee. */
export function keysOf({ lineage, generation, members, thresholds }: Committee): CommitteeKeys {
  const addresses = members.map((member) => fromHex(member.address, 20)!)
  return { lineage: fromHex(lineage, 32)!, generation, f: thresholds.f, addresses }
}

/** S = keccak256(abi.encode(keccak256("assay/committee/v1"), lineage, generation, f, addresses)) (P1). */
export function saltOf(engine: Engine, keys: CommitteeKeys): Uint8Array {
  const bytes = new Uint8Array(32 * (6 + keys.addresses.length))
  bytes.set(engine.keccak256(utf8(SALT_TAG)))
  bytes.set(keys.lineage, 32)
  putInt(bytes, 64, 32, BigInt(keys.generation))
  putInt(bytes, 96, 32, BigInt(keys.f))
  putInt(bytes, 128, 32, 160n)
  putInt(bytes, 160, 32, BigInt(keys.addresses.length))
  keys.addresses.forEach((address, i) => {
    bytes.set(address, 192 + 32 * i + 12)
  })
  return engine.keccak256(bytes)
}

/** What a feed's id covers: a change of any of it is a new feed. */
export type FeedMeaning = Pick<Feed, 'decimals' | 'fields' | 'name' | 'schema' | 'unit'>

/** feedId of `meaning`: keccak256 of the RFC 8785 bytes of exactly its five fields, 32 bytes. */
export function feedIdOf(engine: Engine, { decimals, fields, name, schema, unit }: FeedMeaning): Uint8Array {
  return engine.keccak256(utf8(canonicalJson({ decimals, fields, name, schema, unit })))
}

/** Id of a bundle: keccak256 of the RFC 8785 bytes of {feeds: [feedId…], name}, 32 bytes. */
function bundleIdOf(engine: Engine, name: string, feedIds: readonly string[]): Uint8Array {
  return engine.keccak256(utf8(canonicalJson({ feeds: feedIds, name })))
}

/** Bytes that one feed takes in an observation, at most: twelve of status, time and groups, then its cells. */
function readingBytesMax(fields: readonly Field[]): number {
  const cells = { int64: 8, int176: 24, bool: 8, string: 4 }
  return fields.reduce((sum, field) => sum + cells[field.type] + (field.bytesMax ?? 0), 12)
}

/** Refuses the second use of a key that must be one member's, feed's or bundle's own (I-5). */
function takeOnce(seen: Set<string>, key: string, place: Place): void {
  if (seen.has(key)) place.fail(`${key} is repeated`, 'COMMITTEE_REPEATED_KEY')
  seen.add(key)
}

function isHost(host: string): boolean {
  if (host.startsWith('[')) {
    const halves = host.slice(1, -1).split('::')
    const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
    const complete = halves.length === 1 ? groups.length === 8 : halves.length === 2 && groups.length < 8
    return host.endsWith(']') && complete && groups.every((group) => /^[0-9a-f]{1,4}$/.test(group))
  }
  const labels = host.split('.')
  if (host.length > 253 || !labels.every((label) => /^(?!-)[a-z0-9-]{1,63}(?<!-)$/.test(label))) return false
  if (!/^[0-9]+$/.test(labels.at(-1)!)) return true
  return labels.length === 4 && labels.every((label) => /^(?:0|[1-9][0-9]{0,2})$/.test(label) && Number(label) < 256)
}

function checkEndpoint(place: Place): string {
  const endpoint = place.string()
  const colon = endpoint.lastIndexOf(':')
  const port = endpoint.slice(colon + 1)
  if (!/^[1-9][0-9]{0,4}$/.test(port) || Number(port) > 65_535 || !isHost(endpoint.slice(0, Math.max(colon, 0))))
    place.fail('expected host:port or [v6]:port in lower case, with a port from 1 to 65535')
  return endpoint
}

function checkMembers(place: Place): Member[] {
  const names = new Set<string>()
  const addresses = new Set<string>()
  const peerKeys = new Set<string>()
  const endpoints = new Set<string>()
  return place.items(1, 31).map((item, index) => {
    const at = item.fields(['name', 'address', 'peerKey', 'endpoint'])
    const name = at.name.text(slug, 'a name of lower-case letters, digits and hyphens')
    const address = toHex(at.address.bytes(20))
    const peerKey = toHex(at.peerKey.bytes(32))
    const endpoint = checkEndpoint(at.endpoint)
    if (/^0x0+$/.test(address)) at.address.fail('the zero address has no key')
    // Failed recoveries and forgotten fields look like zero; small-order points verify what nobody signed.
    if (/^0x0[01]0{62}$/.test(peerKey)) at.peerKey.fail('a key of small order belongs to nobody')
    takeOnce(names, name, at.name)
    takeOnce(addresses, address, at.address)
    takeOnce(peerKeys, peerKey, at.peerKey)
    takeOnce(endpoints, endpoint, at.endpoint)
    return { index, name, address, peerKey, endpoint }
  })
}

/** The fields of a feed's value (also those that a report carries): 1 to 32, at least one that is not its identity. */
function checkFields(place: Place): Field[] {
  const names = new Set<string>()
  const fields = place.items(1, 32).map((item): Field => {
    const at = item.fields(['name', 'type', 'combine'], ['bytesMax'])
    const name = at.name.text(slug, 'a name of lower-case letters, digits and hyphens')
    const type = at.type.oneOf<FieldType>(['int64', 'int176', 'bool', 'string'])
    const combine = at.combine.oneOf<Combine>(['median', 'majority', 'identity'])
    if (names.has(name)) at.name.fail(`${name} is repeated`)
    names.add(name)
    if (combine === 'median' && type !== 'int64' && type !== 'int176') at.combine.fail('only integers have a median')
    if (type !== 'string') {
      at.bytesMax?.fail('only strings have a length')
      return { name, type, combine }
    }
    if (at.bytesMax === undefined) return at.type.fail('a string needs bytesMax')
    return { name, type, combine, bytesMax: at.bytesMax.integer(1, 1024) }
  })
  if (fields.every((field) => field.combine === 'identity')) place.fail('a value is more than its identity')
  return fields
}

/** The meaning of a feed out of a document's fields of those names. */
export function checkMeaning(at: { readonly [K in keyof FeedMeaning]: Place }): FeedMeaning {
  return {
    name: at.name.text(slug, 'a name of lower-case letters, digits and hyphens'),
    schema: toHex(at.schema.bytes(32)),
    unit: at.unit.text(UNIT, '1 to 32 printable ASCII characters'),
    decimals: at.decimals.integer(0, 36),
    fields: checkFields(at.fields),
  }
}

function checkFeeds(engine: Engine, place: Place, memberCount: number): Feed[] {
  const names = new Set<string>()
  const items = place.items(1, Number.POSITIVE_INFINITY)
  if (items.length > FEEDS_MAX) place.fail(`at most ${FEEDS_MAX} feeds`, 'COMMITTEE_TOO_LARGE')
  let bytes = 0
  return items.map((item, index) => {
    const at = item.fields(['name', 'schema', 'unit', 'decimals', 'fields', 'validForS', 'streamPpm'], ['declaration'])
    const meaning = checkMeaning(at)
    takeOnce(names, meaning.name, at.name)
    const streamPpm = at.streamPpm.integer(0, UINT32_MAX)
    const first = meaning.fields[0]!.type
    if (streamPpm > 0 && first !== 'int64' && first !== 'int176') at.streamPpm.fail('the first field is not an integer')
    bytes += readingBytesMax(meaning.fields)
    if (bytes * memberCount > PROPOSAL_BYTES_MAX)
      item.fail(
        `observations of ${memberCount} members no longer fit ${PROPOSAL_BYTES_MAX} bytes`,
        'COMMITTEE_TOO_LARGE',
      )
    const feedId = toHex(feedIdOf(engine, meaning))
    const declaration = at.declaration === undefined ? null : toHex(at.declaration.bytes(32))
    return { index, ...meaning, feedId, validForS: at.validForS.integer(1, UINT32_MAX), streamPpm, declaration }
  })
}

function checkBundles(engine: Engine, place: Place, feedsPlace: Place, feeds: readonly Feed[]): Bundle[] {
  const byName = new Map(feeds.map((feed) => [feed.name, feed]))
  const names = new Set<string>()
  const bundled = new Set<string>()
  let coldSeen = false
  const bundles = place.items(1, feeds.length).map((item, index): Bundle => {
    const at = item.fields(['name', 'feeds'], ['hot'])
    const name = at.name.text(slug, 'a name of lower-case letters, digits and hyphens')
    takeOnce(names, name, at.name)
    const hot = at.hot?.exactly(true, 'leave it out of other bundles') ?? false
    if (hot && coldSeen) at.hot?.fail('hot bundles come before all others')
    coldSeen ||= !hot
    const members = at.feeds.items(1, 16).map((feedPlace) => {
      const feed = byName.get(feedPlace.string()) ?? feedPlace.fail('no feed has this name')
      takeOnce(bundled, feed.name, feedPlace)
      return feed
    })
    const feedIds = members.map((feed) => feed.feedId)
    const id = toHex(bundleIdOf(engine, name, feedIds))
    return { index, name, id, hot, feeds: members.map((feed) => feed.index) }
  })
  const lost = feeds.find((feed) => !bundled.has(feed.name))
  if (lost !== undefined) feedsPlace.items(0, FEEDS_MAX)[lost.index]!.fail('the feed is in no bundle')
  return bundles
}

/** Longest timers: within what timers of 31 bits hold, progressMs even after its eight doublings (P12). */
const TIMING_MAX: { readonly [K in keyof Timing]: number } = {
  roundMs: 86_400_000,
  roundMsMin: 86_400_000,
  graceMs: 86_400_000,
  slotMs: 86_400_000,
  delayMs: 86_400_000,
  skewMs: 86_400_000,
  progressMs: 8_000_000,
  epochMs: 2_000_000_000,
  resendMs: 86_400_000,
  roundsPerEpoch: 1_000_000,
}

function checkTiming(place: Place): Timing {
  const names = Object.keys(TIMING_MAX) as (keyof Timing)[]
  const at = place.fields(names)
  const timing = Object.fromEntries(names.map((name) => [name, at[name].integer(1, TIMING_MAX[name])])) as {
    [K in keyof Timing]: number
  }
  const { roundMs, roundMsMin, graceMs, delayMs, slotMs, progressMs } = timing
  if (roundMsMin > roundMs) at.roundMsMin.fail(`roundMsMin is at most roundMs, ${roundMs}`, 'COMMITTEE_TIMING')
  if (slotMs < graceMs + 2 * delayMs)
    at.slotMs.fail(`slotMs is at least graceMs + 2·delayMs, ${graceMs + 2 * delayMs}`, 'COMMITTEE_TIMING')
  const progressMsMin = 3 * roundMs + graceMs + 6 * delayMs
  if (progressMs < progressMsMin)
    at.progressMs.fail(`progressMs is at least 3·roundMs + graceMs + 6·delayMs, ${progressMsMin}`, 'COMMITTEE_TIMING')
  const { epochMs } = timing
  if (epochMs < progressMs) at.epochMs.fail(`epochMs is at least progressMs, ${progressMs}`, 'COMMITTEE_TIMING')
  return timing
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    for (const inner of Object.values(value)) deepFreeze(inner)
    Object.freeze(value)
  }
  return value
}

/**
 * The committee that a parsed `document` describes, frozen, with ids, D and S derived (P1). Throws COMMITTEE_INVALID
 * or a finer COMMITTEE_ code with the JSON Pointer of the first field that breaks a rule; unknown fields do.
 */
export function parseCommittee(engine: Engine, document: unknown): Committee {
  const top = new Place(document, '', 'COMMITTEE_INVALID')
  const at = top.fields(
    ['version', 'lineage', 'generation', 'f', 'members', 'feeds', 'bundles', 'timing'],
    ['acceptNoFaultTolerance'],
  )
  at.version.exactly(1, 'the version of the format')
  const lineage = at.lineage.bytes(32)
  const generation = at.generation.integer(1, UINT32_MAX)
  const members = checkMembers(at.members)
  const f = at.f.integer(0, 10)
  if (members.length < 3 * f + 1) at.f.fail(`f = ${f} needs at least ${3 * f + 1} members`, 'COMMITTEE_TOO_FEW_MEMBERS')
  if (f > 0) at.acceptNoFaultTolerance?.fail('only for f = 0')
  else if (at.acceptNoFaultTolerance === undefined)
    at.f.fail('with f = 0 one faulty member decides; acceptNoFaultTolerance: true says that you know')
  else at.acceptNoFaultTolerance.exactly(true, 'one faulty member decides when f = 0')
  const feeds = checkFeeds(engine, at.feeds, members.length)
  const bundles = checkBundles(engine, at.bundles, at.feeds, feeds)
  const timing = checkTiming(at.timing)
  const addresses = members.map((member) => fromHex(member.address, 20)!)
  return deepFreeze({
    lineage: toHex(lineage),
    generation,
    members,
    feeds,
    bundles,
    timing,
    thresholds: thresholdsOf(members.length, f),
    digest: engine.keccak256(utf8(canonicalJson(document))),
    salt: saltOf(engine, { lineage, generation, f, addresses }),
  })
}
