// Checks every report of a kept replay against the recordings: signatures, minute, currency, value and time of the value.
//
//   node scripts/check-replay.mjs DIR RECORDINGS [--lie venue=+30%]… [--partial]
//
// DIR was kept by `assay demo --recordings RECORDINGS --keep DIR`. At the step of a report's minute, a venue's trade is its
// last row by then. Its time is the row's. Kraken's ticker has none: there the time of the first step since which Kraken
// gave the same answer counts, plus the clock's lead of 1000 ms. A trade counts while it is not older than the feed's maxAge, when
// the step began or when the report was attested. The rules for a value that is neither STALE nor NO_DATA:
//
//   1. It is a trade that counts, of an honest venue of the same pair, to the digit. A pair that only lying venues trade
//      is held to what they served.
//   2. Value and time are the lower medians of the honest trades that count and lie within the feed's outlier band; the
//      time is not after attestedAtMs.
//   3. An exception from 2 must be explained: by the liars that lie within the band, or by one venue that was late (its
//      trade of the step before, or none). More than 1 % of exceptions fail the run.
//
// A STALE value repeats the feed's last other one, with its time. A report without a value of its minute is `empty`: it is
// neither checked nor makes its minute reported. At least 95 % of the recorded minutes must be reported; with --partial, for
// a run that --rounds ended, `percent` is of the minutes until the last report, and none are asked for. `quotes` compares
// each value with the trades of the same base in the other recorded quotes: `apart` from all of them, `equal` to one by
// chance, or `mixed`: one of theirs and none of its own. Prints one JSON object; exits with 1 when anything failed.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = fileURLToPath(new URL('../dist/src/', import.meta.url))
if (!existsSync(dist)) stop('Run `npm run build` first.')
const load = (file) => import(new URL(`../dist/src/${file}`, import.meta.url).href)
const { adapters } = await load('../adapters/index.js')
const { loadCommittee } = await load('config.js')
const { keysOf } = await load('core/committee.js')
const { verifyReport } = await load('core/verify-report.js')
const { createWasmEngine } = await load('crypto/engine-wasm.js')
const { loadFeeds } = await load('feed/load-feeds.js')
const { toUnits } = await load('observe/cells.js')
const { applyLie, parseLie } = await load('replay/lie.js')
const { lastTrade, readRecordings, venues } = await load('replay/recordings.js')
const { tickers } = await load('replay/tickers.js')
const { clockLeadMs } = await load('replay/venue-show.js')

const exceptionsPercentMax = 1
const reportedPercentMin = 95
/** Venues whose ticker has no time. */
const timeless = new Set(['kraken'])

const { folder, recordingsFolder, lies, isPartial } = readArguments(process.argv.slice(2))
const engine = await createWasmEngine()
const keys = keysOf(loadCommittee(engine, join(folder, 'committee.json')))
const { series, timesMs } = readRecordings(recordingsFolder)
const pairs = new Map()
for (const one of series) {
  const name = `${one.base}-${one.quote}`.toLowerCase()
  const market = { venue: one.venue, quote: one.quote, base: one.base, isLiar: lies.has(one.venue), said: saidBy(one) }
  pairs.set(name, [...(pairs.get(name) ?? []), market])
}
const rules = new Map(
  loadFeeds(engine, join(folder, 'feeds'), adapters).declarations.map(({ name, freshness, combineSources }) => [
    name,
    { maxAgeMs: freshness.maxAgeS * 1000, outlierPpm: combineSources.outlierPpm },
  ]),
)

const failures = []
const exceptions = []
const minutes = new Set()
const statuses = {}
const newest = new Map()
const count = { checked: 0, failed: 0, empty: 0, values: 0, median: 0, lyingOnly: 0 }
const explained = { liar: 0, late: 0 }
const quotes = { apart: 0, equal: 0, mixed: 0 }
const slots = readdirSync(join(folder, 'reports'))
  .flatMap((file) => {
    const [, epoch, round] = /^(\d+)-(\d+)\.json$/.exec(file) ?? []
    return epoch === undefined ? [] : [{ file, epoch: Number(epoch), round: Number(round) }]
  })
  .sort((a, b) => a.epoch - b.epoch || a.round - b.round)
for (const slot of slots) {
  const before = count.values
  const wrong = checkReport(slot)
  if (wrong.length > 0) {
    count.failed++
    failures.push(...wrong.map((why) => `${slot.file}: ${why}`))
  }
  if (count.values > before) count.checked++
  else if (wrong.length === 0) count.empty++
}
const lastMinute = Math.max(-1, ...minutes)
const expected = isPartial ? lastMinute + 1 : timesMs.length
const percent = expected === 0 ? 0 : percentOf(minutes.size, expected)
const exceptionsPercent = count.values === 0 ? 0 : percentOf(exceptions.length, count.values)
const { checked, failed, ...more } = count
console.log(
  JSON.stringify({
    ...{ checked, failed, minutes: lastMinute + 1, minutesReported: minutes.size, percent },
    ...{ minutesRecorded: timesMs.length, ...more, exceptions: { ...explained, percent: exceptionsPercent } },
    ...{ quotes, statuses, failures: failures.slice(0, 20), explained: exceptions.slice(0, 20) },
  }),
)
const isShort = !isPartial && percent < reportedPercentMin
process.exitCode = failed > 0 || checked === 0 || isShort || exceptionsPercent > exceptionsPercentMax ? 1 : 0

/** What is wrong with one report, a sentence each. */
function checkReport({ file, epoch, round }) {
  const verdict = verifyReport(engine, readFileSync(join(folder, 'reports', file)), keys, { nowMs: 'any' })
  if (!verdict.ok) return [`${verdict.code} at ${verdict.path}: ${verdict.message}`]
  const { report } = verdict
  const wrong = []
  if (report.epoch !== epoch || report.round !== round) wrong.push(`it is of ${report.epoch}/${report.round}`)
  const { attestedAtMs } = report
  const step = stepAt(attestedAtMs)
  if (step < 0 || attestedAtMs >= timesMs[step] + 60_000)
    return [...wrong, `attested at ${attestedAtMs}, in no recorded minute`]
  for (const feed of report.bundles.flatMap(({ feeds }) => feeds)) {
    statuses[feed.status] = (statuses[feed.status] ?? 0) + 1
    const why = checkFeed(feed, { step, attestedAtMs, file })
    if (why !== null) wrong.push(`${feed.name}: ${why}`)
  }
  return wrong
}

function checkFeed(feed, at) {
  const pair = pairs.get(feed.name)
  const rule = rules.get(feed.name)
  if (pair === undefined || rule === undefined) return 'no such pair is recorded'
  if (feed.unit !== pair[0].quote) return `its unit is ${feed.unit}`
  if (feed.cells === null) return null
  const found = { value: feed.cells[0], timeMs: feed.observedAtMs }
  if (feed.status === 'STALE') {
    const before = newest.get(feed.name)
    const isRepeated = before !== undefined && isSame(before, found)
    return isRepeated ? null : `a STALE ${feed.value} that is not the last value`
  }
  newest.set(feed.name, found)
  count.values++
  minutes.add(at.step)
  checkQuote(pair, found.value, feed.decimals, at.step)
  if (found.timeMs > at.attestedAtMs) return `observed at ${found.timeMs}, after ${at.attestedAtMs}`

  const honest = pair.filter(({ isLiar }) => !isLiar)
  if (honest.length === 0) count.lyingOnly++
  const judged = honest.length === 0 ? pair : honest
  // Judged at some moment from the beginning of the step to the report.
  const moments = [timesMs[at.step] + clockLeadMs, at.attestedAtMs]
  const tradesOf = (markets, steps) => markets.flatMap((market, i) => tradeAt(market, steps[i], feed.decimals))
  const now = (markets) => tradesOf(markets, Array(markets.length).fill(at.step))
  const fits = (trades) => moments.some((ms) => isSame(medianOf(trades, ms, rule), found))
  const mine = now(judged)
  const oldest = Math.min(...moments) - rule.maxAgeMs
  if (!mine.some(({ value, timeMs }) => value === found.value && timeMs >= oldest))
    return `${feed.value} is no trade of an honest venue that counts at ${iso(timesMs[at.step])}`
  if (fits(mine)) {
    count.median++
    return null
  }
  const why =
    pair.length > judged.length && fits(now(pair)) ? 'liar' : isLate(pair, at.step, tradesOf, fits) ? 'late' : null
  const said = mine.map(({ venue, value, timeMs }) => `${venue} ${value} of ${iso(timeMs)}`).join(', ')
  const sentence = `${found.value} of ${iso(found.timeMs)}, where there are ${said}`
  if (why === null) return `${sentence}: not the lower median, and nothing explains it`
  explained[why]++
  exceptions.push(`${at.file}: ${feed.name}: ${why}: ${sentence}`)
  return null
}

/** Whether one venue of `pair` with its trade of the step before, or with none, explains a value. */
function isLate(pair, step, tradesOf, fits) {
  return pair.some((_, late) =>
    [step - 1, -1].some((known) =>
      fits(
        tradesOf(
          pair,
          pair.map((_, i) => (i === late ? known : step)),
        ),
      ),
    ),
  )
}

/** What a venue said at each step, as text, and of which time; null before its first row. */
function saidBy(one) {
  const lie = lies.get(one.venue)
  const said = []
  for (const timeMs of timesMs) {
    const row = lastTrade(one, timeMs)
    if (row === null) {
      said.push(null)
      continue
    }
    const text = lie === undefined ? row.close : applyLie(row.close, lie)
    const { body } = tickers[one.venue].ticker(one, text, row.timeMs)
    const before = said.at(-1)
    const sinceMs = before?.body === body ? before.sinceMs : timeMs + clockLeadMs
    said.push({ text, body, sinceMs, timeMs: timeless.has(one.venue) ? sinceMs : row.timeMs })
  }
  return said
}

/** The trade of a market at `step` in units of 10^-decimals; nothing when it had none. */
function tradeAt({ venue, said }, step, decimals) {
  const found = said[step] ?? null
  return found === null ? [] : [{ venue, value: toUnits(found.text, decimals), timeMs: found.timeMs }]
}

/** The lower medians of value and time of the trades that count at `ms`; null when none does. */
function medianOf(trades, ms, { maxAgeMs, outlierPpm }) {
  const fresh = trades.filter(({ timeMs }) => ms - timeMs <= maxAgeMs)
  if (fresh.length === 0) return null
  const middle = lowerMedian(fresh.map(({ value }) => value))
  const near = fresh.filter(({ value }) => {
    const distance = value > middle ? value - middle : middle - value
    return outlierPpm === null || (distance * 1_000_000n) / middle <= BigInt(outlierPpm)
  })
  // Where no more than half agree, all are shown, and the status says so.
  const kept = near.length * 2 <= fresh.length ? fresh : near
  return { value: lowerMedian(kept.map(({ value }) => value)), timeMs: lowerMedian(kept.map(({ timeMs }) => timeMs)) }
}

function lowerMedian(numbers) {
  return numbers.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))[(numbers.length - 1) >> 1]
}

function isSame(a, b) {
  return a !== null && a.value === b.value && a.timeMs === b.timeMs
}

/** Counts whether `value` could be one of another quote currency. */
function checkQuote(pair, value, decimals, step) {
  const [{ base, quote }] = pair
  const others = [...pairs.values()].flat().filter((market) => market.base === base && market.quote !== quote)
  if (others.length === 0) return
  const isIn = (markets) => markets.some((market) => tradeAt(market, step, decimals).some((one) => one.value === value))
  if (!isIn(others)) quotes.apart++
  else if (isIn(pair)) quotes.equal++
  else quotes.mixed++
}

/** The last step that begins by `ms`, or −1. */
function stepAt(ms) {
  let low = 0
  let high = timesMs.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (timesMs[middle] <= ms) low = middle + 1
    else high = middle
  }
  return low - 1
}

function readArguments([folder, recordingsFolder, ...rest]) {
  if (recordingsFolder === undefined)
    stop('Usage: node scripts/check-replay.mjs DIR RECORDINGS [--lie venue=+30%]… [--partial]')
  const lies = new Map()
  let isPartial = false
  for (let i = 0; i < rest.length; i++) {
    if (rest[i] === '--partial') isPartial = true
    else {
      const [, venue, percent] = /^([a-z0-9-]+)=(.+)$/.exec(rest[i + 1] ?? '') ?? []
      if (rest[i] !== '--lie' || venue === undefined) stop(`Not understood: ${rest[i]}`)
      lies.set(venues[venue] ?? venue, parseLie(percent))
      i++
    }
  }
  return { folder, recordingsFolder, lies, isPartial }
}

function percentOf(part, whole) {
  return Number(((100 * part) / whole).toFixed(2))
}

function iso(ms) {
  return new Date(ms).toISOString()
}

function stop(text) {
  console.error(text)
  process.exit(2)
}
