// Coinbase Exchange: the ticker of one market.

import type { Adapter } from '../../src/observe/adapter.js'
import { excerpt } from '../../src/observe/parse/excerpt.js'
import { parseJson } from '../../src/observe/parse/json.js'
import { field, optionalField, text } from '../../src/observe/parse/read.js'
import { time } from '../../src/observe/parse/time.js'
import { checkOptionalIdentity, pairOf, priceReading } from '../../src/observe/parse/venue.js'
import { SourceError } from '../../src/observe/source-error.js'

const host = 'api.exchange.coinbase.com'

/** value/price of the pair; the time is the last trade's. */
export const coinbase: Adapter = {
  id: 'coinbase',
  version: 1,
  title: 'Coinbase Exchange, spot ticker',
  docs: 'https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-ticker',
  class: 'spot',
  schemas: { params: 'pair', value: 'price' },
  limits: { hosts: [host], timeoutMs: 5_000, bytesMax: 65_536, perMinute: 300 },

  request: (params) => {
    const { base, quote } = pairOf(params)
    return { url: `https://${host}/products/${base}-${quote}/ticker` }
  },

  normalise: (raw, params) => {
    const { base, quote } = pairOf(params)
    const body = parseJson(raw)
    const message = optionalField(body, 'message')
    if (message !== null) throw refusal(text(message))
    // The answer names no market today; should it come to name one, it must be ours.
    checkOptionalIdentity(body, 'product_id', `${base}-${quote}`)
    return priceReading(
      { last: field(body, 'price'), bid: optionalField(body, 'bid'), ask: optionalField(body, 'ask') },
      time(field(body, 'time'), 'iso'),
    )
  },
}

function refusal(message: string): SourceError {
  const code = /^not ?found$/i.test(message) ? 'SOURCE_NO_DATA' : 'SOURCE_ERROR_BODY'
  return new SourceError(code, `Coinbase says: ${excerpt(message)}`, { path: '/message' })
}
