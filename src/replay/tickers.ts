// Each venue's own ticker, in the words of its public API, for a trade at a price and a time; what is not known is left out.

import type { Answer } from './show.js'
import { json } from './show.js'

/** One venue as its public API looks from outside. */
export interface Venue {
  readonly host: string
  /** The venue's name of a market. */
  readonly symbol: (base: string, quote: string) => string
  /** The symbol that a request asks about, in the form of `symbol`; null when it asks something else. */
  readonly asked: (path: string, query: URLSearchParams) => string | null
  /** The last trade: price as a decimal text, time in ms since 1970. */
  readonly ticker: (market: Market, price: string, timeMs: number) => Answer
  /** What the venue answers about a market that it does not have. */
  readonly unknown: (symbol: string) => Answer
}

export interface Market {
  readonly base: string
  readonly quote: string
}

/** Kraken's own names, and the letter that its older codes carry in the result's key. */
const krakenNames: Readonly<Record<string, string>> = { BTC: 'XBT', DOGE: 'XDG' }
const krakenOld = ['XBT', 'ETH', 'LTC', 'XRP', 'XLM', 'XMR', 'ZEC', 'ETC', 'REP', 'MLN', 'XDG']
const krakenFiat = ['USD', 'EUR', 'GBP', 'CAD', 'JPY', 'AUD']
const krakenName = (code: string): string => krakenNames[code] ?? code

/** XXBTZUSD where both codes are of the older kind, XBTUSDT otherwise. */
function krakenKey({ base, quote }: Market): string {
  const [left, right] = [krakenName(base), krakenName(quote)]
  if (left === 'USDT' && right === 'USD') return 'USDTZUSD'
  const isOld = krakenOld.includes(left) && (krakenFiat.includes(right) || krakenOld.includes(right))
  return isOld ? `X${left}${krakenFiat.includes(right) ? 'Z' : 'X'}${right}` : left + right
}

/** GET /api/v3/ticker/24hr?symbol=BTCUSDT, of binance.com and binance.us alike. */
function binance(host: string): Venue {
  return {
    host,
    symbol: (base, quote) => base + quote,
    asked: (path, query) => (path === '/api/v3/ticker/24hr' ? query.get('symbol') : null),
    ticker: ({ base, quote }, price, timeMs) =>
      json(200, { symbol: base + quote, lastPrice: price, closeTime: timeMs }),
    unknown: () => json(400, { code: -1121, msg: 'Invalid symbol.' }),
  }
}

/** Venues by the id of their adapter. */
export const tickers: Readonly<Record<string, Venue>> = {
  // docs.cdp.coinbase.com, Exchange: GET /products/{product_id}/ticker
  coinbase: {
    host: 'api.exchange.coinbase.com',
    symbol: (base, quote) => `${base}-${quote}`,
    asked: (path) => /^\/products\/([A-Za-z0-9-]+)\/ticker$/.exec(path)?.[1] ?? null,
    ticker: (_, price, timeMs) => json(200, { price, time: new Date(timeMs).toISOString() }),
    unknown: () => json(404, { message: 'NotFound' }),
  },
  // docs.kraken.com: GET /0/public/Ticker?pair=XBTUSD. It gives no time.
  kraken: {
    host: 'api.kraken.com',
    symbol: (base, quote) => krakenName(base) + krakenName(quote),
    asked: (path, query) => (path === '/0/public/Ticker' ? query.get('pair') : null),
    // The second value of `c` is the lot's volume, which a candle does not tell. A live ticker changes with each trade, be
    // it by its counts alone; here `recorded` does, so that a repeated trade is a repeated answer, and no other one is.
    ticker: (market, price, timeMs) => {
      const recorded = new Date(timeMs).toISOString()
      return json(200, { error: [], result: { [krakenKey(market)]: { c: [price] } }, recorded })
    },
    unknown: () => json(200, { error: ['EQuery:Unknown asset pair'] }),
  },
  // www.bitstamp.net/api: GET /api/v2/ticker/{market_symbol}/
  bitstamp: {
    host: 'www.bitstamp.net',
    symbol: (base, quote) => (base + quote).toLowerCase(),
    asked: (path) => /^\/api\/v2\/ticker\/([a-z0-9]+)\/?$/.exec(path)?.[1] ?? null,
    ticker: (_, price, timeMs) => json(200, { last: price, timestamp: String(Math.floor(timeMs / 1000)) }),
    unknown: () => json(404, { status: 'error', reason: 'Market not found', code: '404.000' }),
  },
  binance: binance('api.binance.com'),
  'binance-us': binance('api.binance.us'),
  // docs.gemini.com: GET /v1/pubticker/:symbol
  gemini: {
    host: 'api.gemini.com',
    symbol: (base, quote) => (base + quote).toLowerCase(),
    asked: (path) => /^\/v1\/pubticker\/([A-Za-z0-9]+)$/.exec(path)?.[1]?.toLowerCase() ?? null,
    // The volumes of the day, keyed by the pair's codes, are not known.
    ticker: ({ base, quote }, price, timeMs) =>
      json(200, { last: price, volume: { [base]: null, [quote]: null, timestamp: timeMs } }),
    unknown: (symbol) =>
      json(400, {
        result: 'error',
        reason: 'InvalidSymbol',
        message: `Supplied value '${symbol}' is not a valid symbol`,
      }),
  },
  // exchange-docs.crypto.com: GET /exchange/v1/public/get-tickers?instrument_name=BTC_USD
  'crypto-com': {
    host: 'api.crypto.com',
    symbol: (base, quote) => `${base}_${quote}`,
    asked: (path, query) => (path === '/exchange/v1/public/get-tickers' ? query.get('instrument_name') : null),
    ticker: ({ base, quote }, price, timeMs) =>
      json(200, {
        id: -1,
        method: 'public/get-tickers',
        code: 0,
        result: { data: [{ i: `${base}_${quote}`, a: price, t: timeMs }] },
      }),
    unknown: () => json(400, { id: -1, method: 'public/get-tickers', code: 30003, message: 'Symbol not found' }),
  },
}
