import { describe, expect, it } from 'vitest'
import { completeFeed } from '../../src/feed/complete-feed.js'
import { expandTemplate } from '../../src/feed/expand-template.js'
import { lintFeed, rules } from '../../src/feed/lint.js'
import type { WrittenFeed } from '../../src/feed/written-feed.js'
import { adapters, clean, engine, findingsAfter, parse, quakes, type Written } from './declare.js'
import { mutants } from './mutants.js'

const quakesAdapter = adapters.find(({ id }) => id === 'quakes')!
const more = [
  ...adapters,
  ...['two', 'three', 'four'].map((id) => ({
    ...quakesAdapter,
    id: `quakes-${id}`,
    limits: { ...quakesAdapter.limits, hosts: [`api.${id}.test`] },
  })),
]

describe('lint', () => {
  it('has nothing to say about the declarations that the mutants spoil', () => {
    expect(parse(clean()).findings).toEqual([])
    expect(parse(quakes()).findings).toEqual([])
  })

  it.each(mutants)('$rule: $why', ({ rule, spoil, from, pointer }) => {
    const written = (from ?? clean)()
    spoil(written)
    const table = new Map(more.map((adapter) => [adapter.id, adapter]))
    const complete = completeFeed(engine, expandTemplate(written as WrittenFeed)[0]!, table)
    if (!('feed' in complete)) throw new Error(JSON.stringify(complete))
    const problems = lintFeed(complete)
    expect(new Set(problems.map((problem) => problem.rule))).toEqual(new Set([rule]))
    expect(problems.map((problem) => problem.pointer)).toContain(pointer)
    // The rule is what finds it: without it the declaration passes.
    expect(
      lintFeed(
        complete,
        rules.filter(({ id }) => id !== rule),
      ),
    ).toEqual([])
  })

  it('refuses a feed in USD with a source in USDT, whichever way it is written', () => {
    const found = findingsAfter((f) => {
      f['sources'][0].params.quote = 'USDT'
    })
    expect(found.map(({ rule }) => rule).sort()).toEqual(['identity', 'quote-replaced'])
    const plain = findingsAfter((f) => {
      delete f['entities']
      f['name'] = 'btc-usdt'
      f['title'] = 'a name that fits the sources does not excuse the unit'
      f['unit'] = 'USD'
      for (const source of f['sources']) source.params = { base: 'BTC', quote: 'USDT' }
    })
    expect(new Set(plain.map(({ rule }) => rule))).toEqual(new Set(['quote-replaced']))
    expect(plain).toHaveLength(5)
  })

  it('has room for prices of 10,000 units, and leaves prices that people read alone', () => {
    const change = (min: string | undefined, risk: string) => (f: Written) => {
      f['decimals'] = 4
      f['risk'] = risk
      f['bounds'] = min === undefined ? { max: '10' } : { min, max: '10' }
    }
    expect(findingsAfter(change('1', 'collateral'))).toEqual([])
    expect(findingsAfter(change('1', 'standard'))).toEqual([])
    expect(findingsAfter(change('0.0001', 'informational'))).toEqual([])
    expect(findingsAfter(change(undefined, 'informational'))).toEqual([])
    // The bound is about the first field: where that is a time or a text, it says nothing about prices.
    expect(parse({ ...quakes(), risk: 'standard' }).findings).toEqual([])
  })

  it('finds one group in every feed that hides its single source', () => {
    const found = findingsAfter((f) => {
      for (const source of f['sources']) source.group = 'all'
    })
    expect(found.map(({ rule }) => rule)).toContain('one-group')
  })

  it('has a mutant, a sentence and a fix for each rule', () => {
    const tested = new Set([...mutants.map(({ rule }) => rule), 'quote-replaced', 'one-group'])
    expect(new Set(rules.map(({ id }) => id))).toEqual(tested)
    for (const { fix } of rules) expect(fix).toMatch(/^[A-Z].*\.$/)
  })
})
