// The chains of one oracle: their keys opened, each put together, and every report handed to all of them.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from './base/clock.js'
import { nodeDisk } from './base/disk.js'
import { OracleError } from './base/errors.js'
import type { PayerConfig } from './chain-config.js'
import { type ChainParts, openChain, type RunningChain } from './chain-part.js'
import type { PayerKey } from './chain-payers.js'
import type { Config } from './config.js'
import { equalBytes } from './core/bytes.js'
import type { Engine } from './core/engine.js'
import type { AttestedReport, ReportKernel } from './core/report.js'
import type { ReportParts } from './core/report-json.js'
import type { SealSet } from './core/state.js'
import { openKeystore } from './crypto/keystore.js'
import { readPassphrase } from './crypto/passphrase.js'
import type { ChainEvent, ChainFacts } from './deliver/chain-event.js'
import { type CostFile, openCosts } from './deliver/cost-file.js'
import type { DeclaredTriggers } from './deliver/target.js'

export interface ChainsParts {
  readonly config: Config
  /** Opens the keystores that have no passphrase of their own. */
  readonly passphrase: string
  readonly engine: Engine
  readonly kernel: ReportKernel
  readonly clock: Clock
  readonly askFeed: (feed: number) => void
  readonly onEvent: (event: ChainEvent) => void
  readonly onWarning: (code: string, sentence: string) => void
  readonly onFault: (error: unknown) => void
}

export interface Chains {
  onReport(report: AttestedReport): void
  onSeals(seals: SealSet): void
  facts(): readonly ChainFacts[]
  close(): Promise<void>
}

/** Reports of which seals may still come. */
const awaitedMax = 8

/** Opens every chain of the configuration and lets it run; throws what refuses, with nothing left open. */
export async function openChains(parts: ChainsParts): Promise<Chains> {
  const { config, engine, kernel, clock, onEvent } = parts
  const { committee, self } = config
  const declared = await declaredTriggers(engine, config)
  const chains: RunningChain[] = []
  const tables: CostFile[] = []
  let isClosed = false
  const close = async (): Promise<void> => {
    isClosed = true
    await Promise.all(chains.splice(0).map((chain) => chain.close().catch(parts.onFault)))
    await Promise.all(tables.splice(0).map((costs) => costs.close()))
  }
  try {
    for (const chain of config.chains) {
      const folder = join(config.state, 'chains', chain.name)
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const keys = {
        pushes: await openKeys(parts, chain.senders),
        requests: await openKeys(parts, chain.requests?.senders ?? []),
      }
      const onError = ({ code, message }: OracleError): void => parts.onWarning(code, message)
      const costs = await openCosts({ disk: nodeDisk, path: join(folder, 'costs.json'), onError })
      tables.push(costs)
      const { onFault, askFeed } = parts
      const what = { engine, committee, kernel, member: self, chain, declared, keys, folder, clock, costs }
      const chainParts = { ...what, askFeed, onEvent, onFault }
      chains.push(await openChain(chainParts).catch((error: unknown) => withoutJournal(chainParts, error)))
      // Each is with its wallet now.
      for (const { privateKey } of [...keys.pushes, ...keys.requests]) privateKey.fill(0)
    }
  } catch (error) {
    await close()
    throw error
  }
  for (const chain of chains) chain.run()
  /** After the turn in which it was attested: delivery holds up no round, and no fault of it reaches one. */
  const hand = (report: ReportParts): void => {
    setImmediate(() => {
      for (const chain of isClosed ? [] : chains) chain.onReport(report)
    })
  }
  const awaited: AttestedReport[] = []
  return {
    onReport: (report) => {
      awaited.unshift(report)
      awaited.length = Math.min(awaited.length, awaitedMax)
      hand(report)
    },
    onSeals: ({ reportDigest, signers, signatures }) => {
      const report = awaited.find(({ digest }) => equalBytes(digest, reportDigest))
      if (report !== undefined) hand({ ...report, seals: { signers, signatures } })
    },
    facts: () => chains.map((chain) => chain.facts()),
    close,
  }
}

/**
 * A chain whose journal cannot be used: nothing is sent there, since a nonce might be given twice, and everything else goes
 * on. Other errors are the configuration's, and refuse the start.
 */
function withoutJournal({ chain, costs, onEvent }: ChainParts, error: unknown): RunningChain {
  if (!(error instanceof OracleError) || !error.code.startsWith('JOURNAL_')) throw error
  const { code, message: why } = error
  onEvent({ event: 'chain', chain: chain.name, code, why })
  const nothing = { head: null, endpoints: [], senders: [], stores: [], requests: null }
  return {
    onReport: () => undefined,
    look: async () => undefined,
    tick: () => undefined,
    run: () => undefined,
    facts: () => ({
      chain: chain.name,
      chainId: chain.profile.chainId,
      stoppedBy: { code, why },
      costs: costs.rows(),
      ...nothing,
    }),
    close: async () => undefined,
  }
}

async function openKeys(parts: ChainsParts, payers: readonly PayerConfig[]): Promise<readonly PayerKey[]> {
  const keys: PayerKey[] = []
  for (const { keystore, passphraseFile } of payers) {
    const own = passphraseFile === null ? null : await readPassphrase(passphraseFile)
    const exposed = (file: string): void =>
      parts.onWarning('KEY_FILE_EXPOSED', `other users of this machine can read ${file}: chmod 600`)
    if (own?.isExposed === true) exposed(passphraseFile!)
    const key = await openKeystore(keystore, own?.text ?? parts.passphrase)
    if (key.isExposed) exposed(keystore)
    const { members } = parts.config.committee
    if (members.some(({ address }) => address === key.address)) {
      const message = 'a signing key of the committee pays for nothing: make a key of its own'
      throw new OracleError('CHAIN_CONFIG_INVALID', message, { path: keystore })
    }
    keys.push(key)
  }
  return keys
}

/** When each feed goes on chain; numbers made in the process go by their validity alone. */
async function declaredTriggers(engine: Engine, { committee, source }: Config): Promise<readonly DeclaredTriggers[]> {
  if (source.kind === 'synthetic')
    return committee.feeds.map(({ name, validForS }) => ({
      name,
      triggers: { deviationPpm: 0, heartbeatS: validForS },
      singleSource: null,
    }))
  const { declarationsOf } = await import('./feed-source.js')
  return declarationsOf(engine, committee, source)
}
