// What an oracle tells of a request to a hub on chain, from asked to ended, and what a desk for them is given.

import type { Clock } from '../base/clock.js'
import type { Block } from '../chain/answers.js'
import type { RpcQuorum } from '../chain/rpc-quorum.js'
import type { Job, News } from '../chain/sender-state.js'
import type { Committee } from '../core/committee.js'
import type { Engine } from '../core/engine.js'
import type { ReportKernel } from '../core/report.js'
import type { ReportParts } from '../core/report-json.js'
import type { Costs } from './costs.js'
import type { RequestAct } from './request-job.js'
import type { Pace } from './target.js'
import type { Paid } from './transmit-event.js'

/** What an operator says of a RequestHub. */
export interface RequestSettings extends Pace {
  readonly chainId: number
  /** Address of the hub, 20 bytes of lower-case 0x hex. */
  readonly hub: string
  /** The block from which requests are looked for: that of the hub's deployment. */
  readonly fromBlock: number
  /** Requests whose callback asks for more gas are declined. */
  readonly callbackGasMax: number
  /** Contracts that are answered, lower-case 0x hex; null: all. */
  readonly requesters: readonly string[] | null
  /** Requests that are kept at once; further ones are declined. */
  readonly openMax: number
  /** Of those, how many may be one requester's. */
  readonly openPerRequesterMax: number
  /** Gas that may be spent on one requester within an hour; 10,000,000 unless given. */
  readonly requesterGasPerHourMax?: number
  /** Transactions under way at once; 8 unless given. */
  readonly underWayMax?: number
  /** Blocks below the head that no reorganisation reaches; 64 unless given. */
  readonly finalityBlocks?: number
}

/** Why a request is not answered by this oracle. UNREADABLE: no endpoint gives the events of a block, named as its id. */
export type DeclineReason =
  | 'UNKNOWN_FEED'
  | 'DEADLINE_TOO_NEAR'
  | 'CALLBACK_GAS_TOO_HIGH'
  | 'REQUESTER_NOT_LISTED'
  | 'TOO_MANY_OPEN'
  | 'UNREADABLE'

interface Told {
  /** Chain and hub in one word: `31337/0x…`. */
  readonly hub: string
  readonly atMs: number
  /** The request's id on chain. */
  readonly id: string
}

export type RequestEvent =
  /** A contract asked, in a block that a quorum of endpoints agrees on. */
  | (Told & {
      readonly event: 'asked'
      readonly requester: string
      readonly feed: string
      readonly deadlineMs: number
    })
  | (Told & { readonly event: 'declined'; readonly requester: string; readonly why: DeclineReason })
  /** A round follows, for which sources that are asked on request are asked: reports from now on may answer. */
  | (Told & { readonly event: 'round'; readonly feed: string })
  | (Told & { readonly event: 'waiting'; readonly place: number; readonly turnAtMs: number })
  /** `act` says what it carries: a value, the news that there is none, or that the deadline is over. */
  | (Told & { readonly event: 'sent'; readonly act: RequestAct; readonly txHash: string })
  /** It ended on chain; `by` us (then Paid says what it cost) or another member. `value`: onAnswer, else onRefused. */
  | (Told &
      Paid & { readonly event: 'ended'; readonly by: 'us' | 'other'; readonly end: 'answered' | 'refused' | 'gone' })
  /** A transaction of ours was in vain, or would have been. */
  | (Told & Paid & { readonly event: 'failed'; readonly why: string })
  /** The deadline is over and nobody answered. */
  | (Told & { readonly event: 'expired'; readonly why: string })
  /** What was remembered of earlier requests is damaged or of another hub: all are looked for anew. Names no request. */
  | (Told & { readonly event: 'forgotten' })

export interface RequestFacts {
  readonly hub: string
  /** Open requests that this oracle means to answer. */
  readonly open: number
  /** Since the start, by event; declined ones by reason in `declined`. */
  readonly counts: Readonly<Record<string, number>>
  readonly declined: Readonly<Partial<Record<DeclineReason, number>>>
  /** The block up to which requests were looked for; null before the first look. */
  readonly readToBlock: number | null
}

/** Where a desk keeps what it must remember over a restart. */
export interface RequestMemory {
  /** What was saved last; null where nothing was. */
  load(): Promise<Uint8Array | null>
  /** Replaces what was saved, whole or not at all. */
  save(bytes: Uint8Array): Promise<void>
}

export interface RequestDeskPorts {
  readonly clock: Clock
  readonly rpc: Pick<RpcQuorum, 'head' | 'read' | 'blockAt'>
  /** Gives a job to the sender that pays for answers; its hourly budget is that sender's. */
  readonly submit: (job: Job) => Promise<void>
  readonly openJobs: () => readonly string[]
  /** Asks for a round with the feed: at once, or once its sources have answered where they are asked on request only. */
  readonly askFeed: (feed: number) => void
  readonly memory: RequestMemory
  readonly onEvent: (event: RequestEvent) => void
  /** A fault of ours or of the disk on the way: work goes on, and what could not be done is tried again later. */
  readonly onFault: (error: unknown) => void
}

export interface RequestDeskParts {
  readonly engine: Engine
  readonly committee: Committee
  readonly kernel: ReportKernel
  /** Index of this member. */
  readonly member: number
  readonly settings: RequestSettings
  /** Counts what answers cost, with the hub for a target. */
  readonly costs: Costs
  readonly ports: RequestDeskPorts
}

/** Answers the requests of one hub. */
export interface RequestDesk {
  /** A report was attested, or now has seals. */
  onReport(report: ReportParts): void
  /** The chain has a new head, agreed on by the quorum. Resolves when it was looked at, as a rule; never rejects. */
  onHead(head: Block): Promise<void>
  /** Time has passed: at least eight times a stage. */
  onTick(): void
  /** What became of a job; those of others are not looked at. */
  onNews(news: News): void
  /**
   * Whether a job of this desk would still do something on chain; false for jobs of others. Rejects while the chain
   * cannot be read.
   */
  isWanted(job: string): Promise<boolean>
  facts(): RequestFacts
  /** Sends nothing more, and saves what must be remembered. Never rejects. */
  close(): Promise<void>
}
