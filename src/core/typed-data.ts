// EIP-712 by hand on packed bytes: the five types that Assay signs (P5, P6, P9, P11), and no others.

import { concat, putU32, putU48, utf8 } from './bytes.js'
import type { Engine } from './engine.js'
import type { Draft, ReportHeader, Slot } from './messages.js'

/** One field of an EIP-712 type, in the shape eth_signTypedData takes. */
export interface TypedField {
  readonly name: string
  readonly type: string
}

/** Name and version of every EIP-712 domain of Assay; its salt is S (leaves the committee) or D (between oracles). */
export const domainNames: { readonly name: 'Assay'; readonly version: '1' } = { name: 'Assay', version: '1' }

/** Fields of the domain, in EIP-712's order. */
export const domainFields: readonly TypedField[] = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'salt', type: 'bytes32' },
]

const slotFields: readonly TypedField[] = [
  { name: 'epoch', type: 'uint32' },
  { name: 'round', type: 'uint32' },
]

type TypeName = 'Report' | 'Sealed' | 'Observation' | 'Proposal' | 'Disowned'

/** The signed types by name (I-3): Report and Sealed under salt S, the others under salt D. */
export const typedFields: Readonly<Record<TypeName, readonly TypedField[]>> = {
  Report: [...slotFields, { name: 'attestedAtMs', type: 'uint64' }, { name: 'root', type: 'bytes32' }],
  Sealed: [{ name: 'reportDigest', type: 'bytes32' }],
  Observation: [
    ...slotFields,
    { name: 'clockMs', type: 'uint64' },
    { name: 'readings', type: 'bytes32' },
    { name: 'evidence', type: 'bytes32' },
  ],
  Proposal: [...slotFields, { name: 'observations', type: 'bytes32' }],
  Disowned: [...slotFields, { name: 'signedDigest', type: 'bytes32' }],
}

/** EIP-712's encodeType of fields without nested structs: `Name(type field,…)`. */
export function typeString(name: string, fields: readonly TypedField[]): string {
  return `${name}(${fields.map((field) => `${field.type} ${field.name}`).join(',')})`
}

/** One EIP-712 domain, with what each digest under it needs ready: made once for S and once for D. */
export interface Domain {
  readonly separator: Uint8Array
  /** 0x1901, the separator, and room for the struct hash: written and hashed in one go, never handed out. */
  readonly envelope: Uint8Array
  /** typeHash in the first word of each, the rest written anew for each digest. */
  readonly report: Uint8Array
  readonly sealed: Uint8Array
  readonly observation: Uint8Array
  readonly proposal: Uint8Array
  readonly disowned: Uint8Array
}

function frame(engine: Engine, name: keyof typeof typedFields): Uint8Array {
  const bytes = new Uint8Array(32 + 32 * typedFields[name].length)
  bytes.set(engine.keccak256(utf8(typeString(name, typedFields[name]))))
  return bytes
}

/** The domain {name "Assay", version "1", salt} for a 32-byte `salt`. Not to be shared between threads. */
export function domainOf(engine: Engine, salt: Uint8Array): Domain {
  if (salt.length !== 32) throw new Error(`a salt has 32 bytes, not ${salt.length}`)
  const bytes = new Uint8Array(128)
  bytes.set(engine.keccak256(utf8(typeString('EIP712Domain', domainFields))))
  bytes.set(engine.keccak256(utf8(domainNames.name)), 32)
  bytes.set(engine.keccak256(utf8(domainNames.version)), 64)
  bytes.set(salt, 96)
  const separator = engine.keccak256(bytes)
  const envelope = new Uint8Array(66)
  envelope.set([0x19, 0x01])
  envelope.set(separator, 2)
  return {
    separator,
    envelope,
    report: frame(engine, 'Report'),
    sealed: frame(engine, 'Sealed'),
    observation: frame(engine, 'Observation'),
    proposal: frame(engine, 'Proposal'),
    disowned: frame(engine, 'Disowned'),
  }
}

/** A caller's wrong length would sign something else without a word: assert it. */
function putBytes32(frame: Uint8Array, at: number, value: Uint8Array): void {
  if (value.length !== 32) throw new Error(`expected 32 bytes, not ${value.length}`)
  frame.set(value, at)
}

function putSlot(frame: Uint8Array, slot: Slot): void {
  // What does not fit would be signed as another slot.
  if (slot.epoch >>> 0 !== slot.epoch || slot.round >>> 0 !== slot.round) {
    throw new Error(`no slot: ${slot.epoch}/${slot.round}`)
  }
  putU32(frame, 60, slot.epoch)
  putU32(frame, 92, slot.round)
}

function digestOf(engine: Engine, domain: Domain, frame: Uint8Array): Uint8Array {
  domain.envelope.set(engine.keccak256(frame), 34)
  return engine.keccak256(domain.envelope)
}

/** Digest of Report(uint32 epoch,uint32 round,uint64 attestedAtMs,bytes32 root) under the domain of S (P9). */
export function reportDigest(engine: Engine, domain: Domain, report: ReportHeader): Uint8Array {
  const bytes = domain.report
  putSlot(bytes, report)
  putU48(bytes, 122, report.attestedAtMs)
  putBytes32(bytes, 128, report.root)
  return digestOf(engine, domain, bytes)
}

/** Digest of Sealed(bytes32 reportDigest) under the domain of S (P11). */
export function sealedDigest(engine: Engine, domain: Domain, digest: Uint8Array): Uint8Array {
  putBytes32(domain.sealed, 32, digest)
  return digestOf(engine, domain, domain.sealed)
}

/** What an observation's signature covers (P5); both hashes have 32 bytes. */
export interface ObservationHeader extends Slot {
  readonly clockMs: number
  readonly readingsHash: Uint8Array
  readonly evidence: Uint8Array
}

/** Digest of Observation(uint32 epoch,uint32 round,uint64 clockMs,bytes32 readings,bytes32 evidence) under D (P5). */
export function observationDigest(engine: Engine, domain: Domain, observation: ObservationHeader): Uint8Array {
  const bytes = domain.observation
  putSlot(bytes, observation)
  putU48(bytes, 122, observation.clockMs)
  putBytes32(bytes, 128, observation.readingsHash)
  putBytes32(bytes, 160, observation.evidence)
  return digestOf(engine, domain, bytes)
}

/** What a proposal's signature covers (P6). */
export interface ProposalHeader extends Slot {
  readonly observationsHash: Uint8Array
}

/** What a proposal's signature covers of its observations: digest and signature of each, in order. */
export function hashObservations(
  engine: Engine,
  observations: readonly { readonly digest: Uint8Array; readonly signature: Uint8Array }[],
): Uint8Array {
  return engine.keccak256(concat(...observations.flatMap(({ digest, signature }) => [digest, signature])))
}

/** Digest of Proposal(uint32 epoch,uint32 round,bytes32 observations) under the domain of D (P6). */
export function proposalDigest(engine: Engine, domain: Domain, proposal: ProposalHeader): Uint8Array {
  const bytes = domain.proposal
  putSlot(bytes, proposal)
  putBytes32(bytes, 96, proposal.observationsHash)
  return digestOf(engine, domain, bytes)
}

/** Digest of Disowned(uint32 epoch,uint32 round,bytes32 signedDigest) under the domain of D (P9). */
export function disownedDigest(
  engine: Engine,
  domain: Domain,
  disown: Slot & { readonly signedDigest: Uint8Array },
): Uint8Array {
  const bytes = domain.disowned
  putSlot(bytes, disown)
  putBytes32(bytes, 96, disown.signedDigest)
  return digestOf(engine, domain, bytes)
}

/** The digest of whatever an oracle signs: `inner` is the domain of D, `outer` that of S. */
export function draftDigest(engine: Engine, inner: Domain, outer: Domain, draft: Draft): Uint8Array {
  switch (draft.kind) {
    case 'observation':
      return observationDigest(engine, inner, { ...draft, readingsHash: engine.keccak256(draft.readings) })
    case 'proposal':
      return proposalDigest(engine, inner, {
        ...draft,
        observationsHash: hashObservations(engine, draft.observations),
      })
    case 'attestation':
      return reportDigest(engine, outer, draft)
    case 'seal':
      return sealedDigest(engine, outer, draft.reportDigest)
    case 'disown':
      return disownedDigest(engine, inner, draft)
  }
}
