// scripts/check-replay.mjs can fail: kept replays with one thing wrong each, signed as a committee would sign them.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseCommittee } from '../../src/core/committee.js'
import { packReadings, type Reading } from '../../src/core/layout.js'
import { reportKernel } from '../../src/core/report.js'
import { buildReport } from '../../src/core/report-json.js'
import { statusCodes } from '../../src/core/status.js'
import { domainOf, reportDigest } from '../../src/core/typed-data.js'
import { createWasmEngine, type SigningEngine } from '../../src/crypto/engine-wasm.js'
import { committeeDocument, memberKey } from '../committee-document.js'

const folder = mkdtempSync(join(tmpdir(), 'assay-check-replay-'))
const recordings = join(folder, 'recordings')
let engine: SigningEngine
beforeAll(async () => {
  engine = await createWasmEngine()
  mkdirSync(recordings)
  record('coinbase-btc-usd.csv', (minute) => 20_000 + minute)
  record('kraken-btc-usd.csv', (minute) => 20_001 + minute)
  record('binanceus-btc-usd.csv', (minute) => 20_002 + minute)
  record('cryptocom-btc-usd.csv', (minute) => (minute < 10 || minute > 20 ? 20_003 + minute : null))
  record('binance-btc-usdt.csv', (minute) => 19_000 + minute)
  // Its ticker, which has no time, says the same in the minutes 10, 11 and 12.
  record('kraken-usdc-usd.csv', (minute) => (minute === 11 || minute === 12 ? null : 100 + minute))
})
afterAll(() => rmSync(folder, { recursive: true }))

const minutes = 40
const names = ['btc-usd', 'btc-usdt', 'usdc-usd']
function timeOf(minute: number): number {
  return Date.UTC(2023, 2, 10) + minute * 60_000
}
function record(file: string, price: (minute: number) => number | null): void {
  const rows = Array.from({ length: minutes }, (_, i) => [i, price(i)] as const).filter(([, at]) => at !== null)
  const lines = rows.map(([i, at]) => `${new Date(timeOf(i)).toISOString().replace('.000', '')},1,1,1,${at}.5,0.5`)
  writeFileSync(join(recordings, file), `time,open,high,low,close,volume\n${lines.join('\n')}\n`)
}
function reading(price: number, timeMs: number): Reading {
  const values = [BigInt(price) * 100_000_000n + 50_000_000n]
  return { status: statusCodes.OK, groups: 3, spreadPpm: 0, timeMs, values }
}
const nothing: Reading = { status: statusCodes.NO_DATA, groups: 0, spreadPpm: 0, timeMs: 0, values: null }
/** What honest oracles attest: the lower medians, and since when Kraken says what it says. */
function honest(minute: number): Reading[] {
  const at = timeOf(minute)
  const isFrozen = minute >= 10 && minute <= 12
  return [
    reading(20_001 + minute, at),
    reading(19_000 + minute, at),
    reading(100 + (isFrozen ? 10 : minute), timeOf(isFrozen ? 10 : minute) + 1000),
  ]
}

let runs = 0
/** Keeps a replay whose reports are `readingsAt` each minute, checks it, and says how it ended. */
function check(
  readingsAt: (minute: number) => readonly Reading[] | null,
  ...options: string[]
): { readonly code: number | null; readonly told: Record<string, unknown>; readonly text: string } {
  const kept = join(folder, `kept-${runs++}`)
  mkdirSync(join(kept, 'reports'), { recursive: true })
  mkdirSync(join(kept, 'feeds'))
  const document = committeeDocument(engine)
  const price = document.feeds[0]!
  document.feeds = names.map((name) => ({ ...price, name, unit: name.split('-')[1]!.toUpperCase() }))
  document.bundles = [{ name: 'all', feeds: names }]
  const committee = parseCommittee(engine, document)
  writeFileSync(join(kept, 'committee.json'), JSON.stringify(document))
  const venues = [['coinbase', 'kraken', 'binance-us', 'crypto-com'], ['binance'], ['kraken']]
  for (const [i, name] of names.entries()) writeFileSync(join(kept, `feeds/${name}.json`), feedText(name, venues[i]!))
  const kernel = reportKernel(engine, committee)
  const domain = domainOf(engine, committee.salt)
  for (let minute = 0; minute < minutes; minute++) {
    const readings = readingsAt(minute)
    if (readings === null) continue
    const values = packReadings(kernel.layout, readings)
    const header = { epoch: 0, round: minute + 1, attestedAtMs: timeOf(minute) + 1005, root: kernel.root(values) }
    const digest = reportDigest(engine, domain, header)
    const signers = [0, 1, 3]
    const signatures = signers.map((member) => engine.sign(digest, memberKey(engine, member)))
    const report = buildReport(engine, committee, kernel, { ...header, values, signers, signatures })
    writeFileSync(join(kept, `reports/0-${minute + 1}.json`), report)
  }
  const script = join(import.meta.dirname, '../../scripts/check-replay.mjs')
  const run = spawnSync(process.execPath, [script, kept, recordings, ...options], { encoding: 'utf8' })
  expect(run.stderr).toBe('')
  return { code: run.status, told: JSON.parse(run.stdout) as Record<string, unknown>, text: run.stdout }
}
function feedText(name: string, venues: readonly string[]): string {
  const [base, quote] = name.toUpperCase().split('-')
  return JSON.stringify({
    ...{ version: 1, name, title: name, value: 'price', unit: quote, decimals: 8 },
    sources: venues.map((adapter) => ({ adapter, version: 1, params: { base, quote }, group: adapter })),
    ...(venues.length > 2 ? { combineSources: { minSources: 2, minGroups: 2, outlierPercent: '5' } } : {}),
    ...(venues.length === 1 ? { singleSource: 'One venue is recorded.' } : {}),
    freshness: { maxAgeS: 180, validForS: 180 },
    ...{ schedule: { every: '1m' }, risk: 'informational', licence: 'None.' },
  })
}
/** Honest reports, but for one reading of one minute. */
function but(minute: number, feed: number, other: Reading): (at: number) => Reading[] {
  return (at) => honest(at).map((one, i) => (at === minute && i === feed ? other : one))
}

it('passes an honest replay', () => {
  const { code, told } = check(honest)
  expect(told).toMatchObject({
    ...{ checked: 40, failed: 0, empty: 0, minutesReported: 40, minutesRecorded: 40, percent: 100 },
    ...{ values: 120, median: 120, exceptions: { liar: 0, late: 0, percent: 0 } },
    quotes: { apart: 80, equal: 0, mixed: 0 },
  })
  expect(code).toBe(0)
})

it.each([
  ['a price that nobody had', but(5, 0, reading(20_004, timeOf(5))), 'no trade of an honest venue'],
  ['a trade that is too old', but(15, 0, reading(20_012, timeOf(15))), 'no trade of an honest venue'],
  ['an older time', but(5, 0, reading(20_006, timeOf(4))), 'not the lower median'],
  ['a time after the report', but(5, 0, reading(20_006, timeOf(5) + 1006)), 'after'],
  ['the highest venue', but(5, 0, reading(20_008, timeOf(5))), 'not the lower median'],
  ['a frozen ticker made young', but(12, 2, reading(110, timeOf(12) + 1000)), 'not the lower median'],
  ['the price in another currency', but(5, 0, reading(19_005, timeOf(5))), '"mixed":1'],
])('fails %s', (_, readingsAt, why) => {
  const { code, told, text } = check(readingsAt)
  expect(told).toMatchObject({ checked: 40, failed: 1 })
  expect(text).toContain(why)
  expect(code).toBe(1)
})

it('explains a venue that was late, and fails when there are many', () => {
  const late = reading(20_007, timeOf(5)) // the lower median without Kraken
  const one = check(but(5, 0, late))
  expect(one.told).toMatchObject({ failed: 0, median: 119, exceptions: { liar: 0, late: 1, percent: 0.83 } })
  expect(one.text).toContain('0-6.json: btc-usd: late')
  expect(one.code).toBe(0)
  const two = check((at) =>
    honest(at).map((r, i) => (i === 0 && (at === 5 || at === 6) ? reading(20_002 + at, timeOf(at)) : r)),
  )
  expect(two.told).toMatchObject({ failed: 0, exceptions: { late: 2, percent: 1.67 } })
  expect(two.code).toBe(1)
})

it('knows a liar beyond the outlier band from one within', () => {
  // Of the three that are left the middle is one higher; before minute 10 and after 20, and with two left the lower one.
  const without = (minute: number): Reading[] => {
    const isTwo = minute >= 12 && minute <= 20
    const price = minute === 11 ? 20_012 : isTwo ? 20_001 + minute : 20_002 + minute
    return [reading(price, timeOf(minute)), ...honest(minute).slice(1)]
  }
  const far = check(without, '--lie', 'coinbase=+30%')
  expect([far.code, far.told]).toMatchObject([0, { failed: 0, median: 120 }])
  const near = check(honest, '--lie', 'coinbase=-3%')
  expect(near.told).toMatchObject({ failed: 0 })
  expect((near.told['exceptions'] as { liar: number }).liar).toBeGreaterThan(20)
  expect(near.code).toBe(1)
  expect(check(honest, '--lie', 'coinbase=+30%').code).toBe(1)
})

it('counts minutes only by reports with values, of all that are recorded unless the run was cut', () => {
  const half = (minute: number): Reading[] => (minute % 2 === 0 ? honest(minute) : [nothing, nothing, nothing])
  const empty = check(half)
  expect([empty.code, empty.told]).toMatchObject([
    1,
    { checked: 20, empty: 20, failed: 0, minutesReported: 20, percent: 50 },
  ])
  const cut = (minute: number): Reading[] | null => (minute < 20 ? honest(minute) : null)
  expect(check(cut)).toMatchObject({ code: 1, told: { checked: 20, failed: 0, minutesReported: 20, percent: 50 } })
  expect(check(cut, '--partial')).toMatchObject({ code: 0, told: { checked: 20, percent: 100 } })
  expect(check(() => [nothing, nothing, nothing], '--partial')).toMatchObject({ code: 1, told: { checked: 0 } })
})
