// What a lying venue says: its price changed by a percentage, digit for digit, without a floating point.

import { OracleError } from '../base/errors.js'

/** A factor as a fraction of whole numbers. */
export interface Lie {
  readonly numerator: bigint
  readonly denominator: bigint
}

const percentForm = /^([+-])(\d{1,6})(?:\.(\d{1,6}))?%$/

/** The factor of "+30%", "-10%" or "+0.5%"; REPLAY_LIE_INVALID for other text, and for -100% and below. */
export function parseLie(text: string): Lie {
  const [, sign, whole, part = ''] = percentForm.exec(text) ?? []
  if (sign !== undefined) {
    const one = 100n * 10n ** BigInt(part.length)
    const numerator = sign === '+' ? one + BigInt(whole + part) : one - BigInt(whole + part)
    if (numerator > 0n) return { numerator, denominator: one }
  }
  throw new OracleError('REPLAY_LIE_INVALID', `"${text}" is no percentage above -100%, such as +30% or -0.5%`)
}

/** `price` (a plain decimal) times the lie, exactly: a percentage is a decimal, so the product is one. */
export function applyLie(price: string, { numerator, denominator }: Lie): string {
  const [whole, part = ''] = price.split('.') as [string, string?]
  // The denominator is a power of ten, so dividing moves the point.
  const places = part.length + denominator.toString().length - 1
  const digits = (BigInt(whole + part) * numerator).toString().padStart(places + 1, '0')
  const exact = `${digits.slice(0, -places)}.${digits.slice(-places)}`
  return exact.replace(/\.?0+$/, '')
}
