// What the slot record and the journals ask of a disk, as an argument: the real one here, one that tears and loses writes in tests.

import { constants, type FileHandle, open, rename } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'

/** What tells a file from a copy of it. `birthNs` is 0 where the file system does not know it. */
export interface FileBirth {
  readonly inode: bigint
  readonly birthNs: bigint
}

/** One open file. Every method rejects with an error that has an errno name as `code` (ENOSPC, EIO…). */
export interface DiskFile {
  size(): Promise<number>
  birth(): Promise<FileBirth>
  /** The bytes from `at`, fewer than `length` only at the end of the file. */
  read(at: number, length: number): Promise<Uint8Array>
  /** Writes all of `bytes` at `at`; on disk only after a sync. */
  write(at: number, bytes: Uint8Array): Promise<void>
  /** fdatasync: what was written survives a power cut. */
  datasync(): Promise<void>
  /** fsync: size and allocation as well. */
  sync(): Promise<void>
  close(): Promise<void>
}

export interface Disk {
  /** Opens for reading and writing; `create` makes it anew and rejects with EEXIST when it is there. */
  open(path: string, create: boolean): Promise<DiskFile>
  rename(from: string, to: string): Promise<void>
  /** Makes the names in a directory durable. */
  syncDirectory(path: string): Promise<void>
}

/** A file that can also be cut. */
export interface CuttableFile extends DiskFile {
  truncate(length: number): Promise<void>
}

/** A disk whose files can be cut. */
export interface CuttableDisk extends Disk {
  open(path: string, create: boolean): Promise<CuttableFile>
}

/** The disk of this machine. */
export const nodeDisk: CuttableDisk = {
  open: async (path, create) => {
    const flags = constants.O_RDWR | (create ? constants.O_CREAT | constants.O_EXCL : 0)
    return diskFile(await open(path, flags, 0o600))
  },
  rename,
  syncDirectory: async (path) => {
    const directory = await open(path, constants.O_RDONLY)
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
  },
}

function diskFile(handle: FileHandle): CuttableFile {
  return {
    size: async () => (await handle.stat()).size,
    birth: async () => {
      const first = await handle.stat({ bigint: true })
      if (first.birthtimeNs !== first.ctimeNs) return { inode: first.ino, birthNs: first.birthtimeNs }
      // Where the file system keeps no birth time it is reported as the ctime, which each write moves: move it and see.
      await setTimeout(30)
      await handle.chmod(0o600)
      const { birthtimeNs } = await handle.stat({ bigint: true })
      return { inode: first.ino, birthNs: birthtimeNs === first.birthtimeNs ? birthtimeNs : 0n }
    },
    read: async (at, length) => {
      const bytes = new Uint8Array(length)
      let end = 0
      while (end < length) {
        const { bytesRead } = await handle.read(bytes, end, length - end, at + end)
        if (bytesRead === 0) break
        end += bytesRead
      }
      return bytes.subarray(0, end)
    },
    write: async (at, bytes) => {
      for (let done = 0; done < bytes.length; ) {
        done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten
      }
    },
    truncate: (length) => handle.truncate(length),
    datasync: () => handle.datasync(),
    sync: () => handle.sync(),
    close: () => handle.close(),
  }
}

/** The errno name of a failed call, `UNKNOWN` where there is none. */
export function errnoOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : 'UNKNOWN'
}
