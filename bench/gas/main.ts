// `npm run bench:gas`: what a transaction costs with our contracts and with the peers', side by side.

import { parseArgs } from 'node:util'
import { api3Rows } from './api3.js'
import { type Chain, startChain } from './chain.js'
import { chainlinkRows } from './chainlink.js'
import { oursRows } from './ours.js'
import { redstoneRows } from './redstone.js'
import type { Row } from './row.js'

const systems: Readonly<Record<string, (chain: Chain) => Promise<readonly Row[]>>> = {
  assay: oursRows,
  redstone: redstoneRows,
  api3: api3Rows,
  chainlink: chainlinkRows,
}
const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, only: { type: 'string' } },
})
if (options.only !== undefined && !(options.only in systems)) {
  console.error(`No system ${options.only}; there are ${Object.keys(systems).join(', ')}.`)
  process.exit(2)
}

const columns = [
  'system',
  'what',
  'feeds',
  'signatures',
  'signers',
  'hop',
  'rotation',
  'pause',
  'validityWindow',
  'gas',
  'corrupted',
  'note',
] as const satisfies readonly (keyof Row)[]

/** Rows as aligned text; numbers to the right. */
function table(rows: readonly Row[]): string {
  const text = (value: Row[keyof Row]): string => {
    if (typeof value === 'boolean') return value ? 'yes' : 'no'
    return typeof value === 'number' ? value.toLocaleString('en') : value
  }
  const lines = [[...columns], ...rows.map((row) => columns.map((column) => text(row[column])))]
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at]!.length)))
  const isNumber = columns.map((column) => typeof rows[0]?.[column] === 'number')
  const cell = (value: string, at: number): string =>
    isNumber[at] ? value.padStart(widths[at]!) : value.padEnd(widths[at]!)
  return lines.map((line) => line.map(cell).join('  ').trimEnd()).join('\n')
}

const rows: Row[] = []
for (const [name, measure] of Object.entries(systems)) {
  if (options.only !== undefined && options.only !== name) continue
  // A chain for each system: addresses, and with them calldata, do not depend on which others are measured.
  const chain = await startChain()
  try {
    rows.push(...(await measure(chain)))
  } finally {
    await chain.stop()
  }
}
console.log(options.json ? rows.map((row) => JSON.stringify(row)).join('\n') : table(rows))

const accepted = rows.filter(({ corrupted }) => corrupted === 'accepted')
if (accepted.length > 0) {
  console.error(`${accepted.length} rows accepted a corrupted signature.`)
  process.exitCode = 1
}
