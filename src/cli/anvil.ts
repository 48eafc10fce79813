// A private chain in a process of its own: anvil, which ends whenever the process that started it does.

import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** A running anvil. */
export interface Anvil {
  /** http://127.0.0.1:PORT */
  readonly url: string
  /** Of anvil itself. */
  readonly pid: number
  /** The guard that started anvil: whatever ends it, or the pipe to its standard input, ends anvil. */
  readonly guard: ChildProcess
  /** One JSON-RPC call; an error of the node rejects with its words, and with its data as the cause. */
  ask<T = unknown>(method: string, ...params: readonly unknown[]): Promise<T>
  /** Resolves when anvil is gone. */
  stop(): Promise<void>
}

/**
 * Stands between the two, since anvil does not notice that its parent is gone: standard input ends when this process
 * does, however it does. It runs apart from the terminal's signals, which are for the parent to answer.
 */
const guardScript = `
const child = require('node:child_process').spawn(process.argv[1], process.argv.slice(2), { stdio: ['ignore', 'inherit', 'ignore'] })
const end = () => void child.kill('SIGKILL')
process.stdin.on('end', end).on('error', end).resume()
process.on('SIGTERM', end)
child.on('error', () => process.exit(127))
child.on('exit', (code) => process.exit(code ?? 1))
process.stdout.write('anvil is ' + child.pid + '\\n')
`

/** States of so many blocks, in memory: by default anvil writes old ones to the user's disk, and a killed one leaves them. */
const memory = ['--prune-history', '1000']

/** Anvil's program, from the package @foundry-rs/anvil; null where it is not installed. */
export function findAnvil(): string | null {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch
  try {
    // npm's wrapper takes what it depends on: the package with the binary for this platform.
    const wrapper = createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json')
    const platform = `@foundry-rs/anvil-${process.platform}-${arch}/package.json`
    const folder = dirname(createRequire(wrapper).resolve(platform))
    return join(folder, 'bin', process.platform === 'win32' ? 'anvil.exe' : 'anvil')
  } catch {
    return null
  }
}

/** Starts anvil on a free port of 127.0.0.1 with `args` of its own; rejects where it is not installed or does not run. */
export async function spawnAnvil(args: readonly string[]): Promise<Anvil> {
  const program = findAnvil()
  if (program === null) throw new Error('the package @foundry-rs/anvil is not installed')
  const all = ['-e', guardScript, program, '--host', '127.0.0.1', '--port', '0', ...memory, ...args]
  const guard = spawn(process.execPath, all, { stdio: ['pipe', 'pipe', 'ignore'], detached: true })
  // A guard that is gone cannot be written to; that it is gone is all there is to say.
  guard.stdin.on('error', () => undefined)
  const { pid, port } = await listening(guard)
  // A guard that was killed itself guards no more.
  guard.once('exit', (_code, signal) => {
    if (signal !== null) end(pid)
  })
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    pid,
    guard,
    ask: async <T>(method: string, ...params: readonly unknown[]) => (await askNode(url, method, params)) as T,
    stop: async () => {
      if (guard.exitCode !== null || guard.signalCode !== null) return
      const ended = new Promise((resolve) => guard.once('exit', resolve))
      guard.stdin.end()
      await ended
    },
  }
}

/** One JSON-RPC call to the node at `url`; its error has the node's words, and its data (0x hex of a revert) as cause. */
export async function askNode(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const answer = (await response.json()) as { result?: unknown; error?: { message: string; data?: unknown } }
  if (answer.error !== undefined) throw new Error(answer.error.message, { cause: answer.error.data })
  return answer.result
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone already.
  }
}

function listening(guard: ChildProcess): Promise<{ readonly pid: number; readonly port: number }> {
  return new Promise((resolve, reject) => {
    let text = ''
    guard.once('error', reject)
    guard.once('exit', (code) => reject(new Error(`anvil ended with ${code} before it listened`)))
    guard.stdout!.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const port = /Listening on 127\.0\.0\.1:(\d+)/.exec(text)?.[1]
      const pid = /^anvil is (\d+)$/m.exec(text)?.[1]
      if (port === undefined || pid === undefined) return
      guard.removeAllListeners('exit')
      guard.stdout!.removeAllListeners('data')
      guard.stdout!.resume()
      resolve({ pid: Number(pid), port: Number(port) })
    })
  })
}
