// What an oracle reads and the clock it lives by: the port between its loop and its sources.

import type { Clock } from '../base/clock.js'
import type { Board } from './board.js'
import type { FeedFacts, SourceFacts } from './facts.js'

/** What a source may do to the oracle it serves. */
export interface SourceLink {
  readonly board: Board
  /** Asks for a round at once, as a stream trigger does. */
  readonly move: () => void
  /** Resolves when a report with T at or after `sinceMs` (and, if asked, a value) is known, or after `patienceMs`. */
  readonly reported: (sinceMs: number, patienceMs: number, withValue?: boolean) => Promise<void>
}

/** A running source. */
export interface RunningSource {
  /** Called before the board is observed: what ran out by time alone is judged anew. */
  readonly refresh: () => void
  /**
   * A contract asked for the feed of that index: its sources are asked now where their schedule leaves it to requests,
   * then `move` is called. Does nothing in a replay, which asks everything at each step.
   */
  readonly ask: (feed: number) => void
  readonly sources: () => readonly SourceFacts[]
  readonly feeds: () => readonly FeedFacts[]
  readonly stop: () => void
}

/** What an oracle reads, and the clock it lives by. */
export interface SourcePart {
  readonly clock: Clock
  /** Lets go of what was opened, where `start` was never called. */
  readonly close: () => void
  readonly start: (link: SourceLink) => RunningSource
}

/** A source that only writes to the board. */
export function bareSource(run: (board: Board) => () => void): SourcePart['start'] {
  return ({ board, move }) => ({
    refresh: () => undefined,
    ask: move,
    sources: () => [],
    feeds: () => [],
    stop: run(board),
  })
}
