// Typed readers of JSON: each gives what is at a place in an answer, or refuses with that place's JSON Pointer.

import { SourceError } from '../source-error.js'
import { canonicalDecimal, digitsMax } from './decimal.js'
import { type Json, NumberText, type Place } from './json.js'

/** The field `name` of an object; SOURCE_DRIFT when `place` is no object or lacks it. */
export function field(place: Place, name: string): Place {
  const found = optionalField(place, name)
  if (found === null) throw drift({ value: null, path: pointer(place, name) }, 'is missing')
  return found
}

/** The field `name` of an object, null when it is absent; SOURCE_DRIFT when `place` is no object. */
export function optionalField(place: Place, name: string): Place | null {
  const { value } = place
  if (!isObject(value)) throw drift(place, 'is no object')
  return Object.hasOwn(value, name) ? { value: value[name]!, path: pointer(place, name) } : null
}

/** The names of an object's fields, in the source's order; SOURCE_DRIFT when `place` is no object. */
export function fieldNames(place: Place): readonly string[] {
  if (!isObject(place.value)) throw drift(place, 'is no object')
  return Object.keys(place.value)
}

/** The items of an array; SOURCE_DRIFT when `place` is none. */
export function items(place: Place): readonly Place[] {
  const { value, path } = place
  if (!Array.isArray(value)) throw drift(place, 'is no array')
  return value.map((item: Json, i) => ({ value: item, path: `${path}/${i}` }))
}

/** Item `index` of an array; SOURCE_DRIFT when there is none. */
export function item(place: Place, index: number): Place {
  const found = items(place)[index]
  if (found === undefined) throw drift(place, `has no item ${index}`)
  return found
}

/** A string that is not empty; SOURCE_DRIFT for anything else. */
export function text(place: Place): string {
  if (typeof place.value !== 'string' || place.value === '') throw drift(place, 'is no text')
  return place.value
}

/**
 * A number, or a string with one, as plain decimal of at most 60 digits. SOURCE_DRIFT for null and other types,
 * SOURCE_VALUE_INVALID for strings that are no number as JSON writes it, and for what has more digits (1e400).
 */
export function decimal(place: Place): string {
  const { value, path } = place
  const written = value instanceof NumberText ? value.text : value
  if (typeof written !== 'string') throw drift(place, 'is no number')
  const plain = canonicalDecimal(written)
  if (plain !== null) return plain
  throw new SourceError('SOURCE_VALUE_INVALID', `${path} is no decimal number of at most ${digitsMax} digits`, { path })
}

/** A whole number below 2^53; errors as of `decimal`, and SOURCE_VALUE_INVALID when it is no such number. */
export function integer(place: Place): number {
  const plain = decimal(place)
  const whole = Number(plain)
  if (!/^-?[0-9]+$/.test(plain) || !Number.isSafeInteger(whole))
    throw new SourceError('SOURCE_VALUE_INVALID', 'the number is not whole', { path: place.path })
  return whole
}

/** The place that the JSON Pointer `path` names below `place`; SOURCE_DRIFT when there is none. */
export function at(place: Place, path: string): Place {
  const names = path.split('/').slice(1)
  return names
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((here, name) => {
      if (!Array.isArray(here.value)) return field(here, name)
      if (!/^(0|[1-9][0-9]{0,8})$/.test(name)) throw drift(here, `has no item "${name}"`)
      return item(here, Number(name))
    }, place)
}

/** SOURCE_DRIFT at `place`. */
export function drift(place: Place, what: string): SourceError {
  return new SourceError('SOURCE_DRIFT', `${place.path === '' ? 'the body' : place.path} ${what}`, { path: place.path })
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberText)
}

function pointer(place: Place, name: string): string {
  return `${place.path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
}
