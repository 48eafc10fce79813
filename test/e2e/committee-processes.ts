// A committee of real processes in a folder of its own, on free ports, each event at hand, and nothing left behind.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { nodeDisk } from '../../src/base/disk.js'
import { initCommittee } from '../../src/cli/init.js'
import { loadCommittee } from '../../src/config.js'
import { fromHex } from '../../src/core/bytes.js'
import type { Committee } from '../../src/core/committee.js'
import { createWasmEngine, type SigningEngine } from '../../src/crypto/engine-wasm.js'
import type { OracleEvent } from '../../src/oracle-event.js'
import { openReportStore, type StoredReport } from '../../src/store/report-store.js'
import { createSlotRecord } from '../../src/store/slot-record.js'

export const engine: SigningEngine = await createWasmEngine()
const main = join(import.meta.dirname, '../../dist/src/cli/main.js')

/** An event with the steady time at which it was read, ms. */
export type SeenEvent = OracleEvent & { readonly atMs: number }
type EventOf<K extends OracleEvent['event']> = Extract<OracleEvent, { event: K }> & { readonly atMs: number }

export interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command line to its end; `shell` runs before it in the same shell, `ulimit -n 40` say. */
export async function assay(args: readonly string[], shell?: string): Promise<Run> {
  const command = [process.execPath, main, ...args]
  const child =
    shell === undefined
      ? spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
      : spawn('/bin/sh', ['-c', `${shell}; exec "$0" "$@"`, ...command], { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  child.stdout!.on('data', (bytes) => (output.stdout += bytes))
  child.stderr!.on('data', (bytes) => (output.stderr += bytes))
  const late = setTimeout(() => child.kill('SIGKILL'), 30_000)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearTimeout(late)
  return { code, ...output }
}

/** One running oracle. */
export class OracleProcess {
  readonly folder: string
  readonly spawnedAtMs: number
  readonly events: SeenEvent[] = []
  stderr = ''
  readonly #child: ChildProcess
  readonly #exited: Promise<number | null>
  #wake: (() => void)[] = []

  constructor(folder: string, shell?: string) {
    this.folder = folder
    this.spawnedAtMs = performance.now()
    const command = [process.execPath, main, 'start', folder, '--json']
    this.#child =
      shell === undefined
        ? spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
        : spawn('/bin/sh', ['-c', `${shell}; exec "$0" "$@"`, ...command], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child.stderr!.on('data', (bytes) => (this.stderr += bytes))
    const lines = createInterface({ input: this.#child.stdout! })
    lines.on('line', (line) => {
      this.events.push({ ...(JSON.parse(line) as OracleEvent), atMs: performance.now() })
      for (const wake of this.#wake.splice(0)) wake()
    })
    // 'close' comes after the last line was read.
    this.#exited = new Promise((resolve) =>
      this.#child.once('close', (code) => {
        resolve(code)
        for (const wake of this.#wake.splice(0)) wake()
      }),
    )
  }

  get pid(): number {
    return this.#child.pid!
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** All events of a kind so far. */
  all<K extends OracleEvent['event']>(kind: K): EventOf<K>[] {
    return this.events.filter((event) => event.event === kind) as unknown as EventOf<K>[]
  }

  /** The first event of `kind` seen after steady time `sinceMs` that `fits`; rejects after `timeoutMs`. */
  async wait<K extends OracleEvent['event']>(
    kind: K,
    fits: (event: EventOf<K>) => boolean = () => true,
    { sinceMs = Number.NEGATIVE_INFINITY, timeoutMs = 30_000 }: { sinceMs?: number; timeoutMs?: number } = {},
  ): Promise<EventOf<K>> {
    const deadlineMs = performance.now() + timeoutMs
    for (;;) {
      const found = this.all(kind).find((event) => event.atMs > sinceMs && fits(event))
      if (found) return found
      const leftMs = deadlineMs - performance.now()
      if (leftMs <= 0 || !this.isRunning) {
        const last = this.events.slice(-5).map((event) => JSON.stringify(event))
        throw new Error(
          `${this.folder}: no such ${kind} within ${timeoutMs} ms; last events:\n${last.join('\n')}\n${this.stderr}`,
        )
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(leftMs, 1000))
        this.#wake.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  /** Sends the signal and resolves with the exit code (null after a kill) once the process is gone. */
  end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<number | null> {
    if (this.isRunning) this.#child.kill(signal)
    return this.#exited
  }

  /** Resident bytes. */
  rssBytes(): number {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))![1]) * 1024
  }
}

export interface CommitteeOptions {
  readonly oracles?: number
  readonly feeds?: number
  /** Timers that differ from the template's. */
  readonly timing?: Readonly<Record<string, number>>
  /** How often the sources change; the template's second unless given. */
  readonly everyMs?: number
}

/** A committee's folder with the processes started from it. */
export interface CommitteeFolder {
  readonly folder: string
  readonly committee: Committee
  /** The folder of a member. */
  readonly of: (member: number) => string
  readonly ports: readonly number[]
  /** Starts the oracle of a folder. */
  readonly start: (folder: string, shell?: string) => OracleProcess
  /** Starts every member and waits until each has seen a report. */
  readonly startAll: () => Promise<OracleProcess[]>
  /** Every process started so far, dead or alive. */
  readonly started: readonly OracleProcess[]
}

/** Makes a committee, runs `act`, and kills and removes whatever is left of it. */
export async function withCommittee(
  options: CommitteeOptions,
  act: (committee: CommitteeFolder) => Promise<void>,
): Promise<void> {
  const { oracles = 4, feeds = 20, timing = {}, everyMs } = options
  const folder = mkdtempSync(join(tmpdir(), 'assay-e2e-'))
  const started: OracleProcess[] = []
  try {
    const ports = await freePorts(oracles)
    const home = join(folder, 'committee')
    await initCommittee(home, { oracles, feeds, host: '127.0.0.1', port: 7001, light: true, timing })
    const of = (member: number): string => join(home, `oracle-${member + 1}`)
    editJson(join(home, 'committee.json'), (document) => {
      ;(document['members'] as { endpoint: string }[]).forEach((member, i) => {
        member.endpoint = `127.0.0.1:${ports[i]}`
      })
    })
    for (let member = 0; member < oracles; member++) {
      editJson(join(of(member), 'config.json'), (config) => {
        if (everyMs !== undefined) (config['source'] as { everyMs: number }).everyMs = everyMs
      })
    }
    const start = (where: string, shell?: string): OracleProcess => {
      const oracle = new OracleProcess(where, shell)
      started.push(oracle)
      return oracle
    }
    const startAll = async (): Promise<OracleProcess[]> => {
      const all = Array.from({ length: oracles }, (_, member) => start(of(member)))
      await Promise.all(all.map((oracle) => oracle.wait('report')))
      return all
    }
    const committee = loadCommittee(engine, join(home, 'committee.json'))
    await act({ folder, committee, of, ports, start, startAll, started })
    for (const oracle of started) {
      if (/\n\s+at /.test(oracle.stderr)) throw new Error(`a stack trace in ${oracle.folder}: ${oracle.stderr}`)
    }
  } finally {
    await Promise.all(started.map((oracle) => oracle.end()))
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Rewrites a JSON file in place. */
export function editJson(file: string, edit: (document: Record<string, unknown>) => void): void {
  const document = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  edit(document)
  writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`)
}

/** A slot record as for a key that never signed, in the state folder of `where`, which is made unless it is there. */
export async function makeSlotRecord(committee: Committee, member: number, where: string): Promise<void> {
  const { salt, generation, members } = committee
  mkdirSync(join(where, 'state'), { recursive: true })
  const identity = { address: fromHex(members[member]!.address, 20)!, salt, generation }
  await createSlotRecord({ disk: nodeDisk, path: join(where, 'state/slots'), identity })
}

/** Where an oracle keeps its reports: the one file of them, since these committees change nothing that begins another. */
export function reportsIn(folder: string): string {
  const state = join(folder, 'state')
  const [name] = readdirSync(state).filter((file) => /^reports-[0-9a-f]{16}$/.test(file))
  return join(state, name!)
}

/** Every report that an oracle stored; its process must be gone. */
export async function storedReports(folder: string): Promise<StoredReport[]> {
  const store = await openReportStore({ path: reportsIn(folder), onState: () => undefined })
  try {
    return store.range({ limit: 1_000_000 })
  } finally {
    await store.close()
  }
}

/** Whether a member convicted another of contradicting itself. */
export function hasEvidence(folder: string): boolean {
  return existsSync(join(folder, 'state/evidence.jsonl'))
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Ports nobody listens on, below the range that the system gives to outgoing connections. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = 10_000 + Math.floor(Math.random() * 20_000)
    if (!ports.includes(port) && (await isFree(port))) ports.push(port)
  }
  return ports
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
