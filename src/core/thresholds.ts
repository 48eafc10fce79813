// Quorum sizes, each named by what it guarantees.

/** Thresholds of a committee of `n` members of which at most `f` are faulty in any way. */
export interface Thresholds {
  readonly n: number
  readonly f: number
  /** f+1: among any f+1 members at least one is honest, since only f are not. */
  readonly oneHonest: number
  /** 2f+1: among any 2f+1 members the honest outnumber the faulty: (2f+1) − f = f+1 > f. */
  readonly honestMajority: number
  /**
   * ⌊(n+f)/2⌋+1: two sets A, B of this size share an honest member: |A ∩ B| ≥ 2q − n ≥ (n+f+1) − n = f+1.
   * Reachable without the faulty: n − f ≥ q because n ≥ 3f+1.
   */
  readonly intersecting: number
  /** n−f: the members that answer even when every faulty one is silent; waiting for more could wait for ever. */
  readonly available: number
}

/** Thresholds for n ≥ 3f+1; asserts it, since the committee check refuses such a document before (P1). */
export function thresholdsOf(n: number, f: number): Thresholds {
  if (!Number.isInteger(n) || !Number.isInteger(f) || f < 0 || n < 3 * f + 1)
    throw new Error(`no thresholds for n=${n}, f=${f}`)
  return {
    n,
    f,
    oneHonest: f + 1,
    honestMajority: 2 * f + 1,
    intersecting: Math.floor((n + f) / 2) + 1,
    available: n - f,
  }
}
