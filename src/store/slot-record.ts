// The durable record of P9 in a file of its own: what it acknowledges survives crashes, and what it cannot prove it says.
//
// The file is preallocated: two blocks of 4096 bytes, so that neither a full disk nor a crash takes the place of a record.
// A record is written to one block, synced, then to the other, synced, then acknowledged. The block written first is the
// one that is not known to be good, if there is one; so a block is overwritten only while the other is synced and holds at
// least the last acknowledged record. slot-verdict.ts says what follows from that when the file is read back.
// After a failed sync the kernel may have dropped the bytes and yet call the next sync a success: a block whose write or
// sync failed is written anew, never synced again.

import { dirname } from 'node:path'
import { OracleError } from '../base/errors.js'
import { equalBytes } from '../core/bytes.js'
import { type Durable, raise } from '../core/durable.js'
import { compareSlots } from '../core/messages.js'
import { type Disk, type DiskFile, errnoOf, type FileBirth } from './disk.js'
import { blockBytes, decodeBlock, encodeBlock, type SlotBlock, type SlotIdentity } from './slot-block.js'
import { judgeBlocks, type SlotDoubt, type SlotVerdict } from './slot-verdict.js'

/**
 * The open record of one oracle. `sound`: `durable` covers what may be signed. `failed`: the last write failed, nothing is
 * to be signed until a later one succeeds. `unprovable`: nothing is to be signed until `adopt` (P9); `doubt` says why.
 */
export interface SlotRecord {
  /** The last acknowledged record; the lower bound, all zeros at worst, while unprovable. */
  readonly durable: Durable
  readonly standing: 'sound' | 'failed' | 'unprovable' | 'closed'
  readonly doubt: SlotDoubt | null
  /**
   * Resolves with the acknowledged record, which covers `next`, once it is on disk. Requests made during a write share
   * the next one. A record that falls in any part is a programmer's error. Rejects with SLOT_RECORD_WRITE_FAILED,
   * SLOT_RECORD_UNPROVABLE or DIRECTORY_LOCK_LOST.
   */
  persist(next: Durable): Promise<Durable>
  /** Starts a new file at `next`, or at the old lower bound where that is higher; the unprovable file is put aside. */
  adopt(next: Durable): Promise<Durable>
  /** Waits for the write in flight and closes the file. */
  close(): Promise<void>
}

/** What opening takes. `holdsLock` is asked before each write, so that a process that lost its directory writes nothing. */
export interface SlotRecordParts {
  readonly disk: Disk
  readonly path: string
  readonly identity: SlotIdentity
  readonly holdsLock?: () => boolean
}

const nothing: Durable = { wish: 0, floor: { epoch: 0, round: 0 }, floorMs: 0 }

/** Makes the record of a key that has never signed; SLOT_RECORD_EXISTS when there is one, SLOT_RECORD_WRITE_FAILED. */
export async function createSlotRecord({ disk, path, identity }: SlotRecordParts): Promise<void> {
  const file = await create(disk, path, identity, nothing)
  await file.handle.close()
}

/**
 * Opens the record at `path`; a record that proves nothing is opened all the same, as `unprovable`. A record of an earlier
 * generation starts again at slot (0, 0) and keeps its time. Throws SLOT_RECORD_GENERATION for one of a later generation
 * or of another committee of the same one, and SLOT_RECORD_UNREADABLE when the file cannot be opened or read.
 */
export async function openSlotRecord(parts: SlotRecordParts): Promise<SlotRecord> {
  const { disk, path, identity } = parts
  let handle: DiskFile | null = null
  try {
    handle = await disk.open(path, false)
    const birth = await handle.birth()
    const verdict = await readVerdict(handle, identity.address, birth)
    return await opened(parts, { handle, birth }, verdict)
  } catch (error) {
    if (handle === null && errnoOf(error) === 'ENOENT') {
      return slotRecord(parts, { file: null, block: blockOf(identity, 0, nothing), doubt: 'missing', suspect: null })
    }
    await handle?.close().catch(() => {})
    if (error instanceof OracleError) throw error
    // Not a doubt about the record: it may be sound, and this process just cannot get at it (EMFILE, EACCES).
    const facts = { errno: errnoOf(error) }
    throw new OracleError('SLOT_RECORD_UNREADABLE', 'the slot record cannot be read', { path, facts, cause: error })
  }
}

interface OpenFile {
  readonly handle: DiskFile
  readonly birth: FileBirth
}

interface Found {
  readonly file: OpenFile | null
  readonly block: SlotBlock
  readonly doubt: SlotDoubt | null
  /** The block that is not known to hold `block`, if any. */
  readonly suspect: number | null
}

async function readVerdict(handle: DiskFile, address: Uint8Array, birth: FileBirth): Promise<SlotVerdict> {
  if ((await handle.size()) !== 2 * blockBytes) return { doubt: 'truncated', bound: null }
  // A block that the device cannot read is a damaged one; the other may do.
  const read = (i: number) => handle.read(i * blockBytes, blockBytes).catch(() => new Uint8Array(0))
  return judgeBlocks([decodeBlock(await read(0), address, birth), decodeBlock(await read(1), address, birth)])
}

async function opened(parts: SlotRecordParts, file: OpenFile, verdict: SlotVerdict): Promise<SlotRecord> {
  const { identity, path } = parts
  const known = 'doubt' in verdict ? verdict.bound : verdict.newest
  if (known !== null) checkGeneration(known, identity, path)
  const isSame = known !== null && equalBytes(known.salt, identity.salt)
  if ('doubt' in verdict) {
    const block = blockOf(identity, 0, isSame ? known.durable : { ...nothing, floorMs: known?.durable.floorMs ?? 0 })
    return slotRecord(parts, { file, block, doubt: verdict.doubt, suspect: null })
  }
  const { newest, stale } = verdict
  const durable = isSame ? newest.durable : { ...nothing, floorMs: newest.durable.floorMs }
  const suspect = stale ?? (isSame ? null : 0)
  const record = slotRecord(parts, { file, block: blockOf(identity, newest.sequence, durable), doubt: null, suspect })
  // Brought up to date before anything is signed. A failure shows as standing 'failed' and is tried again by persist.
  await record.persist(durable).catch(() => {})
  return record
}

function checkGeneration(known: SlotBlock, identity: SlotIdentity, path: string): void {
  if (equalBytes(known.salt, identity.salt) || identity.generation > known.generation) return
  const facts = { recorded: known.generation, configured: identity.generation }
  const message = `the slot record is of generation ${known.generation} of the committee, not of ${identity.generation}`
  throw new OracleError('SLOT_RECORD_GENERATION', message, { path, facts })
}

function blockOf(identity: SlotIdentity, sequence: number, durable: Durable): SlotBlock {
  return { sequence, salt: identity.salt, generation: identity.generation, durable }
}

async function create(disk: Disk, path: string, identity: SlotIdentity, durable: Durable): Promise<OpenFile> {
  let handle: DiskFile | null = null
  try {
    handle = await disk.open(path, true)
    const birth = await handle.birth()
    const bytes = encodeBlock(blockOf(identity, 1, durable), identity.address, birth)
    // A file of one block is refused as truncated, so a crash on the way leaves nothing that looks like a record.
    await handle.write(0, bytes)
    await handle.sync()
    await handle.write(blockBytes, bytes)
    await handle.sync()
    await disk.syncDirectory(dirname(path))
    return { handle, birth }
  } catch (error) {
    await handle?.close().catch(() => {})
    if (errnoOf(error) === 'EEXIST') {
      throw new OracleError('SLOT_RECORD_EXISTS', 'there is a slot record already', { path, cause: error })
    }
    throw writeFailed(path, error)
  }
}

function writeFailed(path: string, error: unknown): OracleError {
  if (error instanceof OracleError) return error
  const facts = { errno: errnoOf(error) }
  return new OracleError('SLOT_RECORD_WRITE_FAILED', `the slot record cannot be written: ${facts.errno}`, {
    path,
    facts,
    cause: error,
  })
}

function slotRecord(parts: SlotRecordParts, found: Found): SlotRecord {
  const { disk, path, identity } = parts
  let { file, block, doubt, suspect } = found
  let standing: SlotRecord['standing'] = doubt === null ? 'sound' : 'unprovable'
  /** The highest record asked for; what the next write takes to disk. */
  let wanted = block.durable
  let writing: Promise<void> = Promise.resolve()
  let queued: Promise<Durable> | null = null

  const checkLock = (): void => {
    if (parts.holdsLock?.() !== false) return
    throw new OracleError('DIRECTORY_LOCK_LOST', 'another process holds this directory now', { path: dirname(path) })
  }

  const write = async (durable: Durable): Promise<Durable> => {
    try {
      if (standing === 'closed' || file === null) {
        throw new OracleError('SLOT_RECORD_WRITE_FAILED', 'the slot record is closed', { path })
      }
      checkLock()
      const next = blockOf(identity, block.sequence + 1, durable)
      const bytes = encodeBlock(next, identity.address, file.birth)
      const first: number = suspect ?? 0
      suspect = first
      await file.handle.write(first * blockBytes, bytes)
      await file.handle.datasync()
      // From here the first block is the good one; it holds more than was acknowledged, which harms nothing.
      block = { ...next, durable: block.durable }
      suspect = 1 - first
      await file.handle.write(suspect * blockBytes, bytes)
      await file.handle.datasync()
      suspect = null
      block = next
      standing = 'sound'
      return durable
    } catch (error) {
      if (standing === 'sound') standing = 'failed'
      throw writeFailed(path, error)
    }
  }

  /** One write in flight; every request made meanwhile joins the one after it. */
  const enqueue = (): Promise<Durable> => {
    queued ??= writing.then(() => {
      queued = null
      return write(wanted)
    })
    writing = settled(queued)
    return queued
  }

  const checkRise = (next: Durable): void => {
    const risen = raise(wanted, next)
    const rises = compareSlots(risen.floor, next.floor) === 0 && risen.wish === next.wish
    if (!rises || risen.floorMs !== next.floorMs) throw new Error('a slot record must not fall (P9)')
  }

  const isOnDisk = (next: Durable): boolean =>
    standing === 'sound' &&
    suspect === null &&
    next.wish === block.durable.wish &&
    compareSlots(next.floor, block.durable.floor) === 0 &&
    next.floorMs === block.durable.floorMs

  const renew = async (durable: Durable): Promise<Durable> => {
    try {
      checkLock()
      await file?.handle.close()
      if (file !== null || doubt !== 'missing') await disk.rename(path, `${path}.${doubt}`)
      file = null
      doubt = 'missing'
      file = await create(disk, path, identity, durable)
    } catch (error) {
      // Whatever was created is not whole: the next attempt puts it aside.
      const left = await disk.open(path, false).catch(() => null)
      if (left !== null) {
        await left.close().catch(() => {})
        doubt = 'truncated'
      }
      throw writeFailed(path, error)
    }
    block = blockOf(identity, 1, durable)
    wanted = durable
    suspect = null
    doubt = null
    standing = 'sound'
    return durable
  }

  return {
    get durable() {
      return block.durable
    },
    get standing() {
      return standing
    },
    get doubt() {
      return doubt
    },
    persist: async (next) => {
      if (standing === 'unprovable') {
        throw new OracleError('SLOT_RECORD_UNPROVABLE', `the slot record is ${doubt}`, { path })
      }
      checkRise(next)
      wanted = next
      return queued === null && isOnDisk(next) ? block.durable : enqueue()
    },
    adopt: async (next) => {
      const adopted = writing.then(() => {
        if (standing !== 'unprovable') throw new Error('only an unprovable slot record adopts another')
        return renew(raise(block.durable, next))
      })
      writing = settled(adopted)
      return adopted
    },
    close: async () => {
      await writing
      standing = 'closed'
      await file?.handle.close()
    },
  }
}

function settled(promise: Promise<unknown>): Promise<void> {
  return promise.then(
    () => {},
    () => {},
  )
}
