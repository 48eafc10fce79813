import { describe, expect, it } from 'vitest'
import { refusalOf } from '../../src/base/errors.js'
import { checkFeeds } from '../../src/feed/load-feeds.js'
import { parseFeeds } from '../../src/feed/parse-feeds.js'
import { adapters, clean, engine, findingsAfter, parse, quakes, type Written } from './declare.js'

interface Spoiled {
  readonly rule: string
  readonly why: string
  readonly spoil: (written: Written) => void
  readonly from?: () => Written
  readonly message: RegExp
}

const spoiled: readonly Spoiled[] = [
  {
    rule: 'schema',
    why: 'an unknown field',
    spoil: (f) => {
      f['source'] = []
    },
    message: /unknown field "source"/,
  },
  {
    rule: 'schema',
    why: 'an unknown field inside',
    spoil: (f) => {
      f['freshness'].maxAge = 1
    },
    message: /freshness\.maxAge: unknown field/,
  },
  {
    rule: 'schema',
    why: 'a field that is missing',
    spoil: (f) => {
      delete f['licence']
    },
    message: /^licence: is missing$/,
  },
  {
    rule: 'schema',
    why: 'a decimal without quotes',
    spoil: (f) => {
      f['bounds'].min = 1
    },
    message: /bounds\.min: must be string/,
  },
  {
    rule: 'schema',
    why: 'another version',
    spoil: (f) => {
      f['version'] = 2
    },
    message: /version/,
  },
  {
    rule: 'schema',
    why: 'an entity that is empty',
    spoil: (f) => {
      f['entities'] = [{}]
    },
    message: /entities\.0/,
  },
  {
    rule: 'template',
    why: 'a key that the entity lacks',
    spoil: (f) => {
      f['title'] = '{name}'
    },
    message: /\{name\} stands for nothing/,
  },
  {
    rule: 'template',
    why: 'a key of every object',
    spoil: (f) => {
      f['title'] = '{constructor}'
    },
    message: /\{constructor\} stands for nothing/,
  },
  {
    rule: 'template',
    why: 'without an adapter that is not there',
    spoil: (f) => {
      f['entities'][0].without = ['omega']
    },
    message: /omega/,
  },
  {
    rule: 'name',
    why: 'a name that is no slug',
    spoil: (f) => {
      f['name'] = '{base}-{quote}-'
    },
    message: /"btc-usd-" is no name/,
  },
  {
    rule: 'value-unknown',
    why: 'a value that does not exist',
    spoil: (f) => {
      f['value'] = 'mood'
    },
    message: /no value "mood"/,
  },
  {
    rule: 'value-mismatch',
    why: 'an adapter of another value',
    spoil: (f) => {
      f['value'] = 'fx-rate'
    },
    message: /gives price/,
  },
  {
    rule: 'adapter-unknown',
    why: 'an adapter that does not exist',
    spoil: (f) => {
      f['sources'][0].adapter = 'omega'
    },
    message: /no adapter "omega"/,
  },
  {
    rule: 'adapter-version',
    why: 'another version of an adapter',
    spoil: (f) => {
      f['sources'][0].version = 2
    },
    message: /version 2 of alpha/,
  },
  {
    rule: 'params',
    why: 'params that do not fit',
    spoil: (f) => {
      f['sources'][0].params = { base: 'btc', quote: '{quote}' }
    },
    message: /params of alpha: base/,
  },
  {
    rule: 'params',
    why: 'a parameter too many',
    spoil: (f) => {
      f['sources'][0].params.depth = 5
    },
    message: /depth/,
  },
  {
    rule: 'sources',
    why: 'an entity without any source',
    spoil: (f) => {
      f['entities'][0].without = ['alpha', 'beta', 'gamma', 'delta', 'epsilon']
    },
    message: /no source is left/,
  },
  {
    rule: 'decimals',
    why: 'decimals that nobody says',
    spoil: (f) => {
      delete f['decimals']
    },
    message: /decimals is missing/,
  },
  {
    rule: 'decimals',
    why: 'decimals that the value fixes',
    from: quakes,
    spoil: (f) => {
      f['decimals'] = 3
    },
    message: /fixes its decimals: 2/,
  },
  {
    rule: 'unit',
    why: 'a price in nothing',
    spoil: (f) => {
      delete f['unit']
    },
    message: /unit is not named/,
  },
  {
    rule: 'unit',
    why: 'a unit that is too long',
    spoil: (f) => {
      f['unit'] = 'U'.repeat(33)
    },
    message: /is no unit/,
  },
  {
    rule: 'unit',
    why: 'a unit where the value fixes it',
    from: quakes,
    spoil: (f) => {
      f['unit'] = 'USD'
    },
    message: /fixes its units/,
  },
  {
    rule: 'bounds',
    why: 'a bound finer than the value',
    spoil: (f) => {
      f['bounds'].min = '0.000000001'
    },
    message: /more than 8 decimals/,
  },
  {
    rule: 'bounds',
    why: 'bounds of a text',
    from: quakes,
    spoil: (f) => {
      f['bounds'] = { min: '1' }
    },
    message: /event-id of earthquake is no number/,
  },
  {
    rule: 'combine-sources',
    why: 'nobody says how many sources are enough',
    spoil: (f) => {
      delete f['combineSources']
    },
    message: /combineSources is missing/,
  },
  {
    rule: 'combine-members',
    why: 'a rule for a field that is not signed',
    spoil: (f) => {
      f['combineMembers'] = { bid: 'median' }
    },
    message: /signs no "bid"/,
  },
  {
    rule: 'combine-members',
    why: 'a median of texts',
    from: quakes,
    spoil: (f) => {
      f['combineMembers'] = { eventId: 'median' }
    },
    message: /"eventId" is no number/,
  },
  {
    rule: 'combine-members',
    why: 'nothing but an identity',
    spoil: (f) => {
      f['combineMembers'] = { price: 'identity' }
    },
    message: /all fields are identities/,
  },
  {
    rule: 'liquidity',
    why: 'a spread of earthquakes',
    from: quakes,
    spoil: (f) => {
      f['liquidity'] = { bidAskPercentMax: '1' }
    },
    message: /no bid and ask/,
  },
  {
    rule: 'schedule',
    why: 'two schedules',
    spoil: (f) => {
      f['schedule'] = { cron: '* * * * *', every: '5s' }
    },
    message: /cron stands alone/,
  },
  {
    rule: 'schedule',
    why: 'a stream without every',
    spoil: (f) => {
      f['schedule'] = { stream: true }
    },
    message: /every is missing/,
  },
  {
    rule: 'schedule',
    why: 'a schedule of milliseconds',
    spoil: (f) => {
      f['schedule'] = { every: '50ms' }
    },
    message: /not within 100ms and 1d/,
  },
  {
    rule: 'cron',
    why: 'a cron that is none',
    spoil: (f) => {
      f['schedule'] = { cron: '61 * * * *' }
    },
    message: /no cron expression/,
  },
]

describe('a declaration', () => {
  it.each(spoiled)('$rule: $why', ({ spoil, from, message, rule }) => {
    const findings = findingsAfter(spoil, from?.())
    expect(new Set(findings.map((finding) => finding.rule))).toEqual(new Set([rule]))
    expect(findings.find((finding) => finding.rule === rule)!.message).toMatch(message)
    expect(findings[0]!.isError).toBe(true)
    const error = refusalOf(() => checkFeeds(findings))
    expect(error?.code).toBe('FEED_INVALID')
    expect(error?.path).toMatch(/^feeds\/test\.yaml:[0-9]+$/)
  })

  it('names file, line, column and feed of what lint refuses', () => {
    const text = `version: 1
name: "{base}-usd"
title: t
entities:
  - {base: AAA}
  - base: BBB
    bounds: {min: "9", max: "8"}
value: price
unit: USD
decimals: 2
singleSource: for the sake of this test
sources:
  - {adapter: alpha, version: 1, params: {base: "{base}", quote: USD}, group: alpha}
freshness: {maxAgeS: 60, validForS: 60}
schedule: {every: 10s}
risk: informational
licence: none
`
    const { declarations, findings } = parseFeeds(engine, 'feeds/two.yaml', text, adapters)
    expect(declarations.map(({ name, file, line }) => [name, file, line])).toEqual([
      ['aaa-usd', 'feeds/two.yaml', 5],
      ['bbb-usd', 'feeds/two.yaml', 6],
    ])
    expect(findings).toEqual([
      {
        file: 'feeds/two.yaml',
        line: 7,
        column: 24,
        feed: 'bbb-usd',
        rule: 'bounds-order',
        message: 'max is not above min',
        fix: 'Make bounds.min less than bounds.max.',
        isError: true,
      },
    ])
    const error = refusalOf(() => checkFeeds(findings))
    expect([error?.code, error?.path]).toEqual(['FEED_LINT', 'feeds/two.yaml:7'])
  })

  it('lets warnings pass at the gate', () => {
    const findings = findingsAfter((f) => {
      delete f['combineSources'].outlierPercent
    })
    expect(findings.map(({ rule, isError }) => [rule, isError])).toEqual([['no-outlier-rule', false]])
    expect(() => checkFeeds(findings)).not.toThrow()
  })

  it('is made exact: integers, defaults, classes and field names', () => {
    const [feed] = parse(clean()).declarations
    expect(feed).toMatchObject({
      name: 'btc-usd',
      title: 'BTC in USD',
      unit: 'USD',
      entity: { base: 'BTC', quote: 'USD' },
      combineSources: { minSources: 3, minGroups: 3, outlierPpm: 50_000 },
      bounds: { min: 100_000_000n, max: 1_000_000_000_000_000n, change: { maxPpm: 500_000, windowS: 60 } },
      bidAskPpmMax: null,
      schedule: { kind: 'every', everyMs: 5000 },
      triggers: { streamPpm: 1000, deviationPpm: 5000, heartbeatS: 60 },
      retentionDays: 30,
      singleSource: null,
      leaves: [{ name: 'price', type: 'int64', combine: 'median', decimals: 8 }],
    })
    expect(feed!.sources[0]).toEqual({
      adapter: 'alpha',
      version: 1,
      params: { base: 'BTC', quote: 'USD' },
      group: 'alpha',
      class: 'spot',
    })
    const [quake] = parse(quakes()).declarations
    expect(quake).toMatchObject({ unit: '1', decimals: 2, combineSources: { minSources: 1, minGroups: 1 } })
    expect(quake!.triggers).toEqual({ streamPpm: 0, deviationPpm: 0, heartbeatS: 60 })
    expect(quake!.meaning.fields[0]).toEqual({ name: 'event-id', type: 'string', combine: 'identity', bytesMax: 64 })
  })
})
