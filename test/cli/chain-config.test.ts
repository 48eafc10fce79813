// The chains of config.json: what is made of them, what is refused and where.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { refusalOf } from '../../src/base/errors.js'
import type { ChainConfig, ChainDocument } from '../../src/chain-config.js'
import { chainKey } from '../../src/cli/chain-key.js'
import { initCommittee } from '../../src/cli/init.js'
import { loadConfig } from '../../src/config.js'
import { createWasmEngine, type SigningEngine } from '../../src/crypto/engine-wasm.js'
import { openKeystore } from '../../src/crypto/keystore.js'
import { readPassphrase } from '../../src/crypto/passphrase.js'

let engine: SigningEngine
let folder: string
let plain: Record<string, unknown>

const store = { address: '0x00000000000000000000000000000000000000AA', kind: 'feeds', stageMs: 8000 } as const
const fees = { perGasMax: '300000000000', perHourMax: '100000000000000000' }
const chain: ChainDocument = {
  chain: 'local',
  endpoints: [
    { name: 'one', url: 'http://127.0.0.1:1/key-of-one' },
    { name: 'two', urlFile: 'two.url' },
    { name: 'three', url: 'https://127.0.0.1:3' },
  ],
  senders: [{ keystore: 'sender-1.json' }, { keystore: 'sender-2.json', passphraseFile: 'sender-2.pass' }],
  fees,
  stores: [{ ...store, feeds: [{ name: 'feed-1', heartbeatS: 60 }] }],
  requests: {
    hub: '0x00000000000000000000000000000000000000BB',
    fromBlock: 7,
    senders: [{ keystore: 'answers.json' }],
    fees,
    stageMs: 8000,
    requesters: [store.address],
  },
}

beforeAll(async () => {
  engine = await createWasmEngine()
  const home = mkdtempSync(join(tmpdir(), 'assay-chain-config-'))
  await initCommittee(join(home, 'c'), { oracles: 4, feeds: 2, host: '127.0.0.1', port: 7001, light: true })
  folder = join(home, 'c', 'oracle-1')
  plain = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))
  writeFileSync(join(folder, 'two.url'), 'http://127.0.0.1:2/key-of-two\n')
}, 60_000)
afterAll(() => rmSync(join(folder, '..', '..'), { recursive: true, force: true }))

function load(chains: unknown): readonly ChainConfig[] {
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...plain, chains }))
  return loadConfig(engine, folder).chains
}

function refused(change: object): { readonly code: string | undefined; readonly path: string | undefined } {
  const error = refusalOf(() => load([{ ...chain, ...change }]))
  return { code: error?.code, path: error?.path }
}

describe('chains of config.json', () => {
  it('are none, or exact: wei as integers, paths absolute, URLs from their files, the rest from the profile', () => {
    expect(loadConfig(engine, folder).chains).toEqual([])
    const [made] = load([chain])
    expect(made).toMatchObject({
      name: 'local',
      quorum: 2,
      pollMs: 333,
      profile: { chainId: 31_337, feeModel: 'ethereum' },
      endpoints: [
        { name: 'one', url: 'http://127.0.0.1:1/key-of-one' },
        { name: 'two', url: 'http://127.0.0.1:2/key-of-two' },
        { name: 'three', url: 'https://127.0.0.1:3' },
      ],
      senders: [
        { keystore: join(folder, 'sender-1.json'), passphraseFile: null },
        { keystore: join(folder, 'sender-2.json'), passphraseFile: join(folder, 'sender-2.pass') },
      ],
      spending: {
        balanceMinWei: 100_000_000_000_000_000n,
        limits: {
          perGasMax: 300_000_000_000n,
          tipMin: 10_000_000n,
          tipMax: 5_000_000_000n,
          perTransactionMax: 100_000_000_000_000_000n,
          perHourMax: 100_000_000_000_000_000n,
        },
      },
      stores: [{ chainId: 31_337, store: store.address.toLowerCase(), blockMs: 1000, landBlocks: 2, stageMs: 8000 }],
      requests: {
        hub: '0x00000000000000000000000000000000000000bb',
        fromBlock: 7,
        requesters: [store.address.toLowerCase()],
        openMax: 1000,
      },
    })
  })

  it.each([
    [{ fees: { ...fees, perHourMax: '1.5' } }, 'CONFIG_INVALID', '/chains/0/fees/perHourMax'],
    [{ fees: { ...fees, tipMin: '9', tipMax: '8' } }, 'CHAIN_CONFIG_INVALID', '/chains/0/fees/tipMin'],
    [{ fees: { ...fees, tipMax: '300000000001' } }, 'CHAIN_CONFIG_INVALID', '/chains/0/fees/tipMax'],
    [
      { fees: { ...fees, perTransactionMax: '100000000000000001' } },
      'CHAIN_CONFIG_INVALID',
      '/chains/0/fees/perHourMax',
    ],
    [{ fees: { ...fees, perTransactionMax: '20' } }, 'CHAIN_CONFIG_INVALID', '/chains/0/fees/perTransactionMax'],
    [{ endpoints: [{ name: 'one' }] }, 'CHAIN_CONFIG_INVALID', '/chains/0/endpoints/0'],
    [{ endpoints: [{ name: 'one', urlFile: 'missing' }] }, 'CONFIG_INVALID', '/chains/0/endpoints/0'],
    [{ endpoints: [{ name: 'one', url: 'ftp://127.0.0.1' }] }, 'CONFIG_INVALID', '/chains/0/endpoints/0/url'],
    [{ profile: { confirmations: 64 } }, 'CHAIN_CONFIG_INVALID', '/chains/0/profile/finalityBlocks'],
    [{ profile: { frozenMs: 5 } }, 'CHAIN_CONFIG_INVALID', '/profile/frozenMs'],
    [{ profile: { feeModel: 'arbitrum' } }, 'CONFIG_INVALID', '/chains/0/profile/feeModel'],
    [{ senders: [] }, 'CONFIG_INVALID', '/chains/0/senders'],
    [{ senders: [{ keystore: 'a.json' }, { keystore: './a.json' }] }, 'CHAIN_CONFIG_INVALID', '/chains'],
    [{ senders: [{ keystore: 'answers.json' }] }, 'CHAIN_CONFIG_INVALID', '/chains'],
    [{ stores: [store, store] }, 'CHAIN_CONFIG_INVALID', '/chains'],
    [{ requests: { ...chain.requests, hub: store.address } }, 'CHAIN_CONFIG_INVALID', '/chains'],
    [{ requests: { ...chain.requests, stageMs: 3999 } }, 'CHAIN_CONFIG_INVALID', '/chains/0/requests/stageMs'],
    [{ stores: [{ ...store, address: '0x12' }] }, 'CONFIG_INVALID', '/chains/0/stores/0/address'],
  ])('%j is refused with %s at %s', (change, code, path) => {
    expect(refused(change)).toEqual({ code, path })
  })

  it('are paid for by keys that `chain key` makes, once', async () => {
    const said: unknown[] = []
    const still = (text: string): string => text
    const talk = { say: still, warn: still, bold: still, good: still, bad: still, dim: still }
    const passphraseFile = join(folder, 'passphrase')
    const make = (): Promise<number> =>
      chainKey(join(folder, 'payer.json'), { passphraseFile }, { ...talk, result: (value) => said.push(value) })
    expect(await make()).toBe(0)
    const { text } = await readPassphrase(passphraseFile)
    const { address } = await openKeystore(join(folder, 'payer.json'), text)
    expect(said).toEqual([{ keystore: join(folder, 'payer.json'), address }])
    await expect(make()).rejects.toMatchObject({ code: 'KEY_FILE_EXISTS' })
  })

  it('have names of their own, since journals lie under them', () => {
    expect(refusalOf(() => load([chain, chain]))?.code).toBe('CHAIN_CONFIG_INVALID')
    const other = { ...chain, name: 'second', senders: [{ keystore: 'b.json' }], requests: undefined }
    // The same chain again would be sent to twice.
    expect(refusalOf(() => load([chain, other]))?.message).toContain('two entries are of chain 31337')
    expect(load([chain, { ...other, profile: { chainId: 5 } }]).map(({ name }) => name)).toEqual(['local', 'second'])
  })
})
