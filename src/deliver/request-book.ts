// The requests of one hub that this oracle knows of: bounded, each requester with its share, open until they end. Pure.

import type { RequestEnd } from './request-log.js'

/** A request that this oracle means to answer. */
export interface OpenRequest {
  readonly id: string
  readonly requester: string
  /** Index of its feed. */
  readonly feed: number
  /** Time of its block; only reports of 30 s later answer it. */
  readonly requestedAtMs: number
  readonly deadlineMs: number
  readonly callbackGas: number
  readonly blockNumber: number
  readonly blockHash: string
  /** T of the first report with a value that can answer it; since then it is due. */
  sinceMs: number | null
  /** It was told that a round was asked for. */
  isAsked: boolean
  /** It was told that its deadline is over. */
  isExpired: boolean
  /** How it ended, and whether that was told. */
  end: { readonly how: RequestEnd; readonly blockNumber: number; isTold: boolean } | null
}

export interface BookLimits {
  readonly openMax: number
  readonly openPerRequesterMax: number
}

export interface RequestBook {
  get(id: string): OpenRequest | undefined
  /** Those that have not ended, oldest first. */
  open(): readonly OpenRequest[]
  /** All that are kept, ended ones too until nothing can undo their end. */
  all(): readonly OpenRequest[]
  openCount(): number
  /**
   * Takes a request in. Where the book is full, the requester with the most open requests makes room for one that has
   * fewer: with its newest one that is not `isUnderWay`. Gives what has no room: another, the request itself, or none.
   */
  take(request: OpenRequest, isUnderWay: (id: string) => boolean): OpenRequest | null
  end(request: OpenRequest, end: NonNullable<OpenRequest['end']>): void
  /** Its end was undone. */
  reopen(request: OpenRequest): void
  /** Forgets requests and ends of blocks above `block`. */
  rewind(block: number): void
  /** Forgets requests that ended in or before `block`. */
  settle(block: number): void
  drop(request: OpenRequest): void
}

/** A book with `requests`. */
export function requestBook(limits: BookLimits, requests: readonly OpenRequest[] = []): RequestBook {
  const known = new Map(requests.map((request) => [request.id, request]))
  const counts = new Map<string, number>()
  let openCount = 0
  /** Asked for at each tick, and the same until a request comes or goes. */
  let listed: readonly OpenRequest[] | null = null
  const count = ({ requester }: OpenRequest, change: 1 | -1): void => {
    const next = (counts.get(requester) ?? 0) + change
    if (next === 0) counts.delete(requester)
    else counts.set(requester, next)
    openCount += change
    listed = null
  }
  for (const request of requests) if (request.end === null) count(request, 1)

  const drop = (request: OpenRequest): void => {
    if (!known.delete(request.id)) return
    if (request.end === null) count(request, -1)
  }
  const open = (): readonly OpenRequest[] => {
    listed ??= [...known.values()].filter(({ end }) => end === null)
    return listed
  }

  /** Whom to put out for a request of `requester`; null for nobody. */
  const rival = (requester: string, isUnderWay: (id: string) => boolean): OpenRequest | null => {
    const own = counts.get(requester) ?? 0
    let most = 0
    for (const number of counts.values()) if (number > most) most = number
    // Who has as many as anybody would only change places with the next.
    if (most <= own + 1) return null
    const isGreedy = (request: OpenRequest): boolean => counts.get(request.requester) === most
    return open().findLast((request) => isGreedy(request) && !isUnderWay(request.id)) ?? null
  }

  /** Ended ones are kept for reorganisations only, and no more of them than of open ones. */
  const forgetEnded = (): void => {
    let over = known.size - openCount - limits.openMax
    for (const request of known.values()) {
      if (over <= 0) return
      if (request.end === null) continue
      known.delete(request.id)
      over--
    }
  }

  return {
    get: (id) => known.get(id),
    open,
    all: () => [...known.values()],
    openCount: () => openCount,
    take: (request, isUnderWay) => {
      if ((counts.get(request.requester) ?? 0) >= limits.openPerRequesterMax) return request
      let out: OpenRequest | null = null
      if (openCount >= limits.openMax) {
        out = rival(request.requester, isUnderWay)
        if (out === null) return request
        drop(out)
      }
      known.set(request.id, request)
      count(request, 1)
      return out
    },
    end: (request, end) => {
      if (request.end === null) count(request, -1)
      request.end = end
      forgetEnded()
    },
    reopen: (request) => {
      if (request.end === null || !known.has(request.id)) return
      request.end = null
      count(request, 1)
    },
    rewind: (block) => {
      for (const request of [...known.values()]) {
        if (request.blockNumber > block) drop(request)
        else if (request.end !== null && request.end.blockNumber > block) {
          request.end = null
          count(request, 1)
        }
      }
    },
    settle: (block) => {
      for (const request of [...known.values()])
        if (request.end !== null && request.end.blockNumber <= block) known.delete(request.id)
    },
    drop,
  }
}
