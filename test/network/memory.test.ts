// The memory network on driven time: a simulator decides what arrives, when, and between whom.

import { describe, expect, it } from 'vitest'
import { MemoryHub, type MemoryHubOptions } from '../../src/network/memory.js'
import type { Scheduler } from '../../src/network/transport.js'
import { DIGEST, frameOf, limitsOf, Node, randomFrom, SMALL } from './committee.js'

/** Time that moves only when run() says so. */
class DrivenTime implements Scheduler {
  #nowMs = 0
  #order = 0
  #actions: { atMs: number; order: number; action: () => void }[] = []

  nowMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, action: () => void): () => void {
    const entry = { atMs: this.#nowMs + delayMs, order: this.#order++, action }
    this.#actions.push(entry)
    return () => {
      this.#actions = this.#actions.filter((other) => other !== entry)
    }
  }

  run(forMs: number): void {
    const endMs = this.#nowMs + forMs
    for (;;) {
      const due = this.#actions
        .filter(({ atMs }) => atMs <= endMs)
        .sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0]
      if (due === undefined) break
      this.#actions = this.#actions.filter((other) => other !== due)
      this.#nowMs = due.atMs
      due.action()
    }
    this.#nowMs = endMs
  }
}

function committee(size: number, delaysMs?: MemoryHubOptions['delaysMs']) {
  const time = new DrivenTime()
  const hub = new MemoryHub({ scheduler: time, random: randomFrom(1), ...(delaysMs === undefined ? {} : { delaysMs }) })
  const limits = limitsOf()
  const nodes = Array.from(
    { length: size },
    (_, self) => new Node(self, hub.join({ self, size, digest: DIGEST, limits })),
  )
  for (const node of nodes) void node.start()
  time.run(1000)
  return { time, hub, nodes }
}

describe('MemoryHub', () => {
  it('brings all sessions up and delivers only when time moves', () => {
    const { time, nodes } = committee(4)
    expect(nodes.every((a) => nodes.every((b) => a === b || a.isUp(b.index)))).toBe(true)
    nodes[0]!.transport.send(1, frameOf(SMALL, 10))
    expect(nodes[1]!.frames).toEqual([])
    time.run(0)
    expect(nodes[1]!.frames).toEqual([{ from: 0, frame: frameOf(SMALL, 10) }])
  })

  it('loses, repeats, delays and reorders frames as told, and gives each receiver a copy', () => {
    const fates: Record<number, number[]> = { 1: [], 2: [5, 9], 3: [7], 4: [1] }
    const { time, nodes } = committee(2, (_from, _to, frame) => fates[frame[2]!] ?? [0])
    const arrivals: [number, number][] = []
    nodes[1]!.onFrame = (_, frame) => {
      arrivals.push([time.nowMs(), frame[2]!])
      frame.fill(0)
    }
    for (const mark of [1, 2, 3, 4]) nodes[0]!.transport.send(1, Uint8Array.of(1, SMALL, mark))
    time.run(100)
    expect(arrivals).toEqual([
      [1001, 4],
      [1005, 2],
      [1007, 3],
      [1009, 2],
    ])
  })

  it('cuts and heals links, loses what is under way, and counts it', () => {
    const { time, hub, nodes } = committee(4, () => [10])
    const [a, b] = nodes as [Node, Node]
    a.transport.send(1, frameOf(SMALL, 10))
    hub.cut(0, 1)
    expect(a.sessions.at(-1)).toBe('1 down CONNECTION_LOST')
    expect(b.sessions.at(-1)).toBe('0 down CONNECTION_LOST')
    expect(a.count('NOT_CONNECTED')).toBe(1)
    time.run(1000)
    expect(b.frames).toEqual([])
    expect(a.isUp(1)).toBe(false)
    expect(a.isUp(2) && b.isUp(2)).toBe(true)
    hub.heal(0, 1)
    time.run(200)
    expect(a.isUp(1) && b.isUp(0)).toBe(true)
  })

  it('partitions into groups, and heals when the groups are one', () => {
    const { time, hub, nodes } = committee(4)
    hub.partition([[0, 1], [2], [3]])
    time.run(1000)
    const ups = () => nodes.map((a) => nodes.filter((b) => a.isUp(b.index)).map((b) => b.index))
    expect(ups()).toEqual([[1], [0], [], []])
    hub.partition([])
    time.run(200)
    expect(ups()).toEqual([
      [1, 2, 3],
      [0, 2, 3],
      [0, 1, 3],
      [0, 1, 2],
    ])
  })

  it('runs the same way twice', () => {
    const run = (): string[] => {
      const random = randomFrom(5)
      const { time, hub, nodes } = committee(4, () => [Math.floor(random() * 20)])
      const trace: string[] = []
      for (const node of nodes)
        node.onFrame = (from, frame) => trace.push(`${time.nowMs()} ${from}>${node.index} ${frame[2]}`)
      for (let i = 0; i < 50; i++) {
        nodes[i % 4]!.transport.send((i + 1) % 4, Uint8Array.of(1, SMALL, i))
        if (i === 20) hub.cut(0, 1)
        if (i === 30) hub.heal(0, 1)
        time.run(7)
      }
      return [...trace, ...nodes.flatMap((node) => node.sessions)]
    }
    const trace = run()
    expect(trace.length).toBeGreaterThan(50)
    expect(run()).toEqual(trace)
  })
})
