// Reads and writes the small files that hold secrets, and says when their permissions are too wide.

import { type FileHandle, open, readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { OracleError } from '../base/errors.js'

const bytesMax = 65_536

/** The text of a secret's file of at most 64 KiB, and whether its group or others may read it; KEY_FILE_UNREADABLE. */
export async function readKeyFile(path: string): Promise<{ readonly text: string; readonly isExposed: boolean }> {
  try {
    const status = await stat(path)
    if (!status.isFile()) throw new Error('it is no file')
    const { size, mode } = status
    if (size > bytesMax) throw new Error(`it has ${size} bytes`)
    return { text: await readFile(path, 'utf8'), isExposed: (mode & 0o077) !== 0 }
  } catch (cause) {
    throw new OracleError('KEY_FILE_UNREADABLE', `a key file cannot be read: ${(cause as Error).message}`, {
      path,
      cause,
    })
  }
}

/** Writes `text` to a new file that only this user may read, synced with its directory; KEY_FILE_EXISTS. */
export async function writeKeyFile(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    const code = cause.code === 'EEXIST' ? 'KEY_FILE_EXISTS' : 'KEY_FILE_UNREADABLE'
    throw new OracleError(code, `a key file cannot be made: ${cause.message}`, { path, cause })
  })
  await written(file, text)
  await written(await open(dirname(path), 'r'), null)
}

async function written(file: FileHandle, text: string | null): Promise<void> {
  try {
    if (text !== null) await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}
