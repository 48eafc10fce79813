// The engine of browsers: the same promises as src/crypto/engine-wasm.ts in plain JavaScript, some 14 kB gzipped.

import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { Engine } from '../core/engine.js'
import { splitSignature } from '../core/signature.js'

/** The verify contract on @noble; needs no preparation and holds no key. */
export const engineNoble: Engine = {
  keccak256: (bytes) => keccak_256(bytes),
  recover: (digest, signature) => {
    if (digest.length !== 32) throw new Error(`a digest has 32 bytes, not ${digest.length}`)
    const split = splitSignature(signature)
    if (split === null) return null
    try {
      const point = secp256k1.Signature.fromBytes(split.compact, 'compact')
        .addRecoveryBit(split.yParity)
        .recoverPublicKey(digest)
      return keccak_256(point.toBytes(false).subarray(1)).slice(12)
    } catch {
      return null // r is no x-coordinate of the curve, or the key would be the point at infinity
    }
  },
}
