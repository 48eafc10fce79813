// Recordings as a show: at each step every venue answers with its last trade, in its own words.

import { OracleError } from '../base/errors.js'
import { applyLie, type Lie, parseLie } from './lie.js'
import { lastTrade, type Recordings, type Series, venues } from './recordings.js'
import type { Show } from './show.js'
import { tickers } from './tickers.js'

/** The clock of a step runs this long after the row's time: a candle's trades come after it begins. */
export const clockLeadMs = 1000

/**
 * Serves `recordings`, with the prices of the venues named in `lies` (venue → "+30%") changed exactly. A venue without a
 * row at a step repeats its last trade with its old time; before its first row it has no market. REPLAY_LIE_INVALID for
 * a venue that is not served, or a percentage that cannot be read.
 */
export function venueShow(recordings: Recordings, lies: Readonly<Record<string, string>> = {}): Show {
  const factors = readLies(recordings, lies)
  const markets = new Map<string, Series>()
  for (const series of recordings.series) {
    const symbol = tickers[series.venue]!.symbol(series.base, series.quote)
    markets.set(`${series.venue} ${symbol}`, series)
  }
  const venueOf = new Map(Object.entries(tickers).map(([id, venue]) => [venue.host, { id, venue }]))
  return {
    stepsMs: recordings.timesMs.map((timeMs) => timeMs + clockLeadMs),
    hosts: [...new Set(recordings.series.map((series) => tickers[series.venue]!.host))],
    answer: (host, target, step) => {
      const known = venueOf.get(host)
      if (known === undefined) return null
      const { id, venue } = known
      const [path, query = ''] = target.split('?', 2) as [string, string?]
      const symbol = venue.asked(path, new URLSearchParams(query))
      if (symbol === null) return null
      const series = markets.get(`${id} ${symbol}`)
      const trade = series === undefined ? null : lastTrade(series, recordings.timesMs[step]!)
      if (series === undefined || trade === null) return venue.unknown(symbol)
      const lie = factors.get(id)
      return venue.ticker(series, lie === undefined ? trade.close : applyLie(trade.close, lie), trade.timeMs)
    },
  }
}

/** Venues may be named as in file names or by their adapter. */
function readLies(recordings: Recordings, lies: Readonly<Record<string, string>>): ReadonlyMap<string, Lie> {
  const served = new Set(recordings.series.map(({ venue }) => venue))
  return new Map(
    Object.entries(lies).map(([name, percent]) => {
      const venue = Object.hasOwn(venues, name) ? venues[name]! : name
      if (!served.has(venue)) {
        const message = `no file of the venue "${name}" is served; there are ${[...served].join(', ')}`
        throw new OracleError('REPLAY_LIE_INVALID', message, { facts: { venue: name } })
      }
      return [venue, parseLie(percent)]
    }),
  )
}
