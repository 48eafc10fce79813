// Whether this oracle serves fresh reports and signs; if not, why: what a load balancer and an operator ask.

import type { NodeView } from './node-view.js'

/** Why the oracle is not ready, in a sentence a person can act on. */
export interface NotReady {
  readonly code: string
  readonly sentence: string
}

export interface Readiness {
  /** Empty while ready; the protocol's own reasons follow when there is any. */
  reasons(): readonly NotReady[]
  close(): void
}

/** Follows the reports of `view`: after max(10 s, 5 rounds) without one the oracle is not ready. */
export function followReadiness(view: NodeView): Readiness {
  const { timing, thresholds } = view.committee
  const quietMs = Math.max(10_000, 5 * timing.roundMs)
  const { latest } = view.status()
  let isQuiet = latest === null || view.nowMs() - latest.attestedAtMs > quietMs
  // A timer, since the oracle's clock may be a replay's, which leaps from minute to minute.
  const timer = setTimeout(() => {
    isQuiet = true
  }, quietMs)
  timer.unref()
  const stop = view.onReport(() => {
    isQuiet = false
    timer.refresh()
  })

  return {
    reasons: () => {
      const { haltedBy, signingClosedBy, reasons } = view.status()
      const own: NotReady[] = []
      if (haltedBy !== null)
        own.push({ code: 'HALTED', sentence: `This oracle has stopped signing for good: ${haltedBy}.` })
      if (signingClosedBy !== null)
        own.push({ code: 'SIGNING_CLOSED', sentence: `Nothing is signed at the moment: ${signingClosedBy}.` })
      if (isQuiet) own.push({ code: 'NO_REPORT', sentence: `No report came for ${quietMs / 1000} s.` })
      const connected = view.peers().filter((peer) => peer.state !== 'down').length
      if (connected < thresholds.intersecting) {
        const sentence = `${connected} of ${thresholds.n} members are connected, ${thresholds.intersecting} must sign.`
        own.push({ code: 'TOO_FEW_CONNECTED', sentence })
      }
      if (own.length === 0) return own
      return [...own, ...reasons.filter((reason) => !own.some((known) => known.code === reason.code))]
    },
    close: () => {
      clearTimeout(timer)
      stop()
    },
  }
}
