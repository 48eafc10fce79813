// Recorded candles: which files and rows are read, word for word, and which are named as skipped.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { refusalOf } from '../../src/base/errors.js'
import { lastTrade, readRecordings, sentence } from '../../src/replay/recordings.js'

const folder = mkdtempSync(join(tmpdir(), 'assay-recordings-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const header = 'time,open,high,low,close,volume'
let made = 0

function folderOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const made1 = join(folder, String(made++))
  mkdirSync(made1)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(made1, name), text)
  return made1
}

const row = (minute: string, close: string): string => `2023-03-10T00:${minute}:00Z,1,1,1,${close},0.5`
const good = `${header}\n${row('00', '20364.09')}\n`

describe('readRecordings', () => {
  it('keeps each close as it is written', () => {
    const closes = ['20364.090', '0.9999', '1', '123456789012345678.000000000000000001']
    const text = `${header},trades\n${closes.map((close, i) => `${row(`0${i}`, close)},7`).join('\n')}\n`
    const { series, skipped, timesMs } = readRecordings(folderOf({ 'binanceus-btc-usdt.csv': text }))
    expect(skipped).toEqual([])
    expect(series).toHaveLength(1)
    expect(series[0]).toMatchObject({ venue: 'binance-us', base: 'BTC', quote: 'USDT' })
    expect(series[0]!.rows.map(({ close }) => close)).toEqual(closes)
    expect(timesMs).toEqual([0, 1, 2, 3].map((i) => Date.UTC(2023, 2, 10, 0, i)))
  })

  it('reads a byte order mark and CRLF', () => {
    const { series } = readRecordings(folderOf({ 'kraken-btc-usd.csv': `\uFEFF${good.replaceAll('\n', '\r\n')}` }))
    expect(series[0]!.rows).toEqual([{ timeMs: Date.UTC(2023, 2, 10), close: '20364.09' }])
  })

  it('names every other file with the reason', () => {
    const at = folderOf({
      'coinbase-btc-usd.csv': good,
      'bitfinex-btc-usd.csv': good,
      'binance-btc-usdt-hourly.csv': good,
      'cryptocom-btc-usdc-frozen.csv': good,
      'Kraken-btc-usd.csv': good,
      'kraken-btc-usd.CSV': good,
      'constructor-btc-usd.csv': good,
      'README.md': 'text',
      'gemini-btc-usd.csv': 'time,bid_open,bid_high,bid_low,bid_close,bid_size\n',
      'bitstamp-btc-usd.csv': `${header}\n`,
      'binance-btc-usd.csv': '',
    })
    mkdirSync(join(at, 'deeper'))
    writeFileSync(join(at, 'deeper/kraken-eth-usd.csv'), good)
    const { series, skipped } = readRecordings(at)
    expect(series.map(({ file }) => file)).toEqual(['coinbase-btc-usd.csv'])
    expect(skipped.map(sentence)).toEqual([
      'Kraken-btc-usd.csv: the name is not venue-base-quote.csv',
      'README.md: the name is not venue-base-quote.csv',
      'binance-btc-usd.csv: the header does not begin time,open,high,low,close,volume',
      'binance-btc-usdt-hourly.csv: the name is not venue-base-quote.csv',
      'bitfinex-btc-usd.csv: no adapter reads the venue "bitfinex"',
      'bitstamp-btc-usd.csv: no row can be read',
      'constructor-btc-usd.csv: no adapter reads the venue "constructor"',
      'cryptocom-btc-usdc-frozen.csv: the name is not venue-base-quote.csv',
      'gemini-btc-usd.csv: the header does not begin time,open,high,low,close,volume',
      'kraken-btc-usd.CSV: the name is not venue-base-quote.csv',
    ])
  })

  it.each([
    ['an empty close', '2023-03-10T00:01:00Z,1,1,1,,1', 'the close is not a plain decimal number'],
    ['NaN', '2023-03-10T00:01:00Z,1,1,1,NaN,1', 'the close is not a plain decimal number'],
    ['an exponent', '2023-03-10T00:01:00Z,1,1,1,2e4,1', 'the close is not a plain decimal number'],
    ['a sign', '2023-03-10T00:01:00Z,1,1,1,-5,1', 'the close is not a plain decimal number'],
    ['a hexadecimal number', '2023-03-10T00:01:00Z,1,1,1,0x10,1', 'the close is not a plain decimal number'],
    ['a leading zero', '2023-03-10T00:01:00Z,1,1,1,020364,1', 'the close is not a plain decimal number'],
    ['thousands in quotes', '2023-03-10T00:01:00Z,1,1,1,"20,364.09",1', 'the close is not a plain decimal number'],
    ['zero', '2023-03-10T00:01:00Z,1,1,1,0.00,1', 'the close is zero'],
    ['too few cells', '2023-03-10T00:01:00Z,1,1', '3 cells, at least 6 are needed'],
    ['a truncated row', '2023-03-10T00:01:0', '1 cells, at least 6 are needed'],
    ['a spreadsheet time', '10/03/2023 00:01,1,1,1,5,1', 'the time is not YYYY-MM-DDTHH:MM:SSZ'],
    ['a time without a zone', '2023-03-10T00:01:00,1,1,1,5,1', 'the time is not YYYY-MM-DDTHH:MM:SSZ'],
    ['the 30th of February', '2023-02-30T00:01:00Z,1,1,1,5,1', 'the time is not YYYY-MM-DDTHH:MM:SSZ'],
    ['a repeated time', row('00', '5'), 'the time does not come after that of the row before'],
    ['an earlier time', '2022-03-10T00:01:00Z,1,1,1,5,1', 'the time does not come after that of the row before'],
    ['an empty line', '', '1 cells, at least 6 are needed'],
    ['a stray quote', '"2023-03-10T00:01:00Z,1,1,1,5,1', 'the time is not YYYY-MM-DDTHH:MM:SSZ'],
  ])('leaves out a row with %s and goes on', (_, line, reason) => {
    const text = `${header}\n${row('00', '1')}\n${line}\n${row('02', '3')}\n`
    const { series, skipped } = readRecordings(folderOf({ 'kraken-btc-usd.csv': text }))
    expect(series[0]!.rows.map(({ close }) => close)).toEqual(['1', '3'])
    expect(skipped).toEqual([{ file: 'kraken-btc-usd.csv', line: 3, reason }])
  })

  it('names at most twenty rows of a file and counts the rest', () => {
    const text = `${header}\n${row('00', '1')}\n${'x\n'.repeat(50)}`
    const { skipped } = readRecordings(folderOf({ 'kraken-btc-usd.csv': text }))
    expect(skipped).toHaveLength(21)
    expect(skipped.at(-1)!.reason).toBe('30 more unreadable rows')
  })

  it('refuses a folder with nothing to serve, and one that is not there', () => {
    const empty = refusalOf(() => readRecordings(folderOf({})))
    expect(empty?.code).toBe('RECORDINGS_UNFIT')
    const useless = refusalOf(() => readRecordings(folderOf({ 'bitfinex-btc-usd.csv': good })))
    expect(useless?.message).toContain('no adapter reads the venue "bitfinex"')
    expect(refusalOf(() => readRecordings(join(folder, 'absent')))?.code).toBe('RECORDINGS_UNFIT')
  })
})

describe('lastTrade', () => {
  it('is the row of the time or the latest before it', () => {
    const text = `${header}\n${row('01', '1')}\n${row('02', '2')}\n${row('05', '5')}\n`
    const [series] = readRecordings(folderOf({ 'kraken-btc-usd.csv': text })).series
    const closes = [0, 1, 2, 3, 4, 5, 6].map((i) => lastTrade(series!, Date.UTC(2023, 2, 10, 0, i))?.close ?? null)
    expect(closes).toEqual([null, '1', '2', '2', '2', '5', '5'])
  })
})
