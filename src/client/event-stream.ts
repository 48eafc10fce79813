// Server-sent events as they come, over one connection: bounded in size, and given up when the server falls silent.

import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { OracleError } from '../base/errors.js'
import { openStream, type Reach } from './ask.js'

/** Three heartbeats of the server without a byte: the connection is dead. */
const silenceMs = 45_000

/**
 * The events of `path` until the server ends, `signal` aborts (then the sequence ends) or something is wrong:
 * CLIENT_UNREACHABLE, CLIENT_REFUSED, CLIENT_ANSWER_UNFIT for an event of more than `reach.bytesMax`. Nothing is read ahead
 * of the caller but one chunk.
 */
export async function* eventStream(
  reach: Reach,
  path: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<EventSourceMessage> {
  const ending = new AbortController()
  const abort = (): void => ending.abort()
  signal?.addEventListener('abort', abort)
  if (signal?.aborted) abort()
  try {
    const reader = await openStream(reach, path, ending)
    const events: EventSourceMessage[] = []
    const parser = createParser({
      maxBufferSize: reach.bytesMax,
      onEvent: (event) => events.push(event),
      onError: (error) => {
        if (error.type === 'max-buffer-size-exceeded') throw error
      },
    })
    const text = new TextDecoder()
    for (;;) {
      const timer = setTimeout(abort, silenceMs)
      const { done, value } = await reader.read().finally(() => clearTimeout(timer))
      ending.signal.throwIfAborted()
      if (done) return
      try {
        parser.feed(text.decode(value, { stream: true }))
      } catch {
        throw new OracleError('CLIENT_ANSWER_UNFIT', `an event has more than ${reach.bytesMax} bytes`, { path })
      }
      yield* events.splice(0)
    }
  } catch (cause) {
    if (signal?.aborted) return
    if (cause instanceof OracleError) throw cause
    throw new OracleError('CLIENT_UNREACHABLE', `${reach.url} broke off`, { path: reach.url, cause })
  } finally {
    signal?.removeEventListener('abort', abort)
    ending.abort()
  }
}
