// `node dist/bench/chain-day.js FOLDER [--block-ms 12000]`: recorded days through four oracles on a real chain; one JSON line each.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createWasmEngine } from '../src/crypto/engine-wasm.js'
import { chainDay } from '../test/deliver/day.js'

/** Folders of recorded series, and the pairs that go on chain. */
const days: readonly (readonly [string, readonly string[]])[] = [
  ['calm-2023-03-05', ['btc-usd']],
  ['usdc-depeg-2023-03', ['usdc-usd', 'btc-usd']],
  ['march-2020-crash-hourly', ['btc-usd']],
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'block-ms': { type: 'string', default: '12000' },
    hours: { type: 'string', default: '24' },
    only: { type: 'string' },
  },
})
const [folder] = positionals
if (folder === undefined || !existsSync(folder)) {
  console.error('Usage: node dist/bench/chain-day.js FOLDER [--block-ms 12000] [--hours 24] [--only SERIES]')
  process.exit(2)
}
const engine = await createWasmEngine()
const blockMs = Number(values['block-ms'])
for (const [series, pairs] of days) {
  const place = join(folder, series)
  if (!existsSync(place) || (values.only ?? series) !== series) continue
  const startMs = performance.now()
  const figures = await chainDay(engine, { folder: place, pairs, hours: Number(values.hours), blockMs })
  const isKept = figures.blocksBeyond === 0 && figures.maxAgeMs < 3_600_000 && figures.costErrorWei === '0'
  const tookS = Math.round((performance.now() - startMs) / 1000)
  console.log(JSON.stringify({ figure: 'chain day', ...figures, isKept, tookS }))
  if (!isKept) process.exitCode = 1
}
