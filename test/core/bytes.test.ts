import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compareBytes,
  concat,
  equalBytes,
  fromHex,
  getU32,
  getU48,
  getUint,
  putInt,
  putU32,
  putU48,
  toHex,
} from '../../src/core/bytes.js'

const seeded = { seed: 1, numRuns: 300 }

describe('hex', () => {
  it('goes there and back as Buffer writes it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const text = toHex(bytes)
        expect(text).toBe(`0x${Buffer.from(bytes).toString('hex')}`)
        expect(fromHex(text, bytes.length)).toEqual(bytes)
        expect(fromHex(text, bytes.length + 1)).toBeNull()
      }),
      seeded,
    )
  })

  it.each(['', '0', '0x0', 'x0', '00', '0X00', '0xAB', '0x0g', '0x 0', '0x0\u0661', '0xıı', '0x00\n', ' 0x00'])(
    'refuses %j',
    (text) => {
      expect(fromHex(text)).toBeNull()
    },
  )
})

describe('integers', () => {
  it('u32 and u48 go there and back, big-endian', () => {
    const bytes = new Uint8Array(10)
    for (const value of [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
      putU32(bytes, 1, value)
      expect([getU32(bytes, 1), Number(getUint(bytes, 1, 4))]).toEqual([value, value])
    }
    for (const value of [0, 1, 2 ** 32 - 1, 2 ** 32, 1_767_225_600_123, 2 ** 48 - 1]) {
      putU48(bytes, 1, value)
      expect([getU48(bytes, 1), Number(getUint(bytes, 1, 6))]).toEqual([value, value])
    }
    expect([bytes[0], bytes[7]]).toEqual([0, 0])
  })

  it('two’s complement of 8, 24 and 32 bytes goes there and back and touches nothing beside it', () => {
    const edges = [0n, -1n, 2n ** 53n, -(2n ** 53n), 2n ** 53n - 1n, 1n - 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)]
    const any = fc.oneof(fc.constantFrom(...edges), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))
    fc.assert(
      fc.property(any, fc.constantFrom(8, 24, 32), (value, length) => {
        const bytes = new Uint8Array(length + 2).fill(7)
        putInt(bytes, 1, length, value)
        expect(BigInt.asIntN(length * 8, getUint(bytes, 1, length))).toBe(value)
        expect([bytes[0], bytes[length + 1]]).toEqual([7, 7])
      }),
      seeded,
    )
    const wide = new Uint8Array(32)
    for (const value of [2n ** 255n - 1n, -(2n ** 255n), 2n ** 175n - 1n, -(2n ** 175n)]) {
      putInt(wide, 0, 32, value)
      expect(BigInt.asIntN(256, getUint(wide, 0, 32))).toBe(value)
    }
  })
})

describe('comparison', () => {
  it('is Buffer’s, and equality is its zero', () => {
    const short = fc.uint8Array({ maxLength: 3, max: 2 })
    fc.assert(
      fc.property(short, short, (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b))
        expect(equalBytes(a, b)).toBe(Buffer.compare(a, b) === 0)
        expect(concat(a, b)).toEqual(Uint8Array.from([...a, ...b]))
      }),
      seeded,
    )
  })
})
