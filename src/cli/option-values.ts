// What options on the command line may be: texts to values, or a refusal that says what is needed.

import { InvalidArgumentError } from 'commander'

/** A whole number from `min` to `max`. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`a whole number from ${min} to ${max} is needed.`)
  }
}

/** A number above 0 with so many digits behind the point at most. */
export function positive(decimals: number): (text: string) => number {
  const form = new RegExp(`^\\d{1,6}(\\.\\d{1,${decimals}})?$`)
  return (text) => {
    const value = Number(text)
    if (form.test(text) && value > 0) return value
    throw new InvalidArgumentError(`a number above 0 with up to ${decimals} decimals is needed.`)
  }
}

/** The values of an option that may be repeated. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}
