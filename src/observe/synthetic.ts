// A source inside the process: every feed walks at random from one seed, each member sees it with a little noise.

import { readClock } from '../base/clock.js'
import type { Committee } from '../core/committee.js'
import type { CellValue, Reading } from '../core/layout.js'
import { statusCodes } from '../core/status.js'
import type { Board } from './board.js'

/** Evidence of a value that nobody outside can be asked about. */
export const noEvidence: Uint8Array = new Uint8Array(32)

/**
 * Writes a new value for every feed to the board. Members with equal `seed` and `tick` see the same walk; numbers differ
 * by up to 50 parts per million from member to member, identities and categories do not.
 */
export function writeSynthetic(
  board: Board,
  committee: Committee,
  self: number,
  seed: number,
  tick: number,
  timeMs: number,
): void {
  for (const feed of committee.feeds) {
    const base = walk(seed, feed.index, tick)
    const values = feed.fields.map((field, i): CellValue => {
      if (field.type === 'string') return `event-${Math.floor(tick / 10)}`.slice(0, field.bytesMax)
      if (field.type === 'bool') return BigInt((base >>> 3) & 1)
      if (field.combine !== 'median') return BigInt(Math.floor(tick / 10))
      const noise = mix(seed ^ Math.imul(self + 1, 0x9e37_79b9), feed.index * 31 + i, tick) % 101
      return BigInt(100_000_000 + (base % 1_000_000) + i) * 20_000n + BigInt(noise - 50) * 2_000_000n
    })
    board.update(feed.index, reading(values, timeMs))
  }
}

export interface SyntheticParts {
  readonly committee: Committee
  readonly self: number
  readonly source: { readonly seed: number; readonly everyMs: number }
}

/** Changes every feed at each whole multiple of `everyMs`, so that members change together; returns how to stop. */
export function runSynthetic(board: Board, { committee, self, source }: SyntheticParts): () => void {
  let timer: NodeJS.Timeout
  const change = (): void => {
    const { wallMs } = readClock()
    const tick = Math.floor(wallMs / source.everyMs)
    writeSynthetic(board, committee, self, source.seed, tick, tick * source.everyMs)
    timer = setTimeout(change, (tick + 1) * source.everyMs - wallMs)
  }
  change()
  return () => clearTimeout(timer)
}

function reading(values: readonly CellValue[], timeMs: number): Reading {
  return { status: statusCodes.OK, groups: 3, spreadPpm: 50, timeMs, values }
}

/** A slow walk: neighbouring ticks differ by little, so that deviation triggers see moves of all sizes. */
function walk(seed: number, feed: number, tick: number): number {
  const from = mix(seed, feed, Math.floor(tick / 16))
  const to = mix(seed, feed, Math.floor(tick / 16) + 1)
  const share = tick % 16
  return Math.floor(((from >>> 8) * (16 - share) + (to >>> 8) * share) / 16)
}

/** A 32-bit mix of three integers (xorshift-multiply, as in MurmurHash3's finaliser). */
function mix(seed: number, a: number, b: number): number {
  let x = (seed ^ Math.imul(a + 1, 0x85eb_ca6b) ^ Math.imul(b + 1, 0xc2b2_ae35)) >>> 0
  x = Math.imul(x ^ (x >>> 16), 0x7feb_352d)
  x = Math.imul(x ^ (x >>> 15), 0x846c_a68b)
  return (x ^ (x >>> 16)) >>> 0
}
