// Compiles a TypeScript entry of the tests for a process of its own, and runs it: to be killed, limited or watched.

import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'

const root: string = fileURLToPath(new URL('../../', import.meta.url))

/** Starts test/<entry>.ts as a process; `limits` are words of the shell's ulimit, such as '-f 4096'. */
export function startChild(entry: string, args: readonly string[], limits?: string): ChildProcess {
  // Inside the project, so that packages resolve; one file a process, so that runs at once do not meet.
  const outfile = `${root}dist/children/${entry.replaceAll('/', '-')}-${process.pid}.mjs`
  buildSync({
    entryPoints: [`${root}test/${entry}.ts`],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  })
  const command = [process.execPath, outfile, ...args]
  const [program, ...rest] =
    limits === undefined ? command : ['sh', '-c', `ulimit ${limits}; exec "$@"`, 'sh', ...command]
  return spawn(program!, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** How a child ended, with all that it wrote. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly lines: readonly string[]
  readonly errors: string
}

/** Resolves when the child has ended; `onLine` sees each line of its output as it comes. */
export function ended(child: ChildProcess, onLine: (line: string) => void = () => {}): Promise<Ended> {
  const lines: string[] = []
  let errors = ''
  let rest = ''
  child.stdout!.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n')
    rest = parts.pop()!
    for (const line of parts) {
      lines.push(line)
      onLine(line)
    }
  })
  child.stderr!.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  return new Promise((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, lines, errors }))
  })
}
