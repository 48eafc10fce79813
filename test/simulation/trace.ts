// What a run leaves behind: a hash over every step, and how often each kind of fault had an effect.

/** A running 64-bit hash of integers: equal for equal runs, and only for them as far as chance allows. */
export class Trace {
  #a = 0x811c9dc5 | 0
  #b = 0x1b873593 | 0

  add(value: number): void {
    this.#a = Math.imul(this.#a ^ value, 0x01000193)
    this.#b = Math.imul((this.#b << 13) | (this.#b >>> 19), 5) ^ Math.imul(value ^ 0x5bd1e995, 0xcc9e2d51)
    this.#a ^= this.#b >>> 15
  }

  /** Sixteen hex digits. */
  hash(): string {
    return (this.#a >>> 0).toString(16).padStart(8, '0') + (this.#b >>> 0).toString(16).padStart(8, '0')
  }

  /** Adds another trace's hash. */
  addHash(hash: string): void {
    this.add(Number.parseInt(hash.slice(0, 8), 16))
    this.add(Number.parseInt(hash.slice(8), 16))
  }
}

/** Counts by kind. */
export class Tally {
  readonly counts: Map<string, number> = new Map()

  count(kind: string, by = 1): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + by)
  }

  of(kind: string): number {
    return this.counts.get(kind) ?? 0
  }
}
