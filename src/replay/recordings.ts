// Reads a folder of recorded candles: which venue traded which pair, and at what closing price each minute or hour.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { OracleError } from '../base/errors.js'
import { earliestMs, latestMs } from '../base/plausible-time.js'
import { readBounded } from '../base/read-file.js'

/** One candle: the time it began, and its close as the file writes it. */
export interface Row {
  readonly timeMs: number
  /** A positive plain decimal, digit for digit as recorded. */
  readonly close: string
}

/** One venue's candles of one pair. */
export interface Series {
  readonly file: string
  /** Id of the adapter that reads this venue. */
  readonly venue: string
  /** Codes in upper case. */
  readonly base: string
  readonly quote: string
  /** Strictly rising in time, at least one. */
  readonly rows: readonly Row[]
}

/** A file, or one line of it, that is not served. */
export interface Skipped {
  readonly file: string
  /** Counted from 1; null for the whole file. */
  readonly line: number | null
  readonly reason: string
}

export interface Recordings {
  readonly folder: string
  /** Sorted by pair, then venue. */
  readonly series: readonly Series[]
  readonly skipped: readonly Skipped[]
  /** Every time that a served file has a row for, ms since 1970, rising. */
  readonly timesMs: readonly number[]
}

/** Names of venues in file names, and the adapters that read them. */
export const venues: Readonly<Record<string, string>> = {
  coinbase: 'coinbase',
  kraken: 'kraken',
  bitstamp: 'bitstamp',
  binance: 'binance',
  binanceus: 'binance-us',
  gemini: 'gemini',
  cryptocom: 'crypto-com',
}

const fileBytesMax = 64 * 1024 * 1024
const filesMax = 200
const rowsMax = 5_000_000
/** Lines of one file that are named one by one; a sentence counts the rest. */
const linesNamedMax = 20
const headerStart = ['time', 'open', 'high', 'low', 'close', 'volume']

/**
 * The served files of `folder`, top level only, and what is left out with its reason. RECORDINGS_UNFIT when the folder
 * cannot be read or nothing in it can be served.
 */
export function readRecordings(folder: string): Recordings {
  const series: Series[] = []
  const skipped: Skipped[] = []
  let rows = 0
  for (const file of listFiles(folder)) {
    const name = /^([a-z0-9]+)-([a-z0-9]{2,12})-([a-z0-9]{2,12})\.csv$/.exec(file)
    const venue = name === null ? undefined : Object.hasOwn(venues, name[1]!) ? venues[name[1]!] : undefined
    const leave = (reason: string): void => void skipped.push({ file, line: null, reason })
    if (name === null) leave('the name is not venue-base-quote.csv')
    else if (venue === undefined) leave(`no adapter reads the venue "${name[1]}"`)
    else if (series.length === filesMax) leave(`at most ${filesMax} files are served`)
    else {
      const found = readSeries(join(folder, file), file, skipped)
      if (found === null) continue
      rows += found.length
      if (rows > rowsMax) {
        throw new OracleError('RECORDINGS_UNFIT', `more than ${rowsMax} rows in ${folder}`, { path: folder })
      }
      series.push({ file, venue, base: name[2]!.toUpperCase(), quote: name[3]!.toUpperCase(), rows: found })
    }
  }
  if (series.length === 0) {
    const why = skipped.length === 0 ? 'it is empty' : skipped.slice(0, 3).map(sentence).join('; ')
    throw new OracleError('RECORDINGS_UNFIT', `nothing in ${folder} can be served: ${why}`, { path: folder })
  }
  series.sort((a, b) => compare(a.base, b.base) || compare(a.quote, b.quote) || compare(a.venue, b.venue))
  const times = new Set<number>()
  for (const { rows } of series) for (const { timeMs } of rows) times.add(timeMs)
  return { folder, series, skipped, timesMs: [...times].sort((a, b) => a - b) }
}

/** The venue's last trade at `timeMs`: the row of that time or the latest before it; null before the first. */
export function lastTrade(series: Series, timeMs: number): Row | null {
  let low = 0
  let high = series.rows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (series.rows[middle]!.timeMs <= timeMs) low = middle + 1
    else high = middle
  }
  return low === 0 ? null : series.rows[low - 1]!
}

/** One skipped file or line, for people. */
export function sentence({ file, line, reason }: Skipped): string {
  return line === null ? `${file}: ${reason}` : `${file}:${line}: ${reason}`
}

function listFiles(folder: string): string[] {
  try {
    return (
      readdirSync(folder, { withFileTypes: true })
        // Folders are not looked into; one that is named like a file is named as skipped.
        .filter((entry) => !entry.isDirectory() || entry.name.endsWith('.csv'))
        .map((entry) => entry.name)
        .sort(compare)
    )
  } catch (cause) {
    const message = `cannot read ${folder}: ${(cause as NodeJS.ErrnoException).code}`
    throw new OracleError('RECORDINGS_UNFIT', message, { path: folder, cause })
  }
}

/** The readable rows of one file, or null when there is none; each other line is named in `skipped`. */
function readSeries(path: string, file: string, skipped: Skipped[]): Row[] | null {
  const lines = readLines(path)
  if (typeof lines === 'string') {
    skipped.push({ file, line: null, reason: lines })
    return null
  }
  const rows: Row[] = []
  let unread = 0
  for (let i = 1; i < lines.length; i++) {
    const row = readRow(lines[i]!, rows.at(-1))
    if (typeof row !== 'string') rows.push(row)
    // The line break at the end of the file.
    else if (i < lines.length - 1 || lines[i]!.join('') !== '') {
      unread++
      if (unread <= linesNamedMax) skipped.push({ file, line: i + 1, reason: row })
    }
  }
  if (unread > linesNamedMax) {
    const reason = `${unread - linesNamedMax} more unreadable rows`
    skipped.push({ file, line: null, reason })
  }
  if (rows.length > 0) return rows
  skipped.push({ file, line: null, reason: 'no row can be read' })
  return null
}

/** The cells of each line under the right header, or why there are none. */
function readLines(path: string): string[][] | string {
  let lines: string[][]
  try {
    const bytes = readBounded(path, fileBytesMax, 'RECORDINGS_UNFIT')
    // Without quotes a record is a line, so that one stray quote spoils one row and not the rest of the file.
    const options = { bom: true, quote: null, relax_column_count: true, max_record_size: 65_536 } as const
    lines = parse(Buffer.from(bytes), options) as string[][]
  } catch (error) {
    return (error as Error).message
  }
  const found = (lines[0] ?? []).slice(0, headerStart.length).join(',')
  return found === headerStart.join(',') ? lines : `the header does not begin ${headerStart.join(',')}`
}

/** The row of one line, or why it is none. */
function readRow(cells: readonly string[], before: Row | undefined): Row | string {
  if (cells.length < headerStart.length) return `${cells.length} cells, at least ${headerStart.length} are needed`
  const [time, , , , close] = cells as [string, string, string, string, string]
  const timeMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(time) ? Date.parse(time) : Number.NaN
  // Date.parse takes the 30th of February for a day in March.
  if (Number.isNaN(timeMs) || !new Date(timeMs).toISOString().startsWith(time.slice(0, -1)))
    return 'the time is not YYYY-MM-DDTHH:MM:SSZ'
  // A stray row of another age would move the clock of all the others.
  if (timeMs < earliestMs || timeMs >= latestMs) return 'the time is outside 1990 to 2099'
  if (!/^(0|[1-9]\d{0,17})(\.\d{1,18})?$/.test(close)) return 'the close is not a plain decimal number'
  if (!/[1-9]/.test(close)) return 'the close is zero'
  if (before !== undefined && timeMs <= before.timeMs) return 'the time does not come after that of the row before'
  return { timeMs, close }
}

/** Order of code units: the same on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
