// What one transmitter does: waits, looks again, sends nothing blindly or twice, tells everything, and alarms (I17).

import { beforeAll, describe, expect, it } from 'vitest'
import { createWasmEngine, type SigningEngine } from '../../src/crypto/engine-wasm.js'
import { readings } from '../signed-report.js'
import { changed, delays, moved, noDelays, World, type WorldSettings } from './world.js'

let engine: SigningEngine
beforeAll(async () => {
  engine = await createWasmEngine()
})

function world(settings: Partial<WorldSettings> = {}): World {
  return new World(engine, { seed: 1n, delays: noDelays, ...settings })
}

/** A reading of a feed without a value. */
const absent = { status: 9, groups: 0, spreadPpm: 0, timeMs: 0, values: null }

describe('a transmitter', () => {
  it('tells of an update from due to confirmed, with times and cost, once each', async () => {
    const made = world({ confirmMs: 3000 })
    await made.run(15_000)
    const payer = made.chain.mined[0]!.member
    const own = made.events.filter(({ member, event }) => member === payer && event !== 'overdue')
    expect(own.map(({ event }) => event)).toEqual(['due', 'due', 'due', 'waiting', 'sent', 'confirmed'])
    const confirmed = own.at(-1)!
    if (confirmed.event !== 'confirmed') throw new Error('not confirmed')
    expect(confirmed.feeds).toEqual(['btc-usd', 'eth-usd', 'ams-temperature'])
    expect(confirmed.dueAtMs!).toBeLessThanOrEqual(confirmed.sentAtMs!)
    expect(confirmed.atMs - confirmed.sentAtMs!).toBeGreaterThanOrEqual(3000)
    expect(confirmed.feeWei).toBe(54_000n * 3_000_000_001n)
    expect(made.costs[payer]!.rows().reduce((sum, { feeWei }) => sum + feeWei, 0n)).toBe(confirmed.feeWei)
    const others = made.events.filter(({ member }) => member !== payer)
    expect(others.filter(({ event }) => event === 'superseded')).toHaveLength(3)
    expect(others.filter(({ event }) => event === 'sent')).toEqual([])
  })

  it('sends when the status changes, and for a feed that appears or goes, before what is less urgent', async () => {
    const made = world()
    const priorities: number[] = []
    made.onSubmit = (_, { priority }) => priorities.push(priority) > 0
    await made.run(12_000)
    const status = (): number => made.chain.stored(made.committee.feeds[0]!.feedId)!.status
    for (const change of [{ status: 8 }, absent, {}]) {
      made.readings = changed(readings(), 0, change)
      // That there is none must have lasted.
      if (change === absent) {
        await made.run(29_000)
        expect(status()).toBe(8)
      }
      await made.run(12_000)
      expect(status()).toBe(change.status ?? 0)
    }
    const [first, ...changes] = priorities
    expect(changes.length).toBeGreaterThanOrEqual(3)
    expect(Math.max(...changes)).toBeGreaterThan(first!)
  })

  it('does not take what oracles have not read yet, after a start, for a feed without a value', async () => {
    const made = world()
    await made.run(12_000)
    for (const now of [absent, {}, absent, {}]) {
      made.readings = changed(readings(), 0, now)
      for (let second = 0; second < 25; second++) {
        await made.run(1000)
        expect(made.chain.stored(made.committee.feeds[0]!.feedId)!.status).toBe(0)
      }
    }
  })

  it('takes a quorum’s attestations when seals do not come, and seals when they do', async () => {
    for (const [isSealing, kind] of [
      [true, 1],
      [false, 2],
    ] as const) {
      const made = world({ isSealing })
      const kinds: number[] = []
      made.onSubmit = (_, job) => kinds.push(Number(job.data.slice(10, 12))) > 0
      await made.run(20_000)
      expect(kinds.length).toBeGreaterThan(0)
      expect(new Set(kinds)).toEqual(new Set([kind]))
    }
  })

  it('sends nothing while the chain cannot be read, says so once, and goes on after', async () => {
    const made = world()
    for (let member = 0; member < 4; member++) made.blind.add(member)
    await made.run(30_000)
    expect(made.chain.mined).toEqual([])
    expect(made.events.filter(({ event }) => event === 'blind')).toHaveLength(4)
    made.blind.clear()
    await made.run(40_000)
    expect(made.events.filter(({ event }) => event === 'seeing')).toHaveLength(4)
    expect(made.chain.mined.filter(({ stored }) => stored.length === 0)).toEqual([])
    expect(made.chain.mined.length).toBeGreaterThan(0)
  })

  it('pays nothing for what the store would refuse, and leaves the turn to others until its next', async () => {
    const made = world()
    made.reverts = 'Paused'
    await made.run(32_000)
    expect(made.chain.mined).toEqual([])
    const refused = made.events.filter(({ event }) => event === 'refused')
    // Four stages: each member had one turn.
    expect(refused).toHaveLength(4)
    expect(refused[0]).toMatchObject({ why: 'Paused', gasUsed: 0n })
    made.reverts = null
    await made.run(32_000)
    expect(made.chain.mined.length).toBeGreaterThan(0)
  })

  it('hands over to the next when its transaction is lost, and knows whether a job is still wanted', async () => {
    const made = world()
    let lost: { member: number; id: string } | null = null
    made.onSubmit = (member, { id }) => {
      lost ??= { member, id }
      return member !== lost.member
    }
    while (lost === null) await made.run(10)
    const { member, id } = lost as { member: number; id: string }
    const isWanted = async (job: string): Promise<boolean> => {
      const asked = made.transmitters[member]!.isWanted(job)
      await made.run(10)
      return asked
    }
    expect(await isWanted(id)).toBe(true)
    expect([await isWanted('x'), await isWanted(id.replace(/^31337/, '1'))]).toEqual([false, false])
    await made.run(6000)
    expect(made.chain.mined).toEqual([])
    // It is lacking still, but a newer report is at hand, and the turn is over.
    expect(await isWanted(id)).toBe(false)
    await made.run(9000)
    expect(made.chain.mined.map((mined) => mined.member)).not.toContain(member)
    expect(made.chain.mined).toHaveLength(1)
    expect(await isWanted(id)).toBe(false)
  })

  it('after a restart sends nothing that a job of its earlier life brings', async () => {
    const made = world({ dead: [1, 2, 3] })
    await made.run(40_000)
    made.readings = moved(105)
    const jobs: string[] = []
    made.onSubmit = (_, { id }) => jobs.push(id) < 0
    // Alone: its turn comes once in four stages.
    await made.run(32_000)
    expect(jobs).toHaveLength(1)
    made.start(0, jobs)
    await made.run(20_000)
    expect(jobs).toHaveLength(1)
    // Without the journal's word it would: the test can fail.
    made.start(0, [])
    await made.run(32_000)
    expect(jobs.length).toBeGreaterThan(1)
  })

  it('takes a reorganisation’s word: the cost is taken back, and nothing is sent while the sender brings it again', async () => {
    const made = world({ dead: [1, 2, 3] })
    await made.run(40_000)
    const { job, member } = made.chain.mined.at(-1)!
    const before = made.costs[member]!.rows()
    expect(before.reduce((sum, { updates }) => sum + updates, 0)).toBeGreaterThan(0)
    const confirmed = made.events.filter(({ event }) => event === 'confirmed').length
    made.chain.revert()
    made.transmitters[member]!.onNews({ kind: 'undone', id: job, nonce: 0 })
    const sum = (rows: readonly { readonly feeWei: bigint }[]): bigint =>
      rows.reduce((all, { feeWei }) => all + feeWei, 0n)
    expect(sum(before) - sum(made.costs[member]!.rows())).toBe(54_000n * 3_000_000_001n)
    await made.run(40_000)
    expect(made.events.filter(({ event }) => event === 'undone')).toHaveLength(1)
    expect(made.events.filter(({ event }) => event === 'confirmed')).toHaveLength(confirmed)
    expect(made.chain.mined.at(-1)!.job).toBe(job)
    // Ended after all; told twice, it is paid for once.
    const receipt = { hash: '0x01', blockNumber: 1, blockHash: '0x02', isSuccess: true, gasUsed: 1n, paidWei: 5n }
    for (let i = 0; i < 2; i++)
      made.transmitters[member]!.onNews({
        kind: 'ended',
        outcome: { id: job, nonce: 0, end: 'done', receipt, atMs: made.nowMs },
      })
    expect(sum(made.costs[member]!.rows())).toBe(sum(before) - 54_000n * 3_000_000_001n + 5n)
  })

  it('rests until its next turn when the sender takes no job', async () => {
    const made = world({ dead: [1, 2, 3] })
    let asked = 0
    made.onTake = () => {
      asked++
      throw new Error('the journal cannot be written')
    }
    await made.run(64_000)
    // Eight stages are two turns of one among four.
    expect(asked).toBe(2)
    const refused = made.events.filter((event) => event.event === 'refused')
    expect(refused.map((event) => event.event === 'refused' && event.why)).toEqual(
      Array(2).fill('the journal cannot be written'),
    )
  })

  it('never goes back to an older view or report, whatever order they come in', async () => {
    const made = world({ delays: { report: 0, head: 0, read: 6000, submit: 0 } })
    await made.run(40_000)
    for (const member of [0, 1, 2, 3]) {
      const first = made.events.filter((event) => event.member === member && event.event === 'due')
      expect(first.filter((event) => event.event === 'due' && event.reason === 'first value')).toHaveLength(3)
    }
    const late = world({ dead: [1, 2, 3], isSealing: false })
    await late.run(20_000)
    late.readings = null
    late.chain.revert()
    const jobs: string[] = []
    late.onSubmit = (_, { id }) => jobs.push(id) < 0
    late.start(0, [])
    for (const report of late.reports.slice(-3).reverse()) late.transmitters[0]!.onReport(report)
    await late.run(39_000)
    expect(jobs.length).toBeGreaterThan(0)
    for (const id of jobs) expect(id).toContain(`/${late.reports.at(-1)!.attestedAtMs}/`)
  })

  it('sees a reorganisation without a new report, and does not say that somebody came first', async () => {
    const made = world()
    await made.run(15_000)
    made.readings = null
    await made.run(2000)
    let told = made.events.length
    const firstValues = (): number =>
      made.events.slice(told).filter((event) => event.event === 'due' && event.reason === 'first value').length
    made.onSubmit = () => false
    made.chain.revert()
    await made.run(3000)
    expect(firstValues()).toBe(12)

    const moving = world()
    await moving.run(15_000)
    moving.onSubmit = () => false
    moving.readings = moved(103)
    await moving.run(1500)
    told = moving.events.length
    moving.chain.revert()
    await moving.run(3000)
    const since = moving.events.slice(told)
    expect(since.filter(({ event }) => event === 'due').length).toBeGreaterThan(0)
    expect(since.filter(({ event }) => event === 'superseded')).toEqual([])
  })

  it('does not bring the same report twice: what came of it is known', async () => {
    // Turns come every eight seconds, and a report is good for a minute.
    const made = world({ dead: [1, 2, 3], target: { stageMs: 2000 } })
    const jobs: string[] = []
    made.onSubmit = (_, { id }) => {
      made.readings = null
      const outcome = { id, nonce: null, end: 'refused' as const, receipt: null, atMs: made.nowMs }
      made.after(500, () => made.transmitters[0]!.onNews({ kind: 'ended', outcome }))
      return jobs.push(id) < 0
    }
    await made.run(40_000)
    expect(jobs.length).toBeGreaterThan(0)
    await made.run(48_000)
    expect(new Set(jobs).size).toBe(jobs.length)
  })

  it('sends nothing once it is closed, not even what it was about to', async () => {
    const halfway = world({ delays: { ...noDelays, read: 1000 } })
    let asked = 0
    let taken = 0
    halfway.onTake = () => taken++
    halfway.onAsk = (member) => {
      asked++
      void halfway.transmitters[member]!.close()
    }
    await halfway.run(40_000)
    expect([asked, taken]).toEqual([4, 0])
    const made = world()
    await Promise.all(made.transmitters.map((transmitter) => transmitter!.close()))
    await made.run(40_000)
    expect(made.chain.mined).toEqual([])
  })

  it('I17: without a quorum the value goes stale on schedule, and every node alarms within two heartbeats', async () => {
    const made = world({ delays })
    await made.run(30_000)
    made.readings = null
    const { feed, heartbeatMs } = made.target.rules[0]!
    await made.run(5000)
    const stored = made.chain.stored(feed.feedId)!
    await made.run(2 * heartbeatMs)
    expect(made.chain.stored(feed.feedId)).toEqual(stored)
    expect(stored.validUntilMs).toBe(stored.observedAtMs + 1000 * feed.validForS)
    expect(made.nowMs).toBeGreaterThan(stored.validUntilMs)
    const alarms = made.events.filter((event) => event.event === 'overdue' && event.feed === feed.name)
    expect(alarms.map(({ member }) => member).sort()).toEqual([0, 1, 2, 3])
    for (const { atMs } of alarms) {
      expect(atMs).toBeGreaterThan(stored.attestedAtMs + heartbeatMs)
      expect(atMs).toBeLessThanOrEqual(stored.attestedAtMs + 2 * heartbeatMs)
    }
    made.readings = readings()
    await made.run(20_000)
    expect(made.events.filter((event) => event.event === 'renewed' && event.feed === feed.name)).toHaveLength(4)
  })

  it('I17: alarms on what it last knew when the chain cannot be read', async () => {
    const made = world()
    await made.run(30_000)
    for (let member = 0; member < 4; member++) made.blind.add(member)
    await made.run(120_000)
    expect(made.events.filter((event) => event.event === 'overdue' && event.feed === 'btc-usd')).toHaveLength(4)
  })
})
