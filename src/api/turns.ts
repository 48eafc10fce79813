// Heavy reads take turns: one each turn of the event loop, so that the oracle's rounds always come between.

import { OracleError } from '../base/errors.js'
import { waitingMax } from './limits.js'

/**
 * Resolves when the caller may do one bounded piece of work; API_BUSY when too many wait. A caller with a `reserved` seat
 * is never refused, and holds at most one turn at a time.
 */
export type TakeTurn = (seat?: 'reserved') => Promise<void>

/** A fresh queue of turns, first come first served. */
export function createTurns(): TakeTurn {
  const waiting: (() => void)[] = []
  const next = (): void => {
    waiting.shift()?.()
    if (waiting.length > 0) setImmediate(next)
  }
  return (seat) => {
    if (seat !== 'reserved' && waiting.length >= waitingMax)
      return Promise.reject(new OracleError('API_BUSY', `${waiting.length} reads of old reports wait already`))
    return new Promise((resolve) => {
      if (waiting.push(resolve) === 1) setImmediate(next)
    })
  }
}

/** Turns for many who together hold one reserved seat: one of them waits in the queue, the others behind it, in order. */
export function shareTurns(takeTurn: TakeTurn): () => Promise<void> {
  let last: Promise<void> = Promise.resolve()
  return () => {
    last = last.then(() => takeTurn('reserved'))
    return last
  }
}
