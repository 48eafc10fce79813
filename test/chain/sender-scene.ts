// A sender on a real node of its own, with a journal on disk and a record of what it told.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeDisk } from '../../src/base/disk.js'
import { type Journal, openJournal } from '../../src/chain/journal.js'
import { createSender, type Sender, type SenderRpc } from '../../src/chain/sender.js'
import type { Alarm, Job, News, SenderRules } from '../../src/chain/sender-state.js'
import { type Anvil, startAnvil } from './anvil.js'
import { countJob, countOf, deployCounter, keys, nodeRpc, rulesOf, walletOf } from './anvil-sender.js'

/** What a test does with its scene. */
export interface Scene {
  readonly anvil: Anvil
  readonly counter: string
  readonly address: string
  readonly rpc: SenderRpc
  readonly news: News[]
  /** A sender for key `index`; each with a journal of its own, which a later one goes on with. */
  open(
    own?: Partial<SenderRules>,
    ports?: Partial<Ports>,
    index?: number,
  ): Promise<Sender & { readonly journal: Journal }>
  /** Sets the base fee of the next block, lets the sender look, and mines it. */
  round(sender: Pick<Sender, 'look' | 'idle'>, baseFee?: bigint): Promise<void>
  job(slot: number, priority?: number): Job
  count(slot: number): Promise<number>
  /** Alarms as told: `+` raised, `-` cleared. */
  alarms(): readonly string[]
  ends(): readonly string[]
  sent(): readonly (News & { readonly kind: 'sent' })[]
}

/** What a test may put in the place of the scene's own. */
export interface Ports {
  readonly rpc: SenderRpc
  readonly stillWanted: (job: Job) => Promise<boolean>
  readonly wallMs: () => number
  /** The journal's. */
  readonly path: string
}

/** Runs `action` on a fresh chain that mines only when told to; everything is gone afterwards. */
export async function withScene(action: (scene: Scene) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-sender-'))
  const anvil = await startAnvil(['--no-mining', '--block-base-fee-per-gas', '1000000000'])
  const open: { readonly sender: Sender; readonly journal: Journal }[] = []
  try {
    const accounts = (await anvil.ask('eth_accounts')) as readonly string[]
    const counter = await deployCounter(anvil.ask, accounts[3]!)
    const news: News[] = []
    const rpc = nodeRpc(anvil.url)
    const scene: Scene = {
      anvil,
      counter,
      address: accounts[0]!,
      rpc,
      news,
      open: async (own = {}, ports = {}, index = 0) => {
        const wallet = walletOf(keys[index]!)
        const rules = rulesOf(wallet.address, own)
        const path = ports.path ?? join(folder, `journal-${index}`)
        const journal = await openJournal({ disk: nodeDisk, path, owner: rules })
        const wallMs = ports.wallMs ?? Date.now
        const sender = createSender(rules, {
          rpc: ports.rpc ?? rpc,
          wallet,
          journal,
          clock: () => ({ wallMs: wallMs(), steadyMs: 0 }),
          stillWanted: ports.stillWanted ?? (async () => true),
          onNews: (one) => void news.push(one),
        })
        open.push({ sender, journal })
        // The getter of the standing must stay one.
        return Object.defineProperty(sender, 'journal', { value: journal }) as Sender & { readonly journal: Journal }
      },
      round: async (sender, baseFee) => {
        await sender.look()
        await sender.idle()
        if (baseFee !== undefined) await anvil.ask('anvil_setNextBlockBaseFeePerGas', `0x${baseFee.toString(16)}`)
        await anvil.mine()
      },
      job: (slot, priority) => countJob(counter, slot, priority),
      count: (slot) => countOf(anvil.ask, counter, slot),
      alarms: () =>
        news.flatMap((one) => (one.kind === 'alarm' ? [`${one.isRaised ? '+' : '-'}${one.code satisfies Alarm}`] : [])),
      ends: () => news.flatMap((one) => (one.kind === 'ended' ? [`${one.outcome.id} ${one.outcome.end}`] : [])),
      sent: () => news.flatMap((one) => (one.kind === 'sent' ? [one] : [])),
    }
    await action(scene)
  } finally {
    for (const { sender, journal } of open) {
      await sender.close()
      await journal.close()
    }
    await anvil.stop()
    rmSync(folder, { recursive: true })
  }
}
