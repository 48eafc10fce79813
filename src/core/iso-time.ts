// A time in words, for any number that may stand in a report.

/** ISO 8601 of ms since 1970, or the number itself where no calendar reaches: to explain must never be what fails. */
export function isoTime(timeMs: number): string {
  return Math.abs(timeMs) <= 8.64e15 ? new Date(timeMs).toISOString() : String(timeMs)
}
