// The one error of the house: what failed, where, and what to do about it.

import type { ErrorCode } from './error-codes.js'

/** Typed facts of one error; printed by the command line, never containing a secret. */
export type ErrorFacts = Readonly<Record<string, string | number | boolean | null>>

/**
 * An operating error: bad input, a refused file, a failing disk. `code` is listed in docs/errors.md; `path` is the
 * offending place in a document (JSON Pointer) or on disk. A programmer's error is a plain Error and stops the process.
 */
export class OracleError extends Error {
  readonly code: ErrorCode
  readonly path: string
  readonly facts: ErrorFacts

  constructor(code: ErrorCode, message: string, where: { path?: string; facts?: ErrorFacts; cause?: unknown } = {}) {
    super(message, where.cause === undefined ? undefined : { cause: where.cause })
    this.name = 'OracleError'
    this.code = code
    this.path = where.path ?? ''
    this.facts = where.facts ?? {}
  }
}

/** Runs `action` and returns the OracleError it throws, or undefined when it succeeds; other errors pass through. */
export function refusalOf(action: () => unknown): OracleError | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    if (error instanceof OracleError) return error
    throw error
  }
}

/** What an error says, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
