import { createCast } from './cast.js'
import { run } from './run.js'
import { drawSchedule } from './schedule.js'
import { createSymbolicEngine } from './symbolic-engine.js'

const [from, to, n] = process.argv.slice(2).map(Number) as [number, number, number]
const engine = createSymbolicEngine(32)
const cast = createCast(engine, n)
let events = 0,
  reports = 0,
  sim = 0
const fired = new Map<string, number>()
const drops = new Map<string, number>()
const bad = new Map<string, string[]>()
const t = performance.now()
for (let i = from; i < to; i++) {
  const s = drawSchedule(1n, i, n)
  let o
  try {
    o = await run(cast, s)
  } catch (e) {
    console.log(i, 'BROKEN', (e as Error).stack)
    continue
  }
  events += o.events
  reports += o.reports
  sim += o.endMs
  for (const [k, v] of o.fired) fired.set(k, (fired.get(k) ?? 0) + v)
  for (const [k, v] of o.drops) drops.set(k, (drops.get(k) ?? 0) + v)
  if (o.violation) {
    const l = bad.get(o.violation.code) ?? []
    l.push(`${i} @${o.violation.atMs} ${o.violation.text}`)
    bad.set(o.violation.code, l)
  }
  if (to - from === 1) console.log(JSON.stringify(s), o.hash, o.reports, o.endMs)
}
const ms = performance.now() - t
for (const [k, v] of bad) console.log(k, v.length, '\n   ' + v.slice(0, 6).join('\n   '))
console.log({ ms, perSchedule: ms / (to - from), events, reports, sim })
console.log(
  [...fired]
    .sort()
    .map((x) => x.join(': '))
    .join(' | '),
)
console.log(
  [...drops]
    .sort()
    .map((x) => x.join(': '))
    .join(' | '),
)
