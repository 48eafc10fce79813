// A chain with one key of interest, in memory: mempool, blocks, reorganisations, all from one seed; and a disk that forgets.

import { createHash } from 'node:crypto'
import { OracleError } from '../../src/base/errors.js'
import type { Fees } from '../../src/chain/fees.js'
import type { JournalDisk } from '../../src/chain/journal.js'
import type { SendOutcome } from '../../src/chain/send-outcome.js'
import type { SenderHead, SenderRpc, UnsignedTransaction } from '../../src/chain/sender.js'
import type { Receipt } from '../../src/chain/sender-state.js'
import type { Rng } from '../simulation/rng.js'

export interface ModelTransaction extends Fees {
  readonly hash: string
  readonly nonce: number
  /** Calldata; `0x` for none. */
  readonly data: string
}

interface Block {
  readonly hash: string
  readonly baseFeePerGas: bigint
  readonly transactions: readonly ModelTransaction[]
}

const gasUsed = 21_000n
const sumOf = (text: string): string => `0x${createHash('sha256').update(text).digest('hex')}`

/** The hash of a signed transaction. */
export const hashOf: (raw: string) => string = sumOf

/** Signs as this chain understands it. */
export function modelSign(transaction: UnsignedTransaction): { readonly raw: string; readonly hash: string } {
  const raw = JSON.stringify(transaction, (_key, value) =>
    typeof value === 'bigint' ? `${value}` : (value as unknown),
  )
  return { raw, hash: hashOf(raw) }
}

/** The chain and the one node that shows it. */
export class ModelChain {
  readonly #rng: Rng
  readonly #blocks: Block[] = [{ hash: sumOf('genesis'), baseFeePerGas: 10n, transactions: [] }]
  readonly #pool = new Map<number, ModelTransaction>()
  baseFee: bigint = 10n
  readonly balance: bigint = 10n ** 20n
  isLost: boolean = false
  /** Blocks by which the node shows an older head. */
  lag: number = 0

  constructor(rng: Rng) {
    this.#rng = rng
  }

  get height(): number {
    return this.#blocks.length - 1
  }

  get transactions(): readonly ModelTransaction[] {
    return this.#blocks.flatMap(({ transactions }) => transactions)
  }

  /** What the transactions of `hashes` paid. */
  paidWei(hashes: ReadonlySet<string>): bigint {
    return this.#blocks
      .flatMap(({ transactions, baseFeePerGas }) => {
        return transactions.filter(({ hash }) => hashes.has(hash)).map((one) => priceOf(one, baseFeePerGas))
      })
      .reduce((sum, price) => sum + price * gasUsed, 0n)
  }

  /** How often the effect of `data` happened. */
  count(data: string): number {
    return this.transactions.filter((one) => one.data === data).length
  }

  mine(): void {
    const transactions: ModelTransaction[] = []
    for (let nonce = this.transactions.length; transactions.length < 4; nonce++) {
      const next = this.#pool.get(nonce)
      if (next === undefined || next.maxFeePerGas < this.baseFee || this.#rng.chance(0.1)) break
      this.#pool.delete(nonce)
      transactions.push(next)
    }
    const hash = sumOf(`${this.#blocks.at(-1)!.hash} ${this.#rng.next()}`)
    this.#blocks.push({ hash, baseFeePerGas: this.baseFee, transactions })
  }

  /** Replaces the last `depth` blocks by as many; what they held mostly waits again, as far as the node remembers it. */
  reorganise(depth: number): void {
    const gone = this.#blocks.splice(Math.max(1, this.#blocks.length - depth))
    for (const one of gone.flatMap(({ transactions }) => transactions)) {
      if (this.#rng.chance(0.6)) this.#pool.set(one.nonce, one)
    }
    for (let i = 0; i < gone.length; i++) this.mine()
  }

  /** Forgets part of the mempool. */
  forget(): void {
    for (const nonce of [...this.#pool.keys()]) if (this.#rng.chance(0.5)) this.#pool.delete(nonce)
  }

  /** Puts a transaction of another tool into the mempool, at the next nonce that is free there or already in use. */
  steal(): void {
    const nonce = this.transactions.length + this.#rng.below(3)
    const fees = { maxFeePerGas: 10n ** 6n, maxPriorityFeePerGas: 10n ** 6n }
    this.#pool.set(nonce, { hash: sumOf(`foreign ${this.#rng.next()}`), nonce, data: '0x', ...fees })
  }

  /** What a sender sees of it. */
  rpc(): SenderRpc {
    const at = ({ hash }: SenderHead): readonly Block[] => {
      const end = this.#blocks.findIndex((block) => block.hash === hash)
      if (end === -1 || this.isLost) throw new OracleError('CLIENT_UNREACHABLE', 'no quorum')
      return this.#blocks.slice(0, end + 1)
    }
    return {
      head: async () => {
        if (this.isLost) throw new OracleError('CLIENT_UNREACHABLE', 'no quorum')
        const number = Math.max(0, this.height - this.lag)
        const { hash, baseFeePerGas } = this.#blocks[number]!
        return { number, hash, baseFeePerGas }
      },
      count: async (_address, head) => at(head).flatMap(({ transactions }) => transactions).length,
      balance: async (_address, head) => {
        at(head)
        return this.balance
      },
      tip: async () => 1n,
      receipt: async (hash, head) => {
        const blocks = at(head)
        const blockNumber = blocks.findIndex(({ transactions }) => transactions.some((one) => one.hash === hash))
        if (blockNumber === -1) return null
        const { hash: blockHash, transactions, baseFeePerGas } = blocks[blockNumber]!
        const paidWei = priceOf(transactions.find((one) => one.hash === hash)!, baseFeePerGas) * gasUsed
        const receipt: Receipt = { hash, blockNumber, blockHash, isSuccess: true, gasUsed, paidWei }
        return receipt
      },
      send: async (raw) => this.#send(raw),
    }
  }

  #send(raw: string): SendOutcome {
    if (this.isLost) return 'gone'
    const { nonce, data, maxFeePerGas, maxPriorityFeePerGas } = JSON.parse(raw) as Record<string, string>
    const next: ModelTransaction = {
      hash: sumOf(raw),
      nonce: Number(nonce),
      data: data!,
      maxFeePerGas: BigInt(maxFeePerGas!),
      maxPriorityFeePerGas: BigInt(maxPriorityFeePerGas!),
    }
    if (next.nonce < this.transactions.length) return 'nonceTooLow'
    const before = this.#pool.get(next.nonce)
    if (before?.hash === next.hash) return 'known'
    if (before !== undefined && !isReplacement(before, next)) return 'underpriced'
    this.#pool.set(next.nonce, next)
    return 'taken'
  }
}

/** As nodes ask: a tenth more on both fields. */
function isReplacement(before: Fees, next: Fees): boolean {
  return (['maxFeePerGas', 'maxPriorityFeePerGas'] as const).every(
    (field) => next[field] > before[field] && next[field] * 10n >= before[field] * 11n,
  )
}

function priceOf({ maxFeePerGas, maxPriorityFeePerGas }: Fees, baseFee: bigint): bigint {
  return maxFeePerGas < baseFee + maxPriorityFeePerGas ? maxFeePerGas : baseFee + maxPriorityFeePerGas
}

/** A disk on which only what was synced is sure to survive `cut`; of what was not, a random prefix does. */
export class ForgetfulDisk {
  readonly #rng: Rng
  #synced: Uint8Array = new Uint8Array(0)
  #current: Uint8Array = new Uint8Array(0)

  constructor(rng: Rng) {
    this.#rng = rng
  }

  /** What is sure to survive. */
  get durable(): string {
    return Buffer.from(this.#synced).toString()
  }

  cut(): void {
    const kept = this.#synced.length + this.#rng.below(Math.max(0, this.#current.length - this.#synced.length) + 1)
    this.#synced = this.#current.length > this.#synced.length ? this.#current.slice(0, kept) : this.#synced
    this.#current = this.#synced
  }

  /** `step` is awaited before each operation; it never resolves once the process is dead. */
  disk(step: () => Promise<void>): JournalDisk {
    return {
      open: async () => ({
        size: async () => this.#current.length,
        read: async () => this.#current,
        write: async (place, bytes) => {
          await step()
          const next = new Uint8Array(Math.max(this.#current.length, place + bytes.length))
          next.set(this.#current)
          next.set(bytes, place)
          this.#current = next
        },
        truncate: async (length) => {
          this.#current = this.#current.slice(0, length)
        },
        sync: async () => {
          await step()
          this.#synced = this.#current
        },
        close: async () => {},
      }),
      rename: async () => {},
      syncDirectory: async () => {},
    }
  }
}
