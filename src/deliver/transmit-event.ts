// What a transmitter tells of each update, from due to confirmed, and of a store that it cannot keep fresh.

import type { DueReason } from './due.js'

/** Every event names its store (`target`) and when it was (`atMs`, ms since 1970). */
interface Told {
  readonly target: string
  readonly atMs: number
}

/** What a batch of feeds is known by. */
interface Batch {
  /** Names of the feeds that asked for it. */
  readonly feeds: readonly string[]
}

/** What a transaction that was mined has cost. */
export interface Paid {
  readonly gasUsed: bigint
  readonly feeWei: bigint
}

export type TransmitEvent =
  /** By the report of T = sinceMs, `feed` should be renewed. */
  | (Told & { readonly event: 'due'; readonly feed: string; readonly reason: DueReason; readonly sinceMs: number })
  /** This member is number `place` to send, and may from `turnAtMs` on. */
  | (Told & Batch & { readonly event: 'waiting'; readonly place: number; readonly turnAtMs: number })
  /** A transaction left; once more for each that replaces it. */
  | (Told & Batch & { readonly event: 'sent'; readonly job: string; readonly txHash: string })
  /** It is on chain, deep enough. */
  | (Told &
      Batch &
      Paid & {
        readonly event: 'confirmed'
        readonly job: string
        readonly txHash: string
        readonly blockNumber: number
        /** When the first of the feeds was due; null for a job of an earlier life. */
        readonly dueAtMs: number | null
        readonly sentAtMs: number | null
      })
  /** Another brought a value first; `job` is ours where we paid, or were about to. */
  | (Told & Batch & Paid & { readonly event: 'superseded'; readonly job: string | null })
  /** A reorganisation took the transaction back; it is under way again. */
  | (Told & Batch & { readonly event: 'undone'; readonly job: string })
  /** The store would not take it, or did not; another attempt comes with a later turn. */
  | (Told & Batch & Paid & { readonly event: 'refused'; readonly job: string; readonly why: string })
  /** The heartbeat is over and the store was not renewed, whoever's turn it was (I17). */
  | (Told & {
      readonly event: 'overdue'
      readonly feed: string
      readonly storedMs: number
      readonly heartbeatMs: number
    })
  /** What was overdue is on chain again. */
  | (Told & { readonly event: 'renewed'; readonly feed: string })
  /** The chain cannot be read by quorum: nothing is sent meanwhile. */
  | (Told & { readonly event: 'blind'; readonly why: string })
  | (Told & { readonly event: 'seeing' })
