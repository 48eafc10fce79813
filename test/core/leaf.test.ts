import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { getUint } from '../../src/core/bytes.js'
import type { Field } from '../../src/core/committee.js'
import { entryAt, entryBytes, kindOf, readEntryMeta, writeEntryMeta } from '../../src/core/leaf.js'
import { statusCodes, statuses } from '../../src/core/status.js'

const uint = (bits: number) => fc.integer({ min: 0, max: 2 ** bits - 1 })
const meta = fc.record({
  timeHigh: uint(16),
  timeLow: uint(32),
  validForS: uint(32),
  status: fc.integer({ min: 0, max: 9 }),
  groups: uint(8),
  kind: fc.constantFrom(0, 1),
  spreadPpm: uint(32),
})

describe('meta', () => {
  it('packs each part at its bits, reads back, and touches nothing else', () => {
    fc.assert(
      fc.property(meta, (written) => {
        const bytes = new Uint8Array(3 * entryBytes).fill(255)
        const view = new DataView(bytes.buffer)
        writeEntryMeta(view, entryBytes, written)
        expect(readEntryMeta(view, entryBytes)).toEqual(written)
        const word = getUint(bytes, entryBytes + entryAt.meta, 32)
        const part = (from: bigint, bits: bigint): bigint => (word >> from) & ((1n << bits) - 1n)
        expect([part(0n, 64n), part(64n, 32n), part(96n, 8n), part(104n, 8n), part(112n, 8n), part(120n, 32n)]).toEqual(
          [
            BigInt(written.timeHigh) * 2n ** 32n + BigInt(written.timeLow),
            BigInt(written.validForS),
            BigInt(written.status),
            BigInt(written.groups),
            BigInt(written.kind),
            BigInt(written.spreadPpm),
          ],
        )
        expect(part(152n, 104n)).toBe(0n)
        const untouched = [...bytes.subarray(0, entryBytes + entryAt.meta), ...bytes.subarray(2 * entryBytes)]
        expect(untouched.every((byte) => byte === 255)).toBe(true)
      }),
      { seed: 9, numRuns: 300 },
    )
  })
})

describe('status', () => {
  it('has one code a name, best to worst', () => {
    expect(statuses.map((name) => statusCodes[name])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(Object.keys(statusCodes)).toEqual([...statuses])
  })
})

describe('kind', () => {
  it('is 0 for one integer alone', () => {
    const field = (type: Field['type']): Field => ({ name: 'a', type, combine: 'majority' })
    expect([kindOf([field('int64')]), kindOf([field('int176')])]).toEqual([0, 0])
    expect([kindOf([field('bool')]), kindOf([field('string')])]).toEqual([1, 1])
    expect(kindOf([field('int64'), field('int64')])).toBe(1)
  })
})
