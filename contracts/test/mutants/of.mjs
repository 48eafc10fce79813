// What a mutant is: one guard of a contract taken away, and the tests that must notice.

/**
 * The mutants of one file, given as [find, replace, lets, nth]: `find` stands once in the file or, with `nth`, which of
 * its places is meant, from 0; `lets` says what would get through. `tests` is what the names of their test files match.
 */
export function of(file, tests, list) {
  return list.map(([find, replace, lets, nth]) => ({ file, tests, find, replace, lets, nth }))
}
