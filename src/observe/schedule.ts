// When a source is asked: at whole multiples of an interval, so that members ask together, or by a cron expression.

import cron from 'node-cron'
import type { Schedule } from '../feed/declaration.js'

/** Calls `ask` now and then by `schedule` until the function it returns is called. Overlapping calls are `ask`'s to join. */
export function runSchedule(schedule: Schedule, nowMs: () => number, ask: () => Promise<void>): () => void {
  void ask()
  if (schedule.kind === 'cron') {
    const task = cron.schedule(schedule.cron, () => void ask(), { timezone: 'UTC' })
    return () => void task.destroy()
  }
  const { everyMs } = schedule
  let timer: NodeJS.Timeout
  const next = (): void => {
    const waitMs = everyMs - (nowMs() % everyMs)
    // A timer may fire a little early; one that would ask twice in an interval waits for the next.
    timer = setTimeout(tick, waitMs < everyMs / 10 ? waitMs + everyMs : waitMs)
  }
  const tick = (): void => {
    void ask()
    next()
  }
  next()
  return () => clearTimeout(timer)
}
