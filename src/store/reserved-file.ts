// Room on disk taken before lmdb needs it, so that lmdb never meets a full disk.
//
// lmdb 3.5.6 does not survive one: after a few commits that end in ENOSPC its heap is corrupt and the process aborts
// (awaiting and catching every error does not help), and its lock file, a mapped hole, raises SIGBUS when the disk is full
// at its first touch. So the file is filled with zeros ahead of lmdb's last page, by writes of our own whose ENOSPC,
// EDQUOT or EFBIG is an ordinary error, and the lock file is written out before lmdb maps it.

import { type FileHandle, open, statfs } from 'node:fs/promises'
import { errnoOf } from '../base/disk.js'

/** A file whose first `bytes` are allocated. */
export interface ReservedFile {
  readonly bytes: number
  /**
   * Makes sure that `bytesMin` are allocated, `ahead` more if there is room, and that `headroomBytes` are free on the
   * file system beyond that, for those that allocate blocks when they are rewritten. False when there is no room.
   * Rejects for errors that more room would not mend.
   */
  reserve(bytesMin: number, ahead: number): Promise<boolean>
  close(): Promise<void>
}

const roomErrors = ['ENOSPC', 'EDQUOT', 'EFBIG']
const zeros = new Uint8Array(1024 * 1024)

/** Opens the file at `path` for reservation. What it holds by now counts as allocated and is never written to. */
export async function openReservedFile(path: string, headroomBytes: number): Promise<ReservedFile> {
  const handle = await open(path, 'r+')
  let bytes = (await handle.stat()).size

  return {
    get bytes() {
      return bytes
    },
    reserve: async (bytesMin, ahead) => {
      const room = (await freeBytes(path)) - headroomBytes
      if (room < 0) return false
      if (bytes >= bytesMin) return true
      if (bytesMin - bytes > room) return false
      const target = Math.min(bytesMin + ahead, bytes + room)
      bytes = await fill(handle, bytes, target)
      return bytes >= bytesMin
    },
    close: () => handle.close(),
  }
}

/** Bytes free to this user on the file system of `path`. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path)
  return bavail * bsize
}

/** Writes zeros from `start` and returns how far it came: to `end`, or to where the room ended. */
async function fill(handle: FileHandle, start: number, end: number): Promise<number> {
  let at = start
  try {
    while (at < end) at += (await handle.write(zeros, 0, Math.min(zeros.length, end - at), at)).bytesWritten
  } catch (error) {
    if (!roomErrors.includes(errnoOf(error))) throw error
  }
  // Blocks given lazily are asked for here, not when lmdb relies on them.
  await handle.datasync().catch((error: unknown) => {
    if (!roomErrors.includes(errnoOf(error))) throw error
    at = start
  })
  return at
}

/** Writes a file of zeros over whatever `path` holds: lmdb's lock file, while no process has it open. */
export async function writeZeros(path: string, length: number): Promise<boolean> {
  const handle = await open(path, 'w', 0o600)
  try {
    return (await fill(handle, 0, length)) === length
  } finally {
    await handle.close()
  }
}
