// A signed message in the open form in which any EIP-712 library verifies it: what fault evidence is made of.

import { toHex } from './bytes.js'
import type { Engine } from './engine.js'
import type { SignedMessage } from './messages.js'
import { hashObservations } from './typed-data.js'

/** One signed message: its EIP-712 type, the type's fields (0x hex, decimal strings, integers) and the signature. */
export interface TypedMessage {
  readonly type: 'Observation' | 'Proposal' | 'Report'
  readonly message: Readonly<Record<string, string | number>>
  readonly signature: string
}

/**
 * The typed form of a signed message. Observation and Proposal are under the domain with salt D, Report under that with
 * S. Readings and observations are named by their hashes: two messages with different hashes in one slot convict.
 */
export function typedMessage(engine: Engine, signed: SignedMessage): TypedMessage {
  const { epoch, round } = signed
  const signature = toHex(signed.signature)
  switch (signed.kind) {
    case 'observation': {
      const { clockMs, evidence, readings } = signed
      const hashes = { readings: toHex(engine.keccak256(readings)), evidence: toHex(evidence) }
      return { type: 'Observation', message: { epoch, round, clockMs: `${clockMs}`, ...hashes }, signature }
    }
    case 'proposal': {
      const observations = toHex(hashObservations(engine, signed.observations))
      return { type: 'Proposal', message: { epoch, round, observations }, signature }
    }
    case 'attestation': {
      const { attestedAtMs, root } = signed
      return {
        type: 'Report',
        message: { epoch, round, attestedAtMs: `${attestedAtMs}`, root: toHex(root) },
        signature,
      }
    }
  }
}
