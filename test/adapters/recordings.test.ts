// Every recorded reply of the adapters' services, and every hostile file, with its pinned verdict.
// Where the recordings do not stand beside the project, the fixtures take their place and the titles say so.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { adapters } from '../../adapters/index.js'
import type { Params } from '../../src/observe/adapter.js'
import { canonicalDecimal } from '../../src/observe/parse/decimal.js'
import { gravityOf } from '../../src/observe/source-error.js'
import { checkSchema } from '../../src/schema/check.js'
import { validators } from '../../src/schema/generated/validators.js'
import { adapterOf, cases, fixture, hasRecordings, recorded, recordedNames, type Verdict, verdictOf } from './cases.js'

interface Row {
  readonly body: string
  readonly adapter: string
  readonly params: Params
  readonly expect: Verdict
}

const where = hasRecordings ? 'recordings' : 'recordings are absent, fixtures in their place'
const msMax = 1000

const http = table('verdicts-http.json')
const hostile = table('verdicts-hostile.json')
const folders = [
  ...['ea/coinbase', 'ea/gemini', 'ea/binance', 'xchange/kraken', 'xchange/coinbase', 'xchange/coinbasepro'],
  ...['xchange/bitstamp', 'xchange/binance', 'gct/bitstamp', 'gct/binance', 'cryptofeed/binance'],
  ...['cryptofeed/bitstamp', 'cryptofeed/coinbase', 'cryptofeed/kraken', 'fx/ecb', 'fx/europeancentralbank'],
  ...['sdmx', 'usgs', 'open-meteo', 'nautilus'],
].map((name) => `http/${name}`)

function table(name: string): readonly Row[] {
  return JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8')) as Row[]
}

/** The verdicts that differ from the pinned ones, and those that took too long. */
function strays(rows: readonly Row[]): readonly unknown[] {
  return rows.flatMap((row) => {
    const startMs = performance.now()
    const found = verdictOf(adapterOf(row.adapter), recorded(row.body), row.params)
    const tookMs = performance.now() - startMs
    return tookMs < msMax && JSON.stringify(found) === JSON.stringify(row.expect) ? [] : [{ row, found, tookMs }]
  })
}

/** As strays, of the fixtures that need no status. */
function fixtureStrays(): readonly unknown[] {
  return cases
    .filter(({ status }) => status === undefined)
    .map((one) => ({ one, found: verdictOf(one.adapter, fixture(one.adapter.id, one.file), one.params) }))
    .filter(({ one, found }) => JSON.stringify(found) !== JSON.stringify(one.expect))
}

function print(title: string, rows: readonly Row[]): void {
  if (!hasRecordings) return console.log(`${title}: the recordings are absent; the fixtures were read in their place`)
  const readings = rows.filter((row) => row.expect !== null && 'value' in row.expect).length
  const by = new Set(rows.filter((row) => row.expect !== null && 'value' in row.expect).map(({ adapter }) => adapter))
  console.log(`${title}: ${rows.length} verdicts, ${readings} readings by ${[...by].sort().join(', ')}`)
}

describe(`recorded replies (${where})`, () => {
  it('have the pinned verdicts', () => {
    print('recorded replies', http)
    expect(hasRecordings ? strays(http) : fixtureStrays()).toEqual([])
  })

  it('are in the table, each of them', () => {
    const pinned = new Set(http.map(({ body }) => body))
    const missing = hasRecordings ? folders.flatMap(recordedNames).filter((body) => !pinned.has(body)) : []
    expect(missing).toEqual([])
    expect(pinned.size).toBeGreaterThan(170)
  })

  it('give a reading to every adapter of which a whole ticker was recorded', () => {
    const readers = http.filter((row) => row.expect !== null && 'value' in row.expect).map(({ adapter }) => adapter)
    const expected = ['binance', 'binance-us', 'bitstamp', 'coinbase', 'ecb', 'http-json', 'kraken', 'usgs']
    expect([...new Set(readers)].sort()).toEqual(expected)
  })
})

describe(`hostile bodies (${where})`, () => {
  it('have the pinned verdicts, within a second each', () => {
    print('hostile bodies', hostile)
    expect(hasRecordings ? strays(hostile) : fixtureStrays()).toEqual([])
  })

  it('are in the table, each of them', () => {
    const pinned = new Set(hostile.map(({ body }) => body))
    expect(hasRecordings ? recordedNames('hostile').filter((body) => !pinned.has(body)) : []).toEqual([])
    expect(pinned.size).toBeGreaterThan(220)
  })

  it('parse as JSON where their suite says so, and are refused where it says so', () => {
    const suite = hostile.filter(({ body }) => body.startsWith('hostile/jsontestsuite/'))
    const isRefused = (row: Row): boolean =>
      row.expect !== null && 'error' in row.expect && row.expect.error === 'SOURCE_NOT_JSON'
    const letter = ({ body }: Row): string => body.split('/')[2]![0]!
    expect(suite.filter((row) => letter(row) === 'n' && !isRefused(row))).toEqual([])
    // Repeated keys are valid JSON, and refused all the same: parsers disagree on them.
    expect(suite.filter((row) => letter(row) === 'y' && isRefused(row)).map(({ body }) => body)).toEqual([
      'hostile/jsontestsuite/y_object_duplicated_key_and_value.json',
    ])
  })

  it('are no price, text by text, unless they are a number as JSON writes it', () => {
    const own = ['', '-', '1.', '.5', '0x1f', '1e', '١٢٣', '1,000', '1 000', 'NaN', 'Infinity', '+1', '01', '1e999']
    const texts: readonly string[] = hasRecordings
      ? (JSON.parse(Buffer.from(recorded('hostile/strings/blns.json').bytes).toString()) as string[])
      : own
    const url = 'https://prices.example.org/v1'
    const accepted = texts.filter((text) => {
      const raw = { bytes: Buffer.from(JSON.stringify({ p: text })), mediaType: 'application/json' }
      const verdict = verdictOf(adapterOf('http-json'), raw, { url, pick: '/p' })
      return verdict !== null && 'value' in verdict
    })
    expect(texts.length).toBeGreaterThan(10)
    expect(accepted.every((text) => canonicalDecimal(text) !== null)).toBe(true)
    expect(new Set(accepted)).toEqual(hasRecordings ? new Set(['1', '1.00', '1E2', '1E02', '1E+02']) : new Set())
  })
})

describe('the tables of verdicts', () => {
  it('name adapters, fit params and known codes only', () => {
    for (const { adapter, params, expect: verdict } of [...http, ...hostile]) {
      expect(adapters.some(({ id }) => id === adapter)).toBe(true)
      checkSchema(validators[`params/${adapterOf(adapter).schemas.params}`]!, params, 'ADAPTER_PARAMS')
      if (verdict !== null && 'error' in verdict) expect(Object.keys(gravityOf)).toContain(verdict.error)
    }
  })
})
