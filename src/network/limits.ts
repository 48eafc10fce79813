// The transport's bounds for one committee: what core/limits.ts derives, by frame kind, and the timers of sessions.

import type { Committee } from '../core/committee.js'
import { limitsOf } from '../core/limits.js'
import type { TransportLimits } from './transport.js'
import { kindOfFrame } from './wire.js'

/** Bounds of a session between members of `committee` (P14). */
export function transportLimits(committee: Committee): TransportLimits {
  const limits = limitsOf(committee)
  return {
    frameBytesMax: (kind) => {
      const name = kindOfFrame(kind)
      return name === null ? 0 : limits.frameBytesMax[name]
    },
    framesPerS: limits.framesPerS,
    bytesPerS: limits.bytesPerS,
    queueBytesMax: limits.queueBytesMax,
    frameMs: 10_000,
    handshakeMs: 5000,
    handshakesMax: Math.max(64, 4 * committee.thresholds.n),
    livenessMs: 1000,
    keepaliveMs: 1000,
    idleMs: 4000,
    reconnectMinMs: 50,
    reconnectMaxMs: 2000,
  }
}
