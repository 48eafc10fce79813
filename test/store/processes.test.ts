// Real processes on real disks: killed, out of space, out of descriptors, two on one directory (B26, B39).

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { nodeDisk } from '../../src/base/disk.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { isAlive, lockDirectory } from '../../src/store/directory-lock.js'
import { openReportStore } from '../../src/store/report-store.js'
import { createSlotRecord } from '../../src/store/slot-record.js'
import { Rng } from '../simulation/rng.js'
import { ended, startChild } from './child.js'
import { reportOf } from './reports.js'

const folder = mkdtempSync(join(tmpdir(), 'assay-processes-'))
afterAll(() => rmSync(folder, { recursive: true }))

function fresh(name: string): string {
  const directory = join(folder, name)
  mkdirSync(directory)
  return directory
}

describe('kill -9', () => {
  it('never leads to two signatures on a slot, and costs no more than what was reserved', async () => {
    const directory = fresh('life')
    const engine = await createWasmEngine()
    const address = engine.addressOf(new Uint8Array(32).fill(7))
    const identity = { address, salt: new Uint8Array(32).fill(2), generation: 1 }
    await createSlotRecord({ disk: nodeDisk, path: join(directory, 'slots'), identity })
    const rng = new Rng(11n)
    const signed = new Map<string, string>()
    for (let life = 0; life < 8; life++) {
      const child = startChild('store/child-life', [directory])
      let kill: Promise<void> | null = null
      const { signal, lines, errors } = await ended(child, (line) => {
        if (line.startsWith('open')) kill = setTimeout(rng.between(5, 60)).then(() => void child.kill('SIGKILL'))
      })
      await kill
      expect([signal, errors]).toEqual(['SIGKILL', ''])
      expect(lines[0]).toMatch(/^open sound/)
      for (const line of lines.slice(1)) {
        const [, round, digest] = line.split(' ') as [string, string, string]
        expect(signed.get(round) ?? digest, `slot 1/${round} in life ${life}`).toBe(digest)
        signed.set(round, digest)
      }
    }
    const highest = Math.max(...[...signed.keys()].map(Number))
    expect(signed.size).toBeGreaterThan(8)
    expect(highest - signed.size).toBeLessThanOrEqual(8 * 9)
  })

  it('keeps every acknowledged report, whole', async () => {
    const directory = fresh('reports')
    const rng = new Rng(12n)
    let acknowledged = -1
    for (let life = 0; life < 6; life++) {
      const child = startChild('store/child-reports', ['write', directory])
      let kill: Promise<void> | null = null
      const { signal } = await ended(child, (line) => {
        acknowledged = Number(line.split(' ')[1])
        kill ??= setTimeout(rng.between(20, 120)).then(() => void child.kill('SIGKILL'))
      })
      await kill
      expect(signal).toBe('SIGKILL')
    }
    const store = await openReportStore({ path: join(directory, 'reports'), onState: () => {}, headroomBytes: 0 })
    const held = store.range({ limit: 1_000_000 })
    expect(acknowledged).toBeGreaterThan(50)
    expect(held.length).toBeGreaterThanOrEqual(acknowledged + 1)
    for (const [i, report] of held.entries()) {
      expect(report).toEqual({ ...reportOf(i), seals: null })
      expect(store.bySlot(report)?.attestedAtMs).toBe(report.attestedAtMs)
    }
    await store.close()
  })
})

describe('a full disk', () => {
  it('closes the store, not the process, and lets it go on when there is room (2 MB tmpfs, or a file size limit)', async () => {
    const directory = fresh('full')
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', directory]).status === 0
    try {
      if (mounted) writeFileSync(join(directory, 'ballast'), new Uint8Array(500_000))
      // Without the right to mount, the system limits the size of a file to 1 MB (ulimit counts 512 bytes).
      const child = startChild(
        'store/child-reports',
        [mounted ? 'full' : 'limit', directory],
        mounted ? undefined : '-f 2048',
      )
      const { code, signal, lines } = await ended(child, (line) => {
        if (line === 'waiting') rmSync(join(directory, 'ballast'))
      })
      expect([code, signal, lines.at(-1)]).toEqual([0, null, expect.stringMatching(/^holds (\d+) of \1 true$/)])
      expect(lines.filter((line) => line.startsWith('state full'))).toHaveLength(mounted ? 2 : 1)
      expect(lines).toContain('record sound')
      const refused = lines.filter((line) => line.startsWith('refused'))
      expect(refused.every((line) => line.endsWith('REPORT_STORE_FULL'))).toBe(true)
      expect(refused).toHaveLength(mounted ? 2 : 1)
      if (mounted) expect(lines).toContain('state open null')
      expect(Number(lines.at(-1)!.split(' ')[1])).toBeGreaterThan(100)
    } finally {
      if (mounted) spawnSync('umount', [directory])
    }
  })

  it('is the same where a file may not grow (RLIMIT_FSIZE)', async () => {
    const child = startChild('store/child-reports', ['limit', fresh('limit')], '-f 2048')
    const { code, lines } = await ended(child)
    expect([code, lines.at(-1)]).toEqual([0, expect.stringMatching(/^holds (\d+) of \1 true$/)])
    expect(lines).toContain('state full REPORT_STORE_FULL')
  })
})

describe('no descriptors left', () => {
  it('stops what opens files, by code, and nothing that is open', async () => {
    const child = startChild('store/child-reports', ['descriptors', fresh('descriptors')], '-n 64')
    const { code, lines } = await ended(child)
    expect(lines).toEqual([
      'descriptors EMFILE',
      'going on sound open',
      'record SLOT_RECORD_UNREADABLE',
      'store REPORT_STORE_FAILED',
      'again sound 9',
    ])
    expect(code).toBe(0)
  })
})

describe('the lock of a directory', () => {
  it('is one process’s, and free as soon as that is killed or lets go', async () => {
    const directory = fresh('lock')
    const first = await lockDirectory(directory)
    await expect(lockDirectory(directory)).rejects.toMatchObject({ code: 'DIRECTORY_IN_USE', path: directory })
    expect(first.isHeld()).toBe(true)
    await first.release()
    expect(first.isHeld()).toBe(false)

    const engine = await createWasmEngine()
    const identity = {
      address: engine.addressOf(new Uint8Array(32).fill(7)),
      salt: new Uint8Array(32).fill(2),
      generation: 1,
    }
    await createSlotRecord({ disk: nodeDisk, path: join(directory, 'slots'), identity })
    const child = startChild('store/child-life', [directory])
    let refusal: unknown = null
    let isTried = false
    await ended(child, (line) => {
      if (!line.startsWith('open') || isTried) return
      isTried = true
      lockDirectory(directory)
        .catch((error: unknown) => {
          refusal = error
        })
        .finally(() => child.kill('SIGKILL'))
    })
    expect(refusal).toMatchObject({ code: 'DIRECTORY_IN_USE' })
    const next = await lockDirectory(directory)
    expect(next.isHeld()).toBe(true)
    await next.release()
  })

  it('goes to exactly one of many that find a stale one at once', async () => {
    const directory = fresh('race')
    for (let trial = 0; trial < 20; trial++) {
      // What a killed process leaves refuses connections, as a plain file does.
      if (trial % 2 === 0) writeFileSync(join(directory, `lock.${1000 * trial + 1000}`), '')
      const tries = await Promise.allSettled(Array.from({ length: 8 }, () => lockDirectory(directory)))
      const won = tries.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
      expect(won.filter((lock) => lock.isHeld())).toHaveLength(1)
      expect(won).toHaveLength(1)
      for (const each of tries) if (each.status === 'rejected') expect(each.reason.code).toBe('DIRECTORY_IN_USE')
      await won[0]!.release()
    }
  })

  it('is refused to a process that looked long ago, and finds numbers passed since', async () => {
    const directory = fresh('stalled')
    await (await lockDirectory(directory)).release()
    const others: Awaited<ReturnType<typeof lockDirectory>>[] = []
    let looks = 0
    const stalled = lockDirectory(directory, async (path) => {
      const answer = await isAlive(path)
      if (looks++ > 0) return answer
      // Between its look and its link, one process comes and goes and another stays.
      await (await lockDirectory(directory)).release()
      others.push(await lockDirectory(directory))
      return answer
    })
    await expect(stalled).rejects.toMatchObject({ code: 'DIRECTORY_IN_USE' })
    expect([looks, others[0]!.isHeld()]).toEqual([2, true])
    await others[0]!.release()
  })

  it('notices that it was taken, works under a long path, and refuses a missing directory', async () => {
    const directory = fresh('taken')
    const lock = await lockDirectory(directory)
    rmSync(join(directory, 'lock.1'))
    expect(lock.isHeld()).toBe(false)
    await lock.release()
    const long = join(directory, 'a'.repeat(100), 'b'.repeat(100))
    mkdirSync(long, { recursive: true })
    const held = await lockDirectory(long)
    await expect(lockDirectory(long)).rejects.toMatchObject({ code: 'DIRECTORY_IN_USE' })
    await held.release()
    await expect(lockDirectory(join(directory, 'none'))).rejects.toMatchObject({ code: 'DIRECTORY_LOCK_FAILED' })
  })
})
