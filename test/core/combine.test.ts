// P8 against a slow model written from its text, and the invariants it carries (I-2, I-8).

import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { combiner, lowerMedian } from '../../src/core/combine.js'
import { type Committee, type Field, parseCommittee } from '../../src/core/committee.js'
import {
  type CellValue,
  checkPacked,
  type Layout,
  layoutOf,
  openPacked,
  packReadings,
  type Reading,
  readReading,
} from '../../src/core/layout.js'
import { statusCodes } from '../../src/core/status.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { committeeDocument } from '../committee-document.js'

const committees = new Map<number, { committee: Committee; layout: Layout }>()
const sizes = [4, 5, 7, 10, 13]

beforeAll(async () => {
  const engine = await createWasmEngine()
  for (const n of sizes) {
    const committee = parseCommittee(engine, committeeDocument(engine, n))
    committees.set(n, { committee, layout: layoutOf(committee) })
  }
})

const absent: Reading = { status: statusCodes.NO_DATA, groups: 0, spreadPpm: 0, timeMs: 0, values: null }

/** Few different values, so that ties, majorities and extremes happen often. */
function arbitraryCell(field: Field): fc.Arbitrary<CellValue> {
  switch (field.type) {
    case 'bool':
      return fc.constantFrom(0n, 1n)
    case 'string':
      return fc.constantFrom('', 'a', 'ab', 'ö', '\ufeffbom')
    case 'int64':
      return fc.oneof(
        fc.constantFrom(0n, 1n, -1n, 2n ** 32n, -(2n ** 32n), 2n ** 63n - 1n, -(2n ** 63n)),
        fc.bigInt(-5n, 5n),
      )
    case 'int176':
      return fc.oneof(
        fc.constantFrom(0n, -1n, 2n ** 64n, -(2n ** 64n), 2n ** 175n - 1n, -(2n ** 175n)),
        fc.bigInt(-5n, 5n),
      )
  }
}

function arbitraryReading(fields: readonly Field[]): fc.Arbitrary<Reading> {
  const present = fc.record({
    status: fc.integer({ min: 0, max: 8 }),
    groups: fc.integer({ min: 1, max: 9 }),
    spreadPpm: fc.constantFrom(0, 5, 4_294_967_295),
    timeMs: fc.constantFrom(1, 1_700_000_000_000, 281_474_976_710_655),
    values: fc.tuple(...fields.map(arbitraryCell)),
  })
  const none = fc.integer({ min: 1, max: 9 }).map((status): Reading => ({ ...absent, status }))
  return fc.oneof({ weight: 4, arbitrary: present }, { weight: 1, arbitrary: none })
}

/** P8 for one feed, from the text of docs/protocol.md. */
function model(fields: readonly Field[], readings: readonly Reading[], f: number): Reading {
  const majority = <T>(items: readonly T[]): T | undefined =>
    items.find((item) => items.filter((other) => other === item).length * 2 > items.length)
  const median = <T extends number | bigint>(items: readonly T[]): T =>
    [...items].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))[(items.length - 1) >> 1]!
  const identityOf = (reading: Reading): string =>
    fields.map((field, i) => (field.combine === 'identity' ? String(reading.values![i]) : '')).join('|')
  let present = readings.filter((reading) => reading.values !== null)
  if (fields.some((field) => field.combine === 'identity')) {
    const identity = majority(present.map(identityOf))
    present = present.filter((reading) => identityOf(reading) === identity)
  }
  const status = readings.map((reading) => reading.status).sort((a, b) => b - a)[f]!
  if (present.length < 2 * f + 1 || status === statusCodes.NO_DATA) return absent
  const values = fields.map((field, i) => {
    const column = present.map((reading) => reading.values![i]!)
    return field.combine === 'median' ? median(column as bigint[]) : majority(column)
  })
  if (values.includes(undefined)) return absent
  return {
    status,
    groups: median(present.map((reading) => reading.groups)),
    spreadPpm: median(present.map((reading) => reading.spreadPpm)),
    timeMs: median(present.map((reading) => reading.timeMs)),
    values: values as CellValue[],
  }
}

describe('P8', () => {
  for (const n of sizes) {
    it(`agrees with its text for n = ${n}`, () => {
      const { committee, layout } = committees.get(n)!
      const { f, available } = committee.thresholds
      const combine = combiner(layout, committee.thresholds)
      const row = fc.tuple(...committee.feeds.map((feed) => arbitraryReading(feed.fields)))
      fc.assert(
        fc.property(fc.array(row, { minLength: available, maxLength: n }), (observations) => {
          const values = combine(observations.map((readings) => packReadings(layout, readings)))
          const packed = openPacked(layout, values)
          expect(checkPacked(layout, values)).toBeNull()
          for (const feed of committee.feeds) {
            const column = observations.map((readings) => readings[feed.index]!)
            expect(readReading(layout, packed, feed.index)).toEqual(model(feed.fields, column, f))
          }
        }),
        { seed: 42, numRuns: 150 },
      )
    })
  }

  it('does not depend on the order of observations', () => {
    const { committee, layout } = committees.get(7)!
    const combine = combiner(layout, committee.thresholds)
    const row = fc.tuple(...committee.feeds.map((feed) => arbitraryReading(feed.fields)))
    fc.assert(
      fc.property(fc.array(row, { minLength: 5, maxLength: 7 }), (observations) => {
        const packed = observations.map((readings) => packReadings(layout, readings))
        expect(combine([...packed].reverse())).toEqual(combine(packed))
      }),
      { seed: 7, numRuns: 100 },
    )
  })

  it('keeps every number between two honest ones whatever f members say (I-2)', () => {
    const { committee, layout } = committees.get(10)!
    const { f, n } = committee.thresholds
    const combine = combiner(layout, committee.thresholds)
    const honest = fc.array(fc.bigInt(100n, 200n), { minLength: n - f, maxLength: n - f })
    const hostile = fc.array(fc.constantFrom(2n ** 175n - 1n, -(2n ** 175n), 0n, 100n, 200n), {
      minLength: f,
      maxLength: f,
    })
    fc.assert(
      fc.property(honest, hostile, (good, bad) => {
        const observations = [...bad, ...good].map((value) =>
          packReadings(
            layout,
            committee.feeds.map(
              (feed): Reading =>
                feed.index === 0 ? { status: 0, groups: 1, spreadPpm: 0, timeMs: 5, values: [value] } : absent,
            ),
          ),
        )
        const value = readReading(layout, openPacked(layout, combine(observations)), 0).values![0] as bigint
        expect(good.some((item) => item <= value) && good.some((item) => item >= value)).toBe(true)
      }),
      { seed: 3, numRuns: 300 },
    )
  })

  it('takes the lower of two middle clocks', () => {
    expect(lowerMedian([4, 1, 3, 2])).toBe(2)
    expect(lowerMedian([9])).toBe(9)
  })
})

describe('packed readings', () => {
  it('refuse every malformation with a reason and no exception', () => {
    const { committee, layout } = committees.get(4)!
    const row = fc.tuple(...committee.feeds.map((feed) => arbitraryReading(feed.fields)))
    fc.assert(
      fc.property(row, fc.nat(), fc.integer({ min: 1, max: 255 }), (readings, at, mask) => {
        const bytes = packReadings(layout, readings)
        expect(checkPacked(layout, bytes.subarray(0, bytes.length - 1))).not.toBeNull()
        const flipped = bytes.slice()
        flipped[at % bytes.length]! ^= mask
        if (checkPacked(layout, flipped) === null) {
          // What is still valid is another reading, and packs to exactly these bytes: one encoding of anything.
          const packed = openPacked(layout, flipped)
          expect(
            packReadings(
              layout,
              committee.feeds.map((feed) => readReading(layout, packed, feed.index)),
            ),
          ).toEqual(flipped)
        }
      }),
      { seed: 11, numRuns: 500 },
    )
  })

  it('name what is wrong', () => {
    const { committee, layout } = committees.get(4)!
    const valid = packReadings(
      layout,
      committee.feeds.map(() => absent),
    )
    const change = (edit: (bytes: Uint8Array) => void): string | null => {
      const bytes = valid.slice()
      edit(bytes)
      return checkPacked(layout, bytes)
    }
    const boolAt = layout.rows[3]!.cells[0]!.offset
    expect(change(() => undefined)).toBeNull()
    expect(change((bytes) => bytes.fill(0, 0, 1))).toBe('READINGS_STATUS')
    expect(change((bytes) => bytes.fill(0x0a, 0, 1))).toBe('READINGS_STATUS')
    expect(change((bytes) => bytes.fill(0x40, 0, 1))).toBe('READINGS_STATUS')
    expect(change((bytes) => bytes.fill(1, 5, 6))).toBe('READINGS_ABSENT')
    expect(change((bytes) => bytes.set([0x80, 1], layout.rows[3]!.offset))).toBeNull()
    expect(
      change((bytes) => {
        bytes.set([0x80, 1], layout.rows[3]!.offset)
        bytes[boolAt + 7] = 2
      }),
    ).toBe('READINGS_BOOL')
    expect(
      change((bytes) => {
        bytes.set([0x80, 1], 0)
        bytes[layout.rows[0]!.cells[0]!.offset] = 1
      }),
    ).toBe('READINGS_RANGE')
    expect(change((bytes) => bytes.set([0, 0, 0, 1], layout.texts[0]!.offset))).toBe('READINGS_TEXT')
    expect(checkPacked(layout, new Uint8Array(layout.bytesMax + 1))).toBe('READINGS_LENGTH')
  })
})
