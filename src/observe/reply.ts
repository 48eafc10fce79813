// What a source's HTTP reply means before anyone looks into it: its status, its whole body within limits, its encoding.

import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import type { Raw } from './adapter.js'
import { codeOf } from './guard.js'
import { SourceError } from './source-error.js'

/** A reply whose body was not read yet. */
export interface Reply {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Readable
}

/** The first value of a header; undefined when it is absent. */
export function headerOf(headers: Reply['headers'], name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : value?.[0]
}

/** Ends a reply whose body is not wanted, and its connection with it. */
export function discard({ body }: Reply): void {
  body.on('error', () => {})
  body.destroy()
}

/** The refusal that a status other than 2xx and a followed 3xx means; null for 2xx. */
export function refusalOfStatus(host: string, status: number, body = ''): SourceError | null {
  if (status >= 200 && status <= 299) return null
  const facts = { host, status }
  if (status === 401 || status === 403)
    return new SourceError('SOURCE_UNAUTHORISED', `${host} answered ${status}`, { facts })
  if (status === 429 || status === 418)
    return new SourceError('SOURCE_RATE_LIMITED', `${host} answered ${status}`, { facts })
  if (status >= 300 && status <= 399) return new SourceError('SOURCE_MOVED', `${host} answered ${status}`, { facts })
  if (status >= 400 && status <= 499)
    return new SourceError('SOURCE_REFUSED', `${host} answered ${status}`, { facts: { ...facts, body } })
  return new SourceError('SOURCE_FAILED', `${host} answered ${status}`, { facts })
}

/**
 * The whole body of a 2xx reply, decoded, of 1 to `bytesMax` bytes. A reply without a body (204, or an empty one) and a
 * part of one (206: no range was asked for) is SOURCE_TRUNCATED: there is nothing in it that could be whole.
 */
export async function readBody(host: string, reply: Reply, bytesMax: number): Promise<Raw> {
  const declared = Number(headerOf(reply.headers, 'content-length') ?? 0)
  if (declared > bytesMax) {
    discard(reply)
    throw tooLarge(host, bytesMax)
  }
  if (reply.statusCode === 206) {
    discard(reply)
    throw new SourceError('SOURCE_TRUNCATED', `${host} answered with a part (206)`, { facts: { host, status: 206 } })
  }
  const encoded = await collect(host, reply.body, bytesMax)
  const bytes = await decode(host, encoded, headerOf(reply.headers, 'content-encoding') ?? '', bytesMax)
  if (bytes.length === 0)
    throw new SourceError('SOURCE_TRUNCATED', `${host} answered without a body`, {
      facts: { host, status: reply.statusCode },
    })
  const mediaType = (headerOf(reply.headers, 'content-type') ?? '').split(';')[0]!.trim().toLowerCase()
  return { bytes, mediaType }
}

/** The first 200 printable characters of a refusal's body; reads no more than 4 KiB of it and never fails. */
export async function excerptOf(reply: Reply): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of reply.body as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      length += chunk.length
      if (length >= 4096) break
    }
  } catch {
    // What came until then will do: the status says what matters.
  }
  discard(reply)
  const text = Buffer.concat(chunks).toString('latin1')
  return text
    .replace(/[^\x21-\x7e]+/g, ' ')
    .trim()
    .slice(0, 200)
}

async function collect(host: string, body: Readable, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > bytesMax) throw tooLarge(host, bytesMax)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

type Decode = (bytes: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>

const decoders: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['gzip', promisify(gunzip) as Decode],
  ['x-gzip', promisify(gunzip) as Decode],
  ['deflate', promisify(inflate) as Decode],
  ['br', promisify(brotliDecompress) as Decode],
])

/** We ask for identity; a source that compresses all the same is decoded, up to the same limit. */
async function decode(host: string, bytes: Buffer, encoding: string, bytesMax: number): Promise<Uint8Array> {
  const name = encoding.trim().toLowerCase()
  if (name === '' || name === 'identity' || bytes.length === 0) return bytes
  const facts = { host, encoding: name.slice(0, 64) }
  const decoder = decoders.get(name)
  if (decoder === undefined)
    throw new SourceError('SOURCE_FAILED', `${host} encodes its body in a way it was not asked for`, { facts })
  try {
    return await decoder(bytes, { maxOutputLength: bytesMax })
  } catch (cause) {
    const code = codeOf(cause)
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(host, bytesMax)
    if (code === 'Z_BUF_ERROR')
      throw new SourceError('SOURCE_TRUNCATED', `the compressed body of ${host} ends too early`, { facts, cause })
    throw new SourceError('SOURCE_FAILED', `the compressed body of ${host} is broken`, { facts, cause })
  }
}

function tooLarge(host: string, bytesMax: number): SourceError {
  const message = `the answer of ${host} is longer than ${bytesMax} bytes`
  return new SourceError('SOURCE_TOO_LARGE', message, { facts: { host, bytesMax } })
}

/**
 * The refusal that a failure of undici, Node or the guard means; `isBody` tells whether the reply had begun. Messages
 * and facts name the host and a code, never what was sent.
 */
export function refusalOfFailure(host: string, cause: unknown, isBody: boolean): SourceError {
  if (cause instanceof SourceError) return cause
  const code = codeOf(cause)
  const facts = { host, cause: code }
  if (/_TIMEOUT$/.test(code)) return new SourceError('SOURCE_TIMEOUT', `${host} takes too long`, { facts, cause })
  if (/HEADERS?_OVERFLOW$/.test(code))
    return new SourceError('SOURCE_TOO_LARGE', `the headers of ${host} are too long`, { facts, cause })
  if (isBody) return new SourceError('SOURCE_TRUNCATED', `the body of ${host} ended too early`, { facts, cause })
  if (/^HPE_|^HTTPParserError$/.test(code))
    return new SourceError('SOURCE_FAILED', `${host} does not answer in HTTP`, { facts, cause })
  return new SourceError('SOURCE_UNREACHABLE', `the connection to ${host} failed`, { facts, cause })
}
