import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { engineNoble } from '../../src/client/engine-noble.js'
import { toHex, utf8 } from '../../src/core/bytes.js'
import { canonicalJson } from '../../src/core/canonical.js'
import type { Reading } from '../../src/core/layout.js'
import { statusCodes } from '../../src/core/status.js'
import { type ReportVerdict, type VerifyOptions, verifyReport } from '../../src/core/verify-report.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { memberKey } from '../committee-document.js'
import { attestedAtMs, readings, reportFixture } from '../signed-report.js'

const engine = await createWasmEngine()
const fixture = reportFixture(engine, engine)
const { make, trust, committee } = fixture
const full = make({ sealers: [0, 2] })
const fullText = new TextDecoder().decode(full)

// biome-ignore lint/suspicious/noExplicitAny: a report as hostile hands see it
type Loose = any
const parsed = (): Loose => JSON.parse(fullText)
const verdictOf = (bytes: Uint8Array, options: Partial<VerifyOptions> = {}): ReportVerdict =>
  verifyReport(engine, bytes, trust, { nowMs: 'any', ...options })
/** Code and place of the refusal, or ok. */
function told(bytes: Uint8Array, options: Partial<VerifyOptions> = {}): string {
  const verdict = verdictOf(bytes, options)
  return verdict.ok ? 'ok' : `${verdict.code} ${verdict.path}`
}
/** The refusal of the full report after `change`, re-written in canonical form. */
function toldAfter(change: (report: Loose) => unknown): string {
  const report = parsed()
  change(report)
  return told(utf8(canonicalJson(report)))
}
function withReading(index: number, change: Partial<Reading>): Reading[] {
  return readings().map((reading, i) => (i === index ? { ...reading, ...change } : reading))
}
const noData = { status: statusCodes.NO_DATA, groups: 0, spreadPpm: 0, timeMs: 0, values: null }

describe('an honest report', () => {
  it('is accepted with everything it proves', () => {
    const verdict = verdictOf(full, { nowMs: attestedAtMs })
    if (!verdict.ok) throw new Error(verdict.message)
    const { report } = verdict
    expect(report).toMatchObject({ epoch: 12, round: 345, attestedAtMs, attesters: [0, 1, 3], sealers: [0, 2] })
    expect(report.salt).toBe(toHex(committee.salt))
    expect(report.bundles.map(({ id }) => id)).toEqual(committee.bundles.map(({ id }) => id))
    const feeds = report.bundles.flatMap((bundle) => bundle.feeds)
    expect(feeds.map(({ value }) => value)).toEqual([
      '64123.45678901',
      '3123.45000000',
      '-12.50',
      { open: true },
      {
        close: '6412345678901',
        high: '6420000000000',
        low: '6390000000000',
        open: '6400000000000',
        'window-start-ms': '1767225540000',
      },
      { 'event-id': 'us7000abcd', magnitude: '61', place: 'Off the coast of Åland “east”' },
    ])
    expect(feeds[0]).toMatchObject({ name: 'btc-usd', unit: 'USD', decimals: 8, status: 'OK', groups: 3, kind: 0 })
    expect(feeds[0]).toMatchObject({ spreadPpm: 250, observedAtMs: attestedAtMs - 100, cells: [6_412_345_678_901n] })
    expect(feeds[0]!.validUntilMs).toBe(attestedAtMs - 100 + 60_000)
  })

  it('is accepted by the browser’s engine with the same result', () => {
    expect(verifyReport(engineNoble, full, trust, { nowMs: 'any' })).toEqual(verdictOf(full))
  })

  it.each([1, 2, 4, 7, 10, 31])('takes exactly q attestations or f+1 seals of %i members', (n) => {
    const { make, trust, committee } = reportFixture(engine, engine, n)
    const { intersecting, oneHonest } = committee.thresholds
    const members = Array.from({ length: n }, (_, i) => n - 1 - i).toReversed()
    const codeOf = (attesters: number, sealers: number): string | null => {
      const seals = sealers === 0 ? {} : { sealers: members.slice(-sealers) }
      const bytes = make({ attesters: members.slice(n - attesters), bundles: [0], ...seals })
      const verdict = verifyReport(engine, bytes, trust, { nowMs: 'any' })
      return verdict.ok ? null : verdict.code
    }
    expect(codeOf(intersecting, 0)).toBeNull()
    expect(codeOf(0, oneHonest)).toBeNull()
    expect(codeOf(intersecting - 1, oneHonest)).toBeNull()
    expect(codeOf(intersecting - 1, oneHonest - 1)).toBe('REPORT_QUORUM')
  })

  it('may show any of its bundles', () => {
    for (const bundles of [[0], [3], [1, 2], [0, 1, 2, 3]]) expect(told(make({ bundles }))).toBe('ok')
  })
})

describe('signatures', () => {
  it('must be those of the members named (I-5)', () => {
    const swap = (member: number): Uint8Array => memberKey(engine, member === 1 ? 0 : member)
    expect(told(make({ keyOf: swap }))).toBe('REPORT_SIGNATURE /attestations/1')
    const stranger = (member: number): Uint8Array => memberKey(engine, member + 100)
    expect(told(make({ keyOf: stranger }))).toBe('REPORT_SIGNATURE /attestations/0')
    expect(told(make({ attesters: [0, 1], sealers: [1, 2], keyOf: swap }))).toBe('REPORT_SIGNATURE /attestations/1')
  })

  it('all count: one bad seal beside a quorum refuses the report', () => {
    expect(toldAfter((r) => (r.seals.signatures[1] = r.seals.signatures[0]))).toBe(
      'REPORT_SIGNATURE /seals/signatures/1',
    )
  })

  it('of one purpose never serve another (I-3)', () => {
    expect(toldAfter((r) => (r.attestations[0] = r.seals.signatures[0]))).toBe('REPORT_SIGNATURE /attestations/0')
    expect(toldAfter((r) => (r.seals.signatures[0] = r.attestations[0]))).toBe('REPORT_SIGNATURE /seals/signatures/0')
    expect(toldAfter((r) => (r.round = 346))).toBe('REPORT_SIGNATURE /attestations/0')
    expect(toldAfter((r) => (r.epoch = 13))).toBe('REPORT_SIGNATURE /attestations/0')
    expect(toldAfter((r) => (r.attestedAtMs = '1767225600124'))).toBe('REPORT_SIGNATURE /attestations/0')
  })

  it('of another committee generation, lineage, order or f are foreign', () => {
    const others = [
      { ...trust, generation: 8 },
      { ...trust, lineage: new Uint8Array(32) },
      { ...trust, addresses: trust.addresses.toReversed() },
      { ...trust, f: 0 },
    ]
    for (const other of others)
      expect(verifyReport(engine, full, other, { nowMs: 'any' })).toMatchObject({
        ok: false,
        code: 'REPORT_FOREIGN',
        path: '/salt',
      })
  })

  it('are counted by the bitmap, which names members only', () => {
    expect(toldAfter((r) => (r.bitmap = '0x0000000f'))).toBe('REPORT_INVALID /attestations')
    expect(toldAfter((r) => (r.bitmap = '0x0000001b'))).toBe('REPORT_INVALID /bitmap')
    expect(toldAfter((r) => (r.bitmap = '0x8000000b'))).toBe('REPORT_INVALID /bitmap')
    expect(toldAfter((r) => (r.bitmap = '0x0b'))).toBe('REPORT_INVALID /bitmap')
    expect(toldAfter((r) => (r.seals = { bitmap: '0x00000000', signatures: [] }))).toBe(
      'REPORT_INVALID /seals/signatures',
    )
  })
})

describe('values', () => {
  it.each<[string, (r: Loose) => unknown, string]>([
    ['another number', (r) => (r.leaves[0].feeds[0].value = '64123.45678902'), 'REPORT_ROOTS /leaves/1'],
    ['another status', (r) => (r.leaves[3].feeds[0].status = 'HALT'), 'REPORT_ROOTS /leaves/3'],
    ['other groups', (r) => (r.leaves[3].feeds[0].groups = 4), 'REPORT_ROOTS /leaves/3'],
    ['another spread', (r) => (r.leaves[1].feeds[0].spreadPpm = 0), 'REPORT_ROOTS /leaves/1'],
    ['another bundle', (r) => (r.leaves[2].bundle = r.leaves[1].bundle), 'REPORT_INVALID /leaves/2'],
    ['feeds in another order', (r) => r.leaves[0].feeds.reverse(), 'REPORT_ROOTS /leaves/1'],
    ['a feed less', (r) => r.leaves[1].feeds.pop(), 'REPORT_ROOTS /leaves/1'],
    ['no leaf', (r) => (r.leaves = []), 'REPORT_INVALID /leaves'],
    ['a proof less', (r) => r.leaves[1].proof.pop(), 'REPORT_ROOTS /leaves/1'],
    ['another name', (r) => (r.leaves[0].feeds[0].name = 'xbt-usd'), 'REPORT_DERIVED /leaves/0/feeds/0/feedId'],
    ['another unit', (r) => (r.leaves[0].feeds[0].unit = 'EUR'), 'REPORT_DERIVED /leaves/0/feeds/0/feedId'],
    ['a kind of its own', (r) => (r.leaves[0].feeds[0].kind = 1), 'REPORT_DERIVED /leaves/0/feeds/0/kind'],
    [
      'other value bytes',
      (r) => (r.leaves[3].feeds[0].valueBytes = '0x00'),
      'REPORT_DERIVED /leaves/3/feeds/0/valueBytes',
    ],
    ['no value bytes', (r) => delete r.leaves[3].feeds[0].valueBytes, 'REPORT_DERIVED /leaves/3/feeds/0'],
    [
      'bytes of a number',
      (r) => (r.leaves[0].feeds[0].valueBytes = '0x'),
      'REPORT_INVALID /leaves/0/feeds/0/valueBytes',
    ],
    [
      'a longer validity',
      (r) => (r.leaves[0].feeds[0].validUntilMs = '1767225660024'),
      'REPORT_DERIVED /leaves/0/feeds/0/validUntilMs',
    ],
    ['a number as JSON number', (r) => (r.leaves[0].feeds[0].value = 1), 'REPORT_INVALID /leaves/0/feeds/0/value'],
    ['a digit less', (r) => (r.leaves[0].feeds[0].value = '64123.4567890'), 'REPORT_INVALID /leaves/0/feeds/0/value'],
    [
      'int64 + 1',
      (r) => (r.leaves[1].feeds[0].value = '92233720368547758.08'),
      'REPORT_INVALID /leaves/1/feeds/0/value',
    ],
    [
      'text for a boolean',
      (r) => (r.leaves[1].feeds[1].value.open = 'true'),
      'REPORT_INVALID /leaves/1/feeds/1/value/open',
    ],
    ['a field more', (r) => (r.leaves[1].feeds[1].value.shut = true), 'REPORT_INVALID /leaves/1/feeds/1/value/shut'],
    ['a field less', (r) => delete r.leaves[3].feeds[0].value.place, 'REPORT_INVALID /leaves/3/feeds/0/value/place'],
    [
      'text too long',
      (r) => (r.leaves[3].feeds[0].value['event-id'] = 'é'.repeat(17)),
      'REPORT_INVALID /leaves/3/feeds/0/value/event-id',
    ],
    ['no value but OK', (r) => (r.leaves[0].feeds[0].value = null), 'REPORT_INVALID /leaves/0/feeds/0/status'],
    [
      'a value but NO_DATA',
      (r) => (r.leaves[0].feeds[0].status = 'NO_DATA'),
      'REPORT_INVALID /leaves/0/feeds/0/status',
    ],
    ['an unknown status', (r) => (r.leaves[0].feeds[0].status = 'FINE'), 'REPORT_INVALID /leaves/0/feeds/0/status'],
    ['another version', (r) => (r.version = 2), 'REPORT_INVALID /version'],
    ['round 0', (r) => (r.round = 0), 'REPORT_INVALID /round'],
    ['a root', (r) => (r.root = '0x'), 'REPORT_INVALID /root'],
    ['an unknown field', (r) => (r.leaves[0].feeds[0].confidence = 1), 'REPORT_INVALID /leaves/0/feeds/0/confidence'],
    ['a missing field', (r) => delete r.salt, 'REPORT_INVALID /salt'],
    ['time with a zero', (r) => (r.attestedAtMs = '01'), 'REPORT_INVALID /attestedAtMs'],
    ['time beyond 48 bits', (r) => (r.attestedAtMs = '281474976710656'), 'REPORT_INVALID /attestedAtMs'],
    ['a leaf of another report', (r) => (r.leaves[1] = foreignLeaf()), 'REPORT_ROOTS /leaves/1'],
  ])('%s is refused', (_, change, expected) => {
    expect(toldAfter(change)).toBe(expected)
  })

  function foreignLeaf(): unknown {
    const other = make({ readings: withReading(2, { values: [-1_251n] }) })
    return JSON.parse(new TextDecoder().decode(other)).leaves[1]
  }

  it('a single leaf that was changed fails by its signatures', () => {
    const alone = new TextDecoder().decode(make({ bundles: [0] }))
    expect(told(utf8(alone.replace('64123.45678901', '64123.45678902')))).toBe('REPORT_SIGNATURE /attestations/0')
  })

  it('past their validity are refused, by the reader’s clock or by the report’s own time (I-6)', () => {
    const bytes = make({ bundles: [0] })
    const untilMs = attestedAtMs - 200 + 60_000
    expect(told(bytes, { nowMs: untilMs })).toBe('ok')
    expect(told(bytes, { nowMs: untilMs + 1 })).toBe('REPORT_STALE /leaves/0/feeds/1')
    expect(told(bytes)).toBe('ok')
    const old = make({ readings: withReading(0, { timeMs: attestedAtMs - 60_001 }), bundles: [0] })
    expect(told(old, { nowMs: 0 })).toBe('REPORT_STALE /leaves/0/feeds/0')
  })

  it('of a status the reader did not accept are refused (I-6)', () => {
    const halted = make({ readings: withReading(1, { status: statusCodes.HALT }), bundles: [0] })
    expect(told(halted, { nowMs: attestedAtMs })).toBe('REPORT_STATUS /leaves/0/feeds/1')
    expect(told(halted, { accept: ['OK'] })).toBe('REPORT_STATUS /leaves/0/feeds/1')
    expect(told(halted, { nowMs: attestedAtMs, accept: ['OK', 'HALT'] })).toBe('ok')
    const absent = make({ readings: withReading(1, noData), bundles: [0] })
    expect(told(absent, { nowMs: attestedAtMs })).toBe('REPORT_STATUS /leaves/0/feeds/1')
    expect(verdictOf(absent, { nowMs: attestedAtMs, accept: ['OK', 'NO_DATA'] })).toMatchObject({
      report: { bundles: [{ feeds: [{ status: 'OK' }, { status: 'NO_DATA', value: null, cells: null }] }] },
    })
    expect(told(make({ readings: withReading(5, noData), bundles: [3] }))).toBe('ok')
  })
})

describe('hostile bytes', () => {
  it('are refused without an exception, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.jsonValue({ maxDepth: 3 }), (bytes, value) => {
        expect(verdictOf(bytes).ok).toBe(false)
        expect(verdictOf(utf8(JSON.stringify(value))).ok).toBe(false)
      }),
      { seed: 10, numRuns: 300 },
    )
  })

  it('with any part of a report replaced are refused with a code', () => {
    const hostile = fc.oneof(
      fc.jsonValue({ maxDepth: 1 }),
      fc.constantFrom<unknown>(
        'constructor',
        'toString',
        '0x',
        -0,
        2 ** 53,
        1e308,
        [],
        {},
        [[]],
        null,
        '9'.repeat(5000),
      ),
    )
    fc.assert(
      fc.property(fc.array(fc.nat(30), { minLength: 1, maxLength: 6 }), hostile, (steps, value) => {
        const report = parsed()
        let at: Loose = report
        let [key] = Object.keys(report)
        for (const step of steps) {
          const keys = Object.keys(at)
          key = keys[step % keys.length]!
          if (typeof at[key] !== 'object' || at[key] === null || Object.keys(at[key]).length === 0) break
          if (step !== steps.at(-1)) at = at[key]
        }
        if (Object.hasOwn(at, key!)) at[key!] = value
        let text: string
        try {
          text = canonicalJson(report)
        } catch {
          return // the hostile value has no JSON at all
        }
        expect(told(utf8(text))).toMatch(text === fullText ? /^ok$/ : /^[A-Z_]+ /)
      }),
      { seed: 11, numRuns: 1500 },
    )
  })

  it('beyond the size that the reader allows are not read', () => {
    expect(told(full, { bytesMax: full.length - 1 })).toBe('DOCUMENT_TOO_LARGE ')
    expect(told(full, { bytesMax: full.length })).toBe('ok')
    expect(told(new Uint8Array(2 ** 20 + 1))).toBe('DOCUMENT_TOO_LARGE ')
  })
})

describe('a trust that is no committee', () => {
  it('is the caller’s error', () => {
    const addresses = [trust.addresses[0]!, trust.addresses[0]!, trust.addresses[1]!, trust.addresses[2]!]
    expect(() => verifyReport(engine, full, { ...trust, addresses }, { nowMs: 'any' })).toThrow('not distinct')
    expect(() => verifyReport(engine, full, { ...trust, f: 2 }, { nowMs: 'any' })).toThrow('thresholds')
  })
})
