// Whether a message is worth its signatures' price: the cheap rules first, so that a flood costs no curve arithmetic (P14).

import { equalBytes } from './bytes.js'
import { epochsAheadMax } from './follow.js'
import { gatheringOf, isPassed } from './gatherings.js'
import type { ReportHeader, Slot, Unverified } from './messages.js'
import type { Context, DropReason, State } from './state.js'

/**
 * The reason to drop an unverified message unverified, or null. It may only say what `step` would say of the verified
 * message, or that a true signature would bring nothing new; what could be fault evidence is always verified.
 */
export function precheck(context: Context, state: State, from: number, message: Unverified): DropReason | null {
  switch (message.kind) {
    case 'observation': {
      const { lead, epoch } = state
      const open = lead?.collecting.find((collecting) => collecting.round === message.round)
      if (open === undefined || message.epoch !== epoch) return 'NOT_COLLECTING'
      const known = open.observations[message.member]
      return known && equalBytes(known.signature, message.signature) ? 'REPEATED' : null
    }
    case 'proposal':
      return precheckProposal(context, state, from, message)
    case 'attestation': {
      const gathering = gatheringOf(state, message)
      if (gathering === undefined) return isPassed(state, message) ? 'LATE' : null
      const known = gathering.attestations[message.member]
      // A second, different one is fault evidence, even when it agrees with the certificate (B09).
      if (known) return sameHeader(known, message) ? 'REPEATED' : null
      return gathering.certificate !== null && sameHeader(gathering.certificate, message) ? 'LATE' : null
    }
    case 'seal': {
      const gathering = gatheringOf(state, message)
      if (gathering === undefined) return isPassed(state, message) ? 'LATE' : null
      if (gathering.seals[message.member]) return 'REPEATED'
      return gathering.sealed ? 'LATE' : null
    }
    case 'certificate': {
      const gathering = gatheringOf(state, message)
      if (gathering === undefined) return isPassed(state, message) ? 'LATE' : null
      return gathering.certificate !== null && sameHeader(gathering.certificate, message) ? 'REPEATED' : null
    }
    case 'disown': {
      const known = state.disowned[message.member]
      return known && equalBytes(known.disown.signature, message.signature) ? 'REPEATED' : null
    }
    default:
      return null
  }
}

function precheckProposal(
  context: Context,
  state: State,
  from: number,
  proposal: Slot & { readonly signature: Uint8Array; readonly observations: readonly unknown[] },
): DropReason | null {
  const gathering = gatheringOf(state, proposal)
  if (gathering?.proposal) return equalBytes(gathering.proposal.signature, proposal.signature) ? 'REPEATED' : null
  if (proposal.observations.length < context.committee.thresholds.available) return 'TOO_FEW'
  if (gathering && gathering.asked.length > 0) return null
  if (from !== context.leaderOf(proposal.epoch)) return 'NOT_LEADER'
  if (proposal.epoch < state.epoch || proposal.epoch > state.epoch + epochsAheadMax) return 'OTHER_EPOCH'
  if (proposal.epoch > state.epoch) {
    return state.early.some((held) => held.epoch === proposal.epoch && held.proposal !== null) ? 'REPEATED' : null
  }
  if (isPassed(state, proposal)) return 'LATE'
  return state.follow.answered.some((answer) => answer.round === proposal.round) ? null : 'NOT_ANSWERED'
}

function sameHeader(a: ReportHeader, b: ReportHeader): boolean {
  return a.attestedAtMs === b.attestedAtMs && equalBytes(a.root, b.root)
}
