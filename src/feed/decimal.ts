// Decimals as people write them, made exact integers.

/** `text`, a plain decimal, in units of 10^-decimals; null when it is none or has more digits than that. */
export function scaledInteger(text: string, decimals: number): bigint | null {
  const found = /^(-?)(0|[1-9][0-9]{0,127})(?:\.([0-9]{1,128}))?$/.exec(text)
  if (found === null) return null
  const fraction = (found[3] ?? '').replace(/0+$/, '')
  if (fraction.length > decimals) return null
  const size = BigInt(found[2]! + fraction.padEnd(decimals, '0'))
  return found[1] === '-' ? -size : size
}
