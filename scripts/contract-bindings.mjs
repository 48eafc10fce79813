// Writes ethers bindings for the committed contract artifacts, typed by their ABIs, with TypeChain.

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Writes a module a contract into `folder` of `root`, and a factory each; leaves them alone when they are up to date. */
export async function writeBindings(root, folder = 'src/chain/generated') {
  const source = join(root, 'contracts/artifacts')
  const files = readdirSync(source)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(source, name))
  // This script is part of what its output depends on, and so is the generator.
  const inputs = [
    fileURLToPath(import.meta.url),
    join(root, 'node_modules/@typechain/ethers-v6/package.json'),
    ...files,
  ]
  const stamp = createHash('sha256')
  for (const path of inputs) stamp.update(readFileSync(path))
  const digest = stamp.digest('hex')
  const target = join(root, folder)
  const stampPath = join(target, '.stamp')
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === digest) return

  rmSync(target, { recursive: true, force: true })
  const { runTypeChain } = await import('typechain')
  await runTypeChain({
    cwd: root,
    filesToProcess: files,
    allFiles: files,
    inputDir: source,
    outDir: target,
    target: fileURLToPath(import.meta.resolve('@typechain/ethers-v6')),
    flags: {
      alwaysGenerateOverloads: false,
      discriminateTypes: false,
      environment: undefined,
      node16Modules: true,
      tsNocheck: false,
    },
  })
  for (const name of readdirSync(join(target, 'factories'))) declareTypes(join(target, 'factories', name))
  writeFileSync(stampPath, digest)
}

/** TypeChain leaves the types of two properties to be inferred, which isolatedDeclarations forbids. */
function declareTypes(path) {
  const text = readFileSync(path, 'utf8')
    .replace('static readonly abi = _abi;', 'static readonly abi: typeof _abi = _abi;')
    .replace('static readonly bytecode = _bytecode;', 'static readonly bytecode: string = _bytecode;')
  writeFileSync(path, text)
}
