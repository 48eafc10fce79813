// Brings a committee to a chain: its registry, stores, hub and facades, step by step, each kept before and after it is paid.

import { OracleError } from '../base/errors.js'
import { toHex, utf8 } from '../core/bytes.js'
import { canonicalJson } from '../core/canonical.js'
import type { Committee, Feed } from '../core/committee.js'
import { kindOf } from '../core/leaf.js'
import { requireCode } from './contract-view.js'
import { bundleStoreData, facadeData, feedStoreData, hubData, pythData, registryData } from './init-code.js'
import { registryFace, requireCommittee } from './lineage.js'
import { type OnceSender, type Pending, sendOnce, type Wanted } from './send-once.js'

/** What to deploy. Addresses are 0x hex, feeds names of the committee's. */
export interface DeployPlan {
  /** Null: the deploying key stays the owner. */
  readonly owner: string | null
  readonly guardian: string
  readonly delayS: number
  readonly hasFeedStore: boolean
  /** Bundles that get a BundleStore each. */
  readonly bundles: readonly string[]
  readonly hasHub: boolean
  readonly facades: readonly { readonly feed: string; readonly maxAgeS: number }[]
  /** Price ids of one PythFacade; none where it is empty. */
  readonly pyth: readonly { readonly feed: string; readonly priceId: string }[]
}

/** A step that is in the chain. Amounts are decimal strings, so that the state is JSON. */
export interface DeployStep {
  readonly step: string
  /** Of the contract that the step made; null where it made none. */
  readonly address: string | null
  readonly hash: string
  readonly block: number
  readonly gasUsed: string
  readonly feeWei: string
}

/** How far a deployment is: what a run that was killed is taken up from. */
export interface DeployState {
  readonly steps: readonly DeployStep[]
  readonly pending: { readonly step: string; readonly sending: Pending } | null
}

/** A store that wants its first values: a contract's address, and its bundle where it is one bundle's. */
export interface EmptyStore {
  readonly address: string
  readonly bundle: string | null
}

export interface DeployParts {
  readonly sender: OnceSender
  readonly committee: Committee
  readonly plan: DeployPlan
  /** What an earlier run kept. */
  readonly state?: DeployState
  /** Told at each change; resolves when the state is kept, and only then something is sent. */
  readonly onState: (state: DeployState) => Promise<void>
  /** A step that is not done yet begins. */
  readonly onStep?: (step: string) => void
  /**
   * Calldata of push() for each transaction that brings first values, of reports attested at `notBeforeMs` or later: older
   * ones are not believed. Null: nothing is pushed, and facades need a store that has values.
   */
  readonly pushes: ((store: EmptyStore, notBeforeMs: number) => Promise<readonly Uint8Array[]>) | null
}

/** What stands on the chain. */
export interface Deployed {
  readonly registry: string
  readonly verifier: string
  readonly store: string | null
  readonly bundles: Readonly<Record<string, string>>
  readonly hub: string | null
  readonly facades: Readonly<Record<string, string>>
  readonly pyth: string | null
  readonly gasUsed: bigint
  readonly feeWei: bigint
  /** Of the registry: nothing of this lineage is in earlier ones. */
  readonly fromBlock: number
}

/** Gas that each kind of step takes, rounded up: what the check of the key's balance reckons with. */
const gasOfStep = {
  registry: 4_200_000,
  start: 1_600_000,
  store: 1_100_000,
  bundle: 2_600_000,
  hub: 1_600_000,
  push: 1_200_000,
  facade: 1_000_000,
  pyth: 2_000_000,
  handover: 80_000,
} as const

/** The names of the steps that `plan` takes, in their order. */
export function stepsOf(plan: DeployPlan, deployer: string, isPushed: boolean): readonly string[] {
  const { owner, hasFeedStore, bundles, hasHub, facades, pyth } = plan
  return [
    'registry',
    'start',
    ...(hasFeedStore ? ['store'] : []),
    ...bundles.map((name) => `bundle:${name}`),
    ...(hasHub ? ['hub'] : []),
    ...(isPushed ? [...bundles, ...(hasFeedStore ? ['store'] : [])].map((name) => `push:${name}`) : []),
    ...facades.map(({ feed }) => `facade:${feed}`),
    ...(pyth.length === 0 ? [] : ['pyth']),
    ...(owner === null || owner === deployer ? [] : ['handover']),
  ]
}

/** What the steps that are not done yet take at most, gas. */
export function gasAhead(steps: readonly string[], state: DeployState): bigint {
  const ahead = steps.filter((name) => !state.steps.some(({ step }) => step === name))
  return BigInt(ahead.reduce((sum, name) => sum + gasOfStep[name.split(':')[0] as keyof typeof gasOfStep], 0))
}

/**
 * Deploys what is missing of `plan`. Throws the errors of sendOnce, and CONTRACT_UNFIT where an address that was deployed
 * to before has no code any more or the registry has computed another S than the committee's: run again, it goes on where
 * it was, and never deploys a second time what may be there.
 */
export async function deployLineage(parts: DeployParts): Promise<Deployed> {
  const { sender, committee, plan, onState } = parts
  const { quorum } = sender
  let state: DeployState = parts.state ?? { steps: [], pending: null }
  await requireStanding(sender, state)

  const done = (step: string): DeployStep | undefined => state.steps.find((one) => one.step === step)
  const keep = async (next: DeployState): Promise<void> => {
    state = next
    await onState(state)
  }
  const run = async (step: string, wanted: () => Wanted | Promise<Wanted>): Promise<DeployStep> => {
    const known = done(step)
    if (known !== undefined) return known
    parts.onStep?.(step)
    const before = state.pending?.step === step ? state.pending.sending : null
    const keepPending = (sending: Pending): Promise<void> => keep({ ...state, pending: { step, sending } })
    const receipt = await sendOnce(sender, await wanted(), keepPending, before).catch(async (error: unknown) => {
      // It is over: another run is to try anew, not to find the same failure for ever.
      if (error instanceof OracleError && error.code === 'TRANSACTION_REVERTED') await keep({ ...state, pending: null })
      throw error
    })
    const feeWei = receipt.gasUsed * receipt.effectiveGasPrice + receipt.dataFee
    const made: DeployStep = {
      step,
      address: receipt.contractAddress,
      hash: receipt.transactionHash,
      block: receipt.blockNumber,
      gasUsed: `${receipt.gasUsed}`,
      feeWei: `${feeWei}`,
    }
    await keep({ steps: [...state.steps, made], pending: null })
    return made
  }
  const create = async (step: string, data: () => string): Promise<string> =>
    (await run(step, () => ({ to: null, data: data() }))).address!

  const { lineage } = committee
  const registry = await create('registry', () => registryData(lineage, sender.address, plan.guardian, plan.delayS))
  await run('start', () => ({ to: registry, data: registryFace.encodeFunctionData('start', startArgs(committee)) }))
  const { verifier } = await requireCommittee(quorum, await quorum.head(), registry, committee)
  const store = plan.hasFeedStore ? await create('store', () => feedStoreData(registry)) : null
  const bundles: Record<string, string> = {}
  for (const name of plan.bundles) {
    const { id, feeds } = committee.bundles.find((bundle) => bundle.name === name)!
    const ids = feeds.map((index) => committee.feeds[index]!.feedId)
    bundles[name] = await create(`bundle:${name}`, () => bundleStoreData(registry, id, ids))
  }
  const hub = plan.hasHub ? await create('hub', () => hubData(registry)) : null
  if (parts.pushes !== null) {
    const stores: EmptyStore[] = Object.entries(bundles).map(([bundle, address]) => ({ address, bundle }))
    if (store !== null) stores.push({ address: store, bundle: null })
    for (const empty of stores) await push(empty)
  }
  const first = store ?? bundles[plan.bundles[0] ?? '']
  const facades: Record<string, string> = {}
  for (const { feed, maxAgeS } of plan.facades)
    facades[feed] = await create(`facade:${feed}`, () => facadeData(storeOf(feed), meaningOf(feedOf(feed)), maxAgeS))
  const ids = plan.pyth.map(({ feed, priceId }) => ({ id: priceId, meaning: meaningOf(feedOf(feed)) }))
  const pyth = ids.length === 0 ? null : await create('pyth', () => pythData(first!, ids, pythValidS))
  if (plan.owner !== null && plan.owner !== sender.address)
    await run('handover', () => ({
      to: registry,
      data: registryFace.encodeFunctionData('transferOwnership', [plan.owner!]),
    }))
  const sum = (amount: 'gasUsed' | 'feeWei'): bigint => state.steps.reduce((all, one) => all + BigInt(one[amount]), 0n)
  return {
    ...{ registry, verifier: verifier!.address, store, bundles, hub, facades, pyth },
    ...{ gasUsed: sum('gasUsed'), feeWei: sum('feeWei'), fromBlock: done('registry')!.block },
  }

  /** All transactions of one store's first values; a report that is no news by now was brought by an earlier run. */
  async function push(empty: EmptyStore): Promise<void> {
    const step = `push:${empty.bundle ?? 'store'}`
    if (done(step) !== undefined) return
    const chunks = await parts.pushes!(empty, verifier!.fromS * 1000)
    for (const [i, chunk] of chunks.entries()) {
      const part = i === chunks.length - 1 ? step : `${step}:${i}`
      await run(part, () => ({ to: empty.address, data: toHex(chunk) })).catch((error: unknown) => {
        if (!(error instanceof OracleError) || error.facts['reason'] !== 'NothingNewer()') throw error
        // Anybody may push: somebody brought this report or a newer one.
        const nothing = { address: null, hash: '', block: 0, gasUsed: '0', feeWei: '0' }
        return keep({ steps: [...state.steps, { step: part, ...nothing }], pending: null })
      })
    }
  }

  function feedOf(name: string): Feed {
    return committee.feeds.find((feed) => feed.name === name)!
  }

  /** The store that keeps a feed: the one of any feeds, else that of its bundle. */
  function storeOf(name: string): string {
    const { index } = feedOf(name)
    const bundle = committee.bundles.find(({ feeds }) => feeds.includes(index))!
    return store ?? bundles[bundle.name]!
  }
}

/** DEPLOYMENT_UNFIT where the plan names what the committee does not have, or what no registry takes. */
export function checkPlan(committee: Committee, plan: DeployPlan): void {
  const fail = (why: string, path: string): never => {
    throw new OracleError('DEPLOYMENT_UNFIT', why, { path })
  }
  const { thresholds, generation, members, feeds, bundles } = committee
  if (thresholds.f < 1)
    fail(`a contract believes no committee of ${members.length}: f is 1 or more, of 4 members`, '/f')
  if (generation > 65_535) fail('a first generation on a chain has a number up to 65,535', '/generation')
  if (plan.delayS < 86_400 || plan.delayS > 30 * 86_400) fail('the delay is 1 to 30 days', '/delayS')
  if (!plan.hasFeedStore && plan.bundles.length === 0) fail('nothing would be stored: name a store', '/stores')
  for (const name of plan.bundles)
    if (!bundles.some((bundle) => bundle.name === name)) fail(`the committee has no bundle ${name}`, '/bundles')
  for (const { feed: name } of [...plan.facades, ...plan.pyth]) {
    const feed = feeds.find((one) => one.name === name)
    if (feed === undefined) return fail(`the committee has no feed ${name}`, '/feeds')
    if (kindOf(feed.fields) !== 0) fail(`${name} is structured: a facade shows one number`, '/feeds')
    const bundle = bundles.find((one) => one.feeds.includes(feed.index))!
    if (!plan.hasFeedStore && !plan.bundles.includes(bundle.name)) fail(`no store keeps ${name}`, '/feeds')
  }
}

/** How old the prices of a PythFacade's getPrice may be, s; its readers mostly name an age of their own. */
const pythValidS = 3_600

/** CONTRACT_UNFIT unless everything that was deployed still has code: another chain, or a reorganisation, is no reason to pay twice. */
async function requireStanding({ quorum }: OnceSender, { steps }: DeployState): Promise<void> {
  const made = steps.flatMap(({ step, address }) => (address === null ? [] : [{ step, address }]))
  if (made.length === 0) return
  const at = await quorum.head()
  for (const { step, address } of made) await requireCode({ quorum, at, address, what: `${step} of this deployment` })
}

/** start() of the first generation. */
function startArgs({ generation, thresholds, members }: Committee): [number, number, string[]] {
  return [generation, thresholds.f, members.map(({ address }) => address)]
}

/** The bytes whose hash is the feed's id. */
export function meaningOf({ decimals, fields, name, schema, unit }: Feed): Uint8Array {
  return utf8(canonicalJson({ decimals, fields, name, schema, unit }))
}
