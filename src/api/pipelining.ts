// How many requests one connection may have waiting: HTTP lets a client send the next before it reads the last answer.

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** More than any browser or library sends ahead. */
const waitingMax = 8

/**
 * `serve`, with connections ended that have more than 8 requests unanswered: one read of a socket may hold a thousand of
 * them, and Node would begin them all before it reads from anybody else.
 */
export function limitPipelining(serve: RequestListener): RequestListener {
  const waiting = new WeakMap<Socket, number>()
  return (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request
    // What else was read before the connection ended is not worth a look.
    if (socket.destroyed) return
    const count = (waiting.get(socket) ?? 0) + 1
    if (count > waitingMax) return void socket.destroy()
    waiting.set(socket, count)
    response.once('close', () => waiting.set(socket, waiting.get(socket)! - 1))
    serve(request, response)
  }
}
