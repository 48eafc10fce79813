// `assay chain status`: a lineage, its stores and the endpoints, by what a quorum says; and with an oracle's API its senders and costs.

import { OracleError } from '../base/errors.js'
import type { EndpointFacts } from '../chain/endpoint-health.js'
import { readStore, type StoreReading } from '../chain/feed-view.js'
import { type LineageFacts, readLineage, type Scheduled } from '../chain/lineage.js'
import { ether, gwei } from '../chain/send-once.js'
import { askAny } from '../client/ask.js'
import { toHex } from '../core/bytes.js'
import { isoTime } from '../core/iso-time.js'
import { statuses } from '../core/status.js'
import { formatDecimal } from '../core/value-json.js'
import { checkSchema } from '../schema/check.js'
import { validators } from '../schema/generated/validators.js'
import { type ChainOptions, committeeAt, nowMsAt, type OpenedChain, withChain } from './chain-context.js'
import { type DeployedFeed, type Deployment, requireDeployment } from './chain-deployment.js'
import { framed, paired, type Talk } from './chain-talk.js'
import { counted, presentAge } from './present.js'

export interface StatusOptions extends ChainOptions {
  readonly deployment: string
  /** A committee document to hold the signers against; the deployment's salt unless given. */
  readonly committee?: string
  readonly url?: string
}

/** A feed of a store, judged as a contract would that reads it now. */
interface FeedRow {
  readonly feed: string
  readonly store: string
  readonly value: string | null
  readonly attestedAtMs: number | null
  readonly ageMs: number | null
  readonly validUntilMs: number | null
  readonly status: string
  readonly isStale: boolean
}

/** What GET /v1/chains shows of a chain, as far as it is shown here; amounts are decimal strings. */
interface ServedChain {
  readonly chain: string
  readonly chainId: number
  readonly stoppedBy: { readonly code: string; readonly why: string } | null
  readonly senders: readonly {
    readonly pays: string
    readonly address: string
    readonly standing: string
    readonly balanceWei: string | null
    readonly queued: number
    readonly underWay: readonly unknown[]
    readonly alarms: readonly string[]
  }[]
  readonly costs: readonly {
    readonly day: string
    readonly target: string
    readonly feed: string
    readonly updates: number
    readonly reverted: number
    readonly gasUsed: string
    readonly feeWei: string
  }[]
}

/** Prints the status; 0 when the lineage is believed, its signers are the committee's and no feed is stale, else 1. */
export async function chainStatus(options: StatusOptions, talk: Talk): Promise<number> {
  return withChain(options, talk, async (chain) => {
    const { quorum, head, profile } = chain
    const deployment = requireDeployment(options.deployment, profile.chainId)
    const lineage = await readLineage(quorum, head, deployment.deployed.registry)
    const salt =
      options.committee === undefined ? deployment.salt : toHex((await committeeAt(options.committee)).committee.salt)
    const isCommittee = lineage.verifier?.salt === salt
    const feeds = await Promise.all(deployment.feeds.map((feed) => feedRow(chain, feed)))
    const served = options.url === undefined ? null : await askServed(options.url, profile.chainId, talk)
    const isServed = options.url === undefined || served !== null
    const isGood = isCommittee && !lineage.paused && feeds.every(({ isStale }) => !isStale) && isServed
    const block = { number: head.number, timestampMs: head.timestampMs }
    const { name, chainId } = profile
    talk.result(
      { ok: isGood, chain: name, chainId, block, lineage, isCommittee, feeds, endpoints: quorum.facts(), served },
      textOf({ chain, deployment, lineage, isCommittee, feeds, endpoints: quorum.facts(), served }, talk),
    )
    return isGood ? 0 : 1
  })
}

/** `units` as people read them; the hash's upper bytes of a structured value. */
export function valueText(
  { decimals, unit, kind }: Pick<DeployedFeed, 'decimals' | 'unit' | 'kind'>,
  units: bigint,
): string {
  return kind === 0 ? `${formatDecimal(units, decimals)} ${unit}` : `hash 0x${units.toString(16).padStart(44, '0')}`
}

/** Why a contract that reads now would be refused the value; null where it would get it. */
export function whyNot(
  reading: StoreReading | null,
  nowMs: number,
  maxAgeMs: number = Number.POSITIVE_INFINITY,
): string | null {
  if (reading === null) return 'the store has no value of this feed'
  const { status, validUntilMs, observedAtMs } = reading
  if (status !== 0) return `its status is ${statuses[status] ?? status}`
  if (nowMs > validUntilMs)
    return `it was valid until ${isoTime(validUntilMs)}, ${presentAge(nowMs - validUntilMs)} ago`
  const ageMs = nowMs - observedAtMs
  return ageMs > maxAgeMs ? `it is ${presentAge(ageMs)} old, allowed are ${presentAge(maxAgeMs)}` : null
}

async function feedRow({ quorum, head }: OpenedChain, feed: DeployedFeed): Promise<FeedRow> {
  const { name, store, feedId } = feed
  const reading = await readStore(quorum, head, store, feedId)
  const nowMs = nowMsAt(head)
  const isStale = whyNot(reading, nowMs) !== null
  if (reading === null)
    return {
      ...{ feed: name, store, value: null, attestedAtMs: null, ageMs: null, validUntilMs: null },
      ...{ status: 'NOTHING', isStale },
    }
  const { value, attestedAtMs, observedAtMs, validUntilMs, status } = reading
  return {
    feed: name,
    store,
    value: valueText(feed, value),
    attestedAtMs,
    ageMs: Math.max(0, nowMs - observedAtMs),
    validUntilMs,
    status: statuses[status] ?? String(status),
    isStale,
  }
}

/** What an oracle says of the chain; null, and why, where it says nothing. */
async function askServed(url: string, chainId: number, talk: Talk): Promise<ServedChain | null> {
  try {
    const served = await servedChain(url, chainId)
    if (served === null) talk.warn(`${url} serves no chain ${chainId}`)
    return served
  } catch (error) {
    if (!(error instanceof OracleError)) throw error
    talk.warn(`${error.code}: ${error.message}`)
    return null
  }
}

async function servedChain(url: string, chainId: number): Promise<ServedChain | null> {
  const path = '/v1/chains'
  const reach = { url: url.replace(/\/+$/, ''), fetch, timeoutMs: 5_000, bytesMax: 16 * 1024 * 1024 }
  const { body } = await askAny(reach, path, [200])
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(body))
  } catch (cause) {
    throw new OracleError('CLIENT_ANSWER_UNFIT', `${reach.url}${path} answers no JSON`, { path, cause })
  }
  checkSchema(validators['api/chains']!, value, 'CLIENT_ANSWER_UNFIT')
  const { chains } = value as { readonly chains: readonly ServedChain[] }
  return chains.find((chain) => chain.chainId === chainId) ?? null
}

interface Shown {
  readonly chain: OpenedChain
  readonly deployment: Deployment
  readonly lineage: LineageFacts
  readonly isCommittee: boolean
  readonly feeds: readonly FeedRow[]
  readonly endpoints: readonly EndpointFacts[]
  readonly served: ServedChain | null
}

function textOf({ chain, deployment, lineage, isCommittee, feeds, endpoints, served }: Shown, talk: Talk): string {
  const { profile, head } = chain
  const { registry, generation, verifier, owner, pendingOwner, guardian, paused, delayS, scheduled } = lineage
  const nowMs = nowMsAt(head)
  const due = (what: Scheduled | null): string => (what === null ? '–' : inWords(what, nowMs))
  const pairs: (readonly [string, string])[] = [
    ['registry', registry],
    [
      'state',
      paused
        ? talk.bad('PAUSED: no new report is believed; what is stored stays readable until it is too old')
        : talk.good('believed'),
    ],
    [
      'generation',
      `${generation}, ${counted(verifier?.signers.length ?? 0, 'signer')}, f = ${verifier?.f ?? 0}: ${isCommittee ? talk.good('the committee’s') : talk.bad('NOT the committee’s')}`,
    ],
    ['owner', pendingOwner === null ? owner : `${owner}, offered to ${pendingOwner}`],
    ['guardian', guardian],
    ['delay', `${delayS / 3600} h`],
    ['next generation', due(scheduled.generation)],
    ['end of pause', due(scheduled.unpause)],
    ['next guardian', due(scheduled.guardian)],
  ]
  const rows = feeds.map((row) => [
    row.feed,
    row.value ?? '–',
    row.ageMs === null ? '–' : presentAge(row.ageMs),
    row.validUntilMs === null ? '–' : presentAge(row.validUntilMs - nowMs),
    row.status,
    row.isStale ? 'NOT USABLE' : 'usable',
  ])
  const lines = [
    talk.bold(`${profile.name} (${profile.chainId}) at block ${head.number}, ${isoTime(head.timestampMs)}`),
    paired(pairs),
    '',
    framed([['feed', 'value', 'age', 'valid for', 'status', 'for contracts'], ...rows], [1, 2, 3]),
    '',
    framed(
      [['endpoint', 'state', 'head'], ...endpoints.map(({ name, state, head: at }) => [name, state, `${at ?? '–'}`])],
      [2],
    ),
  ]
  const { hub } = deployment.deployed!
  if (hub !== null) lines.push('', `Requests go to ${hub}`)
  if (served !== null) lines.push('', ...servedLines(served))
  return lines.join('\n')
}

function servedLines({ senders, costs, stoppedBy }: ServedChain): readonly string[] {
  const eth = (wei: string | null): string => (wei === null ? '–' : ether(BigInt(wei)))
  const keys = senders.map(({ pays, address, balanceWei, standing, queued, underWay, alarms }) => [
    ...[pays, address, eth(balanceWei), standing, `${queued}`, `${underWay.length}`, alarms.join(', ') || '–'],
  ])
  const rows = costs.map(({ day, target, feed, updates, reverted, gasUsed, feeWei }) => [
    ...[day, target.replace(/^\d+\//, ''), feed, `${updates}`, `${reverted}`, gasUsed, eth(feeWei)],
    updates === 0 ? '–' : gwei(BigInt(feeWei) / BigInt(updates)),
  ])
  return [
    ...(stoppedBy === null ? [] : [`Nothing is sent: ${stoppedBy.code}, ${stoppedBy.why}`, '']),
    framed([['key for', 'address', 'ETH', 'standing', 'queued', 'under way', 'alarms'], ...keys], [2, 4, 5]),
    '',
    framed(
      [['day (UTC)', 'store', 'feed', 'updates', 'in vain', 'gas', 'ETH', 'gwei an update'], ...rows],
      [3, 4, 5, 6, 7],
    ),
  ]
}

function inWords({ fromS, untilS }: Scheduled, nowMs: number): string {
  if (nowMs < fromS * 1000) return `possible from ${isoTime(fromS * 1000)} (in ${presentAge(fromS * 1000 - nowMs)})`
  return nowMs <= untilS * 1000
    ? `possible now, until ${isoTime(untilS * 1000)}`
    : `expired at ${isoTime(untilS * 1000)}`
}
