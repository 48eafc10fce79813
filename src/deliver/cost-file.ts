// The table of costs in a file: read at the start, replaced after changes, at once or not at all.
//
// One line: a checksum, a space, JSON, a line end. A crash loses at most what was paid since the last write. The sender's
// journal still has it: what is told again from there is booked, and what was booked already is not (see flights.ts).

import { createHash } from 'node:crypto'
import { dirname } from 'node:path'
import { type CuttableDisk, errnoOf } from '../base/disk.js'
import { OracleError } from '../base/errors.js'
import { toJson } from '../base/to-json.js'
import { readWhole, replaceWhole } from '../base/whole-file.js'
import { type Costs, createCosts, type KeptCosts } from './costs.js'

export interface CostFileParts {
  readonly disk: CuttableDisk
  readonly path: string
  /** COSTS_DAMAGED, COSTS_UNREADABLE, COSTS_WRITE_FAILED: none stops anything. The last is told once until a write succeeds. */
  readonly onError: (error: OracleError) => void
}

export interface CostFile extends Costs {
  /** Resolves when all that was counted is on disk, or could not be written. */
  close(): Promise<void>
}

const version = 1
const sumLength = 16
const newline = 10
const empty: KeptCosts = { rows: [], recent: [] }
const bigints = new Set(['gasUsed', 'feeWei'])

/**
 * The costs that `path` holds, none where there is no file. A damaged file is set aside as `path.damaged`; one that cannot be
 * read is left as it is, and nothing is written over it.
 */
export async function openCosts({ disk, path, onError }: CostFileParts): Promise<CostFile> {
  const found = await read(disk, path)
  if (found instanceof OracleError) onError(found)
  const isWritable = !(found instanceof OracleError) || found.code === 'COSTS_DAMAGED'
  const costs = createCosts(undefined, found instanceof OracleError ? empty : found)

  let isChanged = false
  let isFailing = false
  let writing: Promise<void> | null = null
  /** Writes until nothing has changed since; changes during a write go together into the next. */
  const writeAll = async (): Promise<void> => {
    while (isChanged) {
      isChanged = false
      try {
        await replaceWhole(disk, path, toLine(costs.kept()))
        isFailing = false
      } catch (cause) {
        const message = `the costs cannot be written: ${errnoOf(cause)}`
        if (!isFailing) onError(new OracleError('COSTS_WRITE_FAILED', message, { path, cause }))
        isFailing = true
      }
    }
    writing = null
  }
  const changed = (): void => {
    isChanged = isWritable
    // After this turn: one report may end many jobs.
    writing ??= Promise.resolve().then(writeAll)
  }

  return {
    add: (cost) => {
      if (costs.add(cost)) changed()
    },
    remove: (job) => {
      if (costs.remove(job)) changed()
    },
    rows: costs.rows,
    close: async () => {
      // A write that failed is tried once more.
      if (isFailing) changed()
      await writing
    },
  }
}

/** What the file holds, or why that is not known; a damaged one is set aside. */
async function read(disk: CuttableDisk, path: string): Promise<KeptCosts | OracleError> {
  try {
    const bytes = await readWhole(disk, path)
    if (bytes === null) return empty
    const kept = fromLine(bytes)
    if (kept !== null) return kept
    await disk.rename(path, `${path}.damaged`)
    await disk.syncDirectory(dirname(path))
    return new OracleError('COSTS_DAMAGED', `the costs are damaged: kept as ${path}.damaged`, { path })
  } catch (cause) {
    return new OracleError('COSTS_UNREADABLE', `the costs cannot be read: ${errnoOf(cause)}`, { path, cause })
  }
}

function toLine({ rows, recent }: KeptCosts): Uint8Array {
  const text = `{"version":${version},"rows":[${rows.map(textOf).join()}],"recent":[${recent.map(textOf).join()}]}`
  return Buffer.from(`${sumOf(text)} ${text}\n`)
}

/** Rows and transactions are replaced, never changed, and most stay: the text of each is made once. */
function textOf(item: KeptCosts['rows' | 'recent'][number]): string {
  const text = texts.get(item) ?? toJson(item)
  texts.set(item, text)
  return text
}

const texts = new WeakMap<object, string>()

/** What the line says; null when it is not as it was written. */
function fromLine(bytes: Uint8Array): KeptCosts | null {
  const end = bytes.indexOf(newline)
  const line = Buffer.from(bytes.buffer, bytes.byteOffset, Math.max(0, end)).toString('utf8')
  const text = line.slice(sumLength + 1)
  if (end < 0 || line.slice(0, sumLength + 1) !== `${sumOf(text)} `) return null
  const found = JSON.parse(text, (key, value: unknown) => (bigints.has(key) ? BigInt(value as string) : value)) as {
    readonly version: number
  } & KeptCosts
  return found.version === version ? found : null
}

const sumOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, sumLength)
