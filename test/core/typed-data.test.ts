import { keccak256, recoverAddress, Signature, TypedDataEncoder, verifyTypedData } from 'ethers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../src/core/bytes.js'
import {
  disownedDigest,
  domainFields,
  domainNames,
  domainOf,
  observationDigest,
  proposalDigest,
  reportDigest,
  sealedDigest,
  typedFields,
  typeString,
} from '../../src/core/typed-data.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { memberKey } from '../committee-document.js'
import { recording, vector } from '../recordings.js'

const engine = await createWasmEngine()
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff })
const ms = fc.integer({ min: 0, max: 2 ** 48 - 1 })

type Name = keyof typeof typedFields

/** Our digest must be ethers' hash of the same message, and our signature must satisfy ethers' verifyTypedData. */
function agree(name: Name, salt: Uint8Array, message: Record<string, unknown>, digest: Uint8Array): void {
  const domain = { ...domainNames, salt: toHex(salt) }
  const types = { [name]: [...typedFields[name]] }
  expect(toHex(digest)).toBe(TypedDataEncoder.hash(domain, types, message))
  const compact = toHex(engine.sign(digest, memberKey(engine, 2)))
  const signer = verifyTypedData(domain, types, message, Signature.from(compact)).toLowerCase()
  expect(signer).toBe(toHex(engine.addressOf(memberKey(engine, 2))))
}

describe('the five types', () => {
  it('agree with ethers on random messages, in any order of use of one domain', () => {
    fc.assert(
      fc.property(bytes32, uint32, uint32, ms, bytes32, bytes32, (salt, epoch, round, time, a, b) => {
        const domain = domainOf(engine, salt)
        const slot = { epoch, round }
        const report = reportDigest(engine, domain, { ...slot, attestedAtMs: time, root: a })
        agree('Report', salt, { ...slot, attestedAtMs: time, root: a }, report)
        agree('Sealed', salt, { reportDigest: report }, sealedDigest(engine, domain, report))
        const observation = { ...slot, clockMs: time, readingsHash: a, evidence: b }
        const observed = observationDigest(engine, domain, observation)
        agree('Observation', salt, { ...slot, clockMs: time, readings: a, evidence: b }, observed)
        const proposal = proposalDigest(engine, domain, { ...slot, observationsHash: b })
        agree('Proposal', salt, { ...slot, observations: b }, proposal)
        agree(
          'Disowned',
          salt,
          { ...slot, signedDigest: a },
          disownedDigest(engine, domain, { ...slot, signedDigest: a }),
        )
        expect(reportDigest(engine, domain, { ...slot, attestedAtMs: time, root: a })).toEqual(report)
      }),
      { seed: 5, numRuns: 50 },
    )
  })

  it('have the domain separator and type strings that ethers derives', () => {
    const salt = new Uint8Array(32).fill(3)
    const domain = { ...domainNames, salt: toHex(salt) }
    expect(toHex(domainOf(engine, salt).separator)).toBe(TypedDataEncoder.hashDomain(domain))
    expect(typeString('EIP712Domain', domainFields)).toBe('EIP712Domain(string name,string version,bytes32 salt)')
    for (const [name, fields] of Object.entries(typedFields))
      expect(typeString(name, fields)).toBe(TypedDataEncoder.from({ [name]: [...fields] }).encodeType(name))
  })

  it('never serve another type, salt or field (I-3)', () => {
    const digests = new Set<string>()
    const root = new Uint8Array(32).fill(1)
    for (const salt of [new Uint8Array(32), new Uint8Array(32).fill(1)]) {
      const domain = domainOf(engine, salt)
      for (const slot of [
        { epoch: 1, round: 2 },
        { epoch: 2, round: 1 },
        { epoch: 1, round: 1 },
      ]) {
        const report = reportDigest(engine, domain, { ...slot, attestedAtMs: 5, root })
        digests.add(toHex(report))
        digests.add(toHex(sealedDigest(engine, domain, report)))
        digests.add(
          toHex(observationDigest(engine, domain, { ...slot, clockMs: 5, readingsHash: root, evidence: root })),
        )
        digests.add(toHex(proposalDigest(engine, domain, { ...slot, observationsHash: root })))
        digests.add(toHex(disownedDigest(engine, domain, { ...slot, signedDigest: root })))
      }
    }
    expect(digests.size).toBe(30)
  })

  it('assert the lengths they sign over', () => {
    const domain = domainOf(engine, new Uint8Array(32))
    expect(() => sealedDigest(engine, domain, new Uint8Array(31))).toThrow('32 bytes')
    expect(() => domainOf(engine, new Uint8Array(20))).toThrow('32 bytes')
  })
})

describe('the referee', () => {
  // Our encoder knows five types only, so the usual vectors cannot reach it: they vouch for ethers, which vouches for us.
  it('ethers hashes every recorded vector, or our kept ones, as they say', () => {
    const recorded = recording('vectors/eip712/typed-data.json') as
      | {
          domain: object
          types: Record<string, { name: string; type: string }[]>
          data: object
          digest: string
          encoded: string
        }[]
      | null
    for (const { domain, types, data, digest, encoded } of recorded ?? []) {
      expect(TypedDataEncoder.hash(domain, types, data)).toBe(digest)
      expect(keccak256(TypedDataEncoder.encode(domain, types, data))).toBe(digest)
      expect(encoded.startsWith('0x')).toBe(true)
    }
    const { cases } = vector('typed-data.json') as {
      cases: { type: Name; salt: string; message: object; digest: string; signer: string; signature: string }[]
    }
    for (const { type, salt, message, digest, signer, signature } of cases) {
      const hash = TypedDataEncoder.hash({ ...domainNames, salt }, { [type]: [...typedFields[type]] }, message)
      expect(hash).toBe(digest)
      expect(recoverAddress(digest, Signature.from(signature)).toLowerCase()).toBe(signer)
    }
    expect(cases.map(({ type }) => type)).toEqual(['Report', 'Report', 'Sealed', 'Observation', 'Proposal', 'Disowned'])
    if (recorded !== null) expect(recorded.length).toBe(65)
  })
})
