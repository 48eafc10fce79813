// European Central Bank: the euro foreign exchange reference rates of the last working day.

import type { Adapter } from '../../src/observe/adapter.js'
import { divideDecimals } from '../../src/observe/parse/decimal.js'
import { text } from '../../src/observe/parse/read.js'
import { isoMs } from '../../src/observe/parse/time.js'
import { checkIdentity, pairOf, price } from '../../src/observe/parse/venue.js'
import { attributeOf, childOf, childrenOf, type Element, parseXml } from '../../src/observe/parse/xml.js'
import { SourceError } from '../../src/observe/source-error.js'

const host = 'www.ecb.europa.eu'
const gesmes = 'http://www.gesmes.org/xml/2002-08-01'
const rates = 'http://www.ecb.int/vocabulary/2002-08-01/eurofxref'
/** Places of a rate that is computed of two. */
const crossDecimals = 10

/** value/fx-rate of the pair; the time is 00:00 UTC of the rates' day. */
export const ecb: Adapter = {
  id: 'ecb',
  version: 1,
  title: 'European Central Bank, euro reference rates',
  docs: 'https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/html/index.en.html',
  class: 'reference',
  schemas: { params: 'ecb', value: 'fx-rate' },
  limits: { hosts: [host], timeoutMs: 10_000, bytesMax: 262_144, perMinute: 10 },

  request: () => ({ url: `https://${host}/stats/eurofxref/eurofxref-daily.xml` }),

  normalise: (raw, params) => {
    const { base, quote } = pairOf(params)
    if (base === quote) throw new SourceError('SOURCE_NO_DATA', 'a currency has no rate against itself')
    const root = parseXml(raw)
    if (root.name !== 'Envelope' || root.namespace !== gesmes)
      throw new SourceError('SOURCE_DRIFT', 'the body is no gesmes:Envelope', { path: '/Envelope' })
    const sender = childOf(childOf(root, 'Sender', gesmes), 'name', gesmes)
    checkIdentity({ value: sender.text.trim(), path: sender.path }, 'European Central Bank')
    const day = childOf(childOf(root, 'Cube', rates), 'Cube', rates)
    const date = attributeOf(day, 'time')
    const observedAtMs = isoMs(`${text(date)}T00:00Z`, date.path)
    const [perBase, perQuote] = [rateOf(day, base), rateOf(day, quote)]
    // Quote per base = (quote per EUR) / (base per EUR), rounded to 10 places, halves to even; exact when base is EUR.
    const rate = base === 'EUR' ? perQuote : divideDecimals(perQuote, perBase, crossDecimals)
    if (rate === '0') throw new SourceError('SOURCE_VALUE_INVALID', 'the rate is too small for 10 places')
    return { value: { rate, date: text(date) }, observedAtMs }
  },
}

/** Units of `currency` for one euro. */
function rateOf(day: Element, currency: string): string {
  const cubes = childrenOf(day, 'Cube', rates)
  const found = cubes.filter((cube) => text(attributeOf(cube, 'currency')) === currency)
  if (currency === 'EUR' && found.length === 0) return '1'
  const [cube, second] = found
  if (cube === undefined)
    throw new SourceError('SOURCE_NO_DATA', `the ECB has no rate of ${currency}`, { path: day.path })
  if (second !== undefined || currency === 'EUR')
    throw new SourceError('SOURCE_VALUE_INVALID', `the rate of ${currency} comes twice`, {
      path: (second ?? cube).path,
    })
  return price(attributeOf(cube, 'rate'))
}
