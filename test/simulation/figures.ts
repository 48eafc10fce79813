// What a whole run shows, in figures: one object for the machine that reads them.

import { type ChunkResult, sumOf } from './chunk.js'
import { kinds } from './kinds.js'
import { Trace } from './trace.js'

export interface Figures {
  readonly seed: string
  readonly schedules: number
  readonly events: number
  readonly reports: number
  readonly seconds: number
  readonly eventsPerS: number
  /** By committee size: schedules, and how many of them one thread plays in a second. */
  readonly sizes: Readonly<Record<string, { readonly schedules: number; readonly perS: number }>>
  readonly violations: readonly { readonly index: number; readonly code: string; readonly text: string }[]
  /** Negative controls (B40): played, and found out by an invariant of safety. */
  readonly controls: { readonly played: number; readonly detected: number }
  readonly fired: Readonly<Record<string, number>>
  readonly neverFired: readonly string[]
  readonly drops: Readonly<Record<string, number>>
  readonly trace: string
}

/** Codes that say that a report was wrong, not that it was missing. */
const safety: ReadonlySet<string> = new Set(['I-1', 'I-2', 'I-3', 'I-4', 'I-5', 'S3'])

/** Adds up a run; `seconds` is how long it took. */
export function figuresOf(
  seed: string,
  results: readonly ChunkResult[],
  controls: readonly ChunkResult[],
  seconds: number,
): Figures {
  const hashes = results.flatMap((result) => result.hashes)
  const trace = new Trace()
  for (const hash of [...hashes, ...controls.flatMap((result) => result.hashes)]) trace.addHash(hash)
  const played = controls.reduce((sum, result) => sum + result.hashes.length, 0)
  const detected = controls.flatMap((result) => result.violations).filter(({ violation }) => safety.has(violation.code))
  const fired = Object.fromEntries(
    sumOf([...results.map((result) => result.fired), [['B40 one liar too many', played]]]).filter(
      ([, count]) => count > 0,
    ),
  )
  const sizes = new Map<number, [number, number]>()
  for (const [n, schedules, ms] of results.flatMap((result) => result.sizes)) {
    const [sum, sumMs] = sizes.get(n) ?? [0, 0]
    sizes.set(n, [sum + schedules, sumMs + ms])
  }
  const events = results.reduce((sum, result) => sum + result.events, 0)
  return {
    seed,
    schedules: hashes.length,
    events,
    reports: results.reduce((sum, result) => sum + result.reports, 0),
    seconds: Math.round(seconds * 10) / 10,
    eventsPerS: Math.round(events / seconds),
    sizes: Object.fromEntries(
      [...sizes].map(([n, [schedules, ms]]) => [n, { schedules, perS: Math.round((10_000 * schedules) / ms) / 10 }]),
    ),
    violations: results
      .flatMap((result) => result.violations)
      .map(({ index, violation }) => ({ index, code: violation.code, text: violation.text })),
    controls: { played, detected: detected.length },
    fired,
    neverFired: kinds.filter((kind) => fired[kind] === undefined),
    drops: Object.fromEntries(sumOf(results.map((result) => result.drops))),
    trace: trace.hash(),
  }
}
