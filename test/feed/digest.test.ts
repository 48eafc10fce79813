import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../src/core/bytes.js'
import { feedIdOf } from '../../src/core/committee.js'
import { scaledInteger } from '../../src/feed/decimal.js'
import { valuePlan } from '../../src/feed/value-plan.js'
import { documents } from '../../src/schema/generated/validators.js'
import { clean, engine, parse, put, quakes } from './declare.js'

/** `value` with the keys of every object in an order that `pick` decides. */
function shuffled(value: unknown, pick: (max: number) => number): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, pick))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
  const result: Record<string, unknown> = {}
  while (entries.length > 0) {
    const [[key, inner]] = entries.splice(pick(entries.length), 1) as [[string, unknown]]
    result[key] = shuffled(inner, pick)
  }
  return result
}

describe('the digest of a declaration', () => {
  it('is that of the expanded declaration, golden', () => {
    const [price] = parse(clean()).declarations
    const [quake] = parse(quakes()).declarations
    const pinned = [price, quake].map((feed) => ({
      digest: feed!.digest,
      feedId: toHex(feedIdOf(engine, feed!.meaning)),
    }))
    expect(pinned).toMatchInlineSnapshot(`
      [
        {
          "digest": "0xb5477c3f1e7bbcd687437016182139e9fd9dd7da8f675abe2581330f298c9086",
          "feedId": "0x0bdbaa1e2a933a1b97a9b94aafd979ba7aab229a84ce20f65589943f39495280",
        },
        {
          "digest": "0x4f7a406286a9928e5b44fb91520013e6a7486fae2f752a17f91cb05b5d73af23",
          "feedId": "0x3bfbeb5c7c3a9eb96ee2c80665ae4b0f06d700bb5ecc635a93a943fc2f75181c",
        },
      ]
    `)
  })

  it('does not depend on the order of keys, nor on how a default or a decimal is written', () => {
    const expected = parse(clean()).declarations[0]!.digest
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat()), (numbers) => {
        const written = shuffled(clean(), (max) => (numbers.next().value as number) % max)
        expect(parse(written).declarations[0]!.digest).toBe(expected)
      }),
      { seed: 3, numRuns: 100 },
    )
    const same = clean()
    same['retentionDays'] = 30
    same['bounds'].min = '1.000'
    same['combineSources'].outlierPercent = '5.0'
    same['schedule'].every = '5000ms'
    for (const source of same['sources']) source.class = 'spot'
    expect(parse(same).declarations[0]!.digest).toBe(expected)
  })

  it('depends on everything that is declared', () => {
    const changes: readonly ((f: ReturnType<typeof clean>) => void)[] = [
      (f) => put(f, 'title', 'another'),
      (f) => put(f, 'decimals', 7),
      (f) => put(f, 'sources.0.group', 'zeta'),
      (f) => void f['sources'].reverse(),
      (f) => put(f, 'combineSources.minGroups', 2),
      (f) => put(f, 'combineSources.outlierPercent', '5.0001'),
      (f) => put(f, 'bounds.min', '1.00000001'),
      (f) => put(f, 'bounds.change.windowS', 61),
      (f) => put(f, 'liquidity', { bidAskPercentMax: '1' }),
      (f) => put(f, 'freshness.maxAgeS', 31),
      (f) => put(f, 'schedule.every', '6s'),
      (f) => put(f, 'triggers.deviationPercent', '0.6'),
      (f) => put(f, 'risk', 'standard'),
      (f) => put(f, 'retentionDays', 31),
      (f) => put(f, 'licence', 'another'),
      (f) => put(f, 'combineMembers', { price: 'majority' }),
    ]
    const digests = changes.map((change) => {
      const written = clean()
      change(written)
      const { declarations, findings } = parse(written)
      expect(findings).toEqual([])
      return declarations[0]!.digest
    })
    expect(new Set([parse(clean()).declarations[0]!.digest, ...digests]).size).toBe(changes.length + 1)
  })

  it('leaves the feed its id unless its meaning changes', () => {
    const idOf = (change: (f: ReturnType<typeof clean>) => void): string => {
      const written = clean()
      change(written)
      return toHex(feedIdOf(engine, parse(written).declarations[0]!.meaning))
    }
    const id = idOf(() => undefined)
    expect(idOf((f) => f['sources'].reverse())).toBe(id)
    expect(idOf((f) => put(f, 'freshness.maxAgeS', 31))).toBe(id)
    expect(idOf((f) => put(f, 'decimals', 7))).not.toBe(id)
    expect(idOf((f) => put(f, 'combineMembers', { price: 'majority' }))).not.toBe(id)
  })
})

describe('value plans', () => {
  it('exist for every value, with names that lead back to their properties', () => {
    const names = Object.keys(documents).filter((name) => name.startsWith('value/'))
    expect(names.length).toBeGreaterThanOrEqual(7)
    for (const name of names) {
      const plan = valuePlan(engine, name.slice(6))!
      expect(plan.leaves.length).toBeGreaterThan(0)
      for (const { key, name: field } of plan.leaves)
        expect(field.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())).toBe(key)
    }
    expect(valuePlan(engine, 'candle')!.leaves.map(({ name }) => name)).toContain('open-time-ms')
    expect(valuePlan(engine, 'constructor')).toBeNull()
    expect(parse(clean()).declarations[0]!.leaves).toMatchObject([{ key: 'price', isPriced: true }])
    expect(parse(quakes()).declarations[0]!.leaves.map(({ isPriced }) => isPriced)).toEqual(Array(5).fill(false))
    expect(valuePlan(engine, 'price')).toMatchObject({ advisory: ['bid', 'ask'], isPriced: true })
  })
})

describe('decimals', () => {
  it('are exact or refused', () => {
    expect(scaledInteger('1.5', 2)).toBe(150n)
    expect(scaledInteger('-0.01', 2)).toBe(-1n)
    expect(scaledInteger('1.500', 1)).toBe(15n)
    expect(scaledInteger('9007199254740993', 8)).toBe(900719925474099300000000n)
    for (const text of ['1.55', '', '.5', '1.', '01', '1e3', '+1', ' 1', '0x1', 'NaN', '1_000'])
      expect(scaledInteger(text, 1)).toBeNull()
  })
})
