// What simulated oracles read: a true world that moves, seen by each with a little noise, gaps and faults.

import { packReadings, type Reading } from '../../src/core/layout.js'
import { statusCodes } from '../../src/core/status.js'
import type { Stage } from './stage.js'

/** What is wrong with the sources at the moment. */
export interface Weather {
  /** Of each member, the chance that a feed has no value. */
  readonly gaps: number[]
  /** All honest members see through their bounds that the sources are wrong, and say HALT (B14). */
  isHalted: boolean
}

const windowMs = 700
const eventMs = 1100

/** Sources of `n` members that answer. */
export function createWeather(n: number): Weather {
  return { gaps: Array(n).fill(0.03), isHalted: false }
}

/** One member's packed readings of every feed. */
export function readSources(stage: Stage, weather: Weather, member: number): Uint8Array {
  const { queue, rng, cast } = stage
  const now = queue.nowMs
  const timeMs = stage.epochMs + now - rng.below(20)
  const window = Math.floor(now / windowMs) - (now % windowMs < 150 && rng.chance(0.4) ? 1 : 0)
  const event = Math.floor(now / eventMs) - (now % eventMs < 150 && rng.chance(0.4) ? 1 : 0)
  const values: readonly (readonly (bigint | string)[])[] = [
    [BigInt(100_000 + ((now >> 3) % 1000) + rng.below(60))],
    [BigInt(((now >> 9) + (rng.chance(0.1) ? 1 : 0)) & 1)],
    [BigInt(window), BigInt(50_000 + ((window * 7919) % 997) * 100 + rng.below(40))],
    [`q${event}`, BigInt(30 + ((event * 13) % 50) + rng.below(3)), rng.chance(0.1) ? `near ${event}` : `at ${event}`],
  ]
  const readings = values.map((cells): Reading => {
    if (rng.chance(weather.gaps[member]!)) {
      return { status: statusCodes.NO_DATA, groups: 0, spreadPpm: 0, timeMs: 0, values: null }
    }
    const status = weather.isHalted
      ? statusCodes.HALT
      : rng.chance(0.9)
        ? statusCodes.OK
        : rng.between(1, statusCodes.STALE)
    return { status, groups: rng.between(2, 4), spreadPpm: rng.below(500), timeMs, values: cells }
  })
  return packReadings(cast.now.contexts[0]!.kernel.layout, readings)
}
