// Gemini: the ticker of one market, version 1, which has a time.

import type { Adapter } from '../../src/observe/adapter.js'
import { excerpt } from '../../src/observe/parse/excerpt.js'
import { parseJson } from '../../src/observe/parse/json.js'
import { field, fieldNames, optionalField, text } from '../../src/observe/parse/read.js'
import { time } from '../../src/observe/parse/time.js'
import { pairOf, priceReading } from '../../src/observe/parse/venue.js'
import { SourceError } from '../../src/observe/source-error.js'

const host = 'api.gemini.com'

/** value/price of the pair; the time is that of the volumes, which Gemini keys by the pair's two codes. */
export const gemini: Adapter = {
  id: 'gemini',
  version: 1,
  title: 'Gemini, spot ticker',
  docs: 'https://docs.gemini.com/rest/market-data#get-ticker',
  class: 'spot',
  schemas: { params: 'pair', value: 'price' },
  limits: { hosts: [host], timeoutMs: 5_000, bytesMax: 65_536, perMinute: 60 },

  request: (params) => {
    const { base, quote } = pairOf(params)
    return { url: `https://${host}/v1/pubticker/${(base + quote).toLowerCase()}` }
  },

  normalise: (raw, params) => {
    const { base, quote } = pairOf(params)
    const body = parseJson(raw)
    if (optionalField(body, 'result') !== null) throw refusal(text(field(body, 'reason')))
    const volume = field(body, 'volume')
    const codes = fieldNames(volume).filter((name) => name !== 'timestamp')
    if (codes.length !== 2 || !codes.includes(base) || !codes.includes(quote)) {
      const message = `the volumes are of ${excerpt(codes.join(' and '))}, asked was ${base} and ${quote}`
      throw new SourceError('SOURCE_IDENTITY', message, { path: volume.path })
    }
    return priceReading(
      { last: field(body, 'last'), bid: optionalField(body, 'bid'), ask: optionalField(body, 'ask') },
      time(field(volume, 'timestamp'), 'ms'),
    )
  },
}

function refusal(reason: string): SourceError {
  const message = `Gemini says: ${excerpt(reason)}`
  const code = /symbol/i.test(reason)
    ? 'SOURCE_NO_DATA'
    : /rate/i.test(reason)
      ? 'SOURCE_RATE_LIMITED'
      : 'SOURCE_ERROR_BODY'
  return new SourceError(code, message, { path: '/reason' })
}
