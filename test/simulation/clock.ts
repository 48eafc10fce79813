// The two clocks of one machine: a wall clock that may be wrong, and a steady one that only runs.

import type { Now } from '../../src/core/state.js'
import type { Stage } from './stage.js'

export class Clock {
  readonly #stage: Stage
  /** Milliseconds the wall clock is off. */
  offsetMs = 0
  /** How much faster than true time it runs, in parts per million. */
  driftPpm = 0
  /** The steady clock began at any number, another one at each start of a machine. */
  #steadyAtZero: number
  #shakenAtMs = -Infinity

  constructor(stage: Stage) {
    this.#stage = stage
    this.#steadyAtZero = stage.rng.below(1_000_000)
  }

  now(): Now {
    const { nowMs } = this.#stage.queue
    const driftMs = Math.floor((nowMs * this.driftPpm) / 1_000_000)
    return { wallMs: this.#stage.epochMs + nowMs + this.offsetMs + driftMs, steadyMs: nowMs + this.#steadyAtZero }
  }

  /** True time of a steady time. */
  trueMs(steadyMs: number): number {
    return steadyMs - this.#steadyAtZero
  }

  jump(ms: number): void {
    this.offsetMs += ms
    this.#shakenAtMs = this.#stage.queue.nowMs
  }

  /** Whether it jumped within the last `ms`. */
  isShaken(ms: number): boolean {
    return this.#stage.queue.nowMs - this.#shakenAtMs < ms
  }
}
