// Small files that are read whole and replaced whole: after a crash the old bytes are there or the new ones.

import { dirname } from 'node:path'
import { type CuttableDisk, errnoOf } from './disk.js'

/** Opens the file, making it where there is none. Rejects with the disk's error. */
export async function openOrMake<F>(
  disk: { open(path: string, create: boolean): Promise<F> },
  path: string,
): Promise<F> {
  try {
    return await disk.open(path, false)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
    return disk.open(path, true)
  }
}

/** All bytes of the file; null where there is none. Rejects with the disk's error. */
export async function readWhole(disk: CuttableDisk, path: string): Promise<Uint8Array | null> {
  const file = await disk.open(path, false).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return null
    throw error
  })
  if (file === null) return null
  try {
    return await file.read(0, await file.size())
  } finally {
    await file.close()
  }
}

/** Puts `bytes` in the place of what is there, durably. One at a time for a path. Rejects with the disk's error. */
export async function replaceWhole(disk: CuttableDisk, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.new`
  const file = await openOrMake(disk, temporary)
  try {
    await file.truncate(0)
    await file.write(0, bytes)
    await file.sync()
  } finally {
    await file.close()
  }
  await disk.rename(temporary, path)
  await disk.syncDirectory(dirname(path))
}
