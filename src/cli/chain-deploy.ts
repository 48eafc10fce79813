// `assay chain deploy`: checks everything that can be checked before it is paid for, then deploys, and can be run again.

import { dirname, join, resolve } from 'node:path'
import { OracleError } from '../base/errors.js'
import {
  checkPlan,
  type Deployed,
  type DeployPlan,
  type DeployState,
  deployLineage,
  gasAhead,
  requireSamePlan,
  stepsOf,
} from '../chain/deploy.js'
import { readStore } from '../chain/feed-view.js'
import { balanceOf, codeOf } from '../chain/questions.js'
import { costNow, ether, type OnceSender, unfunded } from '../chain/send-once.js'
import { readDocument } from '../config.js'
import { toHex } from '../core/bytes.js'
import type { Committee, Feed } from '../core/committee.js'
import { kindOf } from '../core/leaf.js'
import { configEntry } from './chain-config-entry.js'
import {
  type ChainOptions,
  committeeAt,
  type KeyOptions,
  meanwhile,
  type OpenedChain,
  openSender,
  withChain,
} from './chain-context.js'
import { type DeployedFeed, type Deployment, readDeployment, writeDeployment } from './chain-deployment.js'
import { firstValues } from './chain-first-values.js'
import type { Comparison } from './chain-shadow.js'
import { valueText } from './chain-status.js'
import { framed, paired, type Talk } from './chain-talk.js'
import { counted, nearest } from './present.js'
import { assayCommand } from './shipped.js'

export interface DeployOptions extends ChainOptions, KeyOptions {
  readonly owner?: string
  readonly guardian?: string
  /** Seconds. */
  readonly delay: number
  /** `feeds`, or names of bundles. */
  readonly store?: readonly string[]
  readonly feeds?: readonly string[]
  readonly facade?: readonly string[]
  readonly maxAge: number
  readonly pyth?: readonly { readonly feed: string; readonly priceId: string }[]
  readonly hub: boolean
  readonly api?: string
  readonly push?: boolean
  readonly declarations?: string
  readonly origin?: Readonly<Record<string, string>>
  readonly compare?: readonly Comparison[]
  readonly shadowPpm?: number
  /** False or true: the check is made; a text: why not. */
  readonly shadow: boolean | string
  readonly out?: string
}

const committeeBytesMax = 64 * 1024 * 1024

/** Deploys the committee in `path`; 0 when everything stands. */
export async function deploy(path: string, options: DeployOptions, talk: Talk): Promise<number> {
  const { committee, file } = await committeeAt(path)
  const document = readDocument(file, committeeBytesMax, 'COMMITTEE_UNREADABLE')
  return withChain(options, talk, async (chain) => {
    const { profile, quorum } = chain
    const sender = await openSender(quorum, options, talk)
    const plan = planOf(committee, options, sender.address, profile.name === 'local')
    checkPlan(committee, plan)
    const ownFeeds = feedStoreFeeds(committee, options, plan)
    const feeds = keptFeeds(committee, ownFeeds, plan)
    const isPushed = options.push === true || plan.facades.length > 0 || plan.pyth.length > 0
    if (isPushed && options.api === undefined)
      throw unfitPlan(
        'first values come from an oracle: name its API with --api, or leave out --push and facades',
        '--api',
      )
    const out = resolve(options.out ?? join(dirname(file), `deployment-${profile.chainId}.json`))
    const earlier = readDeployment(out)
    const wanted = headerOf(chain, committee, plan, sender.address)
    if (earlier !== null) requireSame(earlier, wanted, out)
    const state: DeployState = earlier ?? { steps: [], pending: null }
    requireSamePlan(committee, plan, sender.address, state)
    await warnOfPeople(chain, plan, talk)
    const steps = stepsOf(committee, plan, sender.address, isPushed)
    const opening = openStores(steps, state)
    const coming = keptFeeds(committee, opening.includes('store') ? ownFeeds : [], {
      bundles: plan.bundles.filter((name) => opening.includes(`bundle:${name}`)),
    })
    const shadow = await shadowOf({ chain, committee, document, feeds, coming, options, earlier }, talk)
    await requireFunds(sender, chain, gasAhead(steps, state))

    const whole = (now: DeployState, deployed: Deployment['deployed'] = null, shown: readonly DeployedFeed[] = []) => ({
      ...wanted,
      shadow,
      steps: now.steps,
      pending: now.pending,
      deployed,
      feeds: shown,
    })
    const deployed = await deployLineage({
      sender,
      committee,
      plan,
      state,
      onState: (now) => writeDeployment(out, whole(now)),
      onStep: (step) => talk.say(`${placeIn(steps, step)} of ${steps.length}  ${inWords(step)}`),
      pushes: isPushed ? firstValues(options.api!, committee, document, ownFeeds) : null,
    }).catch(
      meanwhile(
        'Run the same command again: it looks for this one first, and signs another only if this can be in no block any more',
      ),
    )
    const last = readDeployment(out) ?? whole(state)
    const { gasUsed, feeWei, ...addresses } = deployed
    const shown = deployedFeeds(committee, ownFeeds, deployed)
    if (isPushed) await readBack(chain, shown, talk)
    const finished = whole(last, { ...addresses, gasUsed: `${gasUsed}`, feeWei: `${feeWei}` }, shown)
    await writeDeployment(out, finished)
    const entry = configEntry(chain, options.rpc ?? [], finished)
    talk.result({ deployment: out, ...finished, config: entry }, textOf(finished, out, entry, talk))
    if (plan.owner !== null && plan.owner !== sender.address)
      talk.warn(
        `${plan.owner} has to call acceptOwnership() (0x79ba5097) of ${deployed.registry}; until then the deploying key owns it`,
      )
    return 0
  })
}

function planOf(committee: Committee, options: DeployOptions, deployer: string, isLocal: boolean): DeployPlan {
  const { owner, guardian, store = [], facade = [], pyth = [] } = options
  if (!isLocal && owner === undefined)
    throw unfitPlan('name who may rotate keys with --owner, a multisig best: not the key that deploys', '--owner')
  if (!isLocal && guardian === undefined) throw unfitPlan('name who may pause at once with --guardian', '--guardian')
  const stores = store.length === 0 ? ['feeds'] : store
  return {
    owner: owner?.toLowerCase() ?? null,
    guardian: (guardian ?? deployer).toLowerCase(),
    delayS: options.delay,
    hasFeedStore: stores.includes('feeds'),
    ...(options.feeds === undefined ? {} : { feeds: options.feeds }),
    bundles: stores.filter((name) => name !== 'feeds').map((name) => name.replace(/^bundle=/, '')),
    hasHub: options.hub,
    facades: facade.map((feed) => ({
      feed,
      maxAgeS:
        options.maxAge === 0 ? (committee.feeds.find(({ name }) => name === feed)?.validForS ?? 1) : options.maxAge,
    })),
    pyth,
  }
}

/** The feeds that the FeedStore is to keep. */
function feedStoreFeeds(committee: Committee, { feeds: names }: DeployOptions, plan: DeployPlan): readonly Feed[] {
  const stray = names?.find((name) => !committee.feeds.some((feed) => feed.name === name))
  if (stray !== undefined) throw unfitPlan(`the committee has no feed ${stray}`, '--feeds')
  if (!plan.hasFeedStore) return []
  return committee.feeds.filter(({ name }) => names === undefined || names.includes(name))
}

/** All feeds that a store keeps: those, and all of bundles that have a store. */
function keptFeeds(committee: Committee, own: readonly Feed[], plan: Pick<DeployPlan, 'bundles'>): readonly Feed[] {
  const bundles = committee.bundles.filter(({ name }) => plan.bundles.includes(name))
  return committee.feeds.filter((feed) => own.includes(feed) || bundles.some(({ feeds }) => feeds.includes(feed.index)))
}

function headerOf(
  { profile }: OpenedChain,
  committee: Committee,
  { owner, guardian, delayS }: DeployPlan,
  deployer: string,
): Omit<Deployment, 'shadow' | 'steps' | 'pending' | 'deployed' | 'feeds'> {
  return {
    version: 1,
    chain: profile.name,
    chainId: profile.chainId,
    lineage: committee.lineage,
    generation: committee.generation,
    salt: toHex(committee.salt),
    ...{ deployer, owner, guardian, delayS },
  }
}

/** DEPLOYMENT_UNFIT where a file is another deployment's than the one that is wanted. */
function requireSame(earlier: Deployment, wanted: Readonly<Record<string, unknown>>, file: string): void {
  for (const [field, value] of Object.entries(wanted)) {
    const before = earlier[field as keyof Deployment]
    if (before === value) continue
    const message = `${file} was begun with another ${field} (${String(before)}, now ${String(value)})`
    throw new OracleError('DEPLOYMENT_UNFIT', message, { path: `${file}#/${field}` })
  }
}

async function warnOfPeople({ quorum, head, profile }: OpenedChain, plan: DeployPlan, talk: Talk): Promise<void> {
  if (profile.name === 'local') return
  const { owner, guardian } = plan
  if (owner !== null && (await quorum.read(codeOf(owner), head)) === '0x')
    talk.warn(`--owner ${owner} is no contract here: a multisig or timelock is advised, one key can be lost or stolen`)
  if (owner === guardian) talk.warn('owner and guardian are the same: one thief could do both')
}

interface ShadowWanted {
  readonly chain: OpenedChain
  readonly committee: Committee
  readonly document: unknown
  readonly feeds: readonly Feed[]
  /** Those whose first values this run is to bring: what they were held against in an earlier run is past. */
  readonly coming: readonly Feed[]
  readonly options: DeployOptions
  readonly earlier: Deployment | null
}

/** Steps of the stores whose first values are yet to come. */
function openStores(steps: readonly string[], { steps: done }: DeployState): readonly string[] {
  const pushes = steps.filter((name) => name.startsWith('push:') && !done.some(({ step }) => step === name))
  return pushes.map((name) => name.slice('push:'.length))
}

/** The check of all feeds that no earlier run has checked, or that are pushed now: what has readers is not compared again. */
async function shadowOf(wanted: ShadowWanted, talk: Talk): Promise<Deployment['shadow']> {
  const { options, earlier, coming, ...parts } = wanted
  const last = earlier?.shadow ?? []
  if ('leftOut' in last && coming.length === 0) return last
  const known = 'leftOut' in last ? [] : last
  const before = known.filter(({ feed }) => !coming.some(({ name }) => name === feed))
  const feeds = parts.feeds.filter(({ name }) => !before.some(({ feed }) => feed === name))
  if (feeds.length === 0) return last
  if (typeof options.shadow === 'string') {
    talk.warn(`no shadow check: ${options.shadow}`)
    return { leftOut: options.shadow }
  }
  const { shadowCheck } = await import('./chain-shadow.js')
  talk.say(`Shadow check: holding first values of ${counted(feeds.length, 'feed')} against independent live ones …`)
  const rows = await shadowCheck({
    ...parts,
    feeds,
    api: options.api ?? null,
    sources:
      options.declarations === undefined
        ? null
        : { path: options.declarations, origins: options.origin ?? {}, loopback: loopbackOf(options.origin ?? {}) },
    compare: options.compare ?? [],
    ppm: options.shadowPpm ?? null,
  })
  const cells = rows.map((row) => [row.feed, row.attested, row.independent, `${row.ppm}`, `${row.boundPpm}`])
  talk.say(framed([['feed', 'attested', 'independent', 'apart, ppm', 'allowed'], ...cells], [1, 2, 3, 4]))
  return [...before, ...rows]
}

/** host:port of the origins that are on this machine: named by hand, so meant. */
function loopbackOf(origins: Readonly<Record<string, string>>): readonly string[] {
  return Object.values(origins).flatMap((text) => {
    const { hostname, host } = new URL(text)
    return /^(127\.|localhost$|\[::1\]$)/.test(hostname) ? [host] : []
  })
}

async function requireFunds(sender: OnceSender, { quorum, head }: OpenedChain, gas: bigint): Promise<void> {
  if (gas === 0n) return
  const needed = await costNow(sender, gas, head)
  const balance = await quorum.read(balanceOf(sender.address), head)
  if (balance < needed) throw unfunded(quorum, sender.address, balance, needed)
}

/** Each feed of each store, those of the FeedStore first. */
function deployedFeeds(
  committee: Committee,
  own: readonly Feed[],
  { store, bundles }: Deployed,
): readonly DeployedFeed[] {
  const shown = ({ name, feedId, decimals, unit, fields }: Feed, address: string): DeployedFeed => {
    return { name, feedId, decimals, unit, kind: kindOf(fields), store: address }
  }
  const bundled = Object.entries(bundles).flatMap(([name, address]) => {
    const { feeds } = committee.bundles.find((bundle) => bundle.name === name)!
    return feeds.map((index) => shown(committee.feeds[index]!, address))
  })
  return [...own.map((feed) => shown(feed, store!)), ...bundled]
}

/** CONTRACT_UNFIT unless each store has a value of each feed by now. */
async function readBack({ quorum }: OpenedChain, feeds: readonly DeployedFeed[], talk: Talk): Promise<void> {
  const at = await quorum.head()
  for (const feed of feeds) {
    const reading = await readStore(quorum, at, feed.store, feed.feedId)
    if (reading === null) {
      const message = `store ${feed.store} has no value of ${feed.name} after its first values were pushed`
      throw new OracleError('CONTRACT_UNFIT', message, { path: feed.name })
    }
    talk.say(`${feed.name} reads back as ${valueText(feed, reading.value)} at block ${at.number}`)
  }
}

/** Its number among `steps`, from 1; one of several transactions of a step has that of the step. */
function placeIn(steps: readonly string[], step: string): number {
  return (
    1 +
    Math.max(
      0,
      steps.findIndex((name) => step === name || step.startsWith(`${name}:`)),
    )
  )
}

function inWords(step: string): string {
  const [kind, ...names] = step.split(':')
  const name = names.join(' ')
  const words: Readonly<Record<string, string>> = {
    registry: 'CommitteeRegistry: who may be believed',
    start: 'its first generation',
    store: 'FeedStore',
    hub: 'RequestHub',
    bundle: `BundleStore of ${name}`,
    push: `first values (${name})`,
    facade: `AggregatorFacade of ${name}`,
    pyth: 'PythFacade',
    handover: 'offering the registry to its owner',
  }
  return words[kind!] ?? step
}

function textOf(deployment: Deployment, out: string, entry: unknown, talk: Talk): string {
  const { deployed, steps, chain, chainId, generation } = deployment
  const { registry, verifier, store, bundles, hub, facades, pyth, gasUsed, feeWei } = deployed!
  const pairs: (readonly [string, string])[] = [
    ['registry', registry],
    ['verifier', `${verifier} (generation ${generation})`],
    ...(store === null ? [] : [['store', store] as const]),
    ...Object.entries(bundles).map(([name, address]) => [`bundle ${name}`, address] as const),
    ...(hub === null ? [] : [['hub', hub] as const]),
    ...Object.entries(facades).map(([name, address]) => [`facade ${name}`, address] as const),
    ...(pyth === null ? [] : [['pyth', pyth] as const]),
    ['paid', `${gasUsed} gas, ${ether(BigInt(feeWei))} ETH, in ${counted(steps.length, 'transaction')}`],
    ['file', nearest(out)],
  ]
  return [
    talk.bold(`Deployed on ${chain} (${chainId})`),
    paired(pairs),
    '',
    `For "chains" in config.json of each oracle (keys that pay, fee caps and endpoints are yours to fill in):`,
    JSON.stringify(entry, null, 2),
    '',
    `Look at it: ${assayCommand} chain status --deployment ${nearest(out)} --chain ${chain} --rpc URL`,
  ].join('\n')
}

function unfitPlan(message: string, path: string): OracleError {
  return new OracleError('DEPLOYMENT_UNFIT', message, { path })
}
