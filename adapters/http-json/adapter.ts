// Any JSON over HTTPS: params say what to ask, where the price stands, and what else must stand there.

import type { Adapter } from '../../src/observe/adapter.js'
import { parseJson } from '../../src/observe/parse/json.js'
import { at } from '../../src/observe/parse/read.js'
import { type TimeFormat, time } from '../../src/observe/parse/time.js'
import { checkIdentity, priceReading } from '../../src/observe/parse/venue.js'

/** value/price at the pointer `pick`; the time stands at `timePointer`, or there is none. */
export const httpJson: Adapter = {
  id: 'http-json',
  version: 1,
  title: 'Any JSON over HTTPS',
  docs: 'https://www.rfc-editor.org/rfc/rfc6901',
  class: 'reference',
  schemas: { params: 'http-json', value: 'price' },
  // '*' stands for the one host in params' url: no other is reached, whatever the answer says.
  limits: { hosts: ['*'], timeoutMs: 10_000, bytesMax: 1_048_576, perMinute: 30 },

  request: ({ url }) => ({ url: String(url), headers: { accept: 'application/json' } }),

  normalise: (raw, { pick, timePointer, timeFormat, identityPointer, identity }) => {
    const body = parseJson(raw)
    if (identityPointer !== undefined) checkIdentity(at(body, String(identityPointer)), String(identity))
    const observedAtMs =
      timePointer === undefined ? null : time(at(body, String(timePointer)), String(timeFormat) as TimeFormat)
    return priceReading({ last: at(body, String(pick)) }, observedAtMs)
  },
}
