// Why there is, or is not, a next report: the protocol's own account of itself, for operators (house rule 9).

import { isoTime } from './iso-time.js'
import { plausibleClaims } from './pacemaker.js'
import { type Context, type State, signs } from './state.js'

/** One reason, with the numbers behind it, in a sentence a person can act on. */
export interface Reason {
  readonly code:
    | 'HALTED'
    | 'SIGNING_CLOSED'
    | 'STATE_UNPROVABLE'
    | 'TIME_PROMISED'
    | 'TOO_FEW_CONNECTED'
    | 'EPOCH_WANTED'
    | 'TOO_FEW_OBSERVATIONS'
    | 'LEADER_SILENT'
    | 'TOO_FEW_ATTESTATIONS'
  readonly sentence: string
}

/** Everything that stands between this oracle and the next report at `wallMs`, most fundamental first; empty when all is in order. */
export function explain(context: Context, state: State, wallMs: number): readonly Reason[] {
  const { thresholds, members } = context.committee
  const name = (member: number): string => members[member]!.name
  if (state.halted !== null) {
    return [{ code: 'HALTED', sentence: `This oracle has stopped signing for good: ${state.halted}.` }]
  }
  const reasons: Reason[] = state.closed.map(({ by, code }) => ({
    code: 'SIGNING_CLOSED',
    sentence: `Nothing is signed while the ${by === 'store' ? 'report store' : 'slot record'} refuses writes: ${code}.`,
  }))
  if (state.standing !== 'sound') reasons.push(explainUnprovable(context, state, name))
  if (state.signed.timeMs > wallMs + context.committee.timing.skewMs) {
    const until = isoTime(state.signed.timeMs)
    reasons.push({
      code: 'TIME_PROMISED',
      sentence: `This oracle may have signed times up to ${until}, and signs none before it again.`,
    })
  }
  const connected = state.connected.filter((up) => up).length
  if (connected < thresholds.intersecting) {
    const missing = members.filter((member) => !state.connected[member.index]).map((member) => member.name)
    reasons.push({
      code: 'TOO_FEW_CONNECTED',
      sentence: `${connected} of ${thresholds.n} members are connected, ${thresholds.intersecting} must sign; missing: ${missing.join(', ')}.`,
    })
  }
  if (state.durable.wish > state.epoch) {
    const wishing = state.wishes.filter((wish) => wish > state.epoch).length
    reasons.push({
      code: 'EPOCH_WANTED',
      sentence: `${wishing} of ${thresholds.n} members want a new leader after epoch ${state.epoch}, ${thresholds.honestMajority} are needed.`,
    })
  }
  return signs(state) && reasons.length === 0 ? explainRound(context, state, name) : reasons
}

/** What an oracle with a lost record waits for (P9); a record that stays lost is ended by a new key. */
function explainUnprovable(context: Context, state: State, name: (member: number) => string): Reason {
  const { n, oneHonest, available } = context.committee.thresholds
  const counted = plausibleClaims(state.claims, oneHonest)
  const highest = counted[0] ?? 0
  const far = state.claims.flatMap((claim, member) => (claim !== null && claim > highest ? [name(member)] : []))
  const impossible =
    available > n - 1
      ? ' There are not that many others: give this member a new key.'
      : ' If they never do, give this member a new key.'
  const liars = far.length === 0 ? '' : ` Not counted, since implausibly far ahead: ${far.join(', ')}.`
  return {
    code: 'STATE_UNPROVABLE',
    sentence: `What this oracle signed before is not known; ${counted.length} of ${available} other members have said how far they are.${liars}${impossible}`,
  }
}

/** Everything is in place: what the round under way waits for, once it has waited longer than a round should. */
function explainRound(context: Context, state: State, name: (member: number) => string): readonly Reason[] {
  const { thresholds } = context.committee
  const collecting = state.lead?.collecting[0]
  if (collecting !== undefined) {
    const count = collecting.observations.filter((held) => held !== null).length
    const sentence = `Round ${collecting.round} has ${count} of ${thresholds.available} observations.`
    return [{ code: 'TOO_FEW_OBSERVATIONS', sentence }]
  }
  const open = state.gatherings.find((known) => known.certificate === null && known.epoch === state.epoch)
  if (open !== undefined) {
    const count = open.attestations.filter((held) => held !== null).length
    const sentence = `Slot ${open.epoch}/${open.round} has ${count} attestations, ${thresholds.intersecting} on one digest are needed.`
    return [{ code: 'TOO_FEW_ATTESTATIONS', sentence }]
  }
  const leader = context.leaderOf(state.epoch)
  return leader === context.self
    ? []
    : [{ code: 'LEADER_SILENT', sentence: `Waiting for a round of ${name(leader)}, leader of epoch ${state.epoch}.` }]
}
