// What a replay shows: a row of moments, and what each host answers at each of them.

/** One answer as a venue gives it. */
export interface Answer {
  readonly status: number
  readonly mediaType: string
  readonly body: string
}

/** Something to be replayed. Steps are counted from 0. */
export interface Show {
  /** The clock's time when each step begins, ms since 1970, strictly rising. */
  readonly stepsMs: readonly number[]
  /** Hosts that are stood in for, in lower case. */
  readonly hosts: readonly string[]
  /** What `host` answers to `target` (path and query as asked) at `step`; null where it has no such place. Pure. */
  readonly answer: (host: string, target: string, step: number) => Answer | null
}

/** An answer of JSON. */
export function json(status: number, body: unknown): Answer {
  return { status, mediaType: 'application/json', body: JSON.stringify(body) }
}
