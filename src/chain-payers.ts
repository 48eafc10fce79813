// Keys that pay on one chain, each with its journal, as one pool.

import { join } from 'node:path'
import type { Clock } from './base/clock.js'
import { nodeDisk } from './base/disk.js'
import { openJournal } from './chain/journal.js'
import type { RpcQuorum } from './chain/rpc-quorum.js'
import { createSender, type Sender } from './chain/sender.js'
import { createSenderPool, type SenderPool } from './chain/sender-pool.js'
import { createSenderRpc } from './chain/sender-rpc.js'
import type { Job, News, Outcome, SenderRules } from './chain/sender-state.js'
import { createWallet } from './chain/wallet.js'
import type { SpendingConfig } from './chain-config.js'

/** A key that pays, opened. */
export interface PayerKey {
  readonly privateKey: Uint8Array
  /** Lower-case 0x hex. */
  readonly address: string
}

export interface PayersParts {
  readonly keys: readonly PayerKey[]
  readonly spending: SpendingConfig
  readonly quorum: RpcQuorum
  readonly clock: Clock
  /** Where journals lie: one process at a time has it. */
  readonly folder: string
  /** Whether the effect of a job is still missing on the chain. */
  readonly stillWanted: (job: Job) => Promise<boolean>
  readonly onNews: (address: string, news: News) => void
  readonly onFault: (error: unknown) => void
}

/** An attempt that is in no block after so many is replaced; as many are under way as nodes keep for an account. */
const raiseAfterBlocks = 2
const flightsMax = 16
/** How long ends of jobs are remembered; the hourly budget needs an hour. */
const rememberMs = 2 * 3_600_000

/** A pool with its journals open; `close` ends both. */
export interface Payers extends SenderPool {
  /** How jobs of earlier lives ended, as the journals remember it. */
  readonly endings: readonly Outcome[]
}

/** The pool of `keys`; JOURNAL_… where a journal cannot be used. */
export async function openPayers(parts: PayersParts): Promise<Payers> {
  const { keys, quorum, clock, folder, stillWanted, onNews, onFault } = parts
  const { chainId } = quorum.profile
  const senders: Sender[] = []
  const endings: Outcome[] = []
  const journals: { close(): Promise<void> }[] = []
  const closeJournals = async (): Promise<void> => {
    for (const journal of journals) await journal.close()
  }
  try {
    for (const { privateKey, address } of keys) {
      const path = join(folder, `journal-${address}`)
      const journal = await openJournal({ disk: nodeDisk, path, owner: { chainId, address } })
      journals.push(journal)
      for (const entry of journal.entries) if (entry.kind === 'end') endings.push(entry.outcome)
      const wallet = createWallet(privateKey)
      const ports = { rpc: createSenderRpc(quorum), wallet, journal, clock, stillWanted, onFault }
      const rules = rulesOf(quorum, address, parts.spending)
      senders.push(createSender(rules, { ...ports, onNews: (news) => onNews(address, news) }))
    }
  } catch (error) {
    await closeJournals()
    throw error
  }
  const pool = createSenderPool(senders)
  return {
    ...pool,
    endings,
    close: async () => {
      await pool.close()
      await closeJournals()
    },
  }
}

function rulesOf({ profile }: RpcQuorum, address: string, { limits, balanceMinWei }: SpendingConfig): SenderRules {
  const { chainId, confirmations, finalityBlocks } = profile
  const patience = { confirmations, finalityBlocks, raiseAfterBlocks, flightsMax, rememberMs }
  return { chainId, address, balanceMinWei, limits, ...patience }
}
