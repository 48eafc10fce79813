// Signed messages made by hand, for members that do not follow the protocol.

import type { Attestation, Disown, Draft, Message, Observation, Proposal, Seal } from '../../src/core/messages.js'
import {
  disownedDigest,
  hashObservations,
  observationDigest,
  proposalDigest,
  reportDigest,
  sealedDigest,
} from '../../src/core/typed-data.js'
import type { Play } from './cast.js'
import type { SymbolicEngine } from './symbolic-engine.js'

/** The digest that `draft` has under a committee. */
export function digestOfDraft(engine: SymbolicEngine, { inner, outer }: Play, draft: Draft): Uint8Array {
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

/** The signed message of a draft: by `member` with `key`, whoever that is. */
export function craft(
  engine: SymbolicEngine,
  play: Play,
  member: number,
  key: Uint8Array,
  draft: Draft,
): Observation | Proposal | Attestation | Seal | Disown {
  const digest = digestOfDraft(engine, play, draft)
  const signature = engine.sign(digest, key)
  const signed: Message =
    draft.kind === 'proposal' ? { ...draft, digest, signature } : ({ ...draft, member, digest, signature } as Message)
  return signed as Observation | Proposal | Attestation | Seal | Disown
}
