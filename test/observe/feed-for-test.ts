// A feed declaration for tests of the observer's rules, with whatever a test changes.

import type { FeedDeclaration } from '../../src/feed/declaration.js'

/** BTC/USD with two decimals from groups a, b, c, d, e; three are needed and 2 % makes an outlier. */
export function feedForTest(change: Partial<FeedDeclaration> = {}): FeedDeclaration {
  const fields = [{ name: 'price', type: 'int64', combine: 'median' }] as const
  return {
    name: 'btc-usd',
    title: 'BTC/USD',
    value: 'price',
    unit: 'USD',
    decimals: 2,
    entity: { base: 'BTC', quote: 'USD' },
    sources: ['a', 'b', 'c', 'd', 'e'].map((group) => ({
      adapter: `venue-${group}`,
      version: 1,
      params: { base: 'BTC', quote: 'USD' },
      group,
      class: 'spot',
    })),
    combineSources: { minSources: 3, minGroups: 3, outlierPpm: 20_000 },
    bounds: { min: null, max: null, change: null },
    bidAskPpmMax: null,
    freshness: { maxAgeS: 60, validForS: 120 },
    schedule: { kind: 'every', everyMs: 1000 },
    triggers: { streamPpm: 0, deviationPpm: 0, heartbeatS: 0 },
    risk: 'standard',
    retentionDays: 30,
    licence: 'none',
    singleSource: null,
    leaves: [{ key: 'price', name: 'price', type: 'int64', combine: 'median', decimals: 2, isPriced: true }],
    meaning: { name: 'btc-usd', schema: `0x${'11'.repeat(32)}`, unit: 'USD', decimals: 2, fields },
    digest: `0x${'22'.repeat(32)}`,
    ...change,
  }
}
