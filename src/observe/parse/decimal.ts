// Exact decimals as text and bigint: a source's number never passes through a floating-point number.

/** Digits of the longest decimal in plain form, before and after its point together. */
export const digitsMax = 60

const grammar = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/

/**
 * `text`, a number as JSON writes numbers, as plain decimal without exponent, needless zeros or minus zero ('1.20E+3' →
 * '1200'); null when it is no such number or its plain form has more than 60 digits.
 */
export function canonicalDecimal(text: string): string | null {
  // Longer texts are no price of anybody, and the pattern need not walk them.
  if (text.length > 4 * digitsMax) return null
  const match = grammar.exec(text)
  if (match === null) return null
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  const digits = (whole + fraction).replace(/^0+/, '')
  if (digits === '') return '0'
  // Six digits of exponent are far outside any bound, and still a safe integer.
  if (exponent.replace(/^[+-]?0*/, '').length > 6) return null
  const kept = digits.replace(/0+$/, '')
  // The value is kept × 10^power.
  const power = Number(exponent) - fraction.length + (digits.length - kept.length)
  if (Math.max(kept.length, kept.length + power) > digitsMax || -power > digitsMax) return null
  if (power >= 0) return sign + kept + '0'.repeat(power)
  const padded = kept.padStart(1 - power, '0')
  return `${sign}${padded.slice(0, power)}.${padded.slice(power)}`
}

/** Decimals after the point of a canonical decimal. */
function decimalsOf(decimal: string): number {
  const point = decimal.indexOf('.')
  return point < 0 ? 0 : decimal.length - point - 1
}

/** Canonical decimals as integers of one common scale, in their order. */
export function alignDecimals(decimals: readonly string[]): readonly bigint[] {
  const scale = Math.max(0, ...decimals.map(decimalsOf))
  return decimals.map((decimal) => BigInt(decimal.replace('.', '') + '0'.repeat(scale - decimalsOf(decimal))))
}

/** -1, 0 or 1 as the canonical decimal `a` is less than, equal to or greater than `b`. */
export function compareDecimals(a: string, b: string): -1 | 0 | 1 {
  const [left = 0n, right = 0n] = alignDecimals([a, b])
  return left < right ? -1 : left > right ? 1 : 0
}

/** The canonical decimal × 10^decimals as an integer; what is beyond is rounded, halves to even. */
export function scaleDecimal(decimal: string, decimals: number): bigint {
  const places = decimalsOf(decimal)
  const units = BigInt(decimal.replace('.', ''))
  return places <= decimals
    ? units * 10n ** BigInt(decimals - places)
    : divideEven(units, 10n ** BigInt(places - decimals))
}

/** numerator / denominator as a canonical decimal with at most `decimals` places, halves to even; denominator ≠ 0. */
export function divideDecimals(numerator: string, denominator: string, decimals: number): string {
  const [over = 0n, under = 0n] = alignDecimals([numerator, denominator])
  return decimalOf(divideEven(over * 10n ** BigInt(decimals), under), decimals)
}

/** The integer `units` of 10^-decimals as a canonical decimal. */
export function decimalOf(units: bigint, decimals: number): string {
  const sign = units < 0n ? '-' : ''
  const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '')
  return fraction === '' ? (whole === '0' ? '0' : sign + whole) : `${sign}${whole}.${fraction}`
}

/** The integer nearest to over / under; a half goes to the even one. */
function divideEven(over: bigint, under: bigint): bigint {
  const isNegative = over < 0n !== under < 0n
  const [a, b] = [over < 0n ? -over : over, under < 0n ? -under : under]
  const twice = 2n * (a % b)
  let quotient = a / b
  if (twice > b || (twice === b && quotient % 2n === 1n)) quotient += 1n
  return isNegative ? -quotient : quotient
}
