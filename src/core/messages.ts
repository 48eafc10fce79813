// The words oracles say to each other, decoded and verified: what the core sees.

/** A point in the schedule of rounds (P3), ordered by epoch, then round. Both are uint32; rounds start at 1. */
export interface Slot {
  readonly epoch: number
  readonly round: number
}

/** The leader opens a slot (P4). Authenticated by its session. */
export interface Begin extends Slot {
  readonly kind: 'begin'
}

/** A member's readings moved past a stream trigger since it answered this slot (P4). Authenticated by its session. */
export interface Moved extends Slot {
  readonly kind: 'moved'
}

/** One member's signed readings for one slot (P5). */
export interface Observation extends Slot {
  readonly kind: 'observation'
  readonly member: number
  /** The member's clock, ms since 1970, < 2^48. */
  readonly clockMs: number
  /** 32 bytes: root over the evidence digests of the readings, kept by the observer. */
  readonly evidence: Uint8Array
  /** Packed readings of every feed, laid out by core/layout.ts. */
  readonly readings: Uint8Array
  /** EIP-712 digest of the observation, 32 bytes. */
  readonly digest: Uint8Array
  readonly signature: Uint8Array
}

/** The leader's set of signed observations (P6), in ascending member order, none repeated. */
export interface Proposal extends Slot {
  readonly kind: 'proposal'
  readonly observations: readonly Observation[]
  readonly digest: Uint8Array
  readonly signature: Uint8Array
}

/** What the signatures of a report cover (P9): slot, T and the Merkle root of its leaves. */
export interface ReportHeader extends Slot {
  /** T, ms since 1970, < 2^48. */
  readonly attestedAtMs: number
  readonly root: Uint8Array
}

/** One member's signature on a report (P9). */
export interface Attestation extends ReportHeader {
  readonly kind: 'attestation'
  readonly member: number
  readonly digest: Uint8Array
  readonly signature: Uint8Array
}

/** One member's signature that it saw a quorum of attestations on `reportDigest` (P11). */
export interface Seal extends Slot {
  readonly kind: 'seal'
  readonly member: number
  readonly reportDigest: Uint8Array
  readonly digest: Uint8Array
  readonly signature: Uint8Array
}

/** The highest epoch a member wishes to be in (P12). Authenticated by its session; also its claim (P9). */
export interface Wish {
  readonly kind: 'wish'
  readonly epoch: number
}

/** A request for the proposal of a slot (P10). */
export interface Fetch extends Slot {
  readonly kind: 'fetch'
}

/** A report header with q attestations (P10): signatures in ascending member order. */
export interface Certificate extends ReportHeader {
  readonly kind: 'certificate'
  readonly digest: Uint8Array
  readonly signers: readonly number[]
  readonly signatures: readonly Uint8Array[]
}

/** A member's word that it did not make a signature which bears its key (P9): the key is in use elsewhere. */
export interface Disown extends Slot {
  readonly kind: 'disown'
  readonly member: number
  /** The EIP-712 digest of the observation, proposal or attestation of this slot that it did not make. */
  readonly signedDigest: Uint8Array
  readonly digest: Uint8Array
  readonly signature: Uint8Array
}

/** Two contradicting signed messages of one member (fault evidence), or one that only it could have made. */
export type SignedMessage = Observation | Proposal | Attestation

/** A message before its signature: what the core asks the keyring for. */
export type Draft =
  | Omit<Observation, 'member' | 'digest' | 'signature'>
  | Omit<Proposal, 'digest' | 'signature'>
  | Omit<Attestation, 'member' | 'digest' | 'signature'>
  | Omit<Seal, 'member' | 'digest' | 'signature'>
  | Omit<Disown, 'member' | 'digest' | 'signature'>

export type Message = Begin | Moved | Observation | Proposal | Attestation | Seal | Wish | Fetch | Certificate | Disown

/** A message as its bytes claim it, before its signatures are verified and its digest computed. */
export type Unverified =
  | Begin
  | Moved
  | Wish
  | Fetch
  | UnverifiedObservation
  | UnverifiedProposal
  | Omit<Attestation, 'digest'>
  | Omit<Seal, 'digest'>
  | Omit<Certificate, 'digest'>
  | Omit<Disown, 'digest'>

export type UnverifiedObservation = Omit<Observation, 'digest'>

export interface UnverifiedProposal extends Slot {
  readonly kind: 'proposal'
  readonly observations: readonly UnverifiedObservation[]
  readonly signature: Uint8Array
}

/** −1, 0 or 1 as slot `a` comes before, is, or comes after slot `b` (P3). */
export function compareSlots(a: Slot, b: Slot): number {
  return Math.sign(a.epoch - b.epoch) || Math.sign(a.round - b.round)
}
