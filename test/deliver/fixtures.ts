// Feeds, facts and targets for tests of delivery.

import type { Committee, Feed } from '../../src/core/committee.js'
import type { AttestedFeed, StoredFeed } from '../../src/deliver/facts.js'
import { type DeclaredTriggers, type Target, type TargetSettings, targetOf } from '../../src/deliver/target.js'

/** A time when nothing is near zero. */
export const startMs: number = 1_800_000_000_000

export const storeAddress: string = `0x${'5a'.repeat(20)}`

/** A feed of one number, valid for an hour. */
export const numberFeed: Feed = {
  index: 0,
  name: 'btc-usd',
  feedId: `0x${'11'.repeat(32)}`,
  schema: `0x${'22'.repeat(32)}`,
  unit: 'USD',
  decimals: 8,
  fields: [{ name: 'price', type: 'int176', combine: 'median' }],
  validForS: 3600,
  streamPpm: 0,
  declaration: null,
}

/** A feed as attested `ageMs` after startMs, observed a second before. */
export function attestedAt(ageMs: number, facts: Partial<AttestedFeed> = {}): AttestedFeed {
  const attestedAtMs = startMs + ageMs
  return {
    value: 1_000_000n,
    attestedAtMs,
    validForS: numberFeed.validForS,
    validUntilMs: attestedAtMs - 1000 + 1000 * numberFeed.validForS,
    status: 0,
    kind: 0,
    ...facts,
  }
}

/** What a store has of a report of startMs. */
export function storedAtStart(facts: Partial<StoredFeed> = {}): StoredFeed {
  return {
    value: 1_000_000n,
    attestedAtMs: startMs,
    observedAtMs: startMs - 1000,
    validUntilMs: startMs - 1000 + 1000 * numberFeed.validForS,
    status: 0,
    kind: 0,
    ...facts,
  }
}

/** The declarations of all feeds of a committee: deviation 0.5 %, heartbeat a minute. */
export function declared(committee: Committee, heartbeatS = 60): DeclaredTriggers[] {
  return committee.feeds.map(({ name }) => ({ name, triggers: { deviationPpm: 5000, heartbeatS }, singleSource: null }))
}

/** A store of btc-usd and eth-usd (one bundle) and ams-temperature, on a chain of a block a second. */
export function settings(changes: Partial<TargetSettings> = {}): TargetSettings {
  return {
    chainId: 31_337,
    store: storeAddress,
    kind: 'feeds',
    feeds: [{ name: 'btc-usd' }, { name: 'eth-usd' }, { name: 'ams-temperature' }],
    blockMs: 1000,
    landBlocks: 1,
    stageMs: 8000,
    ...changes,
  }
}

/** The target of `settings`. */
export function target(committee: Committee, changes: Partial<TargetSettings> = {}): Target {
  return targetOf(committee, declared(committee), settings(changes))
}
