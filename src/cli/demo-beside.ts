// The chain beside one run of the demo: anvil from the sources' first moment on, and a replay that waits for it once.

import type { SigningEngine } from '../crypto/engine-wasm.js'
import type { FeedDeclaration } from '../feed/declaration.js'
import type { OracleEvent } from '../oracle-event.js'
import type { Replay } from '../replay/server.js'
import type { Show } from '../replay/show.js'
import { spawnAnvil } from './anvil.js'
import type { DemoChain } from './demo-chain.js'
import type { ChainNews, ChainView } from './demo-chain-view.js'
import { stepSeconds } from './demo-feeds.js'

/** A committee that contracts believe has f = 1. */
export const oraclesMin = 4

export interface ChainListeners {
  readonly onChain: (news: ChainNews) => void
  readonly onNote: (sentence: string) => void
}

export interface ChainBeside {
  /** Deploys for the committee in `folder`, and adds the chain to the config.json of each oracle. */
  deploy(folder: string, names: readonly string[], declarations: readonly FeedDeclaration[]): Promise<void>
  /** The oracles start: blocks follow their clock, and `api` is that of one that lives. */
  begin(api: () => string | null): void
  onEvent(oracle: string, event: OracleEvent): void
  onReport(): void
  /** Null before `deploy`. */
  view(): ChainView | null
  /** Waits for what is still on its way: for long unless no report will come any more. */
  finish(willGoOn: boolean): Promise<ChainView | null>
  /** Ends that wait. */
  hurry(): void
  close(): Promise<void>
}

/** How long before the oracles' time the chain begins: a second for each block of the deployment, half a minute for a request to ripen. */
const leadS = 60
/**
 * The first step of a replay lasts until the chain has shown all it has, at most so long: a busy machine takes its time,
 * and a request of a minute ago may find no answer in the next step.
 */
const firstStepMs = 20_000
/** How long the end of a run waits for what is on its way to the chain. */
const patienceMs = { replay: 15_000, live: 60_000, ended: 3_000 } as const

/** Starts anvil at the time of `show`, of which `replay` is the server; both null with live sources. `speed` is the replay's in the end. */
export async function startBeside(
  engine: Promise<SigningEngine>,
  show: Show | null,
  replay: Replay | null,
  speed: number | null,
  { onChain, onNote }: ChainListeners,
): Promise<ChainBeside> {
  // Loaded while anvil starts: contracts and what speaks with them are a third of a second of reading.
  const loading = import('./demo-chain.js')
  const genesisS = Math.floor((show?.stepsMs[0] ?? Date.now()) / 1000) - leadS
  const chainArgs = ['--chain-id', '31337', '--accounts', '1', '--no-mining', '--timestamp', String(genesisS)]
  const anvil = await spawnAnvil(chainArgs)
  const stepMs = show === null ? null : stepMsOf(show)
  const slowest = 1000 / firstStepMs
  const isHeld = replay !== null && (speed === null || speed > slowest)
  if (isHeld) replay.setSpeed(slowest)
  let chain: DemoChain | null = null
  let release: NodeJS.Timeout | undefined
  return {
    deploy: async (folder, names, declarations) => {
      const { startDemoChain } = await loading
      const where = { anvil, engine: await engine, folder, names, declarations, genesisS, stepMs }
      chain = await startDemoChain({ ...where, onNews: onChain, onNote })
    },
    begin: (api) => {
      const stepsMs = show?.stepsMs ?? []
      chain!.begin(replay === null ? Date.now : () => stepsMs[Math.max(0, replay.currentStep())]!, api)
      if (!isHeld) return
      const go = (): void => {
        clearTimeout(release)
        replay.setSpeed(speed)
      }
      void chain!.shown.then(go)
      const watch = (): void => {
        if (replay.currentStep() > 0) go()
        else release = setTimeout(watch, 100)
      }
      watch()
    },
    onEvent: (oracle, event) => chain?.onEvent(oracle, event),
    onReport: () => chain?.onReport(),
    view: () => chain?.view() ?? null,
    finish: async (willGoOn) =>
      (await chain?.finish(willGoOn ? patienceMs[show === null ? 'live' : 'replay'] : patienceMs.ended)) ?? null,
    hurry: () => chain?.hurry(),
    close: async () => {
      clearTimeout(release)
      await chain?.close()
      await anvil.stop()
    },
  }
}

/** The time between two steps, as most of the first ones have it. */
function stepMsOf({ stepsMs }: Show): number {
  return 1000 * stepSeconds({ rows: stepsMs.slice(0, 1000).map((timeMs) => ({ timeMs, close: '' })) })
}
