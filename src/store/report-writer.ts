// Writes to the report store: in order, in batches, never without room reserved, and closed for good by any failure.

import type { RootDatabase } from 'lmdb'
import { OracleError } from '../base/errors.js'
import type { ReservedFile } from './reserved-file.js'

/**
 * `full`: no room; it opens again by itself. `failed`: lmdb reported an error, after which its heap is not to be trusted:
 * this process writes nothing more to it.
 */
export type StoreState = 'open' | 'full' | 'failed' | 'closed'

/** One atomic change. `check` runs right before it and says whether it is still wanted, or throws why it is refused. */
export interface Write {
  readonly check: () => boolean
  readonly puts: readonly { readonly key: Buffer; readonly value: Buffer }[]
  readonly removes: readonly Buffer[]
}

export interface ReportWriter {
  readonly state: StoreState
  /** Resolves when the change is on disk; REPORT_STORE_FULL, REPORT_STORE_FAILED, or what its check threw. */
  write(change: Write): Promise<void>
  close(): Promise<void>
}

export interface ReportWriterParts {
  readonly database: RootDatabase<Buffer, Buffer>
  readonly file: ReservedFile
  readonly growBytes: number
  readonly recheckMs: number
  readonly path: string
  readonly pageBytes: number
  /** Where lmdb's last page ends in the file. */
  readonly endBytes: () => number
  readonly onState: (state: StoreState, code: OracleError['code'] | null) => void
}

interface Waiting {
  readonly change: Write
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Pages that one change may take beside its values: copies of the pages on the paths to its keys, splits, and the list of
 * free pages, each in trees of at most five levels; far more than any test saw.
 */
const sparePages = 64
const batchMax = 32

/** A writer over an open database. */
export function createReportWriter(parts: ReportWriterParts): ReportWriter {
  const { database, file, growBytes, path, pageBytes } = parts
  const queue: Waiting[] = []
  let state: StoreState = 'open'
  let working: Promise<void> | null = null
  let recheck: NodeJS.Timeout | null = null

  const pagesOf = (batch: readonly Waiting[]): number => {
    let pages = 0
    for (const { change } of batch) {
      pages += sparePages
      for (const { value } of change.puts) pages += Math.ceil((value.length + 16) / pageBytes)
    }
    return pages
  }

  const become = (next: StoreState, code: OracleError['code'] | null): void => {
    if (state === next || state === 'closed') return
    state = next
    if (recheck !== null) clearTimeout(recheck)
    recheck = next === 'full' ? setTimeout(() => void look(), parts.recheckMs).unref() : null
    parts.onState(next, code)
  }

  /** A full store looks for room to go on with: a batch of small reports and what it reserves ahead. */
  const look = async (): Promise<void> => {
    const hasRoom = await file.reserve(parts.endBytes() + growBytes, 0).catch(() => false)
    if (state !== 'full') return
    if (hasRoom) become('open', null)
    else recheck = setTimeout(() => void look(), parts.recheckMs).unref()
  }

  const commit = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      await database.batch(() => {
        for (const { change } of batch) {
          for (const { key, value } of change.puts) void database.put(key, value)
          for (const key of change.removes) void database.remove(key)
        }
      })
    } catch (error) {
      // lmdb hands the cause out as a promise of its own, which ends the process when nobody waits for it.
      const { commitError } = error as { commitError?: Promise<never> }
      throw commitError === undefined ? error : await commitError.catch((cause: unknown) => cause)
    }
  }

  const take = (): Waiting[] =>
    queue.splice(0, batchMax).filter(({ change, resolve, reject }) => {
      try {
        if (change.check()) return true
        resolve()
      } catch (error) {
        reject(error)
      }
      return false
    })

  const work = async (): Promise<void> => {
    while (queue.length > 0) {
      // Two changes on one key must meet each other's check, so a batch holds at most one of them.
      const batch = apart(take(), queue)
      if (batch.length === 0) continue
      try {
        const hasRoom = await file.reserve(parts.endBytes() + pagesOf(batch) * pageBytes, growBytes)
        if (!hasRoom) throw new OracleError('REPORT_STORE_FULL', 'the disk has no room for the next report', { path })
        await commit(batch)
        for (const { resolve } of batch) resolve()
      } catch (error) {
        const refusal = error instanceof OracleError ? error : failure(path, error)
        become(refusal.code === 'REPORT_STORE_FULL' ? 'full' : 'failed', refusal.code)
        for (const { reject } of [...batch, ...queue.splice(0)]) reject(refusal)
      }
    }
  }

  const run = (): void => {
    working ??= work().finally(() => {
      working = null
      if (queue.length > 0) run()
    })
  }

  return {
    get state() {
      return state
    },
    write: (change) => {
      if (state === 'full') {
        return Promise.reject(new OracleError('REPORT_STORE_FULL', 'the report store waits for room', { path }))
      }
      if (state !== 'open') {
        return Promise.reject(new OracleError('REPORT_STORE_FAILED', `the report store is ${state}`, { path }))
      }
      return new Promise((resolve, reject) => {
        queue.push({ change, resolve, reject })
        run()
      })
    },
    close: async () => {
      if (recheck !== null) clearTimeout(recheck)
      state = 'closed'
      await working
    },
  }
}

/** The changes up to the first that touches a key touched before; the rest goes back to the front of the queue. */
function apart(batch: Waiting[], queue: Waiting[]): Waiting[] {
  const touched = new Set<string>()
  const end = batch.findIndex(({ change }) => {
    const keys = [...change.puts.map(({ key }) => key), ...change.removes].map((key) => key.toString('hex'))
    const meets = keys.some((key) => touched.has(key))
    for (const key of keys) touched.add(key)
    return meets
  })
  if (end === -1) return batch
  queue.unshift(...batch.slice(end))
  return batch.slice(0, end)
}

function failure(path: string, error: unknown): OracleError {
  const { code } = error as { code?: unknown }
  const facts = { errno: typeof code === 'number' || typeof code === 'string' ? code : 'UNKNOWN' }
  return new OracleError('REPORT_STORE_FAILED', 'a write to the report store failed', { path, facts, cause: error })
}
