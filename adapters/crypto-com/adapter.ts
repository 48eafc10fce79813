// Crypto.com Exchange: the ticker of one market.

import type { Adapter } from '../../src/observe/adapter.js'
import { type Place, parseJson } from '../../src/observe/parse/json.js'
import { drift, field, integer, items, optionalField } from '../../src/observe/parse/read.js'
import { time } from '../../src/observe/parse/time.js'
import { checkIdentity, pairOf, priceReading } from '../../src/observe/parse/venue.js'
import { SourceError } from '../../src/observe/source-error.js'

const host = 'api.crypto.com'

/** value/price of the pair and the ticker's time. Fields: i name, a last, b bid, k ask, l low, h high, t time. */
export const cryptoCom: Adapter = {
  id: 'crypto-com',
  version: 1,
  title: 'Crypto.com Exchange, spot ticker',
  docs: 'https://exchange-docs.crypto.com/exchange/v1/rest-ws/index.html#public-get-tickers',
  class: 'spot',
  schemas: { params: 'pair', value: 'price' },
  limits: { hosts: [host], timeoutMs: 5_000, bytesMax: 65_536, perMinute: 300 },

  request: (params) => {
    const { base, quote } = pairOf(params)
    return { url: `https://${host}/exchange/v1/public/get-tickers?instrument_name=${base}_${quote}` }
  },

  normalise: (raw, params) => {
    const { base, quote } = pairOf(params)
    const body = parseJson(raw)
    const code = field(body, 'code')
    if (integer(code) !== 0) throw refusal(code)
    const list = field(field(body, 'result'), 'data')
    const [ticker, second] = items(list)
    if (ticker === undefined)
      throw new SourceError('SOURCE_NO_DATA', 'Crypto.com has no such market', { path: list.path })
    if (second !== undefined) throw drift(list, 'has more than one market')
    checkIdentity(field(ticker, 'i'), `${base}_${quote}`)
    const last = field(ticker, 'a')
    if (last.value === null) throw new SourceError('SOURCE_NO_DATA', 'the market has not traded', { path: last.path })
    return priceReading(
      {
        last,
        bid: nullable(ticker, 'b'),
        ask: nullable(ticker, 'k'),
        low: nullable(ticker, 'l'),
        high: nullable(ticker, 'h'),
      },
      time(field(ticker, 't'), 'ms'),
    )
  },
}

/** A field that is documented to be null where there is nothing: no bids, no trades. */
function nullable(ticker: Place, name: string): Place | null {
  const found = optionalField(ticker, name)
  return found?.value === null ? null : found
}

/** Codes of Crypto.com's error table: 30003 no such instrument, 42901 too many requests. */
function refusal(code: Place): SourceError {
  const number = integer(code)
  const text = `Crypto.com answered with its error ${number}`
  if (number === 30003) return new SourceError('SOURCE_NO_DATA', text, { path: code.path })
  if (number === 42901) return new SourceError('SOURCE_RATE_LIMITED', text, { path: code.path })
  return new SourceError('SOURCE_ERROR_BODY', text, { path: code.path })
}
