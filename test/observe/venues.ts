// Venues on loopback for tests: one HTTP and WebSocket server whose hosts answer as a test scripts them.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { tickers } from '../../src/replay/tickers.js'

export interface Reply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Takes the reply over: to be slow, to break off. */
  readonly act?: (response: ServerResponse, request: IncomingMessage) => void
}

export type Script = Reply | ((request: IncomingMessage) => Reply)

/** What one host of the test does now. */
interface Host {
  script: Script
  asked: number
}

export interface Venues {
  /** Adapter host → where it is served here; for the wire. */
  readonly origins: Readonly<Record<string, string>>
  readonly loopback: readonly string[]
  /** Sets what `host` answers from now on. */
  readonly answer: (host: string, script: Script) => void
  /** Requests that `host` got. */
  readonly asked: (host: string) => number
  /** Sets what happens to a subscription to `host`. */
  readonly stream: (host: string, open: (socket: WebSocket) => void) => void
  readonly close: () => Promise<void>
}

/** Serves `hosts` on 127.0.0.1; a host without a script answers 404. */
export async function openVenues(hosts: readonly string[]): Promise<Venues> {
  const table = new Map<string, Host>(hosts.map((host) => [host, { script: { status: 404 }, asked: 0 }]))
  const streams = new Map<string, (socket: WebSocket) => void>()
  const server = createServer((request, response) => {
    response.on('error', () => undefined)
    const host = table.get(hostOf(request))
    if (host === undefined) return void response.writeHead(404).end()
    host.asked++
    send(response, request, typeof host.script === 'function' ? host.script(request) : host.script)
  })
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket, request) => {
    socket.on('error', () => undefined)
    const open = streams.get(hostOf(request))
    if (open === undefined) socket.close()
    else open(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origins: Object.fromEntries(hosts.map((host) => [host, `http://127.0.0.1:${port}/${host}`])),
    loopback: [`127.0.0.1:${port}`],
    answer: (host, script) => {
      table.get(host)!.script = script
    },
    asked: (host) => table.get(host)!.asked,
    stream: (host, open) => void streams.set(host, open),
    close: () => closeServer(server, sockets),
  }
}

/** The reply of a venue of src/replay/tickers.ts about a trade. */
export function trade(venue: string, pair: string, price: string, timeMs: number): Reply {
  const [base, quote] = pair.split('-') as [string, string]
  const { status, mediaType, body } = tickers[venue]!.ticker({ base, quote }, price, timeMs)
  return { status, headers: { 'content-type': mediaType }, body }
}

/** The host of a venue of src/replay/tickers.ts. */
export function hostOfVenue(venue: string): string {
  return tickers[venue]!.host
}

/** A reply of JSON. */
export function jsonReply(body: unknown, status = 200): Reply {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { status, headers: { 'content-type': 'application/json' }, body: text }
}

function hostOf({ url = '' }: IncomingMessage): string {
  return /^\/([^/?]+)/.exec(url)?.[1] ?? ''
}

function send(response: ServerResponse, request: IncomingMessage, reply: Reply): void {
  if (reply.act !== undefined) return reply.act(response, request)
  const body = reply.body ?? ''
  response.writeHead(reply.status ?? 200, { 'content-length': Buffer.byteLength(body), ...reply.headers })
  response.end(body)
}

async function closeServer(server: Server, sockets: WebSocketServer): Promise<void> {
  for (const socket of sockets.clients) socket.terminate()
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  await closed
}
