// Compiles Solidity with npm's solc: one unit a file, in parallel, each result kept under the hash of all that it came from.
// A unit is one file with what it imports, so its code depends on nothing else: not on which other files were compiled
// beside it, as solc's own output does, and not on what was compiled before.

import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

const root = fileURLToPath(new URL('..', import.meta.url))
const store = join(root, 'dist/contracts/units')
const storedMax = 4_000
// Tests deploy the artifacts of what they test, so their own code may be slow: optimised, they take most of the time.
const testFolder = 'contracts/test/'

/** The version of the compiler: it is pinned in package.json, and part of each unit's hash. */
export const solcVersion = JSON.parse(readFileSync(join(root, 'node_modules/solc/package.json'), 'utf8')).version

/** Standard JSON in, standard JSON out, as of solc itself. */
export async function compileSolidity(input) {
  const roots = rootsOf(input)
  const units = roots.map((name) => unitOf(input, name)).filter((unit) => unit !== undefined)
  const outputs = new Map()
  const missing = []
  for (const unit of units) {
    const known = recall(input, unit)
    if (known === undefined) missing.push(unit)
    else outputs.set(unit.name, known)
  }
  for (const [unit, { output, imported }] of await compileAll(input, missing)) {
    outputs.set(unit.name, output)
    if (!output.errors?.some((error) => error.severity === 'error')) keep(input, unit, imported, output)
  }
  if (missing.length > 0) prune()
  return merge(input, units, outputs)
}

/** The files that output is asked for. Syntax trees carry numbers that count through a whole run, so they forbid units. */
function rootsOf(input) {
  const selection = Object.entries(input.settings.outputSelection ?? {})
  const asksForTrees = selection.some(([, contracts]) => Object.values(contracts).flat().includes('ast'))
  if (asksForTrees || selection.some(([name]) => input.sources[name] === undefined)) return [undefined]
  return selection.filter(([, contracts]) => Object.values(contracts).flat().length > 0).map(([name]) => name)
}

/** What solc is asked about one file; without a name, about everything at once. */
function unitOf(input, name) {
  if (name === undefined) return { name: '', request: JSON.stringify(input), others: [], size: Number.MAX_SAFE_INTEGER }
  const wanted = Object.entries(input.settings.outputSelection[name]).map(([contract, outputs]) => [
    contract,
    // Nothing deploys a library's contract by its artifact: its code is made inside the units that use it.
    name.startsWith('node_modules/') ? outputs.filter((output) => !output.startsWith('evm.bytecode')) : outputs,
  ])
  const quick = name.startsWith(testFolder) ? { viaIR: false, optimizer: { enabled: false } } : {}
  const request = {
    ...input,
    sources: { [name]: input.sources[name] },
    settings: { ...input.settings, ...quick, outputSelection: { [name]: Object.fromEntries(wanted) } },
  }
  const size = input.sources[name].content.length
  return { name, request: JSON.stringify(request), others: othersOf(request), size }
}

/** The stored output of a unit, if what it imported then reads the same today. */
function recall(input, unit) {
  const lists = join(store, `${hash(unit.request)}.imports.json`)
  for (const imported of readJson(lists) ?? []) {
    if (imported.some((name) => input.sources[name] === undefined)) continue
    const path = unitPath(input, unit, imported)
    const output = readJson(path)
    if (output === undefined) continue
    for (const used of [lists, path]) touch(used)
    return output
  }
  return undefined
}

/** Says that a file is in use: prune() takes the oldest. Another process may just have pruned it. */
function touch(path) {
  const now = new Date()
  try {
    utimesSync(path, now, now)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
}

function keep(input, unit, imported, output) {
  mkdirSync(store, { recursive: true })
  const path = join(store, `${hash(unit.request)}.imports.json`)
  const lists = (readJson(path) ?? []).filter((list) => list.join('\n') !== imported.join('\n'))
  writeWhole(unitPath(input, unit, imported), JSON.stringify(output))
  writeWhole(path, JSON.stringify([imported, ...lists].slice(0, 8)))
}

/** The imports are named by solc itself while it compiles, so the list is exact; their contents make up the key. */
function unitPath(input, unit, imported) {
  const contents = imported.map((name) => [name, hash(input.sources[name].content)])
  return join(store, `${hash(JSON.stringify([solcVersion, unit.request, contents]))}.json`)
}

/** Workers take the longest file next, so that none is left alone with a long one at the end. */
async function compileAll(input, units) {
  const queue = [...units].sort((a, b) => b.size - a.size)
  const results = new Map()
  const contents = Object.fromEntries(Object.entries(input.sources).map(([name, { content }]) => [name, content]))
  const run = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./solc-worker.mjs', import.meta.url), { workerData: contents })
      let unit
      const next = () => {
        unit = queue.shift()
        if (unit === undefined) worker.terminate().then(() => resolve(), reject)
        else worker.postMessage(unit.request)
      }
      worker.on('error', reject)
      worker.on('message', ({ text, imported }) => {
        const output = JSON.parse(text)
        const other = isBeyondLegacy(output) ? unit.others.shift() : undefined
        if (other !== undefined) {
          worker.postMessage(other)
          return
        }
        results.set(unit, { output, imported })
        next()
      })
      next()
    })
  await Promise.all(Array.from({ length: Math.min(queue.length, availableParallelism()) }, run))
  return results
}

/**
 * What to ask when the legacy code generator gives up, the quicker first. It serves speed and coverage, not what is
 * deployed: tests need not be written for it, and of a contract that it cannot compile, coverage shows less than there
 * is, never more.
 */
function othersOf(request) {
  const { settings, ...rest } = request
  if (settings.viaIR) return []
  const yulDetails = { stackAllocation: true, optimizerSteps: 'u:fDnTOcmu' }
  const optimizers = [{ enabled: false, details: { yul: true, yulDetails } }, { enabled: true }]
  return optimizers.map((optimizer) => JSON.stringify({ ...rest, settings: { ...settings, viaIR: true, optimizer } }))
}

function isBeyondLegacy(output) {
  const failures = (output.errors ?? []).filter((error) => error.severity === 'error')
  const limits = ['CompilerError', 'UnimplementedFeatureError', 'YulException']
  return failures.length > 0 && failures.every((error) => limits.includes(error.type))
}

/** One output out of many: sources are numbered anew, and source maps with them. */
function merge(input, units, outputs) {
  const whole = units.length === 1 && units[0].name === '' ? outputs.get('') : undefined
  if (whole !== undefined) return whole
  const names = Object.keys(input.sources).sort()
  const errors = new Map()
  const merged = { contracts: {}, sources: Object.fromEntries(names.map((name, id) => [name, { id }])) }
  for (const { name } of units) {
    const output = outputs.get(name)
    for (const error of output.errors ?? []) errors.set(error.formattedMessage, error)
    const numbers = new Map(Object.entries(output.sources ?? {}).map(([file, { id }]) => [id, names.indexOf(file)]))
    for (const contract of Object.values(output.contracts?.[name] ?? {}))
      for (const code of [contract.evm?.bytecode, contract.evm?.deployedBytecode])
        if (code?.sourceMap !== undefined) code.sourceMap = renumber(code.sourceMap, numbers)
    if (output.contracts?.[name] !== undefined) merged.contracts[name] = output.contracts[name]
  }
  if (errors.size > 0) merged.errors = [...errors.values()]
  return merged
}

/** A source map is `start:length:file:…` an instruction, fields left empty where they repeat; files of no source are -1. */
function renumber(sourceMap, numbers) {
  return sourceMap.replace(/(^|;)([^:;]*:[^:;]*:)(\d+)/g, (_, start, range, file) => {
    return `${start}${range}${numbers.get(Number(file)) ?? -1}`
  })
}

/** Mutants and branches leave units behind that nobody asks for again; the oldest go first. */
function prune() {
  const files = readdirSync(store, { withFileTypes: true }).filter((entry) => entry.isFile())
  if (files.length <= storedMax) return
  const dated = files.map(({ name }) => {
    return { path: join(store, name), at: statSync(join(store, name), { throwIfNoEntry: false })?.mtimeMs ?? 0 }
  })
  dated.sort((a, b) => a.at - b.at)
  for (const { path } of dated.slice(0, files.length - storedMax / 2)) rmSync(path, { force: true })
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

/** Several compilers may run at once: a file appears under its name only when it is whole. */
function writeWhole(path, text) {
  const part = `${path}.${process.pid}`
  writeFileSync(part, text)
  renameSync(part, path)
}

function hash(text) {
  return createHash('sha256').update(text).digest('hex')
}
