// Requests on a real chain: asked, answered or refused or told that it is too late, each once, at a known price.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RequestEvent } from '../../src/deliver/request-event.js'
import { hubInterface, type Life, openScene, type RequestScene, withStatus } from './request-scene.js'

let scene: RequestScene
let asker: string

beforeAll(async () => {
  scene = await openScene()
  asker = await scene.asker('note')
})
afterAll(async () => {
  await scene?.stop()
})

const selectors = { onAnswer: '', onRefused: '' }
beforeAll(async () => {
  const { IAssayRequester__factory } = await import('../../src/chain/generated/factories/IAssayRequester__factory.js')
  const face = IAssayRequester__factory.createInterface()
  selectors.onAnswer = face.getFunction('onAnswer').selector
  selectors.onRefused = face.getFunction('onRefused').selector
})

/** Runs `action` with one life, which is closed after it. */
async function living(
  parts: Parameters<RequestScene['open']>[0],
  action: (life: Life) => Promise<void>,
): Promise<void> {
  scene.saved = null
  const fromBlock = Number(await scene.anvil.ask('eth_blockNumber')) + 1
  const life = await scene.open({ ...parts, settings: { ...parts?.settings, fromBlock } })
  try {
    await action(life)
  } finally {
    await life.close()
  }
}

const told = (life: Life, id: string): readonly string[] =>
  life.events.flatMap((event) => (event.id === id ? [event.event] : []))
const eventOf = <K extends RequestEvent['event']>(
  life: Life,
  id: string,
  event: K,
): (RequestEvent & { event: K }) | null =>
  (life.events.find((one) => one.id === id && one.event === event) as (RequestEvent & { event: K }) | undefined) ?? null

describe('a request', () => {
  it('is answered by a report of 30 s later, once its feed was asked, in the turn of this member', () =>
    living({}, async (life) => {
      const id = await scene.ask(asker, 'btc-usd', 600)
      const requestedAtMs = scene.nowMs
      await scene.look(life)
      expect(told(life, id)).toEqual(['asked'])
      await scene.step(life, 29_000)
      await scene.until(life, () => eventOf(life, id, 'ended') !== null)
      expect(told(life, id)).toEqual(['asked', 'round', 'waiting', 'sent', 'ended'])
      expect(life.asked).toEqual([0])
      const { place } = eventOf(life, id, 'waiting')!
      expect(eventOf(life, id, 'round')!.atMs).toBe(requestedAtMs + 31_000)
      const sentAtMs = eventOf(life, id, 'sent')!.atMs
      expect(sentAtMs - requestedAtMs - 31_000).toBe(8000 * place)
      const ended = eventOf(life, id, 'ended')!
      expect(ended).toMatchObject({ by: 'us', end: 'answered' })
      expect(ended.gasUsed).toBeGreaterThan(80_000n)
      expect(await scene.noted(asker, id)).toEqual({ selector: selectors.onAnswer, value: 6_412_345_678_901n })
      expect(life.desk.facts()).toMatchObject({ open: 0, counts: { asked: 1, ended: 1 } })
    }))

  it('of a structured feed brings the bytes that were signed', () =>
    living({}, async (life) => {
      const id = await scene.ask(asker, 'quake', 600)
      await scene.step(life, 29_000)
      await scene.until(life, () => eventOf(life, id, 'ended') !== null)
      expect(await scene.noted(asker, id)).toEqual({ selector: selectors.onAnswer, value: 0n })
      expect(life.outcomes.map(({ end }) => end)).toEqual(['done'])
    }))

  it('by a template is a request like any other', () =>
    living({}, async (life) => {
      const meaning = Buffer.from(scene.meaningOf('eth-usd').slice(2), 'hex').toString()
      const [before, after] = meaning.split('eth') as [string, string]
      const deadlineS = Math.floor(scene.nowMs / 1000) + 601
      const data = hubInterface.encodeFunctionData('requestFrom', [[before, after], ['eth'], deadlineS, 100_000])
      const [receipt] = await scene.transact({ to: asker, data })
      const id = receipt!.logs[0]!.topics[1]!
      await scene.step(life, 29_000)
      await scene.until(life, () => eventOf(life, id, 'ended') !== null)
      expect((await scene.noted(asker, id)).value).toBe(312_345_000_000n)
    }))

  it('waits for a value for half of its time, then the refusal is sent, which is as good an end', () =>
    living({}, async (life) => {
      const id = await scene.ask(asker, 'btc-usd', 180)
      const requestedAtMs = scene.nowMs
      await scene.step(life, 29_000)
      await scene.until(life, () => eventOf(life, id, 'ended') !== null, 180, withStatus(0, 'HALT'))
      expect(eventOf(life, id, 'ended')).toMatchObject({ by: 'us', end: 'refused' })
      expect(eventOf(life, id, 'sent')!.atMs).toBeGreaterThanOrEqual(requestedAtMs + 105_000)
      // Asked again while no value came, not each second.
      expect(life.asked.length).toBeGreaterThan(3)
      expect(life.asked.length).toBeLessThan(20)
      expect(await scene.noted(asker, id)).toMatchObject({ selector: selectors.onRefused })
    }))

  it('that a value comes for in time is answered, not refused', () =>
    living({}, async (life) => {
      const id = await scene.ask(asker, 'btc-usd', 300)
      const requestedAtMs = scene.nowMs
      const change = (all: Parameters<ReturnType<typeof withStatus>>[0]) =>
        scene.nowMs < requestedAtMs + 60_000 ? withStatus(0, 'NO_DATA')(all) : all
      await scene.until(life, () => eventOf(life, id, 'ended') !== null, 180, change)
      expect(eventOf(life, id, 'ended')).toMatchObject({ end: 'answered' })
    }))

  it('that nobody could answer expires, and its requester is told on chain', () =>
    living({}, async (life) => {
      const id = await scene.ask(asker, 'btc-usd', 60)
      await scene.look(life)
      await scene.step(life, 58_000)
      for (let i = 0; i < 120 && eventOf(life, id, 'ended') === null; i++) await scene.step(life)
      expect(told(life, id)).toEqual(['asked', 'round', 'expired', 'sent', 'ended'])
      expect(eventOf(life, id, 'expired')!.why).toBe('no report with a value came in time')
      expect(eventOf(life, id, 'ended')).toMatchObject({ by: 'us', end: 'refused' })
      expect(await scene.noted(asker, id)).toMatchObject({ selector: selectors.onRefused })
    }))

  it('that another answers, or its requester takes back, costs nothing', () =>
    living({}, async (life) => {
      const other = await scene.ask(asker, 'btc-usd', 600)
      const gone = await scene.ask(asker, 'btc-usd', 600)
      await scene.look(life)
      await scene.transact({ to: asker, data: hubInterface.encodeFunctionData('cancel', [gone]) })
      await scene.look(life)
      expect(eventOf(life, gone, 'ended')).toMatchObject({ by: 'other', end: 'gone', gasUsed: 0n })
      // Another member's transaction: that of a life before, given to the chain by somebody else.
      scene.nowMs += 40_000
      await scene.mine()
      const { requestPacker } = await import('../../src/deliver/request-calldata.js')
      const { newestReport } = await import('../../src/deliver/newest-report.js')
      const packer = requestPacker(scene.engine, scene.committee, scene.kernel)
      const held = newestReport(scene.committee, scene.kernel, () => scene.nowMs).take(scene.report())
      const { data } = packer.answer({ id: other, feed: 0, callbackGas: 100_000 } as never, held)
      await scene.transact({ to: scene.hub, data })
      await scene.until(life, () => eventOf(life, other, 'ended') !== null)
      expect(eventOf(life, other, 'ended')).toMatchObject({ by: 'other', end: 'answered', gasUsed: 0n })
      expect(life.outcomes).toEqual([])
    }))

  it('is declined once, with the reason, where it is none for this oracle', () =>
    living({ settings: { callbackGasMax: 200_000, requesters: [asker.toLowerCase()] } }, async (life) => {
      const stranger = await scene.asker('note')
      const near = await scene.ask(asker, 'btc-usd', 31)
      const greedy = await scene.ask(asker, 'btc-usd', 600, 200_001)
      const foreign = await scene.ask(stranger, 'btc-usd', 600)
      const [receipt] = await scene.transact({ to: asker, data: scene.request('0x7b7d', 600) })
      const unknown = receipt!.logs[0]!.topics[1]!
      await scene.look(life)
      await scene.step(life)
      const why = (id: string): unknown =>
        life.events.flatMap((e) => (e.id === id && e.event === 'declined' ? e.why : []))
      expect([near, greedy, foreign, unknown].map(why)).toEqual([
        ['DEADLINE_TOO_NEAR'],
        ['CALLBACK_GAS_TOO_HIGH'],
        ['REQUESTER_NOT_LISTED'],
        ['UNKNOWN_FEED'],
      ])
      expect(life.desk.facts()).toMatchObject({ open: 0 })
    }))
})

describe('the gas of an answer', () => {
  it.each([['btc-usd'], ['btc-usd-candle'], ['quake']])(
    'is enough for a callback that burns 500,000 of it: %s',
    async (feed) => {
      const burner = await scene.asker('burn')
      await living({}, async (life) => {
        const id = await scene.ask(burner, feed, 600, 500_000)
        await scene.step(life, 29_000)
        await scene.until(life, () => eventOf(life, id, 'ended') !== null)
        expect(eventOf(life, id, 'ended')).toMatchObject({ by: 'us', end: 'answered' })
        expect(life.outcomes.map(({ end }) => end)).toEqual(['done'])
        const gasUsed = Number(eventOf(life, id, 'ended')!.gasUsed)
        expect(gasUsed).toBeGreaterThan(500_000)
        const receipt = life.outcomes[0]!.receipt!
        const { gas } = await scene.anvil.ask<{ gas: string }>('eth_getTransactionByHash', receipt.hash)
        expect(Number(gas)).toBeLessThan(1.3 * gasUsed)
      })
    },
  )

  it('is enough for the news that a deadline is over, too', async () => {
    const burner = await scene.asker('burn')
    await living({}, async (life) => {
      const id = await scene.ask(burner, 'btc-usd', 60, 500_000)
      await scene.look(life)
      await scene.step(life, 58_000)
      for (let i = 0; i < 120 && eventOf(life, id, 'ended') === null; i++) await scene.step(life)
      expect(life.outcomes.map(({ end }) => end)).toEqual(['done'])
    })
  })
})
