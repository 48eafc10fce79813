// Answers that cost a walk over every feed or source: made once for all who ask within a short while.

import { keptAnswerMs } from './limits.js'
import type { NodeView } from './node-view.js'

/** What `make` makes, kept for `keptAnswerMs` of steady time or until the next report; a failure is not kept. */
export function keepAnswer<T>(
  { onReport }: Pick<NodeView, 'onReport'>,
  make: () => T,
  steadyMs: () => number = () => performance.now(),
): { readonly get: () => T; readonly close: () => void } {
  let kept: { readonly answer: T; readonly atMs: number } | null = null
  const stop = onReport(() => {
    kept = null
  })
  return {
    get: () => {
      if (kept === null || steadyMs() - kept.atMs >= keptAnswerMs) kept = { answer: make(), atMs: steadyMs() }
      return kept.answer
    },
    close: () => void stop(),
  }
}
