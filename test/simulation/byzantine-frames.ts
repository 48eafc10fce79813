// Members that send what nobody asked for: B16, B18, B19, B21, B22, B24 and B31 of the fault table.

import { putU32 } from '../../src/core/bytes.js'
import { frameHeadBytes, frameKinds } from '../../src/core/limits.js'
import type { Attestation, Message } from '../../src/core/messages.js'
import { encodeFrame } from '../../src/network/wire.js'
import { type Behaviour, keyOf, type Liar } from './byzantine.js'
import { craft } from './craft.js'

/** What honest members signed under the generation before: real signatures that must mean nothing here. */
function oldWords(liar: Liar): Message[] {
  const { cast, rng } = liar.stage
  const member = rng.pick(liar.others)
  const epoch = liar.oracle.state?.epoch ?? 0
  const slot = { epoch, round: rng.between(1, 6) }
  const root = new Uint8Array(32).fill(7)
  const key = cast.keys[member]!
  const attestation = { kind: 'attestation', ...slot, attestedAtMs: liar.stage.epochMs, root } as const
  const made = liar.stage.cast.keys.map(
    (each, i) => craft(cast.engine, cast.before, i, each, attestation) as Attestation,
  )
  const { intersecting } = cast.now.committee.thresholds
  return [
    craft(cast.engine, cast.before, member, key, { kind: 'seal', ...slot, reportDigest: root }),
    made[member]!,
    {
      ...attestation,
      kind: 'certificate',
      digest: made[0]!.digest,
      signers: made.slice(0, intersecting).map((_, i) => i),
      signatures: made.slice(0, intersecting).map((each) => each.signature),
    },
  ]
}

const replays: Behaviour = {
  id: 'B16 replays',
  pulse: (liar) => {
    const { rng, cast } = liar.stage
    const { frames } = liar.gang
    const to = rng.pick(liar.others)
    for (let i = 0; i < 6 && frames.length > 0; i++) {
      liar.send(to, rng.pick(frames))
      liar.fired(replays)
    }
    for (const message of oldWords(liar)) {
      liar.send(to, encodeFrame(cast.before.committee.digest, message))
      liar.send(to, liar.frame(message))
    }
    // A signature of one kind in a message of another.
    const attestation = liar.gang.attestations.at(-1)
    if (attestation === undefined) return
    const { epoch, round, signature, member, root } = attestation
    liar.send(to, liar.frame({ kind: 'seal', epoch, round, member, reportDigest: root, digest: root, signature }))
  },
}

const pads: Behaviour = {
  id: 'B18 padded quorums',
  pulse: (liar) => {
    const { rng, cast } = liar.stage
    const { n, intersecting } = cast.now.committee.thresholds
    const seen = liar.gang.attestations.at(-1)
    if (seen === undefined) return
    const { epoch, round } = seen
    const attestedAtMs = seen.attestedAtMs + 50
    const root = new Uint8Array(32).fill(rng.below(256))
    const own = liar.make({ kind: 'attestation', epoch, round: round + 1, attestedAtMs, root })
    const zero = new Uint8Array(64)
    const signers = Array.from({ length: n }, (_, i) => i)
      .filter((i) => i !== liar.member)
      .slice(0, intersecting - 1)
    const all = [...signers, liar.member].sort((a, b) => a - b)
    const fills = [own.signature, zero, seen.signature, cast.engine.signAgain(own.digest, cast.keys[liar.member]!, 3)]
    for (const fill of fills) {
      const signatures = all.map((member) => (member === liar.member ? own.signature : fill))
      const message = { kind: 'certificate', epoch, round: round + 1, attestedAtMs, root, digest: own.digest } as const
      liar.sendAll(liar.frame({ ...message, signers: all, signatures }))
    }
    liar.sendAll(
      liar.frame({
        kind: 'certificate',
        epoch,
        round: round + 1,
        attestedAtMs,
        root,
        digest: own.digest,
        signers: [liar.member],
        signatures: [own.signature],
      }),
    )
    liar.fired(pads)
  },
}

const foreign: Behaviour = {
  id: 'B19 wrong committee',
  pulse: (liar) => {
    const words = oldWords(liar)
    liar.sendAll(liar.frame(words[2]!))
    const { epoch, round } = words[0] as Attestation
    const root = new Uint8Array(32)
    const signature = new Uint8Array(64)
    liar.sendAll(
      liar.frame({ kind: 'attestation', epoch, round, member: 0, attestedAtMs: 1, root, digest: root, signature }),
    )
    liar.fired(foreign)
  },
}

const floods: Behaviour = {
  id: 'B21 flood',
  pulse: (liar) => {
    const { rng } = liar.stage
    const to = rng.pick(liar.others)
    const state = liar.oracle.state
    if (state === null) return
    const slot = { epoch: state.epoch, round: rng.between(1, 6) }
    const frames = [
      liar.frame({ kind: 'wish', epoch: rng.below(2) }),
      liar.frame({ kind: 'fetch', ...slot }),
      liar.frame({ kind: 'moved', ...slot }),
      liar.frame({ kind: 'begin', ...slot }),
    ]
    for (let i = 0; i < 60; i++) liar.send(to, frames[i % frames.length]!)
    for (const frame of liar.gang.frames.slice(-20)) liar.send(to, frame)
    liar.fired(floods)
  },
}

const garbage: Behaviour = {
  id: 'B22 malformed frames',
  pulse: (liar) => {
    const { rng, cast } = liar.stage
    const to = rng.pick(liar.others)
    const base = liar.gang.frames.length > 0 ? rng.pick(liar.gang.frames) : new Uint8Array(40)
    const flipped = Uint8Array.from(base)
    flipped[rng.below(flipped.length)]! ^= 1 << rng.below(8)
    const wild = Uint8Array.from({ length: rng.below(300) }, () => rng.below(256))
    const headed = Uint8Array.from([1, rng.between(0, 11), ...cast.now.committee.digest, ...wild])
    const lying = Uint8Array.from(base)
    if (lying.length > frameHeadBytes + 120) putU32(lying, frameHeadBytes + 111, 0xffff_ffff)
    const ends = [base.slice(0, rng.below(base.length)), Uint8Array.from([...base, 0])]
    for (const frame of [flipped, wild, headed, lying, ...ends, new Uint8Array(0)]) liar.send(to, frame)
    liar.fired(garbage)
  },
}

const future: Behaviour = {
  id: 'B24 future and expired rounds',
  pulse: (liar) => {
    const { rng } = liar.stage
    const epoch = liar.oracle.state?.epoch ?? 0
    const { now } = liar.stage.cast
    // Epochs that this liar will lead, far ahead: their begins and proposals would be its to send.
    for (let ahead = 1; ahead < 60; ahead++) {
      if (now.contexts[0]!.leaderOf(epoch + ahead) !== liar.member) continue
      liar.sendAll(liar.frame({ kind: 'begin', epoch: epoch + ahead, round: 1 }))
    }
    const far = [epoch + 1, epoch + 1000, 0xffff_ffff, Math.max(0, epoch - 1)]
    const root = new Uint8Array(32)
    for (const each of far) {
      const slot = { epoch: each, round: rng.pick([1, 7, 5000]) }
      liar.sendAll(liar.frame({ kind: 'begin', ...slot }))
      const attestedAtMs = liar.stage.epochMs + liar.stage.queue.nowMs
      liar.sendAll(liar.frame(liar.make({ kind: 'attestation', ...slot, attestedAtMs, root })))
      liar.sendAll(liar.frame(liar.make({ kind: 'seal', ...slot, reportDigest: root })))
      liar.sendAll(liar.frame({ kind: 'fetch', ...slot }))
    }
    liar.fired(future)
  },
}

const claims: Behaviour = {
  id: 'B31 false wishes and claims',
  transmit: (liar, to, message) => {
    if (message.kind !== 'wish') return null
    liar.fired(claims)
    const isLow = (to + liar.member) % 2 === 0
    return [liar.frame({ kind: 'wish', epoch: isLow ? 0 : message.epoch + 1000 })]
  },
}

/** A leader that begins rounds faster than roundsMsMin allows, and proposes from what comes. */
const hasty: Behaviour = {
  id: 'B21 hasty begins',
  pulse: (liar) => {
    const state = liar.oracle.state
    if (state === null || state.lead === null) return
    const { rng } = liar.stage
    for (let i = 1; i < 4; i++) {
      const frame = liar.frame({ kind: 'begin', epoch: state.epoch, round: state.lead.round + i })
      for (const to of liar.others) if (rng.chance(0.5)) liar.send(to, frame)
    }
    liar.fired(hasty)
    liar.memory.set(keyOf({ epoch: state.epoch, round: state.lead.round }), frameKinds.begin)
  },
}

/** Behaviours of senders. */
export const frameBehaviours: readonly Behaviour[] = [replays, pads, foreign, floods, garbage, future, claims, hasty]
