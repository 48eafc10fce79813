// Token buckets: how fast one peer may be read (P14).

/**
 * Tokens that return at `perS` a second, up to one second's worth. Spending may go below zero, so that one item larger
 * than the bucket still passes; the debt is then waited for.
 */
export class TokenBucket {
  readonly #perS: number
  #tokens: number
  #atMs: number

  constructor(perS: number, nowMs: number) {
    this.#perS = perS
    this.#tokens = perS
    this.#atMs = nowMs
  }

  spend(tokens: number): void {
    this.#tokens -= tokens
  }

  /** What a fault costs: whoever sends nothing else is read four times a second. */
  fine(): void {
    this.#tokens -= this.#perS / 4
  }

  /** 0 when something may be spent; else milliseconds until a fiftieth of a second's worth is there. */
  waitMs(nowMs: number): number {
    this.#tokens = Math.min(this.#perS, this.#tokens + (Math.max(0, nowMs - this.#atMs) * this.#perS) / 1000)
    this.#atMs = nowMs
    if (this.#tokens > 0) return 0
    return Math.ceil(((this.#perS / 50 - this.#tokens) * 1000) / this.#perS)
  }
}

/** What one peer may send, over all its sessions: a new session brings no new burst. */
export interface Rates {
  readonly frames: TokenBucket
  readonly bytes: TokenBucket
}

/** Full buckets for a peer. */
export function ratesOf(limits: { readonly framesPerS: number; readonly bytesPerS: number }, nowMs: number): Rates {
  return { frames: new TokenBucket(limits.framesPerS, nowMs), bytes: new TokenBucket(limits.bytesPerS, nowMs) }
}
