// What stands between a peer's bytes and the core: every signature and reading is verified here, or the message dropped.

import { equalBytes, fromHex } from '../core/bytes.js'
import type { Committee } from '../core/committee.js'
import type { Engine } from '../core/engine.js'
import { checkPacked, type Layout } from '../core/layout.js'
import type {
  Certificate,
  Disown,
  Message,
  Observation,
  SignedMessage,
  Unverified,
  UnverifiedObservation,
  UnverifiedProposal,
} from '../core/messages.js'
import {
  disownedDigest,
  domainOf,
  hashObservations,
  observationDigest,
  proposalDigest,
  reportDigest,
  sealedDigest,
} from '../core/typed-data.js'
import type { Authorship } from '../crypto/signed-history.js'

export interface VerifyParts {
  readonly engine: Engine
  readonly committee: Committee
  readonly layout: Layout
  readonly self: number
  readonly leaderOf: (epoch: number) => number
  readonly authorship: (
    kind: 'observation' | 'proposal' | 'attestation',
    slot: { readonly epoch: number; readonly round: number },
    digest: Uint8Array,
  ) => Authorship
}

/** A verified message, a signature of our own that we did not make or that its other maker disowns (P9), or the reason to drop. */
export type Verdict =
  | { readonly message: Message }
  | { readonly impostor: SignedMessage | Certificate | Disown }
  | { readonly fault: VerifyFault }

export type VerifyFault = 'SIGNATURE' | 'TOO_FEW_SIGNATURES' | 'REFLECTED' | 'CLOCK_RANGE' | `READINGS_${string}`

/** Verifies messages of one committee: `verify(from, message)`. Never throws on a peer's bytes. */
export function createVerify(parts: VerifyParts): (message: Unverified) => Verdict {
  const { engine, committee, layout, self, leaderOf, authorship } = parts
  const inner = domainOf(engine, committee.digest)
  const outer = domainOf(engine, committee.salt)
  const addresses = committee.members.map((member) => fromHex(member.address, 20)!)

  const isSignedBy = (member: number, digest: Uint8Array, signature: Uint8Array): boolean => {
    const address = engine.recover(digest, signature)
    return address !== null && equalBytes(address, addresses[member]!)
  }

  /** A message that bears our key is ours if the keyring made it; only one that it did not make is worth a recovery. */
  const judgeOwn = (message: SignedMessage, signature: Uint8Array): 'fine' | 'impostor' | 'forged' => {
    const made = authorship(message.kind, message, message.digest)
    if (made === 'mine') return 'fine'
    if (!isSignedBy(self, message.digest, signature)) return 'forged'
    return made === 'unknown' ? 'fine' : 'impostor'
  }

  const verifySigned = (member: number, message: SignedMessage): Verdict => {
    if (member === self) {
      const verdict = judgeOwn(message, message.signature)
      if (verdict === 'impostor') return { impostor: message }
      return verdict === 'fine' ? { message } : { fault: 'SIGNATURE' }
    }
    return isSignedBy(member, message.digest, message.signature) ? { message } : { fault: 'SIGNATURE' }
  }

  /** Checks the readings and computes the digest; the signature is still to be verified. */
  const digestObservation = (observation: UnverifiedObservation): Observation | VerifyFault => {
    const fault = checkPacked(layout, observation.readings)
    if (fault !== null) return fault as VerifyFault
    if (observation.clockMs === 0) return 'CLOCK_RANGE'
    const readingsHash = engine.keccak256(observation.readings)
    return { ...observation, digest: observationDigest(engine, inner, { ...observation, readingsHash }) }
  }

  /** The leader's signature covers all digests, so it comes first: a forger's proposal costs one recovery, not n. */
  const verifyProposal = (proposal: UnverifiedProposal): Verdict => {
    const observations: Observation[] = []
    for (const item of proposal.observations) {
      const observation = digestObservation(item)
      if (typeof observation === 'string') return { fault: observation }
      observations.push(observation)
    }
    const digest = proposalDigest(engine, inner, {
      ...proposal,
      observationsHash: hashObservations(engine, observations),
    })
    const verdict = verifySigned(leaderOf(proposal.epoch), { ...proposal, observations, digest })
    if (!('message' in verdict)) return verdict
    for (const observation of observations) {
      const signed = verifySigned(observation.member, observation)
      if (!('message' in signed)) return signed
    }
    return verdict
  }

  return (message) => {
    switch (message.kind) {
      case 'observation': {
        const observation = digestObservation(message)
        return typeof observation === 'string' ? { fault: observation } : verifySigned(message.member, observation)
      }
      case 'proposal':
        return verifyProposal(message)
      case 'attestation': {
        const digest = reportDigest(engine, outer, message)
        return verifySigned(message.member, { ...message, digest })
      }
      case 'seal': {
        if (message.member === self) return { fault: 'REFLECTED' }
        const digest = sealedDigest(engine, outer, message.reportDigest)
        if (!isSignedBy(message.member, digest, message.signature)) return { fault: 'SIGNATURE' }
        return { message: { ...message, digest } }
      }
      case 'certificate': {
        if (message.signers.length < committee.thresholds.intersecting) return { fault: 'TOO_FEW_SIGNATURES' }
        const digest = reportDigest(engine, outer, message)
        for (let i = 0; i < message.signers.length; i++) {
          if (!isSignedBy(message.signers[i]!, digest, message.signatures[i]!)) return { fault: 'SIGNATURE' }
        }
        const certificate = { ...message, digest }
        const signsHere = message.signers.includes(self) && authorship('attestation', message, digest) === 'not-mine'
        return signsHere ? { impostor: certificate } : { message: certificate }
      }
      case 'disown': {
        // Of our own key it matters only if it disowns what this very process made: then another process made it (P9).
        const isOurs = message.member === self
        if (isOurs && !onceKinds.some((kind) => authorship(kind, message, message.signedDigest) === 'mine'))
          return { fault: 'REFLECTED' }
        const digest = disownedDigest(engine, inner, message)
        if (!isSignedBy(message.member, digest, message.signature)) return { fault: 'SIGNATURE' }
        return isOurs ? { impostor: { ...message, digest } } : { message: { ...message, digest } }
      }
      default:
        return { message }
    }
  }
}

const onceKinds = ['observation', 'proposal', 'attestation'] as const
