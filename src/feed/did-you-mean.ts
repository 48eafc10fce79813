// The name that a writer probably meant.

const lengthMax = 64

/** ` Did you mean "x"?` for the one of `known` that is at most two letters (of short names: one) away; empty without. */
export function didYouMean(name: string, known: readonly string[]): string {
  const distanceMax = name.length < 5 ? 1 : 2
  const [best] = known
    .map((candidate) => ({ candidate, distance: distanceOf(name, candidate) }))
    .filter(({ distance }) => distance <= distanceMax)
    .sort((a, b) => a.distance - b.distance)
  return best === undefined ? '' : ` Did you mean "${best.candidate}"?`
}

/** Letters to be put in, left out or changed, whatever their case (Levenshtein). */
function distanceOf(left: string, right: string): number {
  if (left.length > lengthMax || right.length > lengthMax) return Number.POSITIVE_INFINITY
  const [a, b] = [left.toLowerCase(), right.toLowerCase()]
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
