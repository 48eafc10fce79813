// The little of Solidity's abi.encode that a structured value needs.

import { putInt, putU32, utf8 } from './bytes.js'
import type { FieldType } from './committee.js'

/**
 * abi.encode of `values` with their cell `types`: integers and booleans (0n or 1n) as words, well-formed strings by
 * offset at the end.
 * A contract decodes it with abi.decode(bytes, (int64, string, …)). A value of the wrong type is a programmer's error.
 */
export function abiEncode(types: readonly FieldType[], values: readonly (bigint | string)[]): Uint8Array {
  if (types.length !== values.length) throw new Error(`${values.length} values for ${types.length} types`)
  const texts = values.map((value) => (typeof value === 'string' ? utf8(value) : null))
  const heads = 32 * types.length
  let length = heads
  for (const text of texts) if (text !== null) length += 32 + 32 * Math.ceil(text.length / 32)
  const bytes = new Uint8Array(length)
  let tail = heads
  for (let i = 0; i < types.length; i++) {
    const type = types[i]!
    const value = values[i]!
    const text = texts[i]!
    const at = 32 * i
    if (type === 'string' && text !== null) {
      putU32(bytes, at + 28, tail)
      putU32(bytes, tail + 28, text.length)
      bytes.set(text, tail + 32)
      tail += 32 + 32 * Math.ceil(text.length / 32)
    } else if (type !== 'string' && typeof value === 'bigint') {
      if (!fitsCell(type, value)) throw new Error(`${value} does not fit ${type}`)
      putInt(bytes, at, 32, value)
    } else {
      throw new Error(`a ${typeof value} is no ${type}`)
    }
  }
  return bytes
}

/** Whether `value` lies in the range of its cell type. */
export function fitsCell(type: Exclude<FieldType, 'string'>, value: bigint): boolean {
  if (type === 'bool') return value === 0n || value === 1n
  return BigInt.asIntN(type === 'int64' ? 64 : 176, value) === value
}
