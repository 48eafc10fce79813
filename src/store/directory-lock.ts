// One process a directory: a Unix socket in it, which dies with its process, so that no stale lock needs a guess.
//
// A process binds a socket under a name of its own, then links it to the name `lock`, which fails if that is taken. A
// socket whose process is gone refuses connections: it is moved away, and only one process can move it. If the one moved
// turns out to be alive, because another process took over in between, it is put back. A holder can ask at any time
// whether the name still leads to its own socket (`isHeld`); the slot record asks before each write, so that a process
// robbed in some race that this does not foresee writes nothing. Machines that share a directory over a network file
// system do not see each other's sockets: one directory belongs on one machine.

import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, linkSync, openSync, renameSync, statSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { OracleError } from '../base/errors.js'
import { errnoOf } from './disk.js'

export interface DirectoryLock {
  /** Whether the directory still is this process's; a look at the file system, some microseconds. */
  isHeld(): boolean
  /** Gives the directory back. */
  release(): Promise<void>
}

/** A socket's path has at most 107 bytes; this leaves room for names. */
const pathBytesMax = 70

/** Takes `directory` for this process; DIRECTORY_IN_USE when another one has it, DIRECTORY_LOCK_FAILED. */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  try {
    return await lock(directory)
  } catch (error) {
    if (error instanceof OracleError) throw error
    const facts = { errno: errnoOf(error) }
    throw new OracleError('DIRECTORY_LOCK_FAILED', 'the directory cannot be locked', {
      path: directory,
      facts,
      cause: error,
    })
  }
}

async function lock(directory: string): Promise<DirectoryLock> {
  // The directory is kept open: a long path is reached through its descriptor, where the system has such names.
  const descriptor = openSync(directory, 'r')
  const short = `/proc/self/fd/${descriptor}`
  const base = Buffer.byteLength(directory) > pathBytesMax && existsSync(short) ? short : directory
  const name = join(base, 'lock')
  const own = join(base, `lock.${randomBytes(6).toString('hex')}`)
  let server: Server | null = null
  try {
    server = await listen(own)
    const { ino } = statSync(own, { bigint: true })
    for (let attempt = 0; ; attempt++) {
      if (isLinked(own, name)) break
      if (attempt === 10 || (await isAlive(name))) throw inUse(directory)
      await removeStale(name, `${own}.stale`, directory)
    }
    unlinkSync(own)
    const held = server
    const isHeld = (): boolean => statSync(name, { bigint: true, throwIfNoEntry: false })?.ino === ino
    return {
      isHeld,
      release: async () => {
        if (isHeld()) unlinkSync(name)
        await new Promise((resolve) => held.close(resolve))
        closeSync(descriptor)
      },
    }
  } catch (error) {
    server?.close()
    closeSync(descriptor)
    throw error
  }
}

function inUse(directory: string): OracleError {
  return new OracleError('DIRECTORY_IN_USE', 'another process uses this directory', { path: directory })
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', reject)
    server.listen(path, () => {
      server.unref()
      resolve(server)
    })
  })
}

function isLinked(own: string, name: string): boolean {
  try {
    linkSync(own, name)
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
}

/** Whether a process listens at `path`. Its kernel answers, so one that is stopped or busy counts as alive. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error) => resolve(!['ECONNREFUSED', 'ENOENT'].includes(errnoOf(error))))
  })
}

async function removeStale(name: string, aside: string, directory: string): Promise<void> {
  try {
    renameSync(name, aside)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return
    throw error
  }
  const isLive = await isAlive(aside)
  if (isLive) isLinked(aside, name)
  unlinkSync(aside)
  if (isLive) throw inUse(directory)
}
