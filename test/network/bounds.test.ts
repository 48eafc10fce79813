// The small parts that keep a transport within its bounds: tokens, backoff, queue, addresses.

import { describe, expect, it } from 'vitest'
import { backoffMs } from '../../src/network/backoff.js'
import { parseEndpoint } from '../../src/network/dial.js'
import { sourceOf } from '../../src/network/gate.js'
import { Outbox } from '../../src/network/outbox.js'
import { TokenBucket } from '../../src/network/rate.js'
import { randomFrom } from './committee.js'

describe('TokenBucket', () => {
  /** Spends whenever it may until `endMs` and answers how often. */
  function drain(bucket: TokenBucket, beginMs: number, endMs: number, tokens: number): number {
    let count = 0
    let nowMs = beginMs
    while (nowMs < endMs) {
      const waitMs = bucket.waitMs(nowMs)
      if (waitMs > 0) nowMs += waitMs
      else {
        bucket.spend(tokens)
        count += 1
      }
    }
    return count
  }

  it('allows one second of burst and then its rate', () => {
    const count = drain(new TokenBucket(100, 0), 0, 10_000, 1)
    expect(count).toBeGreaterThan(1050)
    expect(count).toBeLessThanOrEqual(1101)
  })

  it('saves up no more than one second, however long it rests', () => {
    const bucket = new TokenBucket(100, 0)
    drain(bucket, 0, 500, 1)
    expect(drain(bucket, 3_600_000, 3_600_001, 1)).toBeLessThanOrEqual(101)
  })

  it('lets one item larger than the bucket pass, and waits for the debt', () => {
    const bucket = new TokenBucket(100, 0)
    expect(bucket.waitMs(0)).toBe(0)
    bucket.spend(1000)
    expect(bucket.waitMs(0)).toBe(9020)
    expect(bucket.waitMs(8000)).toBeGreaterThan(0)
    expect(bucket.waitMs(9020)).toBe(0)
  })

  it('survives a clock that stands still or goes back', () => {
    const bucket = new TokenBucket(10, 1000)
    bucket.spend(10)
    expect(bucket.waitMs(500)).toBeGreaterThan(0)
    expect(bucket.waitMs(500)).toBeGreaterThan(0)
  })
})

describe('backoffMs', () => {
  it('doubles up to the cap, with full jitter', () => {
    const top = (failures: number): number => backoffMs(failures, 100, 5000, () => 0.999999)
    expect([0, 1, 2, 3, 10, 1e6].map(top)).toEqual([199, 399, 799, 1599, 4999, 4999])
    expect(backoffMs(5, 100, 5000, () => 0)).toBe(0)
    const random = randomFrom(3)
    const waits = Array.from({ length: 1000 }, () => backoffMs(9, 100, 5000, random))
    for (const quarter of [0, 1, 2, 3]) {
      const inside = waits.filter((wait) => Math.floor(wait / 1250) === quarter).length
      expect(inside).toBeGreaterThan(200)
    }
  })
})

describe('Outbox', () => {
  const frame = (bytes: number, mark: number): Uint8Array => new Uint8Array(bytes).fill(mark)
  const marks = (frames: readonly Uint8Array[]): number[] => frames.map((one) => one[0]!)

  it('drops the oldest beyond its bytes, and keeps the newest whatever its size', () => {
    const outbox = new Outbox(100)
    expect([1, 2, 3].map((mark) => outbox.push(frame(40, mark)))).toEqual([0, 0, 1])
    expect(outbox.bytes).toBe(80)
    expect(outbox.push(frame(200, 4))).toBe(2)
    expect(marks(outbox.take(1))).toEqual([4])
    expect([outbox.bytes, outbox.length, outbox.take(10).length]).toEqual([0, 0, 0])
  })

  it('gives frames in order, up to the bytes asked for and at least one', () => {
    const outbox = new Outbox(1_000_000)
    for (let mark = 0; mark < 250; mark++) outbox.push(frame(10, mark))
    expect(marks(outbox.take(35))).toEqual([0, 1, 2])
    expect(marks(outbox.take(1))).toEqual([3])
    expect(marks(outbox.take(10_000))).toEqual(Array.from({ length: 246 }, (_, at) => at + 4))
  })
})

describe('addresses', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8::6', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['1:2:3:4::', '1:2:3:4'],
  ])('counts %s as source %s', (address, source) => expect(sourceOf(address)).toBe(source))

  it.each([
    ['oracle.example:7000', { host: 'oracle.example', port: 7000 }],
    ['127.0.0.1:1', { host: '127.0.0.1', port: 1 }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
    ['::1:7000', null],
    ['host', null],
    ['host:0', null],
    ['host:65536', null],
    [':7000', null],
    ['tcp://host:1', null],
    ['ho st:1', null],
  ])('reads endpoint %s', (endpoint, expected) => expect(parseEndpoint(endpoint)).toEqual(expected))
})
