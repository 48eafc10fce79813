// The bundled show: a week of real earthquakes, with real weather and share prices of other years beside it, on one clock.
//
// The earthquakes keep their own times. The other series are older and slower (days, months), so their rows are shown one
// after the other from the same moment on: a day of weather each step, a month of shares each `stepsPerMonth` steps.

import type { BundledRows, Close } from './bundled-rows.js'
import { type Answer, json, type Show } from './show.js'
import { clockLeadMs } from './venue-show.js'

const stepMs = 10 * 60_000
const dayMs = 86_400_000
const stepsPerMonth = 7

/** Where shares are asked for: a name that no network resolves, so that only this replay can answer. */
export const closesHost = 'vega-datasets.invalid'
const usgsHost = 'earthquake.usgs.gov'
const weatherHost = 'api.open-meteo.com'

/** Seattle-Tacoma airport, where the weather was measured. */
export const seattle: { readonly latitude: number; readonly longitude: number } = {
  latitude: 47.4444,
  longitude: -122.3138,
}

/** Serves the rows of vega-datasets as their publishers would: USGS summary feeds, Open-Meteo, and JSON of closes. */
export function bundledShow(rows: BundledRows): Show {
  // A day into the week, so that the feed of the past day is whole from the first step on.
  const startMs = Math.ceil((rows.earthquakes[0]!.timeMs + dayMs) / stepMs) * stepMs
  const count = Math.floor((rows.generatedMs - clockLeadMs - startMs) / stepMs) + 1
  const timesMs = Array.from({ length: count }, (_, i) => startMs + i * stepMs)
  return {
    stepsMs: timesMs.map((timeMs) => timeMs + clockLeadMs),
    hosts: [usgsHost, weatherHost, closesHost],
    answer: (host, target, step) => {
      const [path, query = ''] = target.split('?', 2) as [string, string?]
      const timeMs = timesMs[step]!
      if (host === usgsHost) return summaryFeed(rows, path, timeMs + clockLeadMs)
      if (host === weatherHost) return weather(rows, path, new URLSearchParams(query), step, timeMs)
      return host === closesHost ? closeOf(rows, path, step, startMs) : null
    },
  }
}

const periodsMs: Readonly<Record<string, number>> = {
  hour: 3_600_000,
  day: dayMs,
  week: 7 * dayMs,
  month: 30 * dayMs,
}

/** A summary feed (earthquake.usgs.gov/earthquakes/feed/v1.0/geojson.php): the events up to now, newest first. */
function summaryFeed(rows: BundledRows, path: string, nowMs: number): Answer | null {
  const form = /^\/earthquakes\/feed\/v1\.0\/summary\/(all|1\.0|2\.5|4\.5)_(hour|day|week|month)\.geojson$/
  const [, least, period] = form.exec(path) ?? []
  if (least === undefined) return null
  const sinceMs = nowMs - periodsMs[period!]!
  const isShown = ({ timeMs, magnitude }: BundledRows['earthquakes'][number]): boolean =>
    timeMs <= nowMs && timeMs > sinceMs && (least === 'all' || magnitude >= Number(least))
  const features = rows.earthquakes.filter(isShown).reverse()
  const url = `https://${usgsHost}${path}`
  const metadata = { generated: nowMs, ...rows.metadata, url, title: titleOf(least, period!), count: features.length }
  const body = { type: 'FeatureCollection', metadata, features: features.map(({ feature }) => feature) }
  return json(200, body)
}

function titleOf(least: string, period: string): string {
  const span = `Past ${period[0]!.toUpperCase()}${period.slice(1)}`
  return least === 'all' ? `USGS All Earthquakes, ${span}` : `USGS Magnitude ${least}+ Earthquakes, ${span}`
}

const weatherFields: Readonly<
  Record<string, readonly [field: 'temperature' | 'precipitation' | 'wind', unit: string]>
> = {
  temperature_2m: ['temperature', '°C'],
  precipitation: ['precipitation', 'mm'],
  wind_speed_10m: ['wind', 'm/s'],
}

/** GET /v1/forecast?latitude&longitude&current=…&wind_speed_unit=ms, for Seattle alone (open-meteo.com/en/docs). */
function weather(rows: BundledRows, path: string, query: URLSearchParams, step: number, timeMs: number): Answer | null {
  if (path !== '/v1/forecast') return null
  const refuse = (reason: string): Answer => json(400, { error: true, reason })
  const [latitude, longitude] = [Number(query.get('latitude')), Number(query.get('longitude'))]
  if (!(Math.abs(latitude - seattle.latitude) <= 0.5 && Math.abs(longitude - seattle.longitude) <= 0.5))
    return refuse('this replay has the weather of Seattle only')
  const names = (query.get('current') ?? '').split(',')
  const unknown = names.find((name) => !Object.hasOwn(weatherFields, name))
  if (unknown !== undefined) return refuse(`Cannot initialize current variable from invalid String value ${unknown}`)
  if (names.includes('wind_speed_10m') && query.get('wind_speed_unit') !== 'ms')
    return refuse('this replay has the wind in m/s only')
  const isUnix = query.get('timeformat') === 'unixtime'
  const time = isUnix ? String(timeMs / 1000) : JSON.stringify(new Date(timeMs).toISOString().slice(0, 16))
  const row = rows.weather[step % rows.weather.length]!
  const units = { time: isUnix ? 'unixtime' : 'iso8601', interval: 'seconds' }
  const unitsOf = Object.fromEntries(names.map((name) => [name, weatherFields[name]![1]]))
  // Written out, so that the numbers stand as recorded.
  const values = names.map((name) => `,"${name}":${row[weatherFields[name]![0]]}`).join('')
  const head = { latitude, longitude, utc_offset_seconds: 0, timezone: 'GMT', timezone_abbreviation: 'GMT' }
  const current = `{"time":${time},"interval":${stepMs / 1000}${values}}`
  const body = `${JSON.stringify({ ...head, current_units: { ...units, ...unitsOf } }).slice(0, -1)},"current":${current}}`
  return { status: 200, mediaType: 'application/json', body }
}

/** GET /closes/AAPL: the month's close, the month it is of, and the replay's time since when it is shown. */
function closeOf(rows: BundledRows, path: string, step: number, startMs: number): Answer | null {
  const symbol = /^\/closes\/([A-Z0-9]{1,12})$/.exec(path)?.[1]
  const closes: readonly Close[] | undefined = symbol === undefined ? undefined : rows.closes.get(symbol)
  if (symbol === undefined || closes === undefined) return null
  const at = Math.min(closes.length - 1, Math.floor(step / stepsPerMonth))
  const { date, price } = closes[at]!
  const shownAtMs = startMs + at * stepsPerMonth * stepMs
  const head = JSON.stringify({ symbol, date, shownAtMs }).slice(0, -1)
  return { status: 200, mediaType: 'application/json', body: `${head},"price":${price}}` }
}
