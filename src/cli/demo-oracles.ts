// The demo's oracles: one process each, watched for what they say and how they end, and never left behind.

import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { OracleEvent } from '../oracle-event.js'

/** How one oracle is. */
export interface OracleState {
  readonly name: string
  readonly folder: string
  /** Its process; null where none could be started. */
  readonly pid: number | null
  /** Null while it runs; otherwise how it ended, with its last words. */
  ended: string | null
  /** The peers that it has no session with. */
  readonly lost: Set<string>
}

export interface Oracles {
  readonly states: readonly OracleState[]
  /** Asks every process to end, waits, and kills what is left. */
  readonly stop: () => Promise<void>
}

export interface OracleListeners {
  readonly onEvent: (state: OracleState, event: OracleEvent) => void
  readonly onEnd: (state: OracleState) => void
}

/** Longest wait for an oracle to end by itself; closing stores takes well under a second. */
const patienceMs = 5_000
const lastWordsMax = 4096

/** Starts `assay start` on each folder, by name. Their standard input ends with this process, and so do they. */
export function startOracles(folders: Readonly<Record<string, string>>, { onEvent, onEnd }: OracleListeners): Oracles {
  const children: ChildProcess[] = []
  const exits: Promise<void>[] = []
  const states = Object.entries(folders).map(([name, folder]) => {
    const args = [process.argv[1]!, 'start', folder, '--json', '--until-stdin-ends']
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    const state: OracleState = { name, folder, pid: child.pid ?? null, ended: null, lost: new Set() }
    children.push(child)
    let words = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-lastWordsMax)
    })
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = eventIn(line)
      if (event === null) return
      if (event.event === 'session') {
        if (event.state === 'up') state.lost.delete(event.peer)
        else state.lost.add(event.peer)
      }
      onEvent(state, event)
    })
    // A child that is gone cannot be written to; its end says all there is to say.
    child.stdin.on('error', () => undefined)
    exits.push(
      new Promise((resolve) => {
        const end = (how: string): void => {
          resolve()
          if (state.ended !== null) return
          const last = lastWords(words)
          state.ended = last === '' ? how : `${how}: ${last}`
          onEnd(state)
        }
        child.once('error', (error) => end(error.message))
        // After its last line was read.
        child.once('close', (code, signal) => end(signal ?? `exit code ${code}`))
      }),
    )
    return state
  })
  return {
    states,
    stop: async () => {
      for (const child of children) {
        child.kill('SIGTERM')
        child.stdin?.end()
      }
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, patienceMs)
      })
      await Promise.race([Promise.all(exits), late])
      clearTimeout(timer)
      for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await Promise.all(exits)
    },
  }
}

function eventIn(line: string): OracleEvent | null {
  try {
    return JSON.parse(line) as OracleEvent
  } catch {
    return null
  }
}

/** The refusal that a process printed at its end, or its last line. */
function lastWords(text: string): string {
  const line = text.trim().split('\n').at(-1) ?? ''
  try {
    const { error } = JSON.parse(line) as { error: { code: string; message: string } }
    return `${error.code}: ${error.message}`
  } catch {
    return line.slice(0, 300)
  }
}
