// A sender whose disk is full, and one whose journal has grown long.

import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { nodeDisk } from '../../src/base/disk.js'
import { type Journal, type JournalDisk, openJournal } from '../../src/chain/journal.js'
import { createSender, type Sender } from '../../src/chain/sender.js'
import type { Job, News } from '../../src/chain/sender-state.js'
import { Rng } from '../simulation/rng.js'
import { gwei, rulesOf } from './anvil-sender.js'
import { ModelChain, modelSign } from './model-chain.js'

const folder = mkdtempSync(join(tmpdir(), 'assay-sender-disk-'))
afterAll(() => rmSync(folder, { recursive: true }))

const rules = rulesOf('0x00000000000000000000000000000000000000a1', { confirmations: 2, finalityBlocks: 3 })
const jobOf = (id: string, data: string): Job => ({ id, to: rules.address, data, gasLimit: 21_000n, priority: 0 })

interface Life {
  readonly sender: Sender
  readonly journal: Journal
  readonly chain: ModelChain
  /** Ends and alarms, as told. */
  readonly told: string[]
  /** Looks and mines until `done`, ten blocks at most. */
  until(done: () => boolean): Promise<void>
}

async function live(path: string, chain: ModelChain, disk: JournalDisk): Promise<Life> {
  const journal = await openJournal({ disk, path, owner: rules })
  const told: string[] = []
  const onNews = (news: News): void => {
    if (news.kind === 'ended') told.push(`${news.outcome.id} ${news.outcome.end}`)
    if (news.kind === 'alarm') told.push(`${news.isRaised ? '+' : '-'}${news.code}`)
  }
  const wallet = { sign: async (transaction: Parameters<typeof modelSign>[0]) => modelSign(transaction) }
  const clock = () => ({ wallMs: 0, steadyMs: 0 })
  const ports = { journal, wallet, clock, onNews, rpc: chain.rpc(), stillWanted: async () => true }
  const sender = createSender(rules, ports)
  const until = async (done: () => boolean): Promise<void> => {
    for (let block = 0; block < 10 && !done(); block++) {
      await sender.look()
      await sender.idle()
      chain.mine()
    }
    expect(done()).toBe(true)
  }
  return { sender, journal, chain, told, until }
}

const chainOf = (): ModelChain => {
  const chain = new ModelChain(new Rng(3n))
  chain.baseFee = gwei
  return chain
}

describe('a full disk', () => {
  it('lets nothing leave, hides no end, and is over when there is room', async () => {
    let isFull = false
    const disk: JournalDisk = {
      ...nodeDisk,
      open: async (path, create) => {
        const file = await nodeDisk.open(path, create)
        const write: typeof file.write = async (place, bytes) => {
          if (isFull) throw Object.assign(new Error('no room'), { code: 'ENOSPC' })
          await file.write(place, bytes)
        }
        return { ...file, write }
      },
    }
    const path = join(folder, 'full')
    const { sender, journal, chain, told, until } = await live(path, chainOf(), disk)
    await sender.look()
    await sender.submit(jobOf('a', '0x01'))
    await sender.idle()
    isFull = true
    await until(() => told.includes('a done'))
    expect(told).toEqual(['+JOURNAL_WRITE_FAILED', 'a done'])
    await sender.submit(jobOf('b', '0x02'))
    for (let i = 0; i < 3; i++) {
      await sender.look()
      await sender.idle()
      chain.mine()
    }
    expect([chain.count('0x02'), chain.transactions.length]).toEqual([0, 1])
    isFull = false
    await until(() => told.includes('b done'))
    expect(told.filter((text) => text.endsWith('JOURNAL_WRITE_FAILED'))).toEqual([
      '+JOURNAL_WRITE_FAILED',
      '-JOURNAL_WRITE_FAILED',
    ])
    expect(sender.openJobs()).toEqual([])
    await journal.close()
    // What could not be written is found on the chain again.
    const again = await live(path, chain, nodeDisk)
    await again.until(() => again.told.includes('a done'))
    expect([chain.count('0x01'), chain.count('0x02')]).toEqual([1, 1])
    await again.journal.close()
  })
})

describe('a long journal', () => {
  it('is rewritten short when nonces are final, and still knows what ended and what flies', async () => {
    const path = join(folder, 'long')
    const chain = chainOf()
    const { sender, journal, told, until } = await live(path, chain, nodeDisk)
    await sender.look()
    await sender.submit(jobOf('big', `0x${'ab'.repeat(1_200_000)}`))
    await sender.submit(jobOf('next', '0x02'))
    await sender.idle()
    expect(journal.bytes).toBeGreaterThan(4_800_000)
    await until(() => told.includes('big done') && told.includes('next done'))
    await sender.submit(jobOf('later', '0x03'))
    await until(() => journal.bytes < 10_000)
    expect(statSync(path).size).toBe(journal.bytes)
    await sender.close()
    await journal.close()
    const again = await live(path, chain, nodeDisk)
    for (const id of ['big', 'next', 'later']) expect(again.sender.knows(id), id).toBe(true)
    for (const [id, data] of [
      ['big', '0xab'],
      ['next', '0x02'],
      ['later', '0x03'],
    ] as const) {
      await again.sender.submit(jobOf(id, data))
    }
    await again.until(() => again.told.includes('later done'))
    expect([chain.transactions.length, chain.count('0x02'), chain.count('0x03')]).toEqual([3, 1, 1])
    await again.journal.close()
  })
})
