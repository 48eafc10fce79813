// Bitstamp: the ticker of one market.

import type { Adapter } from '../../src/observe/adapter.js'
import { excerpt } from '../../src/observe/parse/excerpt.js'
import { parseJson } from '../../src/observe/parse/json.js'
import { field, optionalField, text } from '../../src/observe/parse/read.js'
import { time } from '../../src/observe/parse/time.js'
import { checkOptionalIdentity, pairOf, priceReading } from '../../src/observe/parse/venue.js'
import { SourceError } from '../../src/observe/source-error.js'

const host = 'www.bitstamp.net'

/** value/price of the pair; the time is that of the ticker, in seconds. */
export const bitstamp: Adapter = {
  id: 'bitstamp',
  version: 1,
  title: 'Bitstamp, spot ticker',
  docs: 'https://www.bitstamp.net/api/#tag/Tickers/operation/GetMarketTicker',
  class: 'spot',
  schemas: { params: 'pair', value: 'price' },
  limits: { hosts: [host], timeoutMs: 5_000, bytesMax: 65_536, perMinute: 300 },

  request: (params) => {
    const { base, quote } = pairOf(params)
    return { url: `https://${host}/api/v2/ticker/${(base + quote).toLowerCase()}/` }
  },

  normalise: (raw, params) => {
    const { base, quote } = pairOf(params)
    const body = parseJson(raw)
    if (optionalField(body, 'status')?.value === 'error') throw refusal(text(field(body, 'reason')))
    // Where the answer names its market, in either of Bitstamp's ways, it must be ours.
    for (const name of ['pair', 'market'])
      checkOptionalIdentity(body, name, `${base}/${quote}`, (base + quote).toLowerCase())
    return priceReading(
      {
        last: field(body, 'last'),
        bid: optionalField(body, 'bid'),
        ask: optionalField(body, 'ask'),
        low: optionalField(body, 'low'),
        high: optionalField(body, 'high'),
      },
      time(field(body, 'timestamp'), 's'),
    )
  },
}

function refusal(reason: string): SourceError {
  const code = /not found/i.test(reason) ? 'SOURCE_NO_DATA' : 'SOURCE_ERROR_BODY'
  return new SourceError(code, `Bitstamp says: ${excerpt(reason)}`, { path: '/reason' })
}
