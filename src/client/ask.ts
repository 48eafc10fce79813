// One GET of a stranger's server, bounded in bytes and time: the only place where the client meets the network.

import { OracleError } from '../base/errors.js'
import { concat } from '../core/bytes.js'

/** How to reach a server. */
export interface Reach {
  /** http(s)://host[:port][/prefix], without a slash at the end. */
  readonly url: string
  readonly fetch: typeof fetch
  /** For a whole answer. */
  readonly timeoutMs: number
  readonly bytesMax: number
}

/** The body that `path` answers with 200; CLIENT_UNREACHABLE, CLIENT_REFUSED, CLIENT_ANSWER_UNFIT. */
export async function ask(reach: Reach, path: string): Promise<Uint8Array> {
  const { body } = await askAny(reach, path, [200])
  return body
}

/** Like `ask`, for answers of one of `statuses`. */
export async function askAny(
  reach: Reach,
  path: string,
  statuses: readonly number[],
): Promise<{ readonly status: number; readonly body: Uint8Array }> {
  const ending = new AbortController()
  const timer = setTimeout(() => ending.abort(), reach.timeoutMs)
  try {
    const response = await open(reach, path, 'application/json', ending.signal)
    const body = await readAll(response, reach.bytesMax, ending.signal)
    if (statuses.includes(response.status)) return { status: response.status, body }
    throw refused(path, response.status, body)
  } catch (error) {
    if (error instanceof OracleError) throw error
    if (!ending.signal.aborted) throw unreachable(reach, error)
    throw new OracleError('CLIENT_ANSWER_UNFIT', `no whole answer within ${reach.timeoutMs} ms`, { path })
  } finally {
    clearTimeout(timer)
    ending.abort() // a body that was not read to its end is not waited for
  }
}

/** Opens the stream at `path`; CLIENT_UNREACHABLE, CLIENT_REFUSED. The caller ends it by `ending`. */
export async function openStream(
  reach: Reach,
  path: string,
  ending: AbortController,
): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  const timer = setTimeout(() => ending.abort(), reach.timeoutMs)
  try {
    const response = await open(reach, path, 'text/event-stream', ending.signal)
    if (response.status !== 200)
      throw refused(path, response.status, await readAll(response, reach.bytesMax, ending.signal))
    if (response.body === null) throw new OracleError('CLIENT_ANSWER_UNFIT', 'the answer has no body', { path })
    return readerOf(response.body, ending.signal)
  } catch (error) {
    ending.abort()
    throw error instanceof OracleError ? error : unreachable(reach, error)
  } finally {
    clearTimeout(timer)
  }
}

function open(reach: Reach, path: string, accept: string, signal: AbortSignal): Promise<Response> {
  // Nothing of the reader's goes along, and no other server is sent for.
  const options = { headers: { accept }, credentials: 'omit', redirect: 'error', signal } as const
  return reach.fetch(`${reach.url}${path}`, options)
}

/**
 * A reader that `signal` ends. fetch promises that of its body, too, but some engines lose the tie once the answer's head
 * is there and memory is tidied up; a body that drips would then be read for ever.
 */
function readerOf(body: ReadableStream<Uint8Array>, signal: AbortSignal): ReadableStreamDefaultReader<Uint8Array> {
  const reader = body.getReader()
  signal.addEventListener('abort', () => void reader.cancel().catch(() => undefined), { once: true })
  return reader
}

async function readAll(response: Response, bytesMax: number, signal: AbortSignal): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array(0)
  const reader = readerOf(response.body, signal)
  const chunks: Uint8Array[] = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    signal.throwIfAborted()
    if (done) break
    length += value.length
    if (length > bytesMax) throw new OracleError('CLIENT_ANSWER_UNFIT', `the answer has more than ${bytesMax} bytes`)
    chunks.push(value)
  }
  return concat(...chunks)
}

function unreachable(reach: Reach, cause: unknown): OracleError {
  return new OracleError('CLIENT_UNREACHABLE', `${reach.url} cannot be reached, or broke off`, {
    path: reach.url,
    cause,
  })
}

/** What the server says is its word alone: shown with its limits, never acted on. */
function refused(path: string, status: number, body: Uint8Array): OracleError {
  let said = ''
  try {
    const { error } = JSON.parse(new TextDecoder().decode(body)) as { error: { code: unknown; message: unknown } }
    said = `: ${error.code} ${error.message}`.replace(/[^ -~]/g, '?').slice(0, 200)
  } catch {
    // A body of another kind says nothing.
  }
  return new OracleError('CLIENT_REFUSED', `the server answered ${status}${said}`, { path, facts: { status } })
}
