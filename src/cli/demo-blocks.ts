// Blocks of the demo's chain, mined one by one on the clock that its oracles live by, and what each transaction cost.

import type { Anvil } from './anvil.js'

/** A transaction in a block, as far as the demo reckons with it. Addresses are lower-case 0x hex. */
export interface Mined {
  readonly hash: string
  readonly from: string
  readonly to: string | null
  readonly contract: string | null
  readonly succeeded: boolean
  readonly gasUsed: bigint
  readonly feeWei: bigint
  readonly blockNumber: number
  readonly logs: readonly {
    readonly address: string
    readonly topics: readonly string[]
    readonly data: string
  }[]
}

export interface Blocks {
  /** Mines one block now; what it holds was told when this resolves. */
  mine(): Promise<void>
  /**
   * From now on block times are at least those of `nowMs`, and each `everyMs` a block comes if time went on or a
   * transaction waits: a chain that ran ahead of its oracles would call what they say old.
   */
  run(nowMs: () => number, everyMs: number): void
  /** The newest block. */
  head(): { readonly number: number; readonly timestampMs: number }
  /** No further block; resolves when none is under way. */
  close(): Promise<void>
}

interface BlockAnswer {
  readonly number: string
  readonly timestamp: string
  readonly transactions: readonly string[]
}

interface ReceiptAnswer {
  readonly transactionHash: string
  readonly from: string
  readonly to: string | null
  readonly contractAddress: string | null
  readonly status: string
  readonly gasUsed: string
  readonly effectiveGasPrice: string
  readonly blockNumber: string
  readonly logs: Mined['logs']
}

/**
 * Blocks of `anvil`, which mines none by itself; until `run` each is a second after the one before. `onMined` hears of
 * each transaction in order, `onFault` of a chain that does not answer, once for each spell.
 */
export function createBlocks(
  anvil: Anvil,
  genesisS: number,
  onMined: (mined: Mined) => void,
  onFault: (error: unknown) => void,
): Blocks {
  let head = { number: 0, timestampMs: genesisS * 1000 }
  let nowMs: () => number = () => 0
  let timer: NodeJS.Timeout | undefined
  let isClosed = false
  let last: Promise<void> = Promise.resolve()

  const mineOne = async (): Promise<void> => {
    if (isClosed) return
    // A chain's time rises with each block, whatever the clock does meanwhile.
    const timestampS = Math.max(head.timestampMs / 1000 + 1, Math.floor(nowMs() / 1000))
    await anvil.ask('evm_mine', timestampS)
    const block = await anvil.ask<BlockAnswer>('eth_getBlockByNumber', 'latest', false)
    head = { number: Number(block.number), timestampMs: Number(block.timestamp) * 1000 }
    for (const hash of block.transactions)
      onMined(minedOf(await anvil.ask<ReceiptAnswer>('eth_getTransactionReceipt', hash)))
  }
  const isDue = async (): Promise<boolean> => {
    if (Math.floor(nowMs() / 1000) * 1000 > head.timestampMs) return true
    return Number((await anvil.ask<{ pending: string }>('txpool_status')).pending) > 0
  }
  const mine = (): Promise<void> => {
    const next = last.then(mineOne)
    last = next.catch(() => undefined)
    return next
  }
  return {
    mine,
    run: (clock, everyMs) => {
      nowMs = clock
      let isFaulty = false
      const mineOn = (): void => {
        isDue()
          .then((due) => (due ? mine() : undefined))
          .then(() => {
            isFaulty = false
          })
          .catch((error: unknown) => {
            if (!isClosed && !isFaulty) onFault(error)
            isFaulty = true
          })
          .then(() => {
            if (!isClosed) timer = setTimeout(mineOn, everyMs)
          })
      }
      mineOn()
    },
    head: () => head,
    close: async () => {
      isClosed = true
      clearTimeout(timer)
      await last
    },
  }
}

function minedOf(receipt: ReceiptAnswer): Mined {
  const gasUsed = BigInt(receipt.gasUsed)
  return {
    hash: receipt.transactionHash,
    from: receipt.from.toLowerCase(),
    to: receipt.to?.toLowerCase() ?? null,
    contract: receipt.contractAddress?.toLowerCase() ?? null,
    succeeded: receipt.status === '0x1',
    gasUsed,
    feeWei: gasUsed * BigInt(receipt.effectiveGasPrice),
    blockNumber: Number(receipt.blockNumber),
    logs: receipt.logs,
  }
}
