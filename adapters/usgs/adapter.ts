// US Geological Survey: one earthquake by its id, or the newest that is strong enough and inside a box.

import type { Adapter, Params, SourceReading } from '../../src/observe/adapter.js'
import { compareDecimals } from '../../src/observe/parse/decimal.js'
import { excerpt } from '../../src/observe/parse/excerpt.js'
import { type Place, parseJson } from '../../src/observe/parse/json.js'
import { decimal, drift, field, integer, item, items, optionalField, text } from '../../src/observe/parse/read.js'
import { time } from '../../src/observe/parse/time.js'
import { checkIdentity } from '../../src/observe/parse/venue.js'
import { SourceError } from '../../src/observe/source-error.js'

const host = 'earthquake.usgs.gov'
const feeds = '/earthquakes/feed/v1.0'
// The service cuts longer answers here without a word; so do spreadsheets at 65,536 rows (incident I10).
const roundLimits: readonly number[] = [20_000, 65_536]
/** Widest plausible numbers, inclusive; a swapped or rescaled field mostly leaves them. */
const ranges = {
  magnitude: ['-3', '10'],
  latitude: ['-90', '90'],
  longitude: ['-180', '180'],
  depth: ['-10', '800'],
} as const

/** value/earthquake. The time is the feed's for the newest event (generated), the event's for one by id (updated). */
export const usgs: Adapter = {
  id: 'usgs',
  version: 1,
  title: 'USGS, earthquakes',
  docs: 'https://earthquake.usgs.gov/earthquakes/feed/v1.0/geojson.php',
  class: 'event',
  schemas: { params: 'usgs', value: 'earthquake' },
  limits: { hosts: [host], timeoutMs: 15_000, bytesMax: 4_194_304, perMinute: 10 },

  request: ({ eventId, feed }) => ({
    url: `https://${host}${feeds}/${eventId === undefined ? `summary/${feed}` : `detail/${eventId}`}.geojson`,
  }),

  normalise: (raw, params) => {
    const body = parseJson(raw)
    return params['eventId'] === undefined ? newest(body, params) : oneEvent(body, String(params['eventId']))
  },
}

function oneEvent(body: Place, eventId: string): SourceReading {
  checkType(body, 'Feature')
  const properties = field(body, 'properties')
  // An event keeps every id that a network ever gave it; the preferred one may change.
  const ids = text(field(properties, 'ids')).split(',')
  if (!ids.includes(eventId)) checkIdentity(field(body, 'id'), eventId)
  if (optionalField(properties, 'status')?.value === 'deleted')
    throw new SourceError('SOURCE_NO_DATA', 'the event was deleted', { path: '/properties/status' })
  const updated = field(properties, 'updated')
  return reading(body, eventId, time(updated, 'ms'), updated.path)
}

function newest(body: Place, params: Params): SourceReading {
  checkType(body, 'FeatureCollection')
  const metadata = field(body, 'metadata')
  const url = field(metadata, 'url')
  if (!text(url).endsWith(`/${String(params['feed'])}.geojson`)) {
    const message = `the answer is of ${excerpt(text(url))}`
    throw new SourceError('SOURCE_IDENTITY', message, { path: url.path })
  }
  const events = items(field(body, 'features'))
  checkComplete(events.length, metadata)
  const generated = field(metadata, 'generated')
  const generatedAtMs = time(generated, 'ms')
  const latest = events
    .filter((event) => isWanted(event, params))
    .map((event) => ({ event, atMs: originMs(event), id: text(field(event, 'id')) }))
    .reduce<{ event: Place; atMs: number; id: string } | null>(
      (best, next) =>
        best === null || next.atMs > best.atMs || (next.atMs === best.atMs && next.id > best.id) ? next : best,
      null,
    )
  if (latest === null) throw new SourceError('SOURCE_NO_DATA', 'the feed has no such event', { path: '/features' })
  return reading(latest.event, latest.id, generatedAtMs, generated.path)
}

/** SOURCE_TRUNCATION_SUSPECT when rows are missing, or when there are exactly as many as a limit allows (I10). */
function checkComplete(rows: number, metadata: Place): void {
  const count = field(metadata, 'count')
  const limit = optionalField(metadata, 'limit')
  if (integer(count) === rows && !roundLimits.includes(rows) && (limit === null || rows < integer(limit))) return
  const facts = { rows, count: integer(count) }
  throw new SourceError('SOURCE_TRUNCATION_SUSPECT', 'events may be missing', { path: '/features', facts })
}

/** Whether the event is an earthquake of a known magnitude within what params ask for. */
function isWanted(event: Place, params: Params): boolean {
  checkType(event, 'Feature')
  const properties = field(event, 'properties')
  const magnitude = field(properties, 'mag')
  // Not every event has been measured yet, and quarries blast.
  if (magnitude.value === null || text(field(properties, 'type')) !== 'earthquake') return false
  if (compareDecimals(decimal(magnitude), numberText(params['minMagnitude'])) < 0) return false
  if (params['minLatitude'] === undefined) return true
  const [longitude, latitude] = [coordinate(event, 0), coordinate(event, 1)]
  return (
    isWithin(decimal(latitude), numberText(params['minLatitude']), numberText(params['maxLatitude'])) &&
    isWithin(decimal(longitude), numberText(params['minLongitude']), numberText(params['maxLongitude']))
  )
}

function reading(event: Place, eventId: string, observedAtMs: number, path: string): SourceReading {
  // A source cannot report an event before it happened: one of the two times has another unit or meaning.
  if (originMs(event) > observedAtMs)
    throw new SourceError('SOURCE_VALUE_INVALID', 'the event is newer than its report', { path })
  const properties = field(event, 'properties')
  const place = optionalField(properties, 'place')
  return {
    value: {
      eventId,
      magnitude: ranged(field(properties, 'mag'), 'magnitude'),
      latitude: ranged(coordinate(event, 1), 'latitude'),
      longitude: ranged(coordinate(event, 0), 'longitude'),
      depth: ranged(coordinate(event, 2), 'depth'),
      ...(typeof place?.value === 'string' && { place: place.value.slice(0, 200) }),
    },
    observedAtMs,
  }
}

function originMs(event: Place): number {
  return time(field(field(event, 'properties'), 'time'), 'ms')
}

/** GeoJSON order: longitude, latitude, then USGS's depth in km. */
function coordinate(event: Place, index: 0 | 1 | 2): Place {
  const geometry = field(event, 'geometry')
  checkType(geometry, 'Point')
  const coordinates = field(geometry, 'coordinates')
  if (items(coordinates).length !== 3) throw drift(coordinates, 'has not three numbers')
  return item(coordinates, index)
}

function ranged(place: Place, name: keyof typeof ranges): string {
  const plain = decimal(place)
  const [min, max] = ranges[name]
  if (isWithin(plain, min, max)) return plain
  throw new SourceError('SOURCE_VALUE_INVALID', `no ${name}: ${plain}`, { path: place.path })
}

function isWithin(plain: string, min: string, max: string): boolean {
  return compareDecimals(plain, min) >= 0 && compareDecimals(plain, max) <= 0
}

function checkType(place: Place, type: string): void {
  if (text(field(place, 'type')) !== type) throw drift(field(place, 'type'), `is not ${type}`)
}

/** A number of params as decimal text. */
function numberText(number: string | number | boolean | undefined): string {
  return decimal({ value: String(number), path: '' })
}
