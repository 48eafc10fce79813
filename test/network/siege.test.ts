// Ten thousand half-open connections and floods of handshakes: bounded in number, time and memory, and not felt by peers.

import { type ChildProcess, spawn } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { frameOf, type Node, SMALL, sleep, type TlsTestnet, tlsTestnet, until } from './committee.js'
import { helloOf, type Raw, rawTcp, rawTls } from './hostile.js'

const HANDSHAKES_MAX = 32

let net: TlsTestnet
let nodes: [Node, Node, Node]
const raws: Raw[] = []

beforeEach(async () => {
  net = await tlsTestnet(4)
  const limits = { handshakesMax: HANDSHAKES_MAX, handshakeMs: 500 }
  nodes = [net.join(1, { limits }), net.join(2, { limits }), net.join(3, { limits })]
  for (const node of nodes) await node.start()
  await until('up', () => nodes[0].isUp(2) && nodes[1].isUp(1))
})

afterEach(async () => {
  for (const raw of raws.splice(0)) raw.socket.destroy()
  await net.closeAll()
})

/** Echo times between members 1 and 2, ascending, in ms. */
async function echoes(count: number): Promise<number[]> {
  const [a, b] = nodes
  b.onFrame = (from, heard) => b.transport.send(from, heard)
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const beginMs = performance.now()
    await new Promise<void>((resolve) => {
      a.onFrame = () => resolve()
      a.transport.send(2, frameOf(SMALL, 100))
    })
    times.push(performance.now() - beginMs)
    await sleep(2)
  }
  return times.sort((x, y) => x - y)
}

const median = (times: readonly number[]): number => times[times.length >> 1]!

/** Opens `count` connections to `port` from another process, each saying `says`, and prints how many were taken. */
function besiege(port: number, count: number, says: string): { child: ChildProcess; done: Promise<number> } {
  const script = `
    const net = require('node:net')
    let begun = 0, taken = 0, over = 0
    function next() {
      if (begun === ${count}) return
      begun += 1
      const socket = net.connect(${port}, '127.0.0.1')
      let counted = false
      const settle = () => {
        if (counted) return
        counted = true
        over += 1
        if (over === ${count}) process.stdout.write(String(taken) + '\\n')
        setImmediate(next)
      }
      socket.on('connect', () => { taken += 1; socket.write(${JSON.stringify(says)}); settle() })
      socket.on('error', () => {})
      socket.on('close', settle)
    }
    for (let i = 0; i < 200; i++) next()
    setTimeout(() => process.exit(), 60000)`
  const child = spawn('sh', ['-c', 'ulimit -n $(ulimit -H -n); exec "$0" -e "$1"', process.execPath, script])
  const done = new Promise<number>((resolve, reject) => {
    child.stdout.once('data', (text) => resolve(Number(text)))
    child.once('exit', () => reject(new Error('the besieger ended early')))
  })
  done.catch(() => {})
  return { child, done }
}

describe('under siege', () => {
  it.each([
    ['say nothing', ''],
    ['begin a handshake and stop', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000'],
  ])('10,000 half-open connections that %s cost bounded memory and time', async (_, says) => {
    const before = median(await echoes(100))
    const rssBefore = process.memoryUsage().rss
    const siege = besiege(net.ports[1]!, 10_000, says)
    let over = false
    void siege.done.then(() => {
      over = true
    })
    const during: number[] = []
    await until('the siege begins', () => nodes[0].count('HANDSHAKE_EVICTED') > 0)
    while (!over) during.push(...(await echoes(20)))
    expect(await siege.done).toBeGreaterThan(9_900)
    const grown = process.memoryUsage().rss - rssBefore
    const held = process.getActiveResourcesInfo().filter((kind) => kind.startsWith('TCPSocket')).length
    during.sort((x, y) => x - y)
    expect(during.length).toBeGreaterThanOrEqual(20)
    expect(median(during)).toBeLessThanOrEqual(2 * before + 3)
    expect(grown).toBeLessThan(150e6)
    // Two ends of the honest sessions and what is pending: nothing else is held.
    expect(held).toBeLessThan(HANDSHAKES_MAX + 40)
    siege.child.kill()
    const refused = () => {
      const counts = nodes[0].transport.counters()
      return (
        (counts.HANDSHAKE_EVICTED ?? 0) +
        (counts.HANDSHAKE_TIMEOUT ?? 0) +
        (counts.CONNECTION_LOST ?? 0) +
        (counts.TLS_FAILED ?? 0)
      )
    }
    await until('each is counted', () => refused() >= 9_900)
    expect(nodes[0].isUp(2) && nodes[0].isUp(3)).toBe(true)
  })

  it('lets a member in while silent connections fill every place', async () => {
    const silent = Array.from({ length: HANDSHAKES_MAX }, () => rawTcp(net.ports[1]!))
    raws.push(...silent)
    await sleep(50)
    const member = await rawTls(net.ports[1]!, net.keys[0]!)
    raws.push(member)
    // Newcomers push out silent connections, never one that speaks.
    raws.push(...Array.from({ length: 2 * HANDSHAKES_MAX }, () => rawTcp(net.ports[1]!)))
    await sleep(50)
    member.send(helloOf())
    await until('up', () => nodes[0].isUp(0))
    expect(nodes[0].count('HANDSHAKE_EVICTED')).toBe(2 * HANDSHAKES_MAX + 1)
  })

  it('begins no more handshakes a second than allowed, and serves them all in the end', async () => {
    const count = 3 * HANDSHAKES_MAX
    const beginMs = performance.now()
    let served = 0
    const one = async (): Promise<void> => {
      while (served < count) {
        const raw = await rawTls(net.ports[1]!, null)
        await until('dismissed', () => raw.closed)
        served += 1
      }
    }
    await Promise.all(Array.from({ length: 8 }, one))
    // A burst of one second's worth, then the rate.
    expect(performance.now() - beginMs).toBeGreaterThan(1500)
    expect(nodes[0].count('KEY_UNKNOWN')).toBeGreaterThanOrEqual(count - 8)
  })

  it('answers a flood of pings with bounded memory, and slows it down', async () => {
    await net.closeAll()
    net = await tlsTestnet(2)
    const node = net.join(1, { limits: { framesPerS: 1000 } })
    await node.start()
    const raw = await rawTls(net.ports[1]!, net.keys[0]!)
    raws.push(raw)
    raw.send(helloOf())
    await until('up', () => node.isUp(0))
    // The flooder never reads.
    raw.socket.pause()
    const ping = Uint8Array.of(0, 0, 0, 3, 1, 255, 0)
    const pings = Buffer.concat(Array.from({ length: 100_000 }, () => ping))
    const rssBefore = process.memoryUsage().rss
    raw.socket.write(pings)
    await sleep(400)
    expect(node.count('THROTTLED')).toBeGreaterThan(0)
    expect(process.memoryUsage().rss - rssBefore).toBeLessThan(50e6)
    expect(node.isUp(0)).toBe(true)
  })
})
