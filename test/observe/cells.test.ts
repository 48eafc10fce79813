import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { refusalOf } from '../../src/base/errors.js'
import type { LeafPlan } from '../../src/feed/declaration.js'
import { bidAskPpmOf, cellsOf, toUnits } from '../../src/observe/cells.js'

const price: LeafPlan = { key: 'price', name: 'price', type: 'int64', combine: 'median', decimals: 2, isPriced: true }
const codeOf = (act: () => unknown): string | undefined => refusalOf(act)?.code

/** Half to even over whole numbers: the number is digits / 10^places. */
function reference(digits: bigint, places: number, decimals: number): bigint {
  const scaled = digits * 10n ** BigInt(decimals)
  const under = 10n ** BigInt(places)
  // Floor division, so that below and above are neighbours whatever the sign.
  const below = scaled >= 0n ? scaled / under : -((-scaled + under - 1n) / under)
  const twice = 2n * (scaled - below * under)
  if (twice < under) return below
  if (twice > under) return below + 1n
  return below % 2n === 0n ? below : below + 1n
}

function decimalText(digits: bigint, places: number): string {
  const size = (digits < 0n ? -digits : digits).toString().padStart(places + 1, '0')
  const whole = size.slice(0, size.length - places)
  return `${digits < 0n ? '-' : ''}${whole}${places === 0 ? '' : `.${size.slice(size.length - places)}`}`
}

describe('toUnits', () => {
  it('is the exact number rounded half to even (20,000 numbers against rationals)', () => {
    const digits = fc.bigInt({ min: -(10n ** 34n), max: 10n ** 34n })
    const any = fc.tuple(digits, fc.nat(30), fc.nat(30))
    // Ties are rare by chance: half of the cases are one.
    const tie = fc
      .tuple(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), fc.nat(8), fc.nat(8))
      .map(([whole, more, decimals]): [bigint, number, number] => [
        whole * 10n ** BigInt(more + 1) + (whole < 0n ? -1n : 1n) * 5n * 10n ** BigInt(more),
        decimals + more + 1,
        decimals,
      ])
    fc.assert(
      fc.property(fc.oneof(any, tie), ([number, places, decimals]) => {
        expect(toUnits(decimalText(number, places), decimals)).toBe(reference(number, places, decimals))
      }),
      { numRuns: 20_000, seed: 11 },
    )
  })

  it('takes plain decimals only', () => {
    const plain: readonly (readonly [string, bigint])[] = [
      ['0', 0n],
      ['-0', 0n],
      ['-0.004', 0n],
      ['0.005', 0n],
      ['0.015', 2n],
      ['-0.015', -2n],
      ['0.0050000000000000000000001', 1n],
      ['16789.25', 1678925n],
      [`${'9'.repeat(77)}.99`, BigInt('9'.repeat(79))],
    ]
    for (const [text, units] of plain) expect([text, toUnits(text, 2)]).toEqual([text, units])
    const others = [
      '',
      '-',
      '.',
      '1.',
      '.5',
      '01',
      '+1',
      '1e3',
      '1E400',
      'NaN',
      'Infinity',
      '0x10',
      '1,000',
      ' 1',
      '1\n',
    ]
    for (const text of [...others, '１', '--1', '1.2.3', 'null', '9'.repeat(81)])
      expect([text, toUnits(text, 2)]).toEqual([text, null])
  })
})

describe('cellsOf', () => {
  it('gives integers, texts and truth values in the order of the leaves', () => {
    const leaves: readonly LeafPlan[] = [
      { key: 'open', name: 'open', type: 'bool', combine: 'majority', decimals: 0, isPriced: false },
      { key: 'place', name: 'place', type: 'string', combine: 'majority', decimals: 0, isPriced: false, bytesMax: 6 },
      { key: 'depth', name: 'depth', type: 'int176', combine: 'median', decimals: 3, isPriced: false },
    ]
    const value = { depth: '-10.0005', place: 'Ålen', open: true }
    expect(cellsOf(leaves, { value })).toEqual([1n, 'Ålen', -10_000n])
    expect(codeOf(() => cellsOf(leaves, { value: { ...value, place: 'Ålesund' } }))).toBe('SOURCE_VALUE_INVALID')
    expect(codeOf(() => cellsOf(leaves, { value: { ...value, open: 'true' } }))).toBe('SOURCE_DRIFT')
    expect(codeOf(() => cellsOf(leaves, { value: { ...value, place: true } }))).toBe('SOURCE_DRIFT')
    expect(codeOf(() => cellsOf(leaves, { value: { place: 'x', open: true } }))).toBe('SOURCE_DRIFT')
  })

  it('refuses what does not fit its integer, at the bound exactly', () => {
    const most = '92233720368547758.07'
    expect(cellsOf([price], { value: { price: most } })).toEqual([2n ** 63n - 1n])
    expect(codeOf(() => cellsOf([price], { value: { price: '92233720368547758.08' } }))).toBe('SOURCE_VALUE_INVALID')
    expect(cellsOf([price], { value: { price: '-92233720368547758.08' } })).toEqual([-(2n ** 63n)])
    const wide: LeafPlan = { ...price, type: 'int176', decimals: 0 }
    expect(cellsOf([wide], { value: { price: `${2n ** 175n - 1n}` } })).toEqual([2n ** 175n - 1n])
    expect(codeOf(() => cellsOf([wide], { value: { price: `${2n ** 175n}` } }))).toBe('SOURCE_VALUE_INVALID')
    expect(codeOf(() => cellsOf([price], { value: { price: '1e2' } }))).toBe('SOURCE_DRIFT')
  })
})

describe('bidAskPpmOf', () => {
  it('is parts per million of the ask, and null where one is missing or they cross', () => {
    expect(bidAskPpmOf({ value: { price: '1', bid: '99', ask: '100' } })).toBe(10_000)
    expect(bidAskPpmOf({ value: { price: '1', bid: '0.000000012', ask: '0.000000016' } })).toBe(250_000)
    expect(bidAskPpmOf({ value: { price: '1', bid: '1', ask: '1' } })).toBe(0)
    expect(bidAskPpmOf({ value: { price: '1', bid: '1' } })).toBe(null)
    expect(bidAskPpmOf({ value: { price: '1', bid: '2', ask: '1' } })).toBe(null)
  })
})
