// Reads a source's own times, in the formats that sources use, as whole milliseconds since 1970.

import { earliestMs, latestMs } from '../../base/plausible-time.js'
import { SourceError } from '../source-error.js'
import type { Place } from './json.js'
import { decimal, text } from './read.js'

/** How a source writes times: ISO 8601 with a zone, or a count since 1970 of seconds, milliseconds or microseconds. */
export type TimeFormat = 'iso' | 's' | 'ms' | 'us'

const iso =
  /^(\d{4})-(\d{2})-(\d{2})(?:T| )(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-](?:0\d|1[0-4]):?[0-5]\d|[+-](?:0\d|1[0-4]))$/

/** The time at `place`, ms, fractions cut; SOURCE_DRIFT by type, SOURCE_VALUE_INVALID for no time of 1990 to 2099. */
export function time(place: Place, format: TimeFormat): number {
  if (format === 'iso') return isoMs(text(place), place.path)
  // Fractions are cut, not rounded: a value is not newer than it says.
  const [whole = '', fraction = ''] = decimal(place).split('.')
  if (format === 's') return inRange(Number(whole + fraction.padEnd(3, '0').slice(0, 3)), place.path)
  return inRange(format === 'ms' ? Number(whole) : Math.floor(Number(whole) / 1000), place.path)
}

/** The time that ISO 8601 `written` says, ms; it must have a zone. Errors as of `time`; `path` is named in them. */
export function isoMs(written: string, path: string): number {
  const match = iso.exec(written)
  if (match === null) throw invalid('no ISO 8601 time with a zone', path)
  const [, year, month, day, hour, minute, second = '00', fraction = '', zone = ''] = match
  const atMs = Date.UTC(+year!, +month! - 1, +day!, +hour!, +minute!, +second, +fraction.padEnd(3, '0').slice(0, 3))
  const parts = new Date(atMs)
  // The 30th of February or 25:00 would have rolled over.
  if (parts.getUTCDate() !== +day! || parts.getUTCHours() !== +hour! || +month! > 12 || +minute! > 59 || +second > 59)
    throw invalid('no day or hour of the calendar', path)
  return inRange(atMs - zoneMs(zone), path)
}

function zoneMs(zone: string): number {
  if (zone === 'Z') return 0
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0')
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000
}

function inRange(atMs: number, path: string): number {
  if (atMs >= earliestMs && atMs < latestMs) return atMs
  throw invalid('not within 1990 to 2099; the unit of the time may have changed', path)
}

function invalid(why: string, path: string): SourceError {
  return new SourceError('SOURCE_VALUE_INVALID', `the time at ${path} is ${why}`, { path })
}
