// The engine of Node: keccak and secp256k1 in WebAssembly, the one place that holds libauth and hash-wasm.

import { instantiateSecp256k1 } from '@bitauth/libauth'
import { createKeccak } from 'hash-wasm'
import type { Engine } from '../core/engine.js'
import { splitSignature } from '../core/signature.js'

/** An engine that also signs. Private keys have 32 bytes; a wrong one is a programmer's error and throws. */
export interface SigningEngine extends Engine {
  /** 64 bytes over a 32-byte digest: EIP-2098, low-s, deterministic (RFC 6979). */
  sign(digest: Uint8Array, privateKey: Uint8Array): Uint8Array
  /** The 20-byte address of `privateKey`; throws for 0 and for keys not below the group's order. */
  addressOf(privateKey: Uint8Array): Uint8Array
}

/** Compiles both WebAssembly modules (some 20 ms, once a process) and returns the engine over them. */
export async function createWasmEngine(): Promise<SigningEngine> {
  const [secp256k1, keccak] = await Promise.all([instantiateSecp256k1(), createKeccak(256)])

  const keccak256 = (bytes: Uint8Array): Uint8Array => keccak.init().update(bytes).digest('binary')
  const addressOfPoint = (publicKey: Uint8Array): Uint8Array => keccak256(publicKey.subarray(1)).slice(12)

  return {
    keccak256,
    recover: (digest, signature) => {
      if (digest.length !== 32) throw new Error(`a digest has 32 bytes, not ${digest.length}`)
      const split = splitSignature(signature)
      if (split === null) return null
      const publicKey = secp256k1.recoverPublicKeyUncompressed(split.compact, split.yParity, digest)
      return typeof publicKey === 'string' ? null : addressOfPoint(publicKey)
    },
    sign: (digest, privateKey) => {
      if (digest.length !== 32 || privateKey.length !== 32) throw new Error('digests and private keys have 32 bytes')
      const signed = secp256k1.signMessageHashRecoverableCompact(privateKey, digest)
      if (typeof signed === 'string') throw new Error(signed)
      // EIP-2098 has one bit: recovery ids 2 and 3 need r ≥ n, which one digest in 2^127 meets.
      if (signed.recoveryId > 1) throw new Error('this digest has no EIP-2098 signature')
      const signature = Uint8Array.from(signed.signature)
      signature[32] = signature[32]! | (signed.recoveryId << 7)
      return signature
    },
    addressOf: (privateKey) => {
      if (privateKey.length !== 32) throw new Error('private keys have 32 bytes')
      const publicKey = secp256k1.derivePublicKeyUncompressed(privateKey)
      if (typeof publicKey === 'string') throw new Error(publicKey)
      return addressOfPoint(publicKey)
    },
  }
}
