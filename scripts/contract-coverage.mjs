// Measures what the Solidity tests reach of contracts/src, and demands all of it: lines, branches, functions.

import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { forge, root } from './forge.mjs'

const folder = 'dist/contracts/coverage'
const measured = 'contracts/src/'

/** Runs the tests on code compiled without optimiser, prints the table, resolves to the exit code: 0 at 100 %. */
export async function coverage(json) {
  const tracefile = join(root, folder, 'lcov.info')
  mkdirSync(join(root, folder), { recursive: true })
  const args = ['coverage', '--report', 'lcov', '--report-file', tracefile, '--exclude-tests']
  const env = { FOUNDRY_OUT: `${folder}/out`, FOUNDRY_CACHE_PATH: `${folder}/cache` }
  const { code, text } = await forge(args, { env, capture: true })
  if (code !== 0 || !existsSync(tracefile)) {
    console.error(text)
    return 1
  }
  const files = parse(readFileSync(tracefile, 'utf8')).filter(({ file }) => file.startsWith(measured))
  if (files.length === 0) throw new Error(`No test reaches ${measured}.`)
  if (json) console.log(JSON.stringify(files))
  else for (const line of table(files)) console.log(line)
  return files.every(({ missed }) => missed.length === 0) ? 0 : 1
}

/** The records of an LCOV 1 trace: DA is a line, BRDA a branch, FNDA a function, each with how often it ran. */
function parse(text) {
  const files = []
  for (const line of text.split('\n')) {
    const [tag, rest = ''] = line.split(/:(.*)/s)
    const fields = rest.split(',')
    if (tag === 'SF') files.push({ file: rest, lines: [0, 0], branches: [0, 0], functions: [0, 0], missed: [] })
    else if (tag === 'DA') count(files.at(-1), 'lines', fields[1], fields[0])
    else if (tag === 'BRDA') count(files.at(-1), 'branches', fields[3], `branch ${fields[0]}`)
    else if (tag === 'FNDA') count(files.at(-1), 'functions', fields[0], fields[1])
  }
  return files
}

function count(file, kind, times, what) {
  const hit = Number(times) > 0
  file[kind][0] += hit ? 1 : 0
  file[kind][1] += 1
  if (!hit) file.missed.push(what)
}

function table(files) {
  const width = Math.max(...files.map(({ file }) => file.length))
  const cell = ([hit, all]) => `${hit}/${all}`.padStart(10)
  const rows = files.map(({ file, lines, branches, functions }) => {
    return `${file.padEnd(width)} ${cell(lines)} ${cell(branches)} ${cell(functions)}`
  })
  const head = `${''.padEnd(width)} ${'lines'.padStart(10)} ${'branches'.padStart(10)} ${'functions'.padStart(10)}`
  const missed = files.filter((file) => file.missed.length > 0)
  return [
    head,
    ...rows,
    ...missed.map(({ file, missed }) => `${file}, not reached (lines, branches by line, functions): ${ranges(missed)}`),
  ]
}

/** Lines that follow each other are named by the first and the last. */
function ranges(missed) {
  const parts = []
  for (const what of missed) {
    const [first, last] = parts.at(-1) ?? []
    if (last !== undefined && Number(what) === Number(last) + 1) parts[parts.length - 1] = [first, what]
    else parts.push([what, what])
  }
  return parts.map(([first, last]) => (first === last ? first : `${first}–${last}`)).join(', ')
}
