import { AbiCoder } from 'ethers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { abiEncode, fitsCell } from '../../src/core/abi.js'
import { toHex } from '../../src/core/bytes.js'
import type { FieldType } from '../../src/core/committee.js'
import { formatDecimal, parseDecimal } from '../../src/core/value-json.js'

const bits = { int64: 64n, int176: 176n } as const
const integer = (type: 'int64' | 'int176') =>
  fc.bigInt({ min: -(2n ** (bits[type] - 1n)), max: 2n ** (bits[type] - 1n) - 1n })
const cell: fc.Arbitrary<readonly [FieldType, bigint | string]> = fc.oneof(
  integer('int64').map((value) => ['int64', value] as const),
  integer('int176').map((value) => ['int176', value] as const),
  fc.boolean().map((value) => ['bool', value ? 1n : 0n] as const),
  fc.string({ unit: 'grapheme', maxLength: 80 }).map((value) => ['string', value] as const),
)

describe('abiEncode', () => {
  it('is ethers’ AbiCoder on any value', () => {
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1, maxLength: 32 }), (cells) => {
        const types = cells.map(([type]) => type)
        const values = cells.map(([, value]) => value)
        const theirs = values.map((value, i) => (types[i] === 'bool' ? value === 1n : value))
        expect(toHex(abiEncode(types, values))).toBe(AbiCoder.defaultAbiCoder().encode(types, theirs))
      }),
      { seed: 7, numRuns: 300 },
    )
  })

  it('treats a value out of range or of another type as a programmer’s error', () => {
    const wrong: [FieldType[], (bigint | string)[]][] = [
      [['int64'], [2n ** 63n]],
      [['int176'], [-(2n ** 175n) - 1n]],
      [['bool'], [2n]],
      [['bool'], ['true']],
      [['string'], [1n]],
      [['int64'], []],
    ]
    for (const [types, values] of wrong) expect(() => abiEncode(types, values)).toThrow()
    expect(fitsCell('int64', -(2n ** 63n))).toBe(true)
  })
})

describe('decimal strings', () => {
  it('go there and back for any integer and decimals', () => {
    fc.assert(
      fc.property(integer('int176'), fc.integer({ min: 0, max: 36 }), (value, decimals) => {
        const text = formatDecimal(value, decimals)
        expect(parseDecimal(text, decimals)).toBe(value)
        expect(text.split('.')[1]?.length ?? 0).toBe(decimals)
        expect(parseDecimal(text, decimals + 1)).toBeNull()
      }),
      { seed: 8, numRuns: 300 },
    )
    expect([formatDecimal(-5n, 2), formatDecimal(0n, 0), formatDecimal(123n, 2)]).toEqual(['-0.05', '0', '1.23'])
  })

  it.each(['', '-', '1', '1.2', '1.234', '01.23', '+1.23', '-0.00', '1,23', ' 1.23', '1.23\n', '1e2', '.12', '1.2３'])(
    'refuse %j as two decimals',
    (text) => {
      expect(parseDecimal(text, 2)).toBeNull()
    },
  )
})
