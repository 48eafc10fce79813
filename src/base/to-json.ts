// JSON of values that hold bigints, which JSON has no numbers for: they become decimal strings.

/** `value` as JSON in one line, its bigints as decimal strings. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner))
}
