// Start-up time, memory and CPU a round of one oracle with 1,000 feeds, in a committee of four. Linux only (/proc).

import { readFileSync } from 'node:fs'
import { makeCommittee, sleep, spawnBencher, stopAll } from './committee.js'
import { figure, median } from './figure.js'

const n = 4
const feeds = 1000

/** Medians over `runs` committees that report once a second for `seconds`, started by the command line as an operator would. */
export async function benchResources(runs = 3, seconds = 30): Promise<void> {
  const starts: number[] = []
  const memories: number[] = []
  const cpus: number[] = []
  for (let run = 0; run < runs; run++) {
    const committee = await makeCommittee({
      oracles: n,
      feeds,
      host: '127.0.0.1',
      port: 18_000 + run * 10,
      light: false,
    })
    const oracles = []
    try {
      for (let i = 0; i < n; i++) {
        const began = performance.now()
        const oracle = spawnBencher('../src/cli/main.js', ['start', `${committee.folder}/oracle-${i + 1}`, '--json'])
        oracles.push(oracle)
        const started = new Promise<void>((resolve) => oracle.onLine((line) => line.includes('"started"') && resolve()))
        await started
        starts.push(performance.now() - began)
      }
      let reports = 0
      oracles[0]!.onLine((line) => {
        if (line.includes('"report"')) reports++
      })
      await sleep(5000)
      const pid = oracles[0]!.child.pid!
      const [cpuBefore, reportsBefore] = [cpuMs(pid), reports]
      await sleep(seconds * 1000)
      memories.push(rssMiB(pid))
      cpus.push((cpuMs(pid) - cpuBefore) / (reports - reportsBefore))
    } finally {
      await stopAll(oracles)
      committee.remove()
    }
  }
  figure('resources-start', median(starts), 'ms', { feeds, from: 'spawn to listening, keystore opened' })
  figure('resources-rss', median(memories), 'MiB', { feeds, after: `${seconds} s of reports` })
  figure('resources-cpu-a-round', median(cpus), 'ms', { feeds, of: 'one oracle, sources included' })
}

function rssMiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024
}

/** User and system time: fields 14 and 15 of the process's stat, in clock ticks of 10 ms. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
