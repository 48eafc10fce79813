// Every message of the recorded Coinbase streams, for each market in them: a reading, nothing, or a pinned refusal.
// Where the recordings do not stand beside the project, the stream's fixtures take their place and the title says so.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Params, Raw } from '../../src/observe/adapter.js'
import { adapterOf, cases, fixture, hasRecordings, recorded, type Verdict, verdictOf } from './cases.js'

/** What came of all messages of one file, asked about one market. */
interface Row {
  readonly file: string
  readonly params: Params
  readonly messages: number
  readonly readings: number
  readonly nothing: number
  readonly errors: Readonly<Record<string, number>>
  readonly first: Verdict
  readonly last: Verdict
}

const adapter = adapterOf('coinbase-stream')
const rows = JSON.parse(readFileSync(new URL('verdicts-ws.json', import.meta.url), 'utf8')) as Row[]

/** The messages that were received, one text frame each. */
function messagesOf(file: string): readonly Raw[] {
  const lines = Buffer.from(recorded(`ws/${file}.jsonl`).bytes)
    .toString()
    .trim()
    .split('\n')
  const events = lines.map((line) => JSON.parse(line) as { dir?: string; msg?: string })
  return events.filter(({ dir }) => dir === 'in').map(({ msg }) => ({ bytes: Buffer.from(msg!), mediaType: '' }))
}

function tally({ file, params }: Row): Row {
  const verdicts = messagesOf(file).map((raw) => verdictOf(adapter, raw, params))
  const readings = verdicts.filter((verdict) => verdict !== null && 'value' in verdict)
  const codes = verdicts.flatMap((verdict) => (verdict !== null && 'error' in verdict ? [verdict.error] : []))
  const nothing = verdicts.filter((verdict) => verdict === null).length
  const errors = Object.fromEntries([...new Set(codes)].map((code) => [code, codes.filter((c) => c === code).length]))
  const [first, last] = [readings[0] ?? null, readings.at(-1) ?? null]
  return { file, params, messages: verdicts.length, readings: readings.length, nothing, errors, first, last }
}

describe(`coinbase-stream (${hasRecordings ? 'recordings' : 'recordings are absent, fixtures in their place'})`, () => {
  it('makes of every message what is pinned', () => {
    if (hasRecordings) {
      for (const row of rows) expect(tally(row)).toEqual(row)
      const sum = (of: (row: Row) => number): number => rows.reduce((total, row) => total + of(row), 0)
      console.log(
        `coinbase-stream: ${sum((row) => row.messages)} messages, ${sum((row) => row.readings)} readings, ${sum(
          (row) => row.nothing,
        )} about something else`,
      )
    } else {
      const own = cases.filter((one) => one.adapter === adapter)
      for (const one of own) expect(verdictOf(adapter, fixture(adapter.id, one.file), one.params)).toEqual(one.expect)
      expect(own.length).toBeGreaterThan(4)
    }
  })

  it('subscribes to one market, and hears a dead socket', () => {
    const { url, messages, quietMs } = adapter.subscribe!({ base: 'BTC', quote: 'USD' })
    expect(url).toBe('wss://ws-feed.exchange.coinbase.com')
    expect(messages.map((message) => JSON.parse(message))).toEqual([
      { type: 'subscribe', product_ids: ['BTC-USD'], channels: ['ticker', 'heartbeat'] },
    ])
    expect(quietMs).toBeLessThanOrEqual(30_000)
  })
})
