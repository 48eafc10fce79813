// One suite for both engines: whatever one promises, the other keeps to the bit (I-5).

import { secp256k1 } from '@noble/curves/secp256k1.js'
import { computeAddress, keccak256 as ethersKeccak, Signature, SigningKey } from 'ethers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { engineNoble } from '../../src/client/engine-noble.js'
import { fromHex, getUint, putInt, toHex, utf8 } from '../../src/core/bytes.js'
import type { Engine } from '../../src/core/engine.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { memberKey } from '../committee-document.js'
import { recording, vector } from '../recordings.js'

const wasm = await createWasmEngine()
const engines: readonly (readonly [string, Engine])[] = [
  ['wasm', wasm],
  ['noble', engineNoble],
]
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

function signatureOf(r: bigint, s: bigint, yParity = 0): Uint8Array {
  const bytes = new Uint8Array(64)
  putInt(bytes, 0, 32, r)
  putInt(bytes, 32, 32, s)
  bytes[32] = bytes[32]! | (yParity << 7)
  return bytes
}

describe.each(engines)('engine %s', (_, engine) => {
  it('hashes as the recorded vectors, or the kept ones, say', () => {
    const recorded = recording('vectors/hashes/hashes.json') as { data: string; keccak256: string }[] | null
    const kept = vector('signatures.json') as { digests: { text: string; digest: string }[] }
    for (const { data, keccak256 } of recorded ?? []) expect(toHex(engine.keccak256(fromHex(data)!))).toBe(keccak256)
    for (const { text, digest } of kept.digests) expect(toHex(engine.keccak256(utf8(text)))).toBe(digest)
    if (recorded !== null) expect(recorded.length).toBe(129)
    expect(kept.digests.length).toBeGreaterThan(4)
  })

  it('hashes every length around its block size, and chunks beyond the module’s memory, as ethers does', () => {
    const bytes = Uint8Array.from({ length: 40_000 }, (_, i) => i * 31)
    for (const length of [...Array(300).keys(), 16_383, 16_384, 16_385, 40_000])
      expect(toHex(engine.keccak256(bytes.subarray(0, length)))).toBe(ethersKeccak(bytes.subarray(0, length)))
  })

  it('answers with fresh bytes and changes no argument', () => {
    const bytes = utf8('abc')
    const first = engine.keccak256(bytes)
    const copy = Uint8Array.from(first)
    engine.keccak256(utf8('abcd'))
    expect(first).toEqual(copy)
    expect(bytes).toEqual(utf8('abc'))
    const digest = engine.keccak256(bytes)
    const signature = wasm.sign(digest, memberKey(wasm, 0))
    const before = Uint8Array.from(signature)
    engine.recover(digest, signature)
    expect(signature).toEqual(before)
  })

  it('recovers the signer of what ethers and the wasm engine sign', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.bigInt({ min: 1n, max: ORDER - 1n }),
        (digest, secret) => {
          const key = new Uint8Array(32)
          putInt(key, 0, 32, secret)
          const signer = new SigningKey(toHex(key))
          const compact = signer.sign(digest).compactSerialized
          const signature = wasm.sign(digest, key)
          expect(toHex(signature)).toBe(compact)
          const address = engine.recover(digest, signature)!
          expect(toHex(address)).toBe(computeAddress(signer.publicKey).toLowerCase())
        },
      ),
      { seed: 1, numRuns: 60 },
    )
  })

  it('recovers each of the recorded accounts, and key 1 whose address everybody knows', () => {
    const recorded = recording('vectors/accounts/accounts.json') as { privateKey: string; address: string }[] | null
    const one = {
      privateKey: `0x${'1'.padStart(64, '0')}`,
      address: '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf',
    }
    const digest = engine.keccak256(utf8('accounts'))
    for (const { privateKey, address } of [one, ...(recorded ?? [])]) {
      const key = fromHex(privateKey, 32)!
      expect(toHex(wasm.addressOf(key))).toBe(address.toLowerCase())
      expect(toHex(engine.recover(digest, wasm.sign(digest, key))!)).toBe(address.toLowerCase())
    }
    if (recorded !== null) expect(recorded.length).toBe(130)
  })

  it('refuses every malformed, high-s or unrecoverable signature without throwing', () => {
    const digest = engine.keccak256(utf8('bounds'))
    const good = wasm.sign(digest, memberKey(wasm, 0))
    const yParity = good[32]! >>> 7
    const r = getUint(good, 0, 32)
    const s = getUint(good, 32, 32) & (2n ** 255n - 1n)
    expect(engine.recover(digest, signatureOf(r, s, yParity))).toEqual(wasm.addressOf(memberKey(wasm, 0)))
    const refused = [
      new Uint8Array(0),
      good.subarray(0, 63),
      Uint8Array.from([...good, 0]),
      Uint8Array.from([...good.subarray(0, 32), ...good.subarray(32), 27]),
      signatureOf(0n, s),
      signatureOf(r, 0n),
      signatureOf(r, 0n, 1),
      signatureOf(ORDER, s),
      signatureOf(ORDER + 1n, s),
      signatureOf(2n ** 256n - 1n, s),
      signatureOf(r, ORDER / 2n + 1n),
      signatureOf(r, 2n ** 255n - 1n),
      signatureOf(5n, s), // 5 is no x-coordinate of the curve
    ]
    for (const signature of refused) expect(engine.recover(digest, signature)).toBeNull()
    // The bound itself belongs to the accepted half.
    expect(engine.recover(digest, signatureOf(r, ORDER / 2n))).not.toBeNull()
  })

  it('refuses a signature whose public key would be the point at infinity', () => {
    // Q = r⁻¹(sR − zG) vanishes for R = kG and s = z/k; k = 1 gives r = G.x and s = z.
    const r = 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n
    const digest = new Uint8Array(32)
    digest[31] = 9
    expect(engine.recover(digest, signatureOf(r, 9n, 0))).toBeNull()
    expect(engine.recover(digest, signatureOf(r, 9n, 1))).not.toBeNull()
  })

  it('agrees with the other engine on random bytes, also for digests at and above the group’s order', () => {
    const digests = [new Uint8Array(32), new Uint8Array(32).fill(255), signatureOf(ORDER, 0n).slice(0, 32)]
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
    fc.assert(
      fc.property(fc.oneof(bytes(32), fc.constantFrom(...digests)), bytes(64), (digest, signature) => {
        signature[32] = signature[32]! & 0xbf
        expect(engine.recover(digest, signature)).toEqual(wasm.recover(digest, signature))
      }),
      { seed: 2, numRuns: 200 },
    )
  })

  it('treats a digest of another length as a programmer’s error', () => {
    expect(() => engine.recover(new Uint8Array(31), new Uint8Array(64))).toThrow('32 bytes')
  })
})

describe('signing', () => {
  it('is RFC 6979, low-s and EIP-2098, as @noble and ethers make it', () => {
    const key = memberKey(wasm, 1)
    for (let i = 0; i < 40; i++) {
      const digest = wasm.keccak256(Uint8Array.of(i))
      const signature = wasm.sign(digest, key)
      const noble = secp256k1.Signature.fromBytes(
        secp256k1.sign(digest, key, { prehash: false, format: 'recovered' }),
        'recovered',
      )
      expect(signature).toEqual(signatureOf(noble.r, noble.s, noble.recovery))
      expect(Signature.from(toHex(signature)).s).toBe(`0x${noble.s.toString(16).padStart(64, '0')}`)
    }
  })

  it('throws for keys that are no keys', () => {
    const digest = wasm.keccak256(utf8('x'))
    const order = signatureOf(ORDER, 0n).slice(0, 32)
    for (const key of [new Uint8Array(32), order, new Uint8Array(31)]) {
      expect(() => wasm.sign(digest, key)).toThrow()
      expect(() => wasm.addressOf(key)).toThrow()
    }
  })
})
