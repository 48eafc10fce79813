// Seeded bugs: each takes one guard of P5 to P12 out of the production code, with the guard behind it where there is one.

/** One replacement in a source file; `find` is there exactly once, so that no mutant rots unseen. */
export interface Edit {
  readonly file: string
  readonly find: string
  readonly replace: string
}

export interface Mutant {
  readonly name: string
  /** The step or invariant that is hurt. */
  readonly step: string
  readonly edits: readonly Edit[]
  /** Only violations of these codes count as finding it; any when absent. */
  readonly codes?: readonly string[]
}

const follow = 'src/core/follow.ts'
const certify = 'src/core/certify.ts'
const pacemaker = 'src/core/pacemaker.ts'
const combine = 'src/core/combine.ts'
const keyring = 'src/crypto/keyring.ts'
const step = 'src/core/step.ts'
const precheck = 'src/core/precheck.ts'

function without(file: string, find: string): Edit {
  return { file, find, replace: '' }
}

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

export const mutants: readonly Mutant[] = [
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
    name: 'quorum-of-one-honest',
    step: 'P10',
    edits: [{ file: 'src/core/thresholds.ts', find: 'Math.floor((n + f) / 2) + 1,', replace: 'f + 1,' }],
  },
  {
    name: 'quorum-of-one-honest-by-equivocation',
    step: 'I-1',
    edits: [{ file: 'src/core/thresholds.ts', find: 'Math.floor((n + f) / 2) + 1,', replace: 'f + 1,' }],
    codes: ['I-1'],
  },
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
      without(
        keyring,
        "      if (timeOf(draft) > durable.floorMs) refuse('KEYRING_ABOVE_FLOOR', draft, 'has a time above the durable one')\n",
      ),
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
    name: 'claims-of-few',
    step: 'P9',
    edits: [
      {
        file: pacemaker,
        find: 'if (plausible.length < thresholds.available) return',
        replace: 'if (plausible.length < 1) return',
      },
    ],
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
    name: 'unsigned-observations',
    step: 'P6',
    edits: [
      {
        file: 'src/network/verify.ts',
        find: "return isSignedBy(member, message.digest, message.signature) ? { message } : { fault: 'SIGNATURE' }",
        replace: 'return { message }',
      },
    ],
  },
  {
    name: 'repeated-observers',
    step: 'I-5',
    edits: [
      without(
        'src/network/wire.ts',
        "    if (i > 0 && item.member <= observations[i - 1]!.member) return 'FRAME_ORDER'\n",
      ),
    ],
  },
  {
    name: 'padded-certificate',
    step: 'I-5',
    edits: [
      {
        file: 'src/network/verify.ts',
        find: 'for (let i = 0; i < message.signers.length; i++) {',
        replace: 'for (let i = 0; i < 1; i++) {',
      },
    ],
  },
  {
    name: 'seals-of-few',
    step: 'P11',
    edits: [
      {
        file: certify,
        find: 'if (seals.length < turn.context.committee.thresholds.oneHonest) return',
        replace: 'if (seals.length < 1) return',
      },
    ],
  },
  {
    name: 'sealed-before-quorum',
    step: 'P11',
    edits: [
      {
        file: certify,
        find: '  certify(turn, attestation)\n',
        replace:
          "  certify(turn, attestation)\n  const { epoch, round, digest } = attestation\n  if (signs(turn.state)) turn.effects.push({ kind: 'sign', draft: { kind: 'seal', epoch, round, reportDigest: digest }, to: 'all' })\n",
      },
    ],
  },
  {
    name: 'no-evidence',
    step: 'P9',
    edits: [
      without(
        certify,
        "    turn.effects.push({ kind: 'evidence', member: attestation.member, messages: [earlier, attestation] })\n",
      ),
    ],
  },
  {
    name: 'precheck-hides-evidence',
    step: 'P14',
    edits: [
      {
        file: precheck,
        find: "if (known) return sameHeader(known, message) ? 'REPEATED' : null",
        replace: "if (known) return 'REPEATED'",
      },
    ],
  },
  {
    name: 'wish-before-disk',
    step: 'P12',
    edits: [
      { file: pacemaker, find: 'return state.durable.wish > (', replace: 'return state.asked.wish > (' },
      {
        file: pacemaker,
        find: 'if (state.durable.wish > state.wishSent.wish)',
        replace: 'if (state.asked.wish > state.wishSent.wish)',
      },
      { file: pacemaker, find: 'const wish = turn.state.durable.wish', replace: 'const wish = turn.state.asked.wish' },
    ],
  },
  {
    name: 'wish-of-one',
    step: 'P12',
    edits: [{ file: pacemaker, find: 'ranked[thresholds.oneHonest - 1]!', replace: 'ranked[0]!' }],
  },
  {
    name: 'epoch-of-one-honest',
    step: 'P12',
    edits: [
      { file: pacemaker, find: 'ranked[thresholds.honestMajority - 1]!', replace: 'ranked[thresholds.oneHonest - 1]!' },
    ],
  },
  {
    name: 'observed-out-of-order',
    step: 'P5',
    edits: [{ file: follow, find: ' || slot.round <= state.follow.observedRound', replace: '' }],
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
  {
    name: 'wakes-without-end',
    step: 'P12',
    edits: [
      {
        file: pacemaker,
        find: "const mayWish = state.standing === 'sound' && state.asked",
        replace: 'const mayWish = state.asked',
      },
    ],
  },
  {
    name: 'double-ignored',
    step: 'P9',
    edits: [
      {
        file: 'src/network/verify.ts',
        find: "return made === 'unknown' ? 'fine' : 'impostor'",
        replace: "return 'fine'",
      },
      {
        file: 'src/network/verify.ts',
        find: 'return signsHere ? { impostor: certificate } : { message: certificate }',
        replace: 'return { message: certificate }',
      },
    ],
  },
]
