// Attested reports on disk, by attested time and by slot; a full disk closes the store, never the process.

import { open as openFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { errnoOf } from '../base/disk.js'
import { OracleError } from '../base/errors.js'
import { equalBytes, getU32, getU48, putU32, putU48 } from '../core/bytes.js'
import type { Slot } from '../core/messages.js'
import {
  decodeReport,
  decodeSeals,
  encodeReport,
  encodeSeals,
  isWholeReport,
  type ReportBlob,
  rootOf,
  type SignatureSet,
  valuesOf,
} from './report-blob.js'
import { createReportWriter, type StoreState, type Write } from './report-writer.js'
import { freeBytes, openReservedFile, type ReservedFile, writeZeros } from './reserved-file.js'

/** A report as stored, with the seals that came later (P11). */
export interface StoredReport extends ReportBlob {
  readonly seals: SignatureSet | null
}

/** Which reports, by attested time in ms, both ends included; oldest first unless `reverse`; 1000 unless `limit`. */
export interface Span {
  readonly fromMs?: number
  readonly toMs?: number
  readonly limit?: number
  readonly reverse?: boolean
}

/** One feed's part of one report. */
export interface Entry<T> extends Slot {
  readonly attestedAtMs: number
  readonly value: T
}

/** Reads one feed's part out of packed values, which it must not keep: the bytes are lmdb's own. */
export type ReadValue<T> = (values: Uint8Array) => T

export interface ReportStore {
  readonly state: StoreState
  /** Resolves when the report is on disk; the first report on a slot stays. REPORT_STORE_FULL, _FAILED, _CONTRADICTS. */
  put(report: ReportBlob): Promise<void>
  /** Adds the seals on a slot's report, in place of earlier ones. */
  putSeals(slot: Slot, seals: SignatureSet): Promise<void>
  /** All that follow throw REPORT_STORE_DAMAGED for a report that fails its checksum. */
  bySlot(slot: Slot): StoredReport | null
  latest(): StoredReport | null
  range(span?: Span): StoredReport[]
  /** `read` of each report of a span, without decoding the rest of it. */
  history<T>(span: Span, read: ReadValue<T>): Entry<T>[]
  /** What was known at `attestedByMs`: `read` of the last report attested by then. */
  asOf<T>(attestedByMs: number, read: ReadValue<T>): Entry<T> | null
  /**
   * What was known at `attestedByMs` of the world at `observedByMs`: the last report attested by then whose value `read`
   * finds and was observed by then, among the last `reportsMax` (10,000 unless said).
   */
  asOfObserved<T>(
    times: { readonly attestedByMs: number; readonly observedByMs: number; readonly reportsMax?: number },
    read: ReadValue<{ readonly observedAtMs: number; readonly value: T } | null>,
  ): Entry<T> | null
  /** Removes reports attested before `beforeMs`, and the oldest until at most `bytesMax` bytes are used; how many. */
  prune(limits: { readonly beforeMs?: number; readonly bytesMax?: number }): Promise<number>
  /** Waits for writes under way and closes. */
  close(): Promise<void>
}

export interface ReportStoreParts {
  /** The file; lmdb keeps `path`-lock beside it. The caller holds the directory's lock. */
  readonly path: string
  /** Called when the store closes or opens again: the node stops signing and says why, or resumes. */
  readonly onState: (state: StoreState, code: OracleError['code'] | null) => void
  /** Free bytes to be left on the file system. */
  readonly headroomBytes?: number
  /** Bytes to be reserved at once. */
  readonly growBytes?: number
  /** How often a full store looks for room. */
  readonly recheckMs?: number
}

const reportsKey = 0x74
const slotsKey = 0x73
const sealsKey = 0x78
/** Bytes of lmdb's first pages that are looked at. */
const headBytes = 160
/** More than lmdb's lock file for 126 readers takes. */
const lockFileBytes = 16_384
/** lmdb's first pages and its lock file. */
const firstBytes = 65_536
/** Address space, not memory: lmdb moves its map only beyond it. */
const mapBytes = 2 ** 36
/** Reports removed in one transaction, so that its list of free pages stays short. */
const pruneMax = 64

/** Opens the store or makes it; REPORT_STORE_FULL, REPORT_STORE_FAILED, REPORT_STORE_DAMAGED. */
export async function openReportStore(parts: ReportStoreParts): Promise<ReportStore> {
  const { path, headroomBytes = 16 * 1024 * 1024, growBytes = 4 * 1024 * 1024 } = parts
  let file: ReservedFile | null = null
  let database: RootDatabase<Buffer, Buffer> | null = null
  try {
    const isRoomy = (await freeBytes(dirname(path))) >= headroomBytes + firstBytes
    if (!(isRoomy && (await writeZeros(`${path}-lock`, lockFileBytes))))
      throw new OracleError('REPORT_STORE_FULL', 'the disk has no room for the report store', { path })
    await checkMeta(path)
    database = openDatabase(path)
    // Opened after lmdb has written its first pages: what the file holds by then is never overwritten.
    file = await openReservedFile(path, headroomBytes)
    return reportStore(parts, database, file, growBytes)
  } catch (error) {
    await database?.close()
    await file?.close()
    if (error instanceof OracleError) throw error
    const facts = { errno: errnoOf(error) }
    throw new OracleError('REPORT_STORE_FAILED', 'the report store cannot be opened', { path, facts, cause: error })
  }
}

/**
 * lmdb maps the file and believes it: a file of another kind, or one that ends before its last page, ends the process.
 * Both of its first pages say what it is, and how long: magic at 24, version at 28, page size at 48, last page at 144,
 * transaction at 152.
 */
async function checkMeta(path: string): Promise<void> {
  const handle = await openFile(path, 'a+')
  try {
    const { size } = await handle.stat()
    if (size === 0) return
    const first = Buffer.alloc(headBytes)
    await handle.read(first, 0, headBytes, 0)
    const pageBytes = Math.min(65_536, first.readUInt32LE(48))
    const second = Buffer.alloc(headBytes)
    await handle.read(second, 0, headBytes, pageBytes)
    const metas = [first, second]
    const isOurs = metas.every((meta) => meta.readUInt32LE(24) === 0xbeefc0de && meta.readUInt32LE(28) === 2)
    const newest = metas.reduce((a, b) => (a.readBigUInt64LE(152) >= b.readBigUInt64LE(152) ? a : b))
    if (isOurs && (newest.readBigUInt64LE(144) + 1n) * BigInt(pageBytes) <= BigInt(size)) return
    const message = isOurs ? 'the report store is shorter than it says' : 'the file is no report store'
    throw new OracleError('REPORT_STORE_DAMAGED', message, { path, facts: { size } })
  } finally {
    await handle.close()
  }
}

function openDatabase(path: string): RootDatabase<Buffer, Buffer> {
  return open<Buffer, Buffer>({
    path,
    encoding: 'binary',
    keyEncoding: 'binary',
    noSubdir: true,
    cache: false,
    mapSize: mapBytes,
    // A commit is on disk when its promise resolves; the overlapped one resolves before.
    overlappingSync: false,
    // lmdb's own batching makes promises that nobody can catch.
    eventTurnBatching: false,
  })
}

interface Stats {
  readonly pageSize: number
  readonly lastPageNumber: number
  readonly root: {
    readonly treeBranchPageCount: number
    readonly treeLeafPageCount: number
    readonly overflowPages: number
  }
}

function statsOf(database: RootDatabase<Buffer, Buffer>): Stats {
  return database.getStats() as Stats
}

function reportStore(
  parts: ReportStoreParts,
  database: RootDatabase<Buffer, Buffer>,
  file: ReservedFile,
  growBytes: number,
): ReportStore {
  const { path } = parts
  const pageBytes = statsOf(database).pageSize
  const writer = createReportWriter({
    database,
    file,
    growBytes,
    path,
    onState: parts.onState,
    recheckMs: parts.recheckMs ?? 1000,
    endBytes: () => (statsOf(database).lastPageNumber + 1) * pageBytes,
    pageBytes,
  })

  const wholeAt = (key: Buffer): Uint8Array => {
    const bytes = database.getBinaryFast(key)
    if (bytes !== undefined && isWholeReport(bytes)) return bytes
    const facts = { epoch: getU32(key, 7), round: getU32(key, 11) }
    throw new OracleError('REPORT_STORE_DAMAGED', `the report on ${facts.epoch}/${facts.round} is damaged`, {
      path,
      facts,
    })
  }

  const storedAt = (key: Buffer): StoredReport => {
    const report = decodeReport(wholeAt(key))
    const seals = database.getBinaryFast(slotKey(sealsKey, report))
    return { ...report, seals: seals === undefined ? null : decodeSeals(seals) }
  }

  const keysIn = ({ fromMs = 0, toMs = 2 ** 48 - 1, limit = 1000, reverse = false }: Span): Iterable<Buffer> => {
    const first = reportKey(fromMs, { epoch: 0, round: 0 })
    const last = reportKey(toMs, { epoch: 2 ** 32 - 1, round: 2 ** 32 - 1 })
    // lmdb leaves the end out; one zero more makes it the last key's successor. Backwards it starts there.
    const end = Buffer.concat([last, Buffer.alloc(1)])
    return database.getKeys(
      reverse ? { start: last, end: before(first), reverse, limit } : { start: first, end, limit },
    )
  }

  const keyOf = (slot: Slot): Buffer | null => {
    const time = database.getBinary(slotKey(slotsKey, slot))
    return time === undefined ? null : reportKey(getU48(time, 0), slot)
  }

  const entries = function* <T>(span: Span, read: ReadValue<T>): Generator<Entry<T>> {
    for (const key of keysIn(span)) {
      const value = read(valuesOf(wholeAt(key)))
      yield { epoch: getU32(key, 7), round: getU32(key, 11), attestedAtMs: getU48(key, 1), value }
    }
  }

  const store: ReportStore = {
    get state() {
      return writer.state
    },
    put: (report) => {
      const encoded = encodeReport(report)
      const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length)
      const time = Buffer.alloc(6)
      putU48(time, 0, report.attestedAtMs)
      const check = (): boolean => {
        const held = keyOf(report)
        if (held === null) return true
        const isSame = getU48(held, 1) === report.attestedAtMs && equalBytes(rootOf(wholeAt(held)), report.root)
        if (isSame) return false
        const facts = { epoch: report.epoch, round: report.round }
        throw new OracleError('REPORT_STORE_CONTRADICTS', 'another report is stored on this slot (I-1)', {
          path,
          facts,
        })
      }
      const puts = [
        { key: reportKey(report.attestedAtMs, report), value: bytes },
        { key: slotKey(slotsKey, report), value: time },
      ]
      return writer.write({ check, puts, removes: [] })
    },
    putSeals: (slot, seals) => {
      const puts = [{ key: slotKey(sealsKey, slot), value: Buffer.from(encodeSeals(seals)) }]
      return writer.write({ check: () => true, puts, removes: [] })
    },
    bySlot: (slot) => {
      const key = keyOf(slot)
      return key === null ? null : storedAt(key)
    },
    latest: () => store.range({ reverse: true, limit: 1 })[0] ?? null,
    range: (span = {}) => Array.from(keysIn(span), storedAt),
    history: (span, read) => Array.from(entries(span, read)),
    asOf: (toMs, read) => Array.from(entries({ toMs, reverse: true, limit: 1 }, read))[0] ?? null,
    asOfObserved: ({ attestedByMs, observedByMs, reportsMax = 10_000 }, read) => {
      for (const entry of entries({ toMs: attestedByMs, reverse: true, limit: reportsMax }, read)) {
        const found = entry.value
        if (found !== null && found.observedAtMs <= observedByMs) return { ...entry, value: found.value }
      }
      return null
    },
    prune: async ({ beforeMs = 0, bytesMax = Infinity }) => {
      let removed = 0
      for (;;) {
        const keys = [...keysIn({ limit: pruneMax })]
        const isOver = (): boolean => usedBytes(database) > bytesMax
        const old = keys.filter((key) => getU48(key, 1) < beforeMs)
        // The newest report stays, whatever the bound: it says where the committee is.
        const spare = isOver() ? keys.slice(0, Math.max(1, Math.ceil(keys.length / 8))) : []
        const chosen = (old.length > spare.length ? old : spare).filter((key) => !key.equals(newestKey(keysIn)))
        if (chosen.length === 0) return removed
        await writer.write(removal(chosen))
        removed += chosen.length
      }
    },
    close: async () => {
      await writer.close()
      await database.close()
      await file.close()
    },
  }
  return store
}

function removal(keys: readonly Buffer[]): Write {
  const removes = keys.flatMap((key) => {
    const slot = { epoch: getU32(key, 7), round: getU32(key, 11) }
    return [key, slotKey(slotsKey, slot), slotKey(sealsKey, slot)]
  })
  return { check: () => true, puts: [], removes }
}

function newestKey(keysIn: (span: Span) => Iterable<Buffer>): Buffer {
  for (const key of keysIn({ reverse: true, limit: 1 })) return key
  return Buffer.alloc(0)
}

/** Bytes of all pages in use; freed ones stay in the file and are used again. */
function usedBytes(database: RootDatabase<Buffer, Buffer>): number {
  const { pageSize, root } = statsOf(database)
  return pageSize * (root.treeBranchPageCount + root.treeLeafPageCount + root.overflowPages)
}

function reportKey(attestedAtMs: number, slot: Slot): Buffer {
  const key = Buffer.alloc(15)
  key[0] = reportsKey
  putU48(key, 1, attestedAtMs)
  putU32(key, 7, slot.epoch)
  putU32(key, 11, slot.round)
  return key
}

function slotKey(kind: number, slot: Slot): Buffer {
  const key = Buffer.alloc(9)
  key[0] = kind
  putU32(key, 1, slot.epoch)
  putU32(key, 5, slot.round)
  return key
}

/** A key below `key` and all of its time, for an end that is left out. */
function before(key: Buffer): Buffer {
  return Buffer.from(key.subarray(0, 7))
}
