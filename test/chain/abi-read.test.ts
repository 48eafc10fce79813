// What contracts say may be any bytes: every one of them gives a name, a value or null, and none an error.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eventOf, resultOf, revertOf } from '../../src/chain/abi-read.js'
import type { Log } from '../../src/chain/answers.js'
import { IFeedStore__factory } from '../../src/chain/generated/factories/IFeedStore__factory.js'
import { RequestHub__factory } from '../../src/chain/generated/factories/RequestHub__factory.js'

const hub = RequestHub__factory.createInterface()
const store = IFeedStore__factory.createInterface()
const bytes = fc.uint8Array({ maxLength: 200 }).map((data) => `0x${Buffer.from(data).toString('hex')}`)
/** Error(string) and Panic(uint256) are decoded by ethers unasked. */
const cut = ['0x08c379a0', '0x4e487b71', `0x08c379a0${'ff'.repeat(32)}`, '0x', '0x01']

describe('a revert', () => {
  it('has the name that the contract gave it, also behind broken data', () => {
    expect(revertOf(hub, hub.encodeErrorResult('StillOpen', [7]))).toBe('StillOpen')
    expect(cut.map((data) => revertOf(hub, data))).toEqual([
      'reverts with 0x08c379a0',
      'reverts with 0x4e487b71',
      'reverts with 0x08c379a0',
      'reverts with no data',
      'reverts with 0x01',
    ])
    expect(revertOf(store, '0x08c379a0')).toBe('reverts with 0x08c379a0')
  })

  it('is read whatever bytes come (1,000 answers)', () => {
    const data = fc.oneof(
      bytes,
      bytes.map((rest) => `0x08c379a0${rest.slice(2)}`),
    )
    fc.assert(
      fc.property(data, (answer) => typeof revertOf(hub, answer) === 'string'),
      { numRuns: 1000 },
    )
  })
})

describe('an event and an answer', () => {
  const log = (topics: readonly string[], data: string): Log => ({ topics, data }) as never
  it('that are none are null', () => {
    const { topicHash } = hub.getEvent('Requested')
    const id = ([one]: readonly unknown[]): unknown => one
    expect(eventOf(hub, 'Requested', log([topicHash], '0x'), id)).toBeNull()
    expect(eventOf(hub, 'Requested', log([topicHash, topicHash, topicHash, topicHash], '0x'), id)).toBeNull()
    expect(resultOf(hub, 'requestOf', '0x', id)).toBeNull()
    expect(resultOf(store, 'tryRead', '0x01', id)).toBeNull()
  })
})
