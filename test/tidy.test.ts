// The house rules as a test: who may import whom, how long a file may be, what no file may contain.

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { errorCodes } from '../src/base/error-codes.js'
import { version } from '../src/base/version.js'

const root = normalize(join(import.meta.dirname, '..'))
const tracked = filesOfTheProject().filter((file) => file !== '' && existsSync(join(root, file)))
const sources = tracked.filter((file) => /\.(ts|mjs)$/.test(file))
const linesMax = 400

/** What git tracks or would; without git or a checkout, all that is not made or installed. */
function filesOfTheProject(): readonly string[] {
  try {
    const args = ['ls-files', '--cached', '--others', '--exclude-standard']
    return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')
  } catch {
    const made = /(^|\/)(node_modules|dist|generated|coverage|\.git)(\/|$)/
    return readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
      .filter((file) => !made.test(file))
  }
}

/** Who may import whom (ARCHITECTURE.md): each folder or file of src to the prefixes it may name, its own included. */
const importTable: Readonly<Record<string, readonly string[]>> = {
  'src/core/': ['src/core/', 'src/base/errors.ts'],
  'src/base/': ['src/base/'],
  'src/schema/': ['src/schema/', 'src/base/', 'src/core/'],
  'src/crypto/': ['src/crypto/', 'src/base/', 'src/core/'],
  'src/store/': ['src/store/', 'src/base/', 'src/core/'],
  'src/chain/': ['src/chain/', 'src/base/', 'src/core/'],
  'src/deliver/': [
    'src/deliver/',
    'src/base/',
    'src/core/',
    'src/schema/',
    'src/crypto/',
    'src/store/',
    'src/chain/',
    'src/feed/declaration.ts',
  ],
  'src/feed/': ['src/feed/', 'src/base/', 'src/core/', 'src/schema/', 'src/observe/adapter.ts'],
  'src/observe/': [
    'src/observe/',
    'src/base/',
    'src/core/',
    'src/schema/',
    'src/crypto/',
    'src/chain/',
    'src/feed/declaration.ts',
    'src/feed/source-key.ts',
  ],
  'src/network/': ['src/network/', 'src/base/', 'src/core/', 'src/schema/', 'src/crypto/', 'src/chain/'],
  'src/api/': [
    'src/api/',
    'src/base/',
    'src/core/',
    'src/schema/',
    'src/store/',
    'src/client/',
    'src/observe/facts.ts',
    'src/deliver/chain-event.ts',
  ],
  'src/replay/': ['src/replay/', 'src/base/'],
  'adapters/': ['adapters/', 'src/observe/adapter.ts', 'src/observe/source-error.ts', 'src/observe/parse/'],
  'src/client/': ['src/client/', 'src/core/', 'src/base/errors.ts'],
  'src/runner.ts': ['src/core/', 'src/base/', 'src/network/verify.ts', 'src/network/wire.ts', 'src/crypto/keyring.ts'],
  'src/oracle-event.ts': ['src/core/', 'src/deliver/chain-event.ts'],
  'src/watch.ts': ['src/core/', 'src/oracle-event.ts'],
  'src/config.ts': ['src/core/', 'src/base/', 'src/schema/', 'src/chain-config.ts'],
  'src/chain-config.ts': ['src/base/', 'src/chain/', 'src/deliver/'],
  'src/chain-part.ts': [
    'src/base/',
    'src/core/',
    'src/crypto/',
    'src/chain/',
    'src/deliver/',
    'src/store/',
    'src/chain-config.ts',
    'src/chain-payers.ts',
  ],
  'src/chain-payers.ts': ['src/base/', 'src/chain/', 'src/chain-config.ts'],
  'src/chains.ts': ['src/'],
  'src/oracle-view.ts': ['src/'],
  'src/report-waits.ts': [],
  'src/open-source-part.ts': ['src/'],
  'src/feed-source.ts': ['src/', 'adapters/index.ts'],
  'src/member.ts': ['src/'],
  'src/node.ts': ['src/'],
  'src/cli/': ['src/', 'adapters/index.ts'],
  'bench/': [''],
  'test/': [''],
}

/** npm packages and the files or folders that may import each, one as a rule; test and bench may import anything. */
const packageOwners: Readonly<Record<string, string | readonly string[]>> = {
  '@bitauth/libauth': 'src/crypto/engine-wasm.ts',
  'hash-wasm': 'src/crypto/engine-wasm.ts',
  '@noble/curves': 'src/client/engine-noble.ts',
  '@noble/hashes': 'src/client/engine-noble.ts',
  // Keystore files, and all that speaks with chains.
  ethers: ['src/crypto/keystore.ts', 'src/chain/'],
  lmdb: 'src/store/',
  pino: 'src/base/log.ts',
  ajv: 'src/schema/',
  commander: 'src/cli/',
  undici: 'src/observe/',
  'lossless-json': 'src/observe/parse/',
  saxes: 'src/observe/parse/',
  yaml: 'src/feed/',
  'node-cron': 'src/observe/',
  fastify: 'src/api/',
  '@fastify/swagger': 'src/api/',
  'prom-client': 'src/api/',
  'csv-parse': 'src/replay/',
  'eventsource-parser': 'src/client/',
  '@peculiar/x509': 'src/network/certificate.ts',
  'reflect-metadata': 'src/network/certificate.ts',
}

interface Import {
  readonly file: string
  readonly target: string
}

const imports: readonly Import[] = sources
  .filter((file) => /^(src|adapters)\//.test(file) && !file.includes('/generated/'))
  .flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8')
    const found = text.matchAll(/(?:from\s+|import\s*\(\s*|import\s+)'([^']+)'/g)
    return [...found].map((match) => ({ file, target: match[1]! }))
  })

const isLocal = (target: string): boolean => target.startsWith('.')
const resolved = ({ file, target }: Import): string => normalize(join(dirname(file), target)).replace(/\.js$/, '.ts')
const packageOf = (target: string): string =>
  target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/')

const ownersOf = (target: string): readonly string[] => [packageOwners[packageOf(target)] ?? []].flat()

describe('imports', () => {
  it('follow the import table', () => {
    const strays = imports.filter(({ file, target }) => {
      if (!isLocal(target)) return false
      const row = Object.keys(importTable).find((prefix) => file.startsWith(prefix))
      if (row === undefined) return true
      return !importTable[row]!.some((prefix) => resolved({ file, target }).startsWith(prefix))
    })
    expect(strays).toEqual([])
    expect(imports.length).toBeGreaterThan(50)
  })

  it('keep the core and the client free of Node and, but for the engine, of packages', () => {
    const strays = imports.filter(
      ({ file, target }) =>
        !isLocal(target) &&
        /^src\/(core|client)\//.test(file) &&
        !ownersOf(target).some((owner) => owner.startsWith('src/client/')),
    )
    expect(strays).toEqual([])
  })

  it('hold each package in one file or folder', () => {
    const strays = imports.filter(({ file, target }) => {
      if (isLocal(target) || target.startsWith('node:')) return false
      return !ownersOf(target).some((owner) => file.startsWith(owner))
    })
    expect(strays).toEqual([])
  })

  it('let only the command line read its arguments and environment', () => {
    const strays = sources.filter(
      (file) =>
        file.startsWith('src/') &&
        !file.startsWith('src/cli/') &&
        /process\.(env|argv)/.test(readFileSync(join(root, file), 'utf8')),
    )
    expect(strays).toEqual([])
  })
})

describe('files', () => {
  it(`are at most ${linesMax} lines`, () => {
    const long = sources.filter((file) => readFileSync(join(root, file), 'utf8').split('\n').length > linesMax + 1)
    expect(long).toEqual([])
  })

  it('open with one sentence that says what they are for', () => {
    const silent = sources.filter((file) => {
      const text = readFileSync(join(root, file), 'utf8').replace(/^#!.*\n/, '')
      return /^(src|bench|test\/simulation|scripts)\//.test(file) && !/^\/\/ [A-Z`a-z]/.test(text)
    })
    expect(silent).toEqual([])
  })

  it('have kebab-case names', () => {
    const strays = sources.filter((file) => !/^[a-z0-9.-]+$/.test(file.split('/').at(-1)!) && !/vitest/.test(file))
    expect(strays).toEqual([])
  })

  it('name no registry, no path of one machine, and leave nothing undone', () => {
    // Put together here, so that this file does not hold what it looks for.
    const hosts = ['registry.' + 'npmjs', 'registry.' + 'yarnpkg', 'deb.' + 'debian.org']
    const undone = ['TO' + 'DO', 'FIX' + 'ME', '.sk' + 'ip(', '.on' + 'ly(']
    const paths = ['/wo' + 'rk/', '/ro' + 'ot/', '/ho' + 'me/']
    const found = tracked
      .filter((file) => !/^test\/vectors\//.test(file))
      .flatMap((file) => {
        const text = readFileSync(join(root, file), 'utf8')
        const words = /\.(ts|mjs)$/.test(file) ? [...hosts, ...undone, ...paths] : [...hosts, ...paths]
        return words.filter((word) => text.includes(word)).map((word) => `${file}: ${word}`)
      })
    expect(found).toEqual([])
  })

  it('use no barrel: no file only re-exports', () => {
    const barrels = sources.filter(
      (file) => file.startsWith('src/') && /^export (\*|\{[^}]*\}) from/m.test(readFileSync(join(root, file), 'utf8')),
    )
    expect(barrels).toEqual([])
  })
})

describe('the version', () => {
  it('is that of package.json', () => {
    expect(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))).toMatchObject({ version })
  })
})

describe('docs/errors.md', () => {
  it('has a line for every error code, and no other', () => {
    const text = readFileSync(join(root, 'docs/errors.md'), 'utf8')
    const documented = [...text.matchAll(/^\| ([A-Z][A-Z0-9_]+) \|/gm)].map((match) => match[1]!)
    expect([...documented].sort()).toEqual(Object.keys(errorCodes).sort())
    expect(new Set(documented).size).toBe(documented.length)
  })
})
