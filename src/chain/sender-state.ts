// What the sender of one key on one chain knows, what it hears and what it asks for: the vocabulary of sender-step.ts.

import type { ErrorCode } from '../base/error-codes.js'
import type { FeeLimits, Fees, Market, Spending } from './fees.js'
import type { SendOutcome } from './send-outcome.js'

/** One effect wanted on a chain, exactly once. `id` names the effect, also after a restart; higher priorities go first. */
export interface Job {
  readonly id: string
  readonly to: string
  /** Calldata, 0x hex. */
  readonly data: string
  readonly gasLimit: bigint
  readonly priority: number
}

/** One signed transaction at a nonce. A filler carries nothing to ourselves: it only uses the nonce up. */
export interface Attempt {
  readonly hash: string
  readonly raw: string
  readonly fees: Fees
  readonly isFiller: boolean
}

/** A transaction in a block of the agreed chain. `paidWei` includes what an L2 takes for data. */
export interface Receipt {
  readonly hash: string
  readonly blockNumber: number
  readonly blockHash: string
  readonly isSuccess: boolean
  readonly gasUsed: bigint
  readonly paidWei: bigint
}

/** A nonce with the job it carries, from the first signature until a block that holds it is final. */
export interface Flight {
  readonly nonce: number
  readonly job: Job
  /** Oldest first, each raising the last. Only one of them can ever be in a chain. */
  readonly attempts: readonly Attempt[]
  /** The head when the last attempt was handed to the nodes; null when it is to be handed out again. */
  readonly sentAtBlock: number | null
  /** The fees of an attempt that is being signed. */
  readonly signing: Fees | null
  /** A node said that the last attempt offers too little. */
  readonly mustRaise: boolean
  /** Nodes refuse the job itself: its nonce is used up by a filler. */
  readonly isGivenUp: boolean
  readonly mined: Receipt | null
  /** Mined deep enough, and told so. */
  readonly isDone: boolean
  /** The first head at which another transaction had this nonce. */
  readonly takenAtBlock: number | null
}

/** How a job ended. A superseded one was not needed any more; a refused one no node would take. */
export interface Outcome {
  readonly id: string
  /** The nonce that its end has in the chain; null where it has none. */
  readonly nonce: number | null
  readonly end: 'done' | 'reverted' | 'refused' | 'superseded'
  readonly receipt: Receipt | null
  readonly atMs: number
}

/** What a quorum of endpoints says at one block. `receipts` has an entry for each hash that was asked for (`hashesToAsk`). */
export interface Sight extends Market {
  readonly number: number
  readonly hash: string
  /** Transactions of the key in the chain up to this block: its next nonce. */
  readonly count: number
  readonly balance: bigint
  readonly receipts: ReadonlyMap<string, Receipt | null>
}

/** A job without a nonce; `freshAtBlock`: the head when its effect was known to be missing. */
export interface Queued {
  readonly job: Job
  readonly freshAtBlock: number | null
}

/** What must be put right by the operator or by time. */
export type Alarm = Extract<
  ErrorCode,
  'FEE_CAP' | 'FEE_BUDGET' | 'LOW_BALANCE' | 'NONCE_TAKEN' | 'JOB_REFUSED' | 'JOURNAL_WRITE_FAILED'
>

/** Everything known. Replaced, never changed. */
export interface SenderState {
  /** Null while no quorum of endpoints is heard: nothing is sent then. */
  readonly sight: Sight | null
  readonly queue: readonly Queued[]
  /** By nonce, ascending. */
  readonly flights: readonly Flight[]
  /** Jobs of which it is being asked whether their effect is still missing. */
  readonly doubted: readonly Job[]
  readonly outcomes: ReadonlyMap<string, Outcome>
  readonly alarms: ReadonlySet<Alarm>
  /** The balance that a node called too low for a transaction. */
  readonly poorAt: bigint | null
}

/** The rules of one key on one chain. */
export interface SenderRules {
  readonly chainId: number
  /** The key's address, 0x hex. */
  readonly address: string
  /** Blocks from the one that holds a transaction to the head, both included, after which its job is done. */
  readonly confirmations: number
  /** The same, after which no reorganisation is expected and its nonce is forgotten. */
  readonly finalityBlocks: number
  /** An attempt that is in no block after so many is replaced. */
  readonly raiseAfterBlocks: number
  /** Nonces under way at once. */
  readonly flightsMax: number
  /** Below this balance the operator is warned. */
  readonly balanceMinWei: bigint
  /** How long the end of a job is remembered, so that submitting it again does nothing; at least the budget's hour. */
  readonly rememberMs: number
  readonly limits: FeeLimits
}

/** What the sender hears. */
export type SenderEvent =
  | { readonly kind: 'submitted'; readonly job: Job }
  | { readonly kind: 'withdrawn'; readonly id: string }
  | { readonly kind: 'seen'; readonly sight: Sight }
  | { readonly kind: 'blind' }
  | { readonly kind: 'signed'; readonly nonce: number; readonly attempt: Attempt }
  | { readonly kind: 'unsigned'; readonly nonce: number; readonly code: Alarm | null }
  | { readonly kind: 'answered'; readonly nonce: number; readonly hash: string; readonly answer: SendOutcome }
  | { readonly kind: 'wanted'; readonly id: string; readonly isWanted: boolean }

/** What it asks for, to be performed in order. `sign`: sign, write the attempt to the journal, then tell `signed`. */
export type SenderEffect =
  | {
      readonly kind: 'sign'
      readonly nonce: number
      readonly job: Job
      readonly fees: Fees
      readonly isFiller: boolean
    }
  | { readonly kind: 'send'; readonly nonce: number; readonly attempt: Attempt }
  | { readonly kind: 'write'; readonly entry: JournalEntry }
  | { readonly kind: 'ask'; readonly job: Job }
  | { readonly kind: 'tell'; readonly news: News }

/** One line of the journal: enough to go on after a crash at any point. */
export type JournalEntry =
  | { readonly kind: 'attempt'; readonly nonce: number; readonly job: Job; readonly attempt: Attempt }
  | { readonly kind: 'end'; readonly outcome: Outcome }
  | { readonly kind: 'final'; readonly nonce: number }
  | { readonly kind: 'lost'; readonly nonce: number | null; readonly job: Job }

/** What the caller is told. Ends may be told again after a restart; `undone`: a reorganisation took an end back. */
export type News =
  | {
      readonly kind: 'sent'
      readonly job: Job
      readonly nonce: number
      readonly attempt: Attempt
      readonly tries: number
    }
  | { readonly kind: 'ended'; readonly outcome: Outcome }
  | { readonly kind: 'undone'; readonly id: string; readonly nonce: number }
  | { readonly kind: 'alarm'; readonly code: Alarm; readonly isRaised: boolean; readonly sentence: string }

const fillerPrefix = 'filler/'

/** The id of the job that only uses up `nonce`; it concerns nobody else. */
export const fillerId = (nonce: number): string => `${fillerPrefix}${nonce}`

/** Whether a job only uses up a nonce. */
export const isFillerJob = ({ id }: { readonly id: string }): boolean => id.startsWith(fillerPrefix)

/** What ended jobs paid, and when. */
export function spendingsOf({ outcomes }: SenderState): readonly Spending[] {
  return [...outcomes.values()].flatMap(({ receipt, atMs }) =>
    receipt === null ? [] : [{ atMs, wei: receipt.paidWei }],
  )
}

/** A nonce just given to `job`. */
export function newFlight(nonce: number, job: Job): Flight {
  return {
    nonce,
    job,
    attempts: [],
    sentAtBlock: null,
    signing: null,
    mustRaise: false,
    isGivenUp: false,
    mined: null,
    isDone: false,
    takenAtBlock: null,
  }
}

/** Whether a job can be given to this key now, and if not, why. */
export type Standing = 'free' | 'full' | 'stuck' | 'poor' | 'blind'

/** The standing of a key. A stuck one has an attempt that was replaced already, or waits for cap or budget. */
export function standingOf(state: SenderState, rules: SenderRules): Standing {
  const { sight } = state
  if (sight === null) return 'blind'
  if (isPoor(state) || state.alarms.has('LOW_BALANCE')) return 'poor'
  const underWay = state.flights.filter(({ mined }) => mined === null)
  if (underWay.some(({ attempts, mustRaise }) => attempts.length > 1 || mustRaise)) return 'stuck'
  if (state.alarms.has('FEE_CAP') || state.alarms.has('FEE_BUDGET')) return 'stuck'
  return underWay.length + state.queue.length >= rules.flightsMax ? 'full' : 'free'
}

/** Whether a node called the balance too low that the key still has. */
export function isPoor({ sight, poorAt }: SenderState): boolean {
  return sight !== null && poorAt !== null && sight.balance <= poorAt
}

/** Ids of the jobs that have not ended. */
export function openJobsOf({ queue, doubted, flights }: SenderState): readonly string[] {
  const flying = flights.filter((flight) => !flight.isDone && !isFillerJob(flight.job))
  return [...queue, ...flying, ...doubted.map((job) => ({ job }))].map(({ job }) => job.id)
}

/** Whether the sender has this job, under way or ended. */
export function knowsJob(state: SenderState, id: string): boolean {
  return (
    state.outcomes.has(id) ||
    state.queue.some(({ job }) => job.id === id) ||
    state.doubted.some((job) => job.id === id) ||
    state.flights.some(({ job }) => job.id === id)
  )
}

/**
 * The transactions to ask for. Blocks are chained by their hashes: while the newest of those that hold transactions of ours
 * stands (`newest`, asked first), all before it do; `older` are asked for only when it does not.
 */
export function hashesToAsk(state: SenderState): {
  readonly newest: readonly string[]
  readonly older: readonly string[]
} {
  const mined = state.flights.filter((flight) => flight.mined !== null)
  const anchor = anchorOf(state)
  const open = state.flights.filter((flight) => flight.mined === null).flatMap(({ attempts }) => attempts)
  return {
    newest: [...open.map(({ hash }) => hash), ...(anchor === null ? [] : [anchor.hash])],
    older: mined.flatMap((flight) => (flight.mined === anchor ? [] : [flight.mined!.hash])),
  }
}

/** The receipt in the newest block that holds a transaction of ours. */
export function anchorOf({ flights }: SenderState): Receipt | null {
  return flights.reduce<Receipt | null>((newest, { mined }) => {
    return mined !== null && (newest === null || mined.blockNumber >= newest.blockNumber) ? mined : newest
  }, null)
}

/** Whether the block of `anchor` still is in the chain that `receipts` speak of. */
export function stands(anchor: Receipt | null, receipts: ReadonlyMap<string, Receipt | null>): boolean {
  return anchor === null || receipts.get(anchor.hash)?.blockHash === anchor.blockHash
}
