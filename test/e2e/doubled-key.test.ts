// One key on two machines (B28): a copied record signs nothing, peers hear one of the two, and a partition that hid them ends with both stopped.

import { cpSync, lstatSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../src/core/bytes.js'
import { createContext } from '../../src/core/context.js'
import {
  type CommitteeFolder,
  editJson,
  engine,
  freePorts,
  hasEvidence,
  makeSlotRecord,
  type OracleProcess,
  sleep,
  storedReports,
  withCommittee,
} from './committee-processes.js'
import { Relays, type Station } from './relay.js'

const pace = { roundMs: 200, slotMs: 600, graceMs: 50, delayMs: 100, progressMs: 1500, resendMs: 200 }

/** A copy of a member's folder that listens on `port`; the state folder is copied, or made anew as for a new key. */
async function double(
  { folder, of, committee }: CommitteeFolder,
  member: number,
  port: number,
  state: 'copied' | 'fresh',
): Promise<string> {
  const twin = join(folder, 'committee', 'twin')
  cpSync(of(member), twin, { recursive: true, filter: (source) => !lstatSync(source).isSocket() })
  if (state === 'fresh') {
    rmSync(join(twin, 'state'), { recursive: true })
    await makeSlotRecord(committee, member, twin)
  }
  editJson(join(twin, 'config.json'), (config) => {
    config['listen'] = `127.0.0.1:${port}`
  })
  return twin
}

/** One digest a slot over the stores of all folders. */
async function checkOneReportASlot({ committee }: CommitteeFolder, folders: readonly string[]): Promise<number> {
  const { digestOf } = createContext(engine, committee, 0)
  const digests = new Map<string, string>()
  for (const where of folders) {
    for (const report of await storedReports(where)) {
      const slot = `${report.epoch}/${report.round}`
      const digest = toHex(digestOf(report))
      expect(digests.get(slot) ?? digest).toBe(digest)
      digests.set(slot, digest)
    }
  }
  return digests.size
}

async function stop(oracles: readonly OracleProcess[], code: number): Promise<void> {
  for (const oracle of oracles) expect(await oracle.end('SIGTERM')).toBe(code)
}

describe('a key on two machines that reach the same peers', () => {
  it.each(['copied', 'fresh'] as const)(
    'is refused a second session; with a %s record nothing of it is seen by anyone',
    (state) =>
      withCommittee({ timing: pace, everyMs: 100 }, async (folder) => {
        const oracles = await folder.startAll()
        // A report takes three of four: where the fourth had no session with member 0 yet, its double would get it.
        for (const peer of ['oracle-2', 'oracle-3', 'oracle-4']) {
          await oracles[0]!.wait('session', (session) => session.peer === peer && session.state === 'up')
        }
        const [port] = await freePorts(1)
        // Member 0 dials all others, so its double comes to them as well.
        const twin = folder.start(await double(folder, 0, port!, state))
        await twin.wait('started')
        const refused = await twin.wait('warning', ({ code }) => code === 'SESSION_EXISTS')
        expect(refused.sentence).toContain('another process')
        if (state === 'copied') {
          await twin.wait(
            'warning',
            ({ code, sentence }) => code === 'STATE_UNPROVABLE' && sentence.includes('restored'),
          )
          await twin.wait('stalled', ({ reasons }) => reasons.some(({ code }) => code === 'STATE_UNPROVABLE'))
        } else await twin.wait('stalled', ({ reasons }) => reasons.some(({ code }) => code === 'TOO_FEW_CONNECTED'))
        const sinceMs = performance.now()
        await sleep(3000)
        expect(twin.all('session')).toEqual([])
        expect(twin.all('report')).toEqual([])
        // The first process is not disturbed: it goes on to sign.
        for (const oracle of oracles) await oracle.wait('report', ({ signers }) => signers.includes(0), { sinceMs })
        // The twin first: once the other is gone, it would be heard, see what that signed, and stop with its code.
        await stop([twin, ...oracles], 0)
        for (const oracle of oracles) expect(hasEvidence(oracle.folder)).toBe(false)
        await checkOneReportASlot(
          folder,
          [...oracles, twin].map((oracle) => oracle.folder),
        )
      }),
    60_000,
  )
})

describe('a key on two machines across a partition', () => {
  // Who leads decides which of the two is heard, and which of them has to be told.
  it.each(['the doubled key', 'a peer of the first', 'the peer of the second'] as const)(
    'counts as one faulty member, and both stop on heal; %s leads',
    (who) =>
      withCommittee({ timing: pace, everyMs: 100 }, async (folder) => {
        const leader = createContext(engine, folder.committee, 0).leaderOf(0)
        const [next, after] = [0, 1, 2, 3].filter((member) => member !== leader) as [number, number]
        const doubled = who === 'the doubled key' ? leader : next
        const lonely = who === 'the peer of the second' ? leader : after
        const real = await freePorts(5)
        for (let member = 0; member < 4; member++) {
          editJson(join(folder.of(member), 'config.json'), (config) => {
            config['listen'] = `127.0.0.1:${real[member]}`
          })
        }
        const twinFolder = await double(folder, doubled, real[4]!, 'fresh')
        const relays = new Relays(() => folder.started.map((oracle) => oracle.pid))
        try {
          await relays.listen(folder.ports)
          const oracles = [0, 1, 2, 3].map((member) => folder.start(folder.of(member)))
          const twin = folder.start(twinFolder)
          const first = oracles[doubled]!
          const station = (member: number): Station => ({ pid: oracles[member]!.pid, port: real[member]! })
          const isApart = (pid: number): boolean => pid === twin.pid || pid === oracles[lonely]!.pid
          relays.route = (dialler, member) => {
            if (isApart(dialler) && member === doubled) return { pid: twin.pid, port: real[4]! }
            return isApart(dialler) === (member === lonely) ? station(member) : null
          }

          const majority = oracles.filter((_, member) => member !== lonely)
          await Promise.all(majority.map((oracle) => oracle.wait('report')))
          await twin.wait('session', ({ state }) => state === 'up')
          await sleep(2000)
          expect([twin, oracles[lonely]!].map((oracle) => oracle.all('report').length)).toEqual([0, 0])
          expect([twin, first].map((oracle) => oracle.all('halted').length)).toEqual([0, 0])

          const healedMs = performance.now()
          relays.route = (_, member) => station(member)
          const halts = await Promise.all(
            [first, twin].map((oracle) => oracle.wait('halted', ({ code }) => code === 'KEY_IN_USE_ELSEWHERE')),
          )
          const stoppedMs = halts.map(({ atMs }) => Math.round(atMs - healedMs))
          console.log(
            JSON.stringify({
              figure: 'both stop after heal',
              leads: who,
              firstMs: stoppedMs[0],
              secondMs: stoppedMs[1],
            }),
          )
          for (const { advice } of halts) expect(advice).toContain('start one')
          // The other three are a quorum, and go on without that member.
          const others = oracles.filter((oracle) => oracle !== first)
          const stoppedAtMs = Math.max(...halts.map(({ atMs }) => atMs))
          const isWithout = ({ signers }: { signers: readonly number[] }): boolean => !signers.includes(doubled)
          await Promise.all(others.map((oracle) => oracle.wait('report', isWithout, { sinceMs: stoppedAtMs + 1500 })))
          await stop(others, 0)
          // Halted, both still run, and say so by their exit code.
          expect([first.isRunning, twin.isRunning]).toEqual([true, true])
          await stop([first, twin], 3)
          const slots = await checkOneReportASlot(
            folder,
            [...oracles, twin].map((oracle) => oracle.folder),
          )
          expect(slots).toBeGreaterThan(5)
        } finally {
          relays.close()
        }
      }),
    90_000,
  )
})
