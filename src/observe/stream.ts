// One WebSocket subscription: its messages in order, read no faster than they are used, and the reason why it ended.

import { type Dispatcher, WebSocket } from 'undici'
import type { AdapterLimits, Raw } from './adapter.js'
import { createFlood } from './flood.js'
import { type Reply, refusalOfFailure, refusalOfStatus } from './reply.js'
import type { Route } from './route.js'
import { SourceError } from './source-error.js'

export interface StreamParts {
  readonly route: Route
  /** Text frames sent once the socket is open. */
  readonly messages: readonly string[]
  readonly quietMs: number
  readonly limits: AdapterLimits
  readonly userAgent: string
  /** Caps messages at limits.bytesMax where it can; the stream checks again. */
  readonly dispatcher: Dispatcher
  readonly onRefused: (statusCode: number, headers: Reply['headers']) => void
  /** Aborts with a SourceError. */
  readonly signal: AbortSignal
  readonly steadyMs: () => number
}

/** Messages that may wait to be read; with more, the socket is left unread until they are. */
const waitingMax = 16

/** How often the bytes that came are looked at; pings and parts of messages are seen nowhere else. */
const lookMs = 250

/** The part of a socket that is needed here. */
interface Tap {
  readonly bytesRead: number
  write(...args: unknown[]): unknown
  pause(): unknown
  resume(): unknown
  destroySoon(): unknown
  destroy(): unknown
}

/** How far one subscription is. */
interface Progress {
  tap: Tap | null
  /** The code that our own side closed with; null while it did not. */
  ownCloseCode: number | null
  isOpen: boolean
  isOver: boolean
  refusal: SourceError | null
}

/** The messages of a subscription; see SourceWire.open for how it ends. The socket is gone when it does. */
export async function* listen(parts: StreamParts): AsyncGenerator<Raw, void, undefined> {
  const { route, limits, signal } = parts
  const { host } = route
  const waiting: Raw[] = []
  const now: Progress = { tap: null, ownCloseCode: null, isOpen: false, isOver: false, refusal: null }
  let wake: () => void = () => {}

  const finish = (why: SourceError | null): void => {
    if (now.isOver) return
    now.isOver = true
    now.refusal = why
    wake()
  }

  const flood = createFlood(parts.steadyMs)
  const tooMuch = (): void => {
    const message = `${host} sends more than a subscription may: it is left alone for a while`
    finish(new SourceError('SOURCE_RATE_LIMITED', message, { facts: { host } }))
    // At once: what is buffered must not be read, and what it asks for must not be written.
    now.tap?.destroy()
  }
  signal.throwIfAborted()
  const dispatcher = parts.dispatcher.compose(
    observed({
      onUpgrade(socket) {
        now.tap = socket
        const write = socket.write.bind(socket)
        // undici tells only the peer why it gives a connection up: read it from the close frame that it sends.
        socket.write = (...args) => {
          now.ownCloseCode ??= closeCodeOf(args[0])
          // All that is written after the subscription answers a ping or a close.
          if (now.isOpen && !flood.count('answers', 1)) tooMuch()
          return write(...args)
        }
      },
      onStatus(statusCode, headers) {
        parts.onRefused(statusCode, headers)
        const noUpgrade = new SourceError('SOURCE_FAILED', `${host} does not speak WebSocket`, { facts: { host } })
        finish(refusalOfStatus(host, statusCode) ?? noUpgrade)
      },
      onError: (error) => finish(refusalOfFailure(host, error, false)),
    }),
  )
  const socket = new WebSocket(`${route.origin.replace(/^http/, 'ws')}${route.path}`, {
    dispatcher,
    headers: { 'user-agent': parts.userAgent },
  })
  socket.binaryType = 'arraybuffer'
  socket.onopen = () => {
    now.isOpen = true
    for (const message of parts.messages) socket.send(message)
    wake()
  }
  socket.onmessage = ({ data }) => {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : new Uint8Array(data as ArrayBuffer)
    if (bytes.length > limits.bytesMax) return finish(tooLong(host, limits.bytesMax))
    if (!flood.count('frames', 1)) return tooMuch()
    waiting.push({ bytes, mediaType: '' })
    if (waiting.length >= waitingMax) now.tap?.pause()
    wake()
  }
  socket.onclose = ({ code }) =>
    finish(now.isOpen ? endOf(host, code, now.ownCloseCode, limits.bytesMax) : failed(host))
  const callOff = (): void => finish(signal.reason as SourceError)
  signal.addEventListener('abort', callOff, { once: true })

  let bytesSeen = 0
  const looking = setInterval(() => {
    const bytesRead = now.tap?.bytesRead ?? 0
    if (!flood.count('bytes', bytesRead - bytesSeen)) tooMuch()
    bytesSeen = bytesRead
  }, lookMs)

  try {
    while (true) {
      const raw = signal.aborted ? undefined : waiting.shift()
      if (raw !== undefined) {
        if (waiting.length === 0) now.tap?.resume()
        yield raw
        continue
      }
      if (now.isOver) break
      const waitMs = now.isOpen ? parts.quietMs : limits.timeoutMs
      const wasOpen = now.isOpen
      const timer = setTimeout(() => finish(silent(host, wasOpen, waitMs)), waitMs)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
      clearTimeout(timer)
    }
    if (now.refusal !== null) throw now.refusal
  } finally {
    now.isOver = true
    clearInterval(looking)
    signal.removeEventListener('abort', callOff)
    socket.close()
    release(now.tap)
  }
}

/** Lets a last frame out, then ends the connection: a source need not agree to that. */
function release(tap: Tap | null): void {
  tap?.destroySoon()
  setTimeout(() => tap?.destroy(), 1_000).unref()
}

interface Observer {
  onUpgrade(socket: Tap): void
  /** A reply in place of an upgrade. */
  onStatus(statusCode: number, headers: Reply['headers']): void
  onError(error: unknown): void
}

/** Looks on while undici opens a WebSocket: its own events say neither status nor cause. */
function observed(observer: Observer): Dispatcher.DispatchInterceptor {
  return (dispatch) => (options, handler) =>
    dispatch(options, {
      onRequestStart: (...args) => handler.onRequestStart?.(...args),
      onRequestUpgrade(controller, statusCode, headers, socket) {
        observer.onUpgrade(socket as unknown as Tap)
        handler.onRequestUpgrade?.(controller, statusCode, headers, socket)
      },
      onResponseStart(controller, statusCode, headers, statusMessage) {
        if (statusCode >= 200) observer.onStatus(statusCode, headers)
        handler.onResponseStart?.(controller, statusCode, headers, statusMessage)
      },
      onResponseData: (...args) => handler.onResponseData?.(...args),
      onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
      onResponseError(controller, error) {
        observer.onError(error)
        handler.onResponseError?.(controller, error)
      },
    })
}

/** The code in a masked close frame (RFC 6455, 5.5.1); null for any other write. */
function closeCodeOf(frame: unknown): number | null {
  if (!(frame instanceof Uint8Array) || frame.length < 8 || frame[0] !== 0x88) return null
  return ((frame[6]! ^ frame[2]!) << 8) | (frame[7]! ^ frame[3]!)
}

/** Why an open socket closed: null for a close in order. */
function endOf(host: string, code: number, ownCode: number | null, bytesMax: number): SourceError | null {
  if (code === 1000 || code === 1001 || code === 1005) return null
  if (code !== 1006)
    return new SourceError('SOURCE_FAILED', `${host} closed the stream`, { facts: { host, closeCode: code } })
  if (ownCode === 1009) return tooLong(host, bytesMax)
  // 1000 is what undici says for want of a code, when its reader is cut off in the middle of a frame.
  if (ownCode !== null && ownCode !== 1000)
    return new SourceError('SOURCE_FAILED', `${host} broke the WebSocket protocol`, { facts: { host } })
  return new SourceError('SOURCE_UNREACHABLE', `the stream of ${host} broke off`, { facts: { host } })
}

function failed(host: string): SourceError {
  return new SourceError('SOURCE_FAILED', `${host} does not speak WebSocket`, { facts: { host } })
}

function tooLong(host: string, bytesMax: number): SourceError {
  const message = `a message of ${host} is longer than ${bytesMax} bytes`
  return new SourceError('SOURCE_TOO_LARGE', message, { facts: { host, bytesMax } })
}

function silent(host: string, wasOpen: boolean, waitMs: number): SourceError {
  const message = wasOpen ? `the stream of ${host} was silent too long` : `${host} opens no stream in time`
  return new SourceError('SOURCE_TIMEOUT', message, { facts: { host, waitMs } })
}
