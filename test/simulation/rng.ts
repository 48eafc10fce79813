// Randomness from one 64-bit seed: xoshiro128** filled by splitmix64, the same on every machine.

const mask64 = 0xffff_ffff_ffff_ffffn

/** The next output of splitmix64 for a 64-bit `state`: a well-mixed number even for neighbouring states. */
function mixed(state: bigint): bigint {
  let z = state & mask64
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask64
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask64
  return z ^ (z >> 31n)
}

/** The seed of the `index`-th schedule of a run: independent of how schedules are dealt to workers. */
export function deriveSeed(seed: bigint, index: number): bigint {
  return mixed(seed + 0x9e3779b97f4a7c15n * BigInt(index + 1))
}

/** A stream of pseudo-random numbers. */
export class Rng {
  #a: number
  #b: number
  #c: number
  #d: number

  constructor(seed: bigint) {
    const first = mixed(seed + 0x9e3779b97f4a7c15n)
    const second = mixed(seed + 0x3c6ef372fe94f82an)
    this.#a = Number(first & 0xffff_ffffn) | 0
    this.#b = Number(first >> 32n) | 0
    this.#c = Number(second & 0xffff_ffffn) | 0
    this.#d = Number(second >> 32n) | 1
  }

  /** A uint32. */
  next(): number {
    const times5 = Math.imul(this.#b, 5)
    const result = Math.imul((times5 << 7) | (times5 >>> 25), 9) >>> 0
    const shifted = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= shifted
    this.#d = (this.#d << 11) | (this.#d >>> 21)
    return result
  }

  /** An integer from 0 to n − 1. */
  below(n: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * n)
  }

  /** An integer from `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1)
  }

  chance(probability: number): boolean {
    return this.next() < probability * 0x1_0000_0000
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  /** A fresh permutation of `list`. */
  shuffled<T>(list: readonly T[]): T[] {
    const out = [...list]
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      const held = out[i]!
      out[i] = out[j]!
      out[j] = held
    }
    return out
  }
}
