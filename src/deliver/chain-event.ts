// What an oracle tells of its chains, and the facts that it shows of each.

import type { EndpointFacts, EndpointState } from '../chain/endpoint-health.js'
import type { SenderFacts } from '../chain/sender.js'
import type { Alarm } from '../chain/sender-state.js'
import type { CostRow } from './costs.js'
import type { DueReason } from './due.js'
import type { RequestEvent, RequestFacts } from './request-event.js'
import type { TransmitEvent } from './transmit-event.js'

/** Each names its chain by the name in the configuration. */
export type ChainEvent =
  | { readonly event: 'transmit'; readonly chain: string; readonly news: TransmitEvent }
  | { readonly event: 'request'; readonly chain: string; readonly news: RequestEvent }
  | {
      readonly event: 'endpoint'
      readonly chain: string
      readonly endpoint: string
      readonly state: EndpointState
      readonly reason: string
    }
  /** Something that the operator or time must put right with a key that pays, or is right again. */
  | {
      readonly event: 'sender'
      readonly chain: string
      readonly address: string
      readonly code: Alarm
      readonly isRaised: boolean
      readonly sentence: string
    }
  /** Nothing is sent while the chain is not readable by quorum or its sequencer is down; `why` is null when it is over. */
  | { readonly event: 'chain'; readonly chain: string; readonly code: string | null; readonly why: string | null }

/** One store as an oracle sees it. */
export interface StoreFacts {
  /** Chain and store in one word. */
  readonly target: string
  readonly kind: 'feeds' | 'bundle'
  readonly feeds: readonly {
    readonly name: string
    /** T of what is stored, ms since 1970; null where nothing is, or nobody could read it yet. */
    readonly storedMs: number | null
    readonly due: DueReason | null
    readonly heartbeatMs: number
  }[]
}

/** One chain as an oracle sees it. */
export interface ChainFacts {
  readonly chain: string
  readonly chainId: number
  /** The newest block that a quorum agrees on; null before the first. */
  readonly head: { readonly number: number; readonly timestampMs: number } | null
  /** Why nothing is sent now; null while all is well. */
  readonly stoppedBy: { readonly code: string; readonly why: string } | null
  readonly endpoints: readonly EndpointFacts[]
  readonly senders: readonly (SenderFacts & { readonly pays: 'pushes' | 'requests' })[]
  readonly stores: readonly StoreFacts[]
  readonly requests: RequestFacts | null
  /** By day, store and feed; of 35 days. */
  readonly costs: readonly CostRow[]
}
