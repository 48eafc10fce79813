// What one oracle knows between two steps, the events that change it, and the effects that come of them.

import type { Committee } from './committee.js'
import type { Durable } from './durable.js'
import type {
  Attestation,
  Begin,
  Certificate,
  Disown,
  Draft,
  Message,
  Observation,
  Proposal,
  ReportHeader,
  Seal,
  SignedMessage,
  Slot,
} from './messages.js'
import type { AttestedReport, Report, ReportKernel } from './report.js'

/** Two clocks: `wallMs` since 1970 for what is signed, `steadyMs` that never jumps for every timer (B30). */
export interface Now {
  readonly wallMs: number
  readonly steadyMs: number
}

/** What a step may use besides state and event; fixed for the life of a process. */
export interface Context {
  readonly committee: Committee
  readonly self: number
  readonly kernel: ReportKernel
  /** P2. */
  readonly leaderOf: (epoch: number) => number
  /** EIP-712 digest of a report header under S. */
  readonly digestOf: (header: ReportHeader) => Uint8Array
}

/** A round the leader has begun and not yet proposed (P6). */
export interface Collecting {
  readonly round: number
  readonly observations: readonly (Observation | null)[]
  readonly graceAtMs: number | null
}

/** The leader's side of an epoch (P4, P6); null in followers. */
export interface Lead {
  readonly round: number
  readonly beganAtMs: number
  readonly nextBeginAtMs: number
  readonly movers: readonly number[]
  readonly collecting: readonly Collecting[]
  /** Rounds begun and not certified, with the time they began; older ones than slotMs leave. */
  readonly inFlight: readonly { readonly round: number; readonly atMs: number }[]
}

/** The follower's side of an epoch (P5, P7): slots answered in the last slotMs. */
export interface Follow {
  readonly answered: readonly { readonly round: number; readonly atMs: number }[]
  readonly lastRound: number
  /** The last round whose readings came: later than it only, so that a slot is observed once and slots rise (P5, P9). */
  readonly observedRound: number
  /** Begins faster than one a roundMsMin on average, with delayMs of slack for jitter, are dropped. */
  readonly nextBeginDueMs: number
  /** The last round for which this member has said that its readings moved. */
  readonly movedRound: number
}

/** Everything known of one slot (P10, P11). */
export interface Gathering extends Slot {
  readonly attestations: readonly (Attestation | null)[]
  readonly seals: readonly (Seal | null)[]
  readonly proposal: Proposal | null
  readonly report: Report | null
  /** Digest of `report`. */
  readonly digest: Uint8Array | null
  readonly certificate: Certificate | null
  readonly delivered: boolean
  readonly sealed: boolean
  /** Members asked for the proposal, in order, and when the last was. */
  readonly asked: readonly number[]
  readonly askedAtMs: number
  /** Members whose fetch for this slot was answered. */
  readonly served: readonly number[]
}

/** A message held for an epoch not entered yet (P4). */
export interface Early {
  readonly epoch: number
  readonly begin: Begin | null
  readonly proposal: Proposal | null
}

/** An effect that waits until its slot and time are under the durable floor (P9). */
export interface Pending {
  readonly slot: Slot
  readonly timeMs: number
  readonly untilMs: number
  readonly effect: Effect
}

/** Why nothing is signed although the process runs. */
export interface Closed {
  readonly by: 'persist' | 'store'
  readonly code: string
}

/** All that one oracle knows; never changed in place. */
export interface State {
  readonly epoch: number
  readonly enteredAtMs: number
  /** The floor found at start: nothing at or below it is ever acted on. */
  readonly opening: Durable
  /** The last record known to be on disk. */
  readonly durable: Durable
  /** The last record asked for. */
  readonly asked: Durable
  readonly askedAtMs: number
  readonly reserveRounds: number
  readonly pending: readonly Pending[]
  /** 'unprovable' until n−f other members have claimed their epochs (P9). */
  readonly standing: 'sound' | 'adopting' | 'unprovable'
  readonly claims: readonly (number | null)[]
  /** Set while a disk or store refuses writes: nothing is signed. */
  readonly closed: readonly Closed[]
  /** Set for good when this oracle must not go on. */
  readonly halted: string | null
  /** The last slot and T this oracle attested to. */
  readonly signed: { readonly slot: Slot; readonly timeMs: number }
  readonly latest: Certificate | null
  readonly progress: { readonly sinceMs: number; readonly failures: number; readonly made: boolean }
  /** The highest wish heard of each member; one's own comes back by broadcast like all others. */
  readonly wishes: readonly number[]
  readonly wishSent: { readonly wish: number; readonly atMs: number }
  readonly lead: Lead | null
  readonly follow: Follow
  readonly early: readonly Early[]
  readonly gatherings: readonly Gathering[]
  readonly connected: readonly boolean[]
  /** When each member was last sent the latest certificate because it was behind. */
  readonly helpedAtMs: readonly number[]
  /** The last message of each member that disowns a signature of its key (P9), with the time it came. */
  readonly disowned: readonly ({ readonly disown: Disown; readonly atMs: number } | null)[]
}

export type Event =
  /** A verified message; `from` is the session it came by. */
  | { readonly kind: 'received'; readonly from: number; readonly message: Message }
  /** The answer to an `observe` effect. */
  | { readonly kind: 'observed'; readonly slot: Slot; readonly readings: Uint8Array; readonly evidence: Uint8Array }
  /** Our own readings moved past a stream trigger (P4). */
  | { readonly kind: 'moved' }
  | { readonly kind: 'persisted'; readonly durable: Durable }
  /** A `persist` failed; it is asked for again each resendMs. */
  | { readonly kind: 'persist-failed'; readonly code: string }
  /** The report store closed (`code`) or opened (null): signing stops and resumes with it. */
  | { readonly kind: 'store'; readonly code: string | null }
  | { readonly kind: 'session'; readonly member: number; readonly up: boolean }
  /** A signature of our own key that we did not make, or one of ours that another process with our key disowns (P9). */
  | { readonly kind: 'impostor'; readonly message: SignedMessage | Certificate | Disown }
  /** The store holds another report on a slot that was just attested: more than f members are faulty (I-1). */
  | { readonly kind: 'contradicted' }
  /** The time named by wakeAtMs has come. */
  | { readonly kind: 'tick' }

export type Effect =
  /** Put the record on disk, then answer `persisted` or `persist-failed`. `adopt`: the record was unprovable till now. */
  | { readonly kind: 'persist'; readonly durable: Durable; readonly adopt: boolean }
  /** Read every feed for this slot, then answer `observed`. */
  | { readonly kind: 'observe'; readonly slot: Slot }
  /** Sign the draft and send it to one member, or to all; to oneself by the same path. */
  | { readonly kind: 'sign'; readonly draft: Draft; readonly to: number | 'all' }
  | { readonly kind: 'send'; readonly message: Message; readonly to: number | 'all' }
  | { readonly kind: 'deliver'; readonly report: AttestedReport }
  | { readonly kind: 'deliver-seals'; readonly seals: SealSet }
  /** Two contradicting signed messages of `member`, to be stored. */
  | {
      readonly kind: 'evidence'
      readonly member: number
      readonly messages: readonly [SignedMessage, SignedMessage]
    }
  | { readonly kind: 'drop'; readonly from: number; readonly reason: DropReason }
  /** This oracle stops signing for good and says why. */
  | { readonly kind: 'halt'; readonly code: string }

/** f+1 seals on one report (P11). */
export interface SealSet extends Slot {
  readonly reportDigest: Uint8Array
  readonly signers: readonly number[]
  readonly signatures: readonly Uint8Array[]
}

/** Why a verified message was of no use; counted by reason, never an exception. */
export type DropReason =
  | 'NOT_LEADER'
  | 'OTHER_EPOCH'
  | 'ROUND_RANGE'
  | 'REPEATED'
  | 'TOO_SOON'
  | 'BELOW_FLOOR'
  | 'NOT_COLLECTING'
  | 'NOT_ANSWERED'
  | 'TOO_FEW'
  | 'TIME_SKEW'
  | 'TIME_NOT_RISING'
  | 'LATE'
  | 'CONTRADICTS'
  | 'UNKNOWN_SLOT'
  | 'NOT_WANTED'
  | 'NOT_SIGNING'

export interface Transition {
  readonly state: State
  readonly effects: readonly Effect[]
}

/** One step under way: the state so far and the effects in order. Lives only inside `step`. */
export interface Turn {
  readonly context: Context
  readonly now: Now
  state: State
  readonly effects: Effect[]
}

/** Adds a drop with its reason. */
export function drop(turn: Turn, from: number, reason: DropReason): void {
  turn.effects.push({ kind: 'drop', from, reason })
}

/** Ends all signing for good. */
export function halt(turn: Turn, code: string): void {
  turn.state = { ...turn.state, halted: code, lead: null, pending: [] }
  turn.effects.push({ kind: 'halt', code })
}

/** Whether this oracle signs at all right now. */
export function signs(state: State): boolean {
  return state.standing === 'sound' && state.closed.length === 0 && state.halted === null
}
