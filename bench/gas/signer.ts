// The keys that sign in the gas bench: always the same, so that every figure repeats.

import { computeAddress, id, SigningKey } from 'ethers'

/** A fixed secp256k1 key; its signatures are deterministic (RFC 6979) with low s. */
export interface Signer {
  readonly address: string
  readonly key: SigningKey
}

/** The first `count` keys of the bench. */
export function benchSigners(count: number): readonly Signer[] {
  return Array.from({ length: count }, (_, index) => {
    const key = new SigningKey(id(`Assay gas bench, signer ${index}`))
    return { address: computeAddress(key.publicKey), key }
  })
}

/** `signature` (65 bytes, hex) with one bit of its r changed. */
export function corrupt(signature: string): string {
  const flipped = (Number.parseInt(signature.slice(65, 66), 16) ^ 1).toString(16)
  return signature.slice(0, 65) + flipped + signature.slice(66)
}
