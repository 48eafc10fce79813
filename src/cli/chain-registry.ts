// What rotate and pause share: a registry with its lineage, and a call of it that is sent, or shown to whoever holds the key.

import { OracleError } from '../base/errors.js'
import type { Block } from '../chain/answers.js'
import { type LineageFacts, readLineage, type Scheduled } from '../chain/lineage.js'
import { sendOnce } from '../chain/send-once.js'
import {
  type ChainOptions,
  type KeyOptions,
  meanwhile,
  type OpenedChain,
  openSender,
  withChain,
} from './chain-context.js'
import { type DeployedAddresses, type Deployment, requireDeployment } from './chain-deployment.js'
import type { Talk } from './chain-talk.js'

export interface RegistryOptions extends ChainOptions, KeyOptions {
  readonly deployment: string
}

/** A registry at the head. */
export interface OpenedRegistry {
  readonly chain: OpenedChain
  readonly deployment: Deployment & { readonly deployed: DeployedAddresses }
  readonly lineage: LineageFacts
  /** Sends a call of the registry; without a keystore it is only shown. */
  readonly call: (data: string) => Promise<Called>
}

/** A call that is in the chain, or one that somebody else has to sign. */
export type Called =
  | { readonly sent: true; readonly hash: string; readonly block: number; readonly gasUsed: bigint }
  | { readonly sent: false; readonly to: string; readonly data: string }

/** What holds for all calls of a registry: what they do is seen there, and two of the same nonce cannot both count. */
const again =
  'Run the same command again: it looks at the registry first, and while this one is in no block it sends at the same nonce'

/**
 * Runs `act` on the registry of the deployment; once more when another transaction took the nonce of its call, since that may
 * have been the same call by an earlier run.
 */
export function withRegistry(
  options: RegistryOptions,
  talk: Talk,
  act: (registry: OpenedRegistry) => Promise<number>,
): Promise<number> {
  return withChain(options, talk, async (chain) => {
    const { quorum, profile } = chain
    const deployment = requireDeployment(options.deployment, profile.chainId)
    const { registry } = deployment.deployed
    const call = async (data: string): Promise<Called> => {
      if (options.keystore === undefined) return { sent: false, to: registry, data }
      const sender = await openSender(quorum, options, talk)
      const { transactionHash, blockNumber, gasUsed } = await sendOnce(sender, { to: registry, data }).catch(
        meanwhile(again),
      )
      return { sent: true, hash: transactionHash, block: blockNumber, gasUsed }
    }
    const actAt = async (head: Block): Promise<number> => {
      const lineage = await readLineage(quorum, head, registry)
      return act({ chain: { ...chain, head }, deployment, lineage, call })
    }
    try {
      return await actAt(chain.head)
    } catch (error) {
      if (!(error instanceof OracleError) || error.code !== 'NONCE_TAKEN') throw error
      talk.say(`  ${error.message}; looking at the registry again`)
      return actAt(await quorum.head())
    }
  })
}

/** Whether a scheduled action waits, is due, or is over, by the block time that the contract will see. */
export function stateOf(scheduled: Scheduled | null, { timestampMs }: Block): 'none' | 'waits' | 'due' | 'over' {
  if (scheduled === null) return 'none'
  // Not by this machine's clock: the contract knows block time only.
  const nowS = Math.floor(timestampMs / 1000)
  if (nowS < scheduled.fromS) return 'waits'
  return nowS <= scheduled.untilS ? 'due' : 'over'
}

/** When what a mined call scheduled becomes possible, s since 1970: the contract reckons from the block's own time. */
export async function scheduledFrom({ chain, lineage }: OpenedRegistry, called: Called): Promise<number | null> {
  if (!called.sent) return null
  const { timestampMs } = await chain.quorum.blockAt(called.block)
  return Math.floor(timestampMs / 1000) + lineage.delayS
}

/** A call in words. */
export function calledText(called: Called): string {
  if (called.sent) return `In block ${called.block}, ${called.gasUsed} gas: ${called.hash}`
  return `Nothing was sent, no key is named (--keystore). Have it signed:\n  to    ${called.to}\n  data  ${called.data}`
}

/** Seconds since 1970 until which a transaction may be mined: longer where people have yet to sign it. */
export function deadlineOf({ timestampMs }: Block, { keystore }: RegistryOptions): number {
  return Math.floor(timestampMs / 1000) + (keystore === undefined ? 7 * 86_400 : 3_600)
}
