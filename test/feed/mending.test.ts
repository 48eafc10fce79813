// What a finding tells the writer to do: all that is unknown or missing at once, the name that was meant, a form to copy.

import { describe, expect, it } from 'vitest'
import { didYouMean } from '../../src/feed/did-you-mean.js'
import { findingsAfter, type Written } from './declare.js'

describe('schema findings', () => {
  it('name every field that is unknown or missing at once, and what was probably meant', () => {
    const findings = findingsAfter((f) => {
      f['license'] = f['licence']
      delete f['licence']
      f['freshness'].maxAge = f['freshness'].maxAgeS
      delete f['freshness'].maxAgeS
      f['sources'][1].colour = 'red'
    })
    expect(findings.map(({ message, fix }) => [message, fix.slice(0, 40)])).toEqual([
      ['license: unknown field "license"', 'Did you mean "licence"?'],
      ['licence: is missing', 'Add licence. Under which terms the sourc'],
      ['sources.1.colour: unknown field "colour"', 'Remove it; the fields here are adapter, '],
      ['freshness.maxAge: unknown field "maxAge"', 'Did you mean "maxAgeS"?'],
      ['freshness.maxAgeS: is missing', 'Add maxAgeS. A source older than this is'],
    ])
  })

  it('are not more than anybody reads', () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`x${i}`, i]))
    expect(findingsAfter((f) => void Object.assign(f, many))).toHaveLength(50)
  })

  it('join what is missing in one place', () => {
    const findings = findingsAfter((f) => {
      delete f['licence']
      delete f['risk']
    })
    expect(findings.map(({ message }) => message)).toEqual(['the declaration: risk, licence are missing'])
  })
})

interface Mended {
  readonly spoiled: string
  /** Path to the field, and what is written there. */
  readonly at: readonly (string | number)[]
  readonly written: unknown
  readonly fix: RegExp
}

const mended: readonly Mended[] = [
  { spoiled: 'a time', at: ['schedule', 'every'], written: '10 s', fix: /^Write 10s, 5m or 1h\.$/ },
  { spoiled: 'a number', at: ['bounds', 'min'], written: 1000, fix: /^Put it in quotes: "1000"\.$/ },
  { spoiled: 'a decimal', at: ['bounds', 'min'], written: '1,000', fix: /^Write a decimal in quotes/ },
  { spoiled: 'a value', at: ['value'], written: 'prices', fix: /^Write one of candle, .*Did you mean "price"\?$/ },
  { spoiled: 'an adapter', at: ['sources', 0, 'adapter'], written: 'alpa', fix: /Did you mean "alpha"\?$/ },
  {
    spoiled: 'params',
    at: ['sources', 0, 'params', 'depth'],
    written: 5,
    fix: /^It takes base, quote, .*no "depth"\.$/,
  },
  { spoiled: 'without', at: ['entities', 0, 'without'], written: ['omega'], fix: /name an adapter .*: alpha, beta, / },
]

it.each(mended)('$spoiled that does not fit is mended by: $fix', ({ at, written, fix }) => {
  const findings = findingsAfter((f) => {
    let place: Written = f
    for (const name of at.slice(0, -1)) place = place[name]
    place[at.at(-1)!] = written
  })
  expect(findings).toHaveLength(1)
  expect(findings[0]!.fix).toMatch(fix)
  expect(findings[0]!.message).not.toContain('must match pattern')
})

describe('didYouMean', () => {
  it.each([
    ['krakn', ' Did you mean "kraken"?'],
    ['KRAKEN', ' Did you mean "kraken"?'],
    ['gemni', ' Did you mean "gemini"?'],
    ['ecx', ' Did you mean "ecb"?'],
    ['exx', ''],
    ['bitfinex', ''],
    ['k'.repeat(100_000), ''],
  ])('of %s is "%s"', (name, guess) => {
    expect(didYouMean(name, ['kraken', 'gemini', 'ecb'])).toBe(guess)
  })
})
