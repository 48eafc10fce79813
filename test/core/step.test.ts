// The steps of a round one by one (P4 to P9): the events of one member, and what it may and must not do.

import { describe, expect, it } from 'vitest'
import { explain } from '../../src/core/explain.js'
import { wakeAtMs } from '../../src/core/step.js'
import {
  answered,
  begin,
  follower,
  followerIndex,
  leader,
  leaderOf,
  mark,
  type Oracle,
  observation,
  proposal,
  wallMs,
} from './member.js'

describe('P4 begin', () => {
  it('waits for the durable floor, then begins, and again each roundMs', () => {
    const oracle = leader()
    expect(oracle.did()).toEqual(['persist'])
    expect(oracle.sync().did()).toEqual(['send begin'])
    expect(oracle.after(999).did()).toEqual([])
    expect(oracle.after(1).did()).toContain('send begin')
  })

  it('begins at once when f+1 members moved, but not for one, and never sooner than roundMsMin', () => {
    const oracle = leader().sync()
    oracle.take()
    const moved = { kind: 'moved', epoch: 0, round: 1 } as const
    oracle.after(10).hear(1, moved).hear(1, moved)
    expect(oracle.did()).toEqual(['drop REPEATED'])
    expect(oracle.hear(2, moved).did()).toEqual([])
    expect(wakeAtMs(oracle.context, oracle.state)).toBe(50)
    expect(oracle.after(40).did()).toContain('send begin')
  })

  it('does not count a move that the round under way observes', () => {
    const oracle = leader().sync()
    const moved = { kind: 'moved', epoch: 0, round: 0 } as const
    oracle.after(60).hear(1, moved).hear(2, moved)
    expect(oracle.did().filter((did) => did === 'drop LATE')).toHaveLength(2)
    expect(oracle.state.lead!.round).toBe(1)
  })

  it('keeps at most three rounds in flight', () => {
    const oracle = leader().sync()
    oracle.feed()
    for (let i = 0; i < 8; i++) {
      const moved = { kind: 'moved', epoch: 0, round: oracle.state.lead!.round } as const
      oracle.after(50).hear(1, moved).hear(2, moved).sync()
    }
    expect(oracle.state.lead!.inFlight).toHaveLength(3)
    expect(oracle.after(500).state.lead!.round).toBeGreaterThan(3)
  })
})

describe('P5 observe', () => {
  it('answers the leader of its epoch once a round, after the floor is on disk', () => {
    const oracle = follower().hear(leaderOf(0), begin(1), begin(1))
    expect(oracle.did()).toEqual(['observe', 'drop REPEATED'])
    const readings = observation(0, 1).readings
    oracle.feed({ kind: 'observed', slot: { epoch: 0, round: 1 }, readings, evidence: mark(0) })
    expect(oracle.did()).toEqual(['persist'])
    expect(oracle.sync().did()).toEqual(['sign observation'])
  })

  it('drops a begin of another member, epoch, or round, and one too soon', () => {
    const other = (leaderOf(0) + 1) % 4
    expect(follower().hear(other, begin(1)).did()).toEqual(['drop NOT_LEADER'])
    expect(follower().hear(leaderOf(3), begin(1, 3)).did()).toEqual(['drop OTHER_EPOCH'])
    expect(follower().hear(leaderOf(0), begin(601)).did()).toEqual(['drop ROUND_RANGE'])
    const oracle = follower()
    for (let round = 1; round <= 4; round++) oracle.hear(leaderOf(0), begin(round))
    // Three within delayMs of slack, then no more.
    expect(oracle.did()).toEqual(['observe', 'observe', 'observe', 'drop TOO_SOON'])
  })

  it('stays silent at or below the floor it was started with', () => {
    const durable = { wish: 0, floor: { epoch: 0, round: 5 }, floorMs: wallMs }
    expect(follower(durable).hear(leaderOf(0), begin(5)).did()).toContain('drop BELOW_FLOOR')
    expect(follower(durable).hear(leaderOf(0), begin(6)).did()).toContain('observe')
  })
})

describe('P6 propose', () => {
  const collect = (...members: readonly number[]): Oracle => {
    const oracle = leader().sync()
    oracle.take()
    for (const member of members) oracle.hear(member, observation(member, 1))
    return oracle
  }

  it('proposes at once with all n, after graceMs with n−f, never with fewer', () => {
    expect(collect(0, 1, 2, 3).did()).toEqual(['sign proposal'])
    const three = collect(0, 1, 3)
    expect(three.did()).toEqual([])
    expect(three.after(19).did()).toEqual([])
    expect(three.after(1).did()).toEqual(['sign proposal'])
    expect(collect(0, 1).after(400).did()).toEqual([])
  })

  it('keeps two different observations of a member as evidence and counts one', () => {
    const oracle = collect(0, 1).hear(1, observation(1, 1, { digest: mark(99) }))
    expect(oracle.did()).toEqual(['evidence', 'drop CONTRADICTS'])
    expect(oracle.after(400).did()).not.toContain('sign proposal')
  })
})

describe('P7 check and P9 attest', () => {
  it('attests to the report it computes itself', () => {
    const oracle = answered().hear(leaderOf(0), proposal(1, [0, 1, 2]))
    expect(oracle.did()).toEqual(['persist'])
    expect(oracle.sync().did()).toEqual(['sign attestation'])
  })

  it('refuses a proposal it did not answer, too late, too small, or not of the leader', () => {
    expect(
      follower()
        .hear(leaderOf(0), proposal(1, [0, 1, 2]))
        .did(),
    ).toEqual(['drop NOT_ANSWERED'])
    expect(
      answered()
        .after(500)
        .hear(leaderOf(0), proposal(1, [0, 1, 2]))
        .did(),
    ).toContain('drop NOT_ANSWERED')
    expect(
      answered()
        .hear(leaderOf(0), proposal(1, [0, 1]))
        .did(),
    ).toEqual(['drop TOO_FEW'])
    expect(
      answered()
        .hear(followerIndex(), proposal(1, [0, 1, 2]))
        .did(),
    ).toEqual(['drop NOT_LEADER'])
  })

  it('refuses a T more than skewMs from its own clock', () => {
    const oracle = answered()
    oracle.wallOffsetMs = 3000
    expect(oracle.hear(leaderOf(0), proposal(1, [0, 1, 2])).did()).toEqual(['drop TIME_SKEW'])
  })

  it('signs a slot once, and keeps the second proposal as evidence', () => {
    const oracle = answered().hear(leaderOf(0), proposal(1, [0, 1, 2]))
    oracle.take()
    const second = proposal(1, [0, 1, 3], { digest: mark(77) })
    expect(oracle.hear(leaderOf(0), second).did()).toEqual(['evidence', 'drop CONTRADICTS'])
  })

  it('never lets T stand still or fall (I-4)', () => {
    const oracle = answered()
      .hear(leaderOf(0), proposal(1, [0, 1, 2]))
      .after(60)
    oracle.hear(leaderOf(0), begin(2))
    oracle.feed({
      kind: 'observed',
      slot: { epoch: 0, round: 2 },
      readings: observation(0, 2).readings,
      evidence: mark(0),
    })
    oracle.sync().take()
    const stale = [0, 1, 2].map((member) => observation(member, 2, { clockMs: wallMs + 1 }))
    expect(oracle.hear(leaderOf(0), proposal(2, [], { observations: stale })).did()).toEqual(['drop TIME_NOT_RISING'])
  })

  it('signs nothing while the disk or the store refuses, and goes on when it opens', () => {
    const oracle = answered().feed({ kind: 'store', code: 'REPORT_STORE_FULL' })
    expect(oracle.hear(leaderOf(0), proposal(1, [0, 1, 2])).did()).toEqual(['drop NOT_SIGNING'])
    expect(explain(oracle.context, oracle.state, wallMs)[0]).toMatchObject({ code: 'SIGNING_CLOSED' })
    oracle.feed({ kind: 'store', code: null }).after(60).hear(leaderOf(0), begin(2))
    expect(oracle.did()).toContain('observe')
    oracle.feed({ kind: 'persist-failed', code: 'SLOT_RECORD_WRITE_FAILED' })
    expect(oracle.after(60).hear(leaderOf(0), begin(3)).did()).toContain('drop NOT_SIGNING')
  })

  it('halts for good when its key signs elsewhere', () => {
    const oracle = answered().feed({ kind: 'impostor', message: observation(0, 1) })
    expect(oracle.did()).toEqual(['sign disown', 'halt'])
    expect(
      oracle
        .hear(leaderOf(0), proposal(1, [0, 1, 2]), begin(2))
        .after(60_000)
        .did(),
    ).toEqual([])
    expect(explain(oracle.context, oracle.state, wallMs)[0]).toMatchObject({ code: 'HALTED' })
  })
})

describe('what nobody promised', () => {
  it('a clock that is a year ahead for one observation does not raise the floor of T', () => {
    const oracle = follower().hear(leaderOf(0), begin(1))
    oracle.wallOffsetMs = 365 * 86_400_000
    const readings = observation(0, 1).readings
    oracle.feed({ kind: 'observed', slot: { epoch: 0, round: 1 }, readings, evidence: mark(0) }).sync()
    expect(oracle.did()).toContain('sign observation')
    expect(oracle.state.durable.floorMs).toBeLessThan(wallMs + 10_000)
  })

  it('says until when it signs no time, where it may have signed later ones', () => {
    const oracle = follower({ wish: 0, floor: { epoch: 0, round: 3 }, floorMs: wallMs + 86_400_000 })
    expect(explain(oracle.context, oracle.state, wallMs)[0]).toMatchObject({ code: 'TIME_PROMISED' })
  })

  it('forgets what waits for a disk that never answers', () => {
    const oracle = follower()
    for (let round = 1; round <= 100; round++) {
      oracle.hear(leaderOf(0), begin(round))
      oracle.feed({
        kind: 'observed',
        slot: { epoch: 0, round },
        readings: observation(0, 1).readings,
        evidence: mark(0),
      })
      oracle.after(30)
    }
    expect(oracle.state.pending.length).toBeLessThan(30)
  })
})
