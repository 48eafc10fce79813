// Seeded bugs in what survives a crash: one guard of P9 less each, with the keyring's behind it where there is one.

import { type Edit, type Mutant, without } from './mutant.js'

const follow = 'src/core/follow.ts'
const pacemaker = 'src/core/pacemaker.ts'
const keyring = 'src/crypto/keyring.ts'
const step = 'src/core/step.ts'

/** The keyring without what it remembers of slots signed or found at start. */
const forgetfulKeyring: readonly Edit[] = [
  { file: keyring, find: 'if (compareSlots(draft, opening.floor) <= 0)', replace: 'if (draft.round < 0)' },
  without(
    keyring,
    "      if (compareSlots(draft, history.last) <= 0) refuse('KEYRING_SLOT_SIGNED', draft, 'is not above the last signed')\n",
  ),
  {
    file: keyring,
    find: 'signed[draft.kind].add(draft, digest)',
    replace: 'if (compareSlots(draft, signed[draft.kind].last) > 0) signed[draft.kind].add(draft, digest)',
  },
]
const timelessKeyring: readonly Edit[] = [
  { file: keyring, find: 'if (draft.attestedAtMs <= opening.floorMs)', replace: 'if (draft.attestedAtMs < 0)' },
  { file: keyring, find: 'if (draft.attestedAtMs <= attestedAtMs)', replace: 'if (draft.attestedAtMs < 0)' },
]

/** Guards of the durable floor, of signing once and of lost records. */
export const durableMutants: readonly Mutant[] = [
  {
    name: 'sign-once',
    step: 'P9',
    edits: [
      without(follow, "  if (compareSlots(slot, state.signed.slot) <= 0) return drop(turn, from, 'LATE')\n"),
      without(
        follow,
        '  if (gathering?.proposal) return onSecondProposal(turn, from, proposal, gathering, gathering.proposal)\n',
      ),
      ...forgetfulKeyring,
    ],
  },
  {
    name: 'time-rises',
    step: 'P9',
    edits: [
      without(follow, "  if (attestedAtMs <= state.signed.timeMs) return drop(turn, from, 'TIME_NOT_RISING')\n"),
      ...timelessKeyring,
    ],
  },
  {
    name: 'floor-after-restart',
    step: 'P9',
    edits: [
      without(follow, "  if (compareSlots(begin, state.opening.floor) <= 0) return drop(turn, from, 'BELOW_FLOOR')\n"),
      {
        file: step,
        find: 'signed: { slot: opening.floor, timeMs',
        replace: 'signed: { slot: { epoch: 0, round: 0 }, timeMs',
      },
      ...forgetfulKeyring,
    ],
  },
  {
    name: 'time-floor-after-restart',
    step: 'P9',
    edits: [{ file: step, find: 'timeMs: opening.floorMs }', replace: 'timeMs: 0 }' }, timelessKeyring[0]!],
  },
  {
    name: 'restarted-leader-goes-on',
    step: 'P9',
    edits: [
      { file: step, find: 'leads && isFresh && durable !== null ?', replace: 'leads && durable !== null ?' },
      ...forgetfulKeyring,
    ],
  },
  {
    name: 'durable-first',
    step: 'P9',
    edits: [
      {
        file: 'src/core/reserve.ts',
        find: 'if (covers(turn.state.durable, slot, timeMs)) turn',
        replace: 'if (slot.round > 0) turn',
      },
      without(
        keyring,
        "      if (compareSlots(draft, durable.floor) > 0) refuse('KEYRING_ABOVE_FLOOR', draft, 'is above the durable floor')\n",
      ),
      { file: keyring, find: 'if (draft.attestedAtMs > durable.floorMs)', replace: 'if (draft.attestedAtMs < 0)' },
    ],
  },
  {
    name: 'acknowledged-before-sync',
    step: 'P9',
    edits: [
      {
        file: 'src/core/reserve.ts',
        find: 'return compareSlots(slot, durable.floor) <= 0 && timeMs',
        replace: 'return timeMs',
      },
      without(
        keyring,
        "      if (compareSlots(draft, durable.floor) > 0) refuse('KEYRING_ABOVE_FLOOR', draft, 'is above the durable floor')\n",
      ),
    ],
    codes: ['S3'],
  },
  {
    name: 'starts-at-the-floor',
    step: 'P9',
    edits: [{ file: step, find: 'Math.min(opening.floor.epoch, opening.wish)', replace: 'opening.floor.epoch' }],
  },
  {
    name: 'lowest-claim',
    step: 'P9',
    edits: [{ file: pacemaker, find: 'floor: { epoch: plausible[0]!,', replace: 'floor: { epoch: plausible.at(-1)!,' }],
  },
  {
    name: 'signs-while-closed',
    step: 'P9',
    edits: [
      {
        file: 'src/core/state.ts',
        find: "state.standing === 'sound' && state.closed.length === 0 &&",
        replace: "state.standing === 'sound' &&",
      },
    ],
  },
  {
    name: 'halt-forgotten',
    step: 'P9',
    edits: [
      {
        file: step,
        find: 'if (state.halted !== null) {\n    afterHalt',
        replace: "if (state.halted === 'never') {\n    afterHalt",
      },
      { file: 'src/core/state.ts', find: ' && state.halted === null', replace: '' },
      { file: keyring, find: 'if (stopped !== null) {', replace: "if (stopped === 'never') {" },
      { file: keyring, find: '      privateKey.fill(0)\n    },', replace: '    },' },
    ],
  },
  {
    name: 'proposes-while-closed',
    step: 'P9',
    edits: [
      {
        file: 'src/core/lead.ts',
        find: 'if (count === thresholds.n && signs(turn.state))',
        replace: 'if (count === thresholds.n)',
      },
    ],
  },
  {
    name: 'leads-unprovable',
    step: 'P9',
    edits: [
      {
        file: pacemaker,
        find: "return state.standing === 'sound' && context.leaderOf(epoch)",
        replace: 'return context.leaderOf(epoch)',
      },
      {
        file: step,
        find: 'if (mayLead(turn, epoch)) turn.state = {',
        replace: 'if (turn.state.lead !== null) turn.state = {',
      },
    ],
  },
]
