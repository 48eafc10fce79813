// What every transport promises, held against the memory and the TLS transport alike.

import { afterEach, describe, expect, it } from 'vitest'
import type { CloseReason } from '../../src/network/transport.js'
import {
  type Change,
  frameOf,
  LARGE,
  LARGE_BYTES,
  lax,
  memoryTestnet,
  type Node,
  ODD,
  SMALL,
  sleep,
  type Testnet,
  tlsTestnet,
  until,
} from '../network/committee.js'

const kinds: [string, (size: number) => Promise<Testnet>][] = [
  ['memory', memoryTestnet],
  ['tls', tlsTestnet],
]

/** Median time of `count` echoes from a to b, in ms. */
async function echoMs(a: Node, b: Node, count: number): Promise<number> {
  const times: number[] = []
  const frame = frameOf(SMALL, 100)
  b.onFrame = (from, heard) => (from === a.index ? b.transport.send(a.index, heard) : b.onFlood())
  for (let i = 0; i < count; i++) {
    const beginMs = performance.now()
    await new Promise<void>((resolve) => {
      a.onFrame = (from) => from === b.index && resolve()
      a.transport.send(b.index, frame)
    })
    times.push(performance.now() - beginMs)
    await sleep(1)
  }
  return times.sort((x, y) => x - y)[count >> 1]!
}

describe.each(kinds)('transport contract: %s', (_name, open) => {
  let net: Testnet
  afterEach(() => net.closeAll())

  async function started(size: number, changes: readonly Change[] = []): Promise<Node[]> {
    net = await open(size)
    const nodes = Array.from({ length: size }, (_, index) => net.join(index, changes[index]))
    await Promise.all(nodes.map((node) => node.start()))
    return nodes
  }

  async function connected(size: number, changes: readonly Change[] = []): Promise<Node[]> {
    const nodes = await started(size, changes)
    await until('all sessions up', () => nodes.every((a) => nodes.every((b) => a === b || a.isUp(b.index))))
    return nodes
  }

  it('delivers frames whole and in order, from 2 bytes to the cap, in both directions', async () => {
    const [a, b] = (await connected(2)) as [Node, Node]
    const frames = [2, 3, 4, 5, 6, 7, 100, 1000, 4096].map((bytes, at) => frameOf(SMALL, bytes, at))
    for (const bytes of [2, 4097, 16_383, 16_384, 16_385, 65_536, LARGE_BYTES - 1, LARGE_BYTES]) {
      frames.push(frameOf(LARGE, bytes, bytes))
    }
    for (const [from, to] of [[a, b] as const, [b, a] as const]) {
      for (const frame of frames) expect(from.transport.send(to.index, frame)).toBe(true)
      await until('all frames', () => to.frames.length === frames.length)
      for (const [at, heard] of to.frames.entries()) {
        expect(heard.from).toBe(from.index)
        expect(Buffer.compare(heard.frame, frames[at]!)).toBe(0)
      }
    }
  })

  it('delivers thousands of small frames of one turn in order, each in memory of its own', async () => {
    const [a, b] = (await connected(2)) as [Node, Node]
    for (let i = 0; i < 5000; i++) a.transport.send(1, Uint8Array.of(1, SMALL, i >> 8, i & 255))
    await until('all frames', () => b.frames.length === 5000)
    expect(b.frames.map(({ frame }) => (frame[2]! << 8) | frame[3]!)).toEqual(Array.from({ length: 5000 }, (_, i) => i))
    b.frames[0]!.frame.fill(255)
    expect(b.frames[1]!.frame).toEqual(Uint8Array.of(1, SMALL, 0, 1))
    expect(b.frames.every(({ frame }) => frame.buffer.byteLength === 4)).toBe(true)
  })

  it('handles a bounded number of frames of one peer in one turn of the event loop', async () => {
    const [a, b] = (await connected(2)) as [Node, Node]
    let [heard, inTurn, most] = [0, 0, 0]
    b.onFrame = () => {
      heard += 1
      inTurn += 1
      most = Math.max(most, inTurn)
      if (inTurn === 1)
        setImmediate(() => {
          inTurn = 0
        })
    }
    for (let i = 0; i < 5000; i++) a.transport.send(1, Uint8Array.of(1, SMALL))
    await until('all frames', () => heard === 5000)
    expect(most).toBeLessThanOrEqual(64)
  })

  it.each<[CloseReason, Uint8Array]>([
    ['KIND_UNKNOWN', frameOf(ODD, 100)],
    ['FRAME_TOO_LARGE', frameOf(SMALL, 4097)],
    ['FRAME_TOO_LARGE', frameOf(LARGE, LARGE_BYTES + 1)],
  ])('refuses with %s a frame above its cap, and says so on both sides', async (reason, frame) => {
    const [a, b] = (await connected(2, [{ limits: lax }])) as [Node, Node]
    a.transport.send(1, frame)
    await until('the sender hears why', () => a.sessions.includes(`1 down ${reason}`))
    expect(b.sessions).toContain(`0 down ${reason}`)
    expect(b.count(reason)).toBe(1)
    expect(b.frames).toEqual([])
    // The refusal costs the session, not the peer: it may come back.
    await until('back up', () => a.isUp(1) && b.isUp(0))
  })

  it('asserts on frames that nobody would take, and on sending to oneself or to nobody', async () => {
    const [a] = (await connected(2)) as [Node, Node]
    const wrong = [
      frameOf(ODD, 10),
      frameOf(SMALL, 4097),
      frameOf(SMALL, 10, 0, 9),
      frameOf(255, 3),
      frameOf(254, 3),
      frameOf(0, 54),
    ]
    for (const frame of [...wrong, new Uint8Array(0), Uint8Array.of(1)])
      expect(() => a.transport.send(1, frame)).toThrow()
    for (const to of [0, 2, -1]) expect(() => a.transport.send(to, frameOf(SMALL, 10))).toThrow('no peer')
    expect(a.isUp(1)).toBe(true)
  })

  it('answers false and counts when a peer is down, and shows why', async () => {
    net = await open(2)
    const a = net.join(0)
    await a.start()
    expect(a.transport.send(1, frameOf(SMALL, 10))).toBe(false)
    expect(a.count('NOT_CONNECTED')).toBe(1)
    await until('a reason', () => a.transport.sessions()[0]?.reason === 'CONNECT_FAILED')
    expect(a.transport.sessions()).toMatchObject([{ member: 1, state: 'down', by: 'us', version: 0, queuedBytes: 0 }])
    expect(a.sessions).toEqual([])
  })

  it('tells sessions up and down in turn, and reconnects after a peer comes back', async () => {
    const [a, b] = (await connected(2)) as [Node, Node]
    expect(a.transport.sessions()).toMatchObject([{ member: 1, state: 'up', version: 1 }])
    await b.transport.close()
    await until('down', () => !a.isUp(1))
    expect(a.transport.sessions()).toMatchObject([{ state: 'down', by: 'peer' }])
    expect(b.sessions).toEqual(['0 up', '0 down CLOSING'])
    await net.closeAll()
    const [c, d] = (await connected(2)) as [Node, Node]
    await c.transport.close()
    await until('down', () => !d.isUp(0))
    expect(d.sessions).toEqual(['0 up', '0 down CLOSING'])
    expect(c.transport.send(1, frameOf(SMALL, 10))).toBe(false)
  })

  it('bounds the queue of a peer by bytes and drops the oldest frames', async () => {
    const queueBytesMax = 100_000
    const [a, b] = (await connected(2, [{ limits: { queueBytesMax } }])) as [Node, Node]
    const count = 2000
    for (let i = 0; i < count; i++) {
      const frame = frameOf(SMALL, 1000)
      frame.set([i >> 8, i & 255], 2)
      expect(a.transport.send(1, frame)).toBe(true)
      expect(a.transport.sessions()[0]!.queuedBytes).toBeLessThanOrEqual(queueBytesMax)
    }
    const dropped = a.count('QUEUE_FULL')
    expect(dropped).toBeGreaterThan(count / 2)
    await until('the rest', () => b.frames.length === count - dropped)
    const heard = b.frames.map(({ frame }) => (frame[2]! << 8) | frame[3]!)
    expect(heard.at(-1)).toBe(count - 1)
    expect(heard.slice(-99)).toEqual(Array.from({ length: 99 }, (_, i) => count - 99 + i))
  })

  it('reads a member more slowly for each frame it is charged for', async () => {
    const framesPerS = 400
    const limits = { framesPerS, queueBytesMax: LARGE_BYTES }
    const [liar, victim] = (await connected(2, [{ limits }, { limits }])) as [Node, Node]
    const beginMs = performance.now()
    victim.onFrame = (from, frame) => {
      victim.frames.push({ from, frame })
      victim.transport.charge(from)
    }
    for (let i = 0; i < 100; i++) liar.transport.send(victim.index, frameOf(SMALL, 100))
    // One second's worth is there at once: four bad frames; then four a second, and not a hundred in a quarter of it.
    await until('six frames', () => victim.frames.length >= 6)
    expect(performance.now() - beginMs).toBeGreaterThan(200)
    expect(victim.frames.length).toBeLessThan(20)
    expect(victim.count('THROTTLED')).toBeGreaterThan(0)
  })

  it('holds a member back that floods at 100 times its rate; the others do not feel it', async () => {
    const framesPerS = 500
    const limits = { framesPerS, queueBytesMax: LARGE_BYTES }
    const [flood, victim, honest] = (await connected(3, [{ limits }, { limits }, { limits }])) as [Node, Node, Node]
    const before = await echoMs(honest, victim, 41)
    const [beginMs, rssBefore] = [performance.now(), process.memoryUsage().rss]
    let flooded = 0
    victim.onFlood = () => {
      flooded += 1
    }
    // 100 × 500 frames a second, in bursts of 10 ms.
    const pump = setInterval(() => {
      for (let i = 0; i < framesPerS; i++) flood.transport.send(1, frameOf(SMALL, 1000))
    }, 10)
    const during = await echoMs(honest, victim, 121)
    // What the victim does not read stays with the flooder: its own queue runs over.
    await until('the flooder drops its own frames', () => flood.count('QUEUE_FULL') > 0)
    const seconds = (performance.now() - beginMs) / 1000
    clearInterval(pump)
    expect(victim.count('THROTTLED')).toBeGreaterThan(0)
    expect(flooded).toBeGreaterThan(framesPerS)
    expect(flooded).toBeLessThanOrEqual(framesPerS * (1 + seconds) + 1)
    expect(process.memoryUsage().rss - rssBefore).toBeLessThan(64 * LARGE_BYTES)
    expect(during).toBeLessThanOrEqual(2 * before + 2)
    expect(flood.isUp(1) && victim.isUp(0)).toBe(true)
  })

  it('refuses a second process with the same key, and both sides learn of it', async () => {
    const [a, b] = (await connected(2)) as [Node, Node]
    const twin = net.join(0)
    await twin.start()
    await until('the twin is refused', () => twin.count('SESSION_EXISTS') > 0)
    expect(twin.transport.sessions()).toMatchObject([
      { member: 1, state: 'down', reason: 'SESSION_EXISTS', by: 'peer' },
    ])
    expect(twin.drops).toContainEqual({ member: 1, reason: 'SESSION_EXISTS' })
    expect(b.drops).toContainEqual({ member: 0, reason: 'SESSION_EXISTS' })
    expect(b.sessions).toEqual(['0 up'])
    expect(twin.sessions).toEqual([])
    // When the first goes, the second takes its place.
    await a.transport.close()
    await until('the twin is up', () => twin.isUp(1))
    expect(b.sessions).toEqual(['0 up', '0 down CLOSING', '0 up'])
  })

  it('refuses a member that holds another committee document, and keeps the reason visible', async () => {
    const [a, b] = (await started(2, [{ digest: new Uint8Array(32).fill(8) }])) as [Node, Node]
    const shows = (node: Node) => node.transport.sessions()[0]?.reason === 'COMMITTEE_MISMATCH'
    await until('both show it', () => shows(a) && shows(b))
    expect(a.transport.sessions()[0]!.by).toBe('peer')
    expect(b.transport.sessions()[0]!.by).toBe('us')
    expect([...a.sessions, ...b.sessions]).toEqual([])
    expect(b.count('COMMITTEE_MISMATCH')).toBeGreaterThan(0)
  })

  it('starts once, closes twice, and leaves nothing open', async () => {
    const handles = () =>
      process.getActiveResourcesInfo().filter((kind) => /TCP|TLS|Timeout|Immediate/.test(kind)).length
    const before = handles()
    const nodes = await connected(3)
    await expect(nodes[0]!.start()).rejects.toThrow('starts once')
    for (const a of nodes) for (const b of nodes) if (a !== b) a.transport.send(b.index, frameOf(LARGE, LARGE_BYTES))
    await Promise.all(nodes.map((node) => node.transport.close()))
    for (const node of nodes) {
      await node.transport.close()
      expect(node.transport.sessions().every(({ state }) => state === 'down')).toBe(true)
      expect(node.sessions.map((line) => line.split(' ')[1])).toEqual(['up', 'up', 'down', 'down'])
    }
    await until('nothing is open', () => handles() <= before, 1000)
  })
})
