// Attested values a second: 10,000 feeds, every value changing and differing from member to member, four processes, TLS.

import { makeCommittee, sleep, spawnBencher, stopAll, waitFor } from './committee.js'
import { figure, median } from './figure.js'

const n = 4
const feeds = 10_000

/** `runs` runs of `seconds` seconds; the medians over the runs are printed. */
export async function benchThroughput(runs = 3, seconds = 15): Promise<void> {
  const rates: number[] = []
  const cpus: number[] = []
  const memories: number[] = []
  for (let run = 0; run < runs; run++) {
    const committee = await makeCommittee({
      oracles: n,
      feeds,
      host: '127.0.0.1',
      port: 17_700 + run * 10,
      timing: { roundMs: 50, roundMsMin: 20, graceMs: 100, slotMs: 1500 },
    })
    const oracles = Array.from({ length: n }, (_, i) =>
      spawnBencher('oracle.js', [`${committee.folder}/oracle-${i + 1}`, 'clock', 'auto']),
    )
    const latest: (readonly [reports: number, cpuUs: number, rss: number])[] = []
    oracles.forEach(({ onLine }, i) => {
      onLine((line) => {
        const [reports, cpuUs, rss] = line.split(' ').map(Number)
        if (rss !== undefined) latest[i] = [reports!, cpuUs!, rss]
      })
    })
    try {
      await waitFor(oracles, 'session', n * (n - 1))
      await sleep(5000)
      const from = structuredClone(latest)
      const began = performance.now()
      await sleep(seconds * 1000)
      const tookS = (performance.now() - began) / 1000
      const rounds = Math.min(...latest.map(([reports], i) => reports - from[i]![0]))
      const cpuMs = latest.reduce((sum, [, cpuUs], i) => sum + cpuUs - from[i]![1], 0) / 1000
      rates.push((rounds * feeds) / tookS)
      cpus.push(cpuMs / rounds / n)
      memories.push(Math.max(...latest.map(([, , rss]) => rss)) / 2 ** 20)
    } finally {
      await stopAll(oracles)
      committee.remove()
    }
  }
  figure('throughput-attested-values', median(rates), 'values/s', {
    feeds,
    n,
    runs,
    seconds,
    every: 'oracle, the slowest counted',
  })
  figure('throughput-cpu-a-round', median(cpus), 'ms', { feeds, n, of: 'one oracle' })
  figure('throughput-rss', median(memories), 'MiB', { feeds, n, of: 'the largest oracle' })
}
