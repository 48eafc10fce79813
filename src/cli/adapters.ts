// `assay adapters`: which sources can be asked, and what one of them answers right now or made of a body in a file.

import { adapters } from '../../adapters/index.js'
import { OracleError } from '../base/errors.js'
import { readBounded } from '../base/read-file.js'
import { parseJson } from '../core/canonical.js'
import type { Adapter, Params, Raw, SourceReading } from '../observe/adapter.js'
import { limitsFor, read } from '../observe/reader.js'
import { SourceError } from '../observe/source-error.js'
import { createSourceWire, type SourceWire } from '../observe/wire.js'
import { checkSchema } from '../schema/check.js'
import { validators } from '../schema/generated/validators.js'
import type { Printer } from './print.js'

export interface RunOptions {
  /** JSON text. */
  readonly params?: string
  /** A file with a body of this source: nothing is asked then. */
  readonly raw?: string
}

const paramsBytesMax = 65_536
/** How long a stream may take to say something about the parameters. */
const firstMessageMs = 30_000

/** Prints every adapter with its limits. */
export function listAdapters(printer: Printer): number {
  const rows = adapters.map(({ id, version, title, docs, class: kind, schemas, limits, subscribe }) => ({
    ...{ id, version, title, docs, class: kind },
    transport: subscribe === undefined ? 'http' : 'websocket',
    ...{ params: schemas.params, value: schemas.value, limits },
  }))
  const width = (pick: (row: (typeof rows)[number]) => string): number =>
    Math.max(...rows.map((row) => pick(row).length))
  const idWidth = width(({ id }) => id)
  const valueWidth = width(({ value }) => value)
  const paramsWidth = width(({ params }) => params)
  const lines = rows.map(
    ({ id, version, value, params, title }) =>
      `${id.padEnd(idWidth)}  v${version}  ${params.padEnd(paramsWidth)} → ${value.padEnd(valueWidth)}  ${title}`,
  )
  printer.result({ adapters: rows }, lines.join('\n'))
  return 0
}

/** Prints {value, observedAtMs} of one reading (null: the source gives no time of its own), or {error: {code, …}}; 0 or 1. */
export async function runAdapter(id: string, options: RunOptions, print: (line: unknown) => void): Promise<number> {
  try {
    const adapter = adapterOf(id)
    const params = paramsOf(adapter, options.params ?? '{}')
    const reading = options.raw === undefined ? await askNow(adapter, params) : ofFile(adapter, params, options.raw)
    const { value, observedAtMs } = reading
    print({ value, observedAtMs })
    return 0
  } catch (error) {
    if (!(error instanceof OracleError)) throw error
    print({ error: { code: error.code, message: error.message, path: error.path, facts: error.facts } })
    return 1
  }
}

function adapterOf(id: string): Adapter {
  const adapter = adapters.find((candidate) => candidate.id === id)
  if (adapter !== undefined) return adapter
  const known = adapters.map((candidate) => candidate.id).join(', ')
  throw new OracleError('ADAPTER_UNKNOWN', `there is no adapter "${id}"; there are ${known}`)
}

function paramsOf({ schemas }: Adapter, text: string): Params {
  let params: unknown
  try {
    params = parseJson(new TextEncoder().encode(text), paramsBytesMax)
  } catch (cause) {
    throw new OracleError('ADAPTER_PARAMS', `the parameters are no JSON: ${(cause as Error).message}`, { cause })
  }
  checkSchema(validators[`params/${schemas.params}`]!, params, 'ADAPTER_PARAMS')
  return params as Params
}

function ofFile(adapter: Adapter, params: Params, file: string): SourceReading {
  const bytes = readBounded(file, adapter.limits.bytesMax, 'RAW_UNREADABLE')
  return present(read(adapter, { bytes, mediaType: mediaTypeOf(file) }, params))
}

async function askNow(adapter: Adapter, params: Params): Promise<SourceReading> {
  const wire = createSourceWire({ loopback: [], origins: {} })
  try {
    if (adapter.request !== undefined) {
      const { raw } = await wire.get(adapter.request(params), limitsFor(adapter, params), new AbortController().signal)
      return present(read(adapter, raw, params))
    }
    return await firstOf(adapter, params, wire)
  } finally {
    await wire.close()
  }
}

/** The first message of a stream that is about the parameters. */
async function firstOf(adapter: Adapter, params: Params, wire: SourceWire): Promise<SourceReading> {
  const signal = AbortSignal.timeout(firstMessageMs)
  for await (const raw of wire.open(adapter.subscribe!(params), limitsFor(adapter, params), signal)) {
    const reading = read(adapter, raw, params)
    if (reading !== null) return reading
  }
  throw new SourceError('SOURCE_TIMEOUT', `no message about these parameters within ${firstMessageMs} ms`)
}

function present(reading: SourceReading | null): SourceReading {
  if (reading !== null) return reading
  throw new SourceError('SOURCE_NO_DATA', 'the message concerns something else')
}

function mediaTypeOf(file: string): Raw['mediaType'] {
  if (/\.json$/.test(file)) return 'application/json'
  if (/\.xml$/.test(file)) return 'application/xml'
  return /\.html?$/.test(file) ? 'text/html' : ''
}
