// Files from outside, read only when they are files and only as far as anything valid goes.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import type { ErrorCode } from './error-codes.js'
import { OracleError } from './errors.js'

/** The bytes of a regular file; `code` when it cannot be read, DOCUMENT_TOO_LARGE above `bytesMax`, before memory is taken. */
export function readBounded(path: string, bytesMax: number, code: ErrorCode): Uint8Array {
  let descriptor: number
  try {
    // A pipe would hold the process until somebody writes to it.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (cause) {
    throw new OracleError(code, `cannot read ${path}: ${(cause as NodeJS.ErrnoException).code}`, { path, cause })
  }
  try {
    const status = fstatSync(descriptor)
    if (!status.isFile()) throw new OracleError(code, `cannot read ${path}: it is no file`, { path })
    if (status.size > bytesMax) {
      const facts = { bytes: status.size, bytesMax }
      throw new OracleError('DOCUMENT_TOO_LARGE', `${path} has ${status.size} bytes, at most ${bytesMax} are read`, {
        path,
        facts,
      })
    }
    const bytes = new Uint8Array(status.size)
    let end = 0
    for (let read = 1; read > 0 && end < bytes.length; end += read)
      read = readSync(descriptor, bytes, end, bytes.length - end, end)
    return bytes.subarray(0, end)
  } finally {
    closeSync(descriptor)
  }
}
