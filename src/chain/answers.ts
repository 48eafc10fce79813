// Answers of endpoints, read strictly and brought to one form, so that equal answers of different clients are equal bytes.

/** What the node reads of a block. */
export interface Block {
  readonly number: number
  readonly hash: string
  readonly parentHash: string
  readonly timestampMs: number
  /** Null before EIP-1559. */
  readonly baseFee: bigint | null
}

/** An event as a block holds it. */
export interface Log {
  readonly address: string
  readonly topics: readonly string[]
  readonly data: string
  readonly blockNumber: number
  readonly blockHash: string
  readonly transactionHash: string
  readonly logIndex: number
}

/** What became of a transaction in the block it is in. */
export interface Receipt {
  readonly transactionHash: string
  readonly transactionIndex: number
  readonly blockHash: string
  readonly blockNumber: number
  readonly from: string
  readonly to: string | null
  readonly contractAddress: string | null
  readonly succeeded: boolean
  readonly gasUsed: bigint
  readonly effectiveGasPrice: bigint
  /** What a rollup of the OP stack takes for data besides gas; 0 elsewhere. */
  readonly dataFee: bigint
  readonly logs: readonly Log[]
}

type Fields = Readonly<Record<string, unknown>>

/** Bytes that compare: equal exactly when the values are. `value` is built field by field by the functions here. */
export function keyOf(value: unknown): string {
  return JSON.stringify(value, (_, field) => (typeof field === 'bigint' ? `${field}n` : field)) ?? 'undefined'
}

/** A quantity of JSON-RPC: 0x hex without a bound on leading zeros, at most 256 bits. */
export function toQuantity(value: unknown): bigint {
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{1,64}$/.test(value)) throw new Error('a quantity is not 0x hex')
  return BigInt(value)
}

/** A quantity below 2^53. */
export function toInteger(value: unknown): number {
  const quantity = toQuantity(value)
  if (quantity > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error('a number is beyond 2^53')
  return Number(quantity)
}

/** 0x hex of whole bytes, of exactly `length` bytes where given, in lower case. */
export function toData(value: unknown, length?: number): string {
  if (typeof value !== 'string' || !/^0x(?:[0-9a-fA-F]{2})*$/.test(value)) throw new Error('data is not 0x hex')
  if (length !== undefined && value.length !== 2 + 2 * length) throw new Error(`data is not ${length} bytes long`)
  return value.toLowerCase()
}

/** A block; null where the endpoint has none. */
export function toBlock(value: unknown): Block | null {
  if (value === null) return null
  const block = toFields(value)
  return {
    number: toInteger(block['number']),
    hash: toData(block['hash'], 32),
    parentHash: toData(block['parentHash'], 32),
    timestampMs: toInteger(block['timestamp']) * 1000,
    baseFee: block['baseFeePerGas'] == null ? null : toQuantity(block['baseFeePerGas']),
  }
}

/** The hashes of a block's transactions, with the block they are of; null where the endpoint has none. */
export function toContents(value: unknown): { readonly hash: string; readonly transactions: readonly string[] } | null {
  if (value === null) return null
  const block = toFields(value)
  return {
    hash: toData(block['hash'], 32),
    transactions: toList(block['transactions']).map((hash) => toData(hash, 32)),
  }
}

/** Logs, in the order of the chain. */
export function toLogs(value: unknown): readonly Log[] {
  return toList(value).map((entry) => {
    const log = toFields(entry)
    if (log['removed'] === true) throw new Error('a log is marked removed')
    return {
      address: toData(log['address'], 20),
      topics: toList(log['topics']).map((topic) => toData(topic, 32)),
      data: toData(log['data']),
      blockNumber: toInteger(log['blockNumber']),
      blockHash: toData(log['blockHash'], 32),
      transactionHash: toData(log['transactionHash'], 32),
      logIndex: toInteger(log['logIndex']),
    }
  })
}

/** The receipt of transaction `hash`; null where the endpoint knows none. */
export function toReceipt(value: unknown, hash: string): Receipt | null {
  if (value === null) return null
  const receipt = toFields(value)
  const transactionHash = toData(receipt['transactionHash'], 32)
  if (transactionHash !== hash) throw new Error('the receipt is of another transaction')
  const logs = toLogs(receipt['logs'])
  const blockHash = toData(receipt['blockHash'], 32)
  if (logs.some((log) => log.blockHash !== blockHash || log.transactionHash !== hash))
    throw new Error('a log of the receipt is of another transaction')
  return {
    transactionHash,
    transactionIndex: toInteger(receipt['transactionIndex']),
    blockHash,
    blockNumber: toInteger(receipt['blockNumber']),
    from: toData(receipt['from'], 20),
    to: receipt['to'] == null ? null : toData(receipt['to'], 20),
    contractAddress: receipt['contractAddress'] == null ? null : toData(receipt['contractAddress'], 20),
    succeeded: toInteger(receipt['status']) === 1,
    gasUsed: toQuantity(receipt['gasUsed']),
    effectiveGasPrice: toQuantity(receipt['effectiveGasPrice']),
    dataFee: receipt['l1Fee'] == null ? 0n : toQuantity(receipt['l1Fee']),
    logs,
  }
}

/** The middle one of the tips in a fee history with one percentile. */
export function toMiddleTip(value: unknown): bigint {
  const tips = toList(toFields(value)['reward']).map((block) => toQuantity(toList(block)[0]))
  if (tips.length === 0) throw new Error('a fee history is empty')
  return lowerMedian(tips)
}

/** The middle of `values`, the lower one of two; there is at least one. */
export function lowerMedian(values: readonly bigint[]): bigint {
  return values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))[(values.length - 1) >> 1]!
}

function toFields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('not an object')
  return value as Fields
}

function toList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error('not a list')
  return value
}
