// Hashes and signatures that cost next to nothing: as good as the real ones against liars that do not search for collisions.
//
// The hash mixes eight lanes of 32 bits; tests of the signed formats hold the real one to vectors. A signature has 64
// bytes: the key's place in the registry 1, a nonce 4, zeros, then a hash over key, digest and nonce that only the holder
// of the key can make. It makes as many valid signatures on a digest as it likes by other nonces, as with ECDSA.

import { concat, getU32, putU32, utf8 } from '../../src/core/bytes.js'
import type { SigningEngine } from '../../src/crypto/engine-wasm.js'

export interface SymbolicEngine extends SigningEngine {
  /** The private key of the `index`-th signer that the engine knows. */
  keyOf(index: number): Uint8Array
  /** A further valid signature on the same digest. */
  signAgain(digest: Uint8Array, privateKey: Uint8Array, nonce: number): Uint8Array
}

const lanes = 8
const multipliers = Int32Array.of(
  0x9e3779b1 | 0,
  0x85ebca6b | 0,
  0xc2b2ae35 | 0,
  0x27d4eb2f | 0,
  0x165667b1 | 0,
  0xcc9e2d51 | 0,
  0x1b873593 | 0,
  0xe6546b64 | 1,
)
const state = new Int32Array(lanes)

/** Takes one word into all lanes; lanes feed each other, so each output bit depends on each input word. */
function absorb(word: number): void {
  let carry = state[lanes - 1]!
  for (let i = 0; i < lanes; i++) {
    const mixed = Math.imul(state[i]! ^ word ^ (carry >>> 15), multipliers[i]!)
    carry = (mixed << 13) | (mixed >>> 19)
    state[i] = carry
  }
}

function hash(bytes: Uint8Array): Uint8Array {
  const { length } = bytes
  for (let i = 0; i < lanes; i++) state[i] = multipliers[i]! ^ length
  let at = 0
  for (; at + 4 <= length; at += 4) {
    absorb((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!)
  }
  let rest = length - at
  for (; at < length; at++) rest = (rest << 8) | bytes[at]!
  absorb(rest)
  absorb(0x5bd1e995)
  absorb(0x2545f491)
  const out = new Uint8Array(32)
  for (let i = 0; i < lanes; i++) putU32(out, 4 * i, state[i]! ^ (state[i]! >>> 16))
  return out
}

/** An engine over `count` keys made from their places. */
export function createSymbolicEngine(count: number): SymbolicEngine {
  const keys = Array.from({ length: count }, (_, i) => hash(utf8(`simulated key ${i}`)))
  const addresses = keys.map((key) => hash(key).slice(12))
  // The first four bytes tell keys apart: whoever holds a copy of a key holds the key.
  const placeOf = new Map(keys.map((key, place) => [getU32(key, 0), place]))
  const input = new Uint8Array(68)

  const seal = (key: Uint8Array, digest: Uint8Array, nonce: number): Uint8Array => {
    input.set(key)
    input.set(digest, 32)
    putU32(input, 64, nonce)
    const mac = hash(input)
    mac[0] = mac[0]! & 0x7f
    return mac
  }
  const signAgain = (digest: Uint8Array, key: Uint8Array, nonce: number): Uint8Array => {
    const place = placeOf.get(getU32(key, 0))
    if (place === undefined) throw new Error('the engine does not know this key')
    const head = new Uint8Array(32)
    head[0] = place
    putU32(head, 1, nonce)
    return concat(head, seal(key, digest, nonce))
  }
  return {
    keccak256: hash,
    keyOf: (index) => keys[index]!,
    sign: (digest, key) => signAgain(digest, key, 0),
    signAgain,
    addressOf: (key) => hash(key).slice(12),
    recover: (digest, signature) => {
      if (signature.length !== 64) return null
      const key = keys[signature[0]!]
      if (key === undefined) return null
      for (let i = 5; i < 32; i++) if (signature[i] !== 0) return null
      const mac = seal(key, digest, getU32(signature, 1))
      for (let i = 0; i < 32; i++) if (mac[i] !== signature[32 + i]) return null
      return addresses[signature[0]!]!
    },
  }
}
