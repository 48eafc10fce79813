// A full disk and too few descriptors: the process goes on or refuses with a sentence, and signs again when there is room.

import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  assay,
  type CommitteeFolder,
  editJson,
  makeSlotRecord,
  type OracleProcess,
  withCommittee,
} from './committee-processes.js'

const pace = { roundMs: 200, slotMs: 600, graceMs: 20, delayMs: 100, progressMs: 1500, resendMs: 200 }
const full = 3

/** How the disk of one oracle is made full, and given room again. */
interface SmallDisk {
  readonly kind: string
  readonly shell?: string
  readonly isFullAtStart: boolean
  readonly fill: () => void
  readonly free: (oracle: OracleProcess) => void
  readonly remove: () => void
}

/** A small file system of its own; where nobody may mount one, a limit on the size of files, which can be raised. */
async function smallDisk({ of, committee }: CommitteeFolder): Promise<SmallDisk> {
  const state = join(of(full), 'state')
  rmSync(state, { recursive: true })
  mkdirSync(state)
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=40m,mode=0700', 'tmpfs', state]).status === 0
  await makeSlotRecord(committee, full, of(full))
  if (!isMounted) {
    return {
      kind: 'prlimit',
      // A file above the limit is an error of the write only where its signal is ignored. Room for what lmdb begins with.
      shell: "trap '' XFSZ; ulimit -S -f 256",
      isFullAtStart: true,
      fill: () => undefined,
      free: ({ pid }) => {
        if (spawnSync('prlimit', ['--pid', String(pid), '--fsize=unlimited:']).status !== 0)
          throw new Error('neither mount nor prlimit')
      },
      remove: () => undefined,
    }
  }
  const filler = join(state, 'filler')
  return {
    kind: 'tmpfs',
    isFullAtStart: false,
    fill: () => {
      // The oracle writes as well, so how much fits is known only when no more does.
      try {
        for (;;) appendFileSync(filler, Buffer.alloc(65_536))
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENOSPC' })
      }
    },
    free: () => rmSync(filler),
    remove: () => void spawnSync('umount', [state]),
  }
}

describe('an oracle whose disk is full', () => {
  it(
    'goes on without signing, says why, and signs again when there is room',
    () =>
      withCommittee({ timing: pace, everyMs: 100 }, async (folder) => {
        const disk = await smallDisk(folder)
        try {
          const oracles = [0, 1, 2, 3].map((member) =>
            folder.start(folder.of(member), member === full ? disk.shell : undefined),
          )
          const [first] = oracles
          const sick = oracles[full]!
          await first!.wait('report', ({ signers }) => disk.isFullAtStart || signers.includes(full))
          const filledMs = performance.now()
          disk.fill()
          const closed = await sick.wait('signing', ({ state }) => state === 'closed', { sinceMs: filledMs })
          expect(closed.code).toBe('REPORT_STORE_FULL')
          const closedMs = performance.now()
          // The committee goes on without its signature, and it hears of every report.
          const { signers } = await first!.wait('report', () => true, { sinceMs: closedMs + 2000 })
          expect(signers).not.toContain(full)
          await sick.wait('report', () => true, { sinceMs: closedMs + 2000 })
          const without = first!.all('report').filter(({ atMs }) => atMs > closedMs + 1000)
          expect(without.flatMap((report) => report.signers)).not.toContain(full)
          const roomMs = performance.now()
          disk.free(sick)
          await sick.wait('signing', ({ state }) => state === 'open', { sinceMs: roomMs })
          const again = await first!.wait('report', ({ signers }) => signers.includes(full), { sinceMs: roomMs })
          console.log(
            JSON.stringify({
              figure: 'disk full',
              by: disk.kind,
              closedAfterMs: Math.round(closed.atMs - filledMs),
              signsAgainMs: Math.round(again.atMs - roomMs),
            }),
          )
          for (const oracle of oracles) expect(await oracle.end('SIGTERM')).toBe(0)
        } finally {
          await Promise.all(folder.started.map((oracle) => oracle.end()))
          disk.remove()
        }
      }),
    60_000,
  )

  it('is not started on a disk of 2 MB, and says what it lacks', () =>
    withCommittee({}, async ({ of, committee }) => {
      const state = join(of(0), 'state')
      rmSync(state, { recursive: true })
      mkdirSync(state)
      const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=0700', 'tmpfs', state]).status === 0
      try {
        await makeSlotRecord(committee, 0, of(0))
        const shell = isMounted ? undefined : "trap '' XFSZ; ulimit -f 16"
        const { code, stderr } = await assay(['start', of(0), '--json'], shell)
        expect(code).toBe(1)
        expect(JSON.parse(stderr)).toMatchObject({
          error: { code: isMounted ? 'REPORT_STORE_FULL' : expect.any(String) },
        })
      } finally {
        if (isMounted) spawnSync('umount', [state])
      }
    }))
})

describe('an oracle with too few descriptors', () => {
  it(
    'runs, or is refused with a code and a sentence, but never with a stack',
    () =>
      withCommittee({}, async ({ of }) => {
        // The listener is never reached, so that a start that succeeds ends as well.
        editJson(join(of(0), 'config.json'), (config) => {
          config['listen'] = '203.0.113.1:7001'
        })
        for (const descriptors of [28, 40, 64, 90, 93, 96, 99]) {
          const { code, stderr, stdout } = await assay(['start', of(0), '--json'], `ulimit -n ${descriptors}`)
          const { error } = JSON.parse(stderr) as { error: { code: string; advice: string } }
          expect([code, stdout]).toEqual([1, ''])
          expect(error.code).toMatch(/^(PROGRAM_UNLOADABLE|SYSTEM_REFUSED|[A-Z_]+_(FAILED|UNREADABLE|ABSENT))$/)
          expect(error.advice).not.toBe('')
        }
      }),
    60_000,
  )
})
