// toCalldata against a reader of its own, written from the text of IReportVerifier.verify; Solidity reads the vectors.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { refusalOf } from '../../src/base/errors.js'
import { engineNoble } from '../../src/client/engine-noble.js'
import { equalBytes, fromHex, getU32, getU48, toHex } from '../../src/core/bytes.js'
import { type Committee, keysOf, parseCommittee } from '../../src/core/committee.js'
import { packReadings, type Reading } from '../../src/core/layout.js'
import { hashLeaf } from '../../src/core/leaf.js'
import { hashPair } from '../../src/core/merkle.js'
import { reportKernel } from '../../src/core/report.js'
import { type CalldataOptions, toCalldata } from '../../src/core/report-calldata.js'
import { buildReport } from '../../src/core/report-json.js'
import { statusCodes } from '../../src/core/status.js'
import { domainOf, reportDigest, sealedDigest } from '../../src/core/typed-data.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { committeeDocument, memberKey } from '../committee-document.js'
import { attestedAtMs, readings, reportFixture } from '../signed-report.js'

const engine = await createWasmEngine()
const fixture = reportFixture(engine, engine)
const { committee, kernel, trust } = fixture
const report = fixture.make({ sealers: [0, 2] })
const ids = committee.bundles.map((bundle) => bundle.id)

interface Read {
  readonly kind: number
  readonly members: readonly number[]
  readonly preimages: readonly Uint8Array[]
  readonly siblings: number
  readonly signatures: readonly Uint8Array[]
  readonly root: Uint8Array
}

/** Reads full calldata as the interface's text says; throws where the text is not kept. */
function read(bytes: Uint8Array): Read {
  let at = 24
  let siblings = 0
  const take = (length: number): Uint8Array => {
    const part = bytes.slice(at, at + length)
    if (part.length !== length) throw new Error('cut off')
    at += length
    return part
  }
  const byte = (): number => take(1)[0]!
  const climb = (from: Uint8Array): Uint8Array => {
    let node = from
    for (let left = byte(); left > 0; left--) {
      siblings++
      node = hashPair(engine, node, take(32))
    }
    return node
  }
  const waiting: Uint8Array[] = []
  const preimages: Uint8Array[] = []
  for (let left = bytes[23]!; left > 0; left--) {
    const feeds = byte()
    preimages.push(take(32 + 96 * feeds))
    let node = climb(hashLeaf(engine, preimages.at(-1)!))
    for (let merges = byte(); merges > 0; merges--) node = climb(hashPair(engine, waiting.pop()!, node))
    waiting.push(node)
  }
  expect(waiting).toHaveLength(1)
  const members = Array.from({ length: 32 }, (_, i) => i).filter((i) => (getU32(bytes, 19) >>> i) & 1)
  const signatures = members.map(() => take(64))
  expect(at).toBe(bytes.length)
  return { kind: bytes[0]!, members, preimages, siblings, signatures, root: waiting[0]! }
}

describe('toCalldata', () => {
  it('says slot, T and generation, and carries the lowest f+1 seals over the root it leads to', () => {
    const bytes = toCalldata(engine, fixture.make({ sealers: [1, 2, 3], bundles: [0] }), trust)
    expect([getU32(bytes, 1), getU32(bytes, 5), getU32(bytes, 9), getU48(bytes, 13)]).toEqual([
      7,
      12,
      345,
      attestedAtMs,
    ])
    const { kind, members, preimages, signatures, root } = read(bytes)
    expect([kind, members]).toEqual([1, [1, 2]])
    expect(preimages).toEqual([kernel.leafPreimage(packReadings(kernel.layout, readings()), 0)])
    const domain = domainOf(engine, committee.salt)
    const digest = sealedDigest(
      engine,
      domain,
      reportDigest(engine, domain, { epoch: 12, round: 345, attestedAtMs, root }),
    )
    const signers = signatures.map((signature) => engine.recover(digest, signature)!)
    expect(signers.map(toHex)).toEqual([1, 2].map((i) => toHex(trust.addresses[i]!)))
  })

  it('takes q attestations where it is told to, or where seals are too few', () => {
    for (const [sealers, options] of [
      [[0, 1], { signatures: 'attestations' }],
      [[2], {}],
      [undefined, {}],
    ] as const) {
      const made = fixture.make({ attesters: [0, 1, 2, 3], ...(sealers ? { sealers } : {}) })
      const { kind, members } = read(toCalldata(engine, made, trust, options))
      expect([kind, members]).toEqual([2, [0, 1, 2]])
    }
  })

  it('holds words, hashes and absent values as they were signed, whatever their status', () => {
    const absent: Reading = { status: statusCodes.NO_DATA, groups: 0, spreadPpm: 0, timeMs: 0, values: null }
    const mixed = readings().map((reading, i) => {
      if (i === 0 || i === 4) return absent
      return i === 2
        ? { ...reading, status: statusCodes.HALT, spreadPpm: 0xffff_ffff, values: [-(2n ** 63n)] }
        : reading
    })
    const bytes = toCalldata(engine, fixture.make({ readings: mixed, sealers: [0, 1] }), trust)
    const values = packReadings(kernel.layout, mixed)
    const wanted = committee.bundles.map((bundle) => toHex(kernel.leafPreimage(values, bundle.index)))
    expect(read(bytes).preimages.map(toHex).sort()).toEqual(wanted.sort())
  })

  it('takes the bundles asked for, in any order, and sends no node that follows from others', () => {
    const siblings = (...bundles: number[]): number =>
      read(toCalldata(engine, report, trust, { bundles: bundles.map((bundle) => ids[bundle]!) })).siblings
    // One hot leaf beside three cold ones, of which the first is shallow.
    expect([siblings(0), siblings(1), siblings(2), siblings(3)]).toEqual([1, 2, 3, 3])
    expect([siblings(2, 3), siblings(3, 1), siblings(0, 3), siblings(3, 2, 1)]).toEqual([2, 2, 2, 1])
    expect(siblings(3, 2, 1, 0)).toBe(0)
  })

  it('leaves ids out, and appends length and marker, where it is told to', () => {
    const options: CalldataOptions = { bundles: [ids[0]!] }
    const full = toCalldata(engine, report, trust, options)
    const short = toCalldata(engine, report, trust, { ...options, short: true })
    // Of each feed the lowest 104 bits of the word and the lowest 152 of meta.
    const packed = [57, 153].flatMap((at) => [...full.subarray(at + 51, at + 64), ...full.subarray(at + 77, at + 96)])
    const wanted = [full[0]! | 0x80, ...full.subarray(1, 25), ...packed, ...full.subarray(249)]
    expect(toHex(short)).toBe(toHex(Uint8Array.from(wanted)))
    const trailed = toCalldata(engine, report, trust, { ...options, trailer: true })
    expect(toHex(trailed)).toBe(`${toHex(full)}${full.length.toString(16).padStart(4, '0')}a55a`)
  })

  it('comes in full where a word is no number of 104 bits', () => {
    const largest = 2n ** 103n - 1n
    const isShort = (value: bigint): boolean => {
      const bent = readings().map((reading, i) => (i === 1 ? { ...reading, values: [value] } : reading))
      const bytes = fixture.make({ readings: bent, sealers: [0, 1], bundles: [0] })
      return (toCalldata(engine, bytes, trust, { short: true })[0]! & 0x80) !== 0
    }
    expect([largest, -largest - 1n, largest + 1n, -largest - 2n].map(isShort)).toEqual([true, true, false, false])
    const options: CalldataOptions = { bundles: [ids[2]!] }
    expect(toCalldata(engine, report, trust, { ...options, short: true })).toEqual(
      toCalldata(engine, report, trust, options),
    )
  })

  it('is the same with the browser’s engine', () => {
    expect(toHex(toCalldata(engineNoble, report, trust))).toBe(toHex(toCalldata(engine, report, trust)))
  })

  it('refuses what the committee did not attest, and seals that are not there, with their code', () => {
    const codeOf = (bytes: Uint8Array, keys = trust, options: CalldataOptions = {}): string | undefined =>
      refusalOf(() => toCalldata(engine, bytes, keys, options))?.code
    const one = new TextDecoder().decode(fixture.make({ bundles: [0] }))
    const forged = new TextEncoder().encode(one.replace('64123.45678901', '64123.45678902'))
    expect(codeOf(forged)).toBe('REPORT_SIGNATURE')
    expect(codeOf(report, { ...trust, generation: 8 })).toBe('REPORT_FOREIGN')
    expect(codeOf(fixture.make({ attesters: [0, 1] }))).toBe('REPORT_QUORUM')
    expect(codeOf(fixture.make(), trust, { signatures: 'seals' })).toBe('REPORT_QUORUM')
    expect(codeOf(fixture.make({ attesters: [], sealers: [0, 1] }), trust, { signatures: 'attestations' })).toBe(
      'REPORT_QUORUM',
    )
  })

  it('asserts its options', () => {
    const make = (options: CalldataOptions) => () => toCalldata(engine, report, trust, options)
    expect(make({ bundles: [] })).toThrow('different bundles')
    expect(make({ bundles: [ids[0]!, ids[0]!] })).toThrow('different bundles')
    expect(make({ bundles: [`0x${'00'.repeat(32)}`] })).toThrow('no bundle')
    expect(make({ short: true })).toThrow('one bundle')
  })
})

/** A committee of `size` bundles of `each` feeds, seven of them hot. */
function largeCommittee(size: number, each: number): Committee {
  const document = committeeDocument(engine)
  const pattern = document.feeds[0]!
  document.feeds = Array.from({ length: size * each }, (_, i) => ({ ...pattern, name: `feed-${i}` }))
  document.bundles = Array.from({ length: size }, (_, i) => ({
    name: `bundle-${i}`,
    feeds: document.feeds.slice(i * each, (i + 1) * each).map((feed) => feed.name),
    ...(i < 7 ? { hot: true } : {}),
  }))
  return parseCommittee(engine, document)
}

/** One report of `committee` by three attestations. */
function signed(of: Committee) {
  const largeKernel = reportKernel(engine, of)
  const values = packReadings(
    largeKernel.layout,
    of.feeds.map((_, i) => ({ ...readings()[0]!, values: [BigInt(i)] })),
  )
  const root = largeKernel.root(values)
  const header = { epoch: 1, round: 1, attestedAtMs, root }
  const digest = reportDigest(engine, domainOf(engine, of.salt), header)
  const signers = [0, 1, 2]
  const signatures = signers.map((i) => engine.sign(digest, memberKey(engine, i)))
  const bytesOf = (bundles: readonly number[]): Uint8Array =>
    buildReport(engine, of, largeKernel, { ...header, signers, signatures, values }, bundles)
  return { bytesOf, largeKernel, values, root, keys: keysOf(of) }
}

describe('toCalldata on large trees', () => {
  const size = 61
  const large = largeCommittee(size, 1)
  const { bytesOf, largeKernel, values, root, keys } = signed(large)

  /** Nodes of the tree that no chosen leaf lies below and whose sibling one does: the fewest that must be sent. */
  function fewest(chosen: readonly number[], proofs: readonly (readonly string[])[]): number {
    const sent = new Set<string>()
    const known = new Set<string>()
    chosen.forEach((bundle, i) => {
      let node = hashLeaf(engine, largeKernel.leafPreimage(values, bundle))
      for (const sibling of proofs[i]!) {
        known.add(toHex(node))
        sent.add(sibling)
        node = hashPair(engine, node, fromHex(sibling, 32)!)
      }
    })
    return [...sent].filter((node) => !known.has(node)).length
  }

  it('leads any choice of leaves, in any order, to the signed root by the fewest nodes', () => {
    const choice = fc.uniqueArray(fc.nat(size - 1), { minLength: 1, maxLength: size })
    fc.assert(
      fc.property(choice, (chosen) => {
        const bytes = bytesOf(chosen)
        const { root: reached, preimages, siblings } = read(toCalldata(engine, bytes, keys))
        expect(equalBytes(reached, root)).toBe(true)
        const wanted = chosen.map((bundle) => toHex(largeKernel.leafPreimage(values, bundle)))
        expect(preimages.map(toHex).sort()).toEqual(wanted.sort())
        const { leaves } = JSON.parse(new TextDecoder().decode(bytes)) as { leaves: { proof: string[] }[] }
        const proofs = leaves.map((leaf) => leaf.proof)
        expect(siblings).toBe(fewest(chosen, proofs))
      }),
      { seed: 4, numRuns: 150 },
    )
  })

  it('appends no report that its length cannot say', () => {
    const wide = signed(largeCommittee(45, 16))
    const all = (count: number): Uint8Array => wide.bytesOf(Array.from({ length: count }, (_, i) => i))
    const fits = toCalldata(engine, all(41), wide.keys, { trailer: true })
    expect(fits.length - 4).toBe(getU32(fits, fits.length - 4) >>> 16)
    expect(() => toCalldata(engine, all(45), wide.keys, { trailer: true })).toThrow('too many to append')
    expect(toCalldata(engine, all(45), wide.keys).length).toBeGreaterThan(0xffff)
  })
})
