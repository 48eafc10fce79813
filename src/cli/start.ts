// `assay start`: one oracle in this process, or every oracle of a committee's folder, each in a process of its own.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { OracleError } from '../base/errors.js'
import { createLog } from '../base/log.js'
import { loadConfig } from '../config.js'
import { chooseEngine } from '../crypto/engine.js'
import { createWasmEngine } from '../crypto/engine-wasm.js'
import { promptPassphrase, readPassphrase } from '../crypto/passphrase.js'
import { startOracle } from '../node.js'
import { openSourcePart } from '../open-source-part.js'
import type { Printer } from './print.js'
import { onStopRequest, stopWhenStdinEnds } from './signals.js'

export interface StartOptions {
  readonly isJson: boolean
  /** Stop, too, when standard input ends: so nobody is left behind by a parent that was killed. */
  readonly untilStdinEnds?: boolean
}

/** Runs until a signal or a halt; resolves with the process's exit code. */
export async function start(folder: string, printer: Printer, options: StartOptions): Promise<number> {
  if (options.untilStdinEnds === true) stopWhenStdinEnds()
  if (existsSync(join(folder, 'config.json'))) return startOne(folder, printer)
  const members = existsSync(join(folder, 'committee.json'))
    ? readdirSync(folder).filter((name) => existsSync(join(folder, name, 'config.json')))
    : []
  if (members.length === 0) {
    throw new OracleError('FOLDER_UNFIT', 'this folder holds neither an oracle nor a committee', { path: folder })
  }
  return startAll(folder, members, options.isJson)
}

/** Exit code of an oracle that halted: it must not be restarted by a supervisor without a look. */
const haltedExit = 3

async function startOne(folder: string, printer: Printer): Promise<number> {
  const wasm = await createWasmEngine()
  const config = loadConfig(wasm, folder)
  const { name } = config.committee.members[config.self]!
  const passphrase =
    config.passphraseFile === null
      ? await promptPassphrase(`Passphrase of ${name}'s keystore: `, process.stdin, process.stderr)
      : await passphraseIn(config.passphraseFile, printer)
  const { engine, kind } = chooseEngine(wasm, config.engine)
  const waiting = (sentence: string): void => printer.event({ event: 'warning', code: 'REPLAY_UNREACHABLE', sentence })
  const source = await openSourcePart(engine, config, waiting)
  return new Promise((resolve, reject) => {
    let hasHalted = false
    startOracle({
      config,
      passphrase,
      engine,
      engineKind: kind,
      log: createLog(config.log, name),
      source: source.start,
      clock: source.clock,
      onEvent: (event) => {
        if (event.event === 'halted') hasHalted = true
        printer.event(event)
      },
    }).then(
      (oracle) => {
        onStopRequest(() => {
          oracle.close().then(() => resolve(hasHalted ? haltedExit : 0), reject)
        })
      },
      (error) => {
        source.close()
        reject(error)
      },
    )
  })
}

async function passphraseIn(file: string, printer: Printer): Promise<string> {
  const { text, isExposed } = await readPassphrase(file)
  const sentence = `other users of this machine can read ${file}: chmod 600`
  if (isExposed) printer.event({ event: 'warning', code: 'KEY_FILE_EXPOSED', sentence })
  return text
}

/** Each oracle's lines come out with its name before them; a signal stops all, and all of them are waited for. */
async function startAll(folder: string, members: readonly string[], isJson: boolean): Promise<number> {
  const children = members.map((name) => startChild(join(folder, name), name, isJson))
  onStopRequest(() => {
    for (const child of children) child.kill('SIGTERM')
  })
  const codes = await Promise.all(children.map(exitCode))
  return Math.max(...codes)
}

function startChild(folder: string, name: string, isJson: boolean): ChildProcess {
  const args = [process.argv[1]!, 'start', folder, '--until-stdin-ends', ...(isJson ? ['--json'] : [])]
  const env = { ...process.env, ...(process.stdout.isTTY === true ? { ASSAY_COLOUR: '1' } : {}) }
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], env })
  child.once('exit', (code, signal) => {
    if (code === 0) return
    const how = signal ?? `exit code ${code}`
    process.stderr.write(
      isJson ? `${JSON.stringify({ oracle: name, ended: how })}\n` : `${name.padEnd(10)} ended: ${how}\n`,
    )
  })
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const text = isJson ? line.replace('{', `{"oracle":${JSON.stringify(name)},`) : `${name.padEnd(10)} ${line}`
    process.stdout.write(`${text}\n`)
  })
  return child
}

function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)))
}
