// A filled-in declaration to the one the house uses: numbers exact, defaults applied, meaning and digest derived.

import { refusalOf } from '../base/errors.js'
import { toHex, utf8 } from '../core/bytes.js'
import { canonicalJson } from '../core/canonical.js'
import type { FeedMeaning, Field } from '../core/committee.js'
import type { Engine } from '../core/engine.js'
import { slug } from '../core/place.js'
import type { Adapter } from '../observe/adapter.js'
import { checkSchema } from '../schema/check.js'
import { documents, validators } from '../schema/generated/validators.js'
import { cronGapMs } from './cron.js'
import { scaledInteger } from './decimal.js'
import { type FeedDeclaration, type LeafPlan, requestGapMs, type Schedule } from './declaration.js'
import { didYouMean } from './did-you-mean.js'
import type { Instance } from './expand-template.js'
import type { Problem } from './finding.js'
import { type ValuePlan, valuePlan } from './value-plan.js'
import type { WrittenFeed } from './written-feed.js'

/** A declaration with what lint needs beside it. */
export interface CompleteFeed {
  readonly feed: FeedDeclaration
  readonly value: ValuePlan
  /** The adapter of each source, in order. */
  readonly adapters: readonly Adapter[]
  /** Longest time between two rounds of asking, ms. */
  readonly gapMs: number
  readonly instance: Instance
}

const retentionDays = 30
/** Every name under schemas/value/. */
const values: readonly string[] = Object.keys(documents).flatMap((name) =>
  name.startsWith('value/') ? [name.slice('value/'.length)] : [],
)
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const everyMsMin = 100
const everyMsMax = 86_400_000

/** The declaration of `instance`, or what keeps it from being one. Pure. */
export function completeFeed(
  engine: Engine,
  instance: Instance,
  table: ReadonlyMap<string, Adapter>,
): CompleteFeed | readonly Problem[] {
  const problems: Problem[] = []
  const fail = (rule: string, pointer: string, message: string, fix: string): void =>
    void problems.push({ rule, pointer, message, fix, isError: true })
  const { feed: written, entity, sourcePointers, boundPointers } = instance

  const left = [...new Set(written.sources.map((source) => source.adapter))]
  for (const { pointer, message } of instance.faults) {
    const isWithout = /\/without\/\d+$/.test(pointer)
    const keys = Object.keys(entity).join(', ')
    const fix = isWithout
      ? `Remove it from without, or name an adapter of the sources: ${left.join(', ')}.`
      : `Give the entity that key, or name one that it has${keys === '' ? '' : `: ${keys}`}.`
    fail('template', pointer, message, fix)
  }
  if (instance.faults.length > 0) return problems
  if (!slug.test(written.name))
    fail(
      'name',
      '/name',
      `"${written.name}" is no name`,
      'Use lower-case letters, digits and single hyphens, at most 64.',
    )

  const value = valuePlan(engine, written.value)
  if (value === null) {
    const fix = `Write one of ${values.join(', ')}.${didYouMean(written.value, values)}`
    fail('value-unknown', '/value', `there is no value "${written.value}"`, fix)
    return problems
  }
  const adapters = written.sources.flatMap((source, i): Adapter[] => {
    const adapter = table.get(source.adapter)
    const at = sourcePointers[i]!
    if (adapter === undefined) {
      fail(
        'adapter-unknown',
        `${at}/adapter`,
        `there is no adapter "${source.adapter}"`,
        `Name one that \`assay adapters list\` shows.${didYouMean(source.adapter, [...table.keys()])}`,
      )
      return []
    }
    if (adapter.version !== source.version)
      fail(
        'adapter-version',
        `${at}/version`,
        `version ${source.version} of ${adapter.id} is declared, ${adapter.version} is installed`,
        `Read what changed, then write version: ${adapter.version}.`,
      )
    if (adapter.schemas.value !== written.value)
      fail(
        'value-mismatch',
        `${at}/adapter`,
        `${adapter.id} gives ${adapter.schemas.value}, the feed is of ${written.value}`,
        'Take an adapter of that value, or change value.',
      )
    const validate = validators[`params/${adapter.schemas.params}`]
    if (validate === undefined) throw new Error(`adapter ${adapter.id} has no schema of its params`)
    const refusal = refusalOf(() => checkSchema(validate, source.params, 'ADAPTER_PARAMS'))
    if (refusal !== undefined) {
      const name = refusal.path.slice(1)
      const what = / is missing$/.test(refusal.message) ? 'is missing' : refusal.message
      const fix = paramsFix(adapter.schemas.params, name, Object.keys(source.params))
      fail('params', `${at}/params${refusal.path}`, `params of ${adapter.id}: ${name} ${what}`, fix)
    }
    return [adapter]
  })

  if (written.sources.length === 0)
    fail('sources', instance.pointer, 'no source is left', 'Shorten the list under without.')
  const decimals = decimalsOf(written, value, fail)
  const unit = unitOf(written, value, fail)
  const leaves = leavesOf(written, value, decimals, fail)
  const schedule = scheduleOf(written.schedule, fail)
  if (written.liquidity !== undefined && !(value.advisory.includes('bid') && value.advisory.includes('ask')))
    fail('liquidity', '/liquidity', `${written.value} has no bid and ask`, 'Remove liquidity.')

  const { min, max, change } = written.bounds ?? {}
  const first = leaves[0]!
  const isNumber = first.type === 'int64' || first.type === 'int176'
  const bound = (name: 'min' | 'max', text: string | undefined): bigint | null => {
    if (text === undefined || !isNumber) return null
    const scaled = scaledInteger(text, first.decimals)
    if (scaled === null)
      fail(
        'bounds',
        boundPointers[name],
        `${text} has more than ${first.decimals} decimals`,
        'Round it, or raise decimals.',
      )
    return scaled
  }
  if (!isNumber && (min ?? max ?? change) !== undefined)
    fail('bounds', '/bounds', `${first.name} of ${written.value} is no number`, 'Remove bounds.')
  // The schema lets no percentage through that has more than four decimals.
  const ppm = (text: string | undefined): number => Number(scaledInteger(text ?? '0', 4)!)
  const combineSources = written.combineSources ?? { minSources: 1, minGroups: 1 }
  if (written.combineSources === undefined && written.singleSource === undefined)
    fail(
      'combine-sources',
      '',
      'combineSources is missing',
      'Say minSources and minGroups, or why there is a singleSource.',
    )

  const meaning: FeedMeaning = { name: written.name, schema: value.digest, unit, decimals, fields: leaves.map(fieldOf) }
  const body: Omit<FeedDeclaration, 'digest'> = {
    name: written.name,
    title: written.title,
    value: written.value,
    unit,
    decimals,
    entity,
    sources: written.sources.map((source, i) => ({
      ...source,
      class: source.class ?? adapters[i]?.class ?? 'constant',
    })),
    combineSources: {
      minSources: combineSources.minSources,
      minGroups: combineSources.minGroups,
      outlierPpm: combineSources.outlierPercent === undefined ? null : ppm(combineSources.outlierPercent),
    },
    bounds: {
      min: bound('min', min),
      max: bound('max', max),
      change: change === undefined ? null : { maxPpm: ppm(change.maxPercent), windowS: change.windowS },
    },
    bidAskPpmMax: written.liquidity === undefined ? null : ppm(written.liquidity.bidAskPercentMax),
    freshness: { maxAgeS: written.freshness.maxAgeS, validForS: written.freshness.validForS },
    schedule: schedule.schedule,
    triggers: {
      streamPpm: ppm(written.triggers?.streamPercent),
      deviationPpm: ppm(written.triggers?.deviationPercent),
      heartbeatS: written.triggers?.heartbeatS ?? written.freshness.validForS,
    },
    risk: written.risk,
    retentionDays: written.retentionDays ?? retentionDays,
    licence: written.licence,
    singleSource: written.singleSource ?? null,
    leaves,
    meaning,
  }
  if (problems.length > 0) return problems
  const feed: FeedDeclaration = { ...body, digest: digestOf(engine, body) }
  return { feed, value, adapters, gapMs: schedule.gapMs, instance }
}

/** Which parameters the schema of that name has, where one is `given` that it has not; else what it says of `name`. */
function paramsFix(schema: string, name: string, given: readonly string[]): string {
  const properties = documents[`params/${schema}`]!['properties'] as Readonly<Record<string, { description?: string }>>
  const known = Object.keys(properties)
  const unknown = given.find((key) => !Object.hasOwn(properties, key))
  if (unknown !== undefined)
    return `It takes ${known.join(', ')}, and knows no "${unknown}".${didYouMean(unknown, known)}`
  return `Write ${name} as schemas/params/${schema}.json says. ${properties[name]?.description ?? ''}`.trim()
}

type Fail = (rule: string, pointer: string, message: string, fix: string) => void

function decimalsOf(written: WrittenFeed, value: ValuePlan, fail: Fail): number {
  const numbers = value.leaves.filter((leaf) => leaf.type === 'int64' || leaf.type === 'int176')
  if (numbers.some((leaf) => leaf.decimals === 'feed')) {
    if (written.decimals === undefined)
      fail('decimals', '', 'decimals is missing', `Say how many digits after the point of ${written.value} are signed.`)
    return written.decimals ?? 0
  }
  const fixed = (numbers[0]?.decimals ?? 0) as number
  if (written.decimals !== undefined && written.decimals !== fixed)
    fail('decimals', '/decimals', `${written.value} fixes its decimals: ${fixed}`, 'Remove decimals.')
  return fixed
}

function unitOf(written: WrittenFeed, value: ValuePlan, fail: Fail): string {
  const { unit } = written
  if (value.isPriced) {
    if (unit === undefined) fail('unit', '', 'the unit is not named', 'Say unit, the currency of the price: unit: USD.')
    else if (!/^[!-~](?:[ -~]{0,30}[!-~])?$/.test(unit))
      fail('unit', '/unit', `"${unit}" is no unit`, 'Use a currency code or UCUM, at most 32 ASCII characters.')
    return unit ?? ''
  }
  const fixed = value.leaves.find((leaf) => leaf.unit !== null)?.unit ?? '1'
  if (unit !== undefined && unit !== fixed)
    fail('unit', '/unit', `${written.value} fixes its units, "${fixed}" first`, 'Remove unit.')
  return fixed
}

function leavesOf(written: WrittenFeed, value: ValuePlan, decimals: number, fail: Fail): LeafPlan[] {
  const chosen = new Map(Object.entries(written.combineMembers ?? {}))
  for (const [key, combine] of chosen) {
    const leaf = value.leaves.find((known) => known.key === key)
    if (leaf === undefined)
      fail('combine-members', `/combineMembers/${key}`, `${written.value} signs no "${key}"`, 'Name a signed field.')
    else if (combine === 'median' && leaf.type !== 'int64' && leaf.type !== 'int176')
      fail('combine-members', `/combineMembers/${key}`, `"${key}" is no number`, 'Say majority or identity.')
  }
  const leaves = value.leaves.map((leaf): LeafPlan => {
    const { key, name, type, bytesMax } = leaf
    const plan = {
      key,
      name,
      type,
      combine: chosen.get(leaf.key) ?? leaf.combine,
      decimals: leaf.decimals === 'feed' ? decimals : leaf.decimals,
      isPriced: leaf.unit === 'feed',
    }
    return bytesMax === undefined ? plan : { ...plan, bytesMax }
  })
  if (leaves.every((leaf) => leaf.combine === 'identity'))
    fail('combine-members', '/combineMembers', 'all fields are identities', 'Leave one field to median or majority.')
  return leaves
}

function scheduleOf(written: WrittenFeed['schedule'], fail: Fail): { schedule: Schedule; gapMs: number } {
  const { every, cron, stream, onRequest } = written
  if (onRequest !== undefined) {
    if ((every ?? cron ?? stream) !== undefined)
      fail('schedule', '/schedule', 'onRequest stands alone', 'Keep onRequest, or say when sources are asked.')
    return { schedule: { kind: 'request' }, gapMs: requestGapMs }
  }
  if (cron !== undefined) {
    if (every !== undefined || stream !== undefined)
      fail('schedule', '/schedule', 'cron stands alone', 'Keep cron, or every with or without stream.')
    const gapMs = cronGapMs(cron)
    if (gapMs === null)
      fail(
        'cron',
        '/schedule/cron',
        `"${cron}" is no cron expression, or never comes true`,
        'Write five fields (minute hour day month weekday) or six with seconds first: numbers, lists, ranges, steps.',
      )
    return { schedule: { kind: 'cron', cron }, gapMs: gapMs ?? 0 }
  }
  const [, count, unit] = /^([0-9]+)([a-z]+)$/.exec(every ?? '') ?? []
  const everyMs = count === undefined ? 0 : Number(count) * unitMs[unit!]!
  if (every === undefined) fail('schedule', '/schedule', 'every is missing', 'Say every: 5s, also beside stream: true.')
  else if (everyMs < everyMsMin || everyMs > everyMsMax)
    fail('schedule', '/schedule/every', `${every} is not within 100ms and 1d`, 'Use cron for longer times.')
  return { schedule: { kind: stream === true ? 'stream' : 'every', everyMs }, gapMs: everyMs }
}

function fieldOf({ name, type, combine, bytesMax }: LeafPlan): Field {
  return bytesMax === undefined ? { name, type, combine } : { name, type, combine, bytesMax }
}

/** keccak256 of the RFC 8785 bytes of the declaration, its bounds as decimal strings. */
function digestOf(engine: Engine, body: Omit<FeedDeclaration, 'digest'>): string {
  const { min, max, change } = body.bounds
  const bounds = { min: min?.toString() ?? null, max: max?.toString() ?? null, change }
  // What is priced follows from the value's schema, whose digest is in the meaning.
  const leaves = body.leaves.map(({ isPriced: _, ...leaf }) => leaf)
  return toHex(engine.keccak256(utf8(canonicalJson({ ...body, bounds, leaves }))))
}
