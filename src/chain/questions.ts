// What can be asked of a chain at one block, each question with its method, its place and how its answer is read.

import { type Log, toData, toInteger, toLogs, toMiddleTip, toQuantity } from './answers.js'
import type { EndpointError } from './endpoint-error.js'

/** A place on the chain: reads are at a hash, so that no reorganisation and no lag can mix two states. */
export interface BlockRef {
  readonly number: number
  readonly hash: string
}

/** A question that every honest endpoint answers alike at one block. */
export interface Question<T> {
  /** Method and subject, for messages. */
  readonly name: string
  readonly method: string
  params(at: BlockRef): readonly unknown[]
  parse(answer: unknown): T
  /** What a JSON-RPC error means, where it is an answer; throws it on where it is none. */
  readonly refused?: (error: EndpointError) => T
  /** It names its blocks by number, for want of a way by hash: whether they still are those is checked after it. */
  readonly isByNumber?: boolean
  /** How much is to be said is not known before: that an endpoint gives no answer speaks of the question, not of it. */
  readonly mayFail?: boolean
}

/** What a call returned, or what it reverted with. */
export interface CallResult {
  readonly reverted: boolean
  readonly data: string
}

/** Which events: an address, and topics by position, null for any. */
export interface LogFilter {
  readonly address: string
  readonly topics: readonly (string | readonly string[] | null)[]
}

/** The call of `data` to `to`; a revert is an answer, with its data. */
export function callOf(to: string, data: string, from?: string): Question<CallResult> {
  const transaction = { to, data, ...(from === undefined ? {} : { from }) }
  return {
    name: `call of ${data.slice(0, 10)} at ${to}`,
    method: 'eth_call',
    params: (at) => [transaction, place(at)],
    parse: (answer) => ({ reverted: false, data: toData(answer) }),
    refused: revertOf,
  }
}

/** The code of a contract; 0x where there is none. */
export function codeOf(address: string): Question<string> {
  return {
    name: `code of ${address}`,
    method: 'eth_getCode',
    params: (at) => [address, place(at)],
    parse: (answer) => toData(answer),
  }
}

/** The number of transactions that `address` has sent. */
export function nonceOf(address: string): Question<number> {
  return {
    name: `nonce of ${address}`,
    method: 'eth_getTransactionCount',
    params: (at) => [address, place(at)],
    parse: toInteger,
  }
}

/** The balance of `address` in wei. */
export function balanceOf(address: string): Question<bigint> {
  return {
    name: `balance of ${address}`,
    method: 'eth_getBalance',
    params: (at) => [address, place(at)],
    parse: toQuantity,
  }
}

/** The word in `slot` of a contract's storage. */
export function storageOf(address: string, slot: bigint): Question<bigint> {
  return {
    name: `slot ${slot} of ${address}`,
    method: 'eth_getStorageAt',
    params: (at) => [address, `0x${slot.toString(16)}`, place(at)],
    parse: toQuantity,
  }
}

/** The events of one block. */
export function logsOf({ address, topics }: LogFilter): Question<readonly Log[]> {
  return {
    name: `events of ${address}`,
    method: 'eth_getLogs',
    params: ({ hash }) => [{ address, topics, blockHash: hash }],
    parse: toLogs,
    mayFail: true,
  }
}

/** The events of blocks `from` up to the one it is asked at; the quorum checks that the last one still is there. */
export function logsSince(filter: LogFilter, from: number): Question<readonly Log[]> {
  const { address, topics } = filter
  return {
    name: `events of ${address} since block ${from}`,
    method: 'eth_getLogs',
    params: ({ number }) => [{ address, topics, fromBlock: hex(from), toBlock: hex(number) }],
    parse: toLogs,
    isByNumber: true,
    mayFail: true,
  }
}

/** The middle tip of the last five blocks, in wei; clients reckon it differently, so it is an opinion. */
export function tipOf(): Question<bigint> {
  return {
    name: 'tip of recent blocks',
    method: 'eth_feeHistory',
    params: ({ number }) => [hex(5), hex(number), [50]],
    parse: toMiddleTip,
  }
}

/** `value` as JSON-RPC writes quantities. */
export function hex(value: number): string {
  return `0x${value.toString(16)}`
}

/** EIP-1898: at this very block, and only while it is on the endpoint's chain. */
function place({ hash }: BlockRef): { readonly blockHash: string; readonly requireCanonical: true } {
  return { blockHash: hash, requireCanonical: true }
}

/** Clients say "reverted" in three ways: code 3 with data, another code with data, or data within the text. */
function revertOf(error: EndpointError): CallResult {
  if (error.rpcCode !== 3 && !/revert/i.test(error.message)) throw error
  const { data } = error
  const found = typeof data === 'object' && data !== null ? (data as { data?: unknown }).data : data
  const hexes = typeof found === 'string' ? /0x(?:[0-9a-fA-F]{2})*/.exec(found) : null
  return { reverted: true, data: (hexes?.[0] ?? '0x').toLowerCase() }
}
