// How every benchmark prints: one JSON line a figure.

/** Prints {figure, value, unit, …more}; values are rounded to four significant digits. */
export function figure(name: string, value: number, unit: string, more: Readonly<Record<string, unknown>> = {}): void {
  console.log(JSON.stringify({ figure: name, value: Number(value.toPrecision(4)), unit, ...more }))
}

/** The p-th percentile (0 to 100) of `samples` by nearest rank. */
export function percentile(samples: readonly number[], p: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((p / 100) * sorted.length) - 1))]!
}

/** Median of `samples`. */
export function median(samples: readonly number[]): number {
  return percentile(samples, 50)
}
