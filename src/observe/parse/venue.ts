// What all price adapters share: the asked pair, the checks that a ticker can fail by itself, and the price reading.

import type { Params, SourceReading } from '../adapter.js'
import { SourceError } from '../source-error.js'
import { alignDecimals, compareDecimals } from './decimal.js'
import { excerpt } from './excerpt.js'
import type { Place } from './json.js'
import { decimal, optionalField, text } from './read.js'

/** A market as a feed asks for it: upper-case codes, price in `quote` for one `base`. */
export interface Pair {
  readonly base: string
  readonly quote: string
}

/** Places of a ticker's numbers; all but the last price may be absent. */
export interface Ticker {
  readonly last: Place
  readonly bid?: Place | null
  readonly ask?: Place | null
  /** Lowest and highest price of the venue's window, for the check of scale. */
  readonly low?: Place | null
  readonly high?: Place | null
}

const priceMax = '1000000000000'
// A last trade may be old on a thin market; a slip of scale (cents, a lost point) is ten-fold or more.
const apartMax = 3n

/** The pair of params that schemas/params/pair.json describes. */
export function pairOf(params: Params): Pair {
  return { base: String(params['base']), quote: String(params['quote']) }
}

/** The value/price reading of a ticker; SOURCE_VALUE_INVALID where its numbers are no prices or contradict each other. */
export function priceReading(ticker: Ticker, observedAtMs: number | null): SourceReading {
  const last = price(ticker.last)
  const bid = ticker.bid ? price(ticker.bid) : null
  const ask = ticker.ask ? price(ticker.ask) : null
  if (bid !== null && ask !== null && compareDecimals(bid, ask) > 0)
    throw invalid(ticker.bid!, 'the bid is above the ask')
  for (const side of [ticker.bid, ticker.ask])
    if (side && (isAbove(last, price(side)) || isAbove(price(side), last)))
      throw invalid(side, 'it is more than three times off the last price')
  // The window's extremes bound the last price from one side each.
  if (ticker.low && isAbove(price(ticker.low), last))
    throw invalid(ticker.low, 'the last price is far below the lowest')
  if (ticker.high && isAbove(last, price(ticker.high)))
    throw invalid(ticker.high, 'the last price is far above the highest')
  return { value: { price: last, ...(bid !== null && { bid }), ...(ask !== null && { ask }) }, observedAtMs }
}

/** A price: above 0 and below 10^12; errors as of `decimal`, and SOURCE_VALUE_INVALID. */
export function price(place: Place): string {
  const plain = decimal(place)
  if (plain.startsWith('-') || plain === '0') throw invalid(place, 'a price is above 0')
  if (compareDecimals(plain, priceMax) >= 0) throw invalid(place, 'a price is below 10^12')
  return plain
}

/** SOURCE_IDENTITY unless the text at `place` is one of `expected`. */
export function checkIdentity(place: Place, ...expected: readonly string[]): void {
  const found = text(place)
  if (expected.includes(found)) return
  const message = `the answer is about "${excerpt(found)}", asked was "${expected[0]}"`
  throw new SourceError('SOURCE_IDENTITY', message, { path: place.path })
}

/** As checkIdentity for a field that a source may leave out. */
export function checkOptionalIdentity(place: Place, name: string, ...expected: readonly string[]): void {
  const found = optionalField(place, name)
  if (found !== null) checkIdentity(found, ...expected)
}

/** Whether a is more than three times b. */
function isAbove(a: string, b: string): boolean {
  const [left = 0n, right = 0n] = alignDecimals([a, b])
  return left > apartMax * right
}

function invalid(place: Place, why: string): SourceError {
  return new SourceError('SOURCE_VALUE_INVALID', `${place.path}: ${why}`, { path: place.path })
}
