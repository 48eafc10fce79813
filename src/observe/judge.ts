// The rules of a feed (formats.md): from what its sources say now to the one reading this oracle would sign.

import type { CellValue, Reading } from '../core/layout.js'
import { type Status, statusCodes } from '../core/status.js'
import type { FeedDeclaration, LeafPlan } from '../feed/declaration.js'

/** A fresh, usable answer of one source. */
export interface Candidate {
  readonly group: string
  readonly cells: readonly CellValue[]
  readonly observedAtMs: number
  readonly bidAskPpm: number | null
}

/** A published first leaf, for the rule on changes. */
export interface Past {
  readonly atMs: number
  readonly value: bigint
}

export interface Judgement {
  readonly reading: Reading
  /** Why the status is not OK, a sentence each. */
  readonly reasons: readonly string[]
  /** Candidates (by place) whose group was left out as an outlier or names another thing. */
  readonly outliers: ReadonlySet<number>
}

export interface Circumstances {
  readonly nowMs: number
  /** The last reading with a value, for STALE. */
  readonly last: Reading | null
  /** First leaves published within the window of the change rule. */
  readonly past: readonly Past[]
}

interface Voice {
  readonly candidate: Candidate
  readonly index: number
}

type Finding = readonly [Status, string]

const spreadMax = 0xffff_ffff

/**
 * The reading of a feed from its fresh candidates. A group has one voice (voicesOf). Voices that name another
 * thing than most do not count; numbers further than outlierPpm from the median of all groups do not either, as long as
 * most remain. What remains is combined leaf by leaf: lower median by rank, or what more than half hold. Values are never
 * clamped: a value out of bounds is shown with a status that readers refuse. Pure.
 */
export function judge(feed: FeedDeclaration, candidates: readonly Candidate[], now: Circumstances): Judgement {
  const { minGroups, minSources } = feed.combineSources
  const voices = voicesOf(feed.leaves, candidates)
  if (candidates.length < minSources || voices.length < minGroups) return belowTheBar(feed, candidates, voices, now)
  const same = sameIdentity(feed.leaves, voices)
  if (same.length === 0) return nothing('no thing is named by more than half of the groups', now, false)
  const { kept, isDivided } = withoutOutliers(feed, same)
  const cells = combineLeaves(feed.leaves, kept)
  if (cells === null) return nothing('no answer is held by more than half of the groups', now, false)
  const findings: Finding[] = [
    ...agreement(feed, same.length, kept.length, isDivided),
    ...boundsOf(feed, cells[0]!, now),
    ...liquidityOf(feed, kept),
  ]
  const status = findings.reduce((worst, [name]) => Math.max(worst, statusCodes[name]), statusCodes.OK)
  const keptGroups = new Set(kept.map((voice) => voice.candidate.group))
  const outliers = candidates.flatMap(({ group }, i) => (keptGroups.has(group) ? [] : [i]))
  return {
    reading: {
      status,
      groups: Math.min(255, kept.length),
      spreadPpm: spreadOf(feed.leaves, candidates, kept[0]!),
      timeMs: lowerMedianOf(kept.map((voice) => voice.candidate.observedAtMs)),
      values: cells,
    },
    reasons: findings.map(([, reason]) => reason),
    outliers: new Set(outliers),
  }
}

/** One voice a group: its newest answer, or of three and more the one that stands in the middle. */
function voicesOf(leaves: readonly LeafPlan[], candidates: readonly Candidate[]): Voice[] {
  const byGroup = new Map<string, Voice[]>()
  candidates.forEach((candidate, index) => {
    byGroup.set(candidate.group, [...(byGroup.get(candidate.group) ?? []), { candidate, index }])
  })
  const place = medianPlace(leaves)
  return [...byGroup.values()].map((voices) => {
    // Of equal age, the one declared first.
    const newest = voices.reduce((a, b) => (b.candidate.observedAtMs > a.candidate.observedAtMs ? b : a))
    if (voices.length < 3 || place < 0) return newest
    const number = (voice: Voice): bigint => voice.candidate.cells[place] as bigint
    const middle = lowerMedianOf(voices.map(number))
    return voices.find((voice) => number(voice) === middle)!
  })
}

function belowTheBar(
  feed: FeedDeclaration,
  candidates: readonly Candidate[],
  voices: readonly Voice[],
  now: Circumstances,
): Judgement {
  const { minGroups, minSources } = feed.combineSources
  const have = `${candidates.length} fresh ${candidates.length === 1 ? 'source' : 'sources'} in ${voices.length} ${voices.length === 1 ? 'group' : 'groups'}`
  const reason = `${have}, needed are ${minSources} in ${minGroups}`
  // The last value may be shown as long as it is valid, marked STALE, with its own old time.
  const { last } = now
  const isShown = last !== null && now.nowMs <= last.timeMs + feed.freshness.validForS * 1000
  return nothing(reason, now, isShown)
}

function nothing(reason: string, { last }: Circumstances, isShown: boolean): Judgement {
  const none: Reading = { status: statusCodes.NO_DATA, groups: 0, spreadPpm: 0, timeMs: 0, values: null }
  const reading = isShown && last !== null ? { ...last, status: Math.max(last.status, statusCodes.STALE) } : none
  return { reading, reasons: [reason], outliers: new Set() }
}

/** The voices whose identity leaves are what more than half of all hold; all when the value has none. */
function sameIdentity(leaves: readonly LeafPlan[], voices: readonly Voice[]): readonly Voice[] {
  for (const voice of voices) {
    const like = voices.filter((other) => isSameThing(leaves, voice.candidate, other.candidate))
    if (like.length * 2 > voices.length) return like
  }
  return []
}

/** Whether two answers have the same identity leaves; any two of a value without such leaves do. */
function isSameThing(leaves: readonly LeafPlan[], a: Candidate, b: Candidate): boolean {
  return leaves.every((leaf, i) => leaf.combine !== 'identity' || a.cells[i] === b.cells[i])
}

/** The leaf by which answers are ranked: the first that is a median; −1: none. */
function medianPlace(leaves: readonly LeafPlan[]): number {
  return leaves.findIndex((leaf) => leaf.combine === 'median')
}

interface Kept {
  readonly kept: readonly Voice[]
  /** No more than half agree: then all are kept, and the status says DIVERGED. */
  readonly isDivided: boolean
}

function withoutOutliers({ leaves, combineSources }: FeedDeclaration, voices: readonly Voice[]): Kept {
  const place = medianPlace(leaves)
  const { outlierPpm } = combineSources
  if (place < 0 || outlierPpm === null) return { kept: voices, isDivided: false }
  const numbers = voices.map((voice) => voice.candidate.cells[place] as bigint)
  const centre = lowerMedianOf(numbers)
  const near = voices.filter((_, i) => ppmOf(centre, numbers[i]!, centre) <= outlierPpm)
  const isDivided = near.length * 2 <= voices.length
  return { kept: isDivided ? voices : near, isDivided }
}

/** From the lowest to the highest of all answers about the same thing, outliers too, in parts per million of their middle. */
function spreadOf(leaves: readonly LeafPlan[], candidates: readonly Candidate[], { candidate: one }: Voice): number {
  const place = medianPlace(leaves)
  if (place < 0) return 0
  const same = candidates.filter((candidate) => isSameThing(leaves, one, candidate))
  const numbers = ranked(same.map(({ cells }) => cells[place] as bigint))
  return ppmOf(numbers[0]!, numbers.at(-1)!, lowerMedianOf(numbers))
}

function combineLeaves(leaves: readonly LeafPlan[], kept: readonly Voice[]): readonly CellValue[] | null {
  const cells: CellValue[] = []
  for (const [i, leaf] of leaves.entries()) {
    const held = kept.map((voice) => voice.candidate.cells[i]!)
    const cell = leaf.combine === 'median' ? lowerMedianOf(held as bigint[]) : majorityOf(held)
    if (cell === null) return null
    cells.push(cell)
  }
  return cells
}

function agreement(feed: FeedDeclaration, voices: number, kept: number, isDivided: boolean): Finding[] {
  const { minGroups } = feed.combineSources
  const findings: Finding[] = []
  if (isDivided) findings.push(['DIVERGED', `no more than half of ${voices} groups agree`])
  else if (kept < minGroups)
    findings.push(['LOW_CONFIDENCE', `${kept} of ${voices} groups agree, needed are ${minGroups}`])
  else if (voices - kept > 1) findings.push(['LOW_CONFIDENCE', `${voices - kept} of ${voices} groups are outliers`])
  if (feed.singleSource !== null) findings.push(['LOW_CONFIDENCE', `one origin: ${feed.singleSource}`])
  return findings
}

function boundsOf({ bounds, leaves }: FeedDeclaration, first: CellValue, { past, nowMs }: Circumstances): Finding[] {
  if (typeof first !== 'bigint') return []
  const { name } = leaves[0]!
  const findings: Finding[] = []
  if ((bounds.min !== null && first < bounds.min) || (bounds.max !== null && first > bounds.max))
    findings.push(['OUT_OF_RANGE', `${name} is outside its bounds`])
  const { change } = bounds
  if (change === null) return findings
  const sinceMs = nowMs - change.windowS * 1000
  const jump = past.some(({ atMs, value }) => atMs >= sinceMs && ppmOf(value, first, value) > change.maxPpm)
  if (jump) findings.push(['HALT', `${name} moved by more than ${change.maxPpm / 10_000} % in ${change.windowS} s`])
  return findings
}

function liquidityOf({ bidAskPpmMax }: FeedDeclaration, kept: readonly Voice[]): Finding[] {
  if (bidAskPpmMax === null) return []
  const spreads = kept.flatMap(({ candidate: { bidAskPpm } }) => (bidAskPpm === null ? [] : [bidAskPpm]))
  // An empty book is the thinnest of all.
  if (spreads.length * 2 <= kept.length) return [['LOW_LIQUIDITY', 'most groups give no bid and ask']]
  if (lowerMedianOf(spreads) <= bidAskPpmMax) return []
  return [['LOW_LIQUIDITY', `bid and ask are further apart than ${bidAskPpmMax / 10_000} %`]]
}

/** |b − a| in parts per million of |base|, rounded down and held within 32 bits; equal numbers are 0 apart. */
export function ppmOf(a: bigint, b: bigint, base: bigint): number {
  const distance = a > b ? a - b : b - a
  const size = base < 0n ? -base : base
  if (distance === 0n) return 0
  if (size === 0n) return spreadMax
  const ppm = (distance * 1_000_000n) / size
  return ppm > BigInt(spreadMax) ? spreadMax : Number(ppm)
}

/** The element at rank ⌊(m−1)/2⌋ from below, as in P8: always one that somebody said. */
function lowerMedianOf<T extends bigint | number>(values: readonly T[]): T {
  return ranked(values)[(values.length - 1) >> 1]!
}

function ranked<T extends bigint | number>(values: readonly T[]): T[] {
  return [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

function majorityOf(values: readonly CellValue[]): CellValue | null {
  return values.find((value) => values.filter((other) => other === value).length * 2 > values.length) ?? null
}
