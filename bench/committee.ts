// A throw-away committee of processes for a benchmark, in a temporary folder.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type InitOptions, initCommittee } from '../src/cli/init.js'

/** A process of a benchmark and the lines it prints. */
export interface Bencher {
  readonly child: ChildProcess
  readonly onLine: (listener: (line: string) => void) => void
}

/** A committee's folder under the system's temporary one. */
export async function makeCommittee(options: InitOptions): Promise<{ folder: string; remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  await initCommittee(folder, { light: true, ...options })
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Runs a compiled module of this folder with `args`; its errors come through. */
export function spawnBencher(module: string, args: readonly string[]): Bencher {
  const file = fileURLToPath(new URL(module, import.meta.url))
  const child = spawn(process.execPath, [file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout! })
  return { child, onLine: (listener) => lines.on('line', listener) }
}

/** Resolves when `count` lines equal to `word` have come from `benchers` together. */
export function waitFor(benchers: readonly Bencher[], word: string, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = 0
    for (const { child, onLine } of benchers) {
      child.once('exit', (code) => reject(new Error(`a process of the benchmark ended with ${code}`)))
      onLine((line) => {
        if (line === word && ++seen === count) resolve()
      })
    }
  })
}

/** Ends the processes and waits for them. */
export async function stopAll(benchers: readonly Bencher[]): Promise<void> {
  await Promise.all(
    benchers.map(
      ({ child }) =>
        new Promise<void>((resolve) => {
          if (child.exitCode !== null || child.signalCode !== null) return resolve()
          child.once('exit', () => resolve())
          child.kill('SIGTERM')
          child.stdin?.end()
        }),
    ),
  )
}

/** Resolves after `delayMs`. */
export function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs))
}
