// The same key in two processes (P9): whoever sees it stops and disowns, and the word reaches the other one in two hops.

import { describe, expect, it } from 'vitest'
import type { Disown } from '../../src/core/messages.js'
import type { Effect } from '../../src/core/state.js'
import { follower, followerIndex, leaderOf, mark, type Oracle, observation, signature } from './member.js'

const self = followerIndex()
const [doubled, third] = [0, 1, 2, 3].filter((member) => member !== self) as [number, number]
const disown = (member: number, fill = 7): Disown => ({
  kind: 'disown',
  epoch: 0,
  round: 1,
  member,
  signedDigest: mark(fill),
  digest: mark(fill + 1),
  signature,
})
const sentTo = (effects: readonly Effect[]): readonly number[] =>
  effects.flatMap((effect) =>
    effect.kind === 'send' && effect.message.kind === 'disown' && effect.to !== 'all' ? [effect.to] : [],
  )
const up = (oracle: Oracle, member: number): readonly Effect[] =>
  oracle.feed({ kind: 'session', member, up: true }).take()

describe('a disowned signature', () => {
  it('is told to all by the session it came from, and else to the session of its member', () => {
    const first = follower()
    first.take()
    expect(sentTo(first.hear(doubled, disown(doubled)).take())).toEqual(
      [0, 1, 2, 3].filter((member) => member !== self && member !== doubled),
    )
    const second = follower()
    second.take()
    expect(sentTo(second.hear(third, disown(doubled)).take())).toEqual([doubled])
  })

  it('is told once, and one a member each resendMs', () => {
    const oracle = follower().hear(third, disown(doubled))
    oracle.take()
    expect(oracle.hear(third, disown(doubled), disown(doubled, 20)).did()).toEqual(['drop REPEATED', 'drop TOO_SOON'])
    oracle.after(oracle.context.committee.timing.resendMs).take()
    expect(sentTo(oracle.hear(third, disown(doubled, 20)).take())).toEqual([doubled])
  })

  it('is told to each later session', () => {
    const oracle = follower().hear(third, disown(doubled))
    oracle.take()
    expect(sentTo(up(oracle, doubled))).toEqual([doubled])
    expect(sentTo(up(oracle, third))).toEqual([third])
  })

  it('halts the process that made it, which disowns nothing itself', () => {
    const oracle = follower()
    oracle.take()
    expect(oracle.feed({ kind: 'impostor', message: disown(self) }).did()).toEqual(['halt'])
    expect(oracle.state.halted).toBe('KEY_IN_USE_ELSEWHERE')
  })

  it('is told by the halted process to each later session, which hears nothing else of it', () => {
    const oracle = follower().feed({ kind: 'impostor', message: observation(self, 1) })
    const draft = oracle.take().find((effect) => effect.kind === 'sign' && effect.draft.kind === 'disown')
    expect(draft).toMatchObject({ to: 'all', draft: { epoch: 0, round: 1, signedDigest: mark(16 + self) } })
    oracle.hear(self, disown(self))
    expect(up(oracle, leaderOf(0)).map((effect) => effect.kind === 'send' && effect.message.kind)).toEqual(['disown'])
  })
})

describe('a member that wishes for another epoch', () => {
  it('is sent the latest certificate, once each resendMs: what its leader does not tell it', () => {
    const oracle = follower()
    const certificate = {
      kind: 'certificate',
      epoch: 0,
      round: 3,
      attestedAtMs: 1_700_000_000_000,
      root: mark(1),
      digest: mark(2),
      signers: [0, 1, 2],
      signatures: [signature, signature, signature],
    } as const
    oracle.hear(third, certificate).take()
    const helped = (): boolean =>
      oracle.take().some((effect) => effect.kind === 'send' && effect.message.kind === 'certificate')
    oracle.hear(doubled, { kind: 'wish', epoch: 1 })
    expect(helped()).toBe(true)
    oracle.hear(doubled, { kind: 'wish', epoch: 1 })
    expect(helped()).toBe(false)
    oracle.after(oracle.context.committee.timing.resendMs).hear(doubled, { kind: 'wish', epoch: 1 })
    expect(helped()).toBe(true)
  })
})
