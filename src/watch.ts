// Says when reports stop and why, and when they go on: once for each change, never silently.

import type { Reason } from './core/explain.js'
import type { OracleEvent } from './oracle-event.js'

export interface Watch {
  /** A report was attested at steady time `nowMs`. */
  readonly report: (nowMs: number) => void
  /** Looks at the time; call it a few times a second. */
  readonly look: (nowMs: number) => void
}

/** A watch that calls it a stall when no report came for `stallMs`; `reasons` is asked only then. */
export function createWatch(
  startedAtMs: number,
  stallMs: number,
  reasons: () => readonly Reason[],
  onEvent: (event: OracleEvent) => void,
): Watch {
  let reportAtMs = startedAtMs
  let told: string | null = null
  return {
    report: (nowMs) => {
      reportAtMs = nowMs
      if (told !== null) onEvent({ event: 'resumed' })
      told = null
    },
    look: (nowMs) => {
      if (nowMs - reportAtMs < stallMs) return
      const found = reasons()
      const key = found.map((reason) => reason.code).join()
      if (found.length === 0 || key === told) return
      told = key
      onEvent({ event: 'stalled', reasons: found })
    },
  }
}
