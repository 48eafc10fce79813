// Servers on 127.0.0.1 that answer with raw bytes, a certificate for them, and a count of every socket that is opened.

import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { type AddressInfo, createServer, type Server, Socket } from 'node:net'
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509'
import type { AdapterLimits } from '../../src/observe/adapter.js'
import { SourceError } from '../../src/observe/source-error.js'

/** Limits that do not hinder, but for what a test sets. */
export function limits(own: Partial<AdapterLimits> = {}): AdapterLimits {
  return { hosts: ['feed.example'], timeoutMs: 5_000, bytesMax: 10_000, perMinute: 1_000_000, ...own }
}

/** A signal that never aborts. */
export const never: AbortSignal = new AbortController().signal

/** The SourceError that `work` rejects with; throws when it does not. */
export async function refusalFrom(work: Promise<unknown>): Promise<SourceError> {
  try {
    await work
  } catch (error) {
    if (error instanceof SourceError) return error
    throw error
  }
  throw new Error('it was not refused')
}

export interface Peer {
  readonly port: number
  readonly server: Server
  /** Connections taken so far. */
  connections(): number
  close(): Promise<void>
}

/** Starts `server` (or a bare TCP server that gives each connection to `serve`) on 127.0.0.1, or on `host`. */
export async function startPeer(serve: Server | ((socket: Socket) => void), host = '127.0.0.1'): Promise<Peer> {
  const server = typeof serve === 'function' ? createServer(serve) : serve
  const sockets = new Set<Socket>()
  let count = 0
  server.on('connection', (socket: Socket) => {
    count++
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    server,
    connections: () => count,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** A TCP server that answers each request with what `answer` gives for its head: raw bytes, then the end. */
export function startRaw(answer: (head: string) => string): Promise<Peer> {
  return startPeer((socket) => {
    let head = ''
    socket.on('data', (chunk) => {
      head += chunk.toString('latin1')
      if (head.endsWith('\r\n\r\n')) socket.end(Buffer.from(answer(head), 'latin1'))
    })
  })
}

export interface Opened {
  readonly host: string
  readonly port: number
}

/** Records the target of every net.Socket that connects in this process, until `stop`. */
export function recordSockets(): { readonly opened: readonly Opened[]; stop(): void } {
  const opened: Opened[] = []
  const original = Socket.prototype.connect
  Socket.prototype.connect = function (this: Socket, ...args: unknown[]): Socket {
    // Node's own callers pass [options, callback] as one array.
    const options = (Array.isArray(args[0]) ? args[0][0] : args[0]) as { host?: string; port?: number | string }
    opened.push({ host: options.host ?? '', port: Number(options.port) })
    return (original as (...all: unknown[]) => Socket).apply(this, args)
  } as typeof original
  return {
    opened,
    stop() {
      Socket.prototype.connect = original
    },
  }
}

export interface Identity {
  readonly key: string
  readonly cert: string
}

/** A self-signed certificate for `names` and its key, both PEM; it is its own authority. */
export async function selfSigned(names: readonly string[]): Promise<Identity> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: '01',
      name: 'CN=feed',
      notBefore: new Date('2000-01-01T00:00:00Z'),
      notAfter: new Date('2100-01-01T00:00:00Z'),
      signingAlgorithm: algorithm,
      keys,
      extensions: [new SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns' as const, value })))],
    },
    webcrypto as Parameters<typeof X509CertificateGenerator.createSelfSigned>[1],
  )
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return {
    key: `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`,
    cert: certificate.toString('pem'),
  }
}
