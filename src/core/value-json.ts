// How a value looks in JSON: decimal strings for integers, an object by field name for structured values.

import { fitsCell } from './abi.js'
import { utf8 } from './bytes.js'
import type { FeedMeaning, Field } from './committee.js'
import { kindOf } from './leaf.js'
import type { Place } from './place.js'

/** A value as report.json shows it. */
export type JsonValue = string | Readonly<Record<string, string | boolean>>

/** `value` units of 10^−decimals as a decimal string with exactly `decimals` digits after the point. */
export function formatDecimal(value: bigint, decimals: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, '0')
  const sign = value < 0n ? '-' : ''
  return decimals === 0 ? sign + digits : `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
}

/** The integer that `formatDecimal` shows as `text`; null for every other text. */
export function parseDecimal(text: string, decimals: number): bigint | null {
  if (text.length > 128 || !/^-?[0-9]+(?:\.[0-9]+)?$/.test(text)) return null
  const value = BigInt(text.replace('.', ''))
  return formatDecimal(value, decimals) === text ? value : null
}

/**
 * The JSON of `cells` (bool: 0n or 1n): a decimal string scaled by the feed's decimals where one integer is the whole
 * value; otherwise an object by field name, its integers unscaled, since only the schema knows each field's unit.
 */
export function presentValue(meaning: FeedMeaning, cells: readonly (bigint | string)[]): JsonValue {
  if (kindOf(meaning.fields) === 0) return formatDecimal(cells[0] as bigint, meaning.decimals)
  return Object.fromEntries(
    meaning.fields.map((field, i): [string, string | boolean] => {
      const cell = cells[i]!
      return [field.name, field.type === 'bool' ? cell === 1n : cell.toString()]
    }),
  )
}

/** The cells that `presentValue` shows as `place`; refuses anything out of type, range or form there. */
export function checkValue(meaning: FeedMeaning, place: Place): readonly (bigint | string)[] {
  if (kindOf(meaning.fields) === 0) return [checkCell(meaning.fields[0]!, meaning.decimals, place)]
  const at = place.fields(meaning.fields.map((field) => field.name))
  return meaning.fields.map((field) => checkCell(field, 0, at[field.name]!))
}

function checkCell(field: Field, decimals: number, place: Place): bigint | string {
  if (field.type === 'bool') {
    if (typeof place.value !== 'boolean') return place.fail('expected true or false')
    return place.value ? 1n : 0n
  }
  const text = place.string()
  if (field.type === 'string') {
    if (utf8(text).length > field.bytesMax!) return place.fail(`expected at most ${field.bytesMax} bytes`)
    return text
  }
  const integer = parseDecimal(text, decimals)
  if (integer === null || !fitsCell(field.type, integer))
    return place.fail(`expected an ${field.type} as a decimal string with ${decimals} decimals`)
  return integer
}
