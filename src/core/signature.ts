// The bounds of a signature that both engines hold before any curve arithmetic.

import { compareBytes, fromHex } from './bytes.js'

/** The order of secp256k1's group. */
const ORDER = fromHex('0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141', 32)!
/** Half of it: a larger s has a smaller twin that signs the same, so it is refused (I-5). */
const HALF_ORDER = fromHex('0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0', 32)!
const ZERO = new Uint8Array(32)

/** An EIP-2098 signature taken apart: r and s in 64 bytes without the parity bit, and that bit. */
export interface SplitSignature {
  readonly compact: Uint8Array
  readonly yParity: 0 | 1
}

/** `signature` taken apart when it has 64 bytes, r in [1, n−1] and s in [1, n/2]; null otherwise. */
export function splitSignature(signature: Uint8Array): SplitSignature | null {
  if (signature.length !== 64) return null
  const compact = Uint8Array.from(signature)
  const yParity = (compact[32]! >>> 7) as 0 | 1
  compact[32] = compact[32]! & 0x7f
  const r = compact.subarray(0, 32)
  const s = compact.subarray(32)
  if (compareBytes(r, ZERO) === 0 || compareBytes(r, ORDER) >= 0) return null
  if (compareBytes(s, ZERO) === 0 || compareBytes(s, HALF_ORDER) > 0) return null
  return { compact, yParity }
}
