// Runs npm's forge on this checkout with contracts/foundry.toml, whatever the working directory is.

import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout; forge's paths are relative to it, as Solidity cannot import from above its root. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Runs forge in `tree`, by default this checkout, and resolves to its exit code and, with `capture`, its output; `env` is
 * added to the environment, `quiet` leaves its complaints out.
 * The binary is called directly: the package's launcher passes neither signals of a closed pipe nor exit codes on.
 */
export function forge(args, { tree = root, env = {}, capture = false, quiet = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(binary(), args, {
      cwd: tree,
      env: { ...process.env, FOUNDRY_CONFIG: join(tree, 'contracts/foundry.toml'), ...env },
      stdio: ['ignore', capture ? 'pipe' : 'inherit', quiet ? 'ignore' : 'inherit'],
    })
    const chunks = []
    child.stdout?.on('data', (chunk) => chunks.push(chunk))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, text: Buffer.concat(chunks).toString('utf8') }))
  })
}

function binary() {
  const platform = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`
  const launcher = fileURLToPath(import.meta.resolve('@foundry-rs/forge/package.json'))
  const name = process.platform === 'win32' ? 'forge.exe' : 'forge'
  return createRequire(launcher).resolve(`@foundry-rs/forge-${platform}/bin/${name}`)
}
