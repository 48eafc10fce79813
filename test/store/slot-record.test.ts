// The slot record on a real disk: what it acknowledges, what it refuses to believe, and how it says so (P9).

import {
  copyFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { type Disk, type DiskFile, nodeDisk } from '../../src/base/disk.js'
import type { Durable } from '../../src/core/durable.js'
import { createSlotRecord, openSlotRecord, type SlotRecord } from '../../src/store/slot-record.js'
import { Rng } from '../simulation/rng.js'
import { TornDisk } from './torn-disk.js'

const folder = mkdtempSync(join(tmpdir(), 'assay-slots-'))
afterAll(() => rmSync(folder, { recursive: true }))

const identity = { address: new Uint8Array(20).fill(1), salt: new Uint8Array(32).fill(2), generation: 4 }
const record = (epoch: number, round: number, floorMs = 1000 * epoch + round): Durable => ({
  wish: epoch,
  floor: { epoch, round },
  floorMs,
})
const nothing = record(0, 0)

let number = 0
let path: string
beforeEach(async () => {
  path = join(folder, `slots-${number++}`)
  await createSlotRecord({ disk: nodeDisk, path, identity })
})

const reopen = (changes: Partial<typeof identity> = {}, disk: Disk = nodeDisk): Promise<SlotRecord> =>
  openSlotRecord({ disk, path, identity: { ...identity, ...changes } })

/** Opens, writes `durable` and closes: the record of an oracle that ran. */
async function used(durable: Durable = record(3, 7)): Promise<void> {
  const slots = await reopen()
  await slots.persist(durable)
  await slots.close()
}

async function expectDoubt(doubt: string, bound: Durable = nothing): Promise<SlotRecord> {
  const slots = await reopen()
  expect([slots.standing, slots.doubt, slots.durable]).toEqual(['unprovable', doubt, bound])
  await expect(slots.persist(record(9, 9))).rejects.toMatchObject({ code: 'SLOT_RECORD_UNPROVABLE' })
  return slots
}

describe('a sound record', () => {
  it('starts at nothing, and keeps what it acknowledged over restarts', async () => {
    const first = await reopen()
    expect([first.standing, first.durable]).toEqual(['sound', nothing])
    expect(await first.persist(record(3, 7))).toEqual(record(3, 7))
    expect(first.durable).toEqual(record(3, 7))
    await first.close()
    await expect(first.persist(record(3, 8))).rejects.toMatchObject({ code: 'SLOT_RECORD_WRITE_FAILED' })
    for (let i = 0; i < 3; i++) {
      const again = await reopen()
      expect([again.standing, again.durable]).toEqual(['sound', record(3, 7)])
      await again.close()
    }
    expect(readFileSync(path).length).toBe(8192)
  })

  it('is there after a power cut that follows its making', async () => {
    const disk = new TornDisk(new Rng(3n), () => {})
    await createSlotRecord({ disk, path: 'slots', identity })
    disk.due = { mishap: 'cut-before', after: 0 }
    void openSlotRecord({ disk, path: 'slots', identity })
    expect(disk.isCut).toBe(true)
    disk.restart()
    expect((await openSlotRecord({ disk, path: 'slots', identity })).standing).toBe('sound')
  })

  it('never falls: that is a programmer’s error', async () => {
    const slots = await reopen()
    await slots.persist({ wish: 5, floor: { epoch: 3, round: 7 }, floorMs: 100 })
    for (const fallen of [
      { wish: 4, floor: { epoch: 3, round: 7 }, floorMs: 100 },
      { wish: 5, floor: { epoch: 3, round: 6 }, floorMs: 100 },
      { wish: 5, floor: { epoch: 2, round: 99 }, floorMs: 100 },
      { wish: 5, floor: { epoch: 3, round: 7 }, floorMs: 99 },
    ]) {
      await expect(slots.persist(fallen)).rejects.toThrow('must not fall')
    }
    await slots.close()
  })

  it('is made once, and never over another', async () => {
    await used()
    await expect(createSlotRecord({ disk: nodeDisk, path, identity })).rejects.toMatchObject({
      code: 'SLOT_RECORD_EXISTS',
    })
    const slots = await reopen()
    expect(slots.durable).toEqual(record(3, 7))
    await slots.close()
  })

  it('starts again at (0, 0) in a later generation and keeps its time; an earlier or other one is refused', async () => {
    await used(record(3, 7, 5555))
    const other = { salt: new Uint8Array(32).fill(9) }
    await expect(reopen({ ...other, generation: 3 })).rejects.toMatchObject({ code: 'SLOT_RECORD_GENERATION' })
    await expect(reopen({ ...other, generation: 4 })).rejects.toMatchObject({ code: 'SLOT_RECORD_GENERATION' })
    const next = await reopen({ ...other, generation: 5 })
    expect([next.standing, next.durable]).toEqual(['sound', { ...nothing, floorMs: 5555 }])
    await next.close()
    await expect(reopen()).rejects.toMatchObject({ code: 'SLOT_RECORD_GENERATION' })
  })
})

describe('a record that proves nothing', () => {
  it('is one that is missing, truncated, zeroed or damaged in both blocks', async () => {
    await used()
    const whole = readFileSync(path)
    const cases: [string, () => void][] = [
      ['missing', () => rmSync(path)],
      ['truncated', () => truncateSync(path, 4096)],
      ['truncated', () => truncateSync(path, 0)],
      ['truncated', () => truncateSync(path, 8193)],
      ['damaged', () => writeFileSync(path, new Uint8Array(8192))],
    ]
    for (const [doubt, change] of cases) {
      change()
      await (await expectDoubt(doubt)).close()
      writeFileSync(path, whole)
    }
  })

  it('is one of another key or a newer program, which adopting puts aside unharmed', async () => {
    await used()
    const foreign = { address: new Uint8Array(20).fill(8) }
    const slots = await reopen(foreign)
    expect(slots.doubt).toBe('foreign')
    const bytes = readFileSync(path)
    await slots.adopt(record(6, 1))
    await slots.close()
    expect(readFileSync(`${path}.foreign`)).toEqual(bytes)
    renameSync(`${path}.foreign`, path)
    const own = await reopen()
    expect([own.standing, own.durable]).toEqual(['sound', record(3, 7)])
    await own.close()
  })

  it('is a copy, wherever it is put: beside, after a move, or over the file in use', async () => {
    await used(record(3, 7))
    const copy = `${path}.copy`
    copyFileSync(path, copy)
    await used(record(5, 1))
    cpSync(copy, path, { preserveTimestamps: true })
    await (await expectDoubt('restored', record(3, 7))).close()
    rmSync(path)
    copyFileSync(copy, path)
    await (await expectDoubt('restored', record(3, 7))).close()
  })

  it('becomes sound by adopting, never below what it could still read', async () => {
    await used(record(3, 7))
    copyFileSync(path, `${path}.copy`)
    renameSync(`${path}.copy`, path)
    const slots = await expectDoubt('restored', record(3, 7))
    expect(await slots.adopt({ wish: 2, floor: { epoch: 2, round: 0xffff_ffff }, floorMs: 9999 })).toEqual({
      wish: 3,
      floor: { epoch: 3, round: 7 },
      floorMs: 9999,
    })
    expect([slots.standing, slots.doubt]).toEqual(['sound', null])
    await slots.persist(record(10, 1, 20_000))
    await slots.close()
    const again = await reopen()
    expect([again.standing, again.durable]).toEqual(['sound', record(10, 1, 20_000)])
    await again.close()
  })
})

/** The real disk, with calls counted and, on demand, refused from the `from`-th on. */
function watched(plan: { refuse?: string; from?: number }): { readonly disk: Disk; readonly calls: string[] } {
  const calls: string[] = []
  const pass = async <T>(call: string, act: () => Promise<T>): Promise<T> => {
    calls.push(call)
    if (plan.refuse !== undefined && calls.length >= (plan.from ?? 0))
      throw Object.assign(new Error('refused'), { code: plan.refuse })
    return act()
  }
  const watch = (file: DiskFile): DiskFile => ({
    ...file,
    write: (at, bytes) => pass(`write ${at}`, () => file.write(at, bytes)),
    datasync: () => pass('datasync', () => file.datasync()),
  })
  return { disk: { ...nodeDisk, open: async (name, create) => watch(await nodeDisk.open(name, create)) }, calls }
}

describe('writing', () => {
  it('writes one block after the other, each synced, before it acknowledges', async () => {
    const { disk, calls } = watched({})
    const slots = await reopen({}, disk)
    calls.length = 0
    await slots.persist(record(1, 1))
    expect(calls).toEqual(['write 0', 'datasync', 'write 4096', 'datasync'])
    await slots.persist(record(1, 1))
    expect(calls.length).toBe(4)
    await slots.close()
  })

  it('has one write in flight; requests made meanwhile share the next', async () => {
    const { disk, calls } = watched({})
    const slots = await reopen({}, disk)
    calls.length = 0
    const answers = [1, 2, 3, 4, 5].map((round) => slots.persist(record(1, round)))
    expect(slots.durable).toEqual(nothing)
    const acknowledged = await Promise.all(answers)
    expect(acknowledged.at(-1)).toEqual(record(1, 5))
    expect(calls.length).toBeLessThanOrEqual(8)
    for (const [i, durable] of acknowledged.entries()) expect(durable.floor.round).toBeGreaterThanOrEqual(i + 1)
    await slots.close()
  })

  it.each(['ENOSPC', 'EIO', 'EDQUOT'])(
    'closes for signing on %s, and is sound again with the next success',
    async (code) => {
      const plan: { refuse?: string } = {}
      const { disk, calls } = watched(plan)
      const slots = await reopen({}, disk)
      await slots.persist(record(1, 1))
      plan.refuse = code
      await expect(slots.persist(record(1, 2))).rejects.toMatchObject({
        code: 'SLOT_RECORD_WRITE_FAILED',
        facts: { errno: code },
      })
      expect([slots.standing, slots.durable]).toEqual(['failed', record(1, 1)])
      delete plan.refuse
      calls.length = 0
      await slots.persist(record(1, 2))
      expect(calls).toEqual(['write 0', 'datasync', 'write 4096', 'datasync'])
      expect([slots.standing, slots.durable]).toEqual(['sound', record(1, 2)])
      await slots.close()
    },
  )

  it('starts with the block that failed, so that the good one is never at risk', async () => {
    const plan: { refuse?: string; from?: number } = {}
    const { disk, calls } = watched(plan)
    const slots = await reopen({}, disk)
    calls.length = 0
    plan.refuse = 'EIO'
    plan.from = 3
    await expect(slots.persist(record(1, 2))).rejects.toMatchObject({ code: 'SLOT_RECORD_WRITE_FAILED' })
    expect(calls).toEqual(['write 0', 'datasync', 'write 4096'])
    expect(slots.durable).toEqual(nothing)
    delete plan.refuse
    calls.length = 0
    await slots.persist(record(1, 3))
    expect(calls).toEqual(['write 4096', 'datasync', 'write 0', 'datasync'])
    await slots.close()
    const again = await reopen()
    expect([again.standing, again.durable]).toEqual(['sound', record(1, 3)])
    await again.close()
  })

  it('writes nothing once the directory belongs to another process', async () => {
    let holdsLock = true
    const { disk, calls } = watched({})
    const slots = await openSlotRecord({ disk, path, identity, holdsLock: () => holdsLock })
    calls.length = 0
    holdsLock = false
    await expect(slots.persist(record(1, 2))).rejects.toMatchObject({ code: 'DIRECTORY_LOCK_LOST' })
    expect([calls, slots.standing]).toEqual([[], 'failed'])
    await slots.close()
  })

  it('does not take a file it cannot open for a missing one', async () => {
    await used()
    const disk: Disk = { ...nodeDisk, open: () => Promise.reject(Object.assign(new Error(), { code: 'EMFILE' })) }
    await expect(reopen({}, disk)).rejects.toMatchObject({ code: 'SLOT_RECORD_UNREADABLE', facts: { errno: 'EMFILE' } })
  })
})
