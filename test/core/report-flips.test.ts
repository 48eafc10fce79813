// Every byte of a report.json counts: whatever is flipped, dropped, doubled or added is refused with a code (I-3, I-5).

import { describe, expect, it } from 'vitest'
import { engineNoble } from '../../src/client/engine-noble.js'
import { concat } from '../../src/core/bytes.js'
import { verifyReport } from '../../src/core/verify-report.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { reportFixture } from '../signed-report.js'

const engine = await createWasmEngine()
const { make, trust } = reportFixture(engine, engine)
/** Numbers, text, booleans, seals and two leaves: every kind of field there is. */
const bytes = make({ sealers: [0, 2], bundles: [1, 3] })
const masks = [1, 2, 4, 8, 16, 32, 64, 128, 0xff]

describe('report.json', () => {
  it('is refused after any single change of any byte', () => {
    const codes = new Map<string, number>()
    for (let at = 0; at < bytes.length; at++) {
      for (const mask of masks) {
        const bent = Uint8Array.from(bytes)
        bent[at] = bent[at]! ^ mask
        const verdict = verifyReport(engine, bent, trust, { nowMs: 'any' })
        if (verdict.ok) throw new Error(`byte ${at} with mask ${mask} was accepted`)
        codes.set(verdict.code, (codes.get(verdict.code) ?? 0) + 1)
      }
    }
    expect([...codes.values()].reduce((sum, count) => sum + count, 0)).toBe(bytes.length * masks.length)
    // Each kind of refusal took part, so no check hides behind another.
    const expected = ['JSON_INVALID', 'JSON_NOT_CANONICAL', 'REPORT_DERIVED', 'REPORT_FOREIGN', 'REPORT_INVALID']
    expect([...codes.keys()].sort()).toEqual([...expected, 'REPORT_ROOTS', 'REPORT_SIGNATURE'])
    expect(verifyReport(engine, bytes, trust, { nowMs: 'any' }).ok).toBe(true)
  })

  it('is refused after any byte was dropped or doubled, or followed by anything', () => {
    for (let at = 0; at < bytes.length; at++) {
      const dropped = concat(bytes.subarray(0, at), bytes.subarray(at + 1))
      const doubled = concat(bytes.subarray(0, at + 1), bytes.subarray(at))
      for (const bent of [dropped, doubled]) expect(verifyReport(engine, bent, trust, { nowMs: 'any' }).ok).toBe(false)
    }
    for (const more of [0, 10, 32, 125])
      expect(verifyReport(engine, concat(bytes, Uint8Array.of(more)), trust, { nowMs: 'any' }).ok).toBe(false)
  })

  it('is refused alike by the browser’s engine, on every 11th byte', () => {
    for (let at = 0; at < bytes.length; at += 11) {
      const bent = Uint8Array.from(bytes)
      bent[at] = bent[at]! ^ masks[at % masks.length]!
      expect(verifyReport(engineNoble, bent, trust, { nowMs: 'any' })).toEqual(
        verifyReport(engine, bent, trust, { nowMs: 'any' }),
      )
    }
  })
})
