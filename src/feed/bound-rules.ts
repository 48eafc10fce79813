// Lint rules on bounds: the numbers that are signed must have room, and prices enough digits.

import { type Rule, when } from './rule.js'

/** Whole units that an integer leaf without an upper bound must have room for. */
const roomMin = 1_000_000n
/** Smallest price in units of its last digit: half a unit is then 50 ppm of it, and a source's price is refused above 100. */
const unitsMin = 10_000n

/** In the order of docs/feeds.md. */
export const boundRules: readonly Rule[] = [
  {
    id: 'no-room',
    fix: 'Lower decimals or the bound, or take a value of a wider type.',
    isError: true,
    check: ({ feed, instance }) => {
      const first = feed.leaves[0]!
      if (first.type !== 'int64' && first.type !== 'int176') return []
      const limit = 1n << (first.type === 'int64' ? 63n : 175n)
      const { min, max } = feed.bounds
      const open = max === null && roomMin * 10n ** BigInt(first.decimals) >= limit
      return [
        ...when(
          open,
          '/decimals',
          `${first.type} with ${first.decimals} decimals and no max holds less than ${roomMin}`,
        ),
        ...when(
          max !== null && (max >= limit || max < -limit),
          instance.boundPointers.max,
          `max with ${first.decimals} decimals does not fit ${first.type}`,
        ),
        ...when(
          min !== null && (min >= limit || min < -limit),
          instance.boundPointers.min,
          `min with ${first.decimals} decimals does not fit ${first.type}`,
        ),
      ]
    },
  },
  {
    id: 'collateral-bounds',
    fix: 'Say bounds.min and bounds.max.',
    isError: true,
    check: ({ feed }) =>
      when(
        feed.risk === 'collateral' && (feed.bounds.min === null || feed.bounds.max === null),
        '/bounds',
        'a feed that carries collateral has both bounds',
      ),
  },
  {
    id: 'positive-price',
    fix: 'Set bounds.min above 0.',
    isError: true,
    check: ({ feed, value, instance }) =>
      when(
        value.isPriced && feed.bounds.min !== null && feed.bounds.min <= 0n,
        instance.boundPointers.min,
        'the smallest price is not above 0',
      ),
  },
  {
    id: 'precision',
    fix: 'Raise decimals, or say the smallest price that may be signed as bounds.min.',
    isError: true,
    check: ({ feed, instance }) => {
      const first = feed.leaves[0]!
      const { min } = feed.bounds
      // Without a bound collateral breaks a rule of its own, and so does a bound of 0.
      const isOther = min === null ? feed.risk === 'collateral' : min <= 0n
      if (!first.isPriced || feed.risk === 'informational' || isOther) return []
      return [
        ...when(
          min === null,
          '/bounds',
          `without bounds.min nobody knows whether ${first.decimals} decimals are enough for ${first.name}`,
        ),
        ...when(
          min !== null && min < unitsMin,
          instance.boundPointers.min,
          `the smallest ${first.name} has ${min} units of ${first.decimals} decimals, fewer than ${unitsMin}: rounding would change it`,
        ),
      ]
    },
  },
  {
    id: 'bounds-order',
    fix: 'Make bounds.min less than bounds.max.',
    isError: true,
    check: ({ feed: { bounds }, instance }) =>
      when(
        bounds.min !== null && bounds.max !== null && bounds.min >= bounds.max,
        instance.boundPointers.max,
        'max is not above min',
      ),
  },
]
