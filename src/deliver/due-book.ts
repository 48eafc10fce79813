// The feeds of one store that are due, and since when: what members must agree on to take turns.

import { statusCodes } from '../core/status.js'
import { type DueReason, dueReason } from './due.js'
import type { AttestedFeed, StoredFeed } from './facts.js'
import type { FeedRule, Target } from './target.js'

/** A feed that is due. */
export interface DueFeed {
  readonly rule: FeedRule
  readonly reason: DueReason
  /** T of the first report by which it was due; all later ones agreed. */
  readonly sinceMs: number
  /** T of what is stored; 0 where nothing is. */
  readonly replacedMs: number
}

/** What a look at chain and report changed. */
export interface DueChange {
  readonly began: readonly DueFeed[]
  /** No longer due because the store has another value now. */
  readonly replaced: readonly DueFeed[]
  /** No longer due because the attested value came back. */
  readonly ended: readonly DueFeed[]
}

export interface DueBook {
  /** Compares all feeds anew; either function gives undefined for what is not known, which is then not due. */
  update(
    storedOf: (feedId: string) => StoredFeed | null | undefined,
    attestedOf: (rule: FeedRule) => AttestedFeed,
    nowMs: number,
  ): DueChange
  /** In the order of the target's rules. */
  due(): readonly DueFeed[]
  /**
   * Whose turn is that of the whole batch: what is due longest, so that whatever becomes due meanwhile goes along with
   * it and changes nobody's turn; one transaction then carries all of them.
   */
  lead(): DueFeed | null
}

/** That there is no value goes on chain once it was so for two stages and half a minute: until then what is stored says more. */
const lackMsLeast = 30_000

/** An empty book for `target`. */
export function dueBook(target: Target): DueBook {
  const entries = new Map<FeedRule, DueFeed>()
  const lackingSinceMs = new Map<FeedRule, number>()
  const lackMs = Math.max(lackMsLeast, 2 * target.stageMs)

  /** Whether a feed has no value just now only, as when oracles start and have not read its sources yet. */
  const lacksForNow = (rule: FeedRule, { status, attestedAtMs }: AttestedFeed): boolean => {
    if (status !== statusCodes.NO_DATA) {
      lackingSinceMs.delete(rule)
      return false
    }
    const sinceMs = lackingSinceMs.get(rule) ?? attestedAtMs
    lackingSinceMs.set(rule, sinceMs)
    return attestedAtMs < sinceMs + lackMs
  }

  return {
    update: (storedOf, attestedOf, nowMs) => {
      const began: DueFeed[] = []
      const replaced: DueFeed[] = []
      const ended: DueFeed[] = []
      for (const rule of target.rules) {
        const stored = storedOf(rule.feed.feedId)
        const before = entries.get(rule)
        const replacedMs = stored?.attestedAtMs ?? 0
        const attested = attestedOf(rule)
        const isLacking = lacksForNow(rule, attested)
        const reason = stored === undefined || isLacking ? null : dueReason(rule, stored, attested, target, nowMs)
        const isSame = before !== undefined && before.replacedMs === replacedMs
        if (before !== undefined && stored !== undefined && !isSame) replaced.push(before)
        else if (before !== undefined && reason === null) ended.push(before)
        if (reason === null) {
          entries.delete(rule)
          continue
        }
        const entry = { rule, reason, sinceMs: isSame ? before.sinceMs : attested.attestedAtMs, replacedMs }
        entries.set(rule, entry)
        if (!isSame) began.push(entry)
      }
      return { began, replaced, ended }
    },
    due: () => target.rules.flatMap((rule) => entries.get(rule) ?? []),
    lead: () => {
      let lead: DueFeed | null = null
      for (const rule of target.rules) {
        const entry = entries.get(rule)
        if (entry === undefined) continue
        if (
          lead === null ||
          entry.sinceMs < lead.sinceMs ||
          (entry.sinceMs === lead.sinceMs && comesFirst(entry, lead))
        )
          lead = entry
      }
      return lead
    },
  }
}

/** Order of the committee document: the same for members whose settings name feeds in another order. */
function comesFirst(a: DueFeed, b: DueFeed): boolean {
  return a.rule.feed.index < b.rule.feed.index
}
