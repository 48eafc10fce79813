// The same engine with libsecp256k1 as native code, for operators who install the optional package secp256k1.

import { createRequire } from 'node:module'
import { splitSignature } from '../core/signature.js'
import type { SigningEngine } from './engine-wasm.js'

/** What is used of the package's native binding. Functions throw on what they refuse. */
interface Binding {
  ecdsaSign(digest: Uint8Array, privateKey: Uint8Array): { signature: Uint8Array; recid: number }
  ecdsaRecover(signature: Uint8Array, recid: number, digest: Uint8Array, compressed: boolean): Uint8Array
}

/**
 * `wasm` with its curve arithmetic replaced by native code, or null where the package or its prebuilt binary is absent.
 * Only the binding itself is loaded: the package's own fallback (elliptic, CVE-2025-14505) must never sign.
 */
export function createNativeEngine(wasm: SigningEngine): SigningEngine | null {
  const binding = loadBinding()
  if (binding === null) return null
  return {
    keccak256: wasm.keccak256,
    addressOf: wasm.addressOf,
    recover: (digest, signature) => {
      if (digest.length !== 32) throw new Error(`a digest has 32 bytes, not ${digest.length}`)
      const split = splitSignature(signature)
      if (split === null) return null
      try {
        const publicKey = binding.ecdsaRecover(split.compact, split.yParity, digest, false)
        return wasm.keccak256(publicKey.subarray(1)).slice(12)
      } catch {
        return null
      }
    },
    sign: (digest, privateKey) => {
      if (digest.length !== 32 || privateKey.length !== 32) throw new Error('digests and private keys have 32 bytes')
      const { signature, recid } = binding.ecdsaSign(digest, privateKey)
      if (recid > 1) throw new Error('this digest has no EIP-2098 signature')
      const compact = Uint8Array.from(signature)
      compact[32] = compact[32]! | (recid << 7)
      return compact
    },
  }
}

function loadBinding(): Binding | null {
  try {
    return createRequire(import.meta.url)('secp256k1/bindings.js') as Binding
  } catch {
    return null
  }
}
