// A chain, a committee of one declared feed with an API over it, its sources on loopback, and the command line as a process.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { declaredFeeds } from '../../src/cli/declared.js'
import { fromHex } from '../../src/core/bytes.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { createKeystore } from '../../src/crypto/keystore.js'
import { epoch, type Served, serve, timeOf } from '../api/served.js'
import { type Anvil, startAnvil } from '../chain/anvil.js'
import { attestedAtMs as firstMs } from '../signed-report.js'

/** The first account of anvil's public mnemonic: rich on every anvil, worthless elsewhere. */
export const rich = {
  key: '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  address: '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
} as const

const venues = ['alpha', 'beta', 'gamma', 'delta', 'epsilon']

export const declaration: string = `version: 1
name: btc-usd
title: BTC in USD, spot
value: price
unit: USD
decimals: 8
sources:
${venues
  .map(
    (name) =>
      `  - { adapter: http-json, version: 1, params: { url: "https://${name}.example/", pick: /price }, group: ${name}, class: spot }`,
  )
  .join('\n')}
combineSources: { minSources: 3, minGroups: 3, outlierPercent: "2" }
bounds: { min: "1000", max: "10000000" }
freshness: { maxAgeS: 60, validForS: 120 }
schedule: { every: 5s }
triggers: { deviationPercent: "0.5", heartbeatS: 120 }
risk: standard
retentionDays: 90
licence: Made up for tests.
`

/** What a command said. */
export interface Said {
  readonly code: number | null
  /** The last line of standard output as JSON; null where there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever a command says.
  readonly json: any
  /** The error on standard error. */
  readonly error: { readonly code: string; readonly message: string; readonly path: string } | null
  readonly stdout: string
  readonly stderr: string
}

export interface Scene {
  readonly anvil: Anvil
  readonly served: Served
  readonly folder: string
  /** Options that name the sources of the shadow check. */
  readonly sources: readonly string[]
  /** What the sources say. */
  price: string
  /** Attests `units` as of `atMs`, ms since 1970, with a status. */
  attest(units: bigint, atMs?: number, status?: number): Promise<void>
  /** Runs `assay chain …` with --json to its end, on this chain unless endpoints are named. */
  run(args: readonly string[], rpc?: readonly string[]): Promise<Said>
  /** What a command says to people on standard output. */
  look(args: readonly string[]): Promise<string>
  /** Begins one that a test ends. */
  begin(args: readonly string[], rpc?: readonly string[]): ChildProcess
  /** A keystore of `privateKey`, as options. */
  keyOf(name: string, privateKey: string): Promise<readonly string[]>
  /** Options of the rich key. */
  readonly key: readonly string[]
  close(): Promise<void>
}

const main = join(import.meta.dirname, '../../dist/src/cli/main.js')

/** Opens the scene; `anvilArgs` are anvil's own. */
export async function openScene(anvilArgs: readonly string[] = []): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-chain-'))
  const engine = await createWasmEngine()
  const file = join(folder, 'btc.yaml')
  writeFileSync(file, declaration)
  const { documents, bundles } = declaredFeeds(engine, file)
  const served = await serve((document) => {
    Object.assign(document, { generation: 1, feeds: documents, bundles })
  })
  writeFileSync(join(folder, 'committee.json'), JSON.stringify(served.document))
  const anvil = await startAnvil(anvilArgs)
  const http = createServer((_, response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ price: scene.price })),
  )
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const passphrase = join(folder, 'passphrase')
  writeFileSync(passphrase, 'public\n', { mode: 0o600 })

  const keyOf = async (name: string, privateKey: string): Promise<readonly string[]> => {
    const path = join(folder, `${name}.json`)
    await createKeystore(path, fromHex(privateKey, 32)!, 'public', 1024)
    return ['--keystore', path, '--passphrase-file', passphrase]
  }
  const begin = (args: readonly string[], rpc: readonly string[] = [anvil.url], form = ['--json']): ChildProcess => {
    const endpoints = rpc.flatMap((url) => ['--rpc', url])
    return spawn(process.execPath, [main, ...form, 'chain', ...args, ...endpoints], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }
  const scene: Scene = {
    anvil,
    served,
    folder,
    price: '64000',
    sources: ['--declarations', file, ...venues.flatMap((name) => ['--origin', `${name}.example=${origin}`])],
    key: await keyOf('rich', rich.key),
    keyOf,
    begin,
    attest: async (units, atMs = Date.now(), status = 0) => {
      const round = Math.floor((atMs - firstMs) / 1000)
      const reading = { status, groups: 3, spreadPpm: 100, timeMs: timeOf(round) - 500, values: [units] }
      if (served.store.bySlot({ epoch, round }) === null) await served.report(round, [reading])
    },
    run: async (args, rpc) => {
      const output = await outputOf(begin(args, rpc))
      const last = output.stdout.trim().split('\n').at(-1)!
      const problem = output.stderr.trim().split('\n').at(-1)!
      return {
        json: last === '' ? null : JSON.parse(last),
        error: problem.startsWith('{"error"') ? JSON.parse(problem).error : null,
        ...output,
      }
    },
    look: async (args) => (await outputOf(begin(args, [anvil.url], []))).stdout,
    close: async () => {
      await Promise.all([served.close(), anvil.stop(), new Promise((resolve) => http.close(resolve))])
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return scene
}

async function outputOf(child: ChildProcess): Promise<Pick<Said, 'code' | 'stdout' | 'stderr'>> {
  const output = { stdout: '', stderr: '' }
  child.stdout!.on('data', (bytes) => (output.stdout += bytes))
  child.stderr!.on('data', (bytes) => (output.stderr += bytes))
  const late = setTimeout(() => child.kill('SIGKILL'), 40_000)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearTimeout(late)
  return { code, ...output }
}
