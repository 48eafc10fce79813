import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { connectReplay, type ReplayClock, type Step } from '../../src/observe/replay-clock.js'
import { type Replay, startReplay } from '../../src/replay/server.js'

const closers: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

const startMs = Date.UTC(2020, 2, 12, 10, 0)
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function replayOf(steps: number, expected: number): Promise<Replay> {
  const stepsMs = Array.from({ length: steps }, (_, i) => startMs + 60_000 * i)
  const show = { stepsMs, hosts: [], answer: () => null }
  const replay = await startReplay({ show, expect: expected, speed: null })
  closers.push(replay.close)
  return replay
}

async function connect(url: string, oracle: string, told: string[] = []): Promise<ReplayClock> {
  const clock = await connectReplay({ url, oracle, onWait: (sentence) => told.push(sentence) })
  closers.push(clock.close)
  return clock
}

/** Follows to the end; the steps as this oracle took them. */
function take(
  clock: ReplayClock,
  count: number,
  act: (step: Step) => Promise<void> = async () => undefined,
): Promise<Step[]> {
  const steps: Step[] = []
  return new Promise((resolve) => {
    clock.run({
      read: async () => undefined,
      take: async (step) => {
        await act(step)
        steps.push(step)
        if (steps.length === count) resolve(steps)
      },
    })
  })
}

describe('a replay’s clock', () => {
  it('stands at the first step at once, and moves only when it is flipped', async () => {
    const { clockUrl } = await replayOf(3, 1)
    const clock = await connect(clockUrl, 'oracle-1')
    expect(clock.clock().wallMs).toBeGreaterThanOrEqual(startMs)
    expect(clock.clock().wallMs).toBeLessThan(startMs + 30_000)
    await take(clock, 3, async (step) => {
      // While a step is read its time is that of receipt, and the clock is still in the step before.
      expect(clock.receiptMs()).toBe(step.nowMs)
      if (step.step > 0) expect(clock.clock().wallMs).toBeLessThan(step.nowMs)
      clock.flip(step)
      expect(clock.clock().wallMs).toBeGreaterThanOrEqual(step.nowMs)
    })
    expect(clock.clock().wallMs).toBeGreaterThanOrEqual(startMs + 120_000)
    expect(clock.clock().wallMs).toBeLessThan(startMs + 150_000)
  })

  it('runs with the machine within a step, and never leaves its minute', async () => {
    const { clockUrl } = await replayOf(1, 1)
    const clock = await connect(clockUrl, 'oracle-1')
    const before = clock.clock()
    await pause(60)
    const after = clock.clock()
    expect(after.wallMs - before.wallMs).toBeGreaterThanOrEqual(50)
    expect(after.steadyMs - before.steadyMs).toBeGreaterThanOrEqual(50)
    // A step that began long ago: the last millisecond of its minute.
    clock.flip({ step: 0, nowMs: startMs })
    const realNow = performance.now
    try {
      const heldMs = realNow.call(performance) + 3_600_000
      performance.now = () => heldMs
      expect(clock.clock().wallMs).toBe(startMs + 58_999)
    } finally {
      performance.now = realNow
    }
  })

  it('brings four oracles through the same steps, none skipped, none ahead of the slowest', async () => {
    const replay = await replayOf(20, 4)
    const names = ['oracle-1', 'oracle-2', 'oracle-3', 'oracle-4']
    const clocks = await Promise.all(names.map((name) => connect(replay.clockUrl, name)))
    const taken = clocks.map(() => -1)
    const all = await Promise.all(
      clocks.map((clock, i) =>
        take(clock, 20, async ({ step }) => {
          if (i === 0) await pause(3)
          expect(Math.min(...taken)).toBeGreaterThanOrEqual(step - 1)
          taken[i] = step
        }),
      ),
    )
    for (const steps of all) expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 20 }, (_, i) => i))
    await replay.ended
  })

  it('waits for a replay that is not there yet, says so once, and is not shaken by noise', async () => {
    let answers = 0
    let stream: ServerResponse
    const posts: string[] = []
    const server: Server = createServer((request, response) => {
      if (request.method === 'POST') {
        posts.push(/\/clock(\/.*)$/.exec(request.url ?? '')![1]!)
        // Step 0 is over without us: no go for it.
        if (posts.length === 1) stream.write(`{"step":2,"nowMs":${startMs + 120_000}}\n`)
        else stream.write('{"go":2}\n')
        return void response.writeHead(204).end()
      }
      answers++
      if (answers === 1) return void response.writeHead(503).end()
      if (answers === 2) return void response.writeHead(200).end('no JSON\n')
      stream = response.writeHead(200)
      stream.write('{"step":"0","nowMs":1}\n\n{"note":1}\nnull\n{"go":-1}\n{"st')
      setTimeout(() => stream.write(`ep":0,"nowMs":${startMs}}\n`), 20)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closers.push(() => {
      server.closeAllConnections()
      server.close()
    })
    const told: string[] = []
    const clock = await connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}/clock`, 'oracle-1', told)
    expect(answers).toBe(3)
    expect(told).toHaveLength(1)
    // A step that went on without us is read and never taken.
    expect(await take(clock, 1)).toEqual([{ step: 2, nowMs: startMs + 120_000 }])
    expect(posts).toEqual(['/ready?oracle=oracle-1&step=0', '/ready?oracle=oracle-1&step=2'])
  })

  it('is quiet once the replay is over', async () => {
    const replay = await replayOf(2, 1)
    const told: string[] = []
    const clock = await connect(replay.clockUrl, 'oracle-1', told)
    await take(clock, 2, async (step) => clock.flip(step))
    await replay.ended
    await pause(1300)
    expect(told).toEqual([])
    expect(clock.clock().wallMs).toBeGreaterThanOrEqual(startMs + 60_000)
  })
})
