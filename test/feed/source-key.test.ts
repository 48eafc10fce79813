import { describe, expect, it } from 'vitest'
import { sourceKey } from '../../src/feed/source-key.js'

describe('sourceKey', () => {
  const source = { adapter: 'alpha', version: 1, params: { base: 'BTC', quote: 'USD' } }

  it('is the same whatever the order of params, the group and the class', () => {
    const same = { ...source, params: { quote: 'USD', base: 'BTC' }, group: 'other', class: 'spot' } as const
    expect(sourceKey(same)).toBe(sourceKey(source))
  })

  it('tells adapters, versions, params and their types apart', () => {
    const others = [
      { ...source, adapter: 'beta' },
      { ...source, version: 2 },
      { ...source, params: { base: 'BTC', quote: 'USDT' } },
      { ...source, params: { base: 'BTC' } },
      { ...source, params: { base: 'USD', quote: 'BTC' } },
      { ...source, params: { base: 'BTC', quote: 1 } },
      { ...source, params: { base: 'BTC', quote: '1' } },
    ]
    expect(new Set([source, ...others].map(sourceKey)).size).toBe(others.length + 1)
  })
})
