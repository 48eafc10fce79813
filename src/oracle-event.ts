// What a running oracle tells the process around it: the lines of `assay start`.

import type { Reason } from './core/explain.js'
import type { ChainEvent } from './deliver/chain-event.js'

export type OracleEvent =
  | ChainEvent
  | {
      readonly event: 'started'
      readonly member: string
      readonly address: string
      readonly listen: string
      readonly feeds: number
      readonly engine: 'native' | 'wasm'
    }
  /** The API answers at `url`. */
  | { readonly event: 'serving'; readonly url: string }
  | { readonly event: 'session'; readonly peer: string; readonly state: 'up' | 'down'; readonly reason: string | null }
  | {
      readonly event: 'report'
      readonly epoch: number
      readonly round: number
      readonly attestedAtMs: number
      readonly signers: readonly number[]
      readonly members: number
      readonly feeds: number
      /** Feeds that have a value. */
      readonly values: number
      /** From T to now, ms. */
      readonly latencyMs: number
    }
  | { readonly event: 'stalled'; readonly reasons: readonly Reason[] }
  | { readonly event: 'resumed' }
  /** This oracle stops signing because a disk refuses (`code`), or signs again; the committee may go on without it. */
  | { readonly event: 'signing'; readonly state: 'closed' | 'open'; readonly code: string | null }
  | { readonly event: 'warning'; readonly code: string; readonly sentence: string }
  | { readonly event: 'halted'; readonly code: string; readonly advice: string }
  | { readonly event: 'stopped' }
