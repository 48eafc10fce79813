// A desk of requests while its disk fails, endpoints say what no hub says, and nobody answers: it goes on, and says so.

import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { OracleError } from '../../src/base/errors.js'
import type { Outcome } from '../../src/chain/sender-state.js'
import { createWasmEngine, type SigningEngine } from '../../src/crypto/engine-wasm.js'
import { type DeskScene, hex, hubAddress, openDeskScene, startMs } from './request-desk-scene.js'

let engine: SigningEngine
let scene: DeskScene
beforeAll(async () => {
  engine = await createWasmEngine()
})
beforeEach(() => {
  scene = openDeskScene(engine)
})

/** A second, a head and a tick. */
async function step(ms = 1000): Promise<void> {
  scene.nowMs += ms
  await scene.desk.onHead(scene.blockOf(Math.floor((scene.nowMs - startMs) / 1000)))
  scene.desk.onTick()
  await scene.settled()
}

const full = (): Error => Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })

describe('a disk that fails', () => {
  it('is told once, stops nothing, and has all that it missed as soon as it works', async () => {
    scene.diskError = full()
    scene.restart()
    for (let i = 0; i < 3; i++) await step()
    // What was remembered cannot be known: nothing is begun without it.
    expect([scene.events, scene.faults]).toEqual([[], [scene.diskError]])
    scene.diskError = null
    scene.logs.push(scene.requested(1, 2))
    await step()
    expect(scene.told('asked')).toHaveLength(1)
    expect(scene.saves).toBe(1)

    scene.diskError = full()
    scene.logs.push(scene.requested(2, 6))
    for (let i = 0; i < 30; i++) await step()
    expect(scene.told('asked')).toHaveLength(2)
    expect(scene.faults).toHaveLength(2)
    await scene.desk.close()
    expect(scene.faults).toHaveLength(2)

    scene.diskError = null
    scene.restart()
    for (let i = 0; i < 10; i++) await step()
    expect(scene.told('asked').map(({ id }) => id)).toEqual([hex(1), hex(2), hex(2)])
    await scene.desk.close()
    scene.restart()
    await step()
    expect([scene.told('asked').length, scene.desk.facts().open]).toEqual([3, 2])
  })

  it('has what it missed also where nothing comes after it', async () => {
    await step()
    scene.diskError = full()
    scene.logs.push(scene.requested(1, 2))
    await step(10_000)
    scene.diskError = null
    for (let i = 0; i < 10; i++) await step()
    expect(new TextDecoder().decode(scene.saved!)).toContain(hex(1))
  })
})

describe('a fault of ours', () => {
  it('in what reads is told, not thrown, and not at each tick; then all is read', async () => {
    scene.logs.push(scene.requested(1, 2))
    const error = new TypeError('no such thing')
    scene.logError = error
    for (let i = 0; i < 40; i++) await step(250)
    expect(new Set(scene.faults)).toEqual(new Set([error]))
    expect(scene.faults.length).toBeLessThanOrEqual(10)
    scene.logError = null
    for (let i = 0; i < 4; i++) await step(500)
    expect(scene.told('asked')).toHaveLength(1)
  })

  it('in what sends is told, and each request has its next turn', async () => {
    scene.logs.push(scene.requested(1, 1), scene.requested(2, 1))
    await step()
    await step(31_000)
    scene.call = null as never
    for (let i = 0; i < 32; i++) {
      scene.desk.onReport(scene.report())
      await step()
    }
    expect(scene.faults.every((error) => error instanceof TypeError)).toBe(true)
    expect(scene.faults.length).toBeGreaterThanOrEqual(2)
    expect(scene.faults.length).toBeLessThanOrEqual(4)
    scene.call = { reverted: false, data: '0x' }
    for (let i = 0; i < 32; i++) {
      scene.desk.onReport(scene.report())
      await step()
    }
    expect(new Set(scene.jobs.map(({ id }) => id.split('/')[3]))).toEqual(new Set([hex(1), hex(2)]))
    await scene.desk.close()
  })
})

describe('what is saved', () => {
  it('is written at most every five seconds, and not for requests that are declined', async () => {
    for (let block = 1; block <= 40; block++) {
      for (let i = 0; i < 20; i++) scene.logs.push(scene.requested(1000 * block + i, block, 3600, hex(77)))
      await step()
    }
    expect([scene.desk.facts().declined, scene.saves]).toEqual([{ UNKNOWN_FEED: 800 }, 0])
    await scene.desk.close()
    expect(scene.saves).toBe(1)
    // What was loaded needs no saving.
    scene.restart()
    for (let i = 0; i < 40; i++) await step()
    expect(scene.saves).toBe(1)
    for (let block = 81; block <= 120; block++) {
      scene.logs.push(scene.requested(block, block))
      await step()
    }
    expect(scene.saves).toBeGreaterThanOrEqual(1 + 7)
    expect(scene.saves).toBeLessThanOrEqual(1 + 9)
  })
})

describe('an endpoint whose word is taken, and which says', () => {
  it('a revert that is cut off: the answer is told as failed, and others go on', async () => {
    scene.call = { reverted: true, data: '0x08c379a0' }
    scene.logs.push(scene.requested(1, 1), scene.requested(2, 1))
    await step()
    await step(31_000)
    for (let i = 0; i < 40; i++) {
      scene.desk.onReport(scene.report())
      await step()
    }
    expect(new Set(scene.told('failed').map((event) => ('why' in event ? event.why : '')))).toEqual(
      new Set(['reverts with 0x08c379a0']),
    )
    expect(new Set(scene.told('failed').map(({ id }) => id)).size).toBe(2)
    expect(scene.faults).toEqual([])
  })

  it('events that no hub makes: they count for nothing', async () => {
    const good = scene.requested(1, 1)
    const [, id] = good.topics
    scene.logs.push(
      { ...scene.requested(2, 1), data: '0x' },
      { ...scene.requested(3, 1), data: good.data.slice(0, 130) },
      { ...scene.requested(4, 1), topics: good.topics.slice(0, 1) },
      { ...scene.requested(5, 1), data: `0x${'ff'.repeat(128)}` },
      { ...scene.requested(6, 1), topics: [good.topics[0]!, id!] },
      good,
    )
    await step()
    expect(scene.events.map(({ event, id: one }) => [event, one])).toEqual([['asked', hex(1)]])
    expect([scene.desk.facts().readToBlock, scene.faults]).toEqual([1, []])
  })

  it('nothing where a hub should be: whether a job of an earlier life is wanted stays open', async () => {
    const job = `request/1/${hubAddress}/${hex(9)}/answer/${startMs}`
    scene.restart([job])
    await expect(scene.desk.isWanted(job)).rejects.toMatchObject({ code: 'TARGET_INVALID' })
    await expect(scene.desk.isWanted(job)).rejects.toBeInstanceOf(OracleError)
  })
})

describe('thousands of open requests', () => {
  it('cost next to nothing at ticks where none is due, and the first that is due is seen in time', async () => {
    scene = openDeskScene(engine, { openMax: 5000, openPerRequesterMax: 5000 })
    for (let i = 0; i < 5000; i++) scene.logs.push(scene.requested(i, 1, 7200))
    await step()
    expect(scene.desk.facts().open).toBe(5000)
    const before = process.cpuUsage()
    for (let tick = 0; tick < 400; tick++) {
      scene.nowMs += 5
      scene.desk.onTick()
    }
    const { user, system } = process.cpuUsage(before)
    // Two or three looks of some milliseconds; one at each tick would take seconds.
    expect((user + system) / 1000).toBeLessThan(400)
    const readyMs = startMs + 31_001
    while (scene.told('round').length === 0 && scene.nowMs < readyMs + 2000) {
      scene.nowMs += 250
      scene.desk.onTick()
    }
    expect(scene.nowMs).toBeLessThanOrEqual(readyMs + 1250)
  })
})

describe('endpoints that give no events at all', () => {
  it('are told of once, and no block is left out: all is read when they do', async () => {
    await step()
    scene.logs.push(scene.requested(1, 20))
    const error = new OracleError('CHAIN_NO_QUORUM', 'the method eth_getLogs is disabled')
    scene.logError = error
    for (let i = 0; i < 120; i++) await step()
    expect([scene.faults, scene.events, scene.desk.facts().readToBlock]).toEqual([[error], [], 1])
    scene.logError = null
    for (let i = 0; i < 40; i++) await step()
    expect(scene.told('asked').map(({ id }) => id)).toEqual([hex(1)])
    expect(scene.told('declined')).toEqual([])
  })
})

describe('requests that nobody answered', () => {
  let landed = 0
  beforeEach(() => {
    landed = 0
  })
  const actOf = (id: string): string => id.split('/')[4]!
  const acts = (): readonly string[] => scene.jobs.map(({ id }) => actOf(id))
  /** Some steps; the news that a deadline is over lands at once. */
  const landing = async (steps: number, ms: number, withReport = false): Promise<void> => {
    for (let i = 0; i < steps; i++) {
      if (withReport) scene.desk.onReport(scene.report())
      await step(ms)
      for (; landed < scene.jobs.length; landed++) {
        const { id } = scene.jobs[landed]!
        const receipt = { hash: hex(9), blockNumber: 1, gasUsed: 100_000n, paidWei: 1n }
        const outcome = { id, nonce: landed, end: 'done', receipt, atMs: scene.nowMs } as unknown as Outcome
        if (actOf(id) === 'expire') scene.desk.onNews({ kind: 'ended', outcome })
      }
    }
  }

  it('are told that they expired at most twenty times an hour, however many there are', async () => {
    scene = openDeskScene(engine, { openMax: 5000, openPerRequesterMax: 5000, stageMs: 600_000 })
    for (let i = 0; i < 400; i++) scene.logs.push(scene.requested(i, 1, 60))
    await step()
    expect(scene.desk.facts().open).toBe(400)
    // The turn of a quarter of them is now, that of others later in the hour.
    await step(70_000)
    await landing(440, 8000)
    expect([acts().length, new Set(acts())]).toEqual([20, new Set(['expire'])])
    await landing(460, 8000)
    expect(acts()).toHaveLength(40)
  })

  it('wait while an answer has not left, for it may be short of budget', async () => {
    for (let i = 0; i < 15; i++) scene.logs.push(scene.requested(i, 1, 60))
    await step()
    scene.logs.push(scene.requested(77, 35))
    await step(40_000)
    await step(36_000)
    for (let i = 0; i < 33 && !acts().includes('answer'); i++) await landing(1, 1000, true)
    const at = acts().indexOf('answer')
    expect(at).toBeGreaterThanOrEqual(0)
    await landing(24, 1000)
    expect(acts().slice(at)).toEqual(['answer'])
    const { id } = scene.jobs[at]!
    scene.desk.onNews({ kind: 'sent', job: scene.jobs[at]!, attempt: { hash: hex(5) } } as never)
    expect(scene.told('sent')).toMatchObject([{ act: 'answer', id: id.split('/')[3], txHash: hex(5) }])
    await landing(24, 1000)
    expect(acts().slice(at + 1)).toContain('expire')
  })
})

describe('a hub that is not there', () => {
  it('is told once, and looked for again', async () => {
    const scene = openDeskScene(engine)
    scene.code = '0x'
    scene.logs.push(scene.requested(1, 5))
    for (let block = 6; block < 30; block++) {
      scene.nowMs = startMs + 1000 * block
      await scene.desk.onHead(scene.blockOf(block))
    }
    expect(scene.faults).toMatchObject([{ code: 'TARGET_INVALID' }])
    expect(scene.told('asked')).toEqual([])
    scene.code = '0x60'
    for (let block = 30; block < 40; block++) {
      scene.nowMs = startMs + 1000 * block
      await scene.desk.onHead(scene.blockOf(block))
    }
    expect(scene.told('asked')).toHaveLength(1)
    await scene.desk.close()
  })
})
