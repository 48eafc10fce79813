// Costs in a file: there again after a restart, a crash at any point, a full disk or damage; never counted twice.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type CuttableDisk, nodeDisk } from '../../src/base/disk.js'
import type { OracleError } from '../../src/base/errors.js'
import { type CostFile, openCosts } from '../../src/deliver/cost-file.js'
import type { Cost } from '../../src/deliver/costs.js'
import { Rng } from '../simulation/rng.js'
import { type Mishap, TornDisk } from '../store/torn-disk.js'

const folder = mkdtempSync(join(tmpdir(), 'assay-costs-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const freshPath = (): string => join(folder, `costs-${files++}`)

const costOf = (n: number, changes: Partial<Cost> = {}): Cost => ({
  job: `job-${n}`,
  txHash: `0x${n}`,
  atMs: 1_800_000_000_000 + n,
  target: '1/0xaa',
  feeds: ['a', 'b'],
  isReverted: false,
  gasUsed: 100n,
  feeWei: 10n ** 20n + 1n,
  ...changes,
})
const updatesOf = (costs: CostFile): number => Math.max(0, ...costs.rows().map(({ updates }) => updates))

async function open(path: string, disk: CuttableDisk = nodeDisk): Promise<{ costs: CostFile; told: OracleError[] }> {
  const told: OracleError[] = []
  return { costs: await openCosts({ disk, path, onError: (error) => void told.push(error) }), told }
}

describe('a file of costs', () => {
  it('is there again, to the last wei, with what was told already', async () => {
    const path = freshPath()
    const { costs } = await open(path)
    costs.add(costOf(1))
    costs.add(costOf(2, { isReverted: true }))
    costs.add(costOf(3))
    costs.remove('job-3')
    await costs.close()
    const { costs: later, told } = await open(path)
    expect(later.rows()).toEqual(costs.rows())
    expect(later.rows()[0]).toMatchObject({ feed: 'a', updates: 1, reverted: 1, feeWei: 10n ** 20n + 2n })
    later.add(costOf(1))
    later.remove('job-2')
    expect(later.rows()[0]).toMatchObject({ updates: 1, reverted: 0, feeWei: 5n * 10n ** 19n + 1n })
    expect(told).toEqual([])
    await later.close()
  })

  it('is whole, whatever a crash left of a write', async () => {
    const path = freshPath()
    writeFileSync(`${path}.new`, 'x'.repeat(100_000))
    const { costs } = await open(path)
    costs.add(costOf(1))
    await costs.close()
    expect(readFileSync(path).length).toBeLessThan(1000)
    expect((await open(path)).costs.rows()).toEqual(costs.rows())
  })

  it('is written once for what is counted at once, and not for what changes nothing', async () => {
    let renames = 0
    const disk: CuttableDisk = {
      ...nodeDisk,
      rename: (from, to) => nodeDisk.rename(from, to).then(() => void renames++),
    }
    const { costs } = await open(freshPath(), disk)
    for (let n = 0; n < 100; n++) costs.add(costOf(n))
    await costs.close()
    expect(renames).toBe(1)
    costs.add(costOf(7))
    costs.remove('job-200')
    await costs.close()
    expect(renames).toBe(1)
  })
})

describe('damage', () => {
  it.each([
    ['a flipped bit', (bytes: Buffer) => bytes.fill(bytes[40]! ^ 1, 40, 41)],
    ['a cut', (bytes: Buffer) => bytes.subarray(0, bytes.length - 1)],
    ['nothing in it', () => Buffer.alloc(0)],
    ['another document', () => Buffer.from('{}\n')],
  ])('(%s) is set aside and told, and the table starts anew', async (_, harm) => {
    const path = freshPath()
    const { costs } = await open(path)
    costs.add(costOf(1))
    await costs.close()
    const harmed = harm(readFileSync(path))
    writeFileSync(path, harmed)
    const { costs: later, told } = await open(path)
    expect(later.rows()).toEqual([])
    expect(told.map(({ code }) => code)).toEqual(['COSTS_DAMAGED'])
    expect(readFileSync(`${path}.damaged`).equals(harmed)).toBe(true)
    later.add(costOf(2))
    await later.close()
    const last = await open(path)
    expect([updatesOf(last.costs), last.told]).toEqual([1, []])
  })

  it('of the disk is not taken for damage of the file: nothing is set aside or written over', async () => {
    const path = freshPath()
    const { costs } = await open(path)
    costs.add(costOf(1))
    await costs.close()
    const failing: CuttableDisk = {
      ...nodeDisk,
      open: (at, create) => {
        if (at === path) return Promise.reject(Object.assign(new Error('EMFILE'), { code: 'EMFILE' }))
        return nodeDisk.open(at, create)
      },
    }
    const { costs: blind, told } = await open(path, failing)
    blind.add(costOf(2, { feeWei: 7n }))
    expect(updatesOf(blind)).toBe(1)
    await blind.close()
    expect(told.map(({ code }) => code)).toEqual(['COSTS_UNREADABLE'])
    expect((await open(path)).costs.rows()).toEqual(costs.rows())
  })
})

/** A disk that dies, whose files are never cut: the line end says where the table ends. */
const uncut = (disk: TornDisk): CuttableDisk => ({
  open: async (path, create) => ({ ...(await disk.open(path, create)), truncate: async () => {} }),
  rename: (from, to) => disk.rename(from, to),
  syncDirectory: () => disk.syncDirectory(),
})

/** Lets all that a disk in memory has to do be done, or come to its end in a power cut. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('a disk', () => {
  it('that is full is told of once, and the file is whole again after the next change with room', async () => {
    const disk = new TornDisk(new Rng(5n), () => {})
    const { costs, told } = await open('/costs', uncut(disk))
    for (let n = 0; n < 3; n++) {
      disk.due = { mishap: 'ENOSPC', after: 0 }
      costs.add(costOf(n))
      await settled()
    }
    expect(told.map(({ code }) => code)).toEqual(['COSTS_WRITE_FAILED'])
    costs.add(costOf(3))
    await costs.close()
    const later = await open('/costs', uncut(disk))
    expect([updatesOf(later.costs), later.told]).toEqual([4, []])
    disk.due = { mishap: 'ENOSPC', after: 0 }
    later.costs.add(costOf(4))
    await settled()
    await later.costs.close()
    expect(later.told.length).toBe(1)
    expect(updatesOf((await open('/costs', uncut(disk))).costs)).toBe(5)
  })

  // Calls of one replacement: open, write, sync, rename, syncDirectory; the second open is of a file that is not there yet.
  const mishaps: readonly Mishap[] = ['cut-before', 'cut-after']
  it('that dies at any call keeps the old table or the new one, and nothing is counted twice', async () => {
    const fired = new Set<string>()
    for (let round = 0; round < 200; round++) {
      const rng = new Rng(BigInt(round))
      const disk = new TornDisk(rng, (what) => fired.add(what))
      const { costs } = await open('/costs', uncut(disk))
      costs.add(costOf(0))
      await costs.close()
      disk.due = { mishap: mishaps[round % 2]!, after: rng.below(7) }
      for (let n = 1; n <= 2; n++) {
        costs.add(costOf(n))
        await settled()
      }
      disk.restart()
      const later = await open('/costs', uncut(disk))
      expect([round, later.told]).toEqual([round, []])
      const found = updatesOf(later.costs)
      expect([1, 2, 3]).toContain(found)
      // What was told before is told again.
      for (let n = 0; n <= 2; n++) later.costs.add(costOf(n))
      await later.costs.close()
      expect([round, updatesOf((await open('/costs', uncut(disk))).costs)]).toEqual([round, 3])
    }
    for (const call of ['open', 'write', 'sync', 'rename', 'syncDirectory'])
      for (const mishap of mishaps) expect([...fired]).toContain(`${mishap} ${call}`)
  })
})
