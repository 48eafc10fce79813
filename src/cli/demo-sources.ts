// What the demo runs on: live sources when they answer, recordings when they are named, bundled data otherwise.

import { adapters } from '../../adapters/index.js'
import { OracleError } from '../base/errors.js'
import { createSourceWire } from '../observe/wire.js'
import { bundledShow } from '../replay/bundled.js'
import { findBundled, readBundled } from '../replay/bundled-rows.js'
import { readRecordings, sentence } from '../replay/recordings.js'
import type { Show } from '../replay/show.js'
import { venueShow } from '../replay/venue-show.js'
import { bundledFeeds, type FeedFile, liveFeeds, recordingFeeds } from './demo-feeds.js'
import { rehearsalFeeds, withRehearsal } from './demo-rehearsal.js'

export type Mode = 'live' | 'bundled' | 'recordings'

export interface DemoSources {
  readonly mode: Mode
  /** What the values are, in a sentence. */
  readonly sentence: string
  readonly feeds: readonly FeedFile[]
  /** What stands in for the sources; null for live ones. */
  readonly show: Show | null
  /** Files and lines of the recordings that are left out, with the reason. */
  readonly skipped: readonly string[]
}

export interface SourceChoice {
  readonly recordings?: string
  /** Venue → percentage. */
  readonly lies: Readonly<Record<string, string>>
  readonly force?: 'live' | 'bundled'
  /** Whether contracts will read: bundled data then come with feeds that they take. */
  readonly hasChain: boolean
  /** Hears what takes its time. */
  readonly onWait: (sentence: string) => void
}

/** How long the public APIs have to show that they answer, and how many of them must. */
const probeMs = 4000
const answersMin = 3
/** The version whose files src/replay/bundled-rows.ts reads. */
const bundledVersion = '3.2.1'

/** Decides by `choice` and by what answers; RECORDINGS_UNFIT, REPLAY_LIE_INVALID or DEMO_SOURCES_ABSENT. */
export async function chooseSources(choice: SourceChoice): Promise<DemoSources> {
  if (choice.recordings !== undefined) return recorded(choice.recordings, choice.lies)
  if (choice.force !== 'bundled') {
    choice.onWait(`Asking the public APIs, ${probeMs / 1000} s at most …`)
    const answers = await countAnswers()
    if (answers >= answersMin) {
      return {
        mode: 'live',
        sentence: `live values of public APIs (${answers} venues answer)`,
        feeds: liveFeeds(),
        show: null,
        skipped: [],
      }
    }
    if (choice.force === 'live') {
      const message = `${answers} of the venues answered within ${probeMs / 1000} s, needed are ${answersMin}`
      throw new OracleError('DEMO_SOURCES_ABSENT', message, { facts: { answers } })
    }
  }
  const folder = findBundled()
  if (folder === null) {
    const apis = choice.force === 'bundled' ? '' : 'the public APIs do not answer, and '
    const message = `${apis}the package vega-datasets, which holds the bundled data, is not installed here; add it: npm install vega-datasets@${bundledVersion}`
    throw new OracleError('DEMO_SOURCES_ABSENT', message)
  }
  const show = bundledShow(readBundled(folder))
  return {
    mode: 'bundled',
    sentence:
      'real data of past years (package vega-datasets), replayed: a week of earthquakes in 2018 (USGS) at their own times; beside them, row after row, days of weather in Seattle from 2012 on (NOAA) and months of share prices from 2000 on',
    feeds: choice.hasChain ? [...bundledFeeds, ...rehearsalFeeds] : bundledFeeds,
    show: choice.hasChain ? withRehearsal(show) : show,
    skipped: [],
  }
}

function recorded(folder: string, lies: Readonly<Record<string, string>>): DemoSources {
  const recordings = readRecordings(folder)
  const { series, timesMs, skipped } = recordings
  const [first, last] = [timesMs[0]!, timesMs.at(-1)!].map((timeMs) => new Date(timeMs).toISOString().slice(0, 16))
  const told = Object.entries(lies).map(([venue, percent]) => `; ${venue} lies by ${percent}`)
  return {
    mode: 'recordings',
    sentence: `recorded trades in ${folder}, replayed on this machine: ${series.length} files, ${timesMs.length} steps from ${first}Z to ${last}Z${told.join('')}`,
    feeds: recordingFeeds(recordings),
    show: venueShow(recordings, lies),
    skipped: skipped.map(sentence),
  }
}

/** How many venues give a price of BTC in USD, asked at once; does not wait for more than are needed. */
async function countAnswers(): Promise<number> {
  const wire = createSourceWire({ loopback: [], origins: {} })
  const stop = new AbortController()
  const params = { base: 'BTC', quote: 'USD' }
  const venues = adapters.filter(({ schemas, request }) => schemas.params === 'pair' && request !== undefined)
  let answers = 0
  try {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, probeMs)
      const asked = venues.map(async (adapter) => {
        try {
          const { raw } = await wire.get(adapter.request!(params), adapter.limits, stop.signal)
          adapter.normalise(raw, params)
          answers++
        } catch {
          // Not there, or not with an answer: that is what is being found out.
        }
        if (answers >= answersMin) resolve()
      })
      void Promise.all(asked).then(() => {
        clearTimeout(timer)
        resolve()
      })
    })
    return answers
  } finally {
    stop.abort()
    await wire.close()
  }
}
