// Fetches the peers' packages from npm as they are published, without what they depend on.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { packageFolder } from '../../src/cli/shipped.js'

/** How one peer's sources are compiled: its own compiler and settings, and which package each import prefix means. */
export interface Project {
  readonly solc: string
  /** The EVM version compiled for, where it is not the compiler's default. */
  readonly evm?: string
  readonly runs: number
  /** Whether code is made by way of Yul, and without a trace of its sources. */
  readonly viaIr?: boolean
  /** Import prefix → `name@version`, with a folder in it where a later release moved a file. */
  readonly imports: Readonly<Record<string, string>>
}

interface Pins {
  /** `name@version` → sha512 integrity as npm states it. */
  readonly packages: Readonly<Record<string, string>>
  readonly projects: Readonly<Record<string, Project>>
}

const folder = join(packageFolder, 'dist/bench/peers')
const pins = JSON.parse(readFileSync(join(packageFolder, 'bench/gas/peers.json'), 'utf8')) as Pins

/** The settings of one peer's project, by its name in peers.json. */
export function project(name: string): Project {
  const found = pins.projects[name]
  if (found === undefined) throw new Error(`peers.json has no project ${name}`)
  return found
}

/** The folder on disk that an entry of `imports` means. */
export function importFolder(target: string): string {
  const [spec, inside] = /^((?:@[^/]+\/)?[^/]+)\/?(.*)$/.exec(target)!.slice(1)
  return join(unpacked(spec!), inside!)
}

/** The folder of one pinned package, `name@version`; the first time it is fetched, checked and unpacked. */
export function unpacked(spec: string): string {
  const target = join(folder, spec.replaceAll('/', '+'))
  if (existsSync(target)) return target
  const integrity = pins.packages[spec]
  if (integrity === undefined) throw new Error(`peers.json does not pin ${spec}`)
  mkdirSync(folder, { recursive: true })
  const work = mkdtempSync(join(folder, '.new-'))
  try {
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
    const args = ['pack', spec, '--ignore-scripts', '--json', '--pack-destination', work]
    execFileSync(npm, args, { cwd: packageFolder, stdio: 'pipe' })
    const tarball = join(work, readdirSync(work)[0]!)
    const actual = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`
    if (actual !== integrity) throw new Error(`${spec} has integrity ${actual}, but peers.json pins ${integrity}`)
    execFileSync('tar', ['-xzf', tarball, '-C', work], { stdio: 'pipe' })
    // Whole or not at all: a run that is interrupted leaves no half package behind.
    renameSync(join(work, 'package'), target)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return target
}
