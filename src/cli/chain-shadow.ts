// The shadow check: before anything is deployed, each feed's first value is held against an independent live one.

import { adapters } from '../../adapters/index.js'
import { OracleError } from '../base/errors.js'
import { readAggregator } from '../chain/feed-view.js'
import { createClient } from '../client/create-client.js'
import type { FeedResult } from '../client/judge-feed.js'
import type { Committee, Feed } from '../core/committee.js'
import { kindOf } from '../core/leaf.js'
import { type Status, statusCodes, statuses } from '../core/status.js'
import { formatDecimal } from '../core/value-json.js'
import { createWasmEngine } from '../crypto/engine-wasm.js'
import { agreedFeeds } from '../feed/agreed-feeds.js'
import type { FeedDeclaration } from '../feed/declaration.js'
import { ppmOf } from '../observe/judge.js'
import { createObserver } from '../observe/observer.js'
import { createSourceWire } from '../observe/wire.js'
import { nowMsAt, type OpenedChain } from './chain-context.js'
import type { ShadowRow } from './chain-deployment.js'

/** Another oracle's aggregator that has the value of a feed, and how old its answer may be, s. */
export interface Comparison {
  readonly feed: string
  readonly aggregator: string
  readonly maxAgeS: number
}

export interface ShadowParts {
  readonly chain: OpenedChain
  readonly committee: Committee
  /** The committee document as it was read. */
  readonly document: unknown
  /** The feeds of the stores to be. */
  readonly feeds: readonly Feed[]
  /** An oracle's API; null: no attested value. */
  readonly api: string | null
  /** The feeds' declarations and how their sources are reached; null: sources are not asked. */
  readonly sources: {
    readonly path: string
    readonly origins: Readonly<Record<string, string>>
    readonly loopback: readonly string[]
  } | null
  readonly compare: readonly Comparison[]
  /** Bound of all feeds, parts per million; null: that of each declaration. */
  readonly ppm: number | null
}

/** A value or why there is none. */
type Found = { readonly value: Readonly<Sized>; readonly from: string } | { readonly why: string }

/** An integer of so many decimals. */
interface Sized {
  readonly units: bigint
  readonly decimals: number
}

/** Statuses of a value that may be somebody's first: doubts of its committee's own are shown beside it. */
const usable: readonly Status[] = ['OK', 'LOW_CONFIDENCE', 'LOW_LIQUIDITY']

/**
 * Each feed's attested value beside an independent one. SHADOW_ABSENT where a feed lacks one of them; SHADOW_MISMATCH for
 * the feed that differs most beyond its bound.
 */
export async function shadowCheck(parts: ShadowParts): Promise<readonly ShadowRow[]> {
  const declarations = parts.sources === null ? null : await declared(parts, parts.sources.path)
  const attested = await attestedValues(parts)
  const independent = await independentValues(parts, declarations)
  const lacking: string[] = []
  const rows: ShadowRow[] = []
  const differing: { readonly row: ShadowRow; readonly boundFrom: string }[] = []
  for (const feed of parts.feeds) {
    const ours = attested(feed)
    const theirs = independent.get(feed.name) ?? { why: 'neither its sources (--declarations) nor --compare are named' }
    const bound = boundOf(parts, declarations, feed.name)
    if ('why' in ours) lacking.push(`${feed.name} has no attested value: ${ours.why}`)
    else if ('why' in theirs) lacking.push(`${feed.name} has no independent value: ${theirs.why}`)
    else if (bound === null) lacking.push(`${feed.name} has no bound: say one with --shadow-ppm`)
    else {
      const row: ShadowRow = {
        feed: feed.name,
        attested: shown(ours.value),
        independent: shown(theirs.value),
        from: theirs.from,
        ppm: distance(ours.value, theirs.value),
        boundPpm: bound.ppm,
      }
      rows.push(row)
      if (row.ppm > bound.ppm) differing.push({ row, boundFrom: bound.from })
    }
  }
  if (lacking.length > 0)
    throw new OracleError('SHADOW_ABSENT', lacking.join('; '), { path: '/feeds', facts: { feeds: lacking.length } })
  const [worst] = differing.sort((a, b) => b.row.ppm - a.row.ppm)
  if (worst === undefined) return rows
  const { row, boundFrom } = worst
  const others = differing.length > 1 ? `; ${differing.length - 1} more feeds differ, too` : ''
  const message =
    `${row.feed}: the committee attests ${row.attested}, ${row.from} says ${row.independent}: ` +
    `${row.ppm} ppm apart, allowed are ${row.boundPpm} (${boundFrom})${others}. Nothing was deployed`
  throw new OracleError('SHADOW_MISMATCH', message, { path: row.feed, facts: { ...row, boundFrom } })
}

async function declared({ committee }: ShadowParts, path: string): Promise<readonly FeedDeclaration[]> {
  const { findDeclarations } = await import('./declared.js')
  return agreedFeeds(await createWasmEngine(), committee, findDeclarations(path), adapters)
}

/** What a feed may differ by, and who says so. */
function boundOf(
  { ppm }: ShadowParts,
  declarations: readonly FeedDeclaration[] | null,
  name: string,
): { readonly ppm: number; readonly from: string } | null {
  if (ppm !== null) return { ppm, from: '--shadow-ppm' }
  const declaration = declarations?.find((one) => one.name === name)
  if (declaration === undefined) return null
  const { deviationPpm } = declaration.triggers
  const outlierPpm = declaration.combineSources.outlierPpm ?? 0
  return outlierPpm > deviationPpm
    ? { ppm: outlierPpm, from: 'outlierPercent of its declaration' }
    : { ppm: deviationPpm, from: 'deviationPercent of its declaration' }
}

/** The newest attested value of each feed, proven by the committee document. */
async function attestedValues({ api, document }: ShadowParts): Promise<(feed: Feed) => Found> {
  if (api === null) return () => ({ why: 'no oracle is named: --api URL' })
  const results: ReadonlyMap<string, FeedResult> = await createClient({ url: api, committee: { document } }).feeds({
    accept: usable,
  })
  return (feed) => {
    const result = results.get(feed.name)
    if (result === undefined) return { why: 'the report lacks it' }
    if (!result.ok) return { why: result.message }
    return sizedOf(feed, result.feed.cells, `${api}`)
  }
}

async function independentValues(
  parts: ShadowParts,
  declarations: readonly FeedDeclaration[] | null,
): Promise<ReadonlyMap<string, Found>> {
  const found = new Map<string, Found>()
  const compared = new Set(parts.compare.map(({ feed }) => feed))
  const asked = declarations?.filter((one) => parts.feeds.some(({ name }) => name === one.name && !compared.has(name)))
  if (asked !== undefined && asked.length > 0)
    for (const [name, value] of await askSources(parts, asked)) found.set(name, value)
  for (const comparison of parts.compare) found.set(comparison.feed, await askAggregator(parts, comparison))
  return found
}

/** Asks the sources of `declarations` from this machine, once, and judges as an oracle would. */
async function askSources(
  { sources, feeds }: ShadowParts,
  declarations: readonly FeedDeclaration[],
): Promise<ReadonlyMap<string, Found>> {
  const { origins, loopback } = sources!
  const wire = createSourceWire({ loopback, origins })
  const read = new Map<number, Parameters<Parameters<typeof createObserver>[0]['board']['update']>[1]>()
  const board = {
    update: (feed: number, reading: Parameters<typeof read.set>[1]) => void read.set(feed, reading),
    observe: () => new Uint8Array(0),
    read: (feed: number) => read.get(feed)!,
  }
  const nowMs = (): number => Date.now()
  const observer = createObserver({ declarations, adapters, wire, board, nowMs, receiptMs: nowMs })
  try {
    await observer.readAll()
    observer.judgeAll()
    const facts = observer.feeds()
    return new Map(
      declarations.map(({ name }, i): [string, Found] => {
        const reading = read.get(i)!
        const isUsable = reading.values !== null && usable.some((status) => statusCodes[status] === reading.status)
        const why = `its sources say ${statuses[reading.status]} here: ${facts[i]!.reasons.join(', ')}`
        if (!isUsable) return [name, { why }]
        const groups = `${reading.groups} ${reading.groups === 1 ? 'group' : 'groups'} of its sources`
        return [name, sizedOf(feeds.find((feed) => feed.name === name)!, reading.values, `${groups}, asked from here,`)]
      }),
    )
  } finally {
    observer.close()
    await wire.close()
  }
}

/** What another oracle's aggregator on the same chain says. */
async function askAggregator({ chain, feeds }: ShadowParts, comparison: Comparison): Promise<Found> {
  const { feed: name, aggregator, maxAgeS } = comparison
  const feed = feeds.find((one) => one.name === name)
  if (feed === undefined) return { why: 'it is not in a store' }
  if (kindOf(feed.fields) !== 0) return { why: 'it is structured, an aggregator has one number' }
  const { answer, decimals, updatedAtS } = await readAggregator(chain.quorum, chain.head, aggregator)
  const ageS = Math.floor(nowMsAt(chain.head) / 1000) - updatedAtS
  if (ageS > maxAgeS) return { why: `${aggregator} answered ${ageS} s ago, allowed are ${maxAgeS} s` }
  return { value: { units: answer, decimals }, from: `aggregator ${aggregator}` }
}

/** The first number of a value that members take the median of. */
function sizedOf(feed: Feed, cells: readonly (bigint | string)[] | null, from: string): Found {
  const place = feed.fields.findIndex(({ combine }) => combine === 'median')
  const units = cells?.[Math.max(0, place)]
  if (typeof units !== 'bigint') return { why: 'its value has no number' }
  return { value: { units, decimals: kindOf(feed.fields) === 0 ? feed.decimals : 0 }, from }
}

/** How far apart two numbers are, in parts per million of the second, by integers at the finer scale. */
function distance(ours: Sized, theirs: Sized): number {
  const places = Math.max(ours.decimals, theirs.decimals)
  const at = ({ units, decimals }: Sized): bigint => units * 10n ** BigInt(places - decimals)
  return ppmOf(at(ours), at(theirs), at(theirs))
}

const shown = ({ units, decimals }: Sized): string => formatDecimal(units, decimals)
