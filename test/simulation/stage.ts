// What everything in a simulated run shares: time, randomness, the committee, the counts and the trace.

import type { Cast } from './cast.js'
import type { Queue } from './queue.js'
import type { Rng } from './rng.js'
import type { Tally, Trace } from './trace.js'

export interface Stage {
  readonly cast: Cast
  readonly queue: Queue
  readonly rng: Rng
  readonly trace: Trace
  /** Faults and behaviours by kind, counted when they had an effect. */
  readonly fired: Tally
  /** Messages that correct members dropped, by reason. */
  readonly drops: Tally
  /** Wall time of true time 0, ms since 1970. */
  readonly epochMs: number
  /** Set by whoever resolved a promise: the loop lets all microtasks run before the next action. */
  settle: boolean
  /** A programmer's error inside a promise: the run ends with it. */
  broken: unknown
  /** Steps taken by all members. */
  events: number
}
