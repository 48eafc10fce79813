// Four processes over TLS: reports outlive one death, stop at two and say why, and come back; nobody ever contradicts.

import { describe, expect, it } from 'vitest'
import { toHex } from '../../src/core/bytes.js'
import { createContext } from '../../src/core/context.js'
import { compareSlots } from '../../src/core/messages.js'
import {
  type CommitteeFolder,
  engine,
  hasEvidence,
  type OracleProcess,
  sleep,
  storedReports,
  withCommittee,
} from './committee-processes.js'

const pace = { roundMs: 200, slotMs: 600, graceMs: 20, delayMs: 100, progressMs: 1500, resendMs: 200 }

/** Slot and T rise strictly over the reports of all processes, and one slot has one T. */
function checkOrder(processes: readonly OracleProcess[]): number {
  const reports = processes.flatMap((oracle) => oracle.all('report')).sort(compareSlots)
  for (let i = 1; i < reports.length; i++) {
    const [before, after] = [reports[i - 1]!, reports[i]!]
    if (compareSlots(before, after) === 0) expect(after.attestedAtMs).toBe(before.attestedAtMs)
    else expect(after.attestedAtMs).toBeGreaterThan(before.attestedAtMs)
  }
  for (const oracle of processes) {
    const own = oracle.all('report')
    expect(new Set(own.map(({ epoch, round }) => `${epoch}/${round}`)).size).toBe(own.length)
  }
  return new Set(reports.map(({ epoch, round }) => `${epoch}/${round}`)).size
}

/** After all have stopped: one digest a slot over all stores, T rising, no evidence anywhere. Returns slots seen. */
async function checkStores({ of, committee }: CommitteeFolder): Promise<number> {
  const { digestOf } = createContext(engine, committee, 0)
  const digests = new Map<string, string>()
  for (const { index } of committee.members) {
    expect(hasEvidence(of(index))).toBe(false)
    const reports = await storedReports(of(index))
    expect(reports.length).toBeGreaterThan(0)
    let before = { epoch: 0, round: 0, attestedAtMs: 0 }
    for (const report of reports) {
      expect(compareSlots(report, before)).toBe(1)
      expect(report.attestedAtMs).toBeGreaterThan(before.attestedAtMs)
      before = report
      const slot = `${report.epoch}/${report.round}`
      const digest = toHex(digestOf(report))
      expect(digests.get(slot) ?? digest).toBe(digest)
      digests.set(slot, digest)
    }
  }
  return digests.size
}

describe('four processes over TLS', () => {
  it(
    'go on with three, stop with two, say why, and report within 5 s of coming back',
    () =>
      withCommittee({}, async (folder) => {
        const oracles = await folder.startAll()
        const leader = createContext(engine, folder.committee, 0).leaderOf(0)
        const [first, second, ...survivors] = [3, 1, 2, 0].filter((member) => member !== leader)
        await oracles[first!]!.end()
        const oneDeadMs = performance.now()
        for (const member of [second!, ...survivors, leader]) {
          const { signers } = await oracles[member]!.wait('report', () => true, { sinceMs: oneDeadMs + 3000 })
          expect(signers).not.toContain(first)
        }

        await oracles[second!]!.end()
        const twoDeadMs = performance.now()
        const left = [...survivors, leader].map((member) => oracles[member]!)
        const missing = [first!, second!].map((member) => folder.committee.members[member]!.name)
        for (const oracle of left) {
          const named = await oracle.wait(
            'stalled',
            ({ reasons }) =>
              reasons.some(
                ({ code, sentence }) =>
                  code === 'TOO_FEW_CONNECTED' && missing.every((name) => sentence.includes(name)),
              ),
            { sinceMs: twoDeadMs },
          )
          expect(named.reasons.map((reason) => reason.sentence).join()).toContain(
            '2 of 4 members are connected, 3 must sign',
          )
        }
        const silentMs = performance.now()
        await sleep(2500)
        for (const oracle of left) expect(oracle.all('report').filter(({ atMs }) => atMs > silentMs)).toEqual([])

        const back = [first!, second!].map((member) => folder.start(folder.of(member)))
        const spawnedAtMs = back[1]!.spawnedAtMs
        const next = await Promise.all(
          [...left, ...back].map((oracle) => oracle.wait('report', () => true, { sinceMs: spawnedAtMs })),
        )
        const delaysMs = next.map(({ atMs }) => Math.round(atMs - spawnedAtMs))
        console.log(
          JSON.stringify({
            figure: 'next report after two of four came back',
            survivorsMs: delaysMs.slice(0, 2),
            restartedMs: delaysMs.slice(2),
          }),
        )
        expect(Math.min(...delaysMs)).toBeLessThan(5000)
        for (const oracle of left) await oracle.wait('resumed', () => true, { sinceMs: spawnedAtMs })
        await sleep(2000)
        for (const oracle of [...left, ...back]) expect(await oracle.end('SIGTERM')).toBe(0)
        expect(checkOrder(folder.started)).toBeGreaterThan(5)
        await checkStores(folder)
      }),
    90_000,
  )

  it(
    'never contradict themselves when leader and members are killed at random moments',
    () =>
      withCommittee({ timing: pace, everyMs: 100 }, async (folder) => {
        const oracles = await folder.startAll()
        const { leaderOf } = createContext(engine, folder.committee, 0)
        let seed = 0x5eed
        const random = (below: number): number => {
          seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
          return Math.floor((seed / 2 ** 32) * below)
        }
        for (let kill = 0; kill < 10; kill++) {
          const epoch = Math.max(...oracles.flatMap((oracle) => oracle.all('report').map((report) => report.epoch)))
          // The leader first, and again each third time.
          const member = kill % 3 === 0 ? leaderOf(epoch) : random(4)
          await sleep(random(700))
          await oracles[member]!.end()
          const deadMs = performance.now()
          await sleep(random(300))
          oracles[member] = folder.start(folder.of(member))
          await Promise.all(oracles.map((oracle) => oracle.wait('report', () => true, { sinceMs: deadMs + 100 })))
        }
        const kills = performance.now()
        await Promise.all(
          oracles.map((oracle) => oracle.wait('report', ({ signers }) => signers.length >= 3, { sinceMs: kills })),
        )
        for (const oracle of oracles) expect(await oracle.end('SIGTERM')).toBe(0)
        for (const oracle of folder.started) expect(oracle.all('warning')).toEqual([])
        const seen = checkOrder(folder.started)
        const stored = await checkStores(folder)
        console.log(JSON.stringify({ figure: '10 kills', slotsSeen: seen, slotsStored: stored }))
        expect(stored).toBeGreaterThanOrEqual(20)
      }),
    120_000,
  )
})
