// The feed declarations of the demo: written for recordings, fixed for bundled data, and those that ship for live sources.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readBounded } from '../base/read-file.js'
import { closesHost, seattle } from '../replay/bundled.js'
import type { Recordings, Series } from '../replay/recordings.js'
import { shippedFeeds } from './shipped.js'

/** A file of declarations, as it will stand in the demo's feeds folder. */
export interface FeedFile {
  readonly name: string
  readonly text: string
}

/** What schemas/feed.json allows. */
const ageSMax = 31_622_400
/** How far a venue may be from the median of all before it is left out. */
const outlierPercent = '5'
/** Digits after the point: enough for every close, as far as an int64 has room for prices of a million. */
const [decimalsMin, decimalsMax] = [8, 12]

/** As often as every venue of recordings lets itself be asked in a minute. */
const asksMax = 60

/** One feed for each pair of `recordings`: quotes are never mixed, and each venue is a group of its own. */
export function recordingFeeds(recordings: Recordings): readonly FeedFile[] {
  const pairs = new Map<string, Series[]>()
  for (const series of recordings.series) {
    const pair = `${series.base}-${series.quote}`
    pairs.set(pair, [...(pairs.get(pair) ?? []), series])
  }
  const ofVenue = (venue: string): number => recordings.series.filter((series) => series.venue === venue).length
  const most = Math.max(...recordings.series.map(({ venue }) => ofVenue(venue)))
  // A replay reads its sources at each step; lint reckons with the schedule.
  const everyM = Math.max(1, Math.ceil(most / asksMax))
  const documents = [...pairs.values()].map((series) => `${JSON.stringify(pairFeed(series, everyM), null, 2)}\n`)
  // JSON is YAML, and a file of its documents is one bundle.
  return [{ name: 'recordings.yaml', text: documents.join('---\n') }]
}

/** Seconds between two rows of a series, as most rows have it; 60 for a single row. */
export function stepSeconds({ rows }: Pick<Series, 'rows'>): number {
  const gaps = new Map<number, number>()
  for (let i = 1; i < rows.length; i++) {
    const gapS = (rows[i]!.timeMs - rows[i - 1]!.timeMs) / 1000
    gaps.set(gapS, (gaps.get(gapS) ?? 0) + 1)
  }
  return [...gaps].reduce((most, gap) => (gap[1] > most[1] ? gap : most), [60, 0] as const)[0]
}

function pairFeed(series: readonly Series[], everyM: number): Record<string, unknown> {
  const { base, quote } = series[0]!
  const venues = series.map(({ venue }) => venue)
  // Two groups leave no spare, which lint refuses: two venues count as one origin, of which the newest trade is taken.
  const isOne = venues.length < 3
  const maxAgeS = Math.min(ageSMax, Math.max(180 * everyM, 3 * Math.max(...series.map(stepSeconds))))
  const places = Math.max(...series.map(({ rows }) => Math.max(...sample(rows).map(decimalsOf))))
  return {
    version: 1,
    name: `${base}-${quote}`.toLowerCase(),
    title: `${base} in ${quote}, recorded at ${venues.join(', ')}`,
    value: 'price',
    unit: quote,
    decimals: Math.min(decimalsMax, Math.max(decimalsMin, places)),
    sources: venues.map((venue) => ({
      adapter: venue,
      version: 1,
      params: { base, quote },
      group: isOne ? 'recorded' : venue,
    })),
    ...(isOne
      ? { singleSource: `The recordings hold ${venues.length === 1 ? 'one venue' : 'two venues'} of this pair only.` }
      : { combineSources: { minSources: venues.length - 2, minGroups: 2, outlierPercent } }),
    freshness: { maxAgeS, validForS: Math.min(ageSMax, 2 * maxAgeS) },
    schedule: { every: `${everyM}m` },
    risk: 'informational',
    licence: 'Recorded market data; the terms of the recordings hold.',
  }
}

const sample = (rows: Series['rows']): Series['rows'] => rows.slice(0, 1000)
const decimalsOf = ({ close }: Series['rows'][number]): number => close.split('.')[1]?.length ?? 0

/** Declarations for the bundled data of vega-datasets. */
export const bundledFeeds: readonly FeedFile[] = [
  {
    name: 'bundled.yaml',
    text: `# Real data of the package vega-datasets, served on this machine and replayed. See docs/demo.md.
version: 1
name: earthquake
title: "Newest earthquake of magnitude 1 and more, worldwide (USGS, 31 January to 7 February 2018, at its own times)"
value: earthquake
sources:
  - { adapter: usgs, version: 1, params: { feed: all_day, minMagnitude: 1 }, group: usgs }
singleSource: The USGS summary feed is the one recorded catalogue.
# The source time is that of the catalogue, which the replay renews with each step of ten minutes.
freshness: { maxAgeS: 900, validForS: 1800 }
schedule: { every: 1m }
risk: informational
licence: Public domain (USGS).
---
version: 1
name: earthquake-strong
title: "Newest earthquake of magnitude 4.5 and more, worldwide (USGS, 31 January to 7 February 2018, at its own times)"
value: earthquake
sources:
  - { adapter: usgs, version: 1, params: { feed: 4.5_day, minMagnitude: 4.5 }, group: usgs }
singleSource: The USGS summary feed is the one recorded catalogue.
# The source time is that of the catalogue, which the replay renews with each step of ten minutes.
freshness: { maxAgeS: 900, validForS: 1800 }
schedule: { every: 1m }
risk: informational
licence: Public domain (USGS).
---
version: 1
name: weather-seattle
title: "Weather in Seattle (NOAA, days from 1 January 2012 on, one for each ten minutes of the replay)"
value: weather
sources:
  - adapter: open-meteo
    version: 1
    params: { latitude: ${seattle.latitude}, longitude: ${seattle.longitude} }
    group: noaa
singleSource: The station at Seattle-Tacoma airport is the one recorded.
freshness: { maxAgeS: 3600, validForS: 3600 }
schedule: { every: 1m }
risk: informational
licence: Public domain (NOAA).
---
version: 1
name: "{name}-usd"
title: "{title} (closes of months from January 2000 on, one for each seventy minutes of the replay)"
entities:
  - { name: sp500, symbol: SP500, title: "S&P 500 index" }
  - { name: aapl, symbol: AAPL, title: "Apple, share" }
  - { name: amzn, symbol: AMZN, title: "Amazon, share" }
  - { name: ibm, symbol: IBM, title: "IBM, share" }
  - { name: msft, symbol: MSFT, title: "Microsoft, share" }
value: price
unit: USD
decimals: 2
sources:
  - adapter: http-json
    version: 1
    params:
      url: "https://${closesHost}/closes/{symbol}"
      pick: /price
      timePointer: /shownAtMs
      timeFormat: ms
      identityPointer: /symbol
      identity: "{symbol}"
    group: vega-datasets
    class: reference
singleSource: The package vega-datasets has one series of each.
freshness: { maxAgeS: 10800, validForS: 10800 }
schedule: { every: 1m }
risk: informational
licence: BSD-3-Clause (vega-datasets).
`,
  },
]

/** The declarations that ship with Assay, for live sources. */
export function liveFeeds(): readonly FeedFile[] {
  const names = readdirSync(shippedFeeds).filter((name) => /\.ya?ml$/.test(name))
  return names.sort().map((name) => {
    const bytes = readBounded(join(shippedFeeds, name), 1_048_576, 'FEED_UNREADABLE')
    return { name, text: Buffer.from(bytes).toString('utf8') }
  })
}
