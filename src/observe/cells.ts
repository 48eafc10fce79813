// From the text of a source's value to the integers and texts that are signed: exact, or a refusal.

import { utf8 } from '../core/bytes.js'
import type { CellValue } from '../core/layout.js'
import type { LeafPlan } from '../feed/declaration.js'
import type { SourceReading } from './adapter.js'
import { SourceError } from './source-error.js'

const limits = {
  int64: { min: -(2n ** 63n), max: 2n ** 63n - 1n },
  int176: { min: -(2n ** 175n), max: 2n ** 175n - 1n },
} as const

/** A plain decimal, at most 80 characters: no exponent, no sign but minus, no bare point. */
const decimalText = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/

/** The signed cells of a schema-checked reading, in the order of `leaves`; throws SOURCE_DRIFT or SOURCE_VALUE_INVALID. */
export function cellsOf(leaves: readonly LeafPlan[], { value }: Pick<SourceReading, 'value'>): readonly CellValue[] {
  return leaves.map((leaf): CellValue => {
    const path = `/${leaf.key}`
    const given = value[leaf.key]
    if (leaf.type === 'bool') {
      if (typeof given !== 'boolean') throw new SourceError('SOURCE_DRIFT', 'a truth value is missing', { path })
      return given ? 1n : 0n
    }
    if (typeof given !== 'string') throw new SourceError('SOURCE_DRIFT', 'a text is missing', { path })
    if (leaf.type === 'string') {
      if (utf8(given).length > (leaf.bytesMax ?? 0))
        throw new SourceError('SOURCE_VALUE_INVALID', `longer than ${leaf.bytesMax} bytes`, { path })
      return given
    }
    const units = toUnits(given, leaf.decimals)
    const { min, max } = limits[leaf.type]
    if (units === null) throw new SourceError('SOURCE_DRIFT', 'not a plain decimal', { path })
    if (units < min || units > max)
      throw new SourceError('SOURCE_VALUE_INVALID', `does not fit ${leaf.type} with ${leaf.decimals} decimals`, {
        path,
      })
    return units
  })
}

/** `text` in units of 10^−decimals, digits beyond that rounded half to even; null unless it is a plain decimal. */
export function toUnits(text: string, decimals: number): bigint | null {
  if (text.length > 80 || !decimalText.test(text)) return null
  const [whole, fraction = ''] = text.replace('-', '').split('.') as [string, string?]
  const kept = BigInt(whole + fraction.slice(0, decimals).padEnd(decimals, '0'))
  const rest = fraction.slice(decimals)
  const units = kept + (roundsUp(rest, (kept & 1n) === 1n) ? 1n : 0n)
  return text.startsWith('-') ? -units : units
}

function roundsUp(rest: string, isOdd: boolean): boolean {
  if (rest === '' || rest[0]! < '5') return false
  return rest[0]! > '5' || /[1-9]/.test(rest.slice(1)) || isOdd
}

/** Distance of bid and ask in parts per million of the ask, rounded down; null unless the reading has both. */
export function bidAskPpmOf({ value: { bid, ask } }: Pick<SourceReading, 'value'>): number | null {
  if (typeof bid !== 'string' || typeof ask !== 'string') return null
  const places = 36
  const low = toUnits(bid, places)
  const high = toUnits(ask, places)
  if (low === null || high === null || high <= 0n || low > high) return null
  return Number(((high - low) * 1_000_000n) / high)
}
