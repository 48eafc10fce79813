// A disk that keeps, tears, loses and refuses what is written to it, under the production slot record.

import type { Disk, DiskFile } from '../../src/base/disk.js'
import type { Stage } from './stage.js'

/** Where in the writing of a record the process dies (B26). */
export type CrashPoint = 'before-write' | 'after-write' | 'torn' | 'after-sync'

interface SimFile {
  inode: bigint
  /** What survives a power cut, and what the running system sees. */
  synced: Uint8Array
  current: Uint8Array
  /** Writes since the last sync, in order. */
  unsynced: { readonly at: number; readonly bytes: Uint8Array }[]
}

const sectorBytes = 512

/** The disk of one machine; processes come and go on it. */
export class SimDisk {
  readonly #stage: Stage
  files: Map<string, SimFile> = new Map()
  /** Milliseconds that each call takes at most. */
  delayMaxMs = 1
  /** Set while every write or sync fails. */
  fault: 'ENOSPC' | 'EIO' | null = null
  /** The crash that is due, at the `after`-th write or sync from now. */
  crash: { readonly point: CrashPoint; after: number; readonly strike: () => void } | null = null
  #inodes = 1n

  constructor(stage: Stage) {
    this.#stage = stage
  }

  /** The disk as one process sees it: calls of a process that is no more never end. */
  mount(isAlive: () => boolean): Disk {
    const wait = <T>(act: () => T): Promise<T> => this.#wait(isAlive, act)
    return {
      open: (path, create) =>
        wait(() => {
          const known = this.files.get(path)
          if (create && known !== undefined) throw failure('EEXIST')
          if (!create && known === undefined) throw failure('ENOENT')
          if (create && this.fault !== null) throw this.#fail(this.fault)
          const file = known ?? this.#create(path)
          return this.#handle(file, wait)
        }),
      rename: (from, to) =>
        wait(() => {
          const file = this.files.get(from)
          if (file === undefined) throw failure('ENOENT')
          this.files.delete(from)
          this.files.set(to, file)
        }),
      syncDirectory: () => wait(() => {}),
    }
  }

  /** What a power cut leaves: each unsynced write wholly, partly or not at all. */
  cutPower(torn: boolean): void {
    const { rng, fired } = this.#stage
    for (const file of this.files.values()) {
      for (const { at, bytes } of file.unsynced) {
        const kept =
          torn || rng.chance(0.3) ? rng.between(1, bytes.length / sectorBytes - 1) * sectorBytes : bytes.length
        if (!torn && rng.chance(0.3)) continue
        if (kept < bytes.length) fired.count('B29 torn write')
        file.synced = written(file.synced, at, bytes.subarray(0, kept))
      }
      file.unsynced = []
      file.current = file.synced
    }
  }

  /** A copy of every file as it lies on the disk. */
  snapshot(): Map<string, Uint8Array> {
    return new Map([...this.files].map(([path, file]) => [path, file.synced]))
  }

  /** Puts copies back: other files of the same names, as a backup restores them. */
  restore(snapshot: ReadonlyMap<string, Uint8Array>): void {
    this.files = new Map()
    for (const [path, bytes] of snapshot) {
      const file = this.#create(path)
      file.synced = bytes
      file.current = bytes
    }
  }

  /** The whole disk again, as a machine that was cloned while it ran has it. */
  clone(): SimDisk {
    const twin = new SimDisk(this.#stage)
    twin.#inodes = this.#inodes
    for (const [path, { inode, synced, current, unsynced }] of this.files) {
      twin.files.set(path, { inode, synced, current, unsynced: [...unsynced] })
    }
    return twin
  }

  /** Changes the bytes of every file as they lie on the disk. */
  damage(change: (bytes: Uint8Array) => Uint8Array): void {
    for (const file of this.files.values()) {
      file.synced = change(Uint8Array.from(file.synced))
      file.current = file.synced
    }
  }

  #create(path: string): SimFile {
    const file: SimFile = {
      inode: this.#inodes++,
      synced: new Uint8Array(0),
      current: new Uint8Array(0),
      unsynced: [],
    }
    this.files.set(path, file)
    return file
  }

  #handle(file: SimFile, wait: <T>(act: () => T) => Promise<T>): DiskFile {
    const sync = (): Promise<void> =>
      wait(() => {
        this.#strike('after-write')
        // After a failed sync the system may have let go of the bytes and call the next sync a success.
        if (this.fault === 'EIO') {
          file.unsynced = []
          throw this.#fail('EIO')
        }
        file.synced = file.current
        file.unsynced = []
        this.#strike('after-sync')
      })
    return {
      size: () => wait(() => file.current.length),
      birth: () => wait(() => ({ inode: file.inode, birthNs: 1n })),
      read: (at, length) => wait(() => file.current.slice(at, at + length)),
      write: (at, bytes) =>
        wait(() => {
          this.#strike('before-write')
          if (this.fault !== null) throw this.#fail(this.fault)
          file.current = written(file.current, at, bytes)
          file.unsynced.push({ at, bytes })
          this.#strike('torn')
        }),
      datasync: sync,
      sync,
      close: () => wait(() => {}),
    }
  }

  /** Answers a call after its time; `act` runs on the disk just before. A crash on the way leaves it unanswered. */
  #wait<T>(isAlive: () => boolean, act: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#stage.queue.after(this.#stage.rng.below(this.delayMaxMs + 1), () => {
        if (!isAlive()) return
        this.#stage.settle = true
        try {
          const result = act()
          if (isAlive()) resolve(result)
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  #fail(code: 'ENOSPC' | 'EIO'): Error {
    this.#stage.fired.count(`disk ${code}`)
    return failure(code)
  }

  #strike(point: CrashPoint): void {
    const due = this.crash
    if (due === null || due.point !== point || due.after-- > 0) return
    this.crash = null
    this.#stage.fired.count(`B26 crash ${point}`)
    this.cutPower(point === 'torn')
    due.strike()
  }
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code })
}

function written(file: Uint8Array, at: number, bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.max(file.length, at + bytes.length))
  out.set(file)
  out.set(bytes, at)
  return out
}
