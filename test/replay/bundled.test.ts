// The bundled show: real series as their publishers serve them, read back by the real adapters on the replay's clock.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { adapters } from '../../adapters/index.js'
import { bundledFeeds } from '../../src/cli/demo-feeds.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import type { FeedDeclaration } from '../../src/feed/declaration.js'
import { parseFeeds } from '../../src/feed/parse-feeds.js'
import type { SourceReading } from '../../src/observe/adapter.js'
import { bundledShow } from '../../src/replay/bundled.js'
import { findBundled, meanOf, readBundled } from '../../src/replay/bundled-rows.js'

const folder = findBundled()!
const rows = readBundled(folder)
const show = bundledShow(rows)
const engine = await createWasmEngine()
const parsed = bundledFeeds.flatMap(({ name, text }) => parseFeeds(engine, name, text, adapters))
const feeds = new Map(parsed.flatMap(({ declarations }) => declarations).map((feed) => [feed.name, feed]))
const file = (name: string): string => readFileSync(join(folder, name), 'utf8')

/** What the adapter of a feed's only source reads at `step`. */
function read({ sources }: FeedDeclaration, step: number): SourceReading {
  const [source] = sources
  const adapter = adapters.find(({ id }) => id === source!.adapter)!
  const { host, pathname, search } = new URL(adapter.request!(source!.params).url)
  const { status, mediaType, body } = show.answer(host, pathname + search, step)!
  expect(status).toBe(200)
  expect(Buffer.byteLength(body)).toBeLessThan(adapter.limits.bytesMax)
  return adapter.normalise({ bytes: Buffer.from(body), mediaType }, source!.params)!
}

describe('the bundled declarations', () => {
  it('pass lint, name one source each with the reason, and say that the series are of other years', () => {
    expect(parsed.flatMap(({ findings }) => findings)).toEqual([])
    expect([...feeds.keys()]).toEqual([
      'earthquake',
      'earthquake-strong',
      'weather-seattle',
      ...['sp500-usd', 'aapl-usd', 'amzn-usd', 'ibm-usd', 'msft-usd'],
    ])
    for (const feed of feeds.values()) {
      expect(feed.singleSource).toMatch(/./)
      expect(feed.title).toMatch(/20(18|12|00)/)
    }
  })

  it('give the catalogue of earthquakes, renewed with each step of ten minutes, no more than two steps', () => {
    for (const name of ['earthquake', 'earthquake-strong'])
      expect(feeds.get(name)!.freshness).toEqual({ maxAgeS: 900, validForS: 1800 })
  })
})

describe('bundledShow', () => {
  it('runs from a day into the week to its end, ten minutes a step', () => {
    expect(show.stepsMs[0]).toBe(Date.UTC(2018, 1, 1, 1, 50, 1))
    expect(show.stepsMs.at(-1)).toBeLessThanOrEqual(rows.generatedMs)
    expect(show.stepsMs.length).toBe(864)
    expect(show.stepsMs.every((ms, i) => i === 0 || ms - show.stepsMs[i - 1]! === 600_000)).toBe(true)
  })

  it('is read by every feed at the first, a middle and the last step', () => {
    for (const feed of feeds.values()) {
      for (const step of [0, 431, 863]) {
        const { observedAtMs } = read(feed, step)
        const ageMs = show.stepsMs[step]! - observedAtMs!
        expect(ageMs).toBeGreaterThanOrEqual(0)
        expect(ageMs).toBeLessThanOrEqual(feed.freshness.maxAgeS * 1000)
      }
    }
  })

  it('serves the events up to now of the past day, newest first, word for word', () => {
    const text = file('earthquakes.json')
    for (const step of [0, 500]) {
      const path = '/earthquakes/feed/v1.0/summary/2.5_day.geojson'
      const { body } = show.answer('earthquake.usgs.gov', path, step)!
      const { metadata, features } = JSON.parse(body) as {
        metadata: { count: number; generated: number }
        features: { properties: { time: number; mag: number } }[]
      }
      const nowMs = show.stepsMs[step]!
      expect(metadata).toMatchObject({ count: features.length, generated: nowMs })
      expect(features.length).toBeGreaterThan(10)
      const times = features.map(({ properties }) => properties.time)
      expect(times).toEqual(times.toSorted((a, b) => b - a))
      expect(times[0]).toBeLessThanOrEqual(nowMs)
      expect(times.at(-1)).toBeGreaterThan(nowMs - 86_400_000)
      expect(features.every(({ properties }) => properties.mag >= 2.5)).toBe(true)
      for (const feature of features) expect(text).toContain(JSON.stringify(feature))
    }
  })

  it('gives the newest earthquake that is strong enough', () => {
    const nowMs = show.stepsMs[300]!
    const all = JSON.parse(file('earthquakes.json')) as {
      features: { id: string; properties: { time: number; mag: number; type: string } }[]
    }
    const expected = all.features.find(
      ({ properties: { time, mag, type } }) => time <= nowMs && mag >= 4.5 && type === 'earthquake',
    )!
    const { value } = read(feeds.get('earthquake-strong')!, 300)
    expect(value).toMatchObject({ eventId: expected.id, magnitude: String(expected.properties.mag) })
  })

  it('shows a day of weather each step, with the exact mean of its highest and lowest', () => {
    const lines = file('seattle-weather.csv').trim().split('\n').slice(1)
    for (const step of [0, 1, 17, 863]) {
      const [, precipitation, highest, lowest, wind] = lines[step]!.split(',') as string[]
      const { value, observedAtMs } = read(feeds.get('weather-seattle')!, step)
      const mean = (Number(highest) + Number(lowest)) / 2
      expect(Number(value['temperature'])).toBeCloseTo(mean, 9)
      expect([Number(value['precipitation']), Number(value['windSpeed'])]).toEqual([
        Number(precipitation),
        Number(wind),
      ])
      expect(observedAtMs).toBe(show.stepsMs[step]! - 1000)
    }
  })

  it('shows a month of closes each seven steps', () => {
    const lines = file('stocks.csv').trim().split('\n').slice(1)
    const apple = lines.filter((line) => line.startsWith('AAPL,')).map((line) => line.split(',')[2]!)
    for (const step of [0, 6, 7, 860]) {
      const { value } = read(feeds.get('aapl-usd')!, step)
      expect(Number(value['price'])).toBe(Number(apple[Math.floor(step / 7)]))
    }
    const { body } = show.answer('vega-datasets.invalid', '/closes/SP500', 7)!
    expect(JSON.parse(body)).toMatchObject({ symbol: 'SP500', date: '2000-02-01', price: 1366.42 })
  })

  it('answers nothing that it does not have', () => {
    const weather = (query: string): number => show.answer('api.open-meteo.com', `/v1/forecast?${query}`, 0)!.status
    expect(weather('latitude=52.5&longitude=13.4&current=temperature_2m')).toBe(400)
    expect(weather('current=temperature_2m')).toBe(400)
    expect(weather('latitude=47.4&longitude=-122.3&current=snow')).toBe(400)
    expect(weather('latitude=47.4&longitude=-122.3&current=wind_speed_10m')).toBe(400)
    expect(show.answer('vega-datasets.invalid', '/closes/NONE', 0)).toBeNull()
    expect(show.answer('earthquake.usgs.gov', '/earthquakes/feed/v1.0/summary/all_year.geojson', 0)).toBeNull()
    expect(show.answer('api.kraken.com', '/', 0)).toBeNull()
  })
})

describe('meanOf', () => {
  it.each([
    ['12.8', '5.0', '8.90'],
    ['0.1', '0.0', '0.05'],
    ['-1.0', '-2.1', '-1.55'],
    ['0.4', '-0.5', '-0.05'],
    ['-0.0', '0.0', '0.00'],
  ])('of %s and %s is %s', (a, b, expected) => {
    expect(meanOf(a, b)).toBe(expected)
  })
})
