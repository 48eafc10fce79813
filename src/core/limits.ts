// What a member may send (P14): every length, rate and queue, derived from the committee document.

import type { Committee } from './committee.js'
import { layoutOf } from './layout.js'

/** Frame kinds on the wire; 0 and 255 belong to the transport (hello, ping and close). */
export const frameKinds = {
  begin: 1,
  moved: 2,
  observation: 3,
  proposal: 4,
  attestation: 5,
  seal: 6,
  wish: 7,
  fetch: 8,
  certificate: 9,
  disown: 10,
} as const

/** Bytes before a message's body: version, kind, and D. */
export const frameHeadBytes = 34

export interface Limits {
  /** The longest frame of each kind, head included. */
  readonly frameBytesMax: Readonly<Record<keyof typeof frameKinds, number>>
  readonly framesPerS: number
  readonly bytesPerS: number
  /** Outbound bytes that may wait for one peer. */
  readonly queueBytesMax: number
}

/** Observation body without its readings: slot 8, clock 6, evidence 32, member 1, signature 64, readings' length 4. */
export const observationHeadBytes = 115

/**
 * A correct member sends, per round: one observation, a proposal when it leads, one attestation, one seal, a begin and a
 * moved; per slot it may answer a fetch with a proposal and a certificate; wishes go out each resendMs. Four times that
 * is allowed, so that bursts after a reconnect pass.
 */
export function limitsOf(committee: Committee): Limits {
  const { n } = committee.thresholds
  const observation = frameHeadBytes + observationHeadBytes + layoutOf(committee).bytesMax
  const proposal = frameHeadBytes + 73 + n * (observation - frameHeadBytes)
  const frameBytesMax = {
    begin: frameHeadBytes + 8,
    moved: frameHeadBytes + 8,
    observation,
    proposal,
    attestation: frameHeadBytes + 8 + 6 + 32 + 64,
    seal: frameHeadBytes + 8 + 32 + 64,
    wish: frameHeadBytes + 4,
    fetch: frameHeadBytes + 8,
    certificate: frameHeadBytes + 8 + 6 + 32 + 4 + n * 64,
    disown: frameHeadBytes + 8 + 1 + 32 + 64,
  }
  const roundsPerS = Math.ceil(1000 / committee.timing.roundMsMin)
  const wishesPerS = Math.ceil(1000 / committee.timing.resendMs)
  const roundBytes = Object.values(frameBytesMax).reduce((sum, bytes) => sum + bytes, proposal)
  return {
    frameBytesMax,
    framesPerS: 4 * (10 * roundsPerS + 2 * wishesPerS) + 64,
    bytesPerS: 4 * roundBytes * Math.max(1, roundsPerS),
    queueBytesMax: 4 * roundBytes + 65_536,
  }
}
