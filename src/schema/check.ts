// Holds a document against its compiled JSON schema and names the first place that is wrong.

import type { ErrorCode } from '../base/error-codes.js'
import { OracleError } from '../base/errors.js'
import type { Validate } from './generated/validators.js'

/** Throws an OracleError with `code` and the JSON Pointer of the first offending place unless `document` fits. */
export function checkSchema(validate: Validate, document: unknown, code: ErrorCode): void {
  if (validate(document)) return
  const first = validate.errors?.[0]
  const path = first?.instancePath ?? ''
  const extra = first?.params['additionalProperty']
  if (typeof extra === 'string') {
    throw new OracleError(code, `unknown field "${extra}"`, { path: `${path}/${escapePointer(extra)}` })
  }
  const missing = first?.params['missingProperty']
  const allowed = first?.params['allowedValues']
  if (typeof missing === 'string')
    throw new OracleError(code, `"${missing}" is missing`, { path: `${path}/${escapePointer(missing)}` })
  const what = Array.isArray(allowed) ? `must be one of ${allowed.join(', ')}` : (first?.message ?? 'does not fit')
  throw new OracleError(code, what, { path })
}

function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
