// Reads the real series that the package vega-datasets carries: earthquakes, a city's weather, shares and an index.

import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { readBounded } from '../base/read-file.js'

/** One event of the USGS summary feed, as served. */
export interface Earthquake {
  readonly timeMs: number
  readonly magnitude: number
  readonly feature: unknown
}

/** A day of weather; decimals as text. */
export interface Weather {
  readonly date: string
  /** Mean of the day's highest and lowest, °C, exact. */
  readonly temperature: string
  /** mm of the day. */
  readonly precipitation: string
  /** m/s, mean of the day. */
  readonly wind: string
}

/** A month's close; `price` as the file writes it. */
export interface Close {
  readonly date: string
  readonly price: string
}

export interface BundledRows {
  /** Rising in time. */
  readonly earthquakes: readonly Earthquake[]
  /** When the summary feed was made, ms since 1970. */
  readonly generatedMs: number
  /** The feed's own head: type and metadata without its counts. */
  readonly metadata: Readonly<Record<string, unknown>>
  readonly weather: readonly Weather[]
  /** By symbol: each share's monthly closes, and SP500. */
  readonly closes: ReadonlyMap<string, readonly Close[]>
}

const fileBytesMax = 16 * 1024 * 1024

/** Where vega-datasets keeps its files, as seen from this program; null when it is not installed. */
export function findBundled(): string | null {
  try {
    const require = createRequire(import.meta.url)
    // The package exports its code only, so its folder is found from that: build/index.js beside data/.
    return join(dirname(dirname(require.resolve('vega-datasets'))), 'data')
  } catch {
    return null
  }
}

/** The series in `folder`, a vega-datasets `data` folder. */
export function readBundled(folder: string): BundledRows {
  const read = (name: string): string =>
    Buffer.from(readBounded(join(folder, name), fileBytesMax, 'DEMO_SOURCES_ABSENT')).toString('utf8')
  const rowsOf = (name: string): Record<string, string>[] =>
    parse(read(name), { columns: true, skip_empty_lines: true }) as Record<string, string>[]
  const summary = JSON.parse(read('earthquakes.json')) as {
    metadata: { generated: number; count: number }
    features: { properties: { time: number; mag: number } }[]
  }
  const { generated, count: _, ...metadata } = summary.metadata
  const closes = new Map<string, Close[]>()
  for (const { symbol, date, price } of [
    ...rowsOf('stocks.csv'),
    ...rowsOf('sp500.csv').map((row) => ({ ...row, symbol: 'SP500' })),
  ] as Record<string, string>[]) {
    const list = closes.get(symbol!) ?? []
    closes.set(symbol!, list)
    list.push({ date: isoDate(date!), price: price! })
  }
  return {
    earthquakes: summary.features
      .map((feature) => ({ timeMs: feature.properties.time, magnitude: feature.properties.mag, feature }))
      .sort((a, b) => a.timeMs - b.timeMs),
    generatedMs: generated,
    metadata,
    weather: rowsOf('seattle-weather.csv').map((row) => ({
      date: row['date']!,
      temperature: meanOf(row['temp_max']!, row['temp_min']!),
      precipitation: row['precipitation']!,
      wind: row['wind']!,
    })),
    closes,
  }
}

/** The mean of two decimals with one digit after the point, exact. */
export function meanOf(a: string, b: string): string {
  const tenths = (text: string): bigint => {
    if (!/^-?\d{1,4}\.\d$/.test(text)) throw new Error(`"${text}" has not one digit after the point`)
    return BigInt(text.replace('.', ''))
  }
  // Half a tenth is five hundredths.
  const hundredths = (tenths(a) + tenths(b)) * 5n
  const digits = (hundredths < 0n ? -hundredths : hundredths).toString().padStart(3, '0')
  return `${hundredths < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

/** "Jan 1 2000" as 2000-01-01. */
function isoDate(text: string): string {
  const [month, day, year] = text.split(' ') as [string, string, string]
  const at = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'].indexOf(month)
  if (at < 0) throw new Error(`"${text}" is no date`)
  return `${year}-${String(at + 1).padStart(2, '0')}-${day.padStart(2, '0')}`
}
