// What the API may see of its oracle: facts only, nothing that signs, writes or steers.

import type { Committee } from '../core/committee.js'
import type { Engine } from '../core/engine.js'
import type { Reason } from '../core/explain.js'
import type { Slot } from '../core/messages.js'
import type { ReportKernel } from '../core/report.js'
import type { ChainEvent, ChainFacts } from '../deliver/chain-event.js'
import type { FeedFacts, SourceFacts } from '../observe/facts.js'
import type { ReportStore } from '../store/report-store.js'

/** How the oracle itself is. Times are ms since 1970. */
export interface NodeStatus {
  readonly member: string
  readonly version: string
  readonly engine: 'native' | 'wasm'
  readonly startedAtMs: number
  /** Null while it signs; otherwise the code that says why it does not. */
  readonly signingClosedBy: string | null
  /** Set once for good: KEY_IN_USE_ELSEWHERE, QUORUM_BROKEN or TIME_BROKEN. */
  readonly haltedBy: string | null
  readonly epoch: number
  readonly latest: (Slot & { readonly attestedAtMs: number }) | null
  /** Why there is no newer report; empty while reports come. */
  readonly reasons: readonly Reason[]
  /** Reports since start. */
  readonly reports: number
}

/** One peer's session. */
export interface PeerFacts {
  readonly index: number
  readonly name: string
  readonly address: string
  readonly endpoint: string
  readonly state: 'self' | 'up' | 'down'
  readonly reason: string | null
  /** Since when, ms since 1970; null before the first session. */
  readonly sinceMs: number | null
}

export interface NodeView {
  readonly engine: Engine
  readonly committee: Committee
  /** The committee document as agreed: what GET /v1/committee answers. */
  readonly document: unknown
  readonly kernel: ReportKernel
  readonly store: Pick<ReportStore, 'bySlot' | 'latest' | 'range' | 'history' | 'asOf'>
  /** The oracle's clock, ms since 1970: a replay's when it runs on one. */
  readonly nowMs: () => number
  readonly status: () => NodeStatus
  readonly sources: () => readonly SourceFacts[]
  readonly feeds: () => readonly FeedFacts[]
  readonly peers: () => readonly PeerFacts[]
  readonly drops: () => Readonly<Record<string, number>>
  /** The chains that reports are brought to, in the order of the configuration. */
  readonly chains: () => readonly ChainFacts[]
  /** Calls `listener` with all that happens on chains; returns how to stop. */
  readonly onChain: (listener: (event: ChainEvent) => void) => () => void
  /** Calls `listener` after a report is in the store; returns how to stop. */
  readonly onReport: (listener: (slot: Slot) => void) => () => void
}
