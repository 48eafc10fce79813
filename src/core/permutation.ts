// Members in an order that all of them compute alike: who leads, who sends.

/** 0 to n−1 by Fisher–Yates; `draw(bound)` gives a number below `bound`, asked for n, n−1, … 2. */
export function permutation(n: number, draw: (bound: number) => number): readonly number[] {
  const order = Array.from({ length: n }, (_, i) => i)
  for (let i = n - 1; i > 0; i--) {
    const j = draw(i + 1)
    const swapped = order[i]!
    order[i] = order[j]!
    order[j] = swapped
  }
  return order
}
