// A calm day and a crash, 24 h each, through four oracles on a real chain: see day.ts. Skipped where recordings are missing.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { createWasmEngine, type SigningEngine } from '../../src/crypto/engine-wasm.js'
import { chainDay, type DayFigures } from './day.js'

const series = fileURLToPath(new URL('../../../shared/recordings/series/', import.meta.url))
let engine: SigningEngine
beforeAll(async () => {
  engine = await createWasmEngine()
})

/** Blocks of a minute: `bench/chain-day.ts` runs the same with blocks of 12 s. */
const blockMs = 60_000

function judge(figures: DayFigures): void {
  console.log(JSON.stringify({ figure: 'chain day', ...figures }))
  expect(figures.blocks).toBeGreaterThanOrEqual(24 * 60 - 2)
  // At every block: within the deviation and the move of one round, and younger than the heartbeat.
  expect(figures.blocksBeyond).toBe(0)
  expect(figures.maxAgeMs).toBeLessThan(3_600_000)
  expect(figures.maxLagMs).toBeLessThanOrEqual(blockMs)
  expect(figures.costErrorWei).toBe('0')
  expect(figures.duplicates).toBeLessThanOrEqual(figures.transactions / 100)
}

describe.skipIf(!existsSync(series))('24 recorded hours', { concurrent: true }, () => {
  it('that are calm', { timeout: 180_000 }, async () => {
    const figures = await chainDay(engine, {
      folder: `${series}calm-2023-03-05`,
      pairs: ['btc-usd'],
      hours: 24,
      blockMs,
    })
    judge(figures)
    // A heartbeat an hour, and hardly more.
    expect(figures.updates['btc-usd']).toBeGreaterThanOrEqual(24)
  })

  it('of a crash', { timeout: 180_000 }, async () => {
    const pairs = ['usdc-usd', 'btc-usd']
    const figures = await chainDay(engine, { folder: `${series}usdc-depeg-2023-03`, pairs, hours: 24, blockMs })
    judge(figures)
    expect(figures.updates['usdc-usd']).toBeGreaterThan(50)
  })
})
