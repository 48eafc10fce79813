// Source change → first attested report: 100 feeds, four processes, TLS, durable floor; beside the floor of the same hops.

import { type Bencher, makeCommittee, sleep, spawnBencher, stopAll, waitFor } from './committee.js'
import { figure, median, percentile } from './figure.js'

const n = 4
const feeds = 100
const readingsBytes = feeds * 20
const warmUp = 150

interface Latency {
  readonly p50: number
  readonly p99: number
}

/**
 * `runs` runs of `changes` changes each, floor and committee in turn; the medians over the runs are printed. A change is
 * written to all four processes at once; the clock runs from the first write to the first process with q attestations.
 */
export async function benchLatency(runs = 3, changes = 450): Promise<void> {
  for (const curves of ['auto', 'wasm'] as const) {
    const rows: { name: string; latency: Latency }[] = []
    for (let run = 0; run < runs; run++) {
      const committee = await makeCommittee({
        oracles: n,
        feeds,
        host: '127.0.0.1',
        port: 17_100 + run * 10,
        streamPpm: 1,
        timing: { roundMs: 1000, roundMsMin: 5, graceMs: 20 },
      })
      try {
        for (const mode of ['bare', 'crypto'] as const) {
          const floor = Array.from({ length: n }, (_, i) =>
            spawnBencher('floor-member.js', [
              `${i}`,
              `${17_400 + run * 10}`,
              committee.folder,
              mode,
              `${readingsBytes}`,
              curves,
            ]),
          )
          rows.push({ name: `floor-${mode}`, latency: await measure(floor, 'ready', n, changes) })
        }
        const oracles = Array.from({ length: n }, (_, i) =>
          spawnBencher('oracle.js', [`${committee.folder}/oracle-${i + 1}`, 'lines', curves]),
        )
        rows.push({ name: 'assay', latency: await measure(oracles, 'session', n * (n - 1), changes) })
      } finally {
        committee.remove()
      }
    }
    const of = (name: string, p: keyof Latency): number =>
      median(rows.filter((row) => row.name === name).map(({ latency }) => latency[p]))
    for (const p of ['p50', 'p99'] as const) {
      for (const name of ['floor-bare', 'floor-crypto', 'assay']) {
        figure(`latency-${name}-${p}`, of(name, p), 'ms', { curves, feeds, n, runs, changes: changes - warmUp })
      }
      figure(`latency-${p}-over-floor-bare`, of('assay', p) / of('floor-bare', p), 'ratio', { curves })
      figure(`latency-${p}-over-floor-crypto`, of('assay', p) / of('floor-crypto', p), 'ratio', { curves })
    }
  }
}

async function measure(benchers: readonly Bencher[], ready: string, count: number, changes: number): Promise<Latency> {
  try {
    await waitFor(benchers, ready, count)
    await sleep(1500)
    const samples: number[] = []
    let tick = 0
    let sentAt = 0n
    let isAttested = false
    for (const { onLine } of benchers) {
      onLine((line) => {
        const [first, second] = line.split(' ')
        if (second === undefined || Number(first) !== tick || isAttested) return
        isAttested = true
        samples.push(Number(BigInt(second) - sentAt) / 1e6)
      })
    }
    for (tick = 1; tick <= changes; tick++) {
      isAttested = false
      sentAt = process.hrtime.bigint()
      for (const { child } of benchers) child.stdin!.write(`${tick}\n`)
      await sleep(25 + ((tick * 7) % 20))
      // A change is never overtaken by the next: the slowest belong to the p99 as well.
      for (let waited = 0; !isAttested && waited < 2000; waited += 10) await sleep(10)
    }
    const counted = samples.slice(warmUp)
    if (samples.length < changes) {
      throw new Error(`only ${samples.length} of ${changes} changes were attested within 2 s`)
    }
    return { p50: percentile(counted, 50), p99: percentile(counted, 99) }
  } finally {
    await stopAll(benchers)
  }
}
