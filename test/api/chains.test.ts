// What the API says of chains: facts that fit their schema and publish nothing secret, and numbers that only grow with what is paid.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { keptAnswerMs } from '../../src/api/limits.js'
import type { ChainEvent, ChainFacts } from '../../src/deliver/chain-event.js'
import type { CostRow } from '../../src/deliver/costs.js'
import type { TransmitEvent } from '../../src/deliver/transmit-event.js'
import { validators } from '../../src/schema/generated/validators.js'
import { type Served, serve } from './served.js'

const store = `31337/0x${'5a'.repeat(20)}`
const sender = `0x${'a1'.repeat(20)}`
const ether = 10n ** 18n
let nowMs: number

const row = (changes: Partial<CostRow> = {}): CostRow => ({
  day: new Date(nowMs).toISOString().slice(0, 10),
  target: store,
  feed: 'btc-usd',
  updates: 1,
  reverted: 0,
  gasUsed: 95_000n,
  feeWei: 2n * 10n ** 9n,
  ...changes,
})

const factsOf = (changes: Partial<ChainFacts> = {}): ChainFacts => ({
  chain: 'local',
  chainId: 31_337,
  head: { number: 77, timestampMs: nowMs - 2500 },
  stoppedBy: null,
  endpoints: [
    { name: 'one', state: 'counting', sinceMs: nowMs, reason: '', head: 77 },
    { name: 'two', state: 'lying', sinceMs: nowMs, reason: 'see https://rpc.example/v2/SECRET for more', head: null },
  ],
  senders: [
    {
      address: sender,
      standing: 'stuck',
      balance: 3n * ether + 1n,
      queued: 2,
      underWay: [{ nonce: 4, id: `${store}/1/0`, tries: 2 }],
      alarms: ['FEE_CAP'],
      blindBecause: 'CHAIN_NO_QUORUM: wss://rpc.example/SECRET said nothing',
      pays: 'pushes',
    },
  ],
  stores: [
    {
      target: store,
      kind: 'feeds',
      feeds: [
        { name: 'btc-usd', storedMs: nowMs - 42_000, due: 'deviation', heartbeatMs: 60_000 },
        { name: 'eth-usd', storedMs: null, due: null, heartbeatMs: 60_000 },
      ],
    },
  ],
  requests: {
    hub: store,
    open: 3,
    counts: { asked: 9, declined: 6, 'made-up': 5, 'made-up-too': 2 },
    declined: { TOO_MANY_OPEN: 6 },
    readToBlock: 70,
  },
  costs: [row()],
  ...changes,
})

let served: Served
beforeAll(async () => {
  served = await serve(undefined, [])
  await served.report(1)
  nowMs = served.nowMs
})
afterAll(() => served.close())
beforeEach(() => {
  served.chains.splice(0)
})

describe('/v1/chains', () => {
  const body = async (
    of: Served,
  ): Promise<{ readonly text: string; readonly chains: readonly Partial<ChainFacts>[] }> => {
    const response = await of.get('/v1/chains')
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json'])
    const text = await response.text()
    const parsed = JSON.parse(text)
    const validate = validators['api/chains']!
    expect([validate(parsed), validate.errors]).toEqual([true, null])
    return { text, chains: parsed.chains }
  }

  it('is empty for an oracle that brings reports nowhere', async () => {
    expect((await body(served)).chains).toEqual([])
  })

  it('shows every chain with amounts to the wei, and no URL of an endpoint', async () => {
    const stoppedBy = { code: 'CHAIN_NO_QUORUM', why: 'http://user:SECRET@127.0.0.1:8545/ and others are gone' }
    const secretive = { ...factsOf({ stoppedBy }), journal: '/SECRET/journal' }
    served.chains.push(secretive, factsOf({ chain: 'empty', head: null, requests: null, costs: [], senders: [] }))
    served.announce({ epoch: 12, round: 1 })
    const { text, chains } = await body(served)
    expect(chains.map(({ chain }) => chain)).toEqual(['local', 'empty'])
    expect(chains[0]).toMatchObject({
      head: { number: 77 },
      stoppedBy: { code: 'CHAIN_NO_QUORUM', why: '… and others are gone' },
      endpoints: [{ name: 'one' }, { name: 'two', state: 'lying', reason: 'see … for more' }],
      senders: [{ balanceWei: '3000000000000000001', underWay: [{ nonce: 4, tries: 2 }], pays: 'pushes' }],
      stores: [{ feeds: [{ name: 'btc-usd', due: 'deviation' }, { storedMs: null }] }],
      requests: { open: 3, declined: { TOO_MANY_OPEN: 6 } },
      costs: [{ feed: 'btc-usd', gasUsed: '95000', feeWei: '2000000000' }],
    })
    expect(text).not.toMatch(/SECRET|:\/\//)
  })
})

/** The numbers of /metrics, by name and labels. */
async function numbers(of: Served): Promise<(name: string, ...labels: readonly string[]) => number | undefined> {
  of.announce({ epoch: 12, round: 1 })
  const lines = (await (await of.get('/metrics')).text()).split('\n')
  return (name, ...labels) => {
    const found = lines.filter((line) => line.startsWith(`assay_chain_${name}{`))
    const exact = found.filter((line) => labels.every((label) => line.includes(label)))
    expect([name, labels, exact.length <= 1]).toEqual([name, labels, true])
    return exact[0] === undefined ? undefined : Number(exact[0].split(' ').at(-1))
  }
}

describe('numbers for Prometheus', () => {
  it('say how chains, endpoints, keys, stores and requests are', async () => {
    served.chains.push(factsOf())
    const of = await numbers(served)
    expect(of('head_number')).toBe(77)
    expect(of('head_age_seconds')).toBe(2.5)
    expect(of('stopped', 'code=""')).toBe(0)
    expect(of('endpoint_counting', 'endpoint="one"', 'state="counting"')).toBe(1)
    expect(of('endpoint_counting', 'endpoint="two"', 'state="lying"')).toBe(0)
    const key = `sender="${sender}"`
    expect(of('sender_balance_gwei', key, 'pays="pushes"')).toBe(3e9)
    expect(of('sender_queued', key)).toBe(2)
    expect(of('sender_under_way', key)).toBe(1)
    expect(of('sender_alarm', key, 'code="FEE_CAP"')).toBe(1)
    expect(of('sender_alarm', key, 'code="LOW_BALANCE"')).toBe(0)
    expect(of('feed_stored_age_seconds', 'feed="btc-usd"')).toBe(42)
    expect(of('feed_stored_age_seconds', 'feed="eth-usd"')).toBe(undefined)
    expect(of('feed_due', 'feed="btc-usd"')).toBe(1)
    expect(of('requests_open')).toBe(3)
    expect(of('requests_total', 'event="declined"')).toBe(6)
    expect(of('requests_total', 'event="other"')).toBe(7)
    expect(of('requests_declined_total', 'reason="TOO_MANY_OPEN"')).toBe(6)
    served.chains.splice(0, 1, factsOf({ stoppedBy: { code: 'CHAIN_SPLIT', why: '' }, head: null, requests: null }))
    const later = await numbers(served)
    expect([later('stopped', 'code="CHAIN_SPLIT"'), later('stopped', 'code=""')]).toEqual([1, undefined])
    expect([later('head_number'), later('requests_open')]).toEqual([undefined, undefined])
  })

  it('follow each update from due to confirmed, and what is overdue', async () => {
    const told = { target: store, atMs: nowMs }
    const tell = (news: TransmitEvent): void => served.onChain({ event: 'transmit', chain: 'local', news })
    const paid = { gasUsed: 1n, feeWei: 1n }
    const ended = { feeds: ['btc-usd'], job: 'j', txHash: '0x', blockNumber: 1, ...paid } as const
    served.chains.push(factsOf())
    tell({ ...told, event: 'due', feed: 'btc-usd', reason: 'heartbeat', sinceMs: nowMs })
    tell({ ...told, ...ended, event: 'confirmed', dueAtMs: nowMs - 20_000, sentAtMs: nowMs - 17_000 })
    tell({ ...told, ...ended, event: 'confirmed', dueAtMs: null, sentAtMs: null })
    tell({ ...told, event: 'overdue', feed: 'btc-usd', storedMs: 0, heartbeatMs: 1 })
    tell({ ...told, event: 'overdue', feed: 'eth-usd', storedMs: 0, heartbeatMs: 1 })
    tell({ ...told, event: 'renewed', feed: 'eth-usd' })
    const of = await numbers(served)
    expect(of('transmit_events_total', 'event="confirmed"', `store="${store}"`)).toBe(2)
    expect(of('transmit_events_total', 'event="due"')).toBe(1)
    expect(of('due_to_confirmed_seconds_sum')).toBe(20)
    expect(of('due_to_confirmed_seconds_count')).toBe(1)
    expect(of('due_to_confirmed_seconds_bucket', 'le="15"')).toBe(0)
    expect(of('due_to_confirmed_seconds_bucket', 'le="30"')).toBe(1)
    expect(of('due_to_sent_seconds_sum')).toBe(3)
    expect(of('feed_overdue', 'feed="btc-usd"')).toBe(1)
    expect(of('feed_overdue', 'feed="eth-usd"')).toBe(0)
  })

  it('count changes of endpoints and what answers cost', async () => {
    const changed: ChainEvent = { event: 'endpoint', chain: 'local', endpoint: 'two', state: 'frozen', reason: 'x' }
    served.onChain(changed)
    const news = { hub: store, atMs: nowMs, id: '1', event: 'ended', by: 'us', end: 'answered' } as const
    const ended: ChainEvent = { event: 'request', chain: 'local', news: { ...news, gasUsed: 1n, feeWei: 3n * ether } }
    served.onChain(ended)
    const of = await numbers(served)
    expect(of('endpoint_changes_total', 'endpoint="two"', 'state="frozen"')).toBe(1)
    expect(of('request_fee_gwei_total')).toBe(3e9)
  })

  it('count what was paid since the start, never backwards, and once what a reorganisation moved', async () => {
    const old = row({ day: '2020-01-01', feeWei: 99n * ether })
    const own = await serve(undefined, [factsOf({ costs: [old, row()] })])
    const feeAfter = async (...costs: readonly CostRow[]): Promise<readonly (number | undefined)[]> => {
      own.chains.splice(0, 1, factsOf({ costs }))
      const of = await numbers(own)
      return [of('fee_gwei_total'), of('fee_today_gwei'), of('gas_used_total')]
    }
    try {
      own.nowMs = nowMs
      expect(await feeAfter(old, row())).toEqual([0, 2, 0])
      expect(await feeAfter(old, row({ gasUsed: 96_000n, feeWei: 5n * 10n ** 9n }))).toEqual([3, 5, 1000])
      expect(await feeAfter(old, row())).toEqual([3, 2, 1000])
      expect(await feeAfter(old)).toEqual([3, undefined, 1000])
      expect(await feeAfter(old, row({ gasUsed: 96_000n, feeWei: 6n * 10n ** 9n }))).toEqual([4, 6, 1000])
      // An old day is forgotten, a new one begins.
      own.nowMs += 86_400_000
      const next = row({ day: new Date(own.nowMs).toISOString().slice(0, 10), feeWei: 10n ** 9n, gasUsed: 7n })
      expect(await feeAfter(row({ feeWei: 6n * 10n ** 9n }), next)).toEqual([5, 1, 1007])
    } finally {
      await own.close()
    }
  })

  it('are kept for a moment, as other answers are', async () => {
    served.chains.push(factsOf())
    const before = await numbers(served)
    served.chains.splice(0, 1, factsOf({ head: { number: 78, timestampMs: nowMs } }))
    await expect
      .poll(async () => (await served.get('/metrics')).text(), { timeout: 20 * keptAnswerMs })
      .toContain(' 78\n')
    expect(before('head_number')).toBe(77)
  })
})

describe('docs/chain-metrics.md', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/chain-metrics.md'), 'utf8')

  it('has a row for each metric, and no other', async () => {
    const written = [...text.matchAll(/^\| `(assay_chain_[a-z_]+)` \| (\w+) \|/gm)].map(
      ([, name, kind]) => `${name} ${kind}`,
    )
    const metrics = await (await served.get('/metrics')).text()
    const made = [...metrics.matchAll(/^# TYPE (assay_chain_[a-z_]+) (\w+)$/gm)].map(
      ([, name, kind]) => `${name} ${kind}`,
    )
    expect(written.sort()).toEqual(made.sort())
    expect(made.length).toBeGreaterThan(20)
  })

  it('has a rule for each alarm of a key, on metrics that there are', async () => {
    served.chains.push(factsOf())
    served.announce({ epoch: 12, round: 1 })
    const metrics = await (await served.get('/metrics')).text()
    const codes = [...metrics.matchAll(/^assay_chain_sender_alarm\{.*code="(\w+)"/gm)].map(([, code]) => code!)
    expect(codes.length).toBe(6)
    for (const code of codes) expect(text).toContain(`expr: assay_chain_sender_alarm{code="${code}"} == 1`)
    const named = [...text.matchAll(/^ +expr: .*?(assay_chain_[a-z_]+)/gm)].map(([, name]) => name!)
    for (const name of named) expect(metrics).toContain(`# TYPE ${name.replace(/_bucket$/, '')} `)
  })
})
