// What all commands for chains begin with: endpoints that must agree, the right chain, and where there is one a key.

import { resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { readClock } from '../base/clock.js'
import { type ErrorFacts, OracleError } from '../base/errors.js'
import type { Block } from '../chain/answers.js'
import { type ChainName, type ChainProfile, chainProfile, chainProfiles } from '../chain/chain-profile.js'
import type { EndpointConfig } from '../chain/endpoint.js'
import { createRpcQuorum, type RpcQuorum } from '../chain/rpc-quorum.js'
import { gwei, type OnceNews, type OnceSender } from '../chain/send-once.js'
import { requireSequencer } from '../chain/sequencer.js'
import { createWallet } from '../chain/wallet.js'
import { loadCommittee, loadConfig } from '../config.js'
import type { Committee } from '../core/committee.js'
import { createWasmEngine } from '../crypto/engine-wasm.js'
import { openKeystore } from '../crypto/keystore.js'
import { readPassphrase } from '../crypto/passphrase.js'
import type { Talk } from './chain-talk.js'

/** Options of every command for chains. */
export interface ChainOptions {
  readonly rpc?: readonly string[]
  readonly config?: string
  readonly chain: string
  readonly chainId?: number
}

/** Options of the commands that send transactions. */
export interface KeyOptions {
  readonly keystore?: string
  readonly passphraseFile?: string
  readonly maxGwei: number
  readonly deadline: number
}

/** A chain that was asked and is the right one. */
export interface OpenedChain {
  readonly quorum: RpcQuorum
  readonly profile: ChainProfile
  /** As it was when the chain was opened. */
  readonly head: Block
}

const gweiWei = 1_000_000_000n

/** Runs `act` on the chain of `options`, and closes it; CHAIN_ID_WRONG, CHAIN_NO_QUORUM, CHAIN_CONFIG_INVALID. */
export async function withChain<T>(
  options: ChainOptions,
  talk: Talk,
  act: (chain: OpenedChain) => Promise<T>,
): Promise<T> {
  const { profile, endpoints, quorum: agreeing } = await chainOf(options)
  const quorum = createRpcQuorum({ endpoints, quorum: agreeing, profile, clock: readClock })
  try {
    const head = await firstHead(quorum)
    if (endpoints.length === 1)
      talk.warn(`one endpoint is believed whatever it says: name several with --rpc (${endpoints[0]!.name})`)
    for (const { name, state, reason } of quorum.facts())
      if (state !== 'counting') talk.warn(`endpoint ${name} does not count: ${state}, ${reason}`)
    return await act({ quorum, profile, head })
  } finally {
    quorum.close()
  }
}

/** The committee document at `path`: itself, or the folder that holds it. */
export async function committeeAt(path: string): Promise<{ readonly committee: Committee; readonly file: string }> {
  const file = path.endsWith('.json') ? resolve(path) : resolve(path, 'committee.json')
  return { committee: loadCommittee(await createWasmEngine(), file), file }
}

/**
 * The key of --keystore, ready to send; KEYSTORE_… and KEY_FILE_… where it cannot be opened, CHAIN_SEQUENCER_DOWN where
 * a rollup takes nothing now.
 */
export async function openSender(quorum: RpcQuorum, options: KeyOptions, talk: Talk): Promise<OnceSender> {
  const { keystore, passphraseFile, maxGwei, deadline } = options
  if (keystore === undefined || passphraseFile === undefined) {
    const message = 'a key is needed to send transactions: --keystore FILE --passphrase-file FILE'
    throw new OracleError('KEY_FILE_UNREADABLE', message, { path: '--keystore' })
  }
  await requireSequencer(quorum, await quorum.head())
  const passphrase = await readPassphrase(passphraseFile)
  const { privateKey, address, isExposed } = await openKeystore(keystore, passphrase.text)
  const wallet = createWallet(privateKey)
  privateKey.fill(0)
  if (isExposed) talk.warn(`other users of this machine can read ${keystore}: chmod 600`)
  if (passphrase.isExposed) talk.warn(`other users of this machine can read ${passphraseFile}: chmod 600`)
  const perGasMax = BigInt(Math.round(maxGwei * 1_000)) * (gweiWei / 1_000n)
  const least = gweiWei / 100n
  return {
    quorum,
    wallet,
    address,
    limits: {
      perGasMax,
      tipMin: least < perGasMax ? least : perGasMax,
      tipMax: 5n * gweiWei < perGasMax ? 5n * gweiWei : perGasMax,
      perTransactionMax: perGasMax * 2n ** 24n,
      perHourMax: perGasMax * 2n ** 32n,
    },
    clock: readClock,
    wait: (ms) => wait(ms),
    deadlineMs: deadline * 1000,
    onNews: (news) => tellNews(news, talk),
  }
}

/**
 * For `catch`: a transaction that is in no block yet stays TRANSACTION_NOT_MINED, one of another that took its place
 * NONCE_TAKEN, each with what running the command again will do, and what else there is to know.
 */
export function meanwhile(again: string, facts: ErrorFacts = {}): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof OracleError) || !/^(TRANSACTION_NOT_MINED|NONCE_TAKEN)$/.test(error.code)) throw error
    const { code, message } = error
    throw new OracleError(code, `${message}. ${again}`, { facts: { ...error.facts, ...facts }, cause: error })
  }
}

/** What passes as now for a contract: the head's time, or this machine's where no block has come for a while. */
export function nowMsAt(head: Block): number {
  return Math.max(head.timestampMs, readClock().wallMs)
}

function tellNews(news: OnceNews, talk: Talk): void {
  switch (news.kind) {
    case 'sent':
      return talk.say(`  sent ${news.hash} (nonce ${news.nonce}, at most ${gwei(news.fees.maxFeePerGas)} gwei)`)
    case 'mined':
      return talk.say(
        `  in block ${news.block}${news.of > 1 ? `, ${news.confirmations} of ${news.of} confirmations` : ''}`,
      )
    case 'blind':
      return talk.say(`  waiting: ${news.why}`)
  }
}

/** The head, or the reason why there is none: another chain is told apart from a chain that does not answer. */
async function firstHead(quorum: RpcQuorum): Promise<Block> {
  try {
    return await quorum.head()
  } catch (error) {
    const strangers = quorum.facts().filter(({ state }) => state === 'foreign')
    if (!(error instanceof OracleError) || strangers.length === 0) throw error
    const { name, chainId } = quorum.profile
    const said = strangers.map((facts) => `${facts.name}: ${facts.reason}`).join('; ')
    const message = `this is not chain ${name} (${chainId}): ${said}`
    throw new OracleError('CHAIN_ID_WRONG', message, { facts: { chain: name, chainId }, cause: error })
  }
}

interface Chosen {
  readonly profile: ChainProfile
  readonly endpoints: readonly EndpointConfig[]
  readonly quorum: number
}

async function chainOf({ rpc = [], config, chain, chainId }: ChainOptions): Promise<Chosen> {
  if (config !== undefined) {
    const { chains } = loadConfig(await createWasmEngine(), resolve(config))
    const found = chains.find(({ name }) => name === chain) ?? chains.find(({ profile }) => profile.name === chain)
    if (found !== undefined) return found
    const names = chains.map(({ name }) => name).join(', ')
    const message = `${config} configures no chain ${chain}${names === '' ? '' : `, but ${names}`}: choose with --chain`
    throw new OracleError('CHAIN_CONFIG_INVALID', message, { path: '/chains' })
  }
  if (!Object.hasOwn(chainProfiles, chain)) {
    const message = `there is no profile of a chain ${chain}, but ${Object.keys(chainProfiles).join(', ')}`
    throw new OracleError('CHAIN_CONFIG_INVALID', message, { path: '--chain' })
  }
  const profile = chainProfile(chain as ChainName, ownOf(chain as ChainName, chainId))
  if (rpc.length === 0) {
    const message = 'no endpoint is named: --rpc URL, better three of them, or --config FOLDER of an oracle'
    throw new OracleError('CHAIN_CONFIG_INVALID', message, { path: '/endpoints' })
  }
  return { profile, endpoints: namedEndpoints(rpc), quorum: Math.floor(rpc.length / 2) + 1 }
}

/** What differs on a test network: its id, and nobody tells of its sequencer at the address of the real one. */
function ownOf(chain: ChainName, chainId: number | undefined): Partial<ChainProfile> {
  return chainId === undefined || chainId === chainProfiles[chain].chainId ? {} : { chainId, sequencerFeed: null }
}

/** Endpoints under the names of their hosts: a URL may hold a key, and is never shown. */
function namedEndpoints(urls: readonly string[]): readonly EndpointConfig[] {
  const names = new Map<string, number>()
  return urls.map((url, i) => {
    const host = URL.canParse(url) ? new URL(url).host.toLowerCase() : ''
    // A name that config.json takes, too.
    const fit = host.replace(/[^a-z0-9.-]+/g, '-').replace(/^-+|-+$/g, '')
    const name = fit === '' ? `endpoint-${i + 1}` : fit.slice(0, 60)
    const count = (names.get(name) ?? 0) + 1
    names.set(name, count)
    return { name: count === 1 ? name : `${name}-${count}`, url }
  })
}
