// Signed messages made by hand, for members that do not follow the protocol.

import type { Attestation, Disown, Draft, Message, Observation, Proposal, Seal } from '../../src/core/messages.js'
import { draftDigest } from '../../src/core/typed-data.js'
import type { Play } from './cast.js'
import type { SymbolicEngine } from './symbolic-engine.js'

/** The digest that `draft` has under a committee. */
export function digestOfDraft(engine: SymbolicEngine, { inner, outer }: Play, draft: Draft): Uint8Array {
  return draftDigest(engine, inner, outer, draft)
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
