// What makes the demo's oracles bring reports to its chain: keys that pay, and a chain in each config.json.

import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createKeystore } from '../crypto/keystore.js'
import { readPassphrase } from '../crypto/passphrase.js'

/** Addresses of an oracle's two payers, lower-case 0x hex: requests have a budget of their own. */
export interface Payers {
  readonly pushes: string
  readonly requests: string
}

/** How the oracles bring reports to a chain. */
export interface Delivery {
  /** http://127.0.0.1:PORT */
  readonly url: string
  readonly store: string
  readonly hub: string
  /** The block from which requests are looked for. */
  readonly fromBlock: number
  readonly feeds: readonly {
    readonly name: string
    readonly deviationPpm?: number
    readonly heartbeatS?: number
    readonly allowSingleSource: true
  }[]
  /** A member's turn. */
  readonly stageMs: number
}

const files: Payers = { pushes: 'sender.json', requests: 'requests-sender.json' }
/** N of scrypt: a key for an hour opens fast and resists guessing little. */
const lightCost = 4096
const pollMs = 100
/** A block a second, as block times cannot be closer. */
const blockMs = 1000
/** Far above what a private chain asks for; wei. */
const fees = { perGasMax: `${10n ** 11n}`, perHourMax: `${10n ** 18n}` }

/** Makes the keys of one oracle in its folder, opened by its own passphrase and as quickly as its signing key. */
export async function makePayers(folder: string): Promise<Payers> {
  const { text } = await readPassphrase(join(folder, 'passphrase'))
  const make = (file: string): Promise<string> => createKeystore(join(folder, file), randomBytes(32), text, lightCost)
  return { pushes: await make(files.pushes), requests: await make(files.requests) }
}

/** Adds the chain to the config.json of one oracle. */
export function configureChain(folder: string, { url, store, hub, fromBlock, feeds, stageMs }: Delivery): void {
  const path = join(folder, 'config.json')
  const config = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  const pace = { stageMs, landBlocks: 1 }
  const chain = {
    chain: 'local',
    profile: { blockMs },
    endpoints: [{ name: 'anvil', url }],
    pollMs,
    senders: [{ keystore: files.pushes }],
    fees,
    stores: [{ address: store, kind: 'feeds', ...pace, feeds }],
    requests: { hub, fromBlock, senders: [{ keystore: files.requests }], fees, ...pace },
  }
  writeFileSync(path, `${JSON.stringify({ ...config, chains: [chain] }, null, 2)}\n`, { mode: 0o600 })
}
