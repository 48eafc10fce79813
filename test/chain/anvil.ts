// A real chain for tests: anvil from its platform package, on a free port of 127.0.0.1, with JSON-RPC as a function.

import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** A running anvil. */
export interface Anvil {
  readonly url: string
  readonly process: ChildProcess
  /** One JSON-RPC call; its error as an Error with the node's words. */
  ask<T = unknown>(method: string, ...params: readonly unknown[]): Promise<T>
  /** Mines `blocks` blocks. */
  mine(blocks?: number): Promise<void>
  stop(): Promise<void>
}

/** Starts anvil with `args` of its own besides host and port, and resolves when it listens. */
export async function startAnvil(args: readonly string[] = []): Promise<Anvil> {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch
  // npm's wrapper takes what it depends on: the package with the binary for this platform.
  const wrapper = createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json')
  const platform = `@foundry-rs/anvil-${process.platform}-${arch}/package.json`
  const folder = dirname(createRequire(wrapper).resolve(platform))
  const binary = join(folder, 'bin', process.platform === 'win32' ? 'anvil.exe' : 'anvil')
  const child = spawn(binary, ['--host', '127.0.0.1', '--port', '0', '--accounts', '4', ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const end = (): void => void child.kill('SIGKILL')
  process.once('exit', end)
  const port = await listening(child)
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    process: child,
    ask: async <T>(method: string, ...params: readonly unknown[]) => (await askNode(url, method, params)) as T,
    mine: async (blocks = 1) => {
      await askNode(url, 'anvil_mine', [`0x${blocks.toString(16)}`])
    },
    stop: async () => {
      process.off('exit', end)
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** One JSON-RPC call to the node at `url`. */
export async function askNode(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const answer = (await response.json()) as { result?: unknown; error?: { message: string } }
  if (answer.error !== undefined) throw new Error(answer.error.message)
  return answer.result
}

function listening(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`anvil ended with ${code} before it listened`)))
    child.stdout!.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const port = /Listening on 127\.0\.0\.1:(\d+)/.exec(text)?.[1]
      if (port === undefined) return
      child.removeAllListeners('exit')
      child.stdout!.removeAllListeners('data')
      child.stdout!.resume()
      resolve(Number(port))
    })
  })
}
