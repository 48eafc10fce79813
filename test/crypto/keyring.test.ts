// Each rule by which the keyring refuses to sign (P9), and that nobody gets at its key.

import { inspect } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { refusalOf } from '../../src/base/errors.js'
import { equalBytes, toHex } from '../../src/core/bytes.js'
import type { Durable } from '../../src/core/durable.js'
import type { Draft, Observation, Slot } from '../../src/core/messages.js'
import {
  domainOf,
  hashObservations,
  observationDigest,
  proposalDigest,
  reportDigest,
  sealedDigest,
} from '../../src/core/typed-data.js'
import { createWasmEngine, type SigningEngine } from '../../src/crypto/engine-wasm.js'
import { createKeyring, type Keyring } from '../../src/crypto/keyring.js'

const salt = new Uint8Array(32).fill(1)
const committeeDigest = new Uint8Array(32).fill(2)
const key = new Uint8Array(32).fill(0xa7)
const opening: Durable = { wish: 3, floor: { epoch: 3, round: 10 }, floorMs: 5000 }
const ample: Durable = { wish: 9, floor: { epoch: 9, round: 100 }, floorMs: 99_000 }

let engine: SigningEngine
beforeAll(async () => {
  engine = await createWasmEngine()
})

function keyring(durable: Durable | null = ample, start: Durable | null = opening, slotsMax?: number): Keyring {
  return createKeyring({
    engine,
    privateKey: Uint8Array.from(key),
    salt,
    committeeDigest,
    opening: start,
    durable: () => durable,
    ...(slotsMax === undefined ? {} : { slotsMax }),
  })
}

const bytes = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)
const slot = (epoch: number, round: number): Slot => ({ epoch, round })
const observation = (at: Slot, clockMs = 6000, fill = 1): Draft => ({
  kind: 'observation',
  ...at,
  clockMs,
  evidence: bytes(fill),
  readings: bytes(fill),
})
const proposal = (at: Slot, fill = 1): Draft => ({
  kind: 'proposal',
  ...at,
  observations: [{ digest: bytes(fill), signature: new Uint8Array(64).fill(fill) } as unknown as Observation],
})
const attestation = (at: Slot, attestedAtMs = 6000, fill = 1): Draft => ({
  kind: 'attestation',
  ...at,
  attestedAtMs,
  root: bytes(fill),
})
const seal = (at: Slot, fill = 1): Draft => ({ kind: 'seal', ...at, reportDigest: bytes(fill) })
const codeOf = (ring: Keyring, draft: Draft): string | undefined => refusalOf(() => ring.sign(draft))?.code

describe('what is signed', () => {
  it('is the EIP-712 digest of the draft, under S for what leaves the committee and D for the rest (I-3)', () => {
    const ring = keyring()
    const at = slot(4, 1)
    const inner = domainOf(engine, committeeDigest)
    const outer = domainOf(engine, salt)
    const observed = { ...at, clockMs: 6000, evidence: bytes(1), readingsHash: engine.keccak256(bytes(1)) }
    const observations = [{ digest: bytes(1), signature: new Uint8Array(64).fill(1) }]
    const observationsHash = hashObservations(engine, observations)
    const expected: [Draft, Uint8Array][] = [
      [observation(at), observationDigest(engine, inner, observed)],
      [proposal(at), proposalDigest(engine, inner, { ...at, observationsHash })],
      [attestation(at), reportDigest(engine, outer, { ...at, attestedAtMs: 6000, root: bytes(1) })],
      [seal(at), sealedDigest(engine, outer, bytes(1))],
    ]
    for (const [draft, digest] of expected) {
      const signed = ring.sign(draft)
      expect(toHex(signed.digest)).toBe(toHex(digest))
      expect(equalBytes(engine.recover(signed.digest, signed.signature)!, ring.address)).toBe(true)
    }
  })
})

describe('the rules of P9', () => {
  it('refuses every slot at or below the record found at start', () => {
    for (const draft of [observation, proposal, attestation]) {
      expect(codeOf(keyring(), draft(slot(3, 10)))).toBe('KEYRING_BELOW_OPENING')
      expect(codeOf(keyring(), draft(slot(2, 999)))).toBe('KEYRING_BELOW_OPENING')
      expect(codeOf(keyring(), draft(slot(3, 11)))).toBeUndefined()
    }
  })

  it('refuses a report time at or below the record found at start (I-4)', () => {
    expect(codeOf(keyring(), attestation(slot(4, 1), 5000))).toBe('KEYRING_BELOW_OPENING')
    expect(codeOf(keyring(), attestation(slot(4, 1), 5001))).toBeUndefined()
  })

  it('refuses a slot or time above the acknowledged record', () => {
    const durable = { wish: 4, floor: slot(4, 5), floorMs: 7000 }
    for (const draft of [observation, proposal, attestation]) {
      expect(codeOf(keyring(durable), draft(slot(4, 6)))).toBe('KEYRING_ABOVE_FLOOR')
      expect(codeOf(keyring(durable), draft(slot(4, 5)))).toBeUndefined()
    }
    // A clock is no promise: only attested times are covered, so a glitch of the clock binds nobody.
    expect(codeOf(keyring(durable), observation(slot(4, 1), 7001))).toBeUndefined()
    expect(codeOf(keyring(durable), attestation(slot(4, 1), 7001))).toBe('KEYRING_ABOVE_FLOOR')
    expect(codeOf(keyring(durable), attestation(slot(4, 1), 7000))).toBeUndefined()
  })

  it('signs each kind once a slot, whatever the contents, and never an earlier slot (I-1)', () => {
    const ring = keyring()
    for (const draft of [observation, proposal, attestation]) ring.sign(draft(slot(4, 2)))
    expect(codeOf(ring, observation(slot(4, 2), 6001, 2))).toBe('KEYRING_SLOT_SIGNED')
    expect(codeOf(ring, proposal(slot(4, 2), 2))).toBe('KEYRING_SLOT_SIGNED')
    expect(codeOf(ring, attestation(slot(4, 2), 6001, 2))).toBe('KEYRING_SLOT_SIGNED')
    expect(codeOf(ring, attestation(slot(4, 1), 6001))).toBe('KEYRING_SLOT_SIGNED')
    expect(codeOf(ring, attestation(slot(4, 2)))).toBe('KEYRING_SLOT_SIGNED')
  })

  it('lets the time of attestations rise only (I-4); a refused one does not count', () => {
    const ring = keyring()
    ring.sign(attestation(slot(4, 2), 6000))
    expect(codeOf(ring, attestation(slot(4, 3), 6000))).toBe('KEYRING_TIME_NOT_RISING')
    expect(codeOf(ring, attestation(slot(4, 3), 5999))).toBe('KEYRING_TIME_NOT_RISING')
    expect(codeOf(ring, attestation(slot(4, 3), 6001))).toBeUndefined()
  })

  it('refuses a second seal on a slot with another digest; the same one again has the same bytes', () => {
    const ring = keyring()
    const first = ring.sign(seal(slot(4, 1)))
    expect(toHex(ring.sign(seal(slot(4, 1))).signature)).toBe(toHex(first.signature))
    expect(codeOf(ring, seal(slot(4, 1), 2))).toBe('KEYRING_SLOT_SIGNED')
    for (let round = 2; round < 1200; round++) ring.sign(seal(slot(4, round)))
    expect(codeOf(ring, seal(slot(4, 1), 2))).toBe('KEYRING_SLOT_SIGNED')
  })

  it('signs nothing without a sound record, and after adopting one only above it', () => {
    expect(codeOf(keyring(null), attestation(slot(4, 1)))).toBe('KEYRING_CLOSED')
    expect(codeOf(keyring(null), seal(slot(4, 1)))).toBe('KEYRING_CLOSED')
    const ring = keyring(ample, null)
    expect(codeOf(ring, observation(slot(4, 1)))).toBe('KEYRING_CLOSED')
    expect(ring.authorship('attestation', slot(4, 1), bytes(1))).toBe('unknown')
    ring.adopt({ wish: 5, floor: slot(5, 0xffff_ffff), floorMs: 8000 })
    expect(codeOf(ring, observation(slot(5, 7)))).toBe('KEYRING_BELOW_OPENING')
    expect(codeOf(ring, attestation(slot(6, 1), 8000))).toBe('KEYRING_BELOW_OPENING')
    expect(codeOf(ring, attestation(slot(6, 1), 8001))).toBeUndefined()
    expect(() => ring.adopt(opening)).toThrow('adopts')
  })

  it('signs nothing once stopped, and its key is gone', () => {
    const keys: Uint8Array[] = []
    const watching: SigningEngine = {
      ...engine,
      sign: (digest, privateKey) => {
        keys.push(privateKey)
        return engine.sign(digest, privateKey)
      },
    }
    const privateKey = Uint8Array.from(key)
    const ring = createKeyring({ engine: watching, privateKey, salt, committeeDigest, opening, durable: () => ample })
    ring.sign(seal(slot(4, 1)))
    expect(keys[0]).toEqual(key)
    ring.stop('KEY_IN_USE_ELSEWHERE')
    ring.stop('later')
    expect(keys).toHaveLength(1)
    expect(keys[0]!.every((byte) => byte === 0)).toBe(true)
    for (const draft of [observation, proposal, attestation, seal]) {
      const refusal = refusalOf(() => ring.sign(draft(slot(4, 1))))
      expect(refusal?.code).toBe('KEYRING_STOPPED')
      expect(refusal?.facts['reason']).toBe('KEY_IN_USE_ELSEWHERE')
    }
  })
})

describe('authorship', () => {
  it('knows its own signatures, denies others, and says unknown where an earlier process may have signed', () => {
    const ring = keyring()
    const made = ring.sign(attestation(slot(4, 2)))
    expect(ring.authorship('attestation', slot(4, 2), made.digest)).toBe('mine')
    expect(ring.authorship('attestation', slot(4, 2), bytes(3))).toBe('not-mine')
    expect(ring.authorship('proposal', slot(4, 2), made.digest)).toBe('not-mine')
    expect(ring.authorship('attestation', slot(4, 1), made.digest)).toBe('not-mine')
    expect(ring.authorship('attestation', slot(4, 3), made.digest)).toBe('not-mine')
    expect(ring.authorship('attestation', slot(3, 10), made.digest)).toBe('unknown')
    expect(ring.authorship('attestation', slot(3, 11), made.digest)).toBe('not-mine')
  })

  it('forgets the oldest slots, and then says unknown', () => {
    const ring = keyring(ample, opening, 8)
    const digests = Array.from({ length: 20 }, (_, i) => ring.sign(observation(slot(4, 2 * i + 1))).digest)
    for (let i = 0; i < 20; i++) {
      const known = i < 12 ? 'unknown' : 'mine'
      expect(ring.authorship('observation', slot(4, 2 * i + 1), digests[i]!)).toBe(known)
      expect(ring.authorship('observation', slot(4, 2 * i + 2), digests[i]!)).toBe(i < 11 ? 'unknown' : 'not-mine')
    }
  })
})

describe('the private key', () => {
  it('is taken over, and shows nowhere', () => {
    const given = Uint8Array.from(key)
    const ring = createKeyring({ engine, privateKey: given, salt, committeeDigest, opening, durable: () => ample })
    expect(given.every((byte) => byte === 0)).toBe(true)
    const refusal = refusalOf(() => ring.sign(attestation(slot(1, 1))))!
    const shown = [ring, refusal, ring.sign(attestation(slot(4, 1)))].flatMap((thing) => [
      inspect(thing, { depth: 20, showHidden: true, getters: true }),
      JSON.stringify(thing),
    ])
    for (const text of shown) {
      expect(text.toLowerCase()).not.toContain('a7a7')
      expect(text).not.toMatch(/167,\s*167/)
    }
    expect(() => structuredClone(ring)).toThrow()
  })
})
