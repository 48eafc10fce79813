// Why a source is left out: the one error of adapters and of the wire to sources, with a code that decides what follows.

import type { ErrorCode } from '../base/error-codes.js'
import { type ErrorFacts, OracleError } from '../base/errors.js'

/**
 * What a refusal means for the last good reading (formats.md, Status): after `passing` ones it serves until its maxAge;
 * after `standing` ones (the source refuses us, or its answers changed shape) it is shown and never observed.
 */
export type Gravity = 'passing' | 'standing'

/** Every code a source can be left out with. */
export type SourceCode = Extract<ErrorCode, `SOURCE_${string}`>

/** The gravity of each code. */
export const gravityOf: Readonly<Record<SourceCode, Gravity>> = {
  // The wire
  SOURCE_UNREACHABLE: 'passing',
  SOURCE_TIMEOUT: 'passing',
  SOURCE_FAILED: 'passing',
  SOURCE_RATE_LIMITED: 'passing',
  SOURCE_UNAUTHORISED: 'standing',
  SOURCE_REFUSED: 'standing',
  SOURCE_MOVED: 'standing',
  SOURCE_ADDRESS_DENIED: 'standing',
  SOURCE_TOO_LARGE: 'standing',
  SOURCE_TRUNCATED: 'passing',
  // The answer
  SOURCE_NOT_JSON: 'standing',
  SOURCE_NOT_XML: 'standing',
  SOURCE_BLOCKED: 'standing',
  SOURCE_DRIFT: 'standing',
  SOURCE_VALUE_INVALID: 'standing',
  SOURCE_IDENTITY: 'standing',
  SOURCE_UNIT_UNKNOWN: 'standing',
  SOURCE_ERROR_BODY: 'passing',
  SOURCE_NO_DATA: 'standing',
  SOURCE_TRUNCATION_SUSPECT: 'standing',
  // Time
  SOURCE_STALE: 'passing',
  SOURCE_FUTURE: 'standing',
  SOURCE_BACKWARDS: 'passing',
}

/** A source's answer, or the lack of one, that must not be used. `path` is the place in the answer (JSON Pointer). */
export class SourceError extends OracleError {
  declare readonly code: SourceCode

  constructor(code: SourceCode, message: string, where: { path?: string; facts?: ErrorFacts; cause?: unknown } = {}) {
    super(code, message, where)
    this.name = 'SourceError'
  }
}
