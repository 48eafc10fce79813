// The demo's table: fits its terminal, shows what was asked for, and obeys no command that a source sends.

import { describe, expect, it } from 'vitest'
import { type DemoView, renderDemo } from '../../src/cli/demo-table.js'
import { presentAge, presentFeed, presentSpread } from '../../src/cli/present.js'
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
    mode: 'recordings',
    report: {
      ...{ epoch: 0, round: 7, attestedAtMs: 1_678_406_401_000, latencyMs: 8.31, signers: 3 },
      feeds: [feed('btc-usd'), feed('a-feed-with-a-very-long-name-indeed-of-sixty-characters', 'LOW_CONFIDENCE')],
    },
    declarations: new Map(),
    members: 4,
    chain: null,
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

  it('has a row for each feed with value, age, spread, sources and status, and the report below', () => {
    const text = renderDemo(view(), screen).join('\n')
    expect(text).toMatch(/feed +value +age +spread +sources +status *$/m)
    expect(text).toMatch(/btc-usd +20364\.09 +3\.5 s +29\.995 % +3 OK *$/m)
    expect(text).toContain('report 7 (epoch 0) of 2023-03-10T00:00:01.000Z, signers 3/4, latency 8.3 ms')
    expect(text).toContain('7 reports, 2 rounds skipped, latency p50 8.3 ms, p99 81 ms')
  })

  it('names oracles that died with how to restart them, lost sessions, and refusals of sources', () => {
    const troubles = [
      { name: 'oracle-3', folder: '/d/oracle-3', ended: 'SIGKILL', lost: [] },
      { name: 'oracle-1', folder: '/d/oracle-1', ended: null, lost: ['oracle-3'] },
    ]
    const ended = 'oracle-3 ended (SIGKILL); restart it: npm run -s assay -- start /d/oracle-3'
    const refusals = ['btc-usd kraken: SOURCE_TIMEOUT, late']
    const text = renderDemo(view({ troubles, refusals, notes: [ended] }), { ...screen, columns: 100 }).join('\n')
    expect(text.split(ended)).toHaveLength(2)
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
    const tally = { reports: 0, rounds: 0, skippedRounds: 0, latencyMs: { p50: 0, p99: 0 } }
    const text = renderDemo(view({ report: null, tally }), screen).join('\n')
    expect(text).toContain('Waiting for the first report')
    expect(text).not.toContain('latency')
  })

  it('says why the most common status that is not OK is not', () => {
    const single = new Map(['a', 'b'].map((name) => [name, { singleSource: 'a reason' } as unknown as FeedDeclaration]))
    const report = { ...view().report!, feeds: [feed('a', 'LOW_CONFIDENCE'), feed('b', 'LOW_CONFIDENCE'), feed('c')] }
    const told = (changes: Partial<DemoView>): string =>
      renderDemo(view({ report, declarations: single, ...changes }), { ...screen, columns: 120 }).join('\n')
    expect(told({ mode: 'bundled' })).toContain(
      'LOW_CONFIDENCE: one origin only (bundled data); --recordings DIR shows several venues',
    )
    expect(told({ declarations: new Map() })).toContain('LOW_CONFIDENCE: fewer independent sources')
    expect(told({ report: { ...report, feeds: [feed('a', 'STALE'), feed('b', 'NO_DATA', null)] } })).toContain(
      'NO_DATA: too few sources answer',
    )
    expect(told({ report: { ...report, feeds: [feed('c')] } })).not.toMatch(/^[A-Z]+_?[A-Z]{3,}: /m)
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
    expect(presentFeed(value, declaration)).toBe('magnitude -0.05, depth 18.34, event-id us1000cdin')
    expect(presentFeed(value, declaration, 30)).toBe('magnitude -0.05, depth 18.34 …')
    expect(presentFeed(value, declaration, 10)).toBe('magnitude…')
  })

  it('names units, of parts by the schema of the value, where there is room', () => {
    const price = { value: 'price', unit: 'USD', leaves: [] } as unknown as FeedDeclaration
    expect(presentFeed('20364.09000000', price)).toBe('20364.09 USD')
    expect(presentFeed('20364.09000000', price, 10)).toBe('20364.09')
    const leaves = [
      { key: 'temperature', name: 'temperature', type: 'int64', combine: 'median', decimals: 2 },
      { key: 'windSpeed', name: 'wind-speed', type: 'int64', combine: 'median', decimals: 2 },
    ]
    const weather = { value: 'weather', unit: 'Cel', leaves } as unknown as FeedDeclaration
    const text = presentFeed({ temperature: '890', 'wind-speed': '470' }, weather)
    expect(text).toBe('temperature 8.90 °C, wind-speed 4.70 m/s')
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

describe('presentSpread', () => {
  it('is in percent, and of one source there is none', () => {
    expect(presentSpread({ groups: 3, spreadPpm: 320 })).toBe('0.032 %')
    expect(presentSpread({ groups: 3, spreadPpm: 0 })).toBe('0.000 %')
    expect(presentSpread({ groups: 1, spreadPpm: 0 })).toBe('–')
    expect(presentSpread({ groups: 1, spreadPpm: 50 })).toBe('0.005 %')
  })
})
