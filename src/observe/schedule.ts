// When a source is asked: at whole multiples of an interval, so that members ask together, or by a cron expression.

import cron from 'node-cron'
import type { Schedule } from '../feed/declaration.js'

/**
 * Calls `ask` now and then by `schedule`, `offsetMs` after each time it names, until the function it returns is called.
 * Overlapping calls are `ask`'s to join.
 */
export function runSchedule(
  schedule: Schedule,
  nowMs: () => number,
  ask: () => Promise<void>,
  offsetMs: number,
): () => void {
  const later = new Set<NodeJS.Timeout>()
  const askLater = (): void => {
    if (offsetMs === 0) return void ask()
    const timer = setTimeout(() => {
      later.delete(timer)
      void ask()
    }, offsetMs)
    later.add(timer)
  }
  askLater()
  const stop = repeat(schedule, nowMs, askLater)
  return () => {
    stop()
    for (const timer of later) clearTimeout(timer)
  }
}

function repeat(schedule: Schedule, nowMs: () => number, tick: () => void): () => void {
  switch (schedule.kind) {
    case 'cron':
      return byCron(schedule.cron, tick)
    case 'request':
      // Asked once at the start, so that a source that cannot work shows before anybody pays for its answer.
      return nothing
    default:
      return aligned(schedule.everyMs, nowMs, tick)
  }
}

/** node-cron would write to the console, among this process's own lines; a source asked late shows by its age. */
const quiet = { info: nothing, warn: nothing, error: nothing, debug: nothing }
function nothing(): void {}

function byCron(expression: string, tick: () => void): () => void {
  const task = cron.schedule(expression, tick, { timezone: 'UTC', logger: quiet })
  return () => void task.destroy()
}

function aligned(everyMs: number, nowMs: () => number, tick: () => void): () => void {
  let timer: NodeJS.Timeout
  const next = (): void => {
    const waitMs = everyMs - (nowMs() % everyMs)
    // A timer may fire a little early; one that would tick twice in an interval waits for the next.
    timer = setTimeout(
      () => {
        tick()
        next()
      },
      waitMs < everyMs / 10 ? waitMs + everyMs : waitMs,
    )
  }
  next()
  return () => clearTimeout(timer)
}
