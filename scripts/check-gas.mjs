// Holds the gas bench's own rows (JSON lines on standard input) against the committed snapshot, and against what was promised.
// `--write` commits them to contracts/gas.json instead.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const snapshot = join(fileURLToPath(new URL('..', import.meta.url)), 'contracts/gas.json')
/** What no change may exceed: the row's beginning of note, its shape, its bound. */
const bounds = [
  { what: 'pull', feeds: 1, signatures: 3, note: 'f+1 seals, depth 4, ids known', gasMax: 47_000 },
  { what: 'pull', feeds: 1, signatures: 3, note: 'f+1 seals, depth 4, monotonic guard', gasMax: 52_000 },
  { what: 'pull', feeds: 1, signatures: 2, note: 'f+1 seals, depth 4, ids known', gasMax: 43_000 },
  { what: 'pull', feeds: 1, signatures: 11, note: 'f+1 seals, depth 4, ids known', gasMax: 83_000 },
  { what: 'pull', feeds: 10, signatures: 3, note: 'one bundle, depth 4, ids known', gasMax: 53_000 },
  { what: 'push', feeds: 1, signatures: 3, note: 'f+1 seals, depth 4', gasMax: 54_000 },
  { what: 'push', feeds: 10, signatures: 3, note: 'f+1 seals, one bundle, depth 4, a slot each', gasMax: 125_000 },
  { what: 'push', feeds: 10, signatures: 3, note: 'f+1 seals, one bundle, depth 4, two to a slot', gasMax: 100_000 },
  { what: 'read', feeds: 1, signatures: 0, note: 'execution only; a slot each', gasMax: 6_000 },
]
const signatureGasMax = 4_500

const text = readFileSync(0, 'utf8')
const rows = text
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))
  .filter(({ system }) => system === 'assay')
const problems = []

for (const { gasMax, note, ...shape } of bounds) {
  const found = rows.filter(
    (row) => row.note.startsWith(note) && Object.entries(shape).every(([key, value]) => row[key] === value),
  )
  if (found.length === 0) problems.push(`no row for ${JSON.stringify({ ...shape, note })}`)
  for (const { gas } of found) {
    if (gas > gasMax) problems.push(`${JSON.stringify({ ...shape, note })}: ${gas} gas, at most ${gasMax} promised`)
  }
}
for (const row of rows) {
  if (row.corrupted === 'accepted') problems.push(`${keyOf(row)}: a corrupted signature was accepted`)
}
const gasOf = (signatures) =>
  rows.find(
    (row) =>
      row.what === 'pull' && row.signatures === signatures && row.note.startsWith('f+1 seals, depth 4, ids known'),
  )?.gas
for (const [few, many] of [
  [2, 3],
  [3, 11],
]) {
  const each = (gasOf(many) - gasOf(few)) / (many - few)
  if (!(each <= signatureGasMax))
    problems.push(`a further signature takes ${each} gas, at most ${signatureGasMax} promised`)
}

const lines = `[\n${rows.map((row) => `  ${JSON.stringify(row)}`).join(',\n')}\n]\n`
if (process.argv.includes('--write') && problems.length === 0) {
  writeFileSync(snapshot, lines)
} else if (readFileSync(snapshot, 'utf8') !== lines) {
  const before = new Map(JSON.parse(readFileSync(snapshot, 'utf8')).map((row) => [keyOf(row), row]))
  for (const row of rows) {
    const old = before.get(keyOf(row))
    before.delete(keyOf(row))
    if (old === undefined) problems.push(`${keyOf(row)}: not in contracts/gas.json`)
    else if (JSON.stringify(old) !== JSON.stringify(row)) problems.push(`${keyOf(row)}: ${old.gas} became ${row.gas}`)
  }
  for (const key of before.keys()) problems.push(`${key}: gone`)
  problems.push('To accept: npm run --silent bench:gas -- --only assay --json | node scripts/check-gas.mjs --write')
}
for (const problem of problems) console.error(problem)
console.log(
  `${rows.length} rows of gas, ${problems.length === 0 ? 'as committed and within what is promised' : 'not as they should be'}`,
)
process.exitCode = problems.length === 0 ? 0 : 1

function keyOf({ what, feeds, signatures, signers, note }) {
  return `${what} ${feeds} feeds, ${signatures} of ${signers}: ${note}`
}
