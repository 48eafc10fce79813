// The page of facts about sources: what each last said, what went wrong last, and whether it counts right now.

import type { Leaf } from './adapter.js'
import type { SourceCode } from './source-error.js'

/** One source of one feed, as /v1/sources shows it. Times are ms since 1970. */
export interface SourceFacts {
  readonly feed: string
  readonly adapter: string
  readonly version: number
  readonly params: Readonly<Record<string, string | number | boolean>>
  readonly group: string
  /** counting: in the feed's value now; outlier: fresh but too far off; late: too old; down: nothing usable. */
  readonly state: 'counting' | 'outlier' | 'late' | 'down' | 'waiting'
  readonly lastGood: {
    readonly value: Readonly<Record<string, Leaf>>
    readonly observedAtMs: number
    /** Whether observedAtMs is the time of receipt, for want of a time of the source's own. */
    readonly isReceiptTime: boolean
    readonly receivedAtMs: number
    /** From asking to the whole answer, ms. */
    readonly latencyMs: number
  } | null
  readonly lastError: {
    readonly code: SourceCode
    readonly message: string
    readonly path: string
    readonly atMs: number
  } | null
  /** Distance from the feed's value, parts per million; null where either is missing or no number. */
  readonly deviationPpm: number | null
  readonly counts: { readonly good: number; readonly errors: Readonly<Partial<Record<SourceCode, number>>> }
}

/** One feed of this oracle, as /v1/sources shows it: what it would sign now. */
export interface FeedFacts {
  readonly feed: string
  readonly status: string
  /** Why the status is not OK; empty when it is. */
  readonly reasons: readonly string[]
  readonly groups: number
  readonly spreadPpm: number
  readonly observedAtMs: number | null
}
