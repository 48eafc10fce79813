// The de-framer under any cut and any damage: whole frames or one refusal, never an exception, never more memory than came.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { refuseHead } from '../../src/network/frame.js'
import { Deframer, joinFrames, prefixed } from '../../src/network/framing.js'
import type { CloseReason } from '../../src/network/transport.js'
import { frameOf, LARGE, LARGE_BYTES, limitsOf, SMALL } from './committee.js'

const check = (version: number, kind: number, bytes: number) => refuseHead(limitsOf(), false, version, kind, bytes)

/** Cuts `bytes` at `cuts`, given as parts of its length. */
function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((part) => Math.floor(part * bytes.length)).sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, at) => bytes.subarray(places[at]!, end))
}

/** Everything a de-framer makes of the chunks. */
function deframe(chunks: readonly Uint8Array[], seen: (deframer: Deframer, arrived: number) => void = () => {}) {
  const deframer = new Deframer(check)
  const frames: Uint8Array[] = []
  let arrived = 0
  for (const chunk of chunks) {
    arrived += chunk.length
    deframer.push(chunk)
    for (;;) {
      const got = deframer.next()
      if (typeof got === 'string') return { frames, refusal: got }
      if (got === null) break
      frames.push(got)
    }
    seen(deframer, arrived)
  }
  return { frames, refusal: null as CloseReason | null }
}

const frame = fc
  .tuple(fc.constantFrom(SMALL, LARGE), fc.integer({ min: 2, max: 4096 }), fc.nat(255))
  .map(([kind, bytes, seed]) => frameOf(kind, bytes, seed))
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 })
const seeded = { seed: 20240607, numRuns: 500 }

describe('Deframer', () => {
  it('gives back the frames that were joined, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), cuts, (frames, places) => {
        const { frames: got, refusal } = deframe(cut(joinFrames(frames), places))
        expect(refusal).toBe(null)
        expect(got.length).toBe(frames.length)
        expect(got.every((one, at) => Buffer.compare(one, frames[at]!) === 0)).toBe(true)
      }),
      seeded,
    )
  })

  it('never throws on damaged bytes, never exceeds a cap, and stays refused', () => {
    const damage = fc.array(fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(255)), {
      minLength: 1,
      maxLength: 6,
    })
    fc.assert(
      fc.property(fc.array(frame, { minLength: 1, maxLength: 4 }), cuts, damage, (frames, places, hits) => {
        const bytes = joinFrames(frames)
        for (const [part, value] of hits) bytes[Math.floor(part * Math.min(bytes.length, 64))] = value
        const { frames: got } = deframe(cut(bytes, places), (deframer, arrived) => {
          expect(deframer.heldBytes).toBeLessThanOrEqual(Math.min(LARGE_BYTES, 4 * arrived))
        })
        for (const one of got) expect(check(one[0]!, one[1]!, one.length)).toBe(null)
      }),
      seeded,
    )
  })

  it('never throws on noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), cuts, (noise, places) => {
        deframe(cut(noise, places), (deframer, arrived) => expect(deframer.heldBytes).toBeLessThanOrEqual(4 * arrived))
      }),
      seeded,
    )
  })

  it('gives the same answer to the same bytes, cut or whole', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), cuts, (noise, places) => {
        const bytes = new Uint8Array([0, 0, 0, 3, 1, SMALL, 9, ...noise])
        expect(deframe(cut(bytes, places))).toEqual(deframe([bytes]))
      }),
      seeded,
    )
  })

  it('takes memory for what came, not for what was announced', () => {
    const deframer = new Deframer(check)
    deframer.push(prefixed(LARGE_BYTES, Uint8Array.of(1, LARGE, 1, 2, 3, 4)))
    expect(deframer.next()).toBe(null)
    expect(deframer.heldBytes).toBeLessThanOrEqual(24)
    expect(deframer.partial).toBe(true)
  })

  it('assembles a large frame that comes byte by byte without quadratic copying', () => {
    const time = (bytes: number): number => {
      const stream = joinFrames([frameOf(LARGE, bytes)])
      const beginMs = performance.now()
      const { frames } = deframe(Array.from(stream, (_, at) => stream.subarray(at, at + 1)))
      expect(frames[0]!.length).toBe(bytes)
      return performance.now() - beginMs
    }
    time(50_000)
    const [small, large] = [time(50_000), time(800_000)]
    // 16 × the bytes: linear is 16 ×, quadratic 256 ×.
    expect(large).toBeLessThan(100 * small + 50)
  })

  it('refuses again and again after a refusal', () => {
    const deframer = new Deframer(check)
    deframer.push(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 2, 1, 1))
    expect([deframer.next(), deframer.next()]).toEqual(['FRAME_TOO_SHORT', 'FRAME_TOO_SHORT'])
    deframer.push(joinFrames([frameOf(SMALL, 10)]))
    expect(deframer.next()).toBe('FRAME_TOO_SHORT')
    expect(deframer.heldBytes).toBe(14)
  })
})
