// One store on one chain that this oracle keeps fresh, checked, with the rule of each feed in it.

import { OracleError } from '../base/errors.js'
import { fromHex } from '../core/bytes.js'
import type { Committee, Feed } from '../core/committee.js'
import { kindOf } from '../core/leaf.js'

/** How a chain keeps time, and how long members wait for each other. */
export interface Pace {
  readonly blockMs: number
  /** Blocks that a transaction takes to be mined, as a rule. */
  readonly landBlocks: number
  /** A member's turn: it may begin to send in the first half, the second is for landing (P13). */
  readonly stageMs: number
}

/** What an operator writes of a store. */
export interface TargetSettings extends Pace {
  readonly chainId: number
  /** Address of the store, 20 bytes of lower-case 0x hex. */
  readonly store: string
  /** FeedStore takes any feeds, BundleStore all feeds of one bundle. */
  readonly kind: 'feeds' | 'bundle'
  /** For a FeedStore: the feeds that are kept fresh. */
  readonly feeds?: readonly FeedSettings[]
  /** For a BundleStore: the bundle's name. */
  readonly bundle?: string
  /** Longest calldata of a transaction; 24,000 unless given. */
  readonly calldataBytesMax?: number
  /** Most gas of a transaction; 8,000,000 unless given. */
  readonly gasMax?: number
}

/** A feed of a store, with what differs on this chain from its declaration. */
export interface FeedSettings {
  readonly name: string
  readonly deviationPpm?: number
  readonly heartbeatS?: number
  /** Brings a feed on chain that has one real-world origin only: its readers know. */
  readonly allowSingleSource?: boolean
}

/** What a declaration says of when a feed goes on chain. */
export interface DeclaredTriggers {
  readonly name: string
  readonly triggers: { readonly deviationPpm: number; readonly heartbeatS: number }
  readonly singleSource: string | null
}

/** When one feed of a store is due. */
export interface FeedRule {
  readonly feed: Feed
  /** Index of its bundle in the committee document. */
  readonly bundle: number
  /** Change that asks for an update, parts per million of what is stored; 0: none does. */
  readonly deviationPpm: number
  readonly heartbeatMs: number
  /** False for a feed of one origin that nobody opted in to: it comes along with its bundle and is never due. */
  readonly isPushed: boolean
}

/** A store with its rules. */
export interface Target extends Pace {
  /** Chain and store in one word: `31337/0x…`. */
  readonly id: string
  readonly chainId: number
  readonly store: string
  readonly kind: 'feeds' | 'bundle'
  readonly rules: readonly FeedRule[]
  /** How long before its end a heartbeat is due, so that what is sent then has landed by its end. */
  readonly marginMs: number
  readonly calldataBytesMax: number
  readonly gasMax: number
}

/** The target that `settings` describe, in the light of the committee; throws TARGET_INVALID with the field to mend. */
export function targetOf(
  committee: Committee,
  declared: readonly DeclaredTriggers[],
  settings: TargetSettings,
): Target {
  const { chainId, store, kind, blockMs, landBlocks, stageMs } = settings
  if (!Number.isSafeInteger(chainId) || chainId < 1) fail('/chainId', 'a chain id is a positive whole number')
  if (fromHex(store, 20) === null) fail('/store', 'expected 20 bytes of lower-case 0x hex')
  for (const [name, value] of Object.entries({ blockMs, landBlocks, stageMs }))
    if (!Number.isInteger(value) || value < 1) fail(`/${name}`, 'expected a whole number of at least 1')
  if (stageMs < 2 * landBlocks * blockMs)
    fail(
      '/stageMs',
      `half a stage is for landing, ${landBlocks} blocks of ${blockMs} ms: at least ${2 * landBlocks * blockMs}`,
    )
  const landMs = landBlocks * blockMs
  // A report may be a round late, f members may be silent, and the next may begin half a stage into its turn.
  const marginMs = (Math.max(1, committee.thresholds.f) + 0.5) * stageMs + landMs + committee.timing.roundMs
  const wanted = kind === 'feeds' ? (settings.feeds ?? []) : feedsOfBundle(committee, settings)
  if (wanted.length === 0) fail('/feeds', 'name at least one feed')
  if (new Set(wanted.map(({ name }) => name)).size !== wanted.length) fail('/feeds', 'a feed is repeated')
  const rules = wanted.map((feed, i) => ruleOf(committee, declared, feed, `/feeds/${i}`))
  for (const { feed, heartbeatMs } of rules)
    if (heartbeatMs <= marginMs + landMs)
      fail(
        '/feeds',
        `a heartbeat of ${feed.name}, ${heartbeatMs} ms, is due again before it landed: it takes ${marginMs + landMs} ms`,
      )
  return {
    id: `${chainId}/${store}`,
    chainId,
    store,
    kind,
    rules,
    blockMs,
    landBlocks,
    stageMs,
    marginMs,
    calldataBytesMax: settings.calldataBytesMax ?? 24_000,
    gasMax: settings.gasMax ?? 8_000_000,
  }
}

/** All feeds of the bundle of a BundleStore, with what the settings say of some. */
function feedsOfBundle(committee: Committee, settings: TargetSettings): readonly FeedSettings[] {
  const bundle = committee.bundles.find(({ name }) => name === settings.bundle)
  if (bundle === undefined) return fail('/bundle', `no bundle has the name ${settings.bundle}`)
  const feeds = bundle.feeds.map((index) => committee.feeds[index]!)
  const structured = feeds.find(({ fields }) => kindOf(fields) !== 0)
  if (structured !== undefined) fail('/bundle', `${structured.name} is structured: only a FeedStore takes it`)
  const said = settings.feeds ?? []
  const stray = said.findIndex(({ name }) => !feeds.some((feed) => feed.name === name))
  if (stray >= 0) fail(`/feeds/${stray}`, `${said[stray]!.name} is not in the bundle`)
  return feeds.map(({ name }) => said.find((feed) => feed.name === name) ?? { name })
}

function ruleOf(
  committee: Committee,
  declared: readonly DeclaredTriggers[],
  settings: FeedSettings,
  path: string,
): FeedRule {
  const feed = committee.feeds.find(({ name }) => name === settings.name)
  if (feed === undefined) return fail(path, `the committee has no feed ${settings.name}`)
  const declaration = declared.find(({ name }) => name === settings.name)
  if (declaration === undefined) return fail(path, `${settings.name} is not declared here`)
  const { deviationPpm = declaration.triggers.deviationPpm, heartbeatS = declaration.triggers.heartbeatS } = settings
  if (!Number.isInteger(deviationPpm) || deviationPpm < 0) fail(`${path}/deviationPpm`, 'expected a whole number')
  if (!Number.isInteger(heartbeatS) || heartbeatS < 1 || heartbeatS > feed.validForS)
    fail(`${path}/heartbeatS`, `expected 1 to ${feed.validForS} (validForS): what is stored would be stale in between`)
  return {
    feed,
    bundle: committee.bundles.find(({ feeds }) => feeds.includes(feed.index))!.index,
    deviationPpm,
    heartbeatMs: 1000 * heartbeatS,
    isPushed: declaration.singleSource === null || settings.allowSingleSource === true,
  }
}

function fail(path: string, message: string): never {
  throw new OracleError('TARGET_INVALID', message, { path })
}
