// Signatures that cost one hash: a keyed keccak that only the holder of a key can make, as unforgeable as the model needs.
//
// 64 bytes: key's place in the registry 1, nonce 4, zeros, then keccak(key ‖ digest ‖ nonce) with its top bit cleared.
// A holder of a key makes as many valid signatures on a digest as it likes by other nonces, as with ECDSA.

import { createKeccak } from 'hash-wasm'
import { concat, getU32, putU32, utf8 } from '../../src/core/bytes.js'
import type { SigningEngine } from '../../src/crypto/engine-wasm.js'

export interface SymbolicEngine extends SigningEngine {
  /** The private key of the `index`-th signer that the engine knows. */
  keyOf(index: number): Uint8Array
  /** A further valid signature on the same digest. */
  signAgain(digest: Uint8Array, privateKey: Uint8Array, nonce: number): Uint8Array
}

/** An engine over `count` keys made from their places. */
export async function createSymbolicEngine(count: number): Promise<SymbolicEngine> {
  const keccak = await createKeccak(256)
  const keccak256 = (bytes: Uint8Array): Uint8Array => keccak.init().update(bytes).digest('binary')
  const keys = Array.from({ length: count }, (_, i) => keccak256(utf8(`simulated key ${i}`)))
  const addresses = keys.map((key) => keccak256(key).slice(12))
  // The first four bytes tell keys apart: whoever holds a copy of a key holds the key.
  const placeOf = new Map(keys.map((key, place) => [getU32(key, 0), place]))
  const input = new Uint8Array(68)

  const seal = (key: Uint8Array, digest: Uint8Array, nonce: number): Uint8Array => {
    input.set(key)
    input.set(digest, 32)
    putU32(input, 64, nonce)
    const mac = keccak256(input)
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
    keccak256,
    keyOf: (index) => keys[index]!,
    sign: (digest, key) => signAgain(digest, key, 0),
    signAgain,
    addressOf: (key) => keccak256(key).slice(12),
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
