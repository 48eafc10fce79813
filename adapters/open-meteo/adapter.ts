// Open-Meteo: the current weather at one place.

import type { Adapter } from '../../src/observe/adapter.js'
import { compareDecimals, scaleDecimal } from '../../src/observe/parse/decimal.js'
import { excerpt } from '../../src/observe/parse/excerpt.js'
import { type Place, parseJson } from '../../src/observe/parse/json.js'
import { decimal, field, integer, optionalField, text } from '../../src/observe/parse/read.js'
import { isoMs } from '../../src/observe/parse/time.js'
import { SourceError } from '../../src/observe/source-error.js'

const host = 'api.open-meteo.com'
/** Our leaf → the source's variable, the unit that request() asks for, and the widest plausible numbers. */
const variables = {
  temperature: { name: 'temperature_2m', unit: '°C', min: '-95', max: '65' },
  precipitation: { name: 'precipitation', unit: 'mm', min: '0', max: '500' },
  windSpeed: { name: 'wind_speed_10m', unit: 'm/s', min: '0', max: '120' },
} as const
/** The model's grid point is near the asked place, never further: 0.2 degrees, in units of 10^-6. */
const apartMax = 200_000n

/** value/weather at params' place; the time is that of the model's current interval. */
export const openMeteo: Adapter = {
  id: 'open-meteo',
  version: 1,
  title: 'Open-Meteo, current weather',
  docs: 'https://open-meteo.com/en/docs',
  class: 'measurement',
  schemas: { params: 'open-meteo', value: 'weather' },
  limits: { hosts: [host], timeoutMs: 10_000, bytesMax: 65_536, perMinute: 60 },

  request: ({ latitude, longitude }) => {
    const names = Object.values(variables).map(({ name }) => name)
    const place = `latitude=${latitude}&longitude=${longitude}`
    return { url: `https://${host}/v1/forecast?${place}&current=${names.join(',')}&wind_speed_unit=ms&timezone=GMT` }
  },

  normalise: (raw, params) => {
    const body = parseJson(raw)
    if (optionalField(body, 'error')?.value === true) {
      const reason = text(field(body, 'reason'))
      throw new SourceError('SOURCE_ERROR_BODY', `Open-Meteo says: ${excerpt(reason)}`, { path: '/reason' })
    }
    const latitude = near(field(body, 'latitude'), params['latitude'])
    const longitude = near(field(body, 'longitude'), params['longitude'])
    const [units, current] = [field(body, 'current_units'), field(body, 'current')]
    return {
      value: {
        temperature: measured(units, current, 'temperature'),
        precipitation: measured(units, current, 'precipitation'),
        windSpeed: measured(units, current, 'windSpeed'),
        place: `${latitude}, ${longitude}`,
      },
      observedAtMs: currentMs(body, units, current),
    }
  },
}

function measured(units: Place, current: Place, leaf: keyof typeof variables): string {
  const { name, unit, min, max } = variables[leaf]
  checkUnit(field(units, name), unit)
  const place = field(current, name)
  const plain = decimal(place)
  if (compareDecimals(plain, min) >= 0 && compareDecimals(plain, max) <= 0) return plain
  throw new SourceError('SOURCE_VALUE_INVALID', `${plain} ${unit} is no ${leaf}`, { path: place.path })
}

/** SOURCE_UNIT_UNKNOWN unless the unit is the asked one, letter by letter (incident I21). */
function checkUnit(place: Place, unit: string): void {
  if (text(place) === unit) return
  const message = `the unit is "${excerpt(text(place))}", asked was "${unit}"`
  throw new SourceError('SOURCE_UNIT_UNKNOWN', message, { path: place.path })
}

/** The coordinate at `place`; SOURCE_IDENTITY when it is not near the asked one. */
function near(place: Place, asked: string | number | boolean | undefined): string {
  const plain = decimal(place)
  const apart = scaleDecimal(plain, 6) - scaleDecimal(decimal({ value: String(asked), path: '' }), 6)
  if (apart <= apartMax && apart >= -apartMax) return plain
  throw new SourceError('SOURCE_IDENTITY', `the answer is about ${plain}, asked was ${asked}`, { path: place.path })
}

/** Local time without a zone, which another field gives: the current time, ms. */
function currentMs(body: Place, units: Place, current: Place): number {
  checkUnit(field(units, 'time'), 'iso8601')
  const offset = field(body, 'utc_offset_seconds')
  const offsetS = integer(offset)
  if (Math.abs(offsetS) > 14 * 3600)
    throw new SourceError('SOURCE_VALUE_INVALID', 'no offset of a time zone', { path: offset.path })
  const place = field(current, 'time')
  return isoMs(`${text(place)}Z`, place.path) - offsetS * 1000
}
