// What a hostile member and ten thousand silent connections cost the others: latency and memory before, and under attack.

import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createContext } from '../../src/core/context.js'
import { limitsOf } from '../../src/core/limits.js'
import { engine, type OracleProcess, withCommittee } from './committee-processes.js'
import { flood, openSilent } from './hostile-member.js'

const pace = { roundMs: 100, roundMsMin: 50, slotMs: 500, graceMs: 5, delayMs: 100, progressMs: 1500, resendMs: 200 }
const reportsMin = 100
const growthBytesMax = 96 * 1024 * 1024

interface Sample {
  readonly latencyMs: number
  readonly latency90Ms: number
  readonly intervalMs: number
  readonly interval90Ms: number
  readonly rssBytes: number
  readonly reports: number
}

/** Latency (T to the report in hand) and the time between reports, over `reportsMin` reports of each oracle. */
async function sample(oracles: readonly OracleProcess[]): Promise<Sample> {
  const sinceMs = performance.now()
  let rssBytes = 0
  const look = setInterval(() => {
    rssBytes = Math.max(rssBytes, ...oracles.map((oracle) => oracle.rssBytes()))
  }, 200)
  try {
    await Promise.all(
      oracles.map(async (oracle) => {
        for (;;) {
          await oracle.wait('report', () => true, { sinceMs: performance.now() })
          if (oracle.all('report').filter(({ atMs }) => atMs > sinceMs).length >= reportsMin) return
        }
      }),
    )
  } finally {
    clearInterval(look)
  }
  const reports = oracles.map((oracle) => oracle.all('report').filter(({ atMs }) => atMs > sinceMs))
  const latencies = reports.flat().map(({ latencyMs }) => latencyMs)
  const intervals = reports.flatMap((own) =>
    own.slice(1).map(({ attestedAtMs }, i) => attestedAtMs - own[i]!.attestedAtMs),
  )
  return {
    latencyMs: at(latencies, 0.5),
    latency90Ms: at(latencies, 0.9),
    intervalMs: at(intervals, 0.5),
    interval90Ms: at(intervals, 0.9),
    rssBytes,
    reports: latencies.length,
  }
}

const at = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)]!
const megabytes = (bytes: number): number => Math.round(bytes / 1024 / 1024)

describe('three honest members', () => {
  it(
    'report as before while the fourth presses frames, and while strangers hold connections half open',
    () =>
      withCommittee({ timing: pace, everyMs: 100 }, async (folder) => {
        const hostile = 0
        const oracles = [1, 2, 3].map((member) => folder.start(folder.of(member)))
        const { leaderOf } = createContext(engine, folder.committee, 0)
        await Promise.all(oracles.map((oracle) => oracle.wait('report', ({ epoch }) => leaderOf(epoch) !== hostile)))
        const before = await sample(oracles)

        const ports = folder.ports.slice(1)
        const epoch = Math.max(...oracles.map((oracle) => oracle.all('report').at(-1)!.epoch))
        const pressure = await flood(folder.committee, hostile, folder.of(hostile), ports, epoch)
        const floodedAtMs = performance.now()
        let flooded: Sample
        try {
          flooded = await sample(oracles)
        } finally {
          pressure.stop()
        }
        const { framesPerS } = limitsOf(folder.committee)
        const floodS = (performance.now() - floodedAtMs) / 1000
        for (const oracle of oracles) {
          const evidence = join(oracle.folder, 'state/evidence.jsonl')
          expect(existsSync(evidence)).toBe(true)
          expect(statSync(evidence).size).toBeLessThan(1024 * 1024)
        }

        let isOver = false
        const halfOpen = ports.map((port) => openSilent(port, 10_000, 500, () => isOver))
        const besieged = await sample(oracles)
        const taken = await Promise.race([
          Promise.all(halfOpen),
          new Promise<never>((_, reject) => setTimeout(reject, 60_000, new Error('connections were not taken'))),
        ])
        isOver = true

        const figures = Object.entries({ before, flooded, besieged }).map(([phase, { rssBytes, ...rest }]) => [
          phase,
          { ...rest, rssMB: megabytes(rssBytes) },
        ])
        console.log(
          JSON.stringify({
            figure: 'honest members under attack',
            ...Object.fromEntries(figures),
            framesPressedPerS: Math.round(pressure.framesWritten / floodS / ports.length),
            framesAllowedPerS: framesPerS,
            hostileSessions: pressure.sessions,
            halfOpen: taken,
          }),
        )
        for (const attacked of [flooded, besieged]) {
          expect(attacked.latencyMs).toBeLessThanOrEqual(2 * Math.max(before.latencyMs, 5))
          expect(attacked.intervalMs).toBeLessThanOrEqual(2 * before.intervalMs)
          expect(attacked.rssBytes).toBeLessThan(before.rssBytes + growthBytesMax)
        }
        expect(Math.min(...taken)).toBeGreaterThan(9_000)
        for (const oracle of oracles) expect(await oracle.end('SIGTERM')).toBe(0)
      }),
    150_000,
  )
})
