// What is wrong with declarations only when they stand together: repeated names, and hosts asked too often.

import type { Adapter } from '../observe/adapter.js'
import { cronGapMs } from './cron.js'
import { type FeedDeclaration, requestGapMs } from './declaration.js'
import type { Finding } from './finding.js'
import type { PlacedFeed } from './parse-feeds.js'
import { sourceKey } from './source-key.js'

/** Findings `name-repeated` and `rate-limit`, both errors, among all declarations of one oracle. Pure. */
export function checkSet(declarations: readonly PlacedFeed[], adapters: readonly Adapter[]): Finding[] {
  return [...repeatedNames(declarations), ...askedTooOften(declarations, adapters)]
}

/** The second use of a name, in whichever file. */
function repeatedNames(declarations: readonly PlacedFeed[]): Finding[] {
  const seen = new Map<string, PlacedFeed>()
  return declarations.flatMap((feed): Finding[] => {
    const { name, file, line } = feed
    const first = seen.get(name)
    if (first === undefined) {
      seen.set(name, feed)
      return []
    }
    const message = `${name} is declared at ${first.file}:${first.line} too`
    return [{ file, line, column: 1, feed: name, rule: 'name-repeated', message, fix: 'Rename one.', isError: true }]
  })
}

/** The feed with which the requests to an adapter's hosts pass the adapter's limit, once for each adapter. */
function askedTooOften(declarations: readonly PlacedFeed[], adapters: readonly Adapter[]): Finding[] {
  // Ticks are aligned and ask in the order of declarations, so what is over the limit is refused to the same feeds each time.
  const fix = 'Ask less often, or for fewer entities: beyond the limit the last feeds would never be asked.'
  return adapters.flatMap((adapter): Finding[] => {
    const { hosts, perMinute } = adapter.limits
    const rates = new Map<string, number>()
    let sum = 0
    for (const { name, file, line, ...feed } of declarations) {
      const own = feed.sources.filter((source) => source.adapter === adapter.id && !isListened(feed, adapter))
      for (const source of own) {
        const key = sourceKey(source)
        const known = rates.get(key) ?? 0
        const rate = Math.max(known, perMinuteOf(feed.schedule))
        rates.set(key, rate)
        sum += rate - known
      }
      const rate = Math.ceil(sum - 1e-6)
      // Where the address is a parameter, each host has a limit of its own.
      if (hosts.includes('*') || own.length === 0 || rate <= perMinute) continue
      const message = `${adapter.id} is asked ${rate} times a minute by now, its limit is ${perMinute}`
      return [{ file, line, column: 1, feed: name, rule: 'rate-limit', message, fix, isError: true }]
    }
    return []
  })
}

function isListened({ schedule }: Pick<FeedDeclaration, 'schedule'>, adapter: Adapter): boolean {
  return schedule.kind === 'stream' && adapter.subscribe !== undefined
}

function perMinuteOf(schedule: FeedDeclaration['schedule']): number {
  switch (schedule.kind) {
    case 'cron':
      return 60_000 / cronGapMs(schedule.cron)!
    case 'request':
      return 60_000 / requestGapMs
    default:
      return 60_000 / schedule.everyMs
  }
}
