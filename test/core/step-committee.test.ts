// What a member makes of the others (P10 to P12) and of its own lost state (P9).

import { describe, expect, it } from 'vitest'
import type { Certificate, Message, Seal } from '../../src/core/messages.js'
import {
  answered,
  attestation,
  begin,
  follower,
  leader,
  leaderOf,
  mark,
  proposal,
  signature,
  wallMs,
} from './member.js'

describe('P10 certify and P11 seal', () => {
  it('delivers at q attestations on one digest, each member counted once (I-5), then seals', () => {
    const oracle = answered().hear(leaderOf(0), proposal(1, [0, 1, 2]))
    const own = oracle.sync().take().at(-1)
    oracle.hear(0, attestation(own, 0)).hear(0, attestation(own, 0)).hear(1, attestation(own, 1))
    expect(oracle.did()).toEqual(['drop REPEATED'])
    expect(oracle.hear(2, attestation(own, 2)).did()).toEqual(['sign seal', 'deliver'])
    const seal = (member: number): Seal => ({
      kind: 'seal',
      epoch: 0,
      round: 1,
      member,
      reportDigest: attestation(own, 0).digest,
      digest: mark(1),
      signature,
    })
    expect(oracle.hear(0, seal(0)).hear(0, seal(0)).did()).toEqual(['drop REPEATED'])
    expect(oracle.hear(1, seal(1)).did()).toEqual(['deliver-seals'])
    expect(oracle.hear(2, seal(2)).did()).toEqual([])
  })

  it('keeps contradicting attestations as evidence and counts the first', () => {
    const oracle = answered().hear(leaderOf(0), proposal(1, [0, 1, 2]))
    const own = oracle.sync().take().at(-1)
    oracle.hear(0, attestation(own, 0)).hear(0, { ...attestation(own, 0), digest: mark(3), root: mark(4) })
    expect(oracle.did()).toContain('evidence')
  })

  it('asks one connected signer, once, for a proposal it lacks, and delivers what it gets', () => {
    const source = answered().hear(leaderOf(0), proposal(1, [0, 1, 2]))
    const own = source.sync().take().at(-1)
    const oracle = answered().feed({ kind: 'session', member: 2, up: true })
    oracle.take()
    for (const member of [0, 1, 2]) if (member !== oracle.context.self) oracle.hear(member, attestation(own, member))
    oracle.hear(3, attestation(own, 3)).hear(oracle.context.self, attestation(own, oracle.context.self))
    expect(oracle.did().filter((did) => did === 'send fetch')).toHaveLength(1)
    expect(oracle.hear(2, proposal(1, [0, 1, 2])).did()).toContain('deliver')
  })

  it('halts when two quorums signed one slot', () => {
    const header = { epoch: 0, round: 1, attestedAtMs: wallMs, root: mark(1) }
    const first: Certificate = {
      kind: 'certificate',
      ...header,
      digest: mark(2),
      signers: [0, 1, 2],
      signatures: [signature, signature, signature],
    }
    const oracle = follower()
      .hear(1, first)
      .hear(2, { ...first, digest: mark(9), root: mark(8) })
    expect(oracle.did()).toContain('halt')
    expect(oracle.state.halted).toBe('QUORUM_BROKEN')
  })
})

describe('P12 pacemaker', () => {
  it('wishes for the next epoch when progressMs brings no report, durable first, and sends it again', () => {
    const oracle = follower()
    expect(oracle.after(3999).did()).toEqual([])
    expect(oracle.after(1).did()).toEqual(['persist'])
    expect(oracle.sync().did()).toEqual(['send wish'])
    expect(oracle.after(500).did()).toEqual(['send wish'])
  })

  it('follows f+1 wishes and enters at 2f+1', () => {
    const oracle = follower()
    const wish = (epoch: number): Message => ({ kind: 'wish', epoch })
    const others = [0, 1, 2, 3].filter((member) => member !== oracle.context.self)
    expect(oracle.hear(others[0]!, wish(5)).did()).toEqual([])
    expect(oracle.hear(others[1]!, wish(7)).did()).toEqual(['persist'])
    expect(oracle.state.asked.wish).toBe(5)
    oracle.hear(others[2]!, wish(6))
    expect(oracle.state.epoch).toBe(5)
  })

  it('a restarted leader does not lead its old epoch, it wishes for the next', () => {
    const oracle = leader({ wish: 0, floor: { epoch: 0, round: 3 }, floorMs: wallMs })
    expect(oracle.state.lead).toBeNull()
    expect(oracle.state.asked.wish).toBe(1)
  })

  it('enters the epoch of a certified report and is not held back by its wish', () => {
    const header = { epoch: 9, round: 1, attestedAtMs: wallMs, root: mark(1) }
    const certificate: Certificate = {
      kind: 'certificate',
      ...header,
      digest: mark(2),
      signers: [0, 1, 2],
      signatures: [signature, signature, signature],
    }
    expect(follower().hear(1, certificate).state.epoch).toBe(9)
  })

  it('is not frozen by a wall clock that jumps back (B30)', () => {
    const oracle = follower()
    oracle.wallOffsetMs = -3_600_000
    expect(oracle.after(4000).did()).toEqual(['persist'])
  })
})

describe('lost state (P9)', () => {
  it('signs only above the highest epoch that n−f other members claim', () => {
    const oracle = follower(null)
    const wish = (epoch: number): Message => ({ kind: 'wish', epoch })
    const others = [0, 1, 2, 3].filter((member) => member !== oracle.context.self)
    oracle.hear(leaderOf(0), begin(1)).hear(others[0]!, wish(4)).hear(others[0]!, wish(4)).hear(others[1]!, wish(6))
    expect(oracle.did()).toContain('drop NOT_SIGNING')
    expect(oracle.state.standing).toBe('unprovable')
    oracle.hear(others[2]!, wish(5))
    expect(oracle.take().at(-1)).toMatchObject({
      kind: 'persist',
      adopt: true,
      durable: { floor: { epoch: 6, round: 0xffff_ffff } },
    })
    oracle.sync()
    expect(oracle.state.standing).toBe('sound')
    oracle.hear(leaderOf(6), begin(1, 6))
    expect(oracle.did()).not.toContain('observe')
  })
})
