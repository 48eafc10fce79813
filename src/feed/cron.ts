// Cron expressions: whether one is valid, and how long it may stay silent.

/** Bounds of the fields: second, minute, hour, day of the month, month, day of the week (0 and 7 are Sunday). */
const fields: readonly (readonly [number, number])[] = [
  [0, 59],
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
]

const dayMs = 86_400_000

/**
 * Longest time between two moments of `expression` (five fields, or six with seconds first; numbers, lists, ranges and
 * steps; UTC), in ms; null when it is invalid or never comes true. A day of the month together with a day of the week is
 * invalid: cron tools disagree on what it means.
 */
export function cronGapMs(expression: string): number | null {
  const texts = expression.split(' ')
  if (texts.length === 5) texts.unshift('0')
  if (texts.length !== 6) return null
  const sets = texts.map((text, i) => parseField(text, ...fields[i]!))
  if (sets.includes(null)) return null
  const [seconds, minutes, hours, days, months, weekdays] = sets as number[][]
  if (texts[3] !== '*' && texts[5] !== '*') return null

  const times = hours!.flatMap((h) => minutes!.flatMap((m) => seconds!.map((s) => ((h * 60 + m) * 60 + s) * 1000)))
  // Eight years and a day from a leap year on hold every distance between two days but that of 29 February over a
  // century, and begin and end with the same day.
  const first = Date.UTC(2024, 0, 1)
  const last = Date.UTC(2032, 0, 1)
  const matching: number[] = []
  for (let day = first; day <= last; day += dayMs) {
    const date = new Date(day)
    const weekday = date.getUTCDay()
    const isRight = weekdays!.includes(weekday) || (weekday === 0 && weekdays!.includes(7))
    if (isRight && months!.includes(date.getUTCMonth() + 1) && days!.includes(date.getUTCDate())) matching.push(day)
  }
  if (matching.length < 2) return null
  const within = times.slice(1).map((time, i) => time - times[i]!)
  const between = matching.slice(1).map((day, i) => day - matching[i]! - times.at(-1)! + times[0]!)
  return [...within, ...between].reduce((a, b) => Math.max(a, b), 0)
}

/** The numbers of one field, rising; null when it is malformed. */
function parseField(text: string, min: number, max: number): number[] | null {
  const chosen = new Set<number>()
  for (const part of text.split(',')) {
    const found = /^(?:\*|([0-9]{1,2})(?:-([0-9]{1,2}))?)(?:\/([1-9][0-9]?))?$/.exec(part)
    if (found === null) return null
    const [, from, to, step] = found
    if (from !== undefined && to === undefined && step !== undefined) return null
    const low = from === undefined ? min : Number(from)
    const high = to === undefined ? (from === undefined ? max : low) : Number(to)
    if (low < min || high > max || low > high) return null
    for (let n = low; n <= high; n += Number(step ?? 1)) chosen.add(n)
  }
  return [...chosen].sort((a, b) => a - b)
}
