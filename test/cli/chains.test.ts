// The chains of an oracle beside its rounds: what a fault of theirs may stop, and what it may not.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readClock } from '../../src/base/clock.js'
import { type Chains, openChains } from '../../src/chains.js'
import { makePayers } from '../../src/cli/demo-payers.js'
import { initCommittee } from '../../src/cli/init.js'
import { loadConfig } from '../../src/config.js'
import type { AttestedReport } from '../../src/core/report.js'
import { reportKernel } from '../../src/core/report.js'
import { createWasmEngine, type SigningEngine } from '../../src/crypto/engine-wasm.js'
import { readPassphrase } from '../../src/crypto/passphrase.js'
import type { ChainEvent } from '../../src/deliver/chain-event.js'

let engine: SigningEngine
let home: string
let oracle: string
let passphrase: string
let payer: string
const store = `0x${'aa'.repeat(20)}`

beforeAll(async () => {
  engine = await createWasmEngine()
  home = mkdtempSync(join(tmpdir(), 'assay-chains-'))
  await initCommittee(join(home, 'c'), { oracles: 4, feeds: 2, host: '127.0.0.1', port: 7001, light: true })
  oracle = join(home, 'c', 'oracle-1')
  passphrase = (await readPassphrase(join(oracle, 'passphrase'))).text
  payer = (await makePayers(oracle)).pushes
  const fees = { perGasMax: '100000000000', perHourMax: '100000000000000000' }
  const chain = {
    chain: 'local',
    // Nobody listens there.
    endpoints: [{ name: 'nobody', url: 'http://127.0.0.1:9/rpc/SECRETKEY' }],
    senders: [{ keystore: 'sender.json' }],
    fees,
    stores: [{ address: store, kind: 'feeds', stageMs: 4000, feeds: [{ name: 'btc-usd', heartbeatS: 60 }] }],
  }
  const file = join(oracle, 'config.json')
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), chains: [chain] }))
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

async function open(): Promise<{ chains: Chains; events: ChainEvent[]; faults: unknown[] }> {
  const config = loadConfig(engine, oracle)
  const events: ChainEvent[] = []
  const faults: unknown[] = []
  const chains = await openChains({
    config,
    passphrase,
    engine,
    kernel: reportKernel(engine, config.committee),
    clock: readClock,
    askFeed: () => undefined,
    onEvent: (event) => events.push(event),
    onWarning: () => undefined,
    onFault: (error) => faults.push(error),
  })
  return { chains, events, faults }
}

/** Waits until `done`, five seconds at most. */
async function until(done: () => boolean): Promise<void> {
  for (let tries = 0; tries < 250 && !done(); tries++) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(done()).toBe(true)
}

describe('the chains of an oracle', () => {
  it('say why nothing is sent while nobody answers, without the URL, and end', async () => {
    const { chains, events, faults } = await open()
    await until(() => chains.facts()[0]!.stoppedBy !== null)
    const [facts] = chains.facts()
    expect(facts).toMatchObject({ chain: 'local', head: null, stoppedBy: { code: 'CHAIN_NO_QUORUM' } })
    expect(facts!.senders).toMatchObject([{ address: payer, standing: 'blind', pays: 'pushes' }])
    expect(facts!.stores).toMatchObject([{ target: `31337/${store}`, feeds: [{ name: 'btc-usd', storedMs: null }] }])
    await chains.close()
    expect(
      JSON.stringify([events, facts], (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
    ).not.toContain('SECRETKEY')
    expect(faults).toEqual([])
  })

  it('take no round down: a report that delivery cannot read is a fault told apart', async () => {
    const { chains, faults } = await open()
    const broken = { epoch: 0, round: 1, attestedAtMs: 1, values: null, digest: new Uint8Array(32) }
    chains.onReport(broken as unknown as AttestedReport)
    await until(() => faults.length > 0)
    await chains.close()
  })

  it('with a damaged journal send nothing there, and do not stop the oracle', async () => {
    const folder = join(oracle, 'state', 'chains', 'local')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `journal-${payer}`), 'no journal\n')
    const { chains, events } = await open()
    expect(chains.facts()).toMatchObject([{ chain: 'local', stoppedBy: { code: 'JOURNAL_DAMAGED' }, senders: [] }])
    expect(events).toMatchObject([{ event: 'chain', code: 'JOURNAL_DAMAGED' }])
    await chains.close()
  })

  it('refuse to pay with a signing key of the committee', async () => {
    const file = join(oracle, 'config.json')
    const before = readFileSync(file, 'utf8')
    writeFileSync(file, before.replace('sender.json', 'keystore.json'))
    await expect(open()).rejects.toMatchObject({ code: 'CHAIN_CONFIG_INVALID' })
    writeFileSync(file, before)
  })
})
