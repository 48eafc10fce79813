// When the sources of a feed are asked for a request: once a report could answer it, and again while none does.

import type { OpenRequest } from './request-book.js'

/** How far verifiers let T run ahead of their block (ReportVerifier, RequestHub): only later reports answer. */
export const futureToleranceMs: number = 30_000

/** The first T that answers a request. */
export function readyAtMs({ requestedAtMs }: Pick<OpenRequest, 'requestedAtMs'>): number {
  return requestedAtMs + futureToleranceMs + 1
}

export interface RequestRounds {
  /** Feeds to ask now; `waiting` are the requests that no report answers yet. Feeds that are given count as asked. */
  due(waiting: readonly OpenRequest[], nowMs: number): readonly number[]
}

/** Never twice a feed within `roundMs`; again after `againMs` for requests that an earlier round did not help. */
export function requestRounds(roundMs: number, againMs: number): RequestRounds {
  const asked = new Map<number, number>()
  return {
    due: (waiting, nowMs) => {
      const feeds = new Set<number>()
      for (const request of waiting) {
        const { feed } = request
        const readyMs = readyAtMs(request)
        const askedMs = asked.get(feed) ?? -Infinity
        if (feeds.has(feed) || nowMs < readyMs || nowMs - askedMs < roundMs) continue
        if (readyMs > askedMs || nowMs - askedMs >= againMs) feeds.add(feed)
      }
      for (const feed of feeds) asked.set(feed, nowMs)
      return [...feeds]
    },
  }
}
