// Whose turn it is: permutations that all members agree on, that favour nobody, and turns that never overlap.

import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Engine } from '../../src/core/engine.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { isTurn, nextTurnMs, type TurnSeed, turnOrder } from '../../src/deliver/turn.js'
import { startMs, storeAddress } from './fixtures.js'

let engine: Engine
beforeAll(async () => {
  engine = await createWasmEngine()
})

const seed: TurnSeed = {
  committee: new Uint8Array(32).fill(7),
  chainId: 1,
  store: storeAddress,
  feedId: `0x${'11'.repeat(32)}`,
  replacedMs: startMs,
}

describe('the order of members', () => {
  it('holds each member once, for any committee', () => {
    for (let n = 1; n <= 31; n++)
      expect([...turnOrder(engine, seed, n)].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i))
  })

  it('depends on all that it is drawn from', () => {
    const order = (changes: Partial<TurnSeed>): string => turnOrder(engine, { ...seed, ...changes }, 31).join()
    const orders = [
      order({}),
      order({ committee: new Uint8Array(32).fill(8) }),
      order({ chainId: 2 }),
      order({ store: `0x${'5b'.repeat(20)}` }),
      order({ feedId: `0x${'12'.repeat(32)}` }),
      order({ replacedMs: startMs + 1 }),
    ]
    expect(new Set(orders).size).toBe(orders.length)
    expect(order({})).toBe(orders[0])
  })

  it('puts every member first, and in every place, equally often', () => {
    const n = 5
    const draws = 5000
    const counts = Array.from({ length: n * n }, () => 0)
    for (let i = 0; i < draws; i++)
      turnOrder(engine, { ...seed, replacedMs: i }, n).forEach((member, place) => {
        counts[n * place + member]!++
      })
    // Chi-squared of 25 cells with 16 degrees of freedom: 39 is exceeded once in a thousand.
    const mean = draws / n
    expect(counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0)).toBeLessThan(39)
  })

  it('draws again what would favour small numbers', () => {
    // The last four bytes below 2^32 are no draw for a bound of three; a draw of 2 follows.
    const words = [0xffff_ffff, 2, 1, 0, 0, 0, 0, 0]
    const bytes = new Uint8Array(32)
    words.forEach((word, i) => {
      new DataView(bytes.buffer).setUint32(4 * i, word)
    })
    const rigged: Engine = { ...engine, keccak256: () => bytes }
    // i = 2 draws 2, i = 1 draws 1: nobody moves. Were the first word taken, i = 2 would draw 0.
    expect(turnOrder(rigged, seed, 3)).toEqual([0, 1, 2])
  })
})

describe('turns', () => {
  const turnOf = fc.record({
    members: fc.integer({ min: 1, max: 31 }),
    stageMs: fc.integer({ min: 1000, max: 60_000 }),
  })

  it('belong to one member at a time, with half a stage between them', () => {
    fc.assert(
      fc.property(turnOf, fc.nat(10_000_000), ({ members, stageMs }, afterMs) => {
        const having = Array.from({ length: members }, (_, place) => ({ sinceMs: startMs, place, members, stageMs }))
          .filter((turn) => isTurn(turn, startMs + afterMs))
          .map(({ place }) => place)
        const stage = Math.floor(afterMs / stageMs)
        const isFirstHalf = afterMs % stageMs <= stageMs / 2
        expect(having).toEqual(isFirstHalf ? [stage % members] : [])
      }),
      { seed: 5 },
    )
  })

  it('come at the member’s stage, and again each time all had theirs', () => {
    const turn = { sinceMs: startMs, place: 2, members: 4, stageMs: 8000 }
    expect(isTurn(turn, startMs + 15_999)).toBe(false)
    expect([nextTurnMs(turn, startMs), nextTurnMs(turn, startMs + 17_000)]).toEqual([
      startMs + 16_000,
      startMs + 17_000,
    ])
    expect(nextTurnMs(turn, startMs + 20_001)).toBe(startMs + 48_000)
    fc.assert(
      fc.property(turnOf, fc.nat(30), fc.nat(10_000_000), ({ members, stageMs }, p, afterMs) => {
        const some = { sinceMs: startMs, place: p % members, members, stageMs }
        const next = nextTurnMs(some, startMs + afterMs)
        expect(isTurn(some, next)).toBe(true)
        expect(next - startMs - afterMs).toBeLessThanOrEqual(members * stageMs)
      }),
      { seed: 5 },
    )
  })
})
