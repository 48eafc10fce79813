// Compiles a system's contracts with its own compiler, once for each content.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, posix } from 'node:path'
import type { JsonFragment } from 'ethers'
import { packageFolder } from '../../src/cli/shipped.js'
import { importFolder, project, unpacked } from './packages.js'

/** What is needed to deploy a contract and to call it. */
export interface Artifact {
  readonly abi: readonly JsonFragment[]
  readonly bytecode: string
}

interface Compiler {
  compile(input: string): string
}

interface Output {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[]
  readonly contracts?: Readonly<
    Record<string, Readonly<Record<string, { abi: readonly JsonFragment[]; evm: { bytecode: { object: string } } }>>>
  >
}

const require = createRequire(import.meta.url)
const cache = join(packageFolder, 'dist/bench/compiled')

/**
 * The contracts that the files `entries` of the project `name` define, by contract name.
 * `peers/X.sol` is a file of bench/gas/peers, `ours/X.sol` of bench/gas/ours, `contracts/…` of the project; `made` holds sources that the bench writes itself.
 */
export function compile(
  name: string,
  entries: readonly string[],
  made: Readonly<Record<string, string>> = {},
): Readonly<Record<string, Artifact>> {
  const { solc, runs, evm, viaIr } = project(name)
  const sources = collect(name, entries, made)
  const input = JSON.stringify({
    language: 'Solidity',
    sources: Object.fromEntries(Object.entries(sources).map(([unit, content]) => [unit, { content }])),
    settings: {
      optimizer: { enabled: true, runs },
      ...(evm === undefined ? {} : { evmVersion: evm }),
      ...(viaIr === true ? { viaIR: true, metadata: { bytecodeHash: 'none', appendCBOR: false } } : {}),
      outputSelection: Object.fromEntries(entries.map((unit) => [unit, { '*': ['abi', 'evm.bytecode.object'] }])),
    },
  })
  const file = join(cache, `${createHash('sha256').update(solc).update(input).digest('hex')}.json`)
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Record<string, Artifact>
  const output = JSON.parse(compiler(solc).compile(input)) as Output
  const errors = (output.errors ?? []).filter(({ severity }) => severity === 'error')
  if (errors.length > 0) throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join('\n'))
  const artifacts: Record<string, Artifact> = {}
  for (const unit of entries) {
    for (const [contract, { abi, evm }] of Object.entries(output.contracts?.[unit] ?? {})) {
      artifacts[contract] = { abi, bytecode: `0x${evm.bytecode.object}` }
    }
  }
  mkdirSync(cache, { recursive: true })
  writeFileSync(file, JSON.stringify(artifacts))
  return artifacts
}

/** Every source unit that `entries` need, by its name, following imports. */
function collect(
  name: string,
  entries: readonly string[],
  made: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const sources: Record<string, string> = {}
  const waiting = [...entries]
  for (let unit = waiting.pop(); unit !== undefined; unit = waiting.pop()) {
    if (unit in sources) continue
    const text = made[unit] ?? readFileSync(locate(name, unit), 'utf8')
    sources[unit] = text
    for (const [, target] of text.matchAll(/^\s*import\b[^;'"]*['"]([^'"]+)['"]/gm)) {
      waiting.push(target!.startsWith('.') ? posix.join(posix.dirname(unit), target!) : target!)
    }
  }
  return sources
}

/** Where a source unit lies on disk. */
function locate(name: string, unit: string): string {
  if (unit.startsWith('peers/') || unit.startsWith('ours/')) return join(packageFolder, 'bench/gas', unit)
  if (unit.startsWith('contracts/')) return join(packageFolder, unit)
  // Ours are made of what is installed, peers' of what they pin.
  if (name === 'assay') return require.resolve(unit)
  const found = Object.entries(project(name).imports).find(([prefix]) => unit.startsWith(prefix))
  if (found === undefined) throw new Error(`No package of project ${name} holds ${unit}`)
  return join(importFolder(found[1]), unit.slice(found[0].length))
}

/** The compiler of that version: npm's `solc` wraps the emscripten build of any other version too. */
function compiler(version: string): Compiler {
  if ((require('solc/package.json') as { version: string }).version === version) return require('solc') as Compiler
  const wrap = require('solc/wrapper') as (build: unknown) => Compiler
  return wrap(require(join(unpacked(`solc@${version}`), 'soljson.js')))
}
