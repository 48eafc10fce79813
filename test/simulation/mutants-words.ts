// Seeded bugs in quorums, evidence, seals and the pacemaker: one guard of P10 to P12 and P14 less each.

import { type Mutant, without } from './mutant.js'

const certify = 'src/core/certify.ts'
const pacemaker = 'src/core/pacemaker.ts'
const precheck = 'src/core/precheck.ts'

/** Guards of what is counted, sealed, wished and kept as evidence. */
export const wordMutants: readonly Mutant[] = [
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
        find: '  certify(turn, attestation, attestation.digest)\n',
        replace:
          "  certify(turn, attestation, attestation.digest)\n  const { epoch, round, digest } = attestation\n  if (signs(turn.state)) turn.effects.push({ kind: 'sign', draft: { kind: 'seal', epoch, round, reportDigest: digest }, to: 'all' })\n",
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
