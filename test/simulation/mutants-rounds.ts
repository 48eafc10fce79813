// Seeded bugs in rounds: one guard of P4 to P8 less each.

import { type Mutant, without } from './mutant.js'

const follow = 'src/core/follow.ts'
const combine = 'src/core/combine.ts'
const precheck = 'src/core/precheck.ts'

/** Guards of begin, observe, propose, check and the report's rules. */
export const roundMutants: readonly Mutant[] = [
  {
    name: 'proposal-of-few',
    step: 'P7',
    edits: [
      without(
        follow,
        "  if (proposal.observations.length < context.committee.thresholds.available) return drop(turn, from, 'TOO_FEW')\n",
      ),
      without(
        precheck,
        "  if (proposal.observations.length < context.committee.thresholds.available) return 'TOO_FEW'\n",
      ),
    ],
  },
  {
    name: 'proposes-early',
    step: 'P6',
    edits: [
      { file: 'src/core/lead.ts', find: 'count >= thresholds.available ?', replace: 'count >= thresholds.oneHonest ?' },
    ],
  },
  {
    name: 'identity-filter',
    step: 'P8',
    edits: [{ file: combine, find: 'if (kept * 2 <= count) continue', replace: 'if (kept > 0) return count' }],
  },
  {
    name: 'present-rule',
    step: 'P8',
    edits: [{ file: combine, find: 'count < thresholds.honestMajority', replace: 'count < 1' }],
  },
  {
    name: 'majority-rule',
    step: 'P8',
    edits: [
      {
        file: combine,
        find: 'if (votes * 2 > count) return present[i]!',
        replace: 'if (votes > 0) return present[i]!',
      },
    ],
  },
  {
    name: 'median-rank',
    step: 'P8',
    edits: [{ file: combine, find: 'return ranked[(count - 1) >> 1]!', replace: 'return ranked[count - 1]!' }],
  },
  {
    name: 'status-of-the-best',
    step: 'P8',
    edits: [{ file: combine, find: 'return numbers[packed.length - 1 - f]!', replace: 'return numbers[0]!' }],
  },
  {
    name: 'time-of-the-latest',
    step: 'P8',
    edits: [{ file: combine, find: '[(numbers.length - 1) >> 1]!', replace: '[numbers.length - 1]!' }],
  },
  {
    name: 'epoch-check',
    step: 'P5, P7',
    edits: [
      without(follow, '  if (begin.epoch !== state.epoch) return keepEarly(turn, from, begin)\n'),
      { file: follow, find: 'return slot.epoch === state.epoch && recent', replace: 'return recent' },
    ],
  },
  {
    name: 'leader-check',
    step: 'P5',
    edits: [without(follow, "  if (from !== context.leaderOf(begin.epoch)) return drop(turn, from, 'NOT_LEADER')\n")],
  },
  {
    name: 'skew-check',
    step: 'P7',
    edits: [{ file: follow, find: '> context.committee.timing.skewMs) {', replace: '> Infinity) {' }],
  },
  {
    name: 'early-queue',
    step: 'P4',
    edits: [{ file: follow, find: 'message.epoch > epoch + epochsAheadMax', replace: 'message.epoch > epoch + 1000' }],
  },
  {
    name: 'observed-out-of-order',
    step: 'P5',
    edits: [{ file: follow, find: ' || slot.round <= state.follow.observedRound', replace: '' }],
  },
]
