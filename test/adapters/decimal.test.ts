// Exact decimals: whatever digits come in, the value stays what it was.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  alignDecimals,
  canonicalDecimal,
  compareDecimals,
  decimalOf,
  digitsMax,
  divideDecimals,
  scaleDecimal,
} from '../../src/observe/parse/decimal.js'

const numRuns = 500
const seed = 3
const units = fc.bigInt(-(10n ** 25n), 10n ** 25n)
const places = fc.integer({ min: 0, max: 25 })
const plain = fc.tuple(units, places).map(([u, d]) => decimalOf(u, d))

/** over/under rounded to the nearest integer, halves to even, by the definition: no integer is nearer. */
function isNearest(quotient: bigint, over: bigint, under: bigint): boolean {
  const twice = 2n * (quotient * under - over)
  const apart = twice < 0n ? -twice : twice
  return apart < under || (apart === under && quotient % 2n === 0n)
}

describe('canonicalDecimal', () => {
  it('leaves canonical decimals as they are', () => {
    fc.assert(
      fc.property(plain, (text) => {
        expect(canonicalDecimal(text)).toBe(text)
      }),
      { numRuns, seed },
    )
  })

  it('keeps the value under any exponent and any zeros behind', () => {
    const property = fc.property(units, places, fc.integer({ min: -9, max: 9 }), fc.nat(5), (u, d, shift, zeros) => {
      const fraction = `${decimalOf(u, d)}${d > 0 && decimalOf(u, d).includes('.') ? '0'.repeat(zeros) : ''}`
      const written = `${fraction}e${shift >= 0 ? '+' : ''}${shift}`
      const expected = shift >= 0 ? decimalOf(u * 10n ** BigInt(shift), d) : decimalOf(u, d - shift)
      expect(canonicalDecimal(written)).toBe(expected)
    })
    fc.assert(property, { numRuns, seed })
  })

  it('agrees with JSON on what a number is', () => {
    const signs = fc.string({ unit: fc.constantFrom(...'0123456789.eE+-x '), maxLength: 9 })
    const isNumber = (text: string): boolean => {
      try {
        return text.trim() === text && typeof JSON.parse(text) === 'number'
      } catch {
        return false
      }
    }
    const property = fc.property(signs, (text) => {
      const found = canonicalDecimal(text)
      if (!isNumber(text)) expect(found).toBeNull()
      // Where it is one, null can only mean too many digits.
      else if (found === null) expect(Math.abs(Math.log10(Math.abs(Number(text))))).toBeGreaterThan(50)
      else expect(Number(found)).toBe(Number(text) === 0 ? 0 : Number(text))
    })
    fc.assert(property, { numRuns: 5000, seed })
  })

  it('refuses what has more than 60 digits, and walks no endless text', () => {
    expect(canonicalDecimal('1'.repeat(digitsMax))).toBe('1'.repeat(digitsMax))
    expect(canonicalDecimal('1'.repeat(digitsMax + 1))).toBeNull()
    expect(canonicalDecimal(`0.${'0'.repeat(digitsMax - 1)}1`)).not.toBeNull()
    expect(canonicalDecimal(`0.${'0'.repeat(digitsMax)}1`)).toBeNull()
    expect(canonicalDecimal('1e59')).toBe(`1${'0'.repeat(59)}`)
    for (const text of ['1e60', '1e400', '-1e400', '1e-999', '1e999999999999', '1e-999999999999'])
      expect(canonicalDecimal(text), text).toBeNull()
    expect(canonicalDecimal('0e999999999999')).toBe('0')
    expect(canonicalDecimal('1'.repeat(10_000_000))).toBeNull()
    expect(canonicalDecimal('1.2E+3')).toBe('1200')
    expect(canonicalDecimal('-0.00')).toBe('0')
  })
})

describe('exact arithmetic', () => {
  it('compares as integers of one scale do', () => {
    const property = fc.property(plain, plain, (a, b) => {
      const [left = 0n, right = 0n] = alignDecimals([a, b])
      expect(compareDecimals(a, b)).toBe(left < right ? -1 : left > right ? 1 : 0)
      expect(compareDecimals(b, a) + compareDecimals(a, b)).toBe(0)
      expect(compareDecimals(a, a)).toBe(0)
    })
    fc.assert(property, { numRuns, seed })
    expect(compareDecimals('-2', '-10')).toBe(1)
    expect(compareDecimals('0.1', '0.09')).toBe(1)
  })

  it('scales to the nearest integer, halves to even', () => {
    const property = fc.property(units, places, fc.integer({ min: 0, max: 20 }), (u, d, decimals) => {
      const found = scaleDecimal(decimalOf(u, d), decimals)
      expect(isNearest(found, u * 10n ** BigInt(decimals), 10n ** BigInt(d))).toBe(true)
    })
    fc.assert(property, { numRuns, seed })
    expect(['0.5', '1.5', '2.5', '-0.5', '-1.5', '2.51'].map((text) => scaleDecimal(text, 0))).toEqual([
      0n,
      2n,
      2n,
      0n,
      -2n,
      3n,
    ])
  })

  it('divides to the nearest decimal, halves to even', () => {
    const positive = fc.bigInt(1n, 10n ** 25n)
    const property = fc.property(units, positive, fc.integer({ min: 0, max: 18 }), (a, b, decimals) => {
      const found = divideDecimals(a.toString(), b.toString(), decimals)
      expect(canonicalDecimal(found)).toBe(found)
      expect(isNearest(scaleDecimal(found, decimals), a * 10n ** BigInt(decimals), b)).toBe(true)
    })
    fc.assert(property, { numRuns, seed })
    expect(divideDecimals('1', '8', 2)).toBe('0.12')
    expect(divideDecimals('0.3', '0.1', 10)).toBe('3')
  })
})
