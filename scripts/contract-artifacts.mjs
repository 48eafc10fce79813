// What TypeScript and deployers need of each contract: one JSON a contract in contracts/artifacts/, committed, so that
// neither `npm start` nor `npm test` compiles Solidity.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { forge, root } from './forge.mjs'

const sourceFolders = ['contracts/src', 'contracts/examples']
const folder = join(root, 'contracts/artifacts')
/** EIP-170. */
const codeBytesMax = 24_576
// A build of its own for each process: out of a shared one, contracts that are gone would come along.
const out = join(root, `dist/contracts/build-${process.pid}`)

/** Compiles what can be deployed, and interfaces, and writes their artifacts; resolves to the names. Warnings may wait. */
export async function writeArtifacts() {
  const artifacts = await makeArtifacts('never')
  mkdirSync(folder, { recursive: true })
  for (const file of readdirSync(folder)) if (!artifacts.has(file)) rmSync(join(folder, file))
  for (const [file, text] of artifacts) if (committed(file) !== text) writeFileSync(join(folder, file), text)
  return [...artifacts.keys()]
}

/** What differs between the committed artifacts and those that the sources make: one sentence each. A warning is an error. */
export async function staleArtifacts() {
  const artifacts = await makeArtifacts('warnings')
  const gone = (existsSync(folder) ? readdirSync(folder) : []).filter((file) => !artifacts.has(file))
  return [
    ...gone.map((file) => `${file}: no contract has this name.`),
    ...[...artifacts].flatMap(([file, text]) => {
      const found = committed(file)
      if (found === undefined) return [`${file}: missing.`]
      return found === text ? [] : [`${file}: the sources make another one.`]
    }),
  ]
}

/** File names and texts of all artifacts. */
async function makeArtifacts(denied) {
  try {
    await compile(denied)
    return collect()
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

async function compile(denied) {
  const { code } = await forge(['build', ...sourceFolders.filter(isThere), '--quiet', '--deny', denied], {
    env: { FOUNDRY_PROFILE: 'default', FOUNDRY_OUT: join(out, 'out'), FOUNDRY_CACHE_PATH: join(out, 'cache') },
  })
  if (code !== 0) throw new Error('The contracts do not compile.')
}

function collect() {
  const artifacts = new Map()
  for (const path of readdirSync(join(out, 'out'), { recursive: true }).sort()) {
    if (!/\.sol[\\/][^\\/]+\.json$/.test(path)) continue
    const made = JSON.parse(readFileSync(join(out, 'out', path), 'utf8'))
    const [source, name] = Object.entries(made.metadata.settings.compilationTarget)[0]
    if (!sourceFolders.some((prefix) => source.startsWith(`${prefix}/`))) continue
    const kind = kindOf(readFileSync(join(root, source), 'utf8'), name)
    if (kind !== 'contract' && kind !== 'interface') continue
    const file = `${name}.json`
    if (artifacts.has(file)) throw new Error(`Two contracts are called ${name}.`)
    if (made.deployedBytecode.object.length / 2 - 1 > codeBytesMax) throw new Error(`${name} is too long to deploy.`)
    artifacts.set(file, `${JSON.stringify(sorted(artifactOf(made, source, name)), null, 2)}\n`)
  }
  return artifacts
}

function artifactOf(made, source, name) {
  return {
    contractName: name,
    sourceName: source,
    abi: made.abi,
    bytecode: made.bytecode.object,
    deployedBytes: (made.deployedBytecode.object.length - 2) / 2,
    // Without the numbers of syntax nodes, which change with any edit.
    storageLayout: (made.storageLayout?.storage ?? []).map(({ label, slot, offset, type }) => ({
      label,
      slot: Number(slot),
      offset,
      ...layoutOf(made.storageLayout.types, type),
    })),
  }
}

/** A type by its name in Solidity; of structs, also their members. */
function layoutOf(types, id) {
  const { label, members, value, base, numberOfBytes } = types[id]
  const inner = [value, base].find((type) => type !== undefined && types[type].members !== undefined)
  const named = { type: label, bytes: Number(numberOfBytes) }
  if (members === undefined) return inner === undefined ? named : { ...named, members: membersOf(types, inner) }
  return { ...named, members: membersOf(types, id) }
}

function membersOf(types, id) {
  return types[id].members.map(({ label, slot, offset, type }) => ({
    label,
    slot: Number(slot),
    offset,
    type: types[type].label,
  }))
}

/** Whether `name` is declared as contract, abstract contract, interface or library; forge's output does not say. */
function kindOf(text, name) {
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
  return code.match(new RegExp(`\\b(abstract\\s+contract|contract|interface|library)\\s+${name}\\b`))?.[1]
}

function isThere(path) {
  return existsSync(join(root, path))
}

function committed(file) {
  const path = join(folder, file)
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  )
}
