// What the demo says of its chain: rows that fit the terminal, sentences, and a summary that JSON can hold.

import { describe, expect, it } from 'vitest'
import {
  type ChainFeedView,
  type ChainView,
  chainLines,
  chainNews,
  chainRows,
  chainSummary,
} from '../../src/cli/demo-chain-view.js'
import { renderDemo } from '../../src/cli/demo-table.js'

const read = (feed: string, more: Partial<ChainFeedView> = {}): ChainFeedView => ({
  ...{ feed, facade: '0xfa', value: '20364.09000000', answer: '20364.09000000', refusal: null, status: 'OK' },
  ...{ attestedAtMs: 1_678_406_401_000, observedAtMs: 1_678_406_400_000, reported: '20364.09000000' },
  ...{ reason: 'deviation', by: 'oracle-2', updates: 3, gasUsed: 155_000n, feeWei: 1_700_000_000_001n },
  ...more,
})

const view = (more: Partial<ChainView> = {}): ChainView => ({
  ...{ chainId: 31_337, url: 'http://127.0.0.1:1', pid: 1, deployGas: 11_206_502n, missing: [] },
  block: { number: 92, timestampMs: 1_678_406_461_000 },
  addresses: { registry: '0x01', store: '0x02', hub: '0x03', requester: '0x04' },
  pushes: { count: 3, failed: 1, gasUsed: 310_000n, feeWei: 3_400_000_000_000n },
  reads: [read('btc-usd'), read('a-feed-with-a-very-long-name-indeed-of-sixty-characters-at-least')],
  pull: { feed: 'btc-usd', value: '20364.09000000', refusal: null, gasUsed: 98_736n },
  request: { id: '0x05', feed: 'eth-usd', end: 'answered', value: '1430.50000000', by: 'oracle-3', gasUsed: 75_285n },
  ...more,
})

const plain = (_code: number, text: string): string => text
const rows = (of: ChainView, width = 79, isShort = false): readonly string[] =>
  chainRows(of, new Map(), { width, isShort }, plain)

describe('the rows of the chain', () => {
  it.each([60, 79, 119])('fit %i columns', (width) => {
    for (const line of rows(view(), width)) expect(line.length).toBeLessThanOrEqual(width)
  })

  it('show each feed with value, age, facade, reason, pushes and gas; then the pull, the request and the sum', () => {
    const text = rows(view({ reads: [read('btc-usd')] })).join('\n')
    expect(text).toMatch(/^on chain +value +age +facade +last for +pushes +gas$/m)
    expect(text).toMatch(/^btc-usd +20364\.09 +1 min answers deviation +3 155,000$/m)
    expect(text).toContain('pull: a contract proved a report of btc-usd: 20364.09, 98,736 gas')
    expect(text).toContain('request: a contract asked for eth-usd: 1430.50 by oracle-3, 75,285 gas')
    expect(text).toContain('3 transactions, 1 in vain: 310,000 gas, 3,400 gwei; set-up 11,206,502 gas')
    expect(rows(view(), 79, true)).toHaveLength(3)
  })

  it('say what is not there yet, and what contracts refuse', () => {
    const request = { id: '0x05', feed: 'eth-usd', end: null }
    const early = rows(view({ reads: [read('btc-usd', { value: null })], pull: null, request })).join('\n')
    expect(early).toContain('no feed was pushed yet')
    expect(early).not.toContain('pull:')
    expect(early).toContain('request: a contract asked for eth-usd, and waits')
    const refused = view({
      reads: [read('btc-usd', { answer: null, refusal: 'NotOk(0x, 1)', status: 'LOW_CONFIDENCE' })],
      pull: { feed: 'btc-usd', value: null, refusal: 'UncertainPrice' },
      request: { ...request, end: 'refused', status: 'LOW_CONFIDENCE', by: 'oracle-1', gasUsed: 60_000n },
      missing: ['a push of eth-usd'],
    })
    expect(rows(refused).join('\n')).toMatch(/^btc-usd .* refuses /m)
    const text = chainLines(refused, new Map()).join('\n')
    expect(text).toContain('the facade refuses: NotOk(0x, 1)')
    expect(text).toContain('pull: a contract refuses a report of btc-usd: UncertainPrice')
    expect(text).toContain('request: a contract asked for eth-usd: refused (LOW_CONFIDENCE) by oracle-1, 60,000 gas')
    expect(text).toContain('Not on chain by the end: a push of eth-usd')
  })

  it('stand in the table, which gives a low terminal its feeds first', () => {
    const feeds = Array.from({ length: 12 }, (_, i) => ({
      ...{ name: `feed-${i}`, feedId: '0x00', value: '1.00', status: 'OK', groups: 3, spreadPpm: 0 },
      ...{ observedAtMs: 0, attestedAtMs: 0 },
    }))
    const table = (height: number): string =>
      renderDemo(
        {
          ...{ banner: ['Assay demo'], mode: 'live', members: 4, nowMs: 0, troubles: [], refusals: [], notes: [] },
          ...{ declarations: new Map(), chain: view() },
          report: { epoch: 0, round: 1, attestedAtMs: 0, latencyMs: 1, signers: 3, feeds },
          tally: { reports: 1, rounds: 1, skippedRounds: 0, latencyMs: { p50: 1, p99: 1 } },
        },
        { columns: 80, rows: height, hasColour: false },
      ).join('\n')
    expect(table(40)).toContain('3 transactions')
    expect(table(17)).toContain('on chain')
    expect(table(17)).not.toContain('3 transactions')
    expect(table(17)).toContain('feed-3')
  })
})

describe('words for scripts and pipes', () => {
  it('are JSON: gas as numbers, wei as decimal strings, pushes by value', () => {
    const summary = JSON.parse(JSON.stringify(chainSummary(view()))) as Record<string, unknown>
    expect(summary).toMatchObject({ pushes: 6, transactions: 3, inVain: 1, gasUsed: 310_000, feeWei: '3400000000000' })
    expect(summary).toMatchObject({
      pull: { gasUsed: 98_736 },
      request: { gasUsed: 75_285 },
      deployGasUsed: 11_206_502,
    })
    expect((summary['reads'] as unknown[])[0]).toMatchObject({ gasUsed: 155_000, feeWei: '1700000000001' })
  })

  it('tell of a push in a sentence', () => {
    const cost = { gasUsed: 88_929n, feeWei: 1n }
    const push = {
      by: 'oracle-1',
      feeds: ['btc-usd', 'eth-usd'],
      reason: 'first value',
      txHash: '0x',
      block: 1,
      ...cost,
    }
    expect(chainNews({ what: 'push', ...push })).toBe('oracle-1 pushed btc-usd, eth-usd (first value), 88,929 gas')
  })
})
