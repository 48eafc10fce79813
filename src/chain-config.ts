// The chains of config.json, checked and made exact: endpoints, keys that pay, fees in wei, stores, requests.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { OracleError } from './base/errors.js'
import { type ChainName, type ChainProfile, chainProfile } from './chain/chain-profile.js'
import type { EndpointConfig } from './chain/endpoint.js'
import type { FeeLimits } from './chain/fees.js'
import type { RequestSettings } from './deliver/request-event.js'
import type { FeedSettings, TargetSettings } from './deliver/target.js'

/** A key that pays for transactions. Paths are absolute. */
export interface PayerConfig {
  readonly keystore: string
  /** Null: the oracle's own passphrase opens it. */
  readonly passphraseFile: string | null
}

/** What a key may spend. */
export interface SpendingConfig {
  readonly limits: FeeLimits
  readonly balanceMinWei: bigint
}

export interface ChainConfig {
  /** What it is called in events, logs and metrics. */
  readonly name: string
  readonly profile: ChainProfile
  readonly endpoints: readonly EndpointConfig[]
  readonly quorum: number
  readonly pollMs: number
  readonly senders: readonly PayerConfig[]
  readonly spending: SpendingConfig
  readonly stores: readonly TargetSettings[]
  readonly requests:
    | (RequestSettings & { readonly senders: readonly PayerConfig[]; readonly spending: SpendingConfig })
    | null
}

interface FeesDocument {
  perGasMax: string
  tipMin?: string
  tipMax?: string
  perTransactionMax?: string
  perHourMax: string
  balanceMin?: string
}

interface SenderDocument {
  keystore: string
  passphraseFile?: string
}

/** One chain as schemas/node-config.json lets it through. */
export interface ChainDocument {
  chain: ChainName
  name?: string
  profile?: Partial<ChainProfile>
  endpoints: { name: string; url?: string; urlFile?: string }[]
  quorum?: number
  pollMs?: number
  senders: SenderDocument[]
  fees: FeesDocument
  stores?: {
    address: string
    kind: 'feeds' | 'bundle'
    stageMs: number
    landBlocks?: number
    bundle?: string
    feeds?: FeedSettings[]
    calldataBytesMax?: number
    gasMax?: number
  }[]
  requests?: {
    hub: string
    fromBlock: number
    senders: SenderDocument[]
    fees: FeesDocument
    stageMs: number
    landBlocks?: number
    callbackGasMax?: number
    requesters?: string[]
    openMax?: number
    openPerRequesterMax?: number
    requesterGasPerHourMax?: number
  }
}

const gwei = 1_000_000_000n
/** A third of a block time, but no more often than endpoints like it, nor so seldom that a turn is half over. */
const pollMsLeast = 300
const pollMsMost = 4_000
/** The largest transaction that a store or hub takes, for the least hourly budget. */
const gasOfOne = 1_000_000n

/** The chains of a config.json in `folder`; CONFIG_INVALID or CHAIN_CONFIG_INVALID with the place to mend. */
export function chainConfigs(folder: string, documents: readonly ChainDocument[]): readonly ChainConfig[] {
  const chains = documents.map((document, i) => chainConfig(folder, document, `/chains/${i}`))
  unique(
    chains.map(({ name }) => name),
    '/chains',
    'two chains have the name',
  )
  // Two entries of one chain would have two pools send the same report, each unknown to the other.
  unique(
    chains.map(({ profile }) => `${profile.chainId}`),
    '/chains',
    'two entries are of chain',
  )
  for (const { name, senders, stores, requests } of chains) {
    const keys = [...senders, ...(requests?.senders ?? [])]
    unique(
      keys.map(({ keystore }) => keystore),
      '/chains',
      `on ${name} two senders share the keystore`,
    )
    unique(
      [...stores.map(({ store }) => store), ...(requests === null ? [] : [requests.hub])],
      '/chains',
      `on ${name} two entries have the address`,
    )
  }
  return chains
}

function chainConfig(folder: string, document: ChainDocument, path: string): ChainConfig {
  const { chain, requests, stores = [] } = document
  const profile = chainProfile(chain, document.profile)
  const { chainId, blockMs } = profile
  if (requests !== undefined && requests.stageMs < 2 * (requests.landBlocks ?? 2) * blockMs)
    throw invalid(`${path}/requests/stageMs`, 'half a stage is for landing: at least 2 · landBlocks · blockMs')
  if (profile.confirmations >= profile.finalityBlocks)
    throw invalid(`${path}/profile/finalityBlocks`, 'finalityBlocks is more than confirmations')
  const { length } = document.endpoints
  const payers = (senders: readonly SenderDocument[]): readonly PayerConfig[] =>
    senders.map(({ keystore, passphraseFile }) => ({
      keystore: resolve(folder, keystore),
      passphraseFile: passphraseFile === undefined ? null : resolve(folder, passphraseFile),
    }))
  return {
    name: document.name ?? chain,
    profile,
    endpoints: document.endpoints.map((endpoint, i) => endpointOf(folder, endpoint, `${path}/endpoints/${i}`)),
    quorum: document.quorum ?? Math.floor(length / 2) + 1,
    pollMs: document.pollMs ?? Math.min(pollMsMost, Math.max(pollMsLeast, Math.floor(blockMs / 3))),
    senders: payers(document.senders),
    spending: spendingOf(profile, document.fees, `${path}/fees`),
    stores: stores.map(({ address, landBlocks = 2, ...store }) => ({
      ...store,
      chainId,
      store: address.toLowerCase(),
      blockMs,
      landBlocks,
    })),
    requests:
      requests === undefined
        ? null
        : {
            chainId,
            blockMs,
            hub: requests.hub.toLowerCase(),
            fromBlock: requests.fromBlock,
            finalityBlocks: profile.finalityBlocks,
            stageMs: requests.stageMs,
            landBlocks: requests.landBlocks ?? 2,
            callbackGasMax: requests.callbackGasMax ?? 500_000,
            requesters: requests.requesters?.map((address) => address.toLowerCase()) ?? null,
            openMax: requests.openMax ?? 1_000,
            openPerRequesterMax: requests.openPerRequesterMax ?? 50,
            ...(requests.requesterGasPerHourMax === undefined
              ? {}
              : { requesterGasPerHourMax: requests.requesterGasPerHourMax }),
            senders: payers(requests.senders),
            spending: spendingOf(profile, requests.fees, `${path}/requests/fees`),
          },
  }
}

function endpointOf(
  folder: string,
  { name, url, urlFile }: ChainDocument['endpoints'][number],
  path: string,
): EndpointConfig {
  if ((url === undefined) === (urlFile === undefined))
    throw invalid(path, `endpoint ${name} has one of url and urlFile`)
  if (url !== undefined) return { name, url }
  const file = resolve(folder, urlFile!)
  try {
    return { name, url: readFileSync(file, 'utf8').trim() }
  } catch (cause) {
    throw new OracleError('CONFIG_INVALID', `the URL of endpoint ${name} cannot be read from ${file}`, { path, cause })
  }
}

function spendingOf({ feeModel }: ChainProfile, fees: FeesDocument, path: string): SpendingConfig {
  const perGasMax = BigInt(fees.perGasMax)
  const limits: FeeLimits = {
    perGasMax,
    tipMin: BigInt(fees.tipMin ?? smaller(feeModel === 'ethereum' ? gwei / 100n : gwei / 10_000n, perGasMax)),
    tipMax: BigInt(fees.tipMax ?? smaller(5n * gwei, perGasMax)),
    perTransactionMax: BigInt(fees.perTransactionMax ?? fees.perHourMax),
    perHourMax: BigInt(fees.perHourMax),
  }
  if (limits.tipMin > limits.tipMax) throw invalid(`${path}/tipMin`, 'tipMin is at most tipMax')
  if (limits.tipMax > perGasMax) throw invalid(`${path}/tipMax`, 'tipMax is at most perGasMax')
  if (limits.perTransactionMax > limits.perHourMax)
    throw invalid(`${path}/perHourMax`, 'perHourMax is at least perTransactionMax')
  if (limits.perTransactionMax < 21_000n * limits.tipMin)
    throw invalid(`${path}/perTransactionMax`, 'no transaction costs so little')
  const usual = perGasMax * gasOfOne
  return { limits, balanceMinWei: BigInt(fees.balanceMin ?? smaller(usual, limits.perHourMax)) }
}

const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b)

function unique(names: readonly string[], path: string, sentence: string): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw invalid(path, `${sentence} ${twice}`)
}

function invalid(path: string, message: string): OracleError {
  return new OracleError('CHAIN_CONFIG_INVALID', message, { path })
}
