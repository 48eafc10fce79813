// The only holder of the signing key: it computes what it signs, and refuses whatever could contradict an earlier signature.

import { OracleError } from '../base/errors.js'
import { equalBytes } from '../core/bytes.js'
import type { Durable } from '../core/durable.js'
import { compareSlots, type Draft, type Slot } from '../core/messages.js'
import { domainOf, draftDigest } from '../core/typed-data.js'
import type { SigningEngine } from './engine-wasm.js'
import { type Authorship, createSignedHistory, type SignedHistory } from './signed-history.js'

/** What the keyring made: the EIP-712 digest (32 bytes) and its signature (64 bytes, EIP-2098). */
export interface Signed {
  readonly digest: Uint8Array
  readonly signature: Uint8Array
}

/** Kinds whose slots are covered by the durable floor and signed once (P9). */
export type OnceKind = 'observation' | 'proposal' | 'attestation'

export interface Keyring {
  /** The 20-byte signing address. */
  readonly address: Uint8Array
  /** Digest and signature of `draft`; throws OracleError with a KEYRING_ code when a rule of P9 forbids it. */
  sign(draft: Draft): Signed
  /** Whether a signature of this key on `digest` came of this process; 'unknown' when it may be of an earlier one. */
  authorship(kind: OnceKind, slot: Slot, digest: Uint8Array): Authorship
  /** The record that the members' claims allowed (P9): from now on slots above it are signed. Once, and only then. */
  adopt(opening: Durable): void
  /** Ends signing for good and overwrites the key. */
  stop(reason: string): void
}

export interface KeyringParts {
  readonly engine: SigningEngine
  /** 32 bytes. The keyring keeps a copy of its own and overwrites these. */
  readonly privateKey: Uint8Array
  /** S. */
  readonly salt: Uint8Array
  /** D. */
  readonly committeeDigest: Uint8Array
  /** The record found at start: all at or below it may be signed already. Null when it was unprovable. */
  readonly opening: Durable | null
  /** The last acknowledged record, or null while records cannot be written. */
  readonly durable: () => Durable | null
  /** How many slots of each kind are remembered for `authorship`. */
  readonly slotsMax?: number
}

const sealsMax = 1024

/** Takes over the private key. Nothing it returns, throws or shows to an inspector holds a byte of it. */
export function createKeyring(parts: KeyringParts): Keyring {
  const { engine, durable, slotsMax = 65_536 } = parts
  const address = engine.addressOf(parts.privateKey)
  const privateKey = Uint8Array.from(parts.privateKey)
  parts.privateKey.fill(0)
  const inner = domainOf(engine, parts.committeeDigest)
  const outer = domainOf(engine, parts.salt)
  let guards = parts.opening === null ? null : createGuards(parts.opening, slotsMax)
  let stopped: string | null = null

  return {
    address,
    sign: (draft) => {
      if (stopped !== null) {
        throw new OracleError('KEYRING_STOPPED', `signing has stopped: ${stopped}`, { facts: { reason: stopped } })
      }
      // Says of another's signature that it is not ours: true whatever the record holds, and of no slot of our own.
      if (draft.kind === 'disown') {
        const digest = draftDigest(engine, inner, outer, draft)
        return { digest, signature: engine.sign(digest, privateKey) }
      }
      const covered = durable()
      if (guards === null || covered === null) {
        throw new OracleError('KEYRING_CLOSED', 'the slot record allows no signature now (P9)')
      }
      guards.check(draft, covered)
      const digest = draftDigest(engine, inner, outer, draft)
      // Noted before it is made: a failure to sign uses the slot up.
      guards.note(draft, digest)
      return { digest, signature: engine.sign(digest, privateKey) }
    },
    authorship: (kind, slot, digest) => guards?.signed[kind].authorship(slot, digest) ?? 'unknown',
    adopt: (opening) => {
      if (guards !== null) throw new Error('a keyring adopts a record only when it was opened without one')
      guards = createGuards(opening, slotsMax)
    },
    stop: (reason) => {
      stopped ??= reason
      privateKey.fill(0)
    },
  }
}

/** A draft that uses up a slot, or seals one. */
type SlotDraft = Exclude<Draft, { readonly kind: 'disown' }>

interface Guards {
  readonly signed: Readonly<Record<OnceKind, SignedHistory>>
  /** Throws unless P9 allows this signature. */
  check(draft: SlotDraft, durable: Durable): void
  note(draft: SlotDraft, digest: Uint8Array): void
}

function createGuards(opening: Durable, slotsMax: number): Guards {
  const signed = {
    observation: createSignedHistory(opening.floor, slotsMax),
    proposal: createSignedHistory(opening.floor, slotsMax),
    attestation: createSignedHistory(opening.floor, slotsMax),
  }
  const checkSeal = createSealGuard()
  let attestedAtMs = 0

  return {
    signed,
    check: (draft, durable) => {
      if (draft.kind === 'seal') return checkSeal(draft, draft.reportDigest)
      const history = signed[draft.kind]
      // What lies at or below the record found at start may have been signed by the process before (I-1).
      if (compareSlots(draft, opening.floor) <= 0)
        refuse('KEYRING_BELOW_OPENING', draft, 'was reserved before the start')
      // Sign once: slots of a kind only rise (I-1).
      if (compareSlots(draft, history.last) <= 0) refuse('KEYRING_SLOT_SIGNED', draft, 'is not above the last signed')
      // Durable first: after a crash the record must forbid this slot and every time at or below this one.
      if (compareSlots(draft, durable.floor) > 0) refuse('KEYRING_ABOVE_FLOOR', draft, 'is above the durable floor')
      if (draft.kind === 'attestation') {
        if (draft.attestedAtMs > durable.floorMs)
          refuse('KEYRING_ABOVE_FLOOR', draft, 'has a time above the durable one')
        // T rises along attestations, across crashes too (I-4).
        if (draft.attestedAtMs <= opening.floorMs)
          refuse('KEYRING_BELOW_OPENING', draft, 'has a time reserved before the start')
        if (draft.attestedAtMs <= attestedAtMs)
          refuse('KEYRING_TIME_NOT_RISING', draft, 'has a time not above the last attested one')
      }
    },
    note: (draft, digest) => {
      if (draft.kind === 'seal') return
      if (draft.kind === 'attestation') attestedAtMs = draft.attestedAtMs
      signed[draft.kind].add(draft, digest)
    },
  }
}

/**
 * Seals (P11) are outside the durable floor. A seal says that a quorum was seen, which stays true for good: made again
 * after a crash it has the very same bytes, and two that contradict each other need two quorums on one slot, which I-1
 * excludes. Within one process even that is refused.
 */
function createSealGuard(): (seal: Slot, digest: Uint8Array) => void {
  const sealed = new Map<string, Uint8Array>()
  let forgotten: Slot = { epoch: 0, round: 0 }
  return (seal, digest) => {
    const key = `${seal.epoch}/${seal.round}`
    const before = sealed.get(key)
    if (before !== undefined) {
      if (!equalBytes(before, digest)) refuse('KEYRING_SLOT_SIGNED', seal, 'has a seal on another report')
      return
    }
    if (compareSlots(seal, forgotten) <= 0) refuse('KEYRING_SLOT_SIGNED', seal, 'is too old for a seal')
    sealed.set(key, Uint8Array.from(digest))
    if (sealed.size <= sealsMax) return
    const oldest = sealed.keys().next().value!
    sealed.delete(oldest)
    const [epoch, round] = oldest.split('/').map(Number) as [number, number]
    if (compareSlots({ epoch, round }, forgotten) > 0) forgotten = { epoch, round }
  }
}

function refuse(code: OracleError['code'], { epoch, round }: Slot, why: string): never {
  throw new OracleError(code, `slot ${epoch}/${round} ${why} (P9)`, { facts: { epoch, round } })
}
