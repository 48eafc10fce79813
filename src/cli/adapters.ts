// `assay adapters`: which sources can be asked, and what one of them answers right now or made of a body in a file.

import { adapters } from '../../adapters/index.js'
import { errorCodes } from '../base/error-codes.js'
import { OracleError } from '../base/errors.js'
import { readBounded } from '../base/read-file.js'
import { parseJson } from '../core/canonical.js'
import type { Adapter, Params, Raw, SourceReading } from '../observe/adapter.js'
import { limitsFor, read } from '../observe/reader.js'
import { SourceError } from '../observe/source-error.js'
import { createSourceWire, type SourceWire } from '../observe/wire.js'
import { checkSchema } from '../schema/check.js'
import { documents, validators } from '../schema/generated/validators.js'
import type { Printer } from './print.js'
import { typeable } from './shipped.js'

export interface RunOptions {
  /** JSON text. */
  readonly params?: string
  /** A file with a body of this source: nothing is asked then. */
  readonly raw?: string
}

const paramsBytesMax = 65_536
/** How long a stream may take to say something about the parameters. */
const firstMessageMs = 30_000

/** Prints every adapter with its parameters and limits. */
export function listAdapters(printer: Printer): number {
  const rows = adapters.map(({ id, version, title, docs, class: kind, schemas, limits, subscribe }) => ({
    ...{ id, version, title, docs, class: kind },
    transport: subscribe === undefined ? 'http' : 'websocket',
    ...{ params: schemas.params, parameters: parametersOf(schemas.params), value: schemas.value, limits },
  }))
  const wide = Math.max(...rows.map(({ id }) => id.length))
  const lines = rows.flatMap(({ id, version, transport, parameters, value, title, limits }) => {
    const named = parameters.map(({ name, required }) => `${name}${required ? '*' : ''}`)
    const asked = transport === 'http' ? `${limits.perMinute} requests a minute` : 'a stream'
    return [
      `${id.padEnd(wide)}  v${version}  ${value}: ${title}`,
      `${''.padEnd(wide)}      params ${named.join(', ')}`,
      `${''.padEnd(wide)}      ${asked}, ${limits.timeoutMs / 1000} s, ${Math.ceil(limits.bytesMax / 1024)} KiB`,
    ]
  })
  lines.push('', '* needed. Limits: how often each host is asked, how long an answer may take, how long it may be.')
  printer.result({ adapters: rows }, lines.join('\n'))
  return 0
}

/** The parameters of schemas/params/`name`.json in order. */
function parametersOf(name: string): readonly { name: string; required: boolean; description: string }[] {
  const { properties, required } = documents[`params/${name}`] as unknown as {
    readonly properties: Readonly<Record<string, { readonly description?: string }>>
    readonly required?: readonly string[]
  }
  return Object.entries(properties).map(([property, { description = '' }]) => {
    return { name: property, required: required?.includes(property) === true, description }
  })
}

/** Prints {value, observedAtMs} of one reading (null: the source gives no time of its own), or {error: {code, …, advice}}; 0 or 1. */
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
    const { code, message, path, facts } = error
    print({ error: { code, message, path, facts, advice: typeable(errorCodes[code]) } })
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
