// One run of the demo: a committee in a folder, a process for each oracle, a replay beside them, and what is told of it.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { adapters } from '../../adapters/index.js'
import { OracleError } from '../base/errors.js'
import { createWasmEngine, type SigningEngine } from '../crypto/engine-wasm.js'
import { bundlesOf } from '../feed/bundles.js'
import { committeeFeedOf } from '../feed/committee-feed.js'
import type { FeedDeclaration } from '../feed/declaration.js'
import { checkFeeds } from '../feed/load-feeds.js'
import { parseFeeds } from '../feed/parse-feeds.js'
import { type Replay, startReplay } from '../replay/server.js'
import { type ChainBeside, type ChainListeners, startBeside } from './demo-beside.js'
import type { ChainView } from './demo-chain-view.js'
import { type OracleState, type Oracles, startOracles } from './demo-oracles.js'
import { followReports, getBytes, type Reports, type ReportView, type Tally } from './demo-reports.js'
import type { DemoSources, Mode } from './demo-sources.js'
import { endedLine } from './demo-table.js'
import { initCommittee } from './init.js'
import { typeable } from './shipped.js'

export interface RunOptions {
  readonly sources: DemoSources
  readonly oracles: number
  /** Stops after so many rounds; null: when asked, or when the data ends. */
  readonly rounds: number | null
  /** Port of the first oracle's API; 0 for any, null for 8080 if it is free. */
  readonly apiPort: number | null
  /** The folder to make and keep; null: a temporary one. */
  readonly keep: string | null
  /** Steps a second at most; null: no ceiling. */
  readonly speed: number | null
  /** Why there is no chain, in a sentence; null: there is one. */
  readonly withoutChain: string | null
}

/** What a run is, once it stands. */
export interface RunFacts {
  readonly mode: Mode
  readonly oracles: number
  /** Process of each oracle, by name. */
  readonly pids: Readonly<Record<string, number | null>>
  readonly folder: string
  readonly isKept: boolean
  readonly apiUrl: string
  readonly declarations: ReadonlyMap<string, FeedDeclaration>
  /** As it stands at the start; null without one. */
  readonly chain: ChainView | null
}

export interface RunListeners extends ChainListeners {
  readonly onReady: (facts: RunFacts) => void
  readonly onReport: (report: ReportView, tally: Tally) => void
}

/** How a run ended. */
export interface RunResult {
  readonly facts: RunFacts
  readonly latest: ReportView | null
  readonly tally: Tally
  readonly chain: ChainView | null
}

export interface Run {
  /** Ends the run; safe to call at any time, and more than once. */
  readonly stop: () => void
  readonly oracles: () => readonly OracleState[]
  readonly tally: () => Tally | null
  readonly chain: () => ChainView | null
  /** A page of the API that is followed, parsed; null where it cannot be had. */
  readonly ask: (path: string) => Promise<unknown>
  readonly done: Promise<RunResult>
}

/** A replay asks for a round at each step, so nothing is waited for but the oracles themselves. */
const replayTiming = { roundMs: 1000, roundMsMin: 20, graceMs: 15, delayMs: 200, skewMs: 2000, progressMs: 4500 }
const usualPort = 8080
/** With a number of rounds asked for, this long without any is a failure. */
const quietMsMax = 120_000

/** Starts a run. `done` rejects with what made it impossible: FOLDER_UNFIT, FEED_…, DEMO_FAILED, NETWORK_LISTEN_FAILED. */
export function startRun(options: RunOptions, listeners: RunListeners): Run {
  let oracles: Oracles | null = null
  let reports: Reports | null = null
  let beside: ChainBeside | null = null
  let apis: ReadonlyMap<string, string> = new Map()
  let isOver = false
  let finish: () => void = () => undefined
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  const agent = new Agent({ keepAlive: true, maxSockets: 2 })
  let failure: OracleError | null = null
  /** Whether further reports would come after the end: then what is on its way to the chain is waited for. */
  let willGoOn = false
  const end = (why: OracleError | null = null): void => {
    if (!isOver) failure = why
    isOver = true
    finish()
  }
  const stop = (): void => {
    beside?.hurry()
    end()
  }
  /** The first oracle that lives is the one whose reports are followed. */
  const followed = (): OracleState | null => oracles?.states.find(({ ended }) => ended === null) ?? null

  const run = async (): Promise<RunResult> => {
    const { sources, keep, rounds } = options
    const folder = keep === null ? mkdtempSync(join(tmpdir(), 'assay-demo-')) : resolve(keep)
    let replay: Replay | null = null
    let quiet: NodeJS.Timeout | undefined
    try {
      const { show } = sources
      if (show !== null) {
        const onLost = (oracle: string, reason: string): void => {
          if (reason === 'silent') listeners.onNote(`${oracle} fell silent and is no longer waited for`)
        }
        replay = await startReplay({ show, expect: options.oracles, speed: options.speed, onLost })
      }
      const engine = createWasmEngine()
      let { withoutChain } = options
      const starting = withoutChain === null ? startBeside(engine, show, replay, options.speed, listeners) : null
      beside = await (starting?.catch((error: Error) => {
        withoutChain = `without the chain: ${error.message}`
        return null
      }) ?? null)
      const ports = await freePorts(options.oracles - 1)
      const apiPorts = [await apiPort(options.apiPort), ...ports]
      const names = Array.from({ length: options.oracles }, (_, i) => `oracle-${i + 1}`)
      apis = new Map(names.map((name, i) => [name, `http://127.0.0.1:${apiPorts[i]}`]))
      const declarations = await makeFolder(await engine, folder, options, replay, apis)
      await beside?.deploy(folder, names, declarations)
      if (keep !== null) mkdirSync(join(folder, 'reports'))
      const kept = keep === null ? null : join(folder, 'reports')
      const onReport = (report: ReportView): void => {
        listeners.onReport(report, reports!.tally())
        beside?.onReport()
      }
      reports = followReports(kept, onReport, listeners.onNote)
      const watch = (): void => {
        clearTimeout(quiet)
        const late = new OracleError('DEMO_FAILED', `no report came within ${quietMsMax / 1000} s`, { path: folder })
        if (rounds !== null) quiet = setTimeout(end, quietMsMax, late)
      }
      oracles = startOracles(Object.fromEntries(names.map((name) => [name, join(folder, name)])), {
        onEvent: (state, event) => {
          beside?.onEvent(state.name, event)
          if (event.event === 'warning') listeners.onNote(`${state.name}: ${event.sentence}`)
          if (event.event === 'halted')
            listeners.onNote(`${state.name} halted: ${event.code}. ${typeable(event.advice)}`)
          if (event.event !== 'report' || state !== followed()) return
          if (isOver) return beside?.onReport()
          if (!reports!.take(apis.get(state.name)!, event)) return
          watch()
          if (rounds === null || reports!.tally().rounds < rounds) return
          willGoOn = true
          end()
        },
        onEnd: (state) => {
          if (isOver) return
          listeners.onNote(endedLine(state.name, state.ended!, state.folder))
          if (followed() === null) end(everyoneEnded(oracles!, folder))
        },
      })
      const facts: RunFacts = {
        mode: sources.mode,
        oracles: options.oracles,
        pids: Object.fromEntries(oracles.states.map(({ name, pid }) => [name, pid])),
        folder,
        isKept: keep !== null,
        apiUrl: apis.get('oracle-1')!,
        declarations: new Map(declarations.map((feed) => [feed.name, feed])),
        chain: beside?.view() ?? null,
      }
      // Before any word of an oracle: those come with later turns of the event loop.
      listeners.onReady(facts)
      if (withoutChain !== null) listeners.onNote(withoutChain)
      beside?.begin(() => {
        const name = followed()?.name
        return name === undefined ? null : apis.get(name)!
      })
      void replay?.ended.then(() => end())
      watch()
      await finished
      await reports.drained()
      const [latest, tally] = [reports.latest(), reports.tally()]
      reports.close()
      clearTimeout(quiet)
      const chain = failure === null ? ((await beside?.finish(willGoOn)) ?? null) : null
      agent.destroy()
      await oracles.stop()
      if (failure !== null) throw failure
      if (willGoOn && chain !== null) checkPushed(chain, folder)
      return { facts, latest, tally, chain }
    } finally {
      clearTimeout(quiet)
      await oracles?.stop()
      reports?.close()
      agent.destroy()
      await beside?.close()
      await replay?.close()
      if (keep === null) rmSync(folder, { recursive: true, force: true })
    }
  }
  return {
    stop,
    // Those that end because all do are no news.
    oracles: () => (isOver ? [] : (oracles?.states ?? [])),
    tally: () => reports?.tally() ?? null,
    chain: () => beside?.view() ?? null,
    ask: async (path) => {
      const name = followed()?.name
      if (name === undefined) return null
      try {
        const { status, bytes } = await getBytes(agent, apis.get(name)! + path)
        return status === 200 ? (JSON.parse(bytes.toString('utf8')) as unknown) : null
      } catch {
        return null
      }
    },
    done: run(),
  }
}

/** DEMO_FAILED unless every feed that was meant for the chain came there. */
function checkPushed({ reads, missing }: ChainView, folder: string): void {
  if (reads.length > 0 && reads.every(({ value }) => value !== null)) return
  throw new OracleError('DEMO_FAILED', `on chain are still missing: ${missing.join(', ')}`, { path: folder })
}

function everyoneEnded({ states }: Oracles, folder: string): OracleError {
  const told = [...new Set(states.map(({ ended }) => ended))].join('; ')
  return new OracleError('DEMO_FAILED', `every oracle ended: ${told}`, { path: folder })
}

/** committee.json, oracle-N and feeds in `folder`; returns the declarations. */
async function makeFolder(
  engine: SigningEngine,
  folder: string,
  { sources, oracles }: RunOptions,
  replay: Replay | null,
  apis: ReadonlyMap<string, string>,
): Promise<readonly FeedDeclaration[]> {
  const parsed = sources.feeds.map(({ name, text }) => parseFeeds(engine, join(folder, 'feeds', name), text, adapters))
  checkFeeds(parsed.flatMap(({ findings }) => findings))
  const declarations = parsed.flatMap((file) => file.declarations)
  const served = replay === null ? {} : servedBy(replay)
  await initCommittee(folder, {
    oracles,
    feeds: { documents: declarations.map((feed) => ({ ...committeeFeedOf(feed) })), bundles: bundlesOf(declarations) },
    host: '127.0.0.1',
    port: await freeRun(oracles),
    light: true,
    ...(replay === null ? {} : { timing: replayTiming }),
    source: () => ({ kind: 'feeds', feeds: '../feeds', ...served }),
    api: (name) => ({ listen: new URL(apis.get(name)!).host }),
  })
  mkdirSync(join(folder, 'feeds'))
  for (const { name, text } of sources.feeds) writeFileSync(join(folder, 'feeds', name), text)
  return declarations
}

/** What config.json says of a replay. */
function servedBy({ origins, loopback, clockUrl }: Replay): Record<string, unknown> {
  return { origins, loopback, replay: clockUrl }
}

/** The port that was asked for, if it is free. */
async function apiPort(port: number | null): Promise<number> {
  const wanted = port ?? usualPort
  if (wanted !== 0 && (await isFree(wanted))) return wanted
  if (port === null || port === 0) return (await freePorts(1))[0]!
  throw new OracleError('NETWORK_LISTEN_FAILED', `port ${port} of 127.0.0.1, for the API, is in use`, {
    facts: { port },
  })
}

/** The first of `count` ports in a row that nobody listens on, below those that systems give to outgoing connections. */
async function freeRun(count: number): Promise<number> {
  for (;;) {
    const first = 10_000 + Math.floor(Math.random() * 20_000)
    const ports = Array.from({ length: count }, (_, i) => first + i)
    if ((await Promise.all(ports.map(isFree))).every((free) => free)) return first
  }
}

async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) ports.add(await freeRun(1))
  return [...ports]
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
