// `npm run bench`: every benchmark, or those named on the command line; one JSON line a figure.

import { parseArgs } from 'node:util'
import { benchFaults } from './faults.js'
import { benchKernel } from './kernel.js'
import { benchLatency } from './latency.js'
import { benchResources } from './resources.js'
import { benchThroughput } from './throughput.js'
import { benchTransport } from './transport.js'

const { values, positionals: named } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: '10' } },
})
const benches: Readonly<Record<string, () => Promise<void>>> = {
  kernel: benchKernel,
  transport: () => benchTransport((row) => console.log(JSON.stringify(row))),
  latency: benchLatency,
  throughput: benchThroughput,
  resources: benchResources,
  faults: () => benchFaults(Number(values.minutes)),
}
/** Runs only when it is named: it takes ten minutes. */
const asked = named.length > 0 ? named : Object.keys(benches).filter((name) => name !== 'faults')

const unknown = named.filter((name) => !(name in benches))
if (unknown.length > 0) {
  console.error(`No benchmark ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}.`)
  process.exit(2)
}
for (const [name, bench] of Object.entries(benches)) {
  if (!asked.includes(name)) continue
  if (process.stderr.isTTY) process.stderr.write(`${name} …\n`)
  await bench()
}
