// Fails unless standard input is the summary of a demo that made reports in at least as many rounds as are named.

import { readFileSync } from 'node:fs'

const [rounds] = process.argv.slice(2).map(Number)
const summary = JSON.parse(readFileSync(0, 'utf8'))
const decimal = /^-?\d+(\.\d+)?$/
const faults = [
  ...(['live', 'bundled', 'recordings'].includes(summary.mode) ? [] : ['mode']),
  ...(summary.rounds >= rounds && summary.reports + summary.skippedRounds === summary.rounds ? [] : ['rounds']),
  ...(summary.reports >= 0.5 * summary.rounds ? [] : ['reports']),
  ...(summary.feeds.length > 0 ? [] : ['feeds']),
  ...summary.feeds.filter(({ value }) => value !== null && !decimal.test(value)).map(({ name }) => `value of ${name}`),
  ...summary.feeds.filter(({ feedId }) => !/^0x[0-9a-f]{64}$/.test(feedId)).map(({ name }) => `feedId of ${name}`),
  ...(summary.latencyMs.p50 <= summary.latencyMs.p99 ? [] : ['latencyMs']),
]
const { mode, reports, skippedRounds, latencyMs } = summary
console.log(JSON.stringify({ mode, rounds: summary.rounds, reports, skippedRounds, latencyMs, faults }))
process.exit(faults.length === 0 ? 0 : 1)
