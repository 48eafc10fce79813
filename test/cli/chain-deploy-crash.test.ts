// A deployment that ends at every point where it keeps its state, before and after the write: taken up, it pays nothing twice.

import { setTimeout as sleep } from 'node:timers/promises'
import { id as hashOf } from 'ethers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readClock } from '../../src/base/clock.js'
import { chainProfile } from '../../src/chain/chain-profile.js'
import { type Deployed, type DeployPlan, type DeployState, deployLineage, meaningOf } from '../../src/chain/deploy.js'
import { facadeData } from '../../src/chain/init-code.js'
import { createRpcQuorum, type RpcQuorum } from '../../src/chain/rpc-quorum.js'
import type { OnceSender } from '../../src/chain/send-once.js'
import { createWallet } from '../../src/chain/wallet.js'
import { fromHex } from '../../src/core/bytes.js'
import { type Committee, parseCommittee } from '../../src/core/committee.js'
import { kindOf } from '../../src/core/leaf.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { type Anvil, startAnvil } from '../chain/anvil.js'
import { committeeDocument } from '../committee-document.js'
import { rich } from './chain-scene.js'

const gwei = 1_000_000_000n
let anvil: Anvil
let quorum: RpcQuorum
let committee: Committee
let sender: OnceSender

beforeAll(async () => {
  anvil = await startAnvil()
  committee = parseCommittee(await createWasmEngine(), committeeDocument(await createWasmEngine()))
  const endpoints = [{ name: 'anvil', url: anvil.url }]
  quorum = createRpcQuorum({ endpoints, quorum: 1, profile: chainProfile('local'), clock: readClock })
  sender = {
    quorum,
    wallet: createWallet(fromHex(rich.key, 32)!),
    address: rich.address,
    limits: {
      ...{ perGasMax: 200n * gwei, tipMin: gwei / 100n, tipMax: 5n * gwei },
      ...{ perTransactionMax: 10n ** 20n, perHourMax: 10n ** 21n },
    },
    clock: readClock,
    wait: (ms) => sleep(Math.min(ms, 20)),
    deadlineMs: 10_000,
    onNews: () => undefined,
  }
})
afterAll(async () => {
  quorum.close()
  await anvil.stop()
})

const plan: DeployPlan = {
  ...{ owner: null, guardian: rich.address, delayS: 86_400, hasFeedStore: true, bundles: ['majors'], hasHub: true },
  ...{ facades: [], pyth: [] },
}
/** Registry, start, bundle, store, hub; each kept before it leaves and after it is in. */
const steps = 5
const nonce = async (): Promise<number> => Number(await anvil.ask('eth_getTransactionCount', rich.address, 'latest'))

/** Deploys from `state`, and ends at the write of number `at`, which is kept or lost; the state that is on disk. */
async function endingAt(at: number, isKept: boolean, of: DeployPlan = plan): Promise<DeployState> {
  let onDisk: DeployState = { steps: [], pending: null }
  let writes = 0
  const killed = new Error('killed')
  const onState = async (next: DeployState): Promise<void> => {
    const isLast = writes++ === at
    if (!isLast || isKept) onDisk = JSON.parse(JSON.stringify(next)) as DeployState
    if (isLast) throw killed
  }
  await deployLineage({ sender, committee, plan: of, onState, pushes: null }).catch((error: unknown) => {
    if (error !== killed) throw error
  })
  return onDisk
}

describe('deployLineage', () => {
  it.each(Array.from({ length: 2 * steps }, (_, at) => at))('ended at write %i goes on where it was', async (at) => {
    const before = await nonce()
    // A signed transaction that was kept and never left, or one that is in the chain and whose end was not kept.
    const state = await endingAt(at, at % 2 === 0)
    expect(state.pending).not.toBeNull()
    let last: DeployState = state
    const onState = async (next: DeployState): Promise<void> => {
      last = next
    }
    const deployed: Deployed = await deployLineage({ sender, committee, plan, state, onState, pushes: null })
    expect(last.steps.map(({ step }) => step)).toEqual(['registry', 'start', 'store', 'bundle:majors', 'hub'])
    expect(last.pending).toBeNull()
    expect(await nonce()).toBe(before + steps)
    expect(deployed.registry).toBe(last.steps[0]!.address)
    expect(deployed.gasUsed).toBe(last.steps.reduce((sum, { gasUsed }) => sum + BigInt(gasUsed), 0n))
  })

  it('brings what was begun to its end before anything else, also where the plan got a step in front of it', async () => {
    const before = await nonce()
    const bundleOnly = { ...plan, hasFeedStore: false }
    // The bundle's store is signed, kept and never sent; the next run wants a store of any feeds, which comes earlier.
    const state = await endingAt(4, true, bundleOnly)
    expect(state.pending?.step).toBe('bundle:majors')
    const { hash } = state.pending!.sending.attempts[0]!
    let last: DeployState = state
    const onState = async (next: DeployState): Promise<void> => {
      last = next
    }
    const deployed = await deployLineage({ sender, committee, plan, state, onState, pushes: null })
    expect(last.steps.map(({ step }) => step)).toEqual(['registry', 'start', 'bundle:majors', 'store', 'hub'])
    expect(last.steps[2]!.hash).toBe(hash)
    expect(deployed.bundles['majors']).toBe(last.steps[2]!.address)
    expect(await nonce()).toBe(before + steps)
  })

  const facade = { feed: 'feed-0', maxAgeS: 60 }
  it.each<[string, Partial<DeployPlan>, Partial<DeployPlan>, number, string]>([
    ['a done step says something else', {}, { delayS: 90_000 }, 3, 'registry'],
    ['a done step says something else', {}, { guardian: `0x${'0b'.repeat(20)}` }, 3, 'registry'],
    ['a done step is not wanted any more', {}, { hasFeedStore: false }, 6, 'store'],
    ['a pending step is not wanted any more', {}, { bundles: [] }, 6, 'bundle:majors'],
    [
      'a pending step says something else',
      { facades: [facade] },
      { facades: [{ ...facade, maxAgeS: 61 }] },
      -1,
      'facade:',
    ],
  ])('refuses when %s', async (_, begun, wanted, at, step) => {
    const first = { ...plan, ...begun }
    const name = committee.feeds.find((feed) => kindOf(feed.fields) === 0)!.name
    const own = (one: DeployPlan): DeployPlan => ({ ...one, facades: one.facades.map((f) => ({ ...f, feed: name })) })
    const state = at < 0 ? await withFacadePending(own(first)) : await endingAt(at, true, own(first))
    const before = await nonce()
    const onState = async (): Promise<void> => undefined
    const again = deployLineage({ sender, committee, plan: own({ ...first, ...wanted }), state, onState, pushes: null })
    await expect(again).rejects.toMatchObject({
      code: 'DEPLOYMENT_UNFIT',
      facts: { step: expect.stringContaining(step) },
    })
    expect(await nonce()).toBe(before)
  })
})

/** A state whose facade was begun: as a run would have kept it that ended before it was sent. */
async function withFacadePending(of: DeployPlan): Promise<DeployState> {
  const { steps: done } = await complete({ ...of, facades: [] })
  const { feed, maxAgeS } = of.facades[0]!
  const meaning = meaningOf(committee.feeds.find(({ name }) => name === feed)!)
  const data = facadeData(done.find(({ step }) => step === 'store')!.address!, meaning, maxAgeS)
  const sending = { nonce: await nonce(), gasLimit: '21000', attempts: [] }
  return {
    steps: done,
    pending: { step: `facade:${feed}`, of: hashOf(` ${data}`), wanted: { to: null, data }, sending },
  }
}

async function complete(of: DeployPlan): Promise<DeployState> {
  let last: DeployState = { steps: [], pending: null }
  const onState = async (next: DeployState): Promise<void> => {
    last = next
  }
  await deployLineage({ sender, committee, plan: of, onState, pushes: null })
  return last
}
