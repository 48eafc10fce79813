// How the API says no: an HTTP status, and a body with the code, the place and what to do.

import { type ErrorCode, errorCodes } from '../base/error-codes.js'
import { OracleError } from '../base/errors.js'

/** HTTP status by code; every other code is this oracle's own trouble, 500. */
const statusOf: Readonly<Partial<Record<ErrorCode, number>>> = {
  API_PARAMETER: 400,
  API_REQUEST_UNFIT: 400,
  API_FEED_UNKNOWN: 404,
  API_ROUTE_UNKNOWN: 404,
  REPORT_UNKNOWN: 404,
  API_METHOD_UNKNOWN: 405,
  API_NO_REPORT: 503,
  API_BUSY: 503,
}

/** The status and JSON body of a refusal; no stack, and nothing of an error that is not ours. */
export function refusal(error: unknown): { readonly status: number; readonly body: string } {
  const { code, message, path } = asOracleError(error)
  const body = JSON.stringify({ error: { code, message, path, advice: errorCodes[code] } })
  return { status: statusOf[code] ?? 500, body }
}

/** What Fastify found wrong with a request, as one of our errors; anything unknown is API_FAILED and says no more. */
function asOracleError(error: unknown): OracleError {
  if (error instanceof OracleError) return error
  const found = error as {
    readonly statusCode?: number
    readonly validationContext?: string
    readonly validation?: readonly {
      readonly instancePath?: string
      readonly params?: object
      readonly message?: string
    }[]
  }
  const first = found.validation?.[0]
  if (first !== undefined) {
    const extra = (first.params as { additionalProperty?: string } | undefined)?.additionalProperty
    const message = extra === undefined ? (first.message ?? 'does not fit') : `the parameter ${extra} is unknown`
    const path = extra === undefined ? (first.instancePath ?? '') : `/${extra}`
    return new OracleError('API_PARAMETER', message, { path })
  }
  if (found.statusCode !== undefined && found.statusCode >= 400 && found.statusCode < 500)
    return new OracleError('API_REQUEST_UNFIT', 'the request is malformed or larger than any valid one')
  return new OracleError('API_FAILED', 'this oracle failed to answer')
}
