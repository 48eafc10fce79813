// What the protocol needs of cryptography, as an argument: the core imports no hash and no curve.

/**
 * The verify contract. Two engines implement it and are held to the same vectors: WASM in Node
 * (src/crypto/engine-wasm.ts) and @noble for browsers (src/client/engine-noble.ts).
 */
export interface Engine {
  /** keccak-256 of `bytes`, 32 fresh bytes. */
  keccak256(bytes: Uint8Array): Uint8Array
  /**
   * The 20-byte address whose key made `signature` (64 bytes, EIP-2098: r, then yParity in the top bit of s) over the
   * 32-byte `digest`; null for any malformed, high-s or unrecoverable signature. Never throws on a peer's bytes.
   */
  recover(digest: Uint8Array, signature: Uint8Array): Uint8Array | null
}

/** Signs 32-byte digests with one secp256k1 key: 64 bytes, EIP-2098, low-s, deterministic (RFC 6979). */
export type SignDigest = (digest: Uint8Array) => Uint8Array
