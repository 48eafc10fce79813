// The report store: what was put is found again by slot and by both times, and nothing damaged is handed out.

import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { open as openLmdb, type RootDatabase } from 'lmdb'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { OracleError } from '../../src/base/errors.js'
import { openReportStore, type ReportStore } from '../../src/store/report-store.js'
import { createReportWriter } from '../../src/store/report-writer.js'
import { openReservedFile } from '../../src/store/reserved-file.js'
import { Rng } from '../simulation/rng.js'
import { numberIn, reportOf } from './reports.js'

const folder = mkdtempSync(join(tmpdir(), 'assay-store-'))
afterAll(() => rmSync(folder, { recursive: true }))

let number = 0
let path: string
let store: ReportStore
const states: string[] = []

const open = (): Promise<ReportStore> =>
  openReportStore({
    path,
    onState: (state) => states.push(state),
    headroomBytes: 0,
    growBytes: 64 * 1024,
  })

beforeEach(async () => {
  path = join(folder, `reports-${number++}`)
  store = await open()
})
afterEach(() => store.close())

const time = (i: number): number => reportOf(i).attestedAtMs
const numbers = (reports: readonly { values: Uint8Array }[]): number[] => reports.map(({ values }) => numberIn(values))

async function putAll(count: number, bytes?: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, i) => store.put(reportOf(i, bytes))))
}

describe('reports', () => {
  it('come back by slot, as the latest, and in order of attested time, over restarts', async () => {
    expect(store.latest()).toBeNull()
    expect(store.range()).toEqual([])
    // In any order: members catch up.
    for (const i of [3, 0, 4, 1, 2]) await store.put(reportOf(i, 10 + 1000 * i))
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 5; i++)
        expect(store.bySlot(reportOf(i))).toEqual({ ...reportOf(i, 10 + 1000 * i), seals: null })
      expect(store.bySlot({ epoch: 7, round: 1 })).toBeNull()
      expect(numberIn(store.latest()!.values)).toBe(4)
      expect(numbers(store.range())).toEqual([0, 1, 2, 3, 4])
      await store.close()
      store = await open()
    }
  })

  it('come in spans: both ends included, either way, limited', async () => {
    await putAll(120, 50)
    expect(numbers(store.range({ fromMs: time(10), toMs: time(13) }))).toEqual([10, 11, 12, 13])
    expect(numbers(store.range({ fromMs: time(10), toMs: time(13), reverse: true }))).toEqual([13, 12, 11, 10])
    expect(numbers(store.range({ fromMs: time(10) + 1, toMs: time(13) - 1 }))).toEqual([11, 12])
    expect(numbers(store.range({ fromMs: time(10) + 1, toMs: time(13) - 1, reverse: true }))).toEqual([12, 11])
    expect(numbers(store.range({ fromMs: time(118), limit: 5 }))).toEqual([118, 119])
    expect(numbers(store.range({ limit: 2, reverse: true }))).toEqual([119, 118])
    expect(numbers(store.range({ toMs: time(0), reverse: true }))).toEqual([0])
    expect(store.range({ fromMs: time(5), toMs: time(4) })).toEqual([])
    expect(store.range({ fromMs: time(200), reverse: true })).toEqual([])
  })

  it('stay as first put: the same again is nothing new, another on the slot is refused (I-1)', async () => {
    const report = reportOf(1)
    // Behind a write in flight, so that both wait for the next one.
    await Promise.all([store.put(reportOf(0)), store.put(report), store.put({ ...report, signers: [1, 2, 3] })])
    expect(store.bySlot(report)?.signers).toEqual([0, 2, 3])
    for (const other of [{ root: new Uint8Array(32) }, { attestedAtMs: report.attestedAtMs + 1 }]) {
      await expect(store.put({ ...report, ...other })).rejects.toMatchObject({ code: 'REPORT_STORE_CONTRADICTS' })
    }
    expect([store.range().length, store.state]).toEqual([2, 'open'])
    await store.put(reportOf(2))
  })

  it('get their seals later', async () => {
    await store.put(reportOf(1))
    const seals = { signers: [1, 31], signatures: [1, 2].map((fill) => new Uint8Array(64).fill(fill)) }
    await store.putSeals(reportOf(1), seals)
    expect(store.bySlot(reportOf(1))?.seals).toEqual(seals)
    expect(store.latest()?.seals).toEqual(seals)
  })
})

describe('two times', () => {
  // Attested each 100 ms; observed 250 ms before, but report 5 brings an old value again, and 7 none.
  const observedAt = (i: number): number => (i === 5 ? time(0) : time(i) - 250)
  const read = (values: Uint8Array) => {
    const value = numberIn(values)
    return value === 7 ? null : { observedAtMs: observedAt(value), value }
  }

  it('scans one feed over a span', async () => {
    await putAll(10)
    const history = store.history({ fromMs: time(2), toMs: time(4) }, numberIn)
    expect(history).toEqual([2, 3, 4].map((i) => ({ epoch: 0, round: i + 1, attestedAtMs: time(i), value: i })))
  })

  it('answers what was known at a time, and what was known of a time', async () => {
    await putAll(10)
    const known = (attestedByMs: number, observedByMs: number): number | undefined =>
      store.asOfObserved({ attestedByMs, observedByMs }, read)?.value
    expect(store.asOf(time(3) + 99, numberIn)?.value).toBe(3)
    expect(store.asOf(time(0) - 1, numberIn)).toBeNull()
    expect(known(time(4), time(4))).toBe(4)
    expect(known(time(4), observedAt(3))).toBe(3)
    // Known later of the same time: report 5 is the last word on it.
    expect(known(time(6), observedAt(3))).toBe(5)
    expect(known(time(7), time(9))).toBe(6)
    expect(known(time(9), time(9))).toBe(9)
    expect(known(time(4), observedAt(0) - 1)).toBeUndefined()
    const near = { attestedByMs: time(9), observedByMs: observedAt(3), reportsMax: 4 }
    expect(store.asOfObserved(near, read)).toBeNull()
  })
})

describe('retention', () => {
  it('removes what is old, seals and slots with it, and what is too much, but never the newest', async () => {
    await putAll(300, 5000)
    await store.putSeals(reportOf(2), { signers: [1], signatures: [new Uint8Array(64)] })
    expect(await store.prune({ beforeMs: time(100) })).toBe(100)
    expect(numbers(store.range({ limit: 1 }))).toEqual([100])
    expect(store.bySlot(reportOf(2))).toBeNull()
    await store.put(reportOf(2))
    expect(store.bySlot(reportOf(2))?.seals).toBeNull()
    await store.prune({ bytesMax: 500_000 })
    const held = store.range({ limit: 1000 }).length
    expect(held).toBeGreaterThan(40)
    expect(held * 5000).toBeLessThan(500_000)
    await store.prune({ beforeMs: Number.MAX_SAFE_INTEGER, bytesMax: 0 })
    expect(numbers(store.range())).toEqual([299])
  })

  it('uses the room again: the file stops growing', async () => {
    await putAll(100, 20_000)
    let settled = 0
    for (let i = 100; i < 600; i++) {
      await store.put(reportOf(i, 20_000))
      await store.prune({ beforeMs: time(i - 50) })
      if (i === 300) settled = statSync(path).size
    }
    expect(statSync(path).size).toBeLessThan(1.2 * settled)
  })
})

describe('damage', () => {
  it('is found by checksum and said, for the report it hit only', async () => {
    await putAll(5)
    await store.close()
    const bytes = readFileSync(path)
    const at = bytes.indexOf(Buffer.from(reportOf(3).values.subarray(100, 900)))
    expect(at).toBeGreaterThan(0)
    const file = openSync(path, 'r+')
    writeSync(file, Buffer.from([0xff]), 0, 1, at + 200)
    closeSync(file)
    store = await open()
    expect(() => store.bySlot(reportOf(3))).toThrow(OracleError)
    expect(() => store.history({}, numberIn)).toThrow('damaged')
    expect(store.bySlot(reportOf(2))).toEqual({ ...reportOf(2), seals: null })
    expect(numberIn(store.latest()!.values)).toBe(4)
  })

  it('of the file’s length is refused before lmdb reads past its end', async () => {
    await putAll(50)
    await store.close()
    const { size } = statSync(path)
    truncateSync(path, 16_384)
    await expect(open()).rejects.toMatchObject({ code: 'REPORT_STORE_DAMAGED' })
    truncateSync(path, 0)
    store = await open()
    expect(store.latest()).toBeNull()
    expect(size).toBeGreaterThan(100_000)
  })

  it('of its first pages, or another kind of file, is refused before lmdb believes it', async () => {
    await store.close()
    const whole = readFileSync(path)
    for (const bytes of [
      Buffer.alloc(65_536, 7),
      Buffer.alloc(65_536),
      Buffer.from('text'),
      whole.fill(0, 4096, 4200),
    ]) {
      writeFileSync(path, bytes)
      await expect(open()).rejects.toMatchObject({ code: 'REPORT_STORE_DAMAGED' })
    }
    rmSync(path)
    store = await open()
  })
})

describe('the room that is reserved', () => {
  it('is more than lmdb takes, whatever is written and removed', async () => {
    const database = openLmdb<Buffer, Buffer>({
      path: join(folder, 'pages'),
      noSubdir: true,
      encoding: 'binary',
      keyEncoding: 'binary',
      overlappingSync: false,
      eventTurnBatching: false,
    })
    const endBytes = (): number => ((database.getStats() as { lastPageNumber: number }).lastPageNumber + 1) * 4096
    let reserved = 0
    let spareUsed = 0
    let values = 0
    const writer = createReportWriter({
      database,
      file: {
        bytes: 0,
        reserve: async (bytesMin) => {
          reserved = bytesMin
          return true
        },
        close: async () => {},
      },
      growBytes: 0,
      recheckMs: 1,
      path: '',
      pageBytes: 4096,
      endBytes,
      onState: () => {},
    })
    const rng = new Rng(5n)
    const held: Buffer[] = []
    for (let i = 0; i < 300; i++) {
      const before = endBytes()
      values = 0
      const puts = Array.from({ length: rng.between(1, 30) }, () => {
        const key = Buffer.alloc(15, rng.next() & 255)
        key.writeUInt32BE(rng.next(), 1)
        const value = Buffer.alloc(rng.chance(0.5) ? 6 : rng.between(10, 60_000))
        values += Math.ceil((value.length + 16) / 4096) * 4096
        held.push(key)
        return { key, value }
      })
      const removes = rng.chance(0.3) ? held.splice(0, rng.between(1, 192)) : []
      await writer.write({ check: () => true, puts, removes })
      expect(endBytes()).toBeLessThanOrEqual(reserved)
      spareUsed = Math.max(spareUsed, (endBytes() - before - values) / 4096)
    }
    expect(spareUsed).toBeLessThan(40)
    await database.close()
  })
})

describe('head-room', () => {
  it('is kept free: a disk nearly full counts as full, even for room that is taken already', async () => {
    await putAll(1)
    const roomy = await openReservedFile(path, 0)
    expect([roomy.bytes >= 8192, await roomy.reserve(8192, 0)]).toEqual([true, true])
    await roomy.close()
    const tight = await openReservedFile(path, 2 ** 52)
    expect(await tight.reserve(8192, 0)).toBe(false)
    await tight.close()
    const parts = { path: `${path}-other`, onState: () => {}, headroomBytes: 2 ** 52 }
    await expect(openReportStore(parts)).rejects.toMatchObject({ code: 'REPORT_STORE_FULL' })
  })
})

describe('a failed commit', () => {
  it('closes the store for good, and leaves no promise that nobody awaits', async () => {
    const loose: unknown[] = []
    const note = (reason: unknown): void => void loose.push(reason)
    process.on('unhandledRejection', note)
    // lmdb as it fails: an error whose cause is another promise.
    const failing = {
      batch: (act: () => void) => {
        act()
        const commitError = Promise.reject(Object.assign(new Error('I/O'), { code: 5 }))
        return Promise.reject(Object.assign(new Error('Commit failed'), { commitError }))
      },
      put: () => Promise.resolve(true),
    } as unknown as RootDatabase<Buffer, Buffer>
    const said: string[] = []
    const writer = createReportWriter({
      database: failing,
      file: { bytes: 0, reserve: async () => true, close: async () => {} },
      growBytes: 0,
      recheckMs: 1,
      path: 'reports',
      pageBytes: 4096,
      endBytes: () => 0,
      onState: (state, code) => said.push(`${state} ${code}`),
    })
    const change = { check: () => true, puts: [{ key: Buffer.of(1), value: Buffer.of(2) }], removes: [] }
    const results = await Promise.allSettled([writer.write(change), writer.write(change)])
    for (const result of results) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'REPORT_STORE_FAILED', facts: { errno: 5 } } })
    }
    await expect(writer.write(change)).rejects.toMatchObject({ code: 'REPORT_STORE_FAILED' })
    await setTimeout(20)
    expect([writer.state, said, loose]).toEqual(['failed', ['failed REPORT_STORE_FAILED'], []])
    process.off('unhandledRejection', note)
  })
})
