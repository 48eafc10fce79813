// From attestations to an attested report (P10), and from there to seals (P11).

import { equalBytes } from './bytes.js'
import { fetch, nextHolder } from './fetch.js'
import { gatheringFor, gatheringOf, isPassed, keepGathering } from './gatherings.js'
import { endFlights } from './lead.js'
import { type Attestation, type Certificate, compareSlots, type Fetch, type Seal, type Slot } from './messages.js'
import { enterByReport, noteReport } from './pacemaker.js'
import { askWish } from './reserve.js'
import { drop, type Gathering, halt, signs, type Turn } from './state.js'

/** One member's attestation: counted once a slot (I-5); a second, different one is fault evidence. */
export function onAttestation(turn: Turn, from: number, attestation: Attestation): void {
  const { state } = turn
  const known = gatheringOf(state, attestation)
  if (known === undefined && isPassed(turn.state, attestation)) return drop(turn, from, 'LATE')
  const gathering = known ?? gatheringFor(turn, attestation)
  const earlier = gathering.attestations[attestation.member]
  if (earlier) {
    if (equalBytes(earlier.digest, attestation.digest)) return drop(turn, from, 'REPEATED')
    turn.effects.push({ kind: 'evidence', member: attestation.member, messages: [earlier, attestation] })
    return drop(turn, from, 'CONTRADICTS')
  }
  const attestations = gathering.attestations.with(attestation.member, attestation)
  keepGathering(turn, { ...gathering, attestations }, attestation.member)
  certify(turn, attestation, attestation.digest)
  // Another digest than mine on one slot: somebody holds a proposal that contradicts the one I hold (B01).
  if (gathering.digest !== null && !equalBytes(gathering.digest, attestation.digest)) {
    const contradicted = gatheringOf(turn.state, attestation)!
    if (contradicted.asked.length === 0) fetch(turn, contradicted, attestation.member)
  }
}

/** q attestations on one digest, gathered by another member. */
export function onCertificate(turn: Turn, from: number, certificate: Certificate): void {
  const known = gatheringOf(turn.state, certificate)
  if (known === undefined && isPassed(turn.state, certificate)) return drop(turn, from, 'LATE')
  if (known?.certificate) {
    if (equalBytes(known.certificate.digest, certificate.digest)) return drop(turn, from, 'REPEATED')
    // Two quorums on one slot: more than f members are faulty (I-1), and nothing signed here means anything more.
    return halt(turn, 'QUORUM_BROKEN')
  }
  certified(turn, known ?? gatheringFor(turn, certificate), certificate)
}

/** Makes the certificate of a slot as soon as `digest` has q attestations (P10); settles what is certified already. */
export function certify(turn: Turn, slot: Slot, digest: Uint8Array): void {
  const gathering = gatheringOf(turn.state, slot)
  if (gathering === undefined) return
  if (gathering.certificate !== null) return settle(turn, gathering, gathering.certificate)
  const same = gathering.attestations.filter((held) => held !== null && equalBytes(held.digest, digest))
  if (same.length < turn.context.committee.thresholds.intersecting) return
  const { epoch, round, attestedAtMs, root } = same[0]!
  const signers = same.map((held) => held!.member)
  const signatures = same.map((held) => held!.signature)
  certified(turn, gathering, {
    kind: 'certificate',
    epoch,
    round,
    attestedAtMs,
    root,
    digest,
    signers,
    signatures,
  })
}

function certified(turn: Turn, gathering: Gathering, certificate: Certificate): void {
  const { latest } = turn.state
  const isNewer = latest === null || compareSlots(certificate, latest) > 0
  // T rises along attested reports (I-4); the other order needs more than f faulty members.
  if (latest !== null && isNewer !== certificate.attestedAtMs > latest.attestedAtMs) return halt(turn, 'TIME_BROKEN')
  const updated = { ...gathering, certificate }
  if (isNewer) turn.state = { ...turn.state, latest: certificate }
  keepGathering(turn, updated)
  if (certificate.epoch > turn.state.epoch) enterByReport(turn, certificate.epoch)
  if (certificate.epoch === turn.state.epoch) {
    endFlights(turn, certificate.epoch, certificate.round)
    if (certificate.round >= turn.context.committee.timing.roundsPerEpoch) askWish(turn, certificate.epoch + 1)
  }
  // Values unknown yet: the committee is moving all the same.
  if (isNewer && (gathering.report?.hasValue ?? true)) noteReport(turn)
  if (signs(turn.state)) {
    const { epoch, round, digest } = certificate
    turn.effects.push({ kind: 'sign', draft: { kind: 'seal', epoch, round, reportDigest: digest }, to: 'all' })
  }
  settle(turn, updated, certificate)
}

/** Delivers the report once its values are known, asks a signer for them when they are not, delivers the seals. */
function settle(turn: Turn, gathering: Gathering, certificate: Certificate): void {
  const holdsValues = gathering.digest !== null && equalBytes(gathering.digest, certificate.digest)
  if (!holdsValues) fetch(turn, gathering, nextHolder(turn, gathering))
  else if (!gathering.delivered) {
    const { digest, signers, signatures } = certificate
    turn.effects.push({ kind: 'deliver', report: { ...gathering.report!, digest, signers, signatures } })
    keepGathering(turn, { ...gathering, delivered: true })
  }
  deliverSeals(turn, certificate)
}

/** One member's seal; f+1 on a certified digest are delivered, once (P11). */
export function onSeal(turn: Turn, from: number, seal: Seal): void {
  const known = gatheringOf(turn.state, seal)
  if (known === undefined && isPassed(turn.state, seal)) return drop(turn, from, 'LATE')
  const gathering = known ?? gatheringFor(turn, seal)
  if (gathering.seals[seal.member]) return drop(turn, from, 'REPEATED')
  keepGathering(turn, { ...gathering, seals: gathering.seals.with(seal.member, seal) }, seal.member)
  if (gathering.certificate) deliverSeals(turn, seal)
}

function deliverSeals(turn: Turn, slot: Slot): void {
  const gathering = gatheringOf(turn.state, slot)
  if (!gathering?.certificate || !gathering.delivered || gathering.sealed) return
  const { digest } = gathering.certificate
  const seals = gathering.seals.filter((seal) => seal !== null && equalBytes(seal.reportDigest, digest))
  if (seals.length < turn.context.committee.thresholds.oneHonest) return
  keepGathering(turn, { ...gathering, sealed: true })
  turn.effects.push({
    kind: 'deliver-seals',
    seals: {
      epoch: gathering.epoch,
      round: gathering.round,
      reportDigest: digest,
      signers: seals.map((seal) => seal!.member),
      signatures: seals.map((seal) => seal!.signature),
    },
  })
}

/** Answers a fetch with the proposal, and the certificate when there is one; each member once a slot (P10, P14). */
export function onFetch(turn: Turn, from: number, fetch: Fetch): void {
  const gathering = gatheringOf(turn.state, fetch)
  if (!gathering?.proposal) return drop(turn, from, 'UNKNOWN_SLOT')
  if (gathering.served.includes(from)) return drop(turn, from, 'REPEATED')
  keepGathering(turn, { ...gathering, served: [...gathering.served, from] })
  turn.effects.push({ kind: 'send', message: gathering.proposal, to: from })
  if (gathering.certificate) turn.effects.push({ kind: 'send', message: gathering.certificate, to: from })
}
