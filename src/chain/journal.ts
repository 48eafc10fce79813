// The journal of one key on one chain: what is about to be sent is on disk before it leaves, so no crash sends it twice.
//
// One line an entry: a checksum, a space, JSON. The checksum covers the one before it, so a line that is lost, moved or
// replaced shows. Only the end can be torn by a crash: a line without its end, or with blocks of zeros that never reached the
// disk. Such a line was not acknowledged, nothing followed from it, and it is cut off. Anything else that is not as it was
// written is refused, since a nonce that is forgotten may be given to a second job.

import { createHash } from 'node:crypto'
import { dirname } from 'node:path'
import type { CuttableFile, Disk } from '../base/disk.js'
import { OracleError } from '../base/errors.js'
import { openOrMake } from '../base/whole-file.js'
import type { JournalEntry } from './sender-state.js'

/** The journal, open. */
export interface Journal {
  /** What was found when it was opened, oldest first. */
  readonly entries: readonly JournalEntry[]
  /** Its length in bytes. */
  readonly bytes: number
  /** Resolves when `entry` is on disk; JOURNAL_WRITE_FAILED, after which the same place is written again. */
  append(entry: JournalEntry): Promise<void>
  /** Replaces all that was written by `entries`, at once or not at all; JOURNAL_WRITE_FAILED. */
  rewrite(entries: readonly JournalEntry[]): Promise<void>
  close(): Promise<void>
}

/** Whose transactions a journal holds. */
export interface JournalOwner {
  readonly chainId: number
  /** The key's address, 0x hex. */
  readonly address: string
}

/** What the journal asks of its file. */
export type JournalFile = Pick<CuttableFile, 'size' | 'read' | 'write' | 'truncate' | 'sync' | 'close'>

/** What the journal asks of a disk: nodeDisk, or one that fails or dies half-way in tests. */
export interface JournalDisk extends Pick<Disk, 'rename' | 'syncDirectory'> {
  open(path: string, create: boolean): Promise<JournalFile>
}

/** What opening takes. The caller sees to it that no other process has the journal. */
export interface JournalParts {
  readonly disk: JournalDisk
  readonly path: string
  readonly owner: JournalOwner
}

const version = 1
const sumLength = 16
const newline = 10
/** So many zero bytes in a line are a block that was never written; one flipped bit cannot make them. */
const zerosMin = 16
const bigints = new Set(['gasLimit', 'maxFeePerGas', 'maxPriorityFeePerGas', 'gasUsed', 'paidWei'])

/** Opens or makes a journal; JOURNAL_UNREADABLE, JOURNAL_DAMAGED, JOURNAL_FOREIGN, JOURNAL_WRITE_FAILED. */
export async function openJournal({ disk, path, owner }: JournalParts): Promise<Journal> {
  const header = JSON.stringify({ version, chainId: owner.chainId, address: owner.address.toLowerCase() })
  const failed = (cause: unknown): OracleError =>
    new OracleError('JOURNAL_WRITE_FAILED', 'the journal cannot be written', { path, cause })
  const [opened, bytes] = await readAll(disk, path)
  let file = opened
  const close = async (error: unknown): Promise<never> => {
    await file.close().catch(() => {})
    throw error
  }
  const found = await Promise.resolve()
    .then(() => readLines(bytes, path))
    .catch(close)
  let { end, sum } = found
  let isDirty = end < bytes.length

  const write = async (texts: readonly string[]): Promise<void> => {
    const { lines, last } = encode(texts, sum)
    try {
      if (isDirty) await file.truncate(end)
      isDirty = true
      await file.write(end, lines)
      await file.sync()
      isDirty = false
    } catch (error) {
      throw failed(error)
    }
    end += lines.length
    sum = last
  }
  if (found.lines.length === 0) {
    await write([header]).catch(close)
    await disk.syncDirectory(dirname(path)).catch((error) => close(failed(error)))
  } else if (found.lines[0] !== header) {
    const message = `the journal is that of ${found.lines[0]}, not of ${header}`
    await close(new OracleError('JOURNAL_FOREIGN', message, { path }))
  }

  const rewrite = async (entries: readonly JournalEntry[]): Promise<void> => {
    const { lines, last } = encode([header, ...entries.map(toText)], '')
    const temporary = `${path}.new`
    try {
      const next = await openOrMake(disk, temporary)
      try {
        await next.truncate(0)
        await next.write(0, lines)
        await next.sync()
        await disk.rename(temporary, path)
        await disk.syncDirectory(dirname(path))
      } catch (error) {
        await next.close()
        throw error
      }
      await file.close()
      file = next
    } catch (error) {
      throw failed(error)
    }
    end = lines.length
    sum = last
    isDirty = false
  }

  let queue: Promise<unknown> = Promise.resolve()
  const inTurn = (action: () => Promise<void>): Promise<void> => {
    const turn = queue.then(action)
    queue = turn.catch(() => {})
    return turn
  }
  return {
    entries: found.lines.slice(1).map((text) => fromText(text)),
    get bytes() {
      return end
    },
    append: (entry) => inTurn(() => write([toText(entry)])),
    rewrite: (entries) => inTurn(() => rewrite(entries)),
    close: () => inTurn(() => file.close()),
  }
}

async function readAll(disk: JournalDisk, path: string): Promise<readonly [JournalFile, Uint8Array]> {
  let file: JournalFile | null = null
  try {
    file = await openOrMake(disk, path)
    return [file, await file.read(0, await file.size())]
  } catch (cause) {
    await file?.close().catch(() => {})
    throw new OracleError('JOURNAL_UNREADABLE', 'the journal cannot be read', { path, cause })
  }
}

interface Found {
  readonly lines: readonly string[]
  /** Where the next line goes, and the checksum that it follows. */
  readonly end: number
  readonly sum: string
}

/** The sound lines of `bytes`; JOURNAL_DAMAGED unless what is left can be the torn end of a write. */
function readLines(bytes: Uint8Array, path: string): Found {
  const lines: string[] = []
  let sum = ''
  let start = 0
  while (start < bytes.length) {
    const stop = bytes.indexOf(newline, start)
    const line = bytes.subarray(start, stop === -1 ? bytes.length : stop)
    const text = check(line, sum)
    if (text === null) {
      // A whole line and one byte that is not its end: written once, changed since.
      const isWhole = stop !== -1 || check(line.subarray(0, -1), sum) !== null
      const isLast = stop === -1 || stop === bytes.length - 1
      if (!isLast || (isWhole && !hasZeros(line))) {
        const message = `line ${lines.length + 1} of the journal is not as it was written`
        throw new OracleError('JOURNAL_DAMAGED', message, { path, facts: { line: lines.length + 1, byte: start } })
      }
      return { lines, end: start, sum }
    }
    // Whole but for its end: it was not acknowledged either.
    if (stop === -1) return { lines, end: start, sum }
    lines.push(text)
    sum = sumOf(text, sum)
    start = stop + 1
  }
  return { lines, end: start, sum }
}

/** The JSON of a line that follows `before`, null when its checksum says otherwise. */
function check(line: Uint8Array, before: string): string | null {
  const whole = Buffer.from(line.buffer, line.byteOffset, line.length)
  const text = whole.toString('utf8', sumLength + 1)
  if (whole[sumLength] !== 32 || whole.toString('latin1', 0, sumLength) !== sumOf(text, before)) return null
  return text
}

function hasZeros(line: Uint8Array): boolean {
  let run = 0
  for (const byte of line) {
    run = byte === 0 ? run + 1 : 0
    if (run >= zerosMin) return true
  }
  return false
}

function encode(texts: readonly string[], before: string): { readonly lines: Uint8Array; readonly last: string } {
  let last = before
  const lines = texts.map((text) => {
    last = sumOf(text, last)
    return `${last} ${text}\n`
  })
  return { lines: Buffer.from(lines.join('')), last }
}

const sumOf = (text: string, before: string): string =>
  createHash('sha256').update(`${before} ${text}`).digest('hex').slice(0, sumLength)

const toText = (entry: JournalEntry): string =>
  JSON.stringify(entry, (_key, value) => (typeof value === 'bigint' ? value.toString() : (value as unknown)))

/** Fields are known by name: an id that looks like a number stays an id. */
const fromText = (text: string): JournalEntry =>
  JSON.parse(text, (key, value) => (bigints.has(key) ? BigInt(value as string) : (value as unknown))) as JournalEntry
