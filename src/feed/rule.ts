// What a lint rule is, and how it says what it found.

import type { CompleteFeed } from './complete-feed.js'

/** One rule: its id, what to do about a finding, and how it finds. */
export interface Rule {
  readonly id: string
  readonly fix: string
  readonly isError: boolean
  /** Each place that breaks the rule. Pure. */
  readonly check: (complete: CompleteFeed) => readonly Found[]
}

/** A place that breaks a rule, as a JSON Pointer, and what is wrong there. */
export interface Found {
  readonly pointer: string
  readonly message: string
}

/** One finding at `pointer` where `is`, else none. */
export function when(is: boolean, pointer: string, message: string): readonly Found[] {
  return is ? [{ pointer, message }] : []
}
