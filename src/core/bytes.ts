// Small functions on bytes: hex, comparison, and big-endian integers, as every signed format of the house needs them.

const PAIRS: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Value of each lower-case hex digit by character code; 255 for every other ASCII character. */
const NIBBLES: Uint8Array = new Uint8Array(128).fill(255)
for (let value = 0; value < 16; value++) NIBBLES[value.toString(16).charCodeAt(0)] = value

const encoder = new TextEncoder()

/** Lower-case hex of `bytes` with the prefix 0x. */
export function toHex(bytes: Uint8Array): string {
  let text = '0x'
  for (let i = 0; i < bytes.length; i++) text += PAIRS[bytes[i]!]!
  return text
}

/** The bytes of lower-case 0x hex, of exactly `length` bytes when given; null for anything else, upper case included. */
export function fromHex(text: string, length?: number): Uint8Array | null {
  if (text.length % 2 !== 0 || text.length < 2 || text.charCodeAt(0) !== 48 || text.charCodeAt(1) !== 120) return null
  const size = text.length / 2 - 1
  if (length !== undefined && size !== length) return null
  const bytes = new Uint8Array(size)
  for (let i = 0, at = 2; i < size; i++, at += 2) {
    const high = text.charCodeAt(at)
    const low = text.charCodeAt(at + 1)
    if (high > 127 || low > 127) return null
    const upper = NIBBLES[high]!
    const lower = NIBBLES[low]!
    if (upper === 255 || lower === 255) return null
    bytes[i] = (upper << 4) | lower
  }
  return bytes
}

/** UTF-8 bytes of `text`; lone surrogates become U+FFFD, so check them before where it matters. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** All `parts` one after the other, in fresh bytes. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const bytes = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** Whether both hold the same bytes; not constant-time, since nothing compared here is secret. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Negative, 0 or positive as `a` comes before, is, or comes after `b`: byte by byte, and a prefix before what it begins. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = a[i]! - b[i]!
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Writes `value` (an integer, 0 to 2^16 − 1) big-endian at `at`. */
function putU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8
  bytes[at + 1] = value
}

/** The big-endian uint16 at `at`. */
function getU16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

/** Writes `value` (an integer, 0 to 2^32 − 1) big-endian at `at`. */
export function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

/** The big-endian uint32 at `at`. */
export function getU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

/** Writes `value` (an integer, 0 to 2^48 − 1, such as milliseconds since 1970) big-endian in six bytes at `at`. */
export function putU48(bytes: Uint8Array, at: number, value: number): void {
  putU16(bytes, at, Math.floor(value / 0x1_0000_0000))
  putU32(bytes, at + 2, value % 0x1_0000_0000)
}

/** The big-endian uint48 at `at`. */
export function getU48(bytes: Uint8Array, at: number): number {
  return getU16(bytes, at) * 0x1_0000_0000 + getU32(bytes, at + 2)
}

/** The big-endian unsigned integer in `length` bytes at `at`. */
export function getUint(bytes: Uint8Array, at: number, length: number): bigint {
  let value = 0n
  let i = 0
  for (; i + 4 <= length; i += 4) value = (value << 32n) | BigInt(getU32(bytes, at + i))
  for (; i < length; i++) value = (value << 8n) | BigInt(bytes[at + i]!)
  return value
}

/** Writes `value`, taken modulo 2^(8·length), big-endian two's complement in `length` bytes (a multiple of 2) at `at`. */
export function putInt(bytes: Uint8Array, at: number, length: number, value: bigint): void {
  if (value >= -0x1f_ffff_ffff_ffffn && value <= 0x1f_ffff_ffff_ffffn) {
    // Most signed values fit a double: two 32-bit writes and a sign fill spare the bigint shifts.
    const small = Number(value)
    const high = Math.floor(small / 0x1_0000_0000)
    const low = small - high * 0x1_0000_0000
    if (length >= 8) {
      bytes.fill(small < 0 ? 255 : 0, at, at + length - 8)
      putU32(bytes, at + length - 8, high)
      putU32(bytes, at + length - 4, low)
      return
    }
  }
  let rest = BigInt.asUintN(length * 8, value)
  for (let i = at + length - 2; i >= at; i -= 2) {
    putU16(bytes, i, Number(rest & 0xffffn))
    rest >>= 16n
  }
}
