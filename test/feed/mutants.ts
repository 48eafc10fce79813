// Declarations that break exactly one lint rule each.

import { quakes, type Written } from './declare.js'

/** How a clean declaration is made to break one rule. */
export interface Mutant {
  readonly rule: string
  readonly why: string
  readonly spoil: (written: Written) => void
  readonly from?: () => Written
  /** Where the finding points. */
  readonly pointer: string
}

const six = (id: string, group: string = id): Written => ({
  adapter: id,
  version: 1,
  params: { base: '{base}', quote: '{quote}' },
  group,
})
const http = (url: string, group: string): Written => ({
  adapter: 'http',
  version: 1,
  params: { url, pick: '/price' },
  group,
})

/** A declaration that breaks exactly one rule each. */
export const mutants: readonly Mutant[] = [
  {
    rule: 'spare-sources',
    why: 'four groups, three needed',
    spoil: (f) => f['sources'].pop(),
    pointer: '/combineSources/minSources',
  },
  {
    rule: 'spare-sources',
    why: 'a stream of a venue that is asked already is no spare',
    spoil: (f) => {
      f['sources'][4] = six('alpha-stream', 'alpha')
      f['schedule'] = { stream: true, every: '5s' }
    },
    pointer: '/combineSources/minSources',
  },
  {
    rule: 'min-groups',
    why: 'one group is enough',
    spoil: (f) => {
      f['combineSources'].minGroups = 1
    },
    pointer: '/combineSources/minGroups',
  },
  {
    rule: 'min-groups',
    why: 'more groups than there are',
    spoil: (f) => {
      f['combineSources'].minGroups = 6
    },
    pointer: '/combineSources/minGroups',
  },
  {
    rule: 'single-source',
    why: 'one origin, two groups',
    from: quakes,
    spoil: (f) => {
      f['sources'].push({ ...f['sources'][0], adapter: 'quakes-two', group: 'other' })
    },
    pointer: '/singleSource',
  },
  {
    rule: 'single-source',
    why: 'one origin, two sources needed',
    from: quakes,
    spoil: (f) => {
      f['combineSources'] = { minSources: 2, minGroups: 1 }
    },
    pointer: '/singleSource',
  },
  {
    rule: 'single-collateral',
    why: 'one origin and collateral',
    spoil: (f) => {
      f['sources'] = [six('alpha')]
      delete f['combineSources']
      f['singleSource'] = 'a trade press of one house'
    },
    pointer: '/risk',
  },
  {
    rule: 'constant-source',
    why: 'an adapter of a constant (I26)',
    spoil: (f) => f['sources'].push({ ...six('fixed'), class: 'spot' }),
    pointer: '/sources/5',
  },
  {
    rule: 'constant-source',
    why: 'a source that says it is a constant (I26)',
    spoil: (f) => {
      f['sources'][2].class = 'constant'
    },
    pointer: '/sources/2',
  },
  {
    rule: 'amm-spot',
    why: 'a pool for collateral (I05, I53, I74, I80)',
    spoil: (f) => f['sources'].push({ ...six('pool'), class: 'reference' }),
    pointer: '/sources/5',
  },
  {
    rule: 'amm-spot',
    why: 'a source that says it is a pool (I05)',
    spoil: (f) => {
      f['sources'][1].class = 'amm-spot'
    },
    pointer: '/sources/1',
  },
  {
    rule: 'unit-quote',
    why: 'a unit that is not the quote',
    // A source without pair parameters, so that only the unit contradicts.
    spoil: (f) => {
      f['unit'] = 'EUR'
      f['sources'] = ['a', 'b', 'c', 'd', 'e'].map((g) => http(`https://${g}.test/x`, g))
    },
    pointer: '/unit',
  },
  {
    rule: 'identity',
    why: 'silver asks for gold (I04)',
    spoil: (f) => {
      f['entities'][0].base = 'XAG'
      f['sources'][0].params.base = 'XAU'
    },
    pointer: '/sources/0/params',
  },
  {
    rule: 'identity',
    why: 'a name about silver, sources of gold (I04)',
    spoil: (f) => {
      delete f['entities']
      f['name'] = 'xag-usd'
      f['title'] = 'silver'
      f['unit'] = 'USD'
      f['sources'].forEach((s: Written) => {
        s['params'] = { base: 'XAU', quote: 'USD' }
      })
    },
    pointer: '/sources/0/params',
  },
  {
    rule: 'same-source',
    why: 'one question asked twice',
    spoil: (f) => f['sources'].push({ ...six('alpha'), params: { quote: '{quote}', base: '{base}' } }),
    pointer: '/sources/5',
  },
  {
    rule: 'group-split',
    why: 'two adapters of one host in two groups',
    spoil: (f) => f['sources'].push(six('alpha-two')),
    pointer: '/sources/5/group',
  },
  {
    rule: 'group-split',
    why: 'two addresses of one host in two groups',
    spoil: (f) => f['sources'].push(http('https://q.test/1', 'one'), http('https://q.test/2', 'two')),
    pointer: '/sources/6/group',
  },
  {
    rule: 'no-room',
    why: 'a largest price beyond int64',
    spoil: (f) => {
      f['bounds'].max = '92233720368.54775808'
    },
    pointer: '/bounds/max',
  },
  {
    rule: 'no-room',
    why: 'wei in int64',
    spoil: (f) => {
      f['decimals'] = 18
      f['risk'] = 'standard'
      delete f['bounds'].max
    },
    pointer: '/decimals',
  },
  {
    rule: 'collateral-bounds',
    why: 'collateral without a lower bound',
    spoil: (f) => {
      delete f['bounds'].min
    },
    pointer: '/bounds',
  },
  {
    rule: 'positive-price',
    why: 'a price of nothing',
    spoil: (f) => {
      f['bounds'].min = '0'
    },
    pointer: '/bounds/min',
  },
  {
    rule: 'precision',
    why: 'a smallest price of fewer than 10,000 units',
    spoil: (f) => {
      f['decimals'] = 4
      f['bounds'].min = '0.9999'
    },
    pointer: '/bounds/min',
  },
  {
    rule: 'precision',
    why: 'a standard price of which nobody knows how small it gets',
    spoil: (f) => {
      f['risk'] = 'standard'
      delete f['bounds'].min
    },
    pointer: '/bounds',
  },
  {
    rule: 'bounds-order',
    why: 'bounds that exclude everything',
    spoil: (f) => {
      f['bounds'].min = '10000000'
    },
    pointer: '/bounds/max',
  },
  {
    rule: 'zero-percent',
    why: 'everything is an outlier',
    spoil: (f) => {
      f['combineSources'].outlierPercent = '0.0'
    },
    pointer: '/combineSources/outlierPercent',
  },
  {
    rule: 'zero-percent',
    why: 'every change halts',
    spoil: (f) => {
      f['bounds'].change.maxPercent = '0'
    },
    pointer: '/bounds/change',
  },
  {
    rule: 'zero-percent',
    why: 'every market is thin',
    spoil: (f) => {
      f['liquidity'] = { bidAskPercentMax: '0' }
    },
    pointer: '/liquidity/bidAskPercentMax',
  },
  {
    rule: 'max-age',
    why: 'five seconds and a timeout of four need nine',
    spoil: (f) => {
      f['freshness'].maxAgeS = 8
    },
    pointer: '/freshness/maxAgeS',
  },
  {
    rule: 'max-age',
    why: 'a cron that stays silent over night',
    spoil: (f) => {
      f['schedule'] = { cron: '*/5 8-20 * * *' }
      f['freshness'] = { maxAgeS: 600, validForS: 600 }
    },
    pointer: '/freshness/maxAgeS',
  },
  {
    rule: 'valid-for',
    why: 'over before it is signed',
    spoil: (f) => {
      f['freshness'].validForS = 29
      f['triggers'].heartbeatS = 29
    },
    pointer: '/freshness/validForS',
  },
  {
    rule: 'heartbeat',
    why: 'stale on chain before it is renewed',
    spoil: (f) => {
      f['triggers'].heartbeatS = 61
    },
    pointer: '/triggers/heartbeatS',
  },
  {
    rule: 'stream-trigger',
    why: 'a text does not move by percent',
    from: quakes,
    spoil: (f) => {
      f['triggers'] = { streamPercent: '1' }
    },
    pointer: '/triggers/streamPercent',
  },
  {
    rule: 'schedule-fit',
    why: 'a stream of sources that have none',
    spoil: (f) => {
      f['schedule'].stream = true
    },
    pointer: '/schedule',
  },
  {
    rule: 'schedule-fit',
    why: 'asking what can only be listened to',
    spoil: (f) => f['sources'].push(six('alpha-stream', 'alpha')),
    pointer: '/sources/5',
  },
  {
    rule: 'no-outlier-rule',
    why: 'no outlier rule',
    spoil: (f) => {
      delete f['combineSources'].outlierPercent
    },
    pointer: '/combineSources',
  },
  {
    rule: 'outlier-scale',
    why: 'a percentage of a magnitude, which may be 0',
    from: quakes,
    spoil: (f) => {
      f['combineSources'] = { minSources: 1, minGroups: 1, outlierPercent: '5' }
    },
    pointer: '/combineSources/outlierPercent',
  },
  {
    rule: 'other-fields',
    why: 'latitude, longitude and depth of several networks',
    from: quakes,
    spoil: (f) => {
      delete f['singleSource']
      f['sources'] = ['quakes', 'quakes-two', 'quakes-three', 'quakes-four'].map((id) => ({
        ...f['sources'][0],
        ...{ adapter: id, group: id },
      }))
      f['combineSources'] = { minSources: 2, minGroups: 2 }
    },
    pointer: '/value',
  },
]
