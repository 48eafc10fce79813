import { describe, expect, it } from 'vitest'
import { adapters, clean, parse, type Written } from './declare.js'

describe('a template', () => {
  it('gives one feed for each entity, with the bounds and sources of that entity', () => {
    const written = clean()
    written['entities'] = [
      { base: 'BTC', quote: 'USD' },
      { base: 'ETH', quote: 'EUR', bounds: { min: '50', change: { maxPercent: '10', windowS: 9 } } },
      { base: 'SOL', quote: 'USD', without: ['beta'], bounds: { max: '5000' } },
    ]
    written['combineSources'].minSources = 2
    const { declarations, findings } = parse(written)
    expect(findings).toEqual([])
    expect(declarations.map(({ name, unit }) => [name, unit])).toEqual([
      ['btc-usd', 'USD'],
      ['eth-eur', 'EUR'],
      ['sol-usd', 'USD'],
    ])
    const [btc, eth, sol] = declarations
    expect(eth!.bounds).toEqual({
      min: 5_000_000_000n,
      max: btc!.bounds.max,
      change: { maxPpm: 100_000, windowS: 9 },
    })
    expect(sol!.bounds).toEqual({ ...btc!.bounds, max: 500_000_000_000n })
    expect(btc!.sources.map(({ adapter }) => adapter)).toEqual(['alpha', 'beta', 'gamma', 'delta', 'epsilon'])
    expect(sol!.sources.map(({ adapter }) => adapter)).toEqual(['alpha', 'gamma', 'delta', 'epsilon'])
    expect(new Set(declarations.map(({ digest }) => digest)).size).toBe(3)
  })

  it('keeps a number a number where a parameter is nothing else', () => {
    const { combineSources: _c, bounds: _b, unit: _u, decimals: _d, ...rest } = clean()
    const written: Written = {
      ...rest,
      name: 'weather-{place}',
      title: 'Weather at {place}, {latitude} north',
      value: 'weather',
      entities: [{ place: 'berlin', latitude: 52.52, longitude: 13.41 }],
      risk: 'standard',
      sources: [
        { adapter: 'sky', version: 1, params: { latitude: '{latitude}', longitude: '{longitude}' }, group: 'sky' },
      ],
      singleSource: 'one house of meteorologists',
    }
    const { declarations, findings } = parse(written)
    expect(findings).toEqual([])
    expect(declarations[0]!.sources[0]!.params).toEqual({ latitude: 52.52, longitude: 13.41 })
    expect(declarations[0]!.title).toBe('Weather at berlin, 52.52 north')
    expect(declarations[0]!.entity).toEqual({ place: 'berlin', latitude: '52.52', longitude: '13.41' })
    // The identity rule holds for numbers too.
    written['sources'][0].params.latitude = 52.53
    expect(parse(written).findings.map(({ rule }) => rule)).toEqual(['identity'])
  })

  it('says for each entity what is wrong with it, at its own place', () => {
    const written = clean()
    written['entities'].push({ base: 'ETH', quote: 'USD', without: ['alpha'] })
    const found = parse(written).findings
    expect(found.map(({ feed, rule }) => [feed, rule])).toEqual([['eth-usd', 'spare-sources']])
  })

  it('does not fill in what an entity brought along', () => {
    const written = clean()
    written['entities'] = [{ base: '{quote}', quote: 'USD' }]
    expect(parse(written, adapters).findings.map(({ rule }) => rule)).toEqual(['schema'])
  })
})
