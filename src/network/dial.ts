// One attempt to reach a peer: name lookup, TCP and TLS under one deadline.

import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import type { CloseReason, Scheduler } from './transport.js'

/** Splits `host:port` or `[v6]:port`; null when it is neither. */
export function parseEndpoint(endpoint: string): { host: string; port: number } | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/]+)):(\d{1,5})$/.exec(endpoint)
  const port = Number(match?.[3])
  return match === null || port < 1 || port > 65_535 ? null : { host: (match[1] ?? match[2])!, port }
}

/** Calls `done` once, with a socket whose handshake succeeded or the reason; the answer cancels the attempt silently. */
export function dial(
  options: ConnectionOptions,
  deadlineMs: number,
  scheduler: Scheduler,
  done: (outcome: TLSSocket | CloseReason) => void,
): () => void {
  let settled = false
  let connected = false
  const socket = connect(options)
  const settle = (outcome: TLSSocket | CloseReason | null): void => {
    if (settled) return
    settled = true
    cancelDeadline()
    if (typeof outcome !== 'object' || outcome === null) socket.destroy()
    if (outcome !== null) done(outcome)
  }
  const cancelDeadline = scheduler.after(deadlineMs, () => settle('HANDSHAKE_TIMEOUT'))
  const failed = (): void => settle(connected ? 'TLS_FAILED' : 'CONNECT_FAILED')
  socket.once('connect', () => {
    connected = true
  })
  socket.once('secureConnect', () => settle(socket))
  // Stays for good: an error after the attempt was settled has no other listener.
  socket.on('error', failed)
  socket.once('close', failed)
  return () => settle(null)
}
