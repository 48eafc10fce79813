// What the journal asks of a disk, as an argument: the real one here, one that fails or dies half-way in tests.

import { constants, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** One open file. Every method rejects with an error that has an errno name as `code`. */
export interface JournalFile {
  /** All bytes. */
  read(): Promise<Uint8Array>
  /** Writes all of `bytes` at `place`; on disk only after `sync`. */
  write(place: number, bytes: Uint8Array): Promise<void>
  truncate(length: number): Promise<void>
  /** What was written, and the length, survive a power cut. */
  sync(): Promise<void>
  close(): Promise<void>
}

export interface JournalDisk {
  /** Opens for reading and writing, making the file (mode 0600) where there is none. */
  open(path: string): Promise<JournalFile>
  /** Renames over what is there; durable. */
  rename(from: string, to: string): Promise<void>
  /** Makes the names in the folder of `path` durable. */
  syncFolder(path: string): Promise<void>
}

/** The disk of this machine. */
export const journalDisk: JournalDisk = {
  open: async (path) => {
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600)
    return {
      read: async () => {
        const bytes = new Uint8Array((await handle.stat()).size)
        let end = 0
        while (end < bytes.length) {
          const { bytesRead } = await handle.read(bytes, end, bytes.length - end, end)
          if (bytesRead === 0) break
          end += bytesRead
        }
        return bytes.subarray(0, end)
      },
      write: async (place, bytes) => {
        for (let done = 0; done < bytes.length; ) {
          done += (await handle.write(bytes, done, bytes.length - done, place + done)).bytesWritten
        }
      },
      truncate: (length) => handle.truncate(length),
      sync: () => handle.sync(),
      close: () => handle.close(),
    }
  },
  rename: async (from, to) => {
    await rename(from, to)
    await syncFolder(to)
  },
  syncFolder: (path) => syncFolder(path),
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), constants.O_RDONLY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
