// The simulator's command line, npm run sim -- and
//   --schedules N --seed S --n 4|7|10|13 --workers W --json   plays schedules; --ci: the run of .ci/run
//   --bugs, --bug NAME                                        hunts the seeded bugs, or one, up to 10,000 schedules each
//   --first                                                   stops at the first violation
//   --codes I-1,S3                                            looks for these violations only
//   --stories FOLDER --name NAME                              where the story of a violation goes; none: nowhere

import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type ChunkResult, createCasting } from './chunk.js'
import { type Figures, figuresOf } from './figures.js'
import { mutants } from './mutants.js'
import { hunt } from './mutate.js'
import { playAll } from './pool.js'
import { shrink } from './shrink.js'
import { storyOf, writeStory } from './story.js'

const { values } = parseArgs({
  options: {
    schedules: { type: 'string' },
    seed: { type: 'string', default: '1' },
    n: { type: 'string' },
    workers: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
    ci: { type: 'boolean', default: false },
    first: { type: 'boolean', default: false },
    codes: { type: 'string' },
    bug: { type: 'string' },
    bugs: { type: 'boolean', default: false },
    stories: { type: 'string' },
    name: { type: 'string' },
  },
})

const count = Number(values.schedules ?? (values.ci ? 20_000 : 1000))
const seed = values.seed
const n = values.n === undefined ? null : Number(values.n)
const workers = Number(values.workers)
if (!Number.isInteger(count) || count < 1) stop('--schedules is a whole number from 1')
if (n !== null && ![4, 7, 10, 13].includes(n)) stop('--n is 4, 7, 10 or 13')
if (!/^(0x[0-9a-f]{1,16}|[0-9]{1,20})$/.test(seed)) stop('--seed is a 64-bit number, decimal or 0x hex')

const codes = values.codes?.split(',') ?? null
if (values.bug !== undefined || values.bugs) await huntBugs()
else await simulate()

async function simulate(): Promise<void> {
  const began = performance.now()
  const order = { seed, n, workers, codes }
  const results = await playAll({ ...order, count, isControl: false, stopsAtFirst: values.first, progress })
  const played = values.first ? 0 : Math.max(20, Math.floor(count / 100))
  const controls = await playAll({ ...order, count: played, isControl: true, stopsAtFirst: false })
  const figures = figuresOf(seed, results, controls, (performance.now() - began) / 1000)
  if (process.stderr.isTTY) process.stderr.write('\n')
  await tellFirst(results)
  console.log(values.json || values.ci ? JSON.stringify(figures) : JSON.stringify(figures, null, 2))
  process.exitCode = isFine(figures) ? 0 : 1
}

/** Makes the first violation small and writes its story, to `--stories` or to test/scenarios. */
async function tellFirst(results: readonly ChunkResult[]): Promise<void> {
  const first = results.flatMap((result) => result.violations)[0]
  if (first === undefined || values.stories === 'none') return
  const small = await shrink(createCasting()(first.schedule.n), first.schedule, first.violation)
  const name = values.name ?? `${first.violation.code}-${first.schedule.seed}`.toLowerCase()
  const folder = values.stories ?? fileURLToPath(new URL('../../../test/scenarios', import.meta.url))
  const path = await writeStory(folder, storyOf(name, small.schedule, small.violation))
  console.error(`${first.violation.code} in schedule ${first.index}: ${first.violation.text}; its story: ${path}`)
}

/** Hunts the seeded bug that is named, or all, and prints a line for each; fails when one is not found. */
async function huntBugs(): Promise<void> {
  const named = mutants.filter((mutant) => values.bugs || mutant.name === values.bug)
  if (named.length === 0) stop(`--bug is one of ${mutants.map((mutant) => mutant.name).join(', ')}`)
  for (const mutant of named) {
    const hunted = await hunt(mutant, {
      schedules: values.schedules === undefined ? 10_000 : count,
      seed,
      workers,
      stories: values.stories ?? 'none',
    })
    console.log(JSON.stringify(hunted))
    if (!hunted.found) process.exitCode = 1
  }
}

/** A run of fewer schedules than this cannot meet every kind of fault, and is not blamed for it. */
function isFine({ violations, neverFired, controls: { played: all, detected }, schedules }: Figures): boolean {
  return violations.length === 0 && (neverFired.length === 0 || schedules < 500) && detected >= 0.95 * all
}

function progress(done: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${count} schedules`)
}

function stop(message: string): never {
  console.error(message)
  process.exit(2)
}
