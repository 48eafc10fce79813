// What the node must know of a chain besides its endpoints: block time, finality, fees, when an endpoint counts as stuck.

import { OracleError } from '../base/errors.js'

/** Chainlink's feed that says whether the sequencer of a rollup is up, and how long after a return nothing is sent. */
export interface SequencerFeed {
  readonly address: string
  readonly graceMs: number
}

/** Facts of a chain that no endpoint is believed on. */
export interface ChainProfile {
  readonly name: string
  readonly chainId: number
  /** The usual time between two blocks. */
  readonly blockMs: number
  /** Blocks, its own included, after which a transaction is taken for applied. */
  readonly confirmations: number
  /** Blocks below the head that no reorganisation reaches in ordinary operation. */
  readonly finalityBlocks: number
  /**
   * All take EIP-1559 transactions. What a rollup takes for data: arbitrum as gas on top of what the call uses, so that the
   * gas limit must have it (data-gas.ts); op-stack in wei beside gas, which receipts tell and budgets count once it is paid.
   */
  readonly feeModel: 'ethereum' | 'arbitrum' | 'op-stack'
  /** An endpoint whose head has not moved for so long does not count, whatever the others do; null where blocks come on demand. */
  readonly frozenMs: number | null
  /** An endpoint further behind the agreed head does not count. */
  readonly lagBlocks: number
  readonly sequencerFeed: SequencerFeed | null
}

/** The name of a built-in profile. */
export type ChainName = 'ethereum' | 'base' | 'arbitrum' | 'optimism' | 'local'

/** Rollups are final with the block of the first layer that holds their data: 64 slots of 12 s, and the wait for the batch. */
const rollup = { confirmations: 10 } as const

/** One hour is the grace period of Chainlink's own example. */
const graceMs = 3_600_000

/**
 * The chains that are known by name. Chain ids: ethereum-lists/chains. Slots and finality: the consensus specification
 * (12 s, two epochs of 32). Block times of rollups: their operators' documentation. Sequencer feeds: Chainlink's page
 * "L2 Sequencer Uptime Feeds".
 */
export const chainProfiles: Readonly<Record<ChainName, ChainProfile>> = {
  ethereum: {
    name: 'ethereum',
    chainId: 1,
    blockMs: 12_000,
    confirmations: 3,
    finalityBlocks: 64,
    feeModel: 'ethereum',
    frozenMs: 180_000,
    lagBlocks: 3,
    sequencerFeed: null,
  },
  base: {
    ...rollup,
    name: 'base',
    feeModel: 'op-stack',
    chainId: 8453,
    blockMs: 2_000,
    finalityBlocks: 600,
    frozenMs: 60_000,
    lagBlocks: 10,
    sequencerFeed: { address: '0xBCF85224fc0756B9Fa45aA7892530B47e10b6433', graceMs },
  },
  arbitrum: {
    ...rollup,
    name: 'arbitrum',
    feeModel: 'arbitrum',
    chainId: 42_161,
    blockMs: 250,
    finalityBlocks: 4_800,
    frozenMs: 60_000,
    lagBlocks: 80,
    sequencerFeed: { address: '0xFdB631F5EE196F0ed6FAa767959853A9F217697D', graceMs },
  },
  optimism: {
    ...rollup,
    name: 'optimism',
    feeModel: 'op-stack',
    chainId: 10,
    blockMs: 2_000,
    finalityBlocks: 600,
    frozenMs: 60_000,
    lagBlocks: 10,
    sequencerFeed: { address: '0x371EAD81c9102C9BF4874A9075FFFf170F2Ee389', graceMs },
  },
  /** A development chain such as anvil: blocks may come on demand, so a still head alone says nothing. */
  local: {
    name: 'local',
    chainId: 31_337,
    blockMs: 1_000,
    confirmations: 1,
    finalityBlocks: 64,
    feeModel: 'ethereum',
    frozenMs: null,
    lagBlocks: 3,
    sequencerFeed: null,
  },
}

/** The profile called `name` with what `own` says in its place; CHAIN_CONFIG_INVALID where that makes no sense. */
export function chainProfile(name: ChainName, own: Partial<ChainProfile> = {}): ChainProfile {
  const profile: ChainProfile = { ...chainProfiles[name], ...own }
  checkChainProfile(profile)
  return profile
}

/** CHAIN_CONFIG_INVALID unless every number of `profile` can be meant. */
export function checkChainProfile(profile: ChainProfile): void {
  const least = { chainId: 1, blockMs: 1, confirmations: 1, finalityBlocks: 1, lagBlocks: 1 } as const
  for (const [field, min] of Object.entries(least)) {
    const value = profile[field as keyof typeof least]
    if (!Number.isSafeInteger(value) || value < min) throw invalid(field, `is a whole number of at least ${min}`)
  }
  const { frozenMs, blockMs, sequencerFeed } = profile
  if (frozenMs !== null && !(frozenMs >= 3 * blockMs)) throw invalid('frozenMs', 'is null or at least 3 · blockMs')
  if (sequencerFeed !== null) {
    if (!/^0x[0-9a-fA-F]{40}$/.test(sequencerFeed.address)) throw invalid('sequencerFeed/address', 'is an address')
    if (!(sequencerFeed.graceMs >= 0)) throw invalid('sequencerFeed/graceMs', 'is not negative')
  }
}

function invalid(field: string, rule: string): OracleError {
  return new OracleError('CHAIN_CONFIG_INVALID', `${field} of a chain profile ${rule}`, { path: `/profile/${field}` })
}
