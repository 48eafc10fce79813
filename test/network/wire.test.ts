// Frames: one encoding of each message, a fault for everything else, and nothing a peer's bytes can throw.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { frameHeadBytes, frameKinds } from '../../src/core/limits.js'
import type { Message, Observation } from '../../src/core/messages.js'
import { decodeFrame, encodeFrame, frameVersion, kindOfFrame } from '../../src/network/wire.js'

const digest = new Uint8Array(32).fill(0xd1)
const n = 7
const bytes = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill)
const slot = { epoch: 0xffff_fffe, round: 9 }
const observation = (member: number): Observation => ({
  kind: 'observation',
  ...slot,
  member,
  clockMs: 281_474_976_710_655,
  evidence: bytes(32, 1),
  readings: bytes(member * 3, 2),
  digest: bytes(32, 3),
  signature: bytes(64, 4),
})
const header = { ...slot, attestedAtMs: 1_700_000_000_000, root: bytes(32, 5) }
const messages: readonly Message[] = [
  { kind: 'begin', ...slot },
  { kind: 'moved', ...slot, round: 0 },
  { kind: 'fetch', ...slot },
  { kind: 'wish', epoch: 7 },
  observation(2),
  { kind: 'proposal', ...slot, observations: [0, 2, 6].map(observation), digest, signature: bytes(64, 6) },
  { kind: 'attestation', ...header, member: 2, digest, signature: bytes(64, 7) },
  { kind: 'seal', ...slot, member: 2, reportDigest: bytes(32, 8), digest, signature: bytes(64, 9) },
  { kind: 'certificate', ...header, digest, signers: [0, 5, 6], signatures: [1, 2, 3].map((i) => bytes(64, i)) },
  { kind: 'disown', ...slot, member: 5, signedDigest: bytes(32, 10), digest, signature: bytes(64, 11) },
]

/** The message without digests, which are computed, not sent. */
function claimed(message: Message): unknown {
  return JSON.parse(
    JSON.stringify(message, (key, value) =>
      key === 'digest' ? undefined : value instanceof Uint8Array ? [...value] : value,
    ),
  )
}

describe('frames', () => {
  it('carry every kind of message there and back', () => {
    expect(new Set(messages.map((message) => message.kind)).size).toBe(Object.keys(frameKinds).length)
    for (const message of messages) {
      const frame = encodeFrame(digest, message)
      expect(kindOfFrame(frame[1]!)).toBe(message.kind)
      const decoded = decodeFrame(digest, n, 2, frame)
      expect('message' in decoded && claimed(decoded.message as Message)).toEqual(claimed(message))
    }
  })

  it('are refused when cut or extended by any number of bytes', () => {
    for (const message of messages) {
      const frame = encodeFrame(digest, message)
      for (let length = 0; length < frame.length; length++) {
        expect(decodeFrame(digest, n, 2, frame.subarray(0, length))).toHaveProperty('fault')
      }
      expect(decodeFrame(digest, n, 2, Uint8Array.of(...frame, 0))).toHaveProperty('fault')
    }
  })

  it('have one encoding: a changed byte is a fault or another message', () => {
    const edit = fc.record({
      message: fc.constantFrom(...messages),
      at: fc.nat(),
      mask: fc.integer({ min: 1, max: 255 }),
    })
    fc.assert(
      fc.property(edit, ({ message, at, mask }) => {
        const frame = encodeFrame(digest, message)
        frame[at % frame.length]! ^= mask
        const decoded = decodeFrame(digest, n, 2, frame)
        if ('message' in decoded) expect(encodeFrame(digest, decoded.message as Message)).toEqual(frame)
      }),
      { seed: 5, numRuns: 3000 },
    )
  })

  it('never throw on noise', () => {
    const head = [frameVersion, 4, ...digest]
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.constantFrom(...Object.values(frameKinds)), (noise, kind) => {
        decodeFrame(digest, n, 2, noise)
        decodeFrame(digest, n, 2, Uint8Array.of(...head.with(1, kind), ...noise))
      }),
      { seed: 6, numRuns: 2000 },
    )
  })

  it('name what is wrong', () => {
    const faultOf = (message: Message, edit: (frame: Uint8Array) => void, from = 2): unknown => {
      const frame = encodeFrame(digest, message)
      edit(frame)
      const decoded = decodeFrame(digest, n, from, frame)
      return 'fault' in decoded ? decoded.fault : null
    }
    const [begin, , , , observed, proposal, , , certificate, disown] = messages
    expect(faultOf(begin!, (frame) => frame.fill(0, 0, 1))).toBe('FRAME_VERSION')
    expect(faultOf(begin!, (frame) => frame.fill(0, 1, 2))).toBe('FRAME_KIND')
    expect(faultOf(begin!, (frame) => frame.fill(0, 2, 3))).toBe('FRAME_FOREIGN')
    expect(faultOf(begin!, (frame) => frame.fill(0, frameHeadBytes + 4))).toBe('FRAME_ROUND')
    expect(faultOf(observed!, () => undefined, 3)).toBe('FRAME_MEMBER')
    const first = frameHeadBytes + 73
    expect(faultOf(proposal!, (frame) => frame.fill(n, first, first + 1))).toBe('FRAME_MEMBER')
    // The first observation has no readings, so the second begins 107 bytes on; equal members are no ascent.
    expect(faultOf(proposal!, (frame) => frame.fill(0, first + 107, first + 108))).toBe('FRAME_ORDER')
    expect(faultOf(proposal!, (frame) => frame.fill(n + 1, frameHeadBytes + 8, frameHeadBytes + 9))).toBe(
      'FRAME_LENGTH',
    )
    expect(faultOf(disown!, (frame) => frame.fill(n, frameHeadBytes + 8, frameHeadBytes + 9))).toBe('FRAME_MEMBER')
    expect(faultOf(certificate!, (frame) => frame.fill(0xff, frameHeadBytes + 46, frameHeadBytes + 47))).toBe(
      'FRAME_MEMBER',
    )
  })
})
