// How the command line writes values, ages, spreads, times and paths for people: one form each, wherever it stands.

import { relative } from 'node:path'
import { formatDecimal, type JsonValue } from '../core/value-json.js'
import type { FeedDeclaration, LeafPlan } from '../feed/declaration.js'
import { documents } from '../schema/generated/validators.js'

/** UCUM codes that people write otherwise. */
const symbols: Readonly<Record<string, string>> = { Cel: ' °C', deg: '°', '1': '' }

/**
 * A value in at most `width` characters: with its unit, or the parts of a structured one by name, numbers first, names
 * of things last. What does not fit is left out from the end.
 */
export function presentFeed(
  value: JsonValue | null,
  declaration: FeedDeclaration | undefined,
  width: number = Number.POSITIVE_INFINITY,
): string {
  if (value === null) return 'no value'
  if (typeof value === 'string') {
    const number = trimmed(value)
    const text = `${number}${withSpace(declaration?.unit ?? '')}`
    return text.length <= width ? text : cut(number, width)
  }
  const leaves = declaration?.leaves ?? []
  const rank = (leaf: LeafPlan | undefined): number => (leaf?.combine === 'median' ? 0 : leaf === undefined ? 2 : 1)
  const parts = Object.entries(value)
    .map(([name, part]) => ({ name, part, place: leaves.findIndex((leaf) => leaf.name === name) }))
    .sort((a, b) => rank(leaves[a.place]) - rank(leaves[b.place]) || a.place - b.place)
    .map(({ name, part, place }) => {
      const leaf = leaves[place]
      const isNumber = typeof part === 'string' && leaf?.type.startsWith('int') === true
      if (!isNumber) return visible(`${name} ${part}`)
      return `${name} ${trimmed(formatDecimal(BigInt(part), leaf.decimals))}${withSpace(unitOf(declaration!, leaf))}`
    })
  return fitted(parts, width)
}

/** As many whole parts as there is room for, and a mark where some are missing. */
function fitted(parts: readonly string[], width: number): string {
  for (let count = parts.length; count > 0; count--) {
    const text = parts.slice(0, count).join(', ') + (count < parts.length ? ' …' : '')
    if (text.length <= width) return text
  }
  return cut(parts[0] ?? '', width)
}

function unitOf({ value, unit }: FeedDeclaration, { key }: LeafPlan): string {
  const properties = documents[`value/${value}`]?.['properties'] as
    | Readonly<Record<string, { readonly assay?: { readonly unit?: string } }>>
    | undefined
  const own = properties?.[key]?.assay?.unit ?? ''
  return own === 'feed' ? unit : own
}

const withSpace = (unit: string): string => symbols[unit] ?? (unit === '' ? '' : ` ${unit}`)

/** Without the zeros that say nothing, but for two. */
function trimmed(decimal: string): string {
  return decimal.replace(/(\.\d\d\d*?)0+$/, '$1')
}

/** A latency, with a digit after the point where it is short. */
export function presentMs(ms: number): string {
  return `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`
}

/** An age in the largest unit that has a whole number of it. */
export function presentAge(ms: number): string {
  const s = Math.max(0, ms) / 1000
  if (s < 60) return `${s.toFixed(1)} s`
  if (s < 3600) return `${Math.floor(s / 60)} min`
  return s < 172_800 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86_400)} d`
}

/** A spread in percent; of one source there is none. */
export function presentSpread({ groups, spreadPpm }: { readonly groups: number; readonly spreadPpm: number }): string {
  return groups < 2 && spreadPpm === 0 ? '–' : `${(spreadPpm / 10_000).toFixed(3)} %`
}

/** "1 feed", "2 feeds". */
export function counted(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? '' : 's'}`
}

/** "report 24 (epoch 0)". */
export function presentSlot({ epoch, round }: { readonly epoch: number; readonly round: number }): string {
  return `report ${round} (epoch ${epoch})`
}

/** A path as seen from where the user stands, when it is below. */
export function nearest(file: string): string {
  const near = relative('', file)
  return near === '' || near.startsWith('..') || near.length >= file.length ? file : near
}

/** `text` in at most `width` characters, with a mark where it was cut. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}

/** What comes from elsewhere may hold terminal commands: they are shown, not obeyed. */
export function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, '?')
}
