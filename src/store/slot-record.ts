// The durable record of P9 in a file of its own: what it acknowledges survives crashes, and what it cannot prove it says.
//
// The file is preallocated: two blocks of 4096 bytes, so that a full disk does not keep a running oracle from writing. A
// record is written to one block, synced, then to the other, synced, then acknowledged. The block written first is the one
// not known to be good, if there is one; so a block is overwritten only while the other is synced and holds at least the
// last acknowledged record. slot-verdict.ts says what follows from that when the file is read back. After a failed sync the
// kernel may have dropped the bytes and yet call the next sync a success: a block whose write or sync failed is written
// anew, never just synced again.
//
// Each opening moves the record to a new file, and every block names the file it was written into (inode, birth time). So a
// copy is noticed wherever it is put, even over the file in use, unless it was taken since the last start. What no file can
// show, a machine set back with its disk or a second one with the same key, is left to the peers (P9).

import { dirname } from 'node:path'
import { type Disk, type DiskFile, errnoOf, type FileBirth } from '../base/disk.js'
import { OracleError } from '../base/errors.js'
import { equalBytes } from '../core/bytes.js'
import { type Durable, raise } from '../core/durable.js'
import { compareSlots } from '../core/messages.js'
import { blockBytes, decodeBlock, encodeBlock, type SlotBlock, type SlotIdentity } from './slot-block.js'
import { judgeBlocks, type SlotDoubt, type SlotVerdict } from './slot-verdict.js'

/**
 * The open record of one oracle. `sound`: `durable` covers what may be signed. `failed`: the last write failed, nothing is
 * to be signed until a later one succeeds. `unprovable`: nothing is to be signed until `adopt` (P9); `doubt` says why.
 */
export interface SlotRecord {
  /** The last acknowledged record; a lower bound, all zeros at worst, while unprovable. */
  readonly durable: Durable
  readonly standing: 'sound' | 'failed' | 'unprovable' | 'closed'
  readonly doubt: SlotDoubt | null
  /**
   * Resolves with the acknowledged record, which covers `next`, once it is on disk. Requests made during a write share
   * the next one. A record that falls in any part is a programmer's error. Rejects with SLOT_RECORD_WRITE_FAILED,
   * SLOT_RECORD_UNPROVABLE or DIRECTORY_LOCK_LOST.
   */
  persist(next: Durable): Promise<Durable>
  /** Makes an unprovable record sound at `next`, or at its lower bound where that is higher; its old file is put aside. */
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
  try {
    const file = await createFile(disk, path, identity, blockOf(identity, 1, nothing))
    await file.handle.close()
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw writeFailed(path, error)
    throw new OracleError('SLOT_RECORD_EXISTS', 'there is a slot record already', { path, cause: error })
  }
}

/**
 * Opens the record at `path`; a record that proves nothing is opened all the same, as `unprovable`. A record of an earlier
 * generation starts again at slot (0, 0) and keeps its time. Throws SLOT_RECORD_GENERATION for one of a later generation
 * or of another committee of the same one, and SLOT_RECORD_UNREADABLE when the file cannot be opened.
 */
export async function openSlotRecord(parts: SlotRecordParts): Promise<SlotRecord> {
  const { path, identity } = parts
  const verdict = await readVerdict(parts)
  const known = 'doubt' in verdict ? verdict.bound : verdict.newest
  if (known !== null && !equalBytes(known.salt, identity.salt) && identity.generation <= known.generation) {
    const facts = { recorded: known.generation, configured: identity.generation }
    const message = `the slot record is of generation ${facts.recorded} of the committee, not of ${facts.configured}`
    throw new OracleError('SLOT_RECORD_GENERATION', message, { path, facts })
  }
  const isSame = known !== null && equalBytes(known.salt, identity.salt)
  const durable = isSame ? known.durable : { ...nothing, floorMs: known?.durable.floorMs ?? 0 }
  const block = blockOf(identity, known?.sequence ?? 0, durable)
  const record = slotRecord(parts, block, 'doubt' in verdict ? verdict.doubt : null)
  // A failure shows as standing 'failed'; the next persist tries again.
  if (record.standing !== 'unprovable') await record.persist(durable).catch(() => {})
  return record
}

async function readVerdict({ disk, path, identity }: SlotRecordParts): Promise<SlotVerdict> {
  let file: DiskFile | null = null
  try {
    file = await disk.open(path, false)
    const birth = await file.birth()
    if ((await file.size()) !== 2 * blockBytes) return { doubt: 'truncated', bound: null }
    const found = []
    for (const at of [0, blockBytes]) {
      // A block that the device cannot read is a damaged one; the other may do.
      const bytes = await file.read(at, blockBytes).catch(() => new Uint8Array(0))
      found.push(decodeBlock(bytes, identity.address, birth))
    }
    return judgeBlocks(found[0]!, found[1]!)
  } catch (error) {
    if (file === null && errnoOf(error) === 'ENOENT') return { doubt: 'missing', bound: null }
    // Not a doubt about the record: it may be sound, and this process just cannot get at it (EMFILE, EACCES).
    const facts = { errno: errnoOf(error) }
    throw new OracleError('SLOT_RECORD_UNREADABLE', 'the slot record cannot be read', { path, facts, cause: error })
  } finally {
    await file?.close().catch(() => {})
  }
}

interface OpenFile {
  readonly handle: DiskFile
  readonly birth: FileBirth
}

function blockOf(identity: SlotIdentity, sequence: number, durable: Durable): SlotBlock {
  return { sequence, salt: identity.salt, generation: identity.generation, durable }
}

/** A new file at `path` with `block` twice, on disk with its name. A file of one block is refused as truncated. */
async function createFile(disk: Disk, path: string, identity: SlotIdentity, block: SlotBlock): Promise<OpenFile> {
  const handle = await disk.open(path, true)
  try {
    const birth = await handle.birth()
    const bytes = encodeBlock(block, identity.address, birth)
    for (const at of [0, blockBytes]) {
      await handle.write(at, bytes)
      await handle.sync()
    }
    await disk.syncDirectory(dirname(path))
    return { handle, birth }
  } catch (error) {
    await handle.close().catch(() => {})
    throw error
  }
}

/** Moves what a crash left half made out of the way. */
async function putAside(disk: Disk, path: string): Promise<void> {
  try {
    await disk.rename(path, `${path}.old`)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}

/** An operating error under its code; anything else is a programmer's and passes through. */
function writeFailed(path: string, error: unknown): unknown {
  if (error instanceof OracleError || errnoOf(error) === 'UNKNOWN') return error
  const facts = { errno: errnoOf(error) }
  const message = `the slot record cannot be written: ${facts.errno}`
  return new OracleError('SLOT_RECORD_WRITE_FAILED', message, { path, facts, cause: error })
}

function slotRecord(parts: SlotRecordParts, opening: SlotBlock, found: SlotDoubt | null): SlotRecord {
  const { disk, path, identity } = parts
  let block = opening
  let doubt = found
  let standing: SlotRecord['standing'] = doubt === null ? 'failed' : 'unprovable'
  /** This process's own file; null until the record has moved there. */
  let file: OpenFile | null = null
  /** The block that may not hold what it should, 0 or 1. */
  let suspect: number | null = null
  /** The highest record asked for; what the next write takes to disk. */
  let wanted = block.durable
  let writing: Promise<void> = Promise.resolve()
  let queued: Promise<Durable> | null = null

  /** Moves the record to a new file, which takes the old one's name only when it is whole and on disk. */
  const move = async (durable: Durable): Promise<void> => {
    const next = blockOf(identity, block.sequence + 1, durable)
    const fresh = `${path}.next`
    await putAside(disk, fresh)
    const moved = await createFile(disk, fresh, identity, next)
    try {
      // What proves nothing may be another key's, or tell somebody what happened.
      if (doubt !== null && doubt !== 'missing') await disk.rename(path, `${path}.${doubt}`)
      if (doubt !== null) doubt = 'missing'
      await disk.rename(fresh, path)
      await disk.syncDirectory(dirname(path))
    } catch (error) {
      await moved.handle.close().catch(() => {})
      throw error
    }
    file = moved
    block = next
    doubt = null
  }

  const overwrite = async ({ handle, birth }: OpenFile, durable: Durable): Promise<void> => {
    const next = blockOf(identity, block.sequence + 1, durable)
    const bytes = encodeBlock(next, identity.address, birth)
    suspect ??= 0
    await handle.write(suspect * blockBytes, bytes)
    await handle.datasync()
    // From here this block is the good one; it holds more than was acknowledged, which harms nothing.
    block = { ...next, durable: block.durable }
    suspect = 1 - suspect
    await handle.write(suspect * blockBytes, bytes)
    await handle.datasync()
    suspect = null
    block = next
  }

  const write = async (durable: Durable): Promise<Durable> => {
    try {
      if (standing === 'closed')
        throw new OracleError('SLOT_RECORD_WRITE_FAILED', 'the slot record is closed', { path })
      if (parts.holdsLock?.() === false) {
        throw new OracleError('DIRECTORY_LOCK_LOST', 'another process holds this directory now', { path })
      }
      if (file === null) await move(durable)
      else await overwrite(file, durable)
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
    writing = queued.then(
      () => {},
      () => {},
    )
    return queued
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
      if (!isSame(raise(wanted, next), next)) throw new Error('a slot record must not fall (P9)')
      wanted = next
      const isOnDisk = standing === 'sound' && queued === null && isSame(next, block.durable)
      return isOnDisk ? block.durable : enqueue()
    },
    adopt: async (next) => {
      wanted = raise(wanted, next)
      return enqueue()
    },
    close: async () => {
      await writing
      standing = 'closed'
      await file?.handle.close()
      file = null
    },
  }
}

function isSame(a: Durable, b: Durable): boolean {
  return a.wish === b.wish && compareSlots(a.floor, b.floor) === 0 && a.floorMs === b.floorMs
}
