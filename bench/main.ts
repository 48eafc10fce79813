// `npm run bench`: every benchmark, or those named on the command line; one JSON line a figure.

import { benchKernel } from './kernel.js'
import { benchLatency } from './latency.js'
import { benchResources } from './resources.js'
import { benchThroughput } from './throughput.js'
import { benchTransport } from './transport.js'

const benches: Readonly<Record<string, () => Promise<void>>> = {
  kernel: benchKernel,
  transport: () => benchTransport((row) => console.log(JSON.stringify(row))),
  latency: benchLatency,
  throughput: benchThroughput,
  resources: benchResources,
}

const named = process.argv.slice(2)
const unknown = named.filter((name) => !(name in benches))
if (unknown.length > 0) {
  console.error(`No benchmark ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}.`)
  process.exit(2)
}
for (const [name, bench] of Object.entries(benches)) {
  if (named.length > 0 && !named.includes(name)) continue
  if (process.stderr.isTTY) process.stderr.write(`${name} …\n`)
  await bench()
}
