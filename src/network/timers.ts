// Real time for the transports: the process's monotonic clock and timers.

import type { Scheduler } from './transport.js'

/** The scheduler of a running node. */
export const timers: Scheduler = {
  nowMs: () => performance.now(),
  after(delayMs, action) {
    if (delayMs <= 0) {
      const turn = setImmediate(action)
      return () => clearImmediate(turn)
    }
    const timer = setTimeout(action, delayMs)
    return () => clearTimeout(timer)
  },
}
