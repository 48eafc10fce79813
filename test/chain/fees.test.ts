// Fees of first attempts and of replacements: what nodes accept, what the market asks, and never above the caps.

import { assert, bigInt, property, record } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { costMax, type FeeLimits, type Fees, makeOffer, spentWithinHour } from '../../src/chain/fees.js'

const gwei = 1_000_000_000n
const wide: FeeLimits = {
  perGasMax: 10n ** 15n,
  tipMin: gwei,
  tipMax: 5n * gwei,
  perTransactionMax: 10n ** 24n,
  perHourMax: 10n ** 27n,
}
const gas = 100_000n
const market = (base: bigint, tip: bigint) => ({ baseFeePerGas: base * gwei, tipPerGas: tip * gwei })
const same = (fee: bigint): Fees => ({ maxFeePerGas: fee, maxPriorityFeePerGas: fee })

const amount = bigInt({ min: 0n, max: 10n ** 13n })
const markets = record({ baseFeePerGas: amount, tipPerGas: amount })
const limits = record({
  perGasMax: bigInt({ min: 1n, max: 10n ** 13n }),
  tipMin: bigInt({ min: 0n, max: 10n ** 9n }),
  tipMax: bigInt({ min: 10n ** 9n, max: 10n ** 11n }),
  perTransactionMax: bigInt({ min: 1n, max: 10n ** 20n }),
  perHourMax: bigInt({ min: 1n, max: 10n ** 21n }),
})
const lasts = record({ max: bigInt({ min: 0n, max: 10n ** 13n }), tip: bigInt({ min: 0n, max: 10n ** 13n }) }).map(
  ({ max, tip }): Fees => ({ maxFeePerGas: max, maxPriorityFeePerGas: tip % (max + 1n) }),
)
const gases = bigInt({ min: 21_000n, max: 16_000_000n })

describe('a first attempt', () => {
  it('offers twice the base fee and the tip of the market', () => {
    expect(makeOffer(null, gas, market(20n, 2n), 0n, wide)).toEqual({
      verdict: 'send',
      fees: { maxFeePerGas: 42n * gwei, maxPriorityFeePerGas: 2n * gwei },
    })
  })

  it('follows the tip of the market only between its bounds', () => {
    const tipAt = (tip: bigint) => {
      const offer = makeOffer(null, gas, market(20n, tip), 0n, wide)
      return offer.verdict === 'send' ? offer.fees.maxPriorityFeePerGas : null
    }
    expect([tipAt(0n), tipAt(3n), tipAt(900n)]).toEqual([gwei, 3n * gwei, 5n * gwei])
  })

  it('goes at the cap while a block can take it, and waits as soon as none can', () => {
    const limited = { ...wide, perGasMax: 30n * gwei }
    const fees = { maxFeePerGas: 30n * gwei, maxPriorityFeePerGas: 5n * gwei }
    expect(makeOffer(null, gas, market(29n, 9n), 0n, limited)).toEqual({ verdict: 'send', fees })
    expect(makeOffer(null, gas, { baseFeePerGas: 29n * gwei + 1n, tipPerGas: gwei }, 0n, limited)).toEqual({
      verdict: 'wait: cap',
    })
  })

  it('waits when the whole transaction could cost more than one may', () => {
    const limited = { ...wide, perTransactionMax: 21n * gwei * gas }
    expect(makeOffer(null, gas, market(20n, 1n), 0n, limited).verdict).toBe('send')
    expect(makeOffer(null, gas + 5000n, market(20n, 1n), 0n, limited)).toEqual({ verdict: 'wait: cap' })
  })

  it('waits when it could overdraw the hour', () => {
    const limited = { ...wide, perHourMax: 100n * gwei * gas }
    expect(makeOffer(null, gas, market(20n, 1n), 59n * gwei * gas, limited).verdict).toBe('send')
    expect(makeOffer(null, gas, market(20n, 1n), 59n * gwei * gas + 1n, limited)).toEqual({ verdict: 'wait: budget' })
  })
})

describe('a replacement', () => {
  it('I16: of a transaction stuck at 97 gwei offers at least 106.7 on both fields', () => {
    const offer = makeOffer(same(97n * gwei), gas, market(40n, 1n), 0n, wide)
    if (offer.verdict !== 'send') throw new Error(offer.verdict)
    expect(offer.fees).toEqual(same((97n * gwei * 9n) / 8n))
    expect(offer.fees.maxFeePerGas * 10n).toBeGreaterThanOrEqual(1067n * gwei)
  })

  it('goes straight to what the market asks: twenty times the base fee in one step', () => {
    const offer = makeOffer({ maxFeePerGas: 3n * gwei, maxPriorityFeePerGas: gwei }, gas, market(20n, 1n), 0n, wide)
    expect(offer).toMatchObject({ fees: { maxFeePerGas: 41n * gwei } })
  })

  it('raises nothing to something, so that nodes see a raise', () => {
    const free = { ...wide, tipMin: 0n }
    const none = { baseFeePerGas: 0n, tipPerGas: 0n }
    expect(makeOffer(same(0n), gas, none, 0n, free)).toEqual({ verdict: 'send', fees: same(1n) })
  })

  it('waits when an eighth more is above the cap', () => {
    const limited = { ...wide, perGasMax: 108n * gwei }
    expect(makeOffer(same(96n * gwei), gas, market(1n, 1n), 0n, limited).verdict).toBe('send')
    expect(makeOffer(same(97n * gwei), gas, market(1n, 1n), 0n, limited)).toEqual({ verdict: 'wait: cap' })
  })
})

describe('every offer', () => {
  it('is within all caps, can be in a block, and is one that nodes accept in place of the last', () => {
    let sent = 0
    assert(
      property(lasts, gases, markets, amount, limits, (last, gasLimit, now, committed, limit) => {
        for (const before of [null, last]) {
          const offer = makeOffer(before, gasLimit, now, committed, limit)
          if (offer.verdict !== 'send') continue
          sent++
          const { fees } = offer
          expect(fees.maxFeePerGas).toBeLessThanOrEqual(limit.perGasMax)
          expect(costMax(fees, gasLimit)).toBeLessThanOrEqual(limit.perTransactionMax)
          expect(costMax(fees, gasLimit) + committed).toBeLessThanOrEqual(limit.perHourMax)
          expect(fees.maxPriorityFeePerGas).toBeLessThanOrEqual(fees.maxFeePerGas)
          expect(fees.maxFeePerGas).toBeGreaterThanOrEqual(now.baseFeePerGas)
          if (before === null) continue
          for (const field of ['maxFeePerGas', 'maxPriorityFeePerGas'] as const) {
            expect(fees[field] * 8n).toBeGreaterThanOrEqual(before[field] * 9n)
            expect(fees[field]).toBeGreaterThan(before[field])
          }
        }
      }),
      { numRuns: 3000 },
    )
    expect(sent).toBeGreaterThan(300)
  })

  it('comes whenever caps and budget leave room for it', () => {
    assert(
      property(lasts, markets, (last, now) => {
        const offers = [null, last].map((before) => makeOffer(before, 21_000n, now, 0n, wide).verdict)
        expect(offers).toEqual(['send', 'send'])
      }),
    )
  })
})

describe('the hour', () => {
  it('rolls: what was paid an hour ago counts no more', () => {
    const spendings = [
      { atMs: 1_000, wei: 5n },
      { atMs: 2_000, wei: 7n },
    ]
    expect([3_600_999, 3_601_000, 3_602_000].map((nowMs) => spentWithinHour(spendings, nowMs))).toEqual([12n, 7n, 0n])
  })
})
