// Brings a committee to a chain: its registry, stores, hub and facades, step by step, each kept before and after it is paid.

import { id as hashOf } from 'ethers'
import { OracleError } from '../base/errors.js'
import { toHex, utf8 } from '../core/bytes.js'
import { canonicalJson } from '../core/canonical.js'
import type { Committee, Feed } from '../core/committee.js'
import { kindOf } from '../core/leaf.js'
import { requireCode } from './contract-view.js'
import { bundleStoreData, facadeData, feedStoreData, hubData, pythData, registryData } from './init-code.js'
import { registryFace, requireCommittee, type VerifierFacts } from './lineage.js'
import { type Done, type OnceSender, type Pending, sendOnce, type Wanted } from './send-once.js'

/** What to deploy. Addresses are 0x hex, feeds names of the committee's. */
export interface DeployPlan {
  /** Null: the deploying key stays the owner. */
  readonly owner: string | null
  readonly guardian: string
  readonly delayS: number
  readonly hasFeedStore: boolean
  /** The feeds whose first values the FeedStore is to get; all of the committee's unless given. */
  readonly feeds?: readonly string[]
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
  /** What tells it from a step of another plan that has the same name: a hash of where it goes and what it says. */
  readonly of: string
  /** Of the contract that the step made; null where it made none. */
  readonly address: string | null
  readonly hash: string
  readonly block: number
  readonly gasUsed: string
  readonly feeWei: string
}

/** A step that was signed and may be anywhere, with all that it takes to bring it to its end. */
export interface PendingStep {
  readonly step: string
  readonly of: string
  readonly wanted: Wanted
  readonly sending: Pending
}

/** How far a deployment is: what a run that was killed is taken up from. */
export interface DeployState {
  readonly steps: readonly DeployStep[]
  readonly pending: PendingStep | null
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

/** The address that a step made; nowhere while it made none. */
type AddressOf = (step: string) => string

/** A step of a plan. */
interface Planned {
  readonly step: string
  /** What it sends. First values are new at each run: there it only says to whom and of which feeds. */
  readonly wanted: (at: AddressOf) => Wanted
  /** The bundle of the store that gets first values, null one of any feeds; undefined where the step is another. */
  readonly first?: string | null
}

/** Stands for a contract that is not there: nothing that was deployed has it in its arguments. */
const nowhere = `0x${'00'.repeat(20)}`

/** The steps that `plan` takes, in their order. */
function planned(committee: Committee, plan: DeployPlan, deployer: string, isPushed: boolean): readonly Planned[] {
  const { owner, guardian, delayS, hasFeedStore, bundles, hasHub, facades, pyth } = plan
  const make = (step: string, data: (at: AddressOf) => string): Planned => {
    return { step, wanted: (at) => ({ to: null, data: data(at) }) }
  }
  const registryCall = (step: string, data: string): Planned => {
    return { step, wanted: (at) => ({ to: at('registry'), data }) }
  }
  const feedOf = (name: string): Feed => committee.feeds.find((feed) => feed.name === name)!
  const bundleOf = (name: string) => committee.bundles.find((bundle) => bundle.name === name)!
  const bundleStore = (name: string): Planned => {
    const { id, feeds } = bundleOf(name)
    const ids = feeds.map((index) => committee.feeds[index]!.feedId)
    return make(`bundle:${name}`, (at) => bundleStoreData(at('registry'), id, ids))
  }
  const firstValues = (store: string, bundle: string | null, names: readonly string[]): Planned => {
    const data = names.toSorted().join()
    return { step: `push:${store}`, first: bundle, wanted: (at) => ({ to: at(store), data }) }
  }
  const pushes = [
    ...bundles.map((name) => firstValues(`bundle:${name}`, name, [])),
    ...(hasFeedStore ? [firstValues('store', null, plan.feeds ?? committee.feeds.map(({ name }) => name))] : []),
  ]
  /** The store that keeps a feed: the one of any feeds, else that of its bundle. */
  const storeOf = (name: string): string => {
    const { index } = feedOf(name)
    return hasFeedStore ? 'store' : `bundle:${committee.bundles.find(({ feeds }) => feeds.includes(index))!.name}`
  }
  const ids = pyth.map(({ feed, priceId }) => ({ id: priceId, meaning: meaningOf(feedOf(feed)) }))
  const main = hasFeedStore ? 'store' : `bundle:${bundles[0]}`
  return [
    make('registry', () => registryData(committee.lineage, deployer, guardian, delayS)),
    registryCall('start', registryFace.encodeFunctionData('start', startArgs(committee))),
    ...(hasFeedStore ? [make('store', (at) => feedStoreData(at('registry')))] : []),
    ...bundles.map(bundleStore),
    ...(hasHub ? [make('hub', (at) => hubData(at('registry')))] : []),
    ...(isPushed ? pushes : []),
    ...facades.map(({ feed, maxAgeS }) =>
      make(`facade:${feed}`, (at) => facadeData(at(storeOf(feed)), meaningOf(feedOf(feed)), maxAgeS)),
    ),
    ...(ids.length === 0 ? [] : [make('pyth', (at) => pythData(at(main), ids, pythValidS))]),
    ...(owner === null || owner === deployer
      ? []
      : [registryCall('handover', registryFace.encodeFunctionData('transferOwnership', [owner]))]),
  ]
}

/** The names of the steps that `plan` takes, in their order. */
export function stepsOf(
  committee: Committee,
  plan: DeployPlan,
  deployer: string,
  isPushed: boolean,
): readonly string[] {
  return planned(committee, plan, deployer, isPushed).map(({ step }) => step)
}

/** What the steps that are not done yet take at most, gas. */
export function gasAhead(steps: readonly string[], state: DeployState): bigint {
  const ahead = steps.filter((name) => !state.steps.some(({ step }) => step === name))
  return BigInt(ahead.reduce((sum, name) => sum + gasOfStep[name.split(':')[0] as keyof typeof gasOfStep], 0))
}

/**
 * DEPLOYMENT_UNFIT unless everything that an earlier run did or began is a step of `plan`, and the same one. First values
 * may be brought by one run and left out by the next.
 */
export function requireSamePlan(
  committee: Committee,
  plan: DeployPlan,
  deployer: string,
  { steps, pending }: DeployState,
): void {
  const all = planned(committee, plan, deployer, true)
  const at = addressesOf(steps)
  for (const { step, of } of pending === null ? steps : [...steps, pending]) {
    // One of several transactions of first values has its number behind its name.
    const same = all.find((one) => one.step === step || (one.first !== undefined && step.startsWith(`${one.step}:`)))
    if (same !== undefined && identityOf(same.wanted(at)) === of) continue
    const why = same === undefined ? 'is not of this command' : 'says something else in this command'
    const message = `step ${step} of an earlier run ${why}: its options, or the release of assay, are others by now`
    throw new OracleError('DEPLOYMENT_UNFIT', message, { path: `/steps/${step}`, facts: { step } })
  }
}

/**
 * Deploys what is missing of `plan`: what an earlier run sent and did not see the end of comes first. Throws the errors of
 * sendOnce, DEPLOYMENT_UNFIT where an earlier run did something else, and CONTRACT_UNFIT where an address that was deployed
 * to before has no code any more or the registry has computed another S than the committee's: run again, it goes on where
 * it was, and never deploys a second time what may be there.
 */
export async function deployLineage(parts: DeployParts): Promise<Deployed> {
  const { sender, committee, plan, onState } = parts
  const { quorum } = sender
  let state: DeployState = parts.state ?? { steps: [], pending: null }
  requireSamePlan(committee, plan, sender.address, state)
  await requireStanding(sender, state)

  const done = (step: string): DeployStep | undefined => state.steps.find((one) => one.step === step)
  const at: AddressOf = (step) => addressesOf(state.steps)(step)
  const keep = async (next: DeployState): Promise<void> => {
    state = next
    await onState(state)
  }
  const send = async (what: Omit<PendingStep, 'sending'>, before: Pending | null): Promise<void> => {
    const { step, of, wanted } = what
    parts.onStep?.(step)
    const keepPending = (sending: Pending): Promise<void> => keep({ ...state, pending: { ...what, sending } })
    const receipt = await sendOnce(sender, wanted, keepPending, before).catch(async (error: unknown) => {
      if (!(error instanceof OracleError) || error.code !== 'TRANSACTION_REVERTED') throw error
      // Anybody may push: somebody brought this report or a newer one.
      if (step.startsWith('push:') && error.facts['reason'] === 'NothingNewer()') return null
      // It is over: another run is to try anew, not to find the same failure for ever.
      await keep({ ...state, pending: null })
      throw await inItsTime(sender, error)
    })
    const made = receipt === null ? { address: null, hash: '', block: 0, gasUsed: '0', feeWei: '0' } : madeBy(receipt)
    await keep({ steps: [...state.steps, { step, of, ...made }], pending: null })
  }
  /** All transactions of one store's first values. */
  const push = async ({ step, first, wanted }: Planned, notBeforeMs: number): Promise<void> => {
    const empty = wanted(at)
    const chunks = await parts.pushes!({ address: empty.to!, bundle: first! }, notBeforeMs)
    for (const [i, chunk] of chunks.entries()) {
      const part = i === chunks.length - 1 ? step : `${step}:${i}`
      if (done(part) !== undefined) continue
      await send({ step: part, of: identityOf(empty), wanted: { to: empty.to, data: toHex(chunk) } }, null)
    }
  }

  // Before anything else: whatever is signed now would take its nonce.
  if (state.pending !== null) await send(state.pending, state.pending.sending)
  let verifier: VerifierFacts | null = null
  for (const one of planned(committee, plan, sender.address, parts.pushes !== null)) {
    if (done(one.step) === undefined) {
      const wanted = one.wanted(at)
      if (one.first !== undefined) await push(one, verifier!.fromS * 1000)
      else await send({ step: one.step, of: identityOf(wanted), wanted }, null)
    }
    if (one.step !== 'start') continue
    verifier = (await requireCommittee(quorum, await quorum.head(), at('registry'), committee)).verifier
  }
  const sum = (amount: 'gasUsed' | 'feeWei'): bigint => state.steps.reduce((all, one) => all + BigInt(one[amount]), 0n)
  const made = (step: string): string | null => done(step)?.address ?? null
  return {
    ...{ registry: at('registry'), verifier: verifier!.address, store: made('store'), hub: made('hub') },
    bundles: Object.fromEntries(plan.bundles.map((name) => [name, at(`bundle:${name}`)])),
    facades: Object.fromEntries(plan.facades.map(({ feed }) => [feed, at(`facade:${feed}`)])),
    ...{ pyth: made('pyth'), gasUsed: sum('gasUsed'), feeWei: sum('feeWei'), fromBlock: done('registry')!.block },
  }
}

function madeBy(receipt: Done): Omit<DeployStep, 'step' | 'of'> {
  const { contractAddress, transactionHash, blockNumber, gasUsed, effectiveGasPrice, dataFee } = receipt
  const feeWei = gasUsed * effectiveGasPrice + dataFee
  return {
    address: contractAddress,
    hash: transactionHash,
    block: blockNumber,
    gasUsed: `${gasUsed}`,
    feeWei: `${feeWei}`,
  }
}

function addressesOf(steps: readonly DeployStep[]): AddressOf {
  return (step) => steps.find((one) => one.step === step)?.address ?? nowhere
}

function identityOf({ to, data }: Wanted): string {
  return hashOf(`${to ?? ''} ${data}`)
}

/** `error`, and what to do where a report is of the future only because no block has come for long. */
async function inItsTime({ quorum, clock }: OnceSender, error: OracleError): Promise<OracleError> {
  if (!String(error.facts['reason']).startsWith('FutureReport(')) return error
  const { number, timestampMs } = await quorum.head()
  const stillS = Math.floor((clock().wallMs - timestampMs) / 1000)
  if (stillS < 1) return error
  const message =
    `${error.message}: the clock of this chain stands still, its last block ${number} is of ${stillS} s ago, and the report was ` +
    'attested later. Let a block come (a development chain mines one on evm_mine, or by itself with --block-time 1), then ' +
    'run the same command again'
  return new OracleError(error.code, message, { facts: { ...error.facts, block: number, stillS }, cause: error })
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
