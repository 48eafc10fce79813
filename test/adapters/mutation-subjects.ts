// Where the number, time, name, bid and ask stand in each adapter's good fixture, and what only the observer can stop.

import type { Params } from '../../src/observe/adapter.js'

export interface Subject {
  readonly adapter: string
  readonly file: string
  readonly params: Params
  /** JSON Pointer to a signed number; for XML the attribute's name. */
  readonly number: string
  /** JSON Pointer to the time, or the attribute's name; none where the source gives no time. */
  readonly time?: string
  readonly timeFormat?: 'iso' | 'day' | 'local' | 's' | 'ms'
  /** A text of the body that says what it is about, and other such texts; none where the source does not say. */
  readonly names?: { readonly from: string; readonly to: readonly string[] }
  readonly bid?: string
  readonly ask?: string
  /** Mutants whose other value or time neither schema nor checks can know to be wrong: name → who stops them. */
  readonly observer: Readonly<Record<string, string>>
}

const age = { 'time a day older': 'age: SOURCE_STALE', 'time a day newer': 'SOURCE_FUTURE' }
const outlier = 'outlier rule, bounds'
const scale = { 'number times 100': outlier, 'number over 100': outlier, 'number without its point': outlier }
const btcUsd = { base: 'BTC', quote: 'USD' }
const dash = { from: '"BTC-USD"', to: ['"USD-BTC"', '"ETH-USD"', '"BTC-USDT"', '"BTC-USDC"'] }
const binance = (quote: string): Omit<Subject, 'adapter'> => ({
  file: 'ticker.json',
  params: { base: 'BTC', quote },
  number: '/lastPrice',
  time: '/closeTime',
  timeFormat: 'ms',
  names: { from: `"BTC${quote}"`, to: [`"${quote}BTC"`, `"ETH${quote}"`, '"BTCUSDC"', `"btc${quote}"`] },
  bid: '/bidPrice',
  ask: '/askPrice',
  observer: age,
})

/** One good answer of each adapter. */
export const subjects: readonly Subject[] = [
  {
    adapter: 'coinbase',
    file: 'ticker.json',
    params: btcUsd,
    number: '/price',
    time: '/time',
    timeFormat: 'iso',
    bid: '/bid',
    ask: '/ask',
    observer: age,
  },
  {
    adapter: 'coinbase-stream',
    file: 'ticker.json',
    params: btcUsd,
    number: '/price',
    time: '/time',
    timeFormat: 'iso',
    names: dash,
    bid: '/best_bid',
    ask: '/best_ask',
    observer: age,
  },
  {
    adapter: 'kraken',
    file: 'ticker.json',
    params: btcUsd,
    number: '/result/XXBTZUSD/c/0',
    names: { from: '"XXBTZUSD"', to: ['"ZUSDXXBT"', '"XETHZUSD"', '"XBTUSDT"', '"XBTUSDC"'] },
    bid: '/result/XXBTZUSD/b/0',
    ask: '/result/XXBTZUSD/a/0',
    observer: {},
  },
  {
    adapter: 'bitstamp',
    file: 'ticker.json',
    params: btcUsd,
    number: '/last',
    time: '/timestamp',
    timeFormat: 's',
    names: { from: '"BTC/USD"', to: ['"USD/BTC"', '"ETH/USD"', '"BTC/USDT"', '"BTC/USDC"'] },
    bid: '/bid',
    ask: '/ask',
    observer: age,
  },
  { adapter: 'binance', ...binance('USDT') },
  { adapter: 'binance-us', ...binance('USD') },
  {
    adapter: 'gemini',
    file: 'ticker.json',
    params: btcUsd,
    number: '/last',
    time: '/volume/timestamp',
    timeFormat: 'ms',
    names: { from: '"BTC"', to: ['"USDT"', '"ETH"', '"btc"', '"USDC"'] },
    bid: '/bid',
    ask: '/ask',
    observer: age,
  },
  {
    adapter: 'crypto-com',
    file: 'ticker.json',
    params: btcUsd,
    number: '/result/data/0/a',
    time: '/result/data/0/t',
    timeFormat: 'ms',
    names: { from: '"BTC_USD"', to: ['"USD_BTC"', '"ETH_USD"', '"BTC_USDT"', '"BTCUSD-PERP"'] },
    bid: '/result/data/0/b',
    ask: '/result/data/0/k',
    observer: age,
  },
  {
    adapter: 'ecb',
    file: 'daily.xml',
    params: { base: 'EUR', quote: 'USD' },
    number: 'rate',
    time: 'time',
    timeFormat: 'day',
    names: { from: 'European Central Bank', to: ['Bank of England', ''] },
    observer: { ...age, ...scale },
  },
  {
    adapter: 'usgs',
    file: 'detail.json',
    params: { eventId: 'us7000aaa1' },
    number: '/properties/mag',
    time: '/properties/updated',
    timeFormat: 'ms',
    names: { from: 'us7000aaa1', to: ['us7000aaa2'] },
    observer: {
      'time a day newer': 'SOURCE_FUTURE',
      'number is zero': outlier,
      'number is minus zero': outlier,
      'number over 100': outlier,
    },
  },
  {
    adapter: 'open-meteo',
    file: 'current.json',
    params: { latitude: 52.5, longitude: 13.4 },
    number: '/current/wind_speed_10m',
    time: '/current/time',
    timeFormat: 'local',
    names: { from: '"m/s"', to: ['"km/h"', '"mph"', '"kn"', '"wmoUnit:m_s-1"', '"M/S"'] },
    observer: {
      ...age,
      'number is zero': outlier,
      'number is minus zero': outlier,
      'number over 100': outlier,
    },
  },
  {
    adapter: 'http-json',
    file: 'quote.json',
    params: {
      url: 'https://prices.example.org/v1/silver?currency=usd',
      pick: '/quote/price',
      timePointer: '/quote/at',
      timeFormat: 'iso',
      identityPointer: '/meta/symbol',
      identity: 'XAG/USD',
    },
    number: '/quote/price',
    time: '/quote/at',
    timeFormat: 'iso',
    names: { from: '"XAG/USD"', to: ['"XAU/USD"', '"USD/XAG"', '"XAG/EUR"', '"xag/usd"'] },
    observer: { ...age, ...scale },
  },
]
