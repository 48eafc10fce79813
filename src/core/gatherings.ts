// What is known of each slot: bounded by the slots a member may fill and the certified ones still served.

import { compareSlots, type Slot } from './messages.js'
import type { Gathering, State, Turn } from './state.js'

/** Slots above the latest certified one that one member's signatures may keep open; its lowest makes room. */
const openPerMemberMax = 4
/** Certified slots that are kept for late seals, fetches and contradictions. */
const passedMax = 8
/** Slots above the latest certified one whose proposal and values are kept; those below the newest few have lost. */
const openProposalsMax = 4

/** What is known of `slot`, if anything. */
export function gatheringOf(state: State, slot: Slot): Gathering | undefined {
  return state.gatherings.find((held) => compareSlots(held, slot) === 0)
}

/** What is known of `slot`, or a fresh start. */
export function gatheringFor(turn: Turn, slot: Slot): Gathering {
  const known = gatheringOf(turn.state, slot)
  if (known) return known
  const none = Array(turn.context.committee.thresholds.n).fill(null)
  return {
    epoch: slot.epoch,
    round: slot.round,
    attestations: none,
    seals: none,
    proposal: null,
    report: null,
    digest: null,
    certificate: null,
    delivered: false,
    sealed: false,
    asked: [],
    askedAtMs: -Infinity,
    served: [],
  }
}

/** Stores `gathering` in place of what was known of its slot; `by` is the member whose signature it newly holds. */
export function keepGathering(turn: Turn, gathering: Gathering, by?: number): void {
  const others = turn.state.gatherings.filter((held) => compareSlots(held, gathering) !== 0)
  const all = [...others, gathering].sort(compareSlots)
  turn.state = { ...turn.state, gatherings: prune(turn.state, by === undefined ? all : limitMember(turn, all, by)) }
}

/** Slots at or below the latest certificate: the newest few. Above: those that hold anything. */
function prune(state: State, gatherings: readonly Gathering[]): readonly Gathering[] {
  const { latest } = state
  const passed = latest === null ? [] : gatherings.filter((held) => compareSlots(held, latest) <= 0)
  const open = forgetProposals(gatherings.slice(passed.length)).filter(holdsAnything)
  return [...passed.slice(-passedMax), ...open]
}

/** A leader whose rounds all fail must not fill the memory with their observations (P14). */
function forgetProposals(open: readonly Gathering[]): readonly Gathering[] {
  const holding = open.filter((held) => held.proposal !== null)
  if (holding.length <= openProposalsMax) return open
  const lost = new Set(holding.slice(0, -openProposalsMax))
  return open.map((held) => (lost.has(held) ? { ...held, proposal: null, report: null, digest: null } : held))
}

/** Whether a newer report, or this slot's, is certified. */
export function isPassed(state: State, slot: Slot): boolean {
  return state.latest !== null && compareSlots(slot, state.latest) <= 0
}

function holdsAnything(gathering: Gathering): boolean {
  return (
    gathering.proposal !== null || gathering.certificate !== null || filled(gathering.attestations, gathering.seals)
  )
}

function filled(...lists: readonly (readonly unknown[])[]): boolean {
  return lists.some((list) => list.some((entry) => entry !== null))
}

function limitMember(turn: Turn, gatherings: readonly Gathering[], member: number): readonly Gathering[] {
  const { latest } = turn.state
  const open = gatherings.filter(
    (held) =>
      (latest === null || compareSlots(held, latest) > 0) &&
      (held.attestations[member] !== null || held.seals[member] !== null),
  )
  if (open.length <= openPerMemberMax) return gatherings
  const lowest = open[0]!
  const cleared = {
    ...lowest,
    attestations: lowest.attestations.with(member, null),
    seals: lowest.seals.with(member, null),
  }
  return gatherings.map((held) => (held === lowest ? cleared : held))
}
