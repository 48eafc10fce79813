// One oracle process of a benchmark: its source changes when standard input says so, and it prints what it attests.
//
// Arguments: the oracle's folder, and "lines" or "clock". lines: each number on standard input is a tick; the time at which
// a report with that tick is attested is printed as "tick nanoseconds", monotonic. clock: every value changes each roundMs, and
// "reports cpuMicroseconds rssBytes" is printed each second.

import { createInterface } from 'node:readline'
import { createLog } from '../src/base/log.js'
import { loadConfig } from '../src/config.js'
import { layoutOf, openPacked, readReading } from '../src/core/layout.js'
import { chooseEngine } from '../src/crypto/engine.js'
import { createWasmEngine } from '../src/crypto/engine-wasm.js'
import { readPassphrase } from '../src/crypto/passphrase.js'
import { startOracle } from '../src/node.js'
import type { Board } from '../src/observe/board.js'
import { bareSource } from '../src/observe/source-part.js'
import { writeSynthetic } from '../src/observe/synthetic.js'

const [folder, mode, curves] = process.argv.slice(2) as [string, 'lines' | 'clock', 'auto' | 'wasm']
const wasm = await createWasmEngine()
const config = loadConfig(wasm, folder)
const { committee, self } = config
const layout = layoutOf(committee)
/** Source times of the ticks: any fixed time will do. */
const epochMs = 1_700_000_000_000
let reports = 0

function change(board: Board, tick: number): void {
  writeSynthetic(board, committee, self, 1, tick * 16, epochMs + tick)
}

function onLines(board: Board): () => void {
  change(board, 0)
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (line) => change(board, Number(line)))
  return () => lines.close()
}

function onClock(board: Board): () => void {
  let tick = 0
  change(board, tick)
  const timer = setInterval(() => change(board, ++tick), committee.timing.roundMs)
  return () => clearInterval(timer)
}

const { engine, kind } = chooseEngine(wasm, curves)
const oracle = await startOracle({
  config,
  passphrase: (await readPassphrase(config.passphraseFile!)).text,
  engine,
  engineKind: kind,
  log: createLog('error', `oracle-${self}`),
  source: bareSource(mode === 'lines' ? onLines : onClock),
  onEvent: (event) => {
    if (event.event === 'session') process.stdout.write('session\n')
    if (event.event === 'stalled' || event.event === 'halted') console.error(JSON.stringify(event))
  },
  onReport: (report) => {
    reports++
    if (mode !== 'lines') return
    const { timeMs } = readReading(layout, openPacked(layout, report.values), 0)
    process.stdout.write(`${timeMs - epochMs} ${process.hrtime.bigint()}\n`)
  },
})

if (mode === 'clock') {
  setInterval(() => {
    const { user, system } = process.cpuUsage()
    process.stdout.write(`${reports} ${user + system} ${process.memoryUsage.rss()}\n`)
  }, 1000)
}

process.once('SIGTERM', () => {
  oracle.close().then(() => process.exit(0))
})
