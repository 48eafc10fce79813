// The newest report, read from the store once however many ask for it.

import type { NodeView } from './node-view.js'
import { createSnapshot, type Snapshot } from './snapshot.js'

export interface Latest {
  /** The newest report's snapshot, null before the first; REPORT_STORE_DAMAGED when the disk lies. */
  current(): Snapshot | null
  close(): void
}

/** Follows the store of `view`. */
export function followLatest(view: NodeView): Latest {
  let snapshot: Snapshot | null = null
  let isOld = true
  const stop = view.onReport(() => {
    isOld = true
  })
  return {
    current: () => {
      if (!isOld) return snapshot
      const stored = view.store.latest()
      const isSame = stored?.epoch === snapshot?.epoch && stored?.round === snapshot?.round
      if (!isSame) snapshot = stored === null ? null : createSnapshot(view, stored)
      isOld = false
      return snapshot
    },
    close: stop,
  }
}
