// A real chain for tests: anvil from its platform package, on a free port of 127.0.0.1, with JSON-RPC as a function.

import type { ChildProcess } from 'node:child_process'
import { askNode, spawnAnvil } from '../../src/cli/anvil.js'

export { askNode }

/** A running anvil. */
export interface Anvil {
  readonly url: string
  /** Its guard: whatever ends this ends anvil. */
  readonly process: ChildProcess
  /** One JSON-RPC call; its error as an Error with the node's words. */
  ask<T = unknown>(method: string, ...params: readonly unknown[]): Promise<T>
  /** Mines `blocks` blocks. */
  mine(blocks?: number): Promise<void>
  stop(): Promise<void>
}

/** Starts anvil with `args` of its own besides host and port, and resolves when it listens. */
export async function startAnvil(args: readonly string[] = []): Promise<Anvil> {
  const { url, guard, ask, stop } = await spawnAnvil(['--accounts', '4', ...args])
  return {
    ...{ url, process: guard, ask, stop },
    mine: async (blocks = 1) => {
      await askNode(url, 'anvil_mine', [`0x${blocks.toString(16)}`])
    },
  }
}
