// Whether a feed of a store is due, and why: what is stored against what was attested last. Pure, integers only.

import { statusCodes } from '../core/status.js'
import type { AttestedFeed, StoredFeed } from './facts.js'
import type { FeedRule, Target } from './target.js'

/** Why a feed goes on chain (P13), most urgent first. */
export const dueReasons = ['status', 'first value', 'deviation', 'heartbeat'] as const

export type DueReason = (typeof dueReasons)[number]

const million = 1_000_000n

/**
 * Why `attested` should take the place of `stored` (null: nothing) in the store, if sent at `nowMs`; null when it should
 * not. Without a value on either side nothing is due, heartbeat or not: there is nothing to keep fresh. A structured
 * value has deviated when it is another one, and its rule says that deviation counts at all (deviationPpm above 0).
 */
export function dueReason(
  rule: FeedRule,
  stored: StoredFeed | null,
  attested: AttestedFeed,
  { landBlocks, blockMs, marginMs }: Pick<Target, 'landBlocks' | 'blockMs' | 'marginMs'>,
  nowMs: number,
): DueReason | null {
  if (!rule.isPushed || isRefused(stored, attested, nowMs + landBlocks * blockMs)) return null
  const isPresent = attested.status !== statusCodes.NO_DATA
  if (stored === null) return isPresent ? 'first value' : null
  if (stored.status !== attested.status) return 'status'
  if (!isPresent) return null
  if (hasDeviated(rule, stored, attested)) return 'deviation'
  return attested.attestedAtMs >= endOf(rule, stored, attested) - marginMs ? 'heartbeat' : null
}

/** Whether the store would leave a feed as it is: nothing newer (T), or attested longer ago than it may be used. */
export function isRefused(
  stored: Pick<StoredFeed, 'attestedAtMs'> | null,
  { attestedAtMs, validForS }: Pick<AttestedFeed, 'attestedAtMs' | 'validForS'>,
  landsAtMs: number,
): boolean {
  return attestedAtMs <= (stored?.attestedAtMs ?? 0) || attestedAtMs + 1000 * validForS < landsAtMs
}

/** |new − old| ≥ ppm of |old|, exactly; from 0 every change is beyond any percentage. */
function hasDeviated({ deviationPpm }: FeedRule, stored: StoredFeed, attested: AttestedFeed): boolean {
  const change = attested.value! - stored.value
  if (deviationPpm === 0 || change === 0n) return false
  return attested.kind === 1 || abs(change) * million >= BigInt(deviationPpm) * abs(stored.value)
}

/**
 * When what is stored has to be renewed at the latest: its heartbeat, or the end of its validity where a later
 * observation is at hand. The store rounds ages up by at most 1/16 and validity down by at most 1/32 (lib/Slots.sol), so
 * only what is later by more than that is another observation, and not the same one again.
 */
function endOf({ heartbeatMs }: FeedRule, stored: StoredFeed, attested: AttestedFeed): number {
  const heartbeatEndMs = stored.attestedAtMs + heartbeatMs
  const ageMs = stored.attestedAtMs - stored.observedAtMs
  const roundedMs = ageMs / 16 + (1000 * attested.validForS) / 32 + 2000
  const isLater = attested.validUntilMs > stored.validUntilMs + roundedMs
  return isLater ? Math.min(heartbeatEndMs, stored.validUntilMs) : heartbeatEndMs
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value
}
