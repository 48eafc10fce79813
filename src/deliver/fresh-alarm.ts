// Says when a store was not renewed in its time, whoever should have done it, and when it was after all (I17).

import type { StoredView } from './facts.js'
import type { Target } from './target.js'
import type { TransmitEvent } from './transmit-event.js'

export interface FreshAlarm {
  /** `view` is what the store was last known to have, however long ago; null where nobody could read it yet. */
  look(view: StoredView | null, nowMs: number): void
}

/**
 * The alarm of one target, which counts from `startMs` where the store has nothing. It is due when the heartbeat is over
 * and each member had a turn since, or half a heartbeat later: always before two heartbeats are over.
 */
export function freshAlarm(
  target: Target,
  members: number,
  startMs: number,
  tell: (event: TransmitEvent) => void,
): FreshAlarm {
  const overdue = new Set<string>()
  return {
    look: (view, nowMs) => {
      const told = { target: target.id, atMs: nowMs }
      for (const { feed, heartbeatMs, isPushed } of target.rules) {
        if (!isPushed) continue
        const storedMs = view?.feeds.get(feed.feedId)?.attestedAtMs ?? 0
        const graceMs = Math.min(members * target.stageMs, heartbeatMs / 2)
        const isOverdue = nowMs > (storedMs || startMs) + heartbeatMs + graceMs
        if (isOverdue === overdue.has(feed.name)) continue
        if (isOverdue) {
          overdue.add(feed.name)
          tell({ ...told, event: 'overdue', feed: feed.name, storedMs, heartbeatMs })
        } else {
          overdue.delete(feed.name)
          tell({ ...told, event: 'renewed', feed: feed.name })
        }
      }
    },
  }
}
