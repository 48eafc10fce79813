// Takes each guard in contracts/test/mutants/ away, one at a time, and says which of them no test misses.

import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { mutants as all } from '../contracts/test/mutants/all.mjs'
import { parsed } from './contract-tests.mjs'
import { forge, root } from './forge.mjs'

const folder = join(root, 'dist/contracts/mutants')
const poolSize = 2

/** Tries all mutants, or those of files whose names hold one of `only`; resolves to the exit code. */
export async function tryMutants(only, json) {
  const began = Date.now()
  const chosen = all.filter(({ file }) => only.length === 0 || only.some((part) => basename(file).includes(part)))
  if (chosen.length === 0) throw new Error(`There are no mutants of ${only.join(', ')}.`)
  const trees = Array.from({ length: Math.min(poolSize, chosen.length) }, (_, i) => makeTree(join(folder, String(i))))
  const originals = readOriginals(trees[0], chosen)
  await requireGreen(trees, chosen)
  const results = []
  const queue = chosen.values()
  await Promise.all(
    trees.map(async (tree) => {
      for (const mutant of queue) {
        const result = await tryOne(tree, mutant, originals.get(mutant.file))
        results.push(result)
        show(result, results.length, chosen.length)
      }
    }),
  )
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  return tell(results, Date.now() - began, json)
}

/** A copy of all that forge needs, so that nobody's sources change; what only tools read is linked. */
function makeTree(tree) {
  rmSync(join(tree, 'contracts'), { recursive: true, force: true })
  mkdirSync(join(tree, 'test'), { recursive: true })
  for (const path of ['contracts', 'schemas', 'test/vectors'])
    cpSync(join(root, path), join(tree, path), { recursive: true })
  for (const path of ['node_modules', 'scripts']) {
    rmSync(join(tree, path), { force: true })
    symlinkSync(join(root, path), join(tree, path))
  }
  return tree
}

/** Each file's text; a mutant that no longer finds its guard is a mistake of the list, and said before anything runs. */
function readOriginals(tree, chosen) {
  const originals = new Map()
  for (const { file, find, nth } of chosen) {
    if (!originals.has(file)) originals.set(file, readFileSync(join(tree, file), 'utf8'))
    const count = originals.get(file).split(find).length - 1
    if (nth === undefined ? count !== 1 : count <= nth)
      throw new Error(`${file} has ${count} of ${JSON.stringify(find)}: mend contracts/test/mutants/.`)
  }
  return originals
}

/** Unless everything passes unchanged, a test that fails says nothing. One tree compiles; the other then finds it all. */
async function requireGreen(trees, chosen) {
  const tests = [...new Set(chosen.map((mutant) => mutant.tests))]
  for (const tree of trees) {
    for (const names of tests) {
      const { outcome, failed } = await runTests(tree, names)
      if (outcome !== 'passed') throw new Error(`Without a mutant ${names}: ${outcome} ${failed.join(', ')}`)
    }
  }
}

async function tryOne(tree, mutant, original) {
  const path = join(tree, mutant.file)
  const { find, replace, nth = 0 } = mutant
  const parts = original.split(find)
  writeFileSync(path, parts.slice(0, nth + 1).join(find) + replace + parts.slice(nth + 1).join(find))
  try {
    const { outcome, failed } = await runTests(tree, mutant.tests)
    return { ...mutant, outcome: { passed: 'survived', failed: 'killed', broken: 'broken' }[outcome], killedBy: failed }
  } finally {
    writeFileSync(path, original)
  }
}

/** `passed`, `failed` with the tests that did, or `broken`: nothing compiled, or nothing ran. */
async function runTests(tree, names) {
  // Forge looks for the checkout's root by itself, and would test that.
  const args = ['test', '--root', tree, '--json', '--fail-fast', '--match-path', `contracts/test/${names}.t.sol`]
  const env = { FOUNDRY_PROFILE: 'lite' }
  const { code, text } = await forge(args, { tree, env, capture: true, quiet: true })
  const tests = Object.values(parsed(text) ?? {}).flatMap(({ test_results }) => Object.entries(test_results))
  const failed = tests.filter(([, { status }]) => status === 'Failure').map(([name]) => name.replace(/\(.*/, ''))
  if (failed.length > 0) return { outcome: 'failed', failed }
  return { outcome: code === 0 && tests.length > 0 ? 'passed' : 'broken', failed }
}

function show({ file, outcome, lets, find, replace }, done, total) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${done} of ${total}`)
  if (outcome === 'killed') return
  const change = `${JSON.stringify(find)} -> ${JSON.stringify(replace)}`
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  console.error(`${outcome} ${file}: ${change} (${lets})`)
}

function tell(results, ms, json) {
  const of = (wanted) => results.filter(({ outcome }) => outcome === wanted)
  const [killed, survived, broken] = ['killed', 'survived', 'broken'].map(of)
  if (json) console.log(JSON.stringify({ mutants: results.length, killed: killed.length, survived, broken, ms }))
  else
    console.log(
      `${results.length} mutants in ${Math.round(ms / 1000)} s: ${killed.length} killed, ${survived.length} survived, ` +
        `${broken.length} do not compile.`,
    )
  return survived.length + broken.length > 0 ? 1 : 0
}
