// What a sender needs besides its journal, over one real node, and a contract that counts the effects of jobs.

import { computeAddress, getBytes } from 'ethers'
import { OracleError } from '../../src/base/errors.js'
import { outcomeOf, type SendOutcome } from '../../src/chain/send-outcome.js'
import type { SenderHead, SenderRpc, SenderWallet } from '../../src/chain/sender.js'
import type { Job, Receipt, SenderRules } from '../../src/chain/sender-state.js'
import { createWallet } from '../../src/chain/wallet.js'
import { askNode } from './anvil.js'

export const gwei = 1_000_000_000n

/** The runtime adds 1 to the slot that the first word of calldata names. */
export const counterCode = '0x600b600c600039600b6000f36000358054600101905500'

/** The account that pays: anvil's first. */
export const keys: readonly string[] = [
  '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
]

type Ask = (method: string, ...params: readonly unknown[]) => Promise<unknown>

/** The RPC of one node, without a quorum: what it says is at one block, and an error is a lost quorum. */
export function nodeRpc(url: string): SenderRpc {
  const ask: Ask = async (method, ...params) => {
    try {
      return await askNode(url, method, params)
    } catch (cause) {
      throw new OracleError('CLIENT_UNREACHABLE', `${method}: ${String(cause)}`, { cause })
    }
  }
  const place = ({ hash }: SenderHead): unknown => ({ blockHash: hash })
  return {
    head: async () => {
      const block = (await ask('eth_getBlockByNumber', 'latest', false)) as Readonly<Record<string, string>>
      return {
        number: Number(block['number']),
        hash: block['hash']!,
        baseFeePerGas: BigInt(block['baseFeePerGas']!),
      }
    },
    count: async (address, head) => Number(await ask('eth_getTransactionCount', address, place(head))),
    balance: async (address, head) => BigInt((await ask('eth_getBalance', address, place(head))) as string),
    tip: async () => gwei,
    receipt: async (hash, head) => {
      const found = (await ask('eth_getTransactionReceipt', hash)) as Readonly<Record<string, string>> | null
      if (found === null || Number(found['blockNumber']) > head.number) return null
      const receipt: Receipt = {
        hash,
        blockNumber: Number(found['blockNumber']),
        blockHash: found['blockHash']!,
        isSuccess: found['status'] === '0x1',
        gasUsed: BigInt(found['gasUsed']!),
        paidWei: BigInt(found['gasUsed']!) * BigInt(found['effectiveGasPrice']!),
      }
      return receipt
    },
    send: async (raw): Promise<SendOutcome> => {
      try {
        await askNode(url, 'eth_sendRawTransaction', [raw])
        return 'taken'
      } catch (error) {
        return outcomeOf((error as Error).message)
      }
    },
  }
}

/** The wallet of a private key, with its address. */
export function walletOf(privateKey: string): SenderWallet & { readonly address: string } {
  return { ...createWallet(getBytes(privateKey)), address: computeAddress(privateKey) }
}

/** Rules that tests change where they must. */
export function rulesOf(address: string, own: Partial<SenderRules> = {}): SenderRules {
  return {
    chainId: 31_337,
    address,
    confirmations: 2,
    finalityBlocks: 70,
    raiseAfterBlocks: 2,
    flightsMax: 16,
    balanceMinWei: 10n ** 16n,
    rememberMs: 3_600_000,
    limits: {
      perGasMax: 2_000n * gwei,
      tipMin: gwei,
      tipMax: 10n * gwei,
      perTransactionMax: 10n ** 18n,
      perHourMax: 10n ** 19n,
    },
    ...own,
  }
}

/** The job that counts up `slot` of the counter at `to`. */
export function countJob(to: string, slot: number, priority = 0): Job {
  return { id: `job ${slot}`, to, data: `0x${slot.toString(16).padStart(64, '0')}`, gasLimit: 60_000n, priority }
}

/** How often the effect of job `slot` happened. */
export async function countOf(ask: Ask, counter: string, slot: number): Promise<number> {
  return Number(await ask('eth_getStorageAt', counter, `0x${slot.toString(16)}`, 'latest'))
}

/** Deploys the counter from `from`, an account that the node signs for; mines one block. */
export async function deployCounter(ask: Ask, from: string): Promise<string> {
  const hash = await ask('eth_sendTransaction', { from, data: counterCode, gas: '0x30d40' })
  for (;;) {
    await ask('evm_mine')
    const receipt = (await ask('eth_getTransactionReceipt', hash)) as { contractAddress: string } | null
    if (receipt !== null) return receipt.contractAddress
  }
}
