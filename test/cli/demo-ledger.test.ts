// The ledger of the demo's chain: who paid what for which feed, to the wei.

import { describe, expect, it } from 'vitest'
import type { Mined } from '../../src/cli/demo-blocks.js'
import { createLedger, type Ledger } from '../../src/cli/demo-ledger.js'
import type { OracleEvent } from '../../src/oracle-event.js'

const [store, hub] = ['0x51', '0x4b']
const payers = new Map([
  ['oracle-1', { pushes: '0xa1', requests: '0xb1' }],
  ['oracle-2', { pushes: '0xa2', requests: '0xb2' }],
])

function ledger(): Ledger {
  return createLedger({
    ...{ store, hub, payers },
    updatedIn: ({ data }) => data.split(' '),
    endIn: ({ data }) => (data === 'answered' || data === 'refused' ? data : null),
  })
}

const mined = (from: string, to: string, data: string | null, more: Partial<Mined> = {}): Mined => ({
  ...{
    hash: '0x01',
    from,
    to,
    contract: null,
    succeeded: data !== null,
    gasUsed: 1001n,
    feeWei: 5005n,
    blockNumber: 7,
  },
  logs: data === null ? [] : [{ address: to.toUpperCase().replace('0X', '0x'), topics: [], data }],
  ...more,
})

const transmit = (news: Record<string, unknown>): OracleEvent =>
  ({ event: 'transmit', chain: 'local', news: { target: 't', atMs: 0, ...news } }) as unknown as OracleEvent

describe('the ledger', () => {
  it('shares a push out over its feeds to the last wei, with its sender and its reason', () => {
    const book = ledger()
    book.onEvent('oracle-1', transmit({ event: 'due', feed: 'btc-usd', reason: 'first value' }))
    book.onEvent('oracle-2', transmit({ event: 'due', feed: 'btc-usd', reason: 'deviation' }))
    expect(book.onMined(mined('0xa1', store, 'btc-usd eth-usd'))).toMatchObject({
      ...{ by: 'oracle-1', feeds: ['btc-usd', 'eth-usd'], reason: 'first value', gasUsed: 1001n, block: 7 },
    })
    expect(book.feed('btc-usd')).toEqual({
      ...{ updates: 1, gasUsed: 501n, feeWei: 2503n, reason: 'first value', by: 'oracle-1' },
    })
    expect(book.feed('eth-usd')).toMatchObject({ updates: 1, gasUsed: 500n, feeWei: 2502n, reason: null })
    book.onMined(mined('0xa2', store, 'btc-usd'))
    expect(book.feed('btc-usd')).toMatchObject({ updates: 2, gasUsed: 1502n, reason: 'deviation', by: 'oracle-2' })
    expect(book.pushes()).toEqual({ count: 2, failed: 0, gasUsed: 2002n, feeWei: 10_010n })
  })

  it('counts what was paid in vain, and nothing of strangers or of the other key', () => {
    const book = ledger()
    expect(book.onMined(mined('0xa1', store, null))).toBeNull()
    book.onMined(mined('0xee', store, 'btc-usd'))
    book.onMined(mined('0xb1', hub, null))
    expect(book.pushes()).toEqual({ count: 0, failed: 1, gasUsed: 1001n, feeWei: 5005n })
    expect(book.requestCost()).toEqual({ gasUsed: 1001n, feeWei: 5005n })
    expect([book.feed('btc-usd').updates, book.requestEnd()]).toEqual([0, null])
  })

  it('takes the first end of a request for its end', () => {
    const book = ledger()
    book.onMined(mined('0xb2', hub, 'something'))
    expect(book.requestEnd()).toBeNull()
    book.onMined(mined('0xb2', hub, 'refused'))
    book.onMined(mined('0xb1', hub, 'answered'))
    expect(book.requestEnd()).toMatchObject({ end: 'refused', by: 'oracle-2', txHash: '0x01' })
  })

  it('knows which transactions have not been heard the end of', () => {
    const book = ledger()
    for (const job of ['a', 'b', 'c']) book.onEvent('oracle-1', transmit({ event: 'sent', job }))
    book.onEvent('oracle-2', transmit({ event: 'confirmed', job: 'a' }))
    expect(book.underWay()).toBe(3)
    for (const [event, job] of Object.entries({ confirmed: 'a', superseded: 'b', refused: 'c' }))
      book.onEvent('oracle-1', transmit({ event, job }))
    expect(book.underWay()).toBe(0)
  })
})
