// The years in which values are observed: a time outside of them is a fault of units or of a file, whoever gives it.

/** ms since 1970. */
export const earliestMs: number = Date.UTC(1990, 0)
/** ms since 1970; the first that is too late. */
export const latestMs: number = Date.UTC(2100, 0)
