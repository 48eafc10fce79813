// From the text of a source's value to the integers and texts that are signed: exact, or a refusal.

import { utf8 } from '../core/bytes.js'
import type { CellValue } from '../core/layout.js'
import type { LeafPlan } from '../feed/declaration.js'
import type { SourceReading } from './adapter.js'
import { scaleDecimal } from './parse/decimal.js'
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
    if (leaf.isPriced && isBlunted(given, units, leaf.decimals))
      throw new SourceError('SOURCE_VALUE_INVALID', `${leaf.decimals} decimals are too few for this price`, { path })
    return units
  })
}

/** `text` in units of 10^−decimals, digits beyond that rounded half to even; null unless it is a plain decimal. */
export function toUnits(text: string, decimals: number): bigint | null {
  return text.length > 80 || !decimalText.test(text) ? null : scaleDecimal(text, decimals)
}

/** A price that the feed's decimals would change by more than 100 parts per million is not that price any more. */
function isBlunted(text: string, units: bigint, decimals: number): boolean {
  const finer = 24
  const exact = scaleDecimal(text, decimals + finer)
  const error = units * 10n ** BigInt(finer) - exact
  const size = exact < 0n ? -exact : exact
  return (error < 0n ? -error : error) * 10_000n > size
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
