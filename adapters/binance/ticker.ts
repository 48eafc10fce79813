// The 24-hour ticker that Binance and Binance.US serve in one shape under two hosts.

import type { Adapter } from '../../src/observe/adapter.js'
import { compareDecimals } from '../../src/observe/parse/decimal.js'
import { type Place, parseJson } from '../../src/observe/parse/json.js'
import { decimal, field, integer, optionalField } from '../../src/observe/parse/read.js'
import { time } from '../../src/observe/parse/time.js'
import { checkIdentity, pairOf, priceReading } from '../../src/observe/parse/venue.js'
import { SourceError } from '../../src/observe/source-error.js'

/** What the two venues' adapters have in common: value/price of the pair; the time is the end of the 24 hours. */
export function binanceTicker(host: string): Pick<Adapter, 'class' | 'schemas' | 'limits' | 'request' | 'normalise'> {
  return {
    class: 'spot',
    schemas: { params: 'pair', value: 'price' },
    limits: { hosts: [host], timeoutMs: 5_000, bytesMax: 65_536, perMinute: 300 },

    request: (params) => {
      const { base, quote } = pairOf(params)
      return { url: `https://${host}/api/v3/ticker/24hr?symbol=${base}${quote}` }
    },

    normalise: (raw, params) => {
      const { base, quote } = pairOf(params)
      const body = parseJson(raw)
      const code = optionalField(body, 'code')
      if (code !== null) throw refusal(code)
      checkIdentity(field(body, 'symbol'), `${base}${quote}`)
      const last = field(body, 'lastPrice')
      if (compareDecimals(decimal(last), '0') === 0)
        throw new SourceError('SOURCE_NO_DATA', 'the market has never traded', { path: last.path })
      return priceReading(
        {
          last,
          bid: optionalField(body, 'bidPrice'),
          ask: optionalField(body, 'askPrice'),
          low: optionalField(body, 'lowPrice'),
          high: optionalField(body, 'highPrice'),
        },
        time(field(body, 'closeTime'), 'ms'),
      )
    },
  }
}

/** Codes of Binance's error table: -1121 invalid symbol, -1003 too many requests. */
function refusal(code: Place): SourceError {
  const number = integer(code)
  const text = `Binance answered with its error ${number}`
  if (number === -1121) return new SourceError('SOURCE_NO_DATA', text, { path: code.path })
  if (number === -1003) return new SourceError('SOURCE_RATE_LIMITED', text, { path: code.path })
  return new SourceError('SOURCE_ERROR_BODY', text, { path: code.path })
}
