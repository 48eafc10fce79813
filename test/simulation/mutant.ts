// What a seeded bug is: guards taken out of the production code by exact replacements.

/** One replacement in a source file; `find` is there exactly once, so that no mutant rots unseen. */
export interface Edit {
  readonly file: string
  readonly find: string
  readonly replace: string
}

export interface Mutant {
  readonly name: string
  /** The step or invariant that is hurt. */
  readonly step: string
  readonly edits: readonly Edit[]
  /** Only violations of these codes count as finding it; any when absent. */
  readonly codes?: readonly string[]
}

/** Takes `find` out of `file`. */
export function without(file: string, find: string): Edit {
  return { file, find, replace: '' }
}
