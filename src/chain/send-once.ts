// One transaction from one key, now, and waiting for it: for commands of people. What runs by itself has sender.ts.

import { getCreateAddress } from 'ethers'
import type { Clock } from '../base/clock.js'
import { OracleError } from '../base/errors.js'
import type { Block } from './answers.js'
import { lowerMedian } from './answers.js'
import { reasonOf } from './contract-view.js'
import { costMax, type FeeLimits, type Fees, type Market, makeOffer } from './fees.js'
import { balanceOf, callOf, hex, nonceOf, type Question, tipOf } from './questions.js'
import type { Inclusion, RpcQuorum } from './rpc-quorum.js'
import type { Wallet } from './wallet.js'

/** What is wanted: a call of `to`, or a new contract where it is null. */
export interface Wanted {
  readonly to: string | null
  /** 0x hex. */
  readonly data: string
}

/** A transaction that was signed and may be anywhere; JSON, so that it can be kept until its end is known. */
export interface Pending {
  readonly nonce: number
  readonly gasLimit: string
  /** Oldest first; only one of them can be in a chain. */
  readonly attempts: readonly {
    readonly hash: string
    readonly raw: string
    readonly maxFeePerGas: string
    readonly maxPriorityFeePerGas: string
  }[]
}

export type OnceNews =
  | {
      readonly kind: 'sent'
      readonly hash: string
      readonly nonce: number
      readonly gasLimit: bigint
      readonly fees: Fees
    }
  | {
      readonly kind: 'mined'
      readonly hash: string
      readonly block: number
      readonly confirmations: number
      readonly of: number
    }
  /** No quorum is heard; it is waited for. */
  | { readonly kind: 'blind'; readonly why: string }

/** A key on a chain, and how long to wait. */
export interface OnceSender {
  readonly quorum: RpcQuorum
  readonly wallet: Wallet
  /** Lower-case 0x hex. */
  readonly address: string
  readonly limits: FeeLimits
  readonly clock: Clock
  /** Resolves after `ms`. */
  readonly wait: (ms: number) => Promise<void>
  /** For one transaction, from its sending. */
  readonly deadlineMs: number
  readonly onNews: (news: OnceNews) => void
}

/** EIP-7825: no transaction may have more gas. */
const gasMax = 2n ** 24n
const raiseAfterBlocks = 3
/**
 * How often in a row the nonce must be found used and the transaction nowhere, before it is another's doing: a node that is at
 * work on a block may show the nonce of it and not yet the receipt, and a second contract costs more than a second look.
 */
const takenLooks = 4

/** What a transaction came to, as deep in the chain as its profile asks. */
export type Done = Inclusion['receipt']

/**
 * Sends what is wanted and waits for it. `onPending` is told each signed attempt before it leaves, and has kept it when it
 * resolves; `pending` is what an earlier run kept: it is looked for first. TRANSACTION_REVERTED before anything is paid or
 * after, TRANSACTION_REFUSED, TRANSACTION_NOT_MINED, KEY_UNFUNDED, FEE_CAP, NONCE_TAKEN.
 */
export async function sendOnce(
  sender: OnceSender,
  wanted: Wanted,
  onPending: (pending: Pending) => Promise<void> = async () => undefined,
  pending: Pending | null = null,
): Promise<Done> {
  const { quorum } = sender
  let way = pending !== null && (await isOpen(sender, pending)) ? pending : null
  const deadlineMs = sender.clock().steadyMs + sender.deadlineMs
  if (way === null) {
    const head = await quorum.head()
    const gasLimit = await estimateGas(sender, wanted, head)
    const nonce = await quorum.read(nonceOf(sender.address), head)
    way = await attempt(sender, wanted, { nonce, gasLimit: `${gasLimit}`, attempts: [] }, head, onPending)
  }
  let sentAtBlock = await hand(sender, way)
  let taken = 0
  for (;;) {
    const seen = await look(sender, way)
    taken = isTaken(seen, way) ? taken + 1 : 0
    if (seen !== null) {
      const { included, head } = seen
      if (included !== null) {
        const { receipt, confirmations } = included
        const { hash, number } = { hash: receipt.transactionHash, number: receipt.blockNumber }
        const of = quorum.profile.confirmations
        sender.onNews({ kind: 'mined', hash, block: number, confirmations: Math.min(of, confirmations), of })
        if (confirmations >= of) return succeeded(sender, wanted, receipt)
      } else if (taken >= takenLooks) {
        const message = `Nonce ${way.nonce} of ${sender.address} was used by another transaction`
        throw new OracleError('NONCE_TAKEN', message, { facts: { address: sender.address, nonce: way.nonce } })
      } else if (taken === 0 && head.number >= sentAtBlock + raiseAfterBlocks) {
        way = (await unlessBlind(sender, attempt(sender, wanted, way, head, onPending))) ?? way
        sentAtBlock = (await unlessBlind(sender, hand(sender, way))) ?? head.number
      }
    }
    if (sender.clock().steadyMs >= deadlineMs) throw notMined(sender, way)
    await sender.wait(pauseMs(sender))
  }
}

function pauseMs({ quorum }: OnceSender): number {
  return Math.min(4_000, Math.max(50, Math.floor(quorum.profile.blockMs / 3)))
}

/** What first attempts of transactions of `gas` in all may cost at most now, wei. */
export async function costNow(sender: OnceSender, gas: bigint, head: Block): Promise<bigint> {
  // It may be the sum of several transactions, so the cap on one of them is not asked.
  return costMax(feesNow(sender, 21_000n, await marketAt(sender, head), null), gas)
}

/** Where the transaction with this nonce makes its contract, whichever of several it is. */
export function madeAt(address: string, nonce: number): string {
  return getCreateAddress({ from: address, nonce }).toLowerCase()
}

/** Whether what an earlier run signed can still be in the chain: its nonce is free, or used by it. */
async function isOpen(sender: OnceSender, pending: Pending): Promise<boolean> {
  for (let taken = 0; taken < takenLooks; taken++) {
    if (!isTaken(await look(sender, pending), pending)) return true
    await sender.wait(pauseMs(sender))
  }
  return false
}

/** Whether the nonce is used, and not by this transaction as far as can be seen. */
function isTaken(seen: Seen | null, { nonce }: Pending): boolean {
  return seen !== null && seen.included === null && seen.count > nonce
}

interface Seen {
  readonly head: Block
  readonly included: Inclusion | null
  /** Transactions of the key that are as deep in the chain as it takes to believe them. */
  readonly count: number
}

/** What the chain says of the transaction; null while no quorum is heard. */
function look(sender: OnceSender, { attempts }: Pending): Promise<Seen | null> {
  const { quorum, address } = sender
  const seen = async (): Promise<Seen> => {
    const head = await quorum.head()
    for (const { hash } of attempts) {
      const included = await quorum.receipt(hash, head)
      if (included !== null) return { head, included, count: 0 }
    }
    // A node may know a nonce before it can find the receipt: only what is deep was somebody else's.
    const { confirmations } = quorum.profile
    const deep = confirmations === 1 ? head : await quorum.blockAt(Math.max(0, head.number - confirmations + 1))
    return { head, included: null, count: await quorum.read(nonceOf(address), deep) }
  }
  return unlessBlind(sender, seen())
}

/** What `work` comes to; null where no quorum is heard, which passes. */
async function unlessBlind<T>({ onNews }: OnceSender, work: Promise<T>): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof OracleError) || !/^CHAIN_(NO_QUORUM|SPLIT)$/.test(error.code)) throw error
    onNews({ kind: 'blind', why: error.message })
    return null
  }
}

/** `way` with one more signed attempt, which is kept before it leaves; the same where fees cannot be raised any more. */
async function attempt(
  sender: OnceSender,
  { to, data }: Wanted,
  way: Pending,
  head: Block,
  onPending: (pending: Pending) => Promise<void>,
): Promise<Pending> {
  const { quorum, wallet, address } = sender
  const gasLimit = BigInt(way.gasLimit)
  const last = way.attempts.at(-1)
  const before =
    last === undefined
      ? null
      : { maxFeePerGas: BigInt(last.maxFeePerGas), maxPriorityFeePerGas: BigInt(last.maxPriorityFeePerGas) }
  let fees: Fees
  try {
    fees = feesNow(sender, gasLimit, await marketAt(sender, head), before)
  } catch (error) {
    if (before === null || !(error instanceof OracleError)) throw error
    return way
  }
  const balance = await quorum.read(balanceOf(address), head)
  if (before === null && balance < costMax(fees, gasLimit))
    throw unfunded(quorum, address, balance, costMax(fees, gasLimit))
  const { chainId } = quorum.profile
  const signed = await wallet.sign({ chainId, nonce: way.nonce, to, data, gasLimit, ...fees })
  const attempts = [
    ...way.attempts,
    { ...signed, maxFeePerGas: `${fees.maxFeePerGas}`, maxPriorityFeePerGas: `${fees.maxPriorityFeePerGas}` },
  ]
  const more = { ...way, attempts }
  await onPending(more)
  sender.onNews({ kind: 'sent', hash: signed.hash, nonce: way.nonce, gasLimit, fees })
  return more
}

/** Gives the last attempt to the endpoints; the head's number by then. */
async function hand({ quorum }: OnceSender, { attempts }: Pending): Promise<number> {
  const { number } = await quorum.head()
  const { accepted, refusal, outcomes } = await quorum.send(attempts.at(-1)!.raw)
  // That its nonce is used may be its own doing, an earlier attempt or this one: the chain says which. Fees are raised later.
  const isOver = refusal === 'refused' || refusal === 'funds' || refusal === 'nonceTooHigh'
  if (accepted || !isOver || attempts.length > 1) return number
  const said = outcomes.map(({ endpoint, message }) => `${endpoint}: ${message}`).join('; ')
  throw new OracleError('TRANSACTION_REFUSED', `The endpoints refuse the transaction (${said})`, { facts: { refusal } })
}

async function marketAt({ quorum }: OnceSender, head: Block): Promise<Market> {
  return { baseFeePerGas: head.baseFee ?? 0n, tipPerGas: lowerMedian(await quorum.opinions(tipOf(), head)) }
}

function feesNow({ limits }: OnceSender, gasLimit: bigint, market: Market, last: Fees | null): Fees {
  const offer = makeOffer(last, gasLimit, market, 0n, limits)
  if (offer.verdict === 'send') return offer.fees
  const message = `Gas costs ${gwei(market.baseFeePerGas)} gwei now, allowed are ${gwei(limits.perGasMax)}`
  throw new OracleError('FEE_CAP', message, { facts: { baseFee: `${market.baseFeePerGas}` } })
}

/** Gas of the transaction by the endpoints' opinions and a quarter more; TRANSACTION_REVERTED where it would revert. */
async function estimateGas({ quorum, address }: OnceSender, { to, data }: Wanted, head: Block): Promise<bigint> {
  if (to !== null) {
    const trial = await quorum.read(callOf(to, data, address), head)
    if (trial.reverted) throw reverted(`The transaction would revert with ${reasonOf(trial.data)}`, trial.data)
  }
  const opinions = await quorum.opinions(gasOf({ from: address, ...(to === null ? {} : { to }), data }), head)
  const gases = opinions.flatMap(({ gas }) => (gas === null ? [] : [gas]))
  if (gases.length * 2 <= opinions.length) {
    const said = opinions.find(({ gas }) => gas === null)!.data
    throw reverted(`The transaction would revert with ${reasonOf(said)}`, said)
  }
  const gas = (lowerMedian(gases) * 5n) / 4n
  return gas < gasMax ? gas : gasMax
}

interface Estimate {
  /** Null: it would revert, with `data`. */
  readonly gas: bigint | null
  readonly data: string
}

function gasOf(transaction: Readonly<Record<string, string>>): Question<Estimate> {
  return {
    name: 'an estimate of gas',
    method: 'eth_estimateGas',
    params: ({ number }) => [transaction, hex(number)],
    parse: (answer) => ({ gas: BigInt(answer as string), data: '0x' }),
    refused: ({ data, message }) => {
      const found = /0x(?:[0-9a-f]{2}){4,}/i.exec(`${JSON.stringify(data ?? '')} ${message}`)
      return { gas: null, data: (found?.[0] ?? '0x').toLowerCase() }
    },
  }
}

/** The receipt, unless it is one of a failure. */
async function succeeded({ quorum, address }: OnceSender, { to, data }: Wanted, receipt: Done): Promise<Done> {
  if (receipt.succeeded) return receipt
  const { blockNumber, gasUsed, transactionHash } = receipt
  const at = await quorum.blockAt(blockNumber - 1)
  const again = to === null ? null : await quorum.read(callOf(to, data, address), at)
  const why = again?.reverted === true ? reasonOf(again.data) : `no reason found, after ${gasUsed} gas`
  throw reverted(`Transaction ${transactionHash} in block ${blockNumber} reverted: ${why}`, again?.data ?? '0x')
}

function reverted(message: string, data: string): OracleError {
  return new OracleError('TRANSACTION_REVERTED', message, { facts: { reason: reasonOf(data) } })
}

function notMined({ address }: OnceSender, { nonce, attempts }: Pending): OracleError {
  const { hash } = attempts.at(-1)!
  const others = attempts.length === 1 ? '' : `, or one of ${attempts.length - 1} before it with lower fees,`
  const message = `Transaction ${hash} (nonce ${nonce} of ${address})${others} is not in the chain, or not deep enough, by its deadline`
  return new OracleError('TRANSACTION_NOT_MINED', message, { facts: { hash, nonce, address } })
}

/** KEY_UNFUNDED, with what the key has and what it needs. */
export function unfunded({ profile }: RpcQuorum, address: string, balance: bigint, needed: bigint): OracleError {
  const message = `${address} has ${ether(balance)} ETH on ${profile.name}; up to ${ether(needed)} ETH are needed, ${ether(needed - balance)} more`
  const facts = { address, balanceWei: `${balance}`, neededWei: `${needed}` }
  return new OracleError('KEY_UNFUNDED', message, { facts })
}

/** Wei in ETH, rounded up to six digits behind the point. */
export function ether(wei: bigint): string {
  const micro = (wei + 10n ** 12n - 1n) / 10n ** 12n
  return `${micro / 1_000_000n}.${(micro % 1_000_000n).toString().padStart(6, '0')}`
}

/** Wei in gwei, with three digits behind the point. */
export function gwei(wei: bigint): string {
  return `${wei / 1_000_000_000n}.${((wei / 1_000_000n) % 1_000n).toString().padStart(3, '0')}`
}
