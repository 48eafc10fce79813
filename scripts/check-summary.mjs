// Fails unless standard input is the summary of a demo that made reports in at least as many rounds as are named, and
// brought two feeds to its chain, where it has one: only a replay of recordings goes without.

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
  ...chainFaults(summary),
]
const { mode, reports, skippedRounds, latencyMs } = summary
const { pushes = null, gasUsed = null } = summary.chain ?? {}
console.log(
  JSON.stringify({ mode, rounds: summary.rounds, reports, skippedRounds, latencyMs, pushes, gasUsed, faults }),
)
process.exit(faults.length === 0 ? 0 : 1)

/** What is wrong with the chain's part: contracts must give what was attested, or refuse what is not OK. */
function chainFaults({ mode, chain }) {
  if (chain === null) return mode === 'recordings' ? [] : ['no chain']
  const { pushes, transactions, gasUsed, feeWei, reads, pull, request, missing } = chain
  const statusOf = (name) => reads.find(({ feed }) => feed === name)?.status
  return [
    ...missing.map((what) => `missing: ${what}`),
    ...(pushes >= 2 && transactions >= 1 && gasUsed > 0 && BigInt(feeWei) > 0n ? [] : ['pushes']),
    ...(reads.length === 2 || (reads.length === 1 && mode === 'recordings') ? [] : ['reads']),
    ...reads
      .filter(({ value, reported, updates }) => !decimal.test(value) || value !== reported || updates < 1)
      .map(({ feed }) => `${feed} on chain is not what was attested`),
    ...reads
      .filter(({ value, answer, refusal, status }) => (status === 'OK' ? answer !== value : refusal === null))
      .map(({ feed }) => `facade of ${feed}`),
    ...(pull !== null && (decimal.test(pull.value) || refusesWell(pull, statusOf)) ? [] : ['pull']),
    ...(request.end === 'answered' && decimal.test(request.value) ? [] : refusedWell(request, statusOf)),
  ]
}

/** A buyer's contract refuses what is not OK, and what is more uncertain than it allows. */
function refusesWell({ feed, refusal }, statusOf) {
  return statusOf(feed) !== 'OK' || refusal === 'UncertainPrice'
}

/** A hub refuses only what is not OK. */
function refusedWell({ end, feed, status }, statusOf) {
  return end === 'refused' && status !== 'EXPIRED' && statusOf(feed) !== 'OK' ? [] : ['request']
}
