// Reports that are not the newest, as snapshots: what many ask for at the same time is read and built once.

import type { Slot } from '../core/messages.js'
import { oldBytesMax, oldMax } from './limits.js'
import type { NodeView } from './node-view.js'
import { createSnapshot, type Snapshot } from './snapshot.js'

/** The snapshot of a stored report, null when there is none: one bounded piece of work, for a caller whose turn it is. */
export type OldReport = (slot: Slot) => Snapshot | null

/** Keeps the few old reports of `view` that were asked for last. */
export function keepOldReports(view: NodeView): OldReport {
  const kept = new Map<string, Snapshot>()
  return (slot) => {
    const key = `${slot.epoch}/${slot.round}`
    const known = kept.get(key)
    if (known !== undefined) {
      // Put last: the first is the one that was asked for longest ago.
      kept.delete(key)
      kept.set(key, known)
      return known
    }
    const stored = view.store.bySlot(slot)
    if (stored === null) return null
    const snapshot = createSnapshot(view, stored, oldBytesMax)
    kept.set(key, snapshot)
    if (kept.size > oldMax) kept.delete(kept.keys().next().value!)
    return snapshot
  }
}
