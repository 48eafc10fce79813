// Checks every report of a kept replay against the recordings: signatures, minute, currency, and the venues' closes.
//
//   node scripts/check-replay.mjs DIR RECORDINGS [--lie venue=+30%]…
//
// DIR was kept by `assay demo --recordings RECORDINGS --keep DIR`. The rule for each value with a status other than STALE
// and NO_DATA: it is the last trade of an honest venue of the same pair at the minute of attestedAtMs, to the digit, and so
// between the lowest and the highest of them. A pair that only lying venues trade is held to what they served. A STALE
// value repeats the feed's last other one, with its time. `median` counts the values that are the lower median of the
// honest venues' last trades; the others are right too: there a venue was too old or too far off to count.
// Prints one JSON object; exits with 1 when anything failed.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = fileURLToPath(new URL('../dist/src/', import.meta.url))
if (!existsSync(dist)) stop('Run `npm run build` first.')
const load = (file) => import(new URL(`../dist/src/${file}`, import.meta.url).href)
const { loadCommittee } = await load('config.js')
const { keysOf } = await load('core/committee.js')
const { verifyReport } = await load('core/verify-report.js')
const { createWasmEngine } = await load('crypto/engine-wasm.js')
const { toUnits } = await load('observe/cells.js')
const { applyLie, parseLie } = await load('replay/lie.js')
const { lastTrade, readRecordings, venues } = await load('replay/recordings.js')

const [folder, recordingsFolder, ...rest] = process.argv.slice(2)
if (recordingsFolder === undefined) stop('Usage: node scripts/check-replay.mjs DIR RECORDINGS [--lie venue=+30%]…')
const lies = new Map()
for (let i = 0; i < rest.length; i += 2) {
  const [, venue, percent] = /^([a-z0-9-]+)=(.+)$/.exec(rest[i + 1] ?? '') ?? []
  if (rest[i] !== '--lie' || venue === undefined) stop(`Not understood: ${rest[i]}`)
  lies.set(venues[venue] ?? venue, parseLie(percent))
}

const engine = await createWasmEngine()
const keys = keysOf(loadCommittee(engine, join(folder, 'committee.json')))
const { series, timesMs } = readRecordings(recordingsFolder)
const pairs = new Map()
for (const one of series) {
  const name = `${one.base}-${one.quote}`.toLowerCase()
  pairs.set(name, [...(pairs.get(name) ?? []), one])
}

const failures = []
const minutes = new Set()
const statuses = {}
const newest = new Map()
const count = { checked: 0, failed: 0, values: 0, median: 0, lyingOnly: 0 }
const slots = readdirSync(join(folder, 'reports'))
  .flatMap((file) => {
    const [, epoch, round] = /^(\d+)-(\d+)\.json$/.exec(file) ?? []
    return epoch === undefined ? [] : [{ file, epoch: Number(epoch), round: Number(round) }]
  })
  .sort((a, b) => a.epoch - b.epoch || a.round - b.round)
for (const slot of slots) {
  const wrong = checkReport(slot)
  count.checked++
  if (wrong.length === 0) continue
  count.failed++
  failures.push(...wrong.map((why) => `${slot.file}: ${why}`))
}
const lastMinute = Math.max(-1, ...minutes)
const percent = lastMinute < 0 ? 0 : Number(((100 * minutes.size) / (lastMinute + 1)).toFixed(2))
const { checked, failed, ...more } = count
const told = {
  ...{ checked, failed, minutes: lastMinute + 1, minutesReported: minutes.size, percent },
  ...{ minutesRecorded: timesMs.length, ...more, statuses, failures: failures.slice(0, 20) },
}
console.log(JSON.stringify(told))
process.exitCode = failed > 0 || checked === 0 ? 1 : 0

/** What is wrong with one report, a sentence each. */
function checkReport({ file, epoch, round }) {
  const verdict = verifyReport(engine, readFileSync(join(folder, 'reports', file)), keys, { nowMs: 'any' })
  if (!verdict.ok) return [`${verdict.code} at ${verdict.path}: ${verdict.message}`]
  const { report } = verdict
  const wrong = []
  if (report.epoch !== epoch || report.round !== round) wrong.push(`it is of ${report.epoch}/${report.round}`)
  const step = stepAt(report.attestedAtMs)
  if (step < 0 || report.attestedAtMs >= timesMs[step] + 60_000)
    return [...wrong, `attested at ${report.attestedAtMs}, in no recorded minute`]
  minutes.add(step)
  for (const feed of report.bundles.flatMap(({ feeds }) => feeds)) {
    statuses[feed.status] = (statuses[feed.status] ?? 0) + 1
    const why = checkFeed(feed, timesMs[step])
    if (why !== null) wrong.push(`${feed.name}: ${why}`)
  }
  return wrong
}

function checkFeed(feed, timeMs) {
  const pair = pairs.get(feed.name)
  if (pair === undefined) return 'no such pair is recorded'
  if (feed.unit !== pair[0].quote) return `its unit is ${feed.unit}`
  if (feed.cells === null) return null
  const before = newest.get(feed.name)
  const [value] = feed.cells
  if (feed.status === 'STALE') {
    const isSame = before !== undefined && before.value === value && before.observedAtMs === feed.observedAtMs
    return isSame ? null : `a STALE ${feed.value} that is not the last value`
  }
  newest.set(feed.name, { value, observedAtMs: feed.observedAtMs })
  count.values++
  const honest = pair.filter(({ venue }) => !lies.has(venue))
  if (honest.length === 0) count.lyingOnly++
  const trades = (honest.length === 0 ? pair : honest).flatMap((one) => {
    const trade = lastTrade(one, timeMs)
    const lie = lies.get(one.venue)
    if (trade === null) return []
    return [toUnits(lie === undefined ? trade.close : applyLie(trade.close, lie), feed.decimals)]
  })
  const sorted = trades.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  if (sorted[(sorted.length - 1) >> 1] === value) count.median++
  return sorted.includes(value) ? null : `${feed.value} is no last trade of an honest venue at ${iso(timeMs)}`
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

function iso(ms) {
  return new Date(ms).toISOString()
}

function stop(text) {
  console.error(text)
  process.exit(2)
}
