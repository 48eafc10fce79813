// JSON of values that hold bigints, which JSON has no numbers for: they become decimal strings.

/** `value` as JSON in one line, its bigints as decimal strings, without characters that a terminal takes for commands. */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner))
  return text.replace(/[\u007f-\u009f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
