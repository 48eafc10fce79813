// The commands for chains in one life of a lineage on a real chain: deploy, look, read, ask, pause, rotate.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CommitteeRegistry__factory } from '../../src/chain/generated/factories/CommitteeRegistry__factory.js'
import { RequestHub__factory } from '../../src/chain/generated/factories/RequestHub__factory.js'
import { createClient } from '../../src/client/create-client.js'
import { toHex } from '../../src/core/bytes.js'
import { statusCodes } from '../../src/core/status.js'
import { memberKey } from '../committee-document.js'
import { openScene, rich, type Scene } from './chain-scene.js'

let scene: Scene
let file: string
/** What deploy printed for config.json. */
let printed: unknown
const registryFace = CommitteeRegistry__factory.createInterface()
const hubFace = RequestHub__factory.createInterface()
const units = 6_400_010_000_000n
const dayS = 86_400

beforeAll(async () => {
  scene = await openScene()
  file = join(scene.folder, 'deployment-31337.json')
}, 60_000)
afterAll(() => scene.close())

const at = (): string[] => ['--deployment', file]
const deployment = () => JSON.parse(readFileSync(file, 'utf8'))
const nonce = async (): Promise<number> =>
  Number(await scene.anvil.ask('eth_getTransactionCount', rich.address, 'latest'))
const blockS = async (): Promise<number> =>
  Number((await scene.anvil.ask<{ timestamp: string }>('eth_getBlockByNumber', 'latest', false)).timestamp)

/** Lets `s` seconds pass on the chain. */
async function pass(s: number): Promise<void> {
  await scene.anvil.ask('evm_increaseTime', s)
  await scene.anvil.mine()
}

/** Keeps attesting until `work` is done, as a committee would. */
async function attesting<T>(work: Promise<T>, value = units): Promise<T> {
  let isDone = false
  const over = work.finally(() => {
    isDone = true
  })
  over.catch(() => undefined)
  while (!isDone) {
    // Block time may run ahead of the wall's when blocks come faster than seconds.
    await scene.attest(value, Math.max(Date.now(), (await blockS()) * 1000))
    await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 300))]).catch(() => undefined)
  }
  return over
}

describe('assay chain', () => {
  it('deploys a lineage with first values, and says what goes into config.json', async () => {
    await scene.attest(units)
    const args = [
      'deploy',
      scene.folder,
      ...scene.key,
      ...scene.sources,
      '--api',
      scene.served.api.url,
      '--facade',
      'btc-usd',
    ]
    const said = await attesting(scene.run([...args, '--pyth', `btc-usd=0x${'e6'.repeat(32)}`]))
    expect(said.code, said.stderr).toBe(0)
    expect(said.json.steps.map(({ step }: { step: string }) => step)).toEqual([
      ...['registry', 'start', 'store', 'hub', 'push:store', 'facade:btc-usd', 'pyth'],
    ])
    expect(said.json.shadow).toMatchObject([{ feed: 'btc-usd', boundPpm: 20_000, ppm: 1 }])
    expect(said.json.config).toMatchObject({
      chain: 'local',
      endpoints: [{ url: scene.anvil.url }],
      stores: [{ address: said.json.deployed.store, kind: 'feeds', feeds: [{ name: 'btc-usd' }] }],
      requests: { hub: said.json.deployed.hub, fromBlock: said.json.steps[0].block },
    })
    printed = said.json.config
    expect(await scene.anvil.ask('eth_getCode', said.json.deployed.facades['btc-usd'], 'latest')).not.toBe('0x')
    expect(said.stderr).toContain('one endpoint is believed')
    expect(said.stderr).toContain('btc-usd reads back as 64000.10000000 USD')
    expect(said.stdout.trim().split('\n')).toHaveLength(1)
  })

  it('deploys nothing a second time', async () => {
    const before = await nonce()
    const said = await scene.run([
      ...['deploy', scene.folder, ...scene.key, '--api', scene.served.api.url, '--facade', 'btc-usd'],
      ...['--pyth', `btc-usd=0x${'e6'.repeat(32)}`],
    ])
    expect(said).toMatchObject({ code: 0, json: { deployed: deployment().deployed } })
    expect(await nonce()).toBe(before)
  })

  it('refuses to go on with a file of another guardian or plan', async () => {
    const other = await scene.run(['deploy', scene.folder, ...scene.key, '--guardian', `0x${'11'.repeat(20)}`])
    expect(other).toMatchObject({ code: 1, error: { code: 'DEPLOYMENT_UNFIT' } })
    expect(other.error!.message).toContain('guardian')
    const args = ['deploy', scene.folder, ...scene.key, '--api', scene.served.api.url, '--facade', 'btc-usd']
    for (const [more, step] of [
      [['--pyth', `btc-usd=0x${'e7'.repeat(32)}`], 'pyth'],
      [['--pyth', `btc-usd=0x${'e6'.repeat(32)}`, '--max-age', '7'], 'facade:btc-usd'],
      [[], 'pyth'],
    ] as const) {
      const plan = await scene.run([...args, ...more])
      expect(plan).toMatchObject({ code: 1, error: { code: 'DEPLOYMENT_UNFIT' } })
      expect(plan.error!.message).toContain(`step ${step} of an earlier run`)
    }
  })

  it('shows the lineage and what contracts can read', async () => {
    const said = await scene.run(['status', ...at(), '--committee', scene.folder])
    expect(said).toMatchObject({
      code: 0,
      json: { ok: true, isCommittee: true, lineage: { generation: 1, paused: false, owner: rich.address } },
    })
    expect(said.json.feeds).toMatchObject([
      { feed: 'btc-usd', value: '64000.10000000 USD', status: 'OK', isStale: false },
    ])
    expect(said.json.endpoints).toMatchObject([{ state: 'counting' }])
  })

  it('takes the endpoints of an oracle’s config.json, in which what deploy printed is valid', async () => {
    const oracle = join(scene.folder, 'oracle-0')
    mkdirSync(oracle)
    const config = {
      ...{
        version: 1,
        committee: '../committee.json',
        member: 'oracle-0',
        keystore: 'keystore.json',
        peerKey: 'peer.pem',
      },
      ...{ state: 'state', source: { kind: 'synthetic' }, chains: [printed] },
    }
    writeFileSync(join(oracle, 'config.json'), JSON.stringify(config))
    const said = await scene.run(['status', ...at(), '--config', oracle], [])
    expect(said.error).toBeNull()
    expect(said).toMatchObject({ code: 0, json: { ok: true } })
    const none = await scene.run(['status', ...at(), '--config', oracle, '--chain', 'base'], [])
    expect(none.error).toMatchObject({ code: 'CHAIN_CONFIG_INVALID' })
  })

  it('shows an oracle’s keys, and what updates cost by feed and day', async () => {
    const { served } = scene
    const cost = { target: `31337/${deployment().deployed.store}`, feed: 'btc-usd', updates: 3, reverted: 0 }
    served.chains.push({
      ...{ chain: 'local', chainId: 31_337, head: null, stoppedBy: null, endpoints: [], stores: [], requests: null },
      senders: [
        {
          ...{ pays: 'pushes', address: rich.address, standing: 'free', balance: 10n ** 18n, queued: 0, underWay: [] },
          ...{ alarms: [], blindBecause: null },
        },
      ],
      costs: [{ ...cost, day: '2026-11-20', gasUsed: 210_000n, feeWei: 3n * 10n ** 14n }],
    })
    const said = await scene.run(['status', ...at(), '--url', served.api.url])
    expect(said.json.served).toMatchObject({
      senders: [{ pays: 'pushes', balanceWei: `${10n ** 18n}` }],
      costs: [{ feed: 'btc-usd', updates: 3, feeWei: '300000000000000' }],
    })
    const text = await scene.look(['status', ...at(), '--url', served.api.url])
    expect(text).toMatch(/│ pushes +│ 0xf39f\S+ │ +1\.000000 │ free/)
    expect(text).toMatch(/│ 2026-11-20 │ 0x\w{40} │ btc-usd │ +3 │ +0 │ 210000 │ 0\.000300 │ +100000\.000 │/)
    expect(text).toContain('state            believed')
  })

  it('reads a feed through store and facade at one block', async () => {
    const facade = deployment().deployed.facades['btc-usd']
    const said = await scene.run(['read', 'btc-usd', ...at(), '--facade', facade])
    expect(said).toMatchObject({
      code: 0,
      json: { ok: true, value: '64000.10000000', units: `${units}`, answer: '64000.10000000', status: 'OK' },
    })
    const old = await scene.run(['read', 'btc-usd', ...at(), '--max-age', '1'])
    expect(old).toMatchObject({ code: 1, json: { ok: false } })
    expect(old.json.reason).toContain('allowed are 1.0 s')
    expect((await scene.run(['read', 'btc-usd', ...at(), '--max-age', '1', '--any'])).code).toBe(0)
    expect((await scene.run(['read', 'eth-usd', ...at()])).error).toMatchObject({ code: 'DEPLOYMENT_UNFIT' })
  })

  it('asks through a contract and waits for the answer', async () => {
    const asking = scene.run(['request', 'btc-usd', ...at(), ...scene.key, '--committee', scene.folder])
    const id = await requestNumber(1)
    await answer(id, 6_512_300_000_000n, statusCodes.OK)
    const said = await asking
    expect(said.error).toBeNull()
    expect(said).toMatchObject({ code: 0, json: { ok: true, value: '65123.00000000', end: 'answered', id } })
    // The bet of the example is settled: it asks no more.
    const again = ['request', 'btc-usd', ...at(), ...scene.key, '--committee', scene.folder]
    const settled = await scene.run([...again, '--requester', said.json.requester])
    expect(settled).toMatchObject({ code: 1, error: { code: 'TRANSACTION_REVERTED' } })
    expect(settled.error!.message).toContain('Settled()')
    expect(settled.error!.message).toContain(`--id ${id} shows it`)
    const shown = await scene.run(['request', 'btc-usd', ...at(), '--committee', scene.folder, '--id', id])
    expect(shown).toMatchObject({ code: 0, json: { value: '65123.00000000', end: 'answered', id } })
  })

  it('tells a refusal apart from an answer, and both from silence', async () => {
    const ask = ['request', 'btc-usd', ...at(), ...scene.key, '--committee', scene.folder]
    const refused = scene.run(ask)
    await answer(await requestNumber(2), 6_512_300_000_000n, statusCodes.DIVERGED)
    expect(await refused).toMatchObject({ code: 1, json: { ok: false, end: 'refused', value: null } })
    expect((await refused).json.reason).toContain('DIVERGED')
    const silence = scene.run(ask)
    await requestNumber(3)
    await pass(700)
    expect(await silence).toMatchObject({ code: 1, json: { ok: false, end: 'expired', value: null } })
  })

  it('says that a value is stale once its validity is over', async () => {
    const read = await scene.run(['read', 'btc-usd', ...at()])
    expect(read).toMatchObject({ code: 1, json: { ok: false } })
    expect(read.json.reason).toContain('it was valid until')
    expect(await scene.run(['status', ...at()])).toMatchObject({ code: 1, json: { ok: false } })
  })

  it('pauses at once and ends a pause slowly', async () => {
    expect(await scene.run(['pause', ...at(), '--end'])).toMatchObject({ code: 0, json: { state: 'none' } })
    const shown = await scene.run(['pause', ...at()])
    expect(shown.json).toMatchObject({
      state: 'unsigned',
      means: 'paused',
      called: { sent: false, to: deployment().deployed.registry },
    })
    expect(await scene.run(['pause', ...at(), ...scene.key])).toMatchObject({ code: 0, json: { state: 'paused' } })
    expect(await scene.run(['status', ...at()])).toMatchObject({ code: 1, json: { lineage: { paused: true } } })
    const end = ['pause', '--end', ...at(), ...scene.key]
    expect(await scene.run(end)).toMatchObject({ json: { state: 'scheduled' } })
    expect(await scene.run(end)).toMatchObject({ json: { state: 'waits', called: null } })
    await pass(2 * dayS + 10)
    expect(await scene.run(end)).toMatchObject({ json: { state: 'ended', called: { sent: true } } })
    expect((await scene.run(['status', ...at()])).json.lineage.paused).toBe(false)
  })

  it('rotates to the next generation, when it is due and not before', async () => {
    const { engine, document } = scene.served
    const next = join(scene.folder, 'next.json')
    const members = document.members.map((member, i) =>
      i === 3 ? { ...member, address: toHex(engine.addressOf(memberKey(engine, 9))) } : member,
    )
    writeFileSync(next, JSON.stringify({ ...document, generation: 3, members }))
    expect((await scene.run(['rotate', next, ...at(), ...scene.key])).error).toMatchObject({ code: 'ROTATION_UNFIT' })
    writeFileSync(next, JSON.stringify({ ...document, generation: 2, members }))
    const turn = ['rotate', next, ...at(), ...scene.key]
    const proposed = await scene.run(turn)
    expect(proposed.json).toMatchObject({ state: 'proposed', change: { go: [document.members[3]!.address] } })
    expect(proposed.json.change.come).toHaveLength(1)
    expect((await scene.run([...turn, '--overlap', '60'])).error).toMatchObject({ code: 'ROTATION_UNFIT' })
    expect((await scene.run(turn)).json).toMatchObject({ state: 'waits', activateFromS: expect.any(Number) })
    expect((await scene.run(['status', ...at()])).json.lineage.scheduled.generation).not.toBeNull()
    expect((await scene.run(['rotate', '--cancel', ...at(), ...scene.key])).json).toMatchObject({ state: 'cancelled' })
    expect((await scene.run(turn)).json).toMatchObject({ state: 'proposed' })
    await pass(2 * dayS + 10)
    expect((await scene.run(turn)).json).toMatchObject({ state: 'active', called: { sent: true } })
    const status = await scene.run(['status', ...at(), '--committee', next])
    expect(status.json).toMatchObject({ isCommittee: true, lineage: { generation: 2 } })
    expect((await scene.run(turn)).json).toMatchObject({ state: 'active', generation: 2 })
  })

  it('names the error of a contract that refuses', async () => {
    const stranger = await scene.keyOf('stranger', '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d')
    const said = await scene.run(['pause', ...at(), ...stranger])
    expect(said).toMatchObject({ code: 1, error: { code: 'TRANSACTION_REVERTED' } })
    expect(said.error!.message).toContain('OnlyGuardian()')
    expect(registryFace.getError('OnlyGuardian')).not.toBeNull()
  })
})

/** The id of the `count`th request to the hub, once it is in a block. */
function requestNumber(count: number): Promise<string> {
  const { hub } = deployment().deployed
  const filter = { address: hub, fromBlock: '0x0', topics: [hubFace.getEvent('Requested').topicHash] }
  return until(async () => {
    const logs = await scene.anvil.ask<{ topics: string[] }[]>('eth_getLogs', filter)
    return logs[count - 1]?.topics[1]
  })
}

/** Answers a request as a member would: with a report that was attested more than 30 s after it, by block time. */
async function answer(id: string, value: bigint, status: number): Promise<void> {
  await pass(35)
  await scene.attest(value, (await blockS()) * 1000, status)
  const client = createClient({ url: scene.served.api.url, committee: { document: scene.served.document } })
  const report = await client.calldata(['btc-usd'], { trailer: true })
  const data = `${hubFace.encodeFunctionData('answer', [id, '0x'])}${toHex(report).slice(2)}`
  const { hub } = deployment().deployed
  await scene.anvil.ask('eth_sendTransaction', { from: rich.address, to: hub, data, gas: '0x2dc6c0' })
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  const deadlineMs = Date.now() + 20_000
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > deadlineMs) throw new Error('it did not come')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
