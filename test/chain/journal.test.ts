// The journal on disk: what was acknowledged is read back whole after any crash, and damage is refused, never guessed at (B29).

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { nodeDisk } from '../../src/base/disk.js'
import { refusalOf } from '../../src/base/errors.js'
import {
  type Journal,
  type JournalDisk,
  type JournalFile,
  type JournalParts,
  openJournal,
} from '../../src/chain/journal.js'
import { entriesOf, restoreSender } from '../../src/chain/sender-restore.js'
import type { JournalEntry, Receipt } from '../../src/chain/sender-state.js'

const folder = mkdtempSync(join(tmpdir(), 'assay-journal-'))
afterAll(() => rmSync(folder, { recursive: true }))
const owner = { chainId: 31_337, address: '0xAbc0000000000000000000000000000000000001' }
let files = 0
const fresh = (): string => join(folder, `journal-${files++}`)

const attempt = (nonce: number, tries = 1, id = `job ${nonce}`): JournalEntry => ({
  kind: 'attempt',
  nonce,
  // An id that looks like a number, data that looks like one: only fees are read as numbers.
  job: { id, to: owner.address, data: `0x${'00'.repeat(nonce)}ab`, gasLimit: 60_000n, priority: nonce },
  attempt: {
    hash: `0x${nonce}${tries}`,
    raw: `0x02${nonce}${tries}`,
    fees: { maxFeePerGas: 2n ** 70n + BigInt(tries), maxPriorityFeePerGas: 1n },
    isFiller: false,
  },
})
const receipt = (nonce: number, tries = 1): Receipt => ({
  hash: `0x${nonce}${tries}`,
  blockNumber: 7,
  blockHash: '0xb7',
  isSuccess: true,
  gasUsed: 50_000n,
  paidWei: 10n ** 17n,
})
const end = (nonce: number, id = `job ${nonce}`): JournalEntry => ({
  kind: 'end',
  outcome: { id, nonce, end: 'done', receipt: receipt(nonce), atMs: 5 },
})
const some: readonly JournalEntry[] = [
  attempt(0, 1, '5'),
  attempt(1),
  attempt(1, 2),
  end(0, '5'),
  { kind: 'final', nonce: 0 },
]

async function open(path: string, own: Partial<JournalParts> = {}): Promise<Journal> {
  return openJournal({ disk: nodeDisk, path, owner, ...own })
}

/** A disk with one file, in memory: thousands of openings would wear the real one. */
function memoryDisk(start: Uint8Array): JournalDisk & { readonly bytes: () => Buffer } {
  let bytes = Buffer.from(start)
  const file: JournalFile = {
    size: async () => bytes.length,
    read: async () => Buffer.from(bytes),
    write: async (place, more) => {
      bytes = Buffer.concat([bytes.subarray(0, place), more, bytes.subarray(place + more.length)])
    },
    truncate: async (length) => {
      bytes = bytes.subarray(0, length)
    },
    sync: async () => {},
    close: async () => {},
  }
  return { open: async () => file, rename: async () => {}, syncDirectory: async () => {}, bytes: () => bytes }
}

async function entriesIn(path: string): Promise<readonly JournalEntry[]> {
  const journal = await open(path)
  await journal.close()
  return journal.entries
}

async function written(entries: readonly JournalEntry[]): Promise<string> {
  const path = fresh()
  const journal = await open(path)
  expect(journal.entries).toEqual([])
  for (const entry of entries) await journal.append(entry)
  await journal.close()
  return path
}

async function codeOf(action: Promise<unknown>): Promise<string> {
  const error = await action.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  return error === null
    ? 'fine'
    : refusalOf(() => {
        throw error
      })!.code
}

describe('a journal', () => {
  it('gives back what was written, in order, and goes on from there', async () => {
    const path = await written(some)
    expect(await entriesIn(path)).toEqual(some)
    const journal = await open(path)
    await Promise.all([journal.append(attempt(2)), journal.append(attempt(3))])
    await journal.close()
    expect(await entriesIn(path)).toEqual([...some, attempt(2), attempt(3)])
  })

  it('is of one key and chain', async () => {
    const path = await written(some)
    expect(await codeOf(open(path, { owner: { ...owner, chainId: 1 } }))).toBe('JOURNAL_FOREIGN')
    expect(await codeOf(open(path, { owner: { ...owner, address: `0x${'1'.repeat(40)}` } }))).toBe('JOURNAL_FOREIGN')
    const journal = await open(path, { owner: { ...owner, address: owner.address.toLowerCase() } })
    await journal.close()
    expect(await codeOf(open(folder))).toBe('JOURNAL_UNREADABLE')
  })

  it('torn at any byte gives back every line before, and is written on from there', async () => {
    const path = await written(some)
    const whole = readFileSync(path)
    const ends = [...whole.keys()].filter((place) => whole[place] === 10).map((place) => place + 1)
    for (let length = 0; length < whole.length; length++) {
      const lines = ends.filter((place) => place <= length).length
      // As cut, and as cut with blocks behind the cut that never reached the disk.
      for (const tail of [0, 600]) {
        const disk = memoryDisk(Buffer.concat([whole.subarray(0, length), Buffer.alloc(tail)]))
        const journal = await open('torn', { disk })
        expect(journal.entries, `${length}`).toEqual(some.slice(0, Math.max(0, lines - 1)))
        await journal.append(attempt(9))
        const again = await open('torn', { disk })
        expect(again.entries, `${length}`).toEqual([...journal.entries, attempt(9)])
      }
    }
  })

  it('with any bit flipped is refused', async () => {
    const path = await written(some)
    const whole = readFileSync(path)
    for (let place = 0; place < whole.length; place++) {
      const flipped = Buffer.from(whole)
      flipped[place]! ^= 1 << (place % 8)
      const disk = memoryDisk(flipped)
      expect(await codeOf(open('flipped', { disk })), `${place}`).toBe('JOURNAL_DAMAGED')
      expect(disk.bytes().equals(flipped)).toBe(true)
    }
  })

  it('with a line lost, moved or repeated is refused', async () => {
    const path = await written(some)
    const lines = readFileSync(path, 'utf8').split(/(?<=\n)/)
    const forms = {
      lost: lines.toSpliced(2, 1),
      repeated: lines.toSpliced(2, 0, lines[2]!),
      moved: [...lines.slice(0, 2), lines[3]!, lines[2]!, ...lines.slice(4)],
      headless: lines.slice(1),
    }
    for (const [name, form] of Object.entries(forms)) {
      writeFileSync(path, form.join(''))
      expect(await codeOf(open(path)), name).toBe('JOURNAL_DAMAGED')
    }
  })

  it('acknowledges nothing that a failing disk did not take, and writes the same place again', async () => {
    const path = fresh()
    const failures: string[] = ['write', 'half', 'sync', 'truncate']
    let due: string | undefined
    const fail = (what: string): void => {
      if (due !== what) return
      due = undefined
      throw Object.assign(new Error(what), { code: 'ENOSPC' })
    }
    const disk: JournalDisk = {
      ...nodeDisk,
      open: async (name, create) => {
        const file = await nodeDisk.open(name, create)
        return {
          ...file,
          write: async (place, bytes) => {
            fail('write')
            if (due === 'half') await file.write(place, bytes.subarray(0, bytes.length >> 1))
            fail('half')
            await file.write(place, bytes)
          },
          sync: async () => {
            fail('sync')
            await file.sync()
          },
          truncate: async (length) => {
            fail('truncate')
            await file.truncate(length)
          },
        }
      },
    }
    const journal = await open(path, { disk })
    await journal.append(attempt(0))
    for (const failure of failures) {
      // What is cut off first is what a failed write left.
      due = failure === 'truncate' ? 'half' : failure
      expect(await codeOf(journal.append(attempt(1, 5)))).toBe('JOURNAL_WRITE_FAILED')
      if (failure === 'truncate') {
        due = failure
        expect(await codeOf(journal.append(attempt(1, 6)))).toBe('JOURNAL_WRITE_FAILED')
      }
      expect(due).toBe(undefined)
    }
    await journal.append(attempt(1))
    await journal.close()
    expect(await entriesIn(path)).toEqual([attempt(0), attempt(1)])
  })

  it('is rewritten whole or not at all', async () => {
    const path = await written(some)
    let isFailing = true
    const disk: JournalDisk = {
      ...nodeDisk,
      rename: async (from, to) => {
        if (isFailing) throw Object.assign(new Error('rename'), { code: 'EIO' })
        await nodeDisk.rename(from, to)
      },
    }
    const journal = await open(path, { disk })
    expect(await codeOf(journal.rewrite([attempt(7)]))).toBe('JOURNAL_WRITE_FAILED')
    await journal.append(attempt(2))
    expect(await entriesIn(path)).toEqual([...some, attempt(2)])
    isFailing = false
    const before = journal.bytes
    await journal.rewrite([attempt(7)])
    expect(journal.bytes).toBeLessThan(before)
    await journal.append(attempt(8))
    await journal.close()
    expect(await entriesIn(path)).toEqual([attempt(7), attempt(8)])
  })
})

describe('a restart', () => {
  const lost: JournalEntry = { kind: 'lost', nonce: 1, job: (attempt(1) as JournalEntry & { kind: 'attempt' }).job }

  it('keeps each nonce with its job, doubts what lost its nonce, and remembers what ended', () => {
    const state = restoreSender([...some, attempt(2), end(2), attempt(3), lost, attempt(4)])
    expect(state.sight).toBe(null)
    expect(state.flights.map(({ nonce, job, isDone, attempts }) => [nonce, job.id, isDone, attempts.length])).toEqual([
      [2, 'job 2', true, 1],
      [3, 'job 3', false, 1],
      [4, 'job 4', false, 1],
    ])
    expect(state.doubted.map(({ id }) => id)).toEqual(['job 1'])
    expect([...state.outcomes.keys()]).toEqual(['5', 'job 2'])
  })

  it('does not doubt a lost job that flies with another nonce or has ended', () => {
    expect(restoreSender([attempt(1), attempt(2, 1, 'job 1'), lost]).doubted).toEqual([])
    expect(restoreSender([attempt(1), lost, attempt(2, 1, 'job 1')]).doubted).toEqual([])
    const outcome = { id: 'job 1', nonce: null, end: 'superseded', receipt: null, atMs: 1 } as const
    expect(restoreSender([attempt(1), lost, { kind: 'end', outcome }]).doubted).toEqual([])
  })

  it('makes the same of the shortest journal as of the whole one', () => {
    const whole = [...some, attempt(2), end(2), attempt(3), lost, attempt(4), attempt(4, 2)]
    for (let length = 0; length <= whole.length; length++) {
      const state = restoreSender(whole.slice(0, length))
      const short = restoreSender(entriesOf(state))
      expect({ ...short, outcomes: new Map([...short.outcomes].sort()) }).toEqual({
        ...state,
        outcomes: new Map([...state.outcomes].sort()),
      })
    }
    expect(entriesOf(restoreSender(whole)).length).toBeLessThan(whole.length)
  })
})
