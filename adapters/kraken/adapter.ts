// Kraken: the ticker of one market, under whichever of its names for that market Kraken answers.

import type { Adapter } from '../../src/observe/adapter.js'
import { excerpt } from '../../src/observe/parse/excerpt.js'
import { parseJson } from '../../src/observe/parse/json.js'
import { drift, field, fieldNames, item, items, optionalField, text } from '../../src/observe/parse/read.js'
import { type Pair, pairOf, priceReading } from '../../src/observe/parse/venue.js'
import { SourceError } from '../../src/observe/source-error.js'

const host = 'api.kraken.com'
const ownCodes: Readonly<Record<string, string>> = { BTC: 'XBT', DOGE: 'XDG' }
// Kraken's oldest assets have a second code with a letter before it; newer ones never do (XRP is no prefixed "RP").
const prefixed: Readonly<Record<string, readonly string[]>> = {
  X: ['XBT', 'XDG', 'ETH', 'ETC', 'LTC', 'MLN', 'REP', 'XLM', 'XMR', 'XRP', 'ZEC'],
  Z: ['AUD', 'CAD', 'EUR', 'GBP', 'JPY', 'USD'],
}

/** value/price of the pair; Kraken's ticker has no time: an unchanged answer keeps that of its first receipt. */
export const kraken: Adapter = {
  id: 'kraken',
  version: 1,
  title: 'Kraken, spot ticker (without a time of its own)',
  docs: 'https://docs.kraken.com/api/docs/rest-api/get-ticker-information',
  class: 'spot',
  schemas: { params: 'pair', value: 'price' },
  limits: { hosts: [host], timeoutMs: 5_000, bytesMax: 65_536, perMinute: 60 },

  request: (params) => {
    const { base, quote } = pairOf(params)
    return { url: `https://${host}/0/public/Ticker?pair=${ownCode(base)}${ownCode(quote)}` }
  },

  normalise: (raw, params) => {
    const body = parseJson(raw)
    const [error] = items(field(body, 'error'))
    if (error !== undefined) throw refusal(text(error))
    const result = field(body, 'result')
    const names = fieldNames(result)
    const [name] = names
    if (name === undefined) throw new SourceError('SOURCE_NO_DATA', 'Kraken has no such market', { path: '/result' })
    if (names.length > 1) throw drift(result, 'has more than one market')
    if (!namesOf(pairOf(params)).has(name))
      throw new SourceError('SOURCE_IDENTITY', `the answer is about "${excerpt(name)}"`, { path: result.path })
    const ticker = field(result, name)
    const [bid, ask] = [optionalField(ticker, 'b'), optionalField(ticker, 'a')]
    return priceReading({ last: item(field(ticker, 'c'), 0), bid: bid && item(bid, 0), ask: ask && item(ask, 0) }, null)
  },
}

function ownCode(code: string): string {
  return ownCodes[code] ?? code
}

/** Every name of the pair's market: BTC/USD is XXBTZUSD, XBTUSD, XBT/USD, BTCUSD … */
function namesOf(pair: Pair): ReadonlySet<string> {
  const names = codesOf(pair.base).flatMap((base) =>
    codesOf(pair.quote).flatMap((quote) => [`${base}${quote}`, `${base}/${quote}`]),
  )
  return new Set(names)
}

function codesOf(code: string): readonly string[] {
  const own = ownCode(code)
  const long = Object.entries(prefixed).flatMap(([letter, codes]) => (codes.includes(own) ? [letter + own] : []))
  return [...new Set([own, code, ...long])]
}

function refusal(message: string): SourceError {
  const text = `Kraken says: ${excerpt(message)}`
  const path = '/error/0'
  if (/unknown asset pair|invalid.*pair/i.test(message)) return new SourceError('SOURCE_NO_DATA', text, { path })
  if (/rate limit|too many/i.test(message)) return new SourceError('SOURCE_RATE_LIMITED', text, { path })
  return new SourceError('SOURCE_ERROR_BODY', text, { path })
}
