// One process a directory: a Unix socket in it, which dies with its process, so that no stale lock needs a guess.
//
// A process binds a socket under a name of its own and links it to `lock.N+1`, N being the highest number there is; a link
// to a taken name fails, so one process gets each number. A socket whose process is gone refuses connections for good, so
// it does this only when that of N refuses. Numbers never fall: the last lock stays when its process lets go, and is swept
// away by the next. A process that looked long ago and links a number already passed sees a higher one afterwards and
// starts again. A holder can ask at any time whether the directory still is its own (`isHeld`); the slot record asks before
// each write. Machines that share a directory over a network do not see each other's sockets: a directory belongs on one.

import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, linkSync, openSync, readdirSync, rmSync, statSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { errnoOf } from '../base/disk.js'
import { OracleError } from '../base/errors.js'

export interface DirectoryLock {
  /** Whether the directory still is this process's; a look at the file system, some microseconds. */
  isHeld(): boolean
  /** Gives the directory back. */
  release(): Promise<void>
}

/** Tells whether a process listens at a socket's path. */
export type Probe = (path: string) => Promise<boolean>

/** A socket's path has at most 107 bytes; this leaves room for names. */
const pathBytesMax = 70

/** Takes `directory` for this process; DIRECTORY_IN_USE when another one has it, DIRECTORY_LOCK_FAILED. */
export async function lockDirectory(directory: string, probe: Probe = isAlive): Promise<DirectoryLock> {
  try {
    return await lock(directory, probe)
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

async function lock(directory: string, probe: Probe): Promise<DirectoryLock> {
  // The directory is kept open: a long path is reached through its descriptor, where the system has such names.
  const descriptor = openSync(directory, 'r')
  const short = `/proc/self/fd/${descriptor}`
  const base = Buffer.byteLength(directory) > pathBytesMax && existsSync(short) ? short : directory
  const own = join(base, `lock-${randomBytes(6).toString('hex')}`)
  let server: Server | null = null
  try {
    server = await listen(own)
    const { ino } = statSync(own, { bigint: true })
    const number = await take(base, own, directory, probe)
    const name = lockName(base, number)
    unlinkSync(own)
    for (const passed of numbersIn(base)) if (passed < number) rmSync(lockName(base, passed), { force: true })
    const held = server
    let isReleased = false
    return {
      isHeld: () =>
        !isReleased &&
        statSync(name, { bigint: true, throwIfNoEntry: false })?.ino === ino &&
        !existsSync(lockName(base, number + 1)),
      release: async () => {
        isReleased = true
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

/** Links the socket `own` to the next number, and returns that. */
async function take(base: string, own: string, directory: string, probe: Probe): Promise<number> {
  for (;;) {
    const last = Math.max(0, ...numbersIn(base))
    if (last > 0 && (await probe(lockName(base, last)))) {
      throw new OracleError('DIRECTORY_IN_USE', 'another process uses this directory', { path: directory })
    }
    const number = last + 1
    if (!isLinked(own, lockName(base, number))) continue
    if (Math.max(...numbersIn(base)) === number) return number
    rmSync(lockName(base, number), { force: true })
  }
}

const lockName = (base: string, number: number): string => join(base, `lock.${number}`)

function numbersIn(base: string): number[] {
  return readdirSync(base).flatMap((name) => (/^lock\.\d{1,15}$/.test(name) ? [Number(name.slice(5))] : []))
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
export function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error) => resolve(!['ECONNREFUSED', 'ENOENT'].includes(errnoOf(error))))
  })
}
