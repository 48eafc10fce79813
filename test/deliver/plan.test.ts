// Which transactions carry what is due, whether their calldata is as long as planned, and what a job's id says.

import { beforeAll, describe, expect, it } from 'vitest'
import { refusalOf } from '../../src/base/errors.js'
import { type Committee, parseCommittee } from '../../src/core/committee.js'
import { packReadings } from '../../src/core/layout.js'
import { type ReportKernel, reportKernel } from '../../src/core/report.js'
import type { ReportParts } from '../../src/core/report-json.js'
import { domainOf, reportDigest, sealedDigest } from '../../src/core/typed-data.js'
import { createWasmEngine, type SigningEngine } from '../../src/crypto/engine-wasm.js'
import type { DueReason } from '../../src/deliver/due.js'
import type { DueFeed } from '../../src/deliver/due-book.js'
import { jobId, parseJobId } from '../../src/deliver/job.js'
import { planPushes } from '../../src/deliver/plan.js'
import { createPacker } from '../../src/deliver/push-data.js'
import { type Target, targetOf } from '../../src/deliver/target.js'
import { committeeDocument, memberKey } from '../committee-document.js'
import { attestedAtMs, readings } from '../signed-report.js'
import { settings, storeAddress, target } from './fixtures.js'

let engine: SigningEngine
let committee: Committee
let kernel: ReportKernel
let report: ReportParts
beforeAll(async () => {
  engine = await createWasmEngine()
  committee = parseCommittee(engine, committeeDocument(engine))
  kernel = reportKernel(engine, committee)
  const values = packReadings(kernel.layout, readings())
  const header = { epoch: 1, round: 1, attestedAtMs, root: kernel.root(values) }
  const domain = domainOf(engine, committee.salt)
  const digest = reportDigest(engine, domain, header)
  const by = (signers: readonly number[], over: Uint8Array) => ({
    signers,
    signatures: signers.map((member) => engine.sign(over, memberKey(engine, member))),
  })
  report = { ...header, values, ...by([0, 1, 2], digest), seals: by([1, 3], sealedDigest(engine, domain, digest)) }
})

const all = ['btc-usd', 'eth-usd', 'ams-temperature', 'btc-usd-candle', 'quake']

function due(goal: Target, name: string, reason: DueReason, sinceMs = attestedAtMs): DueFeed {
  return { rule: goal.rules.find(({ feed }) => feed.name === name)!, reason, sinceMs, replacedMs: 0 }
}

describe('a plan', () => {
  it('puts all bundles that are due into one transaction, most urgent first', () => {
    const goal = target(committee, { feeds: all.map((name) => ({ name })) })
    const feeds = [
      due(goal, 'btc-usd', 'heartbeat'),
      due(goal, 'ams-temperature', 'deviation', attestedAtMs - 1),
      due(goal, 'eth-usd', 'deviation'),
      due(goal, 'quake', 'status'),
      due(goal, 'btc-usd-candle', 'first value'),
    ]
    const [push, ...more] = planPushes(goal, feeds, createPacker(engine, committee, kernel).shapeOf(report))
    expect(more).toEqual([])
    // The bundles: majors 0, amsterdam 1, candles 2, quakes 3.
    expect(push!.bundles).toEqual([3, 2, 1, 0])
    expect(push!.feeds.map(({ rule }) => rule.feed.name)).toEqual([
      'quake',
      'btc-usd-candle',
      'ams-temperature',
      'eth-usd',
      'btc-usd',
    ])
  })

  it('is split where a transaction would get too long or too dear; a bundle never is', () => {
    const feedsOf = (goal: Target): readonly DueFeed[] => all.map((name) => due(goal, name, 'deviation'))
    const shape = createPacker(engine, committee, kernel).shapeOf(report)
    const bundlesOf = (changes: Parameters<typeof target>[1]): readonly (readonly number[])[] => {
      const goal = target(committee, { feeds: all.map((name) => ({ name })), ...changes })
      return planPushes(goal, feedsOf(goal), shape).map(({ bundles }) => bundles)
    }
    expect(bundlesOf({})).toEqual([[0, 1, 2, 3]])
    expect(bundlesOf({ calldataBytesMax: 800 })).toEqual([
      [0, 1],
      [2, 3],
    ])
    expect(bundlesOf({ gasMax: 150_000 })).toEqual([[0], [1, 2], [3]])
    expect(bundlesOf({ calldataBytesMax: 1 })).toEqual([[0], [1], [2], [3]])
  })

  it('makes calldata that is never longer than planned, with seals where they are enough, else attestations', () => {
    const goal = target(committee, { feeds: all.map((name) => ({ name })) })
    const packer = createPacker(engine, committee, kernel)
    const { seals, ...unsealed } = report
    for (const parts of [
      report,
      unsealed,
      { ...unsealed, seals: { signers: [1], signatures: [seals!.signatures[0]!] } },
    ])
      for (const names of [['btc-usd'], ['ams-temperature', 'quake'], all]) {
        const push = planPushes(
          goal,
          names.map((name) => due(goal, name, 'deviation')),
          packer.shapeOf(parts),
        )[0]!
        const data = packer.pushData(goal, parts, push.bundles)
        expect(data.length).toBeLessThanOrEqual(push.bytesMax)
        // The bytes of siblings that bundles share, and of a merge that one bundle does not need.
        if (names.length === 1) expect(data.length).toBe(push.bytesMax - 1)
        expect(data[4]).toBe(parts === report ? 1 : 2)
        expect([...data.subarray(-2)]).toEqual([0xa5, 0x5a])
      }
  })

  it('leaves the ids out for a store that knows its bundle', () => {
    const packer = createPacker(engine, committee, kernel)
    const full = packer.pushData({ kind: 'feeds' }, report, [0])
    const short = packer.pushData({ kind: 'bundle' }, report, [0])
    expect(short[4]).toBe(0x81)
    expect(full.length - short.length).toBe(32 + 2 * 64)
  })
})

describe('a job', () => {
  it('has the same id for the same bundles of the same report, and the id says which', () => {
    const identity = { target: `1/${storeAddress}`, attestedAtMs, bundles: [3, 0, 12] }
    const id = jobId(identity)
    expect(id).toBe(jobId({ ...identity, bundles: [12, 3, 0] }))
    expect(parseJobId(id)).toEqual({ ...identity, bundles: [0, 3, 12] })
    for (const other of [
      '',
      'x',
      `1/${storeAddress}/5`,
      `1/0x00/5/1`,
      `1/${storeAddress}/5/`,
      `1/${storeAddress}/-5/1`,
      `${id}/1`,
    ])
      expect(parseJobId(other)).toBeNull()
  })
})

describe('a target', () => {
  it('is refused with the field to mend', () => {
    const majors = { kind: 'bundle', bundle: 'majors' } as const
    const cases: readonly [Parameters<typeof target>[1], string][] = [
      [{ chainId: 0 }, '/chainId'],
      [{ store: `0x${'5A'.repeat(20)}` }, '/store'],
      [{ stageMs: 1999 }, '/stageMs'],
      [{ blockMs: 0 }, '/blockMs'],
      [{ landBlocks: 1.5 }, '/landBlocks'],
      [{ feeds: [] }, '/feeds'],
      [{ feeds: [{ name: 'btc-usd' }, { name: 'btc-usd' }] }, '/feeds'],
      [{ feeds: [{ name: 'btc-usd' }, { name: 'btc-eur' }] }, '/feeds/1'],
      [{ feeds: [{ name: 'btc-usd', heartbeatS: 61 }] }, '/feeds/0/heartbeatS'],
      [{ feeds: [{ name: 'btc-usd', heartbeatS: 0 }] }, '/feeds/0/heartbeatS'],
      [{ feeds: [{ name: 'btc-usd', deviationPpm: -1 }] }, '/feeds/0/deviationPpm'],
      [{ feeds: [{ name: 'btc-usd', heartbeatS: 11 }] }, '/feeds'],
      [{ kind: 'bundle', bundle: 'minors' }, '/bundle'],
      [{ kind: 'bundle', bundle: 'quakes', feeds: [] }, '/bundle'],
      [{ ...majors, feeds: [{ name: 'quake' }] }, '/feeds/0'],
    ]
    for (const [changes, path] of cases)
      expect(
        refusalOf(() => target(committee, changes)),
        path,
      ).toMatchObject({ code: 'TARGET_INVALID', path })
  })

  it('takes the declaration’s triggers unless the chain’s settings say otherwise', () => {
    const feeds = [{ name: 'btc-usd', deviationPpm: 100, heartbeatS: 30 }]
    const { rules, marginMs } = target(committee, { kind: 'bundle', bundle: 'majors', feeds })
    expect(rules.map(({ feed, deviationPpm, heartbeatMs }) => [feed.name, deviationPpm, heartbeatMs])).toEqual([
      ['btc-usd', 100, 30_000],
      ['eth-usd', 5000, 60_000],
    ])
    // A silent member’s stage, half of the next one’s, a block, a round.
    expect(marginMs).toBe(8000 + 4000 + 1000 + 1000)
  })

  it('never pushes a feed of one origin that nobody opted in to', () => {
    const single = committee.feeds.map(({ name }) => ({
      name,
      triggers: { deviationPpm: 0, heartbeatS: 60 },
      singleSource: name === 'quake' ? 'there is one agency' : null,
    }))
    const pushed = (allowSingleSource: boolean): readonly boolean[] =>
      targetOf(
        committee,
        single,
        settings({ feeds: [{ name: 'quake', allowSingleSource }, { name: 'btc-usd' }] }),
      ).rules.map(({ isPushed }) => isPushed)
    expect([pushed(false), pushed(true)]).toEqual([
      [false, true],
      [true, true],
    ])
  })
})
