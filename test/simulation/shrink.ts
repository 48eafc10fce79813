// Makes a failing schedule small: whatever can go while the same violation stays, goes.

import type { Cast } from './cast.js'
import { run } from './run.js'
import type { Schedule } from './schedule.js'
import type { Violation } from './witness.js'

/** The smallest schedule found that violates the same rule, and what it says then. */
export async function shrink(
  cast: Cast,
  schedule: Schedule,
  violation: Violation,
): Promise<{ readonly schedule: Schedule; readonly violation: Violation }> {
  let best = { schedule, violation }
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false
    for (const candidate of smaller(best.schedule)) {
      const found = await violationOf(cast, candidate)
      if (found?.code !== violation.code) continue
      best = { schedule: candidate, violation: found }
      isSmaller = true
      break
    }
  }
  return best
}

/** What a schedule comes to, an exception included. */
async function violationOf(cast: Cast, schedule: Schedule): Promise<Violation | null> {
  try {
    return (await run(cast, schedule)).violation
  } catch (error) {
    return { code: 'BROKEN', text: String(error), atMs: 0 }
  }
}

/** Every schedule that is one thing less, the biggest things first. */
function* smaller(schedule: Schedule): Generator<Schedule> {
  const { liars, outdated, late, steps, healMs } = schedule
  for (let i = 0; i < liars.length; i++) yield { ...schedule, liars: liars.toSpliced(i, 1) }
  if (outdated.length > 0) yield { ...schedule, outdated: [] }
  if (late.length > 0) yield { ...schedule, late: [] }
  for (let i = 0; i < steps.length; i++) yield { ...schedule, steps: steps.toSpliced(i, 1) }
  for (const [i, liar] of liars.entries()) {
    if (liar.behaviours.length < 2) continue
    for (let j = 0; j < liar.behaviours.length; j++) {
      yield { ...schedule, liars: liars.with(i, { ...liar, behaviours: liar.behaviours.toSpliced(j, 1) }) }
    }
  }
  for (const [i, step] of steps.entries()) {
    if (step.who.length < 2) continue
    for (let j = 0; j < step.who.length; j++) {
      yield { ...schedule, steps: steps.with(i, { ...step, who: step.who.toSpliced(j, 1) }) }
    }
  }
  const lastMs = steps.reduce((latest, step) => Math.max(latest, step.atMs), 0)
  const shorterMs = Math.max(lastMs + 1, Math.floor(healMs / 2))
  if (shorterMs < healMs) yield { ...schedule, healMs: shorterMs }
}
