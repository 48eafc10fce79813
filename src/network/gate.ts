// The listening side before anybody proved who they are: few pending connections, short deadlines, no address starves others.

import { createServer, isIPv6, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type TlsOptions, type Server as TlsServer } from 'node:tls'
import { OracleError } from '../base/errors.js'
import { TokenBucket } from './rate.js'
import type { CloseReason, Scheduler, TransportLimits } from './transport.js'

/** First byte of every TLS handshake record. */
const TLS_HANDSHAKE = 0x16
/** How long accepting rests after the operating system had no socket to give. */
const ACCEPT_REST_MS = 250

/** A connection on its way from TCP accept to an accepted hello. */
interface Pending {
  readonly raw: Socket
  readonly source: string
  readonly sinceMs: number
  /** silent: no byte came. waiting: for its turn of the handshake rate. tls: handshake or hello under way. */
  stage: 'silent' | 'waiting' | 'tls'
  /** Ends a connection whose TLS handshake is done; tells the peer and counts. */
  end: ((reason: CloseReason) => void) | null
}

export interface GateOptions {
  readonly host: string
  readonly port: number
  readonly limits: TransportLimits
  readonly scheduler: Scheduler
  /** Context, ALPN and client certificate settings of the handshake. */
  readonly tls: TlsOptions
  readonly dropped: (reason: CloseReason) => void
  /**
   * A TLS handshake succeeded. `release` ends the deadline of the connection; before that the gate may call what is
   * answered, which ends the connection and counts the reason.
   */
  readonly arrived: (socket: TLSSocket, release: () => void) => ((reason: CloseReason) => void) | null
}

/** The bytes an attacker must own to be another source: an IPv4 address, or the /64 of an IPv6 address. */
export function sourceOf(address: string): string {
  const plain = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
  if (!isIPv6(plain)) return plain
  const [before, after] = plain.split('%')[0]!.split('::') as [string, string | undefined]
  const head = before === '' ? [] : before.split(':')
  const tail = after === undefined || after === '' ? [] : after.split(':')
  const zeros = after === undefined ? 0 : 8 - head.length - tail.length
  return [...head, ...new Array<string>(Math.max(0, zeros)).fill('0'), ...tail].slice(0, 4).join(':')
}

/** Accepts connections, costs little for those that stay silent, and hands over finished TLS handshakes. */
export class Gate {
  readonly #options: GateOptions
  readonly #tls: TlsServer
  readonly #pending = new Map<string, Pending>()
  readonly #perSource = new Map<string, number>()
  readonly #handshakeRate: TokenBucket
  #server: Server | null = null
  #port: number
  #closed = false
  #cancelRest: () => void = () => {}
  #cancelTurn: (() => void) | null = null

  constructor(options: GateOptions) {
    this.#options = options
    this.#port = options.port
    this.#handshakeRate = new TokenBucket(options.limits.handshakesMax, options.scheduler.nowMs())
    this.#tls = createTlsServer(options.tls)
    this.#tls.on('secureConnection', (socket) => this.#secured(socket))
    // The raw socket's 'close' does the counting.
    this.#tls.on('tlsClientError', (_error, socket) => socket.destroy())
  }

  /** The port in use, once listening. */
  get port(): number {
    return this.#port
  }

  /** Resolves when listening; rejects with NETWORK_LISTEN_FAILED. */
  listen(): Promise<void> {
    const { host } = this.#options
    const server = createServer({ noDelay: true })
    return new Promise((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => {
        const facts = { host, port: this.#port, cause: cause.code ?? cause.message }
        reject(
          new OracleError('NETWORK_LISTEN_FAILED', `cannot listen on ${host}:${this.#port}: ${facts.cause}`, {
            facts,
            cause,
          }),
        )
      })
      server.listen(this.#port, host, () => {
        if (this.#closed) server.close()
        const address = server.address()
        if (address !== null && typeof address === 'object') this.#port = address.port
        server.removeAllListeners('error')
        // Accept errors (EMFILE, ENFILE, ENOBUFS): rest, so that the loop does not spin on a socket it cannot take.
        server.on('error', () => this.#rest())
        server.on('connection', (raw) => this.#accept(raw))
        this.#server = server
        resolve()
      })
    })
  }

  /** Destroys connections that are over their deadline. */
  tick(nowMs: number): void {
    for (const entry of this.#pending.values()) {
      if (nowMs - entry.sinceMs <= this.#options.limits.handshakeMs) break
      this.#refuse(entry, 'HANDSHAKE_TIMEOUT')
    }
  }

  /** Stops listening and destroys what is pending; resolves when nothing is open. */
  close(): Promise<void> {
    this.#closed = true
    this.#cancelRest()
    this.#cancelTurn?.()
    for (const entry of this.#pending.values()) entry.raw.destroy()
    const server = this.#server
    return new Promise((resolve) => (server === null ? resolve() : server.close(() => resolve())))
  }

  #rest(): void {
    this.#options.dropped('ACCEPT_FAILED')
    this.#server?.close()
    this.#server = null
    const again = (): void => {
      this.#cancelRest = this.#options.scheduler.after(ACCEPT_REST_MS, () => {
        if (!this.#closed) this.listen().catch(again)
      })
    }
    again()
  }

  #accept(raw: Socket): void {
    const { limits, scheduler, dropped } = this.#options
    // Errors show up as 'close' as well.
    raw.on('error', () => {})
    const { remoteAddress, remotePort } = raw
    if (remoteAddress === undefined || remotePort === undefined || this.#closed) {
      raw.destroy()
      return
    }
    if (this.#pending.size >= limits.handshakesMax) this.#evict()
    const key = `${remoteAddress} ${remotePort}`
    const entry: Pending = {
      raw,
      source: sourceOf(remoteAddress),
      sinceMs: scheduler.nowMs(),
      stage: 'silent',
      end: null,
    }
    this.#pending.set(key, entry)
    this.#perSource.set(entry.source, (this.#perSource.get(entry.source) ?? 0) + 1)
    raw.once('close', () => {
      if (this.#remove(key, entry)) dropped(entry.stage === 'tls' ? 'TLS_FAILED' : 'CONNECTION_LOST')
    })
    // Nothing of TLS is set up before the first byte: a silent connection costs a socket and no more.
    raw.once('readable', () => this.#begun(entry))
  }

  #begun(entry: Pending): void {
    const { raw } = entry
    const bytes: Uint8Array | null = raw.read()
    if (bytes === null || bytes[0] !== TLS_HANDSHAKE) return this.#refuse(entry, 'TLS_FAILED')
    raw.unshift(bytes)
    entry.stage = 'waiting'
    this.#handshake()
  }

  /** Begins the handshakes that the rate allows: the least busy source first, then the oldest. */
  #handshake(): void {
    this.#cancelTurn?.()
    this.#cancelTurn = null
    for (;;) {
      let next: Pending | null = null
      for (const entry of this.#pending.values()) {
        if (entry.stage === 'waiting' && (next === null || this.#load(entry) < this.#load(next))) next = entry
      }
      if (next === null) return
      const waitMs = this.#handshakeRate.waitMs(this.#options.scheduler.nowMs())
      if (waitMs > 0) {
        this.#cancelTurn = this.#options.scheduler.after(waitMs, () => this.#handshake())
        return
      }
      this.#handshakeRate.spend(1)
      next.stage = 'tls'
      this.#tls.emit('connection', next.raw)
    }
  }

  #secured(socket: TLSSocket): void {
    const key = `${socket.remoteAddress} ${socket.remotePort}`
    const entry = this.#pending.get(key)
    if (entry === undefined) {
      socket.on('error', () => {})
      socket.destroy()
      return
    }
    entry.end = this.#options.arrived(socket, () => this.#remove(key, entry))
  }

  /** Makes room: of the busiest source, the oldest silent connection, else its oldest. Honest peers speak at once. */
  #evict(): void {
    let worst: Pending | null = null
    for (const entry of this.#pending.values()) {
      const more = worst === null ? 1 : this.#load(entry) - this.#load(worst)
      if (more > 0 || (more === 0 && entry.stage === 'silent' && worst?.stage !== 'silent')) worst = entry
    }
    if (worst !== null) this.#refuse(worst, 'HANDSHAKE_EVICTED')
  }

  #load(entry: Pending): number {
    return this.#perSource.get(entry.source) ?? 0
  }

  #refuse(entry: Pending, reason: CloseReason): void {
    const { raw } = entry
    this.#remove(`${raw.remoteAddress} ${raw.remotePort}`, entry)
    if (entry.end !== null) return entry.end(reason)
    this.#options.dropped(reason)
    raw.destroy()
  }

  /** Forgets a pending connection; false when it was forgotten already. */
  #remove(key: string, entry: Pending): boolean {
    if (this.#pending.get(key) !== entry) return false
    this.#pending.delete(key)
    const left = (this.#perSource.get(entry.source) ?? 1) - 1
    if (left === 0) this.#perSource.delete(entry.source)
    else this.#perSource.set(entry.source, left)
    return true
  }
}
