// The package as its users get it: packed, installed elsewhere, run.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const mebibytesMax = 60
let home = ''
let installedMebibytes = 0

function npm(args: readonly string[], cwd: string): string {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Blocks that a folder takes, as du counts. */
function bytesOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).reduce(
    (sum, entry) => sum + 512 * statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })!.blocks,
    0,
  )
}

function assay(...args: readonly string[]): {
  readonly status: number | null
  readonly out: string
  readonly err: string
} {
  const { status, stdout, stderr } = spawnSync('npx', ['--no-install', 'assay', ...args], {
    cwd: home,
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { status, out: stdout, err: stderr }
}

/** Three venues and five minutes, made up here. */
function writeRecordings(folder: string): void {
  mkdirSync(folder)
  for (const [i, venue] of ['coinbase', 'kraken', 'bitstamp'].entries()) {
    const rows = [0, 1, 2, 3, 4].map((minute) => {
      const price = `${20_000 + 10 * minute + i}.5`
      return `2024-01-01T00:0${minute}:00Z,${price},${price},${price},${price},1`
    })
    writeFileSync(join(folder, `${venue}-btc-usd.csv`), `time,open,high,low,close,volume\n${rows.join('\n')}\n`)
  }
}

describe('the package', () => {
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'assay-package-'))
    execFileSync(process.execPath, ['scripts/ready.mjs', '--quiet', '--package'], { cwd: root })
    npm(['pack', '--silent', '--pack-destination', home], root)
    const tarball = readdirSync(home).find((name) => name.endsWith('.tgz'))!
    writeFileSync(join(home, 'package.json'), '{"private": true, "type": "module"}')
    npm(['install', '--no-fund', '--no-audit', '--loglevel=error', `./${tarball}`], home)
    installedMebibytes = bytesOf(join(home, 'node_modules')) / 2 ** 20
  }, 120_000)
  afterAll(() => rmSync(home, { recursive: true, force: true }))

  it(`takes at most ${mebibytesMax} MiB installed`, () => {
    expect(installedMebibytes).toBeGreaterThan(1)
    expect(installedMebibytes).toBeLessThanOrEqual(mebibytesMax)
  })

  it('holds no tests, no sources and no secrets, and the licences of what it bundles', () => {
    const files = readdirSync(join(home, 'node_modules/assay'), { recursive: true, encoding: 'utf8' })
    expect(files.filter((file) => /(^test|\.test\.|\.map$|[^d]\.ts$|\.pem$|passphrase$)/.test(file))).toEqual([])
    expect(files).toContain('dist/package/LICENCES.txt')
    expect(files).toContain('feeds/spot.yaml')
  })

  it('runs a demo of recordings', () => {
    writeRecordings(join(home, 'recordings'))
    const { status, out } = assay('demo', '--recordings', 'recordings', '--json', '--port', '0')
    expect(status).toBe(0)
    const summary = JSON.parse(out.trim().split('\n').at(-1)!)
    expect(summary).toMatchObject({ mode: 'recordings', oracles: 4 })
    expect(summary.feeds[0]).toMatchObject({ name: 'btc-usd', value: '20041.50000000', status: 'OK' })
  }, 60_000)

  it('says what is missing when there is nothing to read', () => {
    const { status, err } = assay('demo', '--sources', 'bundled')
    expect(status).toBe(1)
    expect(err).toMatch(/DEMO_SOURCES_ABSENT/)
    expect(err).toMatch(/--recordings/)
  }, 30_000)

  it('gives a service or a browser the client by name', () => {
    const client = readFileSync(join(home, 'node_modules/assay/dist/package/client.js'), 'utf8')
    expect(client.match(/\b(?:from|import)\s*\(?\s*['"][^'"]+['"]/g)).toBeNull()
    writeFileSync(
      join(home, 'try.js'),
      "import { createClient } from 'assay/client'\nconsole.log(typeof createClient)\n",
    )
    expect(execFileSync(process.execPath, ['try.js'], { cwd: home, encoding: 'utf8' })).toBe('function\n')
  })
})
