// What is wrong with a feed declaration: where, which rule, and what to do.

/** One thing that is wrong, or unwise, at one place of one file. */
export interface Finding {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1, in characters. */
  readonly column: number
  /** Name of the feed after expansion; as written, or empty, where it has no name yet. */
  readonly feed: string
  /** Id of the rule; docs/feeds.md lists all of them. */
  readonly rule: string
  readonly message: string
  /** What to do about it. */
  readonly fix: string
  /** Whether an oracle refuses to start with it. */
  readonly isError: boolean
}

/** A finding within one document: its place as a JSON Pointer. */
export interface Problem extends Pick<Finding, 'rule' | 'message' | 'fix' | 'isError'> {
  readonly pointer: string
}
