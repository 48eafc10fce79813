// When to dial again: exponential, with full jitter, so that a restarted committee does not dial in step.

/**
 * Milliseconds to wait before the next attempt after `failures` in a row (0 after a stable session): uniform between 0
 * and min(maxMs, 2·minMs·2^failures). `random` answers in [0, 1).
 */
export function backoffMs(failures: number, minMs: number, maxMs: number, random: () => number): number {
  return Math.floor(random() * Math.min(maxMs, 2 * minMs * 2 ** Math.min(failures, 30)))
}
