// A server between a client and an honest API that changes what it likes.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'

/** Answers in the API's stead, or returns null to let the honest answer pass. */
export type Lie = (request: IncomingMessage, response: ServerResponse) => Promise<unknown> | unknown

export interface Liar {
  readonly url: string
  /** Paths asked for, in order. */
  readonly asked: string[]
  lie: Lie | null
  /** Ends every connection. */
  breakAll(): void
  close(): Promise<void>
}

/** Starts a liar before `honest`, honest until told to lie. */
export async function startLiar(honest: string): Promise<Liar> {
  const server = createServer((request, response) => {
    liar.asked.push(request.url!)
    answer(request, response).catch(() => response.destroy())
  })
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (liar.lie !== null && (await liar.lie(request, response)) !== null) return
    const ending = new AbortController()
    response.on('close', () => ending.abort())
    const found = await fetch(`${honest}${request.url}`, { signal: ending.signal })
    response.writeHead(found.status, { 'content-type': found.headers.get('content-type')! })
    Readable.fromWeb(found.body as ReadableStream)
      .on('error', () => response.destroy())
      .pipe(response)
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const liar: Liar = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    lie: null,
    breakAll: () => server.closeAllConnections(),
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return liar
}

/** A lie that answers `body` to everything. */
export function says(body: string | Uint8Array, status = 200): Lie {
  return (_, response) => response.writeHead(status).end(body)
}
