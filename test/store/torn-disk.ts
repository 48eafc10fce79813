// A disk that dies on demand: it loses, tears and reorders what was not synced, refuses calls, and can be tampered with.

import type { Disk, DiskFile } from '../../src/base/disk.js'
import type { Rng } from '../simulation/rng.js'

const sectorBytes = 512

interface TornFile {
  readonly inode: bigint
  durable: Uint8Array
  seen: Uint8Array
  pending: { readonly at: number; readonly bytes: Uint8Array }[]
}

type Names = ReadonlyMap<string, TornFile>

/** Calls that can be made to fail or to be the last one. */
export type DiskCall = 'open' | 'write' | 'sync' | 'rename' | 'syncDirectory'

/** What is to happen at a call: an errno, or a power cut before or after it takes effect. */
export type Mishap = 'ENOSPC' | 'EIO' | 'EMFILE' | 'cut-before' | 'cut-after'

/** One machine's disk. Its names, too, are on disk only after syncDirectory; until then a cut keeps some first part. */
export class TornDisk implements Disk {
  readonly #rng: Rng
  /** The mishap of the `after`-th call from now that it can happen to. */
  due: { readonly mishap: Mishap; after: number } | null = null
  /** Called with what fired: mishaps, and what a cut did to unsynced writes. */
  readonly #count: (what: string) => void
  #isCut = false
  #inodes = 1n
  #names: Names = new Map()
  #durableNames: Names = new Map()
  #pendingNames: Names[] = []

  constructor(rng: Rng, count: (what: string) => void) {
    this.#rng = rng
    this.#count = count
  }

  get isCut(): boolean {
    return this.#isCut
  }

  /** The power comes back: what the system sees is what was on disk. */
  restart(): void {
    this.#isCut = false
    this.due = null
  }

  #call<T>(call: DiskCall, act: () => T): Promise<T> {
    if (this.#isCut) return new Promise(() => {})
    const { due } = this
    const isHere = due !== null && canHappen(due.mishap, call) && due.after-- === 0
    if (!isHere) return attempt(act)
    this.due = null
    this.#count(`${due.mishap} ${call}`)
    if (due.mishap === 'cut-before') return this.#cut()
    if (due.mishap === 'cut-after') {
      // An error of the call itself does not matter any more.
      attempt(act).catch(() => {})
      return this.#cut()
    }
    if (call === 'sync') this.#spill(0.5)
    return Promise.reject(failure(due.mishap))
  }

  #cut<T>(): Promise<T> {
    this.#isCut = true
    this.#spill(1)
    const steps = [this.#durableNames, ...this.#pendingNames]
    this.#durableNames = this.#rng.pick(steps)
    this.#names = this.#durableNames
    this.#pendingNames = []
    return new Promise(() => {})
  }

  /** Each sector of each unsynced write reaches the disk or not; the rest is forgotten, as after a failed sync. */
  #spill(forget: number): void {
    for (const file of new Set([...this.#names.values(), ...this.#durableNames.values()])) {
      for (const { at, bytes } of file.pending) {
        const style = this.#rng.below(3)
        let kept = 0
        const sectors = Math.ceil(bytes.length / sectorBytes)
        for (let i = 0; i < sectors; i++) {
          if (style === 0 || (style === 1 && this.#rng.chance(0.5))) {
            const part = bytes.subarray(i * sectorBytes, (i + 1) * sectorBytes)
            file.durable = overwrite(file.durable, at + i * sectorBytes, part)
            kept++
          }
        }
        this.#count(kept === 0 ? 'lost write' : kept < sectors ? 'torn write' : 'kept write')
      }
      file.pending = []
      if (forget === 1) file.seen = file.durable
    }
  }

  open(path: string, create: boolean): Promise<DiskFile> {
    return this.#call('open', () => {
      const known = this.#names.get(path)
      if (create && known !== undefined) throw failure('EEXIST')
      if (!create && known === undefined) throw failure('ENOENT')
      return this.#handle(known ?? this.#put(path, new Uint8Array(0)))
    })
  }

  rename(from: string, to: string): Promise<void> {
    return this.#call('rename', () => {
      const file = this.#names.get(from)
      if (file === undefined) throw failure('ENOENT')
      const names = new Map(this.#names)
      names.delete(from)
      this.#rename(names.set(to, file))
    })
  }

  syncDirectory(): Promise<void> {
    return this.#call('syncDirectory', () => {
      this.#durableNames = this.#names
      this.#pendingNames = []
    })
  }

  /** What lies on disk under a name; null for none. */
  contents(path: string): Uint8Array | null {
    return this.#names.get(path)?.durable ?? null
  }

  /** Changes the bytes of a file in place, as damage does. */
  tamper(path: string, change: (bytes: Uint8Array) => Uint8Array): void {
    const file = this.#names.get(path)
    if (file === undefined) return
    file.durable = change(Uint8Array.from(file.durable))
    file.seen = file.durable
  }

  /** Puts another file of these bytes at a name, as a restored backup is; null removes the name. */
  replace(path: string, bytes: Uint8Array | null): void {
    if (bytes === null) {
      const names = new Map(this.#names)
      names.delete(path)
      this.#names = names
    } else this.#put(path, Uint8Array.from(bytes)).seen = bytes
    this.#durableNames = this.#names
    this.#pendingNames = []
  }

  #put(path: string, durable: Uint8Array): TornFile {
    const file: TornFile = { inode: this.#inodes++, durable, seen: durable, pending: [] }
    this.#rename(new Map(this.#names).set(path, file))
    return file
  }

  #rename(names: Names): void {
    this.#names = names
    this.#pendingNames.push(names)
  }

  #handle(file: TornFile): DiskFile {
    const sync = (): Promise<void> =>
      this.#call('sync', () => {
        for (const { at, bytes } of file.pending) file.durable = overwrite(file.durable, at, bytes)
        file.pending = []
      })
    return {
      size: () => attempt(() => file.seen.length),
      birth: () => attempt(() => ({ inode: file.inode, birthNs: 77n })),
      read: (at, length) => attempt(() => file.seen.slice(at, at + length)),
      write: (at, bytes) =>
        this.#call('write', () => {
          file.seen = overwrite(file.seen, at, bytes)
          file.pending.push({ at, bytes: Uint8Array.from(bytes) })
        }),
      datasync: sync,
      sync,
      close: () => attempt(() => {}),
    }
  }
}

function canHappen(mishap: Mishap, call: DiskCall): boolean {
  if (mishap === 'EMFILE') return call === 'open'
  if (mishap === 'ENOSPC') return call === 'write' || call === 'open'
  if (mishap === 'EIO') return call === 'write' || call === 'sync'
  return true
}

function attempt<T>(act: () => T): Promise<T> {
  return new Promise((resolve) => resolve(act()))
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code })
}

function overwrite(file: Uint8Array, at: number, bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.max(file.length, at + bytes.length))
  out.set(file)
  out.set(bytes, at)
  return out
}
