// `assay demo`: the whole of Assay on one machine, watched on a terminal or run by a script.

import { OracleError } from '../base/errors.js'
import { parseLie } from '../replay/lie.js'
import { findAnvil } from './anvil.js'
import { jsonLines, textLines } from './demo-audience.js'
import { oraclesMin } from './demo-beside.js'
import { type Run, startRun } from './demo-run.js'
import { createScreen } from './demo-screen.js'
import { chooseSources } from './demo-sources.js'
import { onStopRequest } from './signals.js'

export interface DemoOptions {
  readonly oracles: number
  readonly rounds?: number
  /** Port of the API; 0: any, undefined: 8080 if it is free. */
  readonly port?: number
  readonly keep?: string
  readonly recordings?: string
  /** "venue=+30%" each. */
  readonly lie: readonly string[]
  readonly speed?: number
  readonly sources?: 'live' | 'bundled'
  /** Whether there is a chain beside it; unless given, there is where somebody has the time to watch it. */
  readonly chain?: boolean
}

/** Steps a second where people watch. */
const watchedSpeed = 2
/** Steps a second where a number of rounds is asked for and oracles bring them to a chain, whose blocks have to follow. */
const chainSpeed = 5

/** Runs the demo until its rounds, its data or the reader's patience are over; resolves with the exit code, 0. */
export async function demo(options: DemoOptions, isJson: boolean): Promise<number> {
  const lies = readLies(options.lie)
  if (options.recordings === undefined && options.lie.length > 0)
    throw new OracleError(
      'REPLAY_LIE_INVALID',
      '--lie goes with --recordings: nobody but a recorded venue can lie here',
    )
  const isWatched = process.stdout.isTTY === true && !isJson
  const withoutChain = whyNoChain(options, isWatched)
  const sources = await chooseSources({
    lies,
    hasChain: withoutChain === null,
    // Standard output is the table's, or the script's.
    onWait: (sentence) => {
      if (!isJson) process.stderr.write(`${sentence}\n`)
    },
    ...(options.recordings === undefined ? {} : { recordings: options.recordings }),
    ...(options.sources === undefined ? {} : { force: options.sources }),
  })
  const rounds = options.rounds ?? null
  const usual =
    isWatched && rounds === null ? watchedSpeed : rounds !== null && withoutChain === null ? chainSpeed : null
  const speed = options.speed ?? usual
  let run: Run | null = null
  const audience = isJson ? jsonLines() : isWatched ? createScreen(() => run) : textLines()
  try {
    run = startRun(
      {
        ...{ sources, oracles: options.oracles, rounds, speed },
        withoutChain,
        apiPort: options.port ?? null,
        keep: options.keep ?? null,
      },
      { ...audience, onReady: (facts) => audience.onReady(facts, sources) },
    )
    onStopRequest(run.stop)
    audience.onDone(await run.done)
    return 0
  } finally {
    audience.close()
  }
}

/** Why this run has no chain; null when it has one. */
function whyNoChain({ chain, oracles, recordings, rounds }: DemoOptions, isWatched: boolean): string | null {
  if (chain === false) return 'without the chain, as --no-chain says'
  if (chain === undefined && recordings !== undefined && rounds === undefined && !isWatched)
    return 'without the chain, which takes its time: a whole replay for a script has it with --chain'
  if (oracles < oraclesMin) return `without the chain: contracts believe no committee of fewer than ${oraclesMin}`
  return findAnvil() === null ? 'without the chain: the package @foundry-rs/anvil is not installed here' : null
}

function readLies(given: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map((text) => {
      const [, venue, percent] = /^([a-z0-9-]{1,32})=(.+)$/.exec(text) ?? []
      if (venue === undefined || percent === undefined)
        throw new OracleError('REPLAY_LIE_INVALID', `"${text}" is not venue=+30% or venue=-10%`)
      parseLie(percent)
      return [venue, percent] as const
    }),
  )
}
