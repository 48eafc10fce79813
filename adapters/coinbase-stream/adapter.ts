// Coinbase Exchange: the ticker channel of one market, one message a trade.

import type { Adapter } from '../../src/observe/adapter.js'
import { excerpt } from '../../src/observe/parse/excerpt.js'
import { parseJson } from '../../src/observe/parse/json.js'
import { field, integer, optionalField, text } from '../../src/observe/parse/read.js'
import { time } from '../../src/observe/parse/time.js'
import { pairOf, priceReading } from '../../src/observe/parse/venue.js'
import { SourceError } from '../../src/observe/source-error.js'

const host = 'ws-feed.exchange.coinbase.com'
/** Messages of the feed that are no ticker; any other type is a drift. */
const others: readonly string[] = [
  'subscriptions',
  'heartbeat',
  'status',
  'snapshot',
  'l2update',
  'match',
  'last_match',
  'received',
  'open',
  'done',
  'change',
  'activate',
]

/** value/price of the pair; the time is the trade's. */
export const coinbaseStream: Adapter = {
  id: 'coinbase-stream',
  version: 1,
  title: 'Coinbase Exchange, ticker stream',
  docs: 'https://docs.cdp.coinbase.com/exchange/websocket-feed/channels#ticker-channel',
  class: 'spot',
  schemas: { params: 'pair', value: 'price' },
  limits: { hosts: [host], timeoutMs: 10_000, bytesMax: 65_536, perMinute: 30 },

  subscribe: (params) => {
    const { base, quote } = pairOf(params)
    // One heartbeat a second tells a quiet market from a dead socket.
    const channels = ['ticker', 'heartbeat']
    const message = { type: 'subscribe', product_ids: [`${base}-${quote}`], channels }
    return { url: `wss://${host}`, messages: [JSON.stringify(message)], quietMs: 15_000 }
  },

  normalise: (raw, params) => {
    const { base, quote } = pairOf(params)
    const message = parseJson(raw)
    const type = text(field(message, 'type'))
    if (type === 'error') {
      const what = text(field(message, 'message'))
      throw new SourceError('SOURCE_ERROR_BODY', `Coinbase says: ${excerpt(what)}`, { path: '/message' })
    }
    if (others.includes(type)) return null
    if (type !== 'ticker')
      throw new SourceError('SOURCE_DRIFT', `unknown message type "${excerpt(type)}"`, { path: '/type' })
    if (text(field(message, 'product_id')) !== `${base}-${quote}`) return null
    const sequence = field(message, 'sequence')
    if (integer(sequence) <= 0)
      throw new SourceError('SOURCE_VALUE_INVALID', 'a sequence number is above 0', { path: sequence.path })
    return priceReading(
      {
        last: field(message, 'price'),
        bid: optionalField(message, 'best_bid'),
        ask: optionalField(message, 'best_ask'),
        low: optionalField(message, 'low_24h'),
        high: optionalField(message, 'high_24h'),
      },
      time(field(message, 'time'), 'iso'),
    )
  },
}
