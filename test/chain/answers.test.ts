import { describe, expect, it } from 'vitest'
import { keyOf, toBlock, toData, toInteger, toLogs, toQuantity, toReceipt } from '../../src/chain/answers.js'

const bytes = (byte: string, length: number): string => `0x${byte.repeat(length)}`
const hash = bytes('aa', 32)
const log = {
  ...{
    address: bytes('Fe', 20),
    topics: [bytes('0b', 32)],
    data: '0x',
    blockNumber: '0x5',
    blockHash: bytes('bb', 32),
  },
  ...{ transactionHash: hash, logIndex: '0x0', removed: false, blockTimestamp: '0x1' },
}
const receipt = {
  ...{ transactionHash: hash, transactionIndex: '0x0', blockHash: bytes('bb', 32), blockNumber: '0x5', status: '0x1' },
  ...{ from: bytes('01', 20), to: bytes('Ab', 20), contractAddress: null, gasUsed: '0x5208', effectiveGasPrice: '0x1' },
  ...{ logs: [log], cumulativeGasUsed: '0x5208', type: '0x2' },
}

describe('answers of different clients', () => {
  it('are equal bytes when they mean the same', () => {
    const { blockTimestamp: _, removed: __, ...bare } = log
    const { type: ___, contractAddress: ____, ...less } = receipt
    const other = { ...less, to: receipt.to.toLowerCase(), gasUsed: '0x05208', logs: [bare] }
    expect(keyOf(toReceipt(other, hash))).toBe(keyOf(toReceipt(receipt, hash)))
    expect(keyOf(toReceipt({ ...other, gasUsed: '0x5209' }, hash))).not.toBe(keyOf(toReceipt(receipt, hash)))
    expect(keyOf([1n, '1', 1])).toBe('["1n","1",1]')
  })

  it('are null where there is nothing', () => {
    expect([toBlock(null), toReceipt(null, hash)]).toEqual([null, null])
  })
})

describe('answers that are refused', () => {
  it.each<[string, () => unknown]>([
    ['the receipt is of another transaction', () => toReceipt({ ...receipt, transactionHash: bytes('cc', 32) }, hash)],
    ['a log of the receipt is of another', () => toReceipt({ ...receipt, logs: [{ ...log, blockHash: hash }] }, hash)],
    [
      'a log of the receipt is of another',
      () => toReceipt({ ...receipt, logs: [{ ...log, transactionHash: bytes('cc', 32) }] }, hash),
    ],
    ['a log is marked removed', () => toLogs([{ ...log, removed: true }])],
    ['a quantity is not 0x hex', () => toReceipt({ ...receipt, status: undefined }, hash)],
    ['not a list', () => toLogs({})],
    ['not an object', () => toLogs([null])],
    ['not an object', () => toBlock([])],
    ['not an object', () => toBlock(undefined)],
    ['data is not 20 bytes long', () => toLogs([{ ...log, address: bytes('fe', 19) }])],
    ['data is not 0x hex', () => toData('0xabc')],
    ['data is not 0x hex', () => toData('aa')],
    ['a quantity is not 0x hex', () => toQuantity('0x')],
    ['a quantity is not 0x hex', () => toQuantity(bytes('ff', 33))],
    ['a quantity is not 0x hex', () => toQuantity('12')],
    ['a number is beyond 2^53', () => toInteger('0x20000000000000')],
  ])('%s', (message, parse) => {
    expect(parse).toThrow(message)
  })
})
