// The demo's table: fits its terminal, shows what was asked for, and obeys no command that a source sends.

import { describe, expect, it } from 'vitest'
import { type DemoView, presentAge, presentFeed, renderDemo } from '../../src/cli/demo-table.js'
import type { FeedDeclaration } from '../../src/feed/declaration.js'

const feed = (name: string, status = 'OK', value: string | null = '20364.09000000') => ({
  ...{ name, feedId: '0x00', value, status, groups: 3, spreadPpm: 299_950 },
  ...{ observedAtMs: 1_678_406_400_000, attestedAtMs: 1_678_406_401_000 },
})

function view(changes: Partial<DemoView> = {}): DemoView {
  return {
    banner: [
      `Assay demo, recordings: ${'long words '.repeat(30)}`,
      'API: http://127.0.0.1:8080/v1/feeds   Stop: Ctrl-C',
    ],
    report: {
      ...{ epoch: 0, round: 7, attestedAtMs: 1_678_406_401_000, latencyMs: 8.31, signers: 3 },
      feeds: [feed('btc-usd'), feed('a-feed-with-a-very-long-name-indeed-of-sixty-characters', 'LOW_CONFIDENCE')],
    },
    declarations: new Map(),
    members: 4,
    nowMs: 1_678_406_403_500,
    troubles: [],
    refusals: [],
    tally: { reports: 7, rounds: 9, skippedRounds: 2, latencyMs: { p50: 8.31, p99: 81.2 } },
    notes: [],
    ...changes,
  }
}

const plain = (lines: readonly string[]): string[] => lines.map((line) => line.replaceAll(/\p{Cc}\[\d+m/gu, ''))
const screen = { columns: 80, rows: 24, hasColour: false }

describe('renderDemo', () => {
  it.each([80, 100, 120, 200])('fits %i columns, colours aside', (columns) => {
    for (const hasColour of [false, true]) {
      const lines = renderDemo(view(), { columns, rows: 24, hasColour })
      for (const line of plain(lines)) expect(line.length).toBeLessThan(Math.min(columns, 121))
      expect(lines.join('').includes('\u001b')).toBe(hasColour)
    }
  })

  it('has a row for each feed with value, age, spread, groups, status, signers and latency', () => {
    const text = renderDemo(view(), screen).join('\n')
    expect(text).toMatch(/feed +value +age +spread +groups +status +signers +latency/)
    expect(text).toMatch(/btc-usd +20364\.09 +3\.5 s +29\.995% +3 OK +3\/4 +8\.3 ms/)
    expect(text).toContain('7 reports, 2 rounds skipped, latency p50 8.3 ms, p99 81 ms')
  })

  it('names oracles that died with how to restart them, lost sessions, and refusals of sources', () => {
    const troubles = [
      { name: 'oracle-3', folder: '/d/oracle-3', ended: 'SIGKILL', lost: [] },
      { name: 'oracle-1', folder: '/d/oracle-1', ended: null, lost: ['oracle-3'] },
    ]
    const text = renderDemo(view({ troubles, refusals: ['btc-usd kraken: SOURCE_TIMEOUT, late'] }), screen).join('\n')
    expect(text).toContain('oracle-3 ended (SIGKILL); restart it: assay start /d/oracle-3')
    expect(text).toContain('oracle-1: no session with oracle-3')
    expect(text).toContain('source: btc-usd kraken: SOURCE_TIMEOUT, late')
  })

  it('keeps within the height of the terminal, and says how many feeds are not shown', () => {
    const feeds = Array.from({ length: 100 }, (_, i) => feed(`feed-${i}`))
    const lines = renderDemo(view({ report: { ...view().report!, feeds } }), screen)
    expect(lines.length).toBeLessThan(24)
    expect(lines.join('\n')).toMatch(/and \d+ more/)
  })

  it('shows commands for the terminal as text', () => {
    const lines = renderDemo(view({ refusals: ['x \u001b[2J\u0007'], notes: ['y \u001b]0;z\u0007'] }), screen)
    expect(lines.join('')).not.toMatch(/\p{Cc}/u)
  })

  it('says that it waits before the first report', () => {
    expect(renderDemo(view({ report: null }), screen).join('\n')).toContain('Waiting for the first report')
  })
})

describe('presentFeed', () => {
  it('drops zeros that say nothing', () => {
    expect(presentFeed('20364.09000000', undefined)).toBe('20364.09')
    expect(presentFeed('0.99990000', undefined)).toBe('0.9999')
    expect(presentFeed('100.00000000', undefined)).toBe('100.00')
    expect(presentFeed('7', undefined)).toBe('7')
    expect(presentFeed(null, undefined)).toBe('no value')
  })

  it('shows a structured value in the order and with the decimals of its schema', () => {
    const leaves = [
      { name: 'event-id', type: 'string', combine: 'identity', decimals: 0 },
      { name: 'magnitude', type: 'int64', combine: 'median', decimals: 2 },
      { name: 'depth', type: 'int64', combine: 'median', decimals: 2 },
    ]
    const declaration = { leaves } as unknown as FeedDeclaration
    const value = { depth: '1834', 'event-id': 'us1000cdin', magnitude: '-5' }
    expect(presentFeed(value, declaration)).toBe('us1000cdin -0.05 18.34')
  })
})

describe('presentAge', () => {
  it.each([
    [-5, '0.0 s'],
    [1234, '1.2 s'],
    [59_949, '59.9 s'],
    [60_000, '1 min'],
    [7_200_000, '2 h'],
    [172_800_000, '2 d'],
  ])('shows %i ms as %s', (ms, expected) => {
    expect(presentAge(ms)).toBe(expected)
  })
})
