// What happens on chains, in words and as JSON: every event, amounts exactly, strangers' words tamed, floods in few lines.

import { describe, expect, it, vi } from 'vitest'
import { createChainPresenter, presentWei } from '../../src/cli/present-chain.js'
import { createPrinter } from '../../src/cli/print.js'
import type { ChainEvent } from '../../src/deliver/chain-event.js'
import type { RequestEvent } from '../../src/deliver/request-event.js'
import type { TransmitEvent } from '../../src/deliver/transmit-event.js'

const store = `0x5a5a${'00'.repeat(16)}a1a1`
const told = { target: `31337/${store}`, atMs: 100_000 }
const feeds = ['btc-usd', 'eth-usd']
const paid = { gasUsed: 95_123n, feeWei: 214_560_000_000_000n }
const plain = (_code: number, text: string): string => text
const txHash = `0x${'ab'.repeat(32)}`

const transmit = (news: TransmitEvent): ChainEvent => ({ event: 'transmit', chain: 'base', news })
const request = (news: RequestEvent): ChainEvent => ({ event: 'request', chain: 'base', news })
const say = (event: ChainEvent): string | null => createChainPresenter(plain)(event)
const job = '31337/0x/1/0'

describe('an update in words', () => {
  const confirmed = { ...told, ...paid, event: 'confirmed', feeds, job, txHash, blockNumber: 7 } as const
  it.each<[TransmitEvent, string | null]>([
    [
      { ...told, event: 'due', feed: 'btc-usd', reason: 'first value', sinceMs: 1 },
      'btc-usd is due (nothing is stored yet)',
    ],
    [{ ...told, event: 'due', feed: 'btc-usd', reason: 'deviation', sinceMs: 1 }, 'btc-usd is due (its value changed)'],
    [{ ...told, event: 'waiting', feeds, place: 0, turnAtMs: 1 }, "this oracle's turn to bring btc-usd, eth-usd"],
    [{ ...told, event: 'waiting', feeds, place: 1, turnAtMs: 1 }, null],
    [{ ...told, event: 'sent', feeds, job, txHash }, `sent btc-usd, eth-usd in ${txHash}`],
    [
      { ...confirmed, dueAtMs: 85_800, sentAtMs: 90_000 },
      'confirmed btc-usd, eth-usd in block 7, 95,123 gas, 0.0002145 ETH, 14.2 s after it was due',
    ],
    [
      { ...confirmed, feeds: ['a', 'b', 'c', 'd', 'e'], dueAtMs: null, sentAtMs: null },
      'confirmed a, b, c and 2 others in block 7, 95,123 gas, 0.0002145 ETH',
    ],
    [
      { ...told, event: 'superseded', feeds, job: null, gasUsed: 0n, feeWei: 0n },
      'another brought btc-usd, eth-usd first',
    ],
    [
      { ...told, ...paid, event: 'superseded', feeds, job },
      'another brought btc-usd, eth-usd first: ours was in vain, 95,123 gas, 0.0002145 ETH',
    ],
    [
      { ...told, event: 'undone', feeds, job },
      'undone: a reorganisation took btc-usd, eth-usd back; it is under way again',
    ],
    [
      { ...told, event: 'refused', feeds, job, why: 'NotNewer\u001b[2J', gasUsed: 0n, feeWei: 0n },
      'refused btc-usd, eth-usd: NotNewer?[2J',
    ],
    [
      { ...told, event: 'overdue', feed: 'btc-usd', storedMs: 10_000, heartbeatMs: 60_000 },
      'overdue: btc-usd; what is stored is 1 min old, and nobody renewed it in its 1 min',
    ],
    [
      { ...told, event: 'overdue', feed: 'btc-usd', storedMs: 0, heartbeatMs: 60_000 },
      'overdue: btc-usd; nothing is stored yet, and nobody renewed it in its 1 min',
    ],
    [{ ...told, event: 'renewed', feed: 'btc-usd' }, 'btc-usd is fresh again'],
    [{ ...told, event: 'blind', why: '1 of 3 agree' }, 'cannot be read: 1 of 3 agree; nothing is sent'],
    [{ ...told, event: 'seeing' }, 'can be read again'],
  ])('%#: $event', (news, text) => {
    expect(say(transmit(news))).toBe(text === null ? null : `base 0x5a5a…a1a1: ${text}`)
  })
})

describe('a chain in words', () => {
  it.each<[ChainEvent, RegExp]>([
    [
      { event: 'endpoint', chain: 'base', endpoint: 'two', state: 'lying', reason: 'block 7 is 0xab\n' },
      /^base: endpoint two does not count: lying \(block 7 is 0xab\?\)$/,
    ],
    [
      { event: 'endpoint', chain: 'base', endpoint: 'two', state: 'counting', reason: '' },
      /^base: endpoint two counts$/,
    ],
    [
      { event: 'sender', chain: 'base', address: '0xa1', code: 'LOW_BALANCE', isRaised: true, sentence: 'it is low' },
      /^base: the key 0xa1: LOW_BALANCE, it is low\. Fund the key/,
    ],
    [
      { event: 'sender', chain: 'base', address: '0xa1', code: 'LOW_BALANCE', isRaised: false, sentence: '' },
      /^base: the key 0xa1 has no LOW_BALANCE any more$/,
    ],
    [
      { event: 'chain', chain: 'base', code: 'CHAIN_NO_QUORUM', why: '1 of 3 agree' },
      /^base: nothing is sent: CHAIN_NO_QUORUM, 1 of 3 agree\. Wait, or see/,
    ],
    [{ event: 'chain', chain: 'base', code: 'CHAIN_OTHER', why: 'x' }, /^base: nothing is sent: CHAIN_OTHER, x$/],
    [{ event: 'chain', chain: 'base', code: null, why: null }, /^base: sending again$/],
  ])('%#', (event, text) => {
    expect(say(event)).toMatch(text)
  })

  it('paints what needs an eye', () => {
    const marked = createChainPresenter((code, text) => `<${code}>${text}</>`)
    expect(marked({ event: 'chain', chain: 'base', code: null, why: null })).toBe('base: <32>sending again</>')
    expect(marked({ event: 'chain', chain: 'base', code: 'X', why: 'y' })).toContain('<31>nothing is sent</>')
  })
})

describe('requests in words', () => {
  const asked = { hub: '31337/0x', atMs: 1, id: '42', requester: '0xee', feed: 'btc-usd', deadlineMs: 9 }
  const { feed: _, deadlineMs: __, requester, ...base } = asked

  it.each<[RequestEvent, string | null]>([
    [{ ...asked, event: 'asked' }, 'request 42: 0xee asks for btc-usd'],
    [{ ...base, requester, event: 'declined', why: 'TOO_MANY_OPEN' }, 'request 42 of 0xee declined: TOO_MANY_OPEN'],
    [{ ...base, event: 'round', feed: 'btc-usd' }, null],
    [{ ...base, event: 'waiting', place: 0, turnAtMs: 1 }, null],
    [{ ...base, event: 'sent', act: 'answer', txHash: '0xab' }, 'request 42: answer sent in 0xab'],
    [
      { ...base, event: 'sent', act: 'refuse', txHash: '0xab' },
      'request 42: the news that there is no value sent in 0xab',
    ],
    [
      { ...base, event: 'sent', act: 'expire', txHash: '0xab' },
      'request 42: the news that its deadline is over sent in 0xab',
    ],
    [
      { ...base, ...paid, event: 'ended', by: 'us', end: 'answered' },
      'request 42 answered by this oracle, 95,123 gas, 0.0002145 ETH',
    ],
    [
      { ...base, event: 'ended', by: 'other', end: 'refused', gasUsed: 0n, feeWei: 0n },
      'request 42 refused by another',
    ],
    [{ ...base, event: 'ended', by: 'other', end: 'gone', gasUsed: 0n, feeWei: 0n }, 'request 42 is gone'],
    [
      { ...base, ...paid, event: 'failed', why: 'reverted' },
      'request 42: in vain, reverted, 95,123 gas, 0.0002145 ETH',
    ],
    [{ ...base, event: 'expired', why: 'no quorum' }, 'request 42 expired: no quorum'],
    [{ ...base, event: 'forgotten' }, 'what was remembered of requests is lost: all of them are looked for anew'],
  ])('%#', (news, text) => {
    expect(say(request(news))).toBe(text === null ? null : `base: ${text}`)
  })

  it('are few lines however many there are, and none is passed over in silence', () => {
    let nowMs = 0
    const present = createChainPresenter(plain, () => nowMs)
    const lines: string[] = []
    for (let i = 0; i < 10_000; i++) {
      nowMs = i
      const news = { ...base, id: String(i), requester, event: 'declined', why: 'UNKNOWN_FEED' } as const
      const text = present(request(news))
      if (text !== null) lines.push(text)
    }
    expect(lines.length).toBe(12)
    expect(lines[1]).toBe('base: request 900 of 0xee declined: UNKNOWN_FEED, and 899 others since the last line')
  })
})

describe('amounts', () => {
  it.each([
    [0n, '0 gwei'],
    [1n, '0.000000001 gwei'],
    [21_000n * 10n ** 9n, '21000 gwei'],
    [99_999_999_999_999n, '99999 gwei'],
    [10n ** 14n, '0.0001 ETH'],
    [10n ** 18n, '1 ETH'],
    [1_234_567n * 10n ** 18n, '1234567 ETH'],
  ])('%s wei', (wei, text) => {
    expect(presentWei(wei)).toBe(text)
  })
})

describe('the printer', () => {
  it('writes bigints as decimal strings for scripts', () => {
    const written: string[] = []
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      written.push(String(text))
      return true
    })
    try {
      const printer = createPrinter(true, false)
      const refused = { ...told, ...paid, event: 'refused', feeds, job, why: 'x' } as const
      printer.event(transmit(refused))
      printer.result({ balance: 10n ** 20n }, '')
      createPrinter(false, false).event(transmit({ ...told, event: 'seeing' }))
    } finally {
      write.mockRestore()
    }
    expect(JSON.parse(written[0]!)).toMatchObject({ event: 'transmit', news: { feeWei: '214560000000000' } })
    expect(JSON.parse(written[1]!)).toEqual({ balance: '100000000000000000000' })
    expect(written[2]).toMatch(/^\d\d:\d\d:\d\d {2}base 0x5a5a…a1a1: can be read again\n$/)
  })
})
