// Follows the API of an oracle: fetches each report that is told, keeps its bytes unchanged, and counts.

import { writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import type { ReportJson } from '../core/report-json.js'
import type { JsonValue } from '../core/value-json.js'

/** One feed as the newest report has it. Times are ms since 1970. */
export interface FeedView {
  readonly name: string
  readonly feedId: string
  readonly value: JsonValue | null
  readonly status: string
  readonly observedAtMs: number
  readonly attestedAtMs: number
  readonly groups: number
  readonly spreadPpm: number
}

/** The newest report. */
export interface ReportView {
  readonly epoch: number
  readonly round: number
  readonly attestedAtMs: number
  readonly latencyMs: number
  readonly signers: number
  readonly feeds: readonly FeedView[]
}

/** A report that an oracle told of. */
export interface ToldReport {
  readonly epoch: number
  readonly round: number
  readonly latencyMs: number
}

export interface Tally {
  /** Reports that an oracle told of. */
  readonly reports: number
  /** Rounds that are over, with a report or skipped. */
  readonly rounds: number
  /** Gaps in the numbers of rounds. */
  readonly skippedRounds: number
  readonly latencyMs: { readonly p50: number; readonly p99: number }
}

export interface Reports {
  /** Takes a report that an oracle with its API at `api` told of; false when it was told before. */
  readonly take: (api: string, report: ToldReport) => boolean
  readonly latest: () => ReportView | null
  /** Counts what was told so far. */
  readonly tally: () => Tally
  /** Resolves when all that was taken is fetched, or given up. */
  readonly drained: () => Promise<void>
  readonly close: () => void
}

const bodyBytesMax = 16 * 1024 * 1024
/** Told slots that are remembered, so that two oracles' word of one report counts once. */
const slotsMax = 4096
/** Latencies are told apart from here to there; longer ones count as the longest. */
const latencyMsMin = 0.01
const latencyMsMax = 600_000
const stepOfSize = 1.01

/** Keeps each report as folder/E-R.json unless `folder` is null; `onReport` hears of each in order, `onLost` of failures. */
export function followReports(
  folder: string | null,
  onReport: (report: ReportView) => void,
  onLost: (sentence: string) => void,
): Reports {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  const seen = new Set<string>()
  const rounds = new Map<number, { first: number; last: number; count: number }>()
  const latencies = countLatencies()
  let latest: ReportView | null = null
  let queue: Promise<void> = Promise.resolve()

  const fetchOne = async (api: string, { epoch, round, latencyMs }: ToldReport): Promise<void> => {
    try {
      const bytes = await fetchReport(agent, `${api}/v1/reports/${epoch}/${round}`)
      if (folder !== null) writeFileSync(join(folder, `${epoch}-${round}.json`), bytes)
      latest = viewOf(JSON.parse(bytes.toString('utf8')) as ReportJson, latencyMs)
      onReport(latest)
    } catch (error) {
      onLost(`report ${epoch}/${round} was not fetched: ${(error as Error).message}`)
    }
  }
  return {
    take: (api, report) => {
      const key = `${report.epoch}/${report.round}`
      if (seen.has(key)) return false
      seen.add(key)
      if (seen.size > slotsMax) seen.delete(seen.values().next().value!)
      const { epoch, round } = report
      const epochRounds = rounds.get(epoch)
      // The rounds of the first epoch count from the first report: what was before it was the start.
      if (epochRounds === undefined) rounds.set(epoch, { first: rounds.size === 0 ? round : 1, last: round, count: 1 })
      else {
        epochRounds.first = Math.min(epochRounds.first, round)
        epochRounds.last = Math.max(epochRounds.last, round)
        epochRounds.count++
      }
      latencies.add(report.latencyMs)
      queue = queue.then(() => fetchOne(api, report))
      return true
    },
    latest: () => latest,
    tally: () => {
      const epochs = [...rounds.values()]
      const skippedRounds = epochs.reduce((sum, { first, last, count }) => sum + last - first + 1 - count, 0)
      const reports = epochs.reduce((sum, { count }) => sum + count, 0)
      return {
        reports,
        rounds: reports + skippedRounds,
        skippedRounds,
        latencyMs: { p50: latencies.at(0.5), p99: latencies.at(0.99) },
      }
    },
    drained: () => queue,
    close: () => agent.destroy(),
  }
}

/** Latencies as counts by size: a percentile costs the same after a million reports, and is true to 1 %. */
export function countLatencies(): {
  readonly add: (latencyMs: number) => void
  /** What `share` of all latencies are not above, ms; 0 before the first. */
  readonly at: (share: number) => number
} {
  const counts = new Uint32Array(sizeOf(latencyMsMax) + 1)
  let total = 0
  return {
    add: (latencyMs) => {
      counts[sizeOf(Math.min(latencyMs, latencyMsMax))]!++
      total++
    },
    at: (share) => {
      let left = Math.max(1, Math.ceil(share * total))
      for (const [size, count] of counts.entries()) {
        left -= count
        if (left <= 0) return size === 0 ? 0 : Math.round(latencyMsMin * stepOfSize ** (size - 1) * 100) / 100
      }
      return 0
    },
  }
}

/** 0 for less than latencyMsMin; each size is 1 % above the one before. */
function sizeOf(ms: number): number {
  return ms < latencyMsMin ? 0 : 1 + Math.round(Math.log(ms / latencyMsMin) / Math.log(stepOfSize))
}

function viewOf(report: ReportJson, latencyMs: number): ReportView {
  const attestedAtMs = Number(report.attestedAtMs)
  const feeds = report.leaves.flatMap((leaf) =>
    leaf.feeds.map(({ name, feedId, value, status, observedAtMs, groups, spreadPpm }) => ({
      ...{ name, feedId, value, status, groups, spreadPpm, attestedAtMs },
      observedAtMs: Number(observedAtMs),
    })),
  )
  const signers = report.attestations.length
  return { epoch: report.epoch, round: report.round, attestedAtMs, latencyMs, signers, feeds }
}

/** The bytes of a report; one that is certified and not yet stored is asked for again, for two seconds. */
async function fetchReport(agent: Agent, url: string): Promise<Buffer> {
  for (let waitMs = 4; ; waitMs *= 2) {
    // An oracle may tell of its first report before its API listens.
    const answer = await getBytes(agent, url).catch((error: Error) => error)
    if (!(answer instanceof Error) && answer.status === 200) return answer.bytes
    if (waitMs > 1024) throw answer instanceof Error ? answer : new Error(`the API answered with ${answer.status}`)
    await new Promise((resolve) => setTimeout(resolve, waitMs))
  }
}

/** One GET on this machine. */
export function getBytes(agent: Agent, url: string): Promise<{ status: number; bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent, timeout: 5000 }, (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        size += chunk.length
        if (size > bodyBytesMax) request.destroy(new Error('the answer is too long'))
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode!, bytes: Buffer.concat(chunks) }))
    })
    request.on('timeout', () => request.destroy(new Error('the API does not answer')))
    request.on('error', reject)
  })
}
