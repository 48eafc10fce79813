// The replay server: stands in for the venues on loopback, and keeps the one clock that all oracles of a replay run on.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { OracleError } from '../base/errors.js'
import type { Answer, Show } from './show.js'

export interface ReplayOptions {
  readonly show: Show
  /** Step 0 begins once this many oracles are connected, or `waitMs` after the first. */
  readonly expect: number
  /** At most this many steps a second; null: as fast as the oracles read. */
  readonly speed: number | null
  /** Any free port unless given. */
  readonly port?: number
  readonly waitMs?: number
  /** An oracle that has not read a step for this long is dropped. */
  readonly silentMs?: number
  /** An oracle that is no longer waited for: its connection ended, or it fell silent. */
  readonly onLost?: (oracle: string, reason: 'closed' | 'silent') => void
}

export interface Replay {
  /** http://127.0.0.1:PORT/clock */
  readonly clockUrl: string
  /** Host of the show → where it is served: http://127.0.0.1:PORT/<host> */
  readonly origins: Readonly<Record<string, string>>
  /** What an oracle must list as loopback that it may ask. */
  readonly loopback: readonly string[]
  /** −1 before step 0 begins. */
  readonly currentStep: () => number
  /** Oracles connected now. */
  readonly connected: () => readonly string[]
  /** From now on at most this many steps a second, the current one included; null: as fast as the oracles read. */
  readonly setSpeed: (speed: number | null) => void
  /** Resolves when the last step was read, or at `close`. */
  readonly ended: Promise<void>
  readonly close: () => Promise<void>
}

const oraclesMax = 64
const targetCharsMax = 2048
/** Answers kept for one step: every oracle asks the same things. */
const answersMax = 4096

/** One oracle that follows the clock. */
interface Reader {
  readonly stream: ServerResponse
  /** The last step whose answers it holds. */
  ready: number
  /** The last step that it is done with. */
  read: number
  /** Since when it could have said what it owes, steady ms. */
  sinceMs: number
}

/**
 * Serves on 127.0.0.1 until `close`. GET /clock?oracle=NAME streams {"step", "nowMs"} lines; POST /clock/ready says that
 * NAME holds the answers of step K, and once all connected oracles do, {"go": K} lets them turn their clocks together;
 * POST /clock/read says that NAME is done with it (both: ?oracle=NAME&step=K, 204). A step ends when every connected oracle
 * is done and 1/speed seconds are over; without any oracle it does not end. {"end": true} follows the last step.
 * /<host>/<path> is the show's host.
 */
export async function startReplay(options: ReplayOptions): Promise<Replay> {
  const clock = createClock(options)
  const server = createServer({ keepAliveTimeout: 60_000, maxHeaderSize: 8192 }, (request, response) => {
    response.sendDate = false
    request.resume()
    clock.serve(request, response)
  })
  server.maxConnections = 1024
  await listen(server, options.port ?? 0)
  const { port } = server.address() as AddressInfo
  const here = `http://127.0.0.1:${port}`
  return {
    clockUrl: `${here}/clock`,
    origins: Object.fromEntries(options.show.hosts.map((host) => [host, `${here}/${host}`])),
    loopback: [`127.0.0.1:${port}`],
    currentStep: clock.currentStep,
    connected: clock.connected,
    setSpeed: clock.setSpeed,
    ended: clock.ended,
    close: async () => {
      clock.close()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

interface Clock {
  readonly serve: (request: IncomingMessage, response: ServerResponse) => void
  readonly currentStep: () => number
  readonly connected: () => readonly string[]
  readonly setSpeed: (speed: number | null) => void
  readonly ended: Promise<void>
  readonly close: () => void
}

function createClock({ show, expect, speed, waitMs = 30_000, silentMs = 60_000, onLost }: ReplayOptions): Clock {
  const readers = new Map<string, Reader>()
  let stepMsMin = speed === null ? 0 : 1000 / speed
  let step = -1
  /** The step whose go was given. */
  let gone = -1
  let beganMs = 0
  let isOver = false
  let answers = new Map<string, Answer>()
  let pace: NodeJS.Timeout | undefined
  let finish: () => void = () => undefined
  const ended = new Promise<void>((resolve) => {
    finish = resolve
  })

  const tell = (stream: ServerResponse): void => {
    stream.write(`{"step":${step},"nowMs":${show.stepsMs[step]}}\n`)
  }
  const begin = (next: number): void => {
    step = next
    beganMs = performance.now()
    answers = new Map()
    for (const reader of readers.values()) reader.sinceMs = beganMs
    for (const { stream } of readers.values()) tell(stream)
  }
  const isReached = (by: 'ready' | 'read'): boolean => {
    for (const reader of readers.values()) if (reader[by] < step) return false
    return readers.size > 0
  }
  /** Gives the go, or begins the next step, if it is time; called after whatever may have brought it about. */
  const advance = (): void => {
    if (isOver || step < 0) return
    if (gone < step) {
      if (!isReached('ready')) return
      gone = step
      for (const reader of readers.values()) reader.sinceMs = performance.now()
      for (const { stream } of readers.values()) stream.write(`{"go":${step}}\n`)
    }
    if (!isReached('read')) return
    const leftMs = beganMs + stepMsMin - performance.now()
    clearTimeout(pace)
    if (leftMs > 0) pace = setTimeout(advance, Math.ceil(leftMs))
    else if (step + 1 < show.stepsMs.length) begin(step + 1)
    else {
      close()
      for (const { stream } of readers.values()) stream.end('{"end":true}\n')
    }
  }
  const start = (): void => {
    if (step >= 0 || isOver) return
    clearTimeout(gather)
    if (show.stepsMs.length === 0) return close()
    begin(0)
  }
  let gather: NodeJS.Timeout | undefined
  const lose = (name: string, reader: Reader, reason: 'closed' | 'silent'): void => {
    if (readers.get(name) !== reader) return
    readers.delete(name)
    reader.stream.destroy()
    if (!isOver) onLost?.(name, reason)
    advance()
  }
  /** Whether it is this oracle's turn to say something: who waits for the go waits for others. */
  const owes = ({ ready, read }: Reader): boolean => (gone < step ? ready : read) < step
  const silence = setInterval(
    () => {
      if (step < 0) return
      for (const [name, reader] of [...readers])
        if (owes(reader) && performance.now() - reader.sinceMs > silentMs) lose(name, reader, 'silent')
    },
    Math.max(10, silentMs / 20),
  )
  const close = (): void => {
    isOver = true
    clearInterval(silence)
    clearTimeout(pace)
    clearTimeout(gather)
    finish()
  }

  const join = (name: string, stream: ServerResponse): void => {
    const before = readers.get(name)
    if (before === undefined && readers.size === oraclesMax) return refuse(stream, 503, 'too many oracles')
    // A restarted oracle may come back before its old connection is known to be dead.
    if (before !== undefined) lose(name, before, 'closed')
    stream.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' })
    stream.flushHeaders()
    if (isOver) return void stream.end('{"end":true}\n')
    const reader: Reader = { stream, ready: -1, read: -1, sinceMs: performance.now() }
    readers.set(name, reader)
    stream.on('close', () => lose(name, reader, 'closed'))
    stream.on('error', () => lose(name, reader, 'closed'))
    if (step >= 0) {
      tell(stream)
      if (gone === step) stream.write(`{"go":${step}}\n`)
      return
    }
    if (readers.size >= expect) return start()
    gather ??= setTimeout(start, waitMs)
  }
  const note = (by: 'ready' | 'read', name: string, text: string | null, response: ServerResponse): void => {
    const reader = readers.get(name)
    if (reader === undefined) return refuse(response, 409, 'this oracle does not follow the clock: GET /clock first')
    const value = text !== null && /^\d{1,9}$/.test(text) ? Number(text) : -1
    if (value < 0 || value > step) return refuse(response, 400, 'step is a whole number, at most the current one')
    response.writeHead(204).end()
    if (value > reader[by]) reader[by] = value
    // Who is done with a step has its answers.
    if (reader.ready < reader.read) reader.ready = reader.read
    advance()
  }
  const serveHost = (target: string, response: ServerResponse): void => {
    const end = target.indexOf('/', 1)
    const host = end < 0 ? target.slice(1) : target.slice(1, end)
    const place = end < 0 ? '/' : target.slice(end)
    let answer: Answer | null | undefined = answers.get(target)
    if (answer === undefined) {
      answer = show.answer(host, place, Math.max(0, step))
      if (answer === null) return refuse(response, 404, 'the replay has no such place')
      if (answers.size < answersMax) answers.set(target, answer)
    }
    response.writeHead(answer.status, {
      'content-type': answer.mediaType,
      'content-length': Buffer.byteLength(answer.body),
    })
    response.end(answer.body)
  }

  return {
    currentStep: () => step,
    connected: () => [...readers.keys()],
    setSpeed: (next) => {
      stepMsMin = next === null ? 0 : 1000 / next
      advance()
    },
    ended,
    close,
    serve: (request, response) => {
      const target = request.url ?? '/'
      if (target.length > targetCharsMax || !target.startsWith('/'))
        return refuse(response, 414, 'the path is too long')
      const [path, query = ''] = target.split('?', 2) as [string, string?]
      if (path !== '/clock' && path !== '/clock/ready' && path !== '/clock/read') {
        return request.method === 'GET' ? serveHost(target, response) : refuse(response, 405, 'only GET')
      }
      const params = new URLSearchParams(query)
      const name = params.get('oracle') ?? ''
      if (!/^[a-z0-9-]{1,64}$/.test(name)) return refuse(response, 400, 'oracle is a name of a-z, 0-9 and hyphens')
      if (path === '/clock' && request.method === 'GET') return join(name, response)
      if (path !== '/clock' && request.method === 'POST')
        return note(path === '/clock/ready' ? 'ready' : 'read', name, params.get('step'), response)
      refuse(response, 405, 'GET /clock, POST /clock/ready, POST /clock/read')
    },
  }
}

function refuse(response: ServerResponse, status: number, message: string): void {
  const body = JSON.stringify({ error: message })
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const message = `the replay cannot listen on 127.0.0.1:${port}: ${cause.code}`
      reject(new OracleError('NETWORK_LISTEN_FAILED', message, { cause }))
    })
    server.listen(port, '127.0.0.1', () => resolve())
  })
}
