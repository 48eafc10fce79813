// Sessions between the members over mutual TLS 1.3 with pinned Ed25519 keys: who may speak, and who dials whom.

import { constants, randomBytes } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls'
import { OracleError } from '../base/errors.js'
import { equalBytes } from '../core/bytes.js'
import type { Member } from '../core/committee.js'
import { backoffMs } from './backoff.js'
import { peerKeyOfCertificate, peerKeyOfPem } from './certificate.js'
import { dial, parseEndpoint } from './dial.js'
import { Drops } from './drops.js'
import { assertSendable, commonVersion, decodeHello, encodeClose, encodeHello, type Hello } from './frame.js'
import { joinFrames } from './framing.js'
import { Gate } from './gate.js'
import { type Rates, ratesOf } from './rate.js'
import { Session } from './session.js'
import {
  type CloseReason,
  type Scheduler,
  type SessionStatus,
  type Transport,
  type TransportEvents,
  type TransportLimits,
  wireVersions,
} from './transport.js'

const ALPN = 'assay/1'
const NO_TALK: TransportEvents = { onFrame: () => {}, onSession: () => {}, onDrop: () => {} }

export interface TlsTransportOptions {
  /** Own index. */
  readonly self: number
  /** All members of the committee, by index. */
  readonly members: readonly Pick<Member, 'index' | 'peerKey' | 'endpoint'>[]
  /** D, 32 bytes. */
  readonly digest: Uint8Array
  /** Own Ed25519 private key (PKCS#8 PEM) and the certificate that createCertificate made of it. */
  readonly peerKeyPem: string
  readonly certificatePem: string
  readonly listen: { readonly host: string; readonly port: number }
  readonly limits: TransportLimits
  readonly scheduler: Scheduler
  /** In [0, 1), for the jitter of reconnecting only. */
  readonly random: () => number
}

/** What this member knows of another. */
interface Peer {
  readonly index: number
  readonly key: string
  readonly host: string
  readonly port: number
  readonly rates: Rates
  session: Session | null
  /** A newcomer with the same key, while the live session is asked for a sign of life. */
  challenger: { readonly session: Session; readonly hello: Hello } | null
  failures: number
  reason: CloseReason | null
  by: 'us' | 'peer' | null
  sinceMs: number
  cancel: () => void
}

/** A Transport over TLS; throws NETWORK_KEY_INVALID or NETWORK_ENDPOINT_INVALID before anything is opened. */
export class TlsTransport implements Transport {
  readonly #options: TlsTransportOptions
  readonly #context: SecureContext
  readonly #gate: Gate
  readonly #hello: Uint8Array
  readonly #peers = new Map<number, Peer>()
  readonly #byKey = new Map<string, Peer>()
  readonly #greeting = new Map<Session, { readonly sinceMs: number; readonly release: (() => void) | null }>()
  readonly #open = new Set<TLSSocket>()
  #drops = new Drops(NO_TALK.onDrop)
  #events: TransportEvents = NO_TALK
  #state: 'new' | 'started' | 'closed' = 'new'
  #cancelTick: () => void = () => {}

  constructor(options: TlsTransportOptions) {
    this.#options = options
    const { self, limits, scheduler } = options
    const key = peerKeyOfPem(options.peerKeyPem)
    for (const { index, peerKey, endpoint } of options.members) {
      if (index === self && peerKey !== key)
        throw new OracleError('NETWORK_KEY_INVALID', 'the peer key is not the one the committee document names', {
          facts: { member: self, committee: peerKey, key },
        })
      if (index === self) continue
      const address = parseEndpoint(endpoint)
      if (address === null)
        throw new OracleError('NETWORK_ENDPOINT_INVALID', `endpoint of member ${index} is not host:port`, {
          path: `/members/${index}/endpoint`,
          facts: { endpoint },
        })
      const peer: Peer = {
        index,
        key: peerKey,
        ...address,
        rates: ratesOf(limits, scheduler.nowMs()),
        session: null,
        challenger: null,
        failures: 0,
        reason: null,
        by: null,
        sinceMs: scheduler.nowMs(),
        cancel: () => {},
      }
      this.#peers.set(index, peer)
      this.#byKey.set(peerKey, peer)
    }
    this.#hello = encodeHello({
      versionMin: wireVersions.min,
      versionMax: wireVersions.max,
      index: self,
      digest: options.digest,
      instance: randomBytes(16),
    })
    const settings: SecureContextOptions = {
      key: options.peerKeyPem,
      cert: options.certificatePem,
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
      sigalgs: 'ed25519',
      ecdhCurve: 'X25519',
      ciphers: 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256',
      // No tickets and no session cache: every session proves its key anew.
      secureOptions: constants.SSL_OP_NO_TICKET,
    }
    this.#context = secureContext(settings)
    this.#gate = new Gate({
      ...options.listen,
      limits,
      scheduler,
      tls: { ...settings, ALPNProtocols: [ALPN], requestCert: true, rejectUnauthorized: false },
      dropped: (reason) => this.#drops.count(null, reason),
      arrived: (socket, release) => this.#arrived(socket, release),
    })
  }

  /** The port in use, once started; differs from the option when that was 0. */
  get port(): number {
    return this.#gate.port
  }

  async start(events: TransportEvents): Promise<void> {
    if (this.#state !== 'new') throw new Error('a transport starts once')
    this.#state = 'started'
    this.#events = events
    this.#drops = new Drops((member, reason, count) => events.onDrop(member, reason, count))
    await this.#gate.listen()
    this.#tick()
    // The lower index dials, so that two members never meet in two sessions.
    for (const peer of this.#peers.values()) if (peer.index > this.#options.self) this.#dial(peer)
  }

  send(to: number, frame: Uint8Array): boolean {
    const peer = this.#peers.get(to)
    if (peer === undefined) throw new Error(`no peer ${to} to send to`)
    assertSendable(this.#options.limits, frame)
    if (peer.session === null) {
      this.#drops.count(to, 'NOT_CONNECTED')
      return false
    }
    peer.session.send(frame)
    return true
  }

  sessions(): readonly SessionStatus[] {
    return [...this.#peers.values()].map(({ index, session, reason, by, sinceMs }) => ({
      member: index,
      state: session === null ? 'down' : 'up',
      reason,
      by,
      sinceMs,
      queuedBytes: session?.queuedBytes ?? 0,
      version: session?.version ?? 0,
    }))
  }

  charge(from: number): void {
    this.#peers.get(from)?.rates.frames.fine()
  }

  counters(): ReturnType<Transport['counters']> {
    return this.#drops.counts
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#cancelTick()
    const gate = this.#gate.close()
    for (const peer of this.#peers.values()) {
      peer.cancel()
      peer.challenger = null
      peer.session?.close('CLOSING')
    }
    for (const session of this.#greeting.keys()) session.close('CLOSING')
    await Promise.all([...this.#open].map((socket) => new Promise((resolve) => socket.once('close', resolve))))
    await gate
  }

  /** One timer serves all deadlines; they are met to within a quarter of the shortest. */
  #tick(): void {
    const { limits, scheduler } = this.#options
    const nowMs = scheduler.nowMs()
    this.#gate.tick(nowMs)
    for (const peer of this.#peers.values()) peer.session?.tick(nowMs)
    for (const [session, { sinceMs }] of this.#greeting) {
      if (nowMs - sinceMs > limits.handshakeMs) session.close('HANDSHAKE_TIMEOUT')
    }
    const shortestMs = Math.min(limits.keepaliveMs, limits.idleMs, limits.handshakeMs, limits.frameMs)
    this.#cancelTick = scheduler.after(Math.max(5, Math.min(1000, shortestMs / 4)), () => this.#tick())
  }

  #dial(peer: Peer): void {
    const { limits, scheduler } = this.#options
    const sinceMs = scheduler.nowMs()
    const target = {
      host: peer.host,
      port: peer.port,
      secureContext: this.#context,
      ALPNProtocols: [ALPN],
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    }
    peer.cancel = dial(target, limits.handshakeMs, scheduler, (outcome) => {
      if (typeof outcome === 'string') return this.#failed(peer, outcome, 'us')
      const refusal = this.#refuseSocket(outcome, peer)
      if (refusal !== null) {
        this.#dismiss(outcome, refusal)
        return this.#failed(peer, refusal, 'us')
      }
      const session = this.#session(outcome, peer, sinceMs, null)
      peer.cancel = () => session.close('CLOSING')
      session.say(this.#hello)
    })
  }

  #redial(peer: Peer): void {
    const { self, limits, scheduler, random } = this.#options
    if (peer.index < self || this.#state === 'closed') return
    const waitMs = backoffMs(peer.failures, limits.reconnectMinMs, limits.reconnectMaxMs, random)
    peer.failures += 1
    peer.cancel = scheduler.after(waitMs, () => this.#dial(peer))
  }

  #arrived(socket: TLSSocket, release: () => void): ((reason: CloseReason) => void) | null {
    const key = peerKeyOfCertificate(socket.getPeerX509Certificate())
    const peer = key === null ? undefined : this.#byKey.get(key)
    let refusal = peer === undefined ? 'KEY_UNKNOWN' : this.#refuseSocket(socket, peer)
    if (peer !== undefined && peer.index > this.#options.self) refusal ??= 'IDENTITY_MISMATCH'
    if (peer === undefined || refusal !== null) {
      release()
      this.#drops.count(peer?.index ?? null, refusal ?? 'KEY_UNKNOWN')
      this.#dismiss(socket, refusal ?? 'KEY_UNKNOWN')
      return null
    }
    const session = this.#session(socket, peer, this.#options.scheduler.nowMs(), release)
    return (reason) => session.close(reason)
  }

  /** What TLS itself leaves open: whose key it was, that it was proved now, and for which protocol. */
  #refuseSocket(socket: TLSSocket, peer: Peer): CloseReason | null {
    if (socket.alpnProtocol !== ALPN) return 'ALPN_MISMATCH'
    if (socket.isSessionReused() || socket.getProtocol() !== 'TLSv1.3') return 'TLS_FAILED'
    return peerKeyOfCertificate(socket.getPeerX509Certificate()) === peer.key ? null : 'KEY_UNKNOWN'
  }

  /** Tells a peer that never got a session why, and leaves. */
  #dismiss(socket: TLSSocket, reason: CloseReason): void {
    this.#track(socket)
    socket.on('error', () => {})
    socket.resume()
    socket.end(joinFrames([encodeClose(reason)]), () => socket.destroy())
  }

  #track(socket: TLSSocket): void {
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
  }

  #session(socket: TLSSocket, peer: Peer, sinceMs: number, release: (() => void) | null): Session {
    const { limits, scheduler } = this.#options
    this.#track(socket)
    const session = new Session(socket, peer.index, limits, peer.rates, scheduler, {
      greeted: (from, frame) => this.#greeted(from, peer, frame),
      frame: (_, frame) => this.#events.onFrame(peer.index, frame),
      throttled: () => this.#drops.count(peer.index, 'THROTTLED'),
      overflowed: (_, count) => this.#drops.count(peer.index, 'QUEUE_FULL', count),
      ended: (from, reason, by, lost) => this.#ended(from, peer, reason, by, lost),
    })
    this.#greeting.set(session, { sinceMs, release })
    return session
  }

  #greeted(session: Session, peer: Peer, frame: Uint8Array): void {
    const hello = decodeHello(frame)
    const refusal = hello === null ? 'HELLO_INVALID' : this.#refuseHello(hello, peer)
    if (hello === null || refusal !== null) return session.close(refusal ?? 'HELLO_INVALID')
    if (peer.index > this.#options.self) return this.#up(session, peer, hello)
    this.#arbitrate(session, peer, hello)
  }

  #refuseHello(hello: Hello, peer: Peer): CloseReason | null {
    if (commonVersion(hello) === 0) return 'VERSION_MISMATCH'
    if (!equalBytes(hello.digest, this.#options.digest)) return 'COMMITTEE_MISMATCH'
    return hello.index === peer.index ? null : 'IDENTITY_MISMATCH'
  }

  /** Never two live sessions of one key (P9): a newcomer waits until the live one shows that it lives, or does not. */
  #arbitrate(session: Session, peer: Peer, hello: Hello): void {
    const { limits, scheduler } = this.#options
    const live = peer.session
    if (live === null) return this.#up(session, peer, hello)
    if (peer.challenger !== null) return session.close('SESSION_EXISTS')
    if (equalBytes(live.instance, hello.instance)) {
      // The same process dials again: it has given the old session up.
      live.close('REPLACED')
      return this.#up(session, peer, hello)
    }
    peer.challenger = { session, hello }
    const askedMs = scheduler.nowMs()
    live.ping()
    peer.cancel = scheduler.after(limits.livenessMs, () => {
      peer.challenger = null
      if (live.heardMs() > askedMs) return session.close('SESSION_EXISTS')
      live.close('REPLACED')
      this.#up(session, peer, hello)
    })
  }

  #up(session: Session, peer: Peer, hello: Hello): void {
    this.#release(session)
    if (peer.index < this.#options.self) session.say(this.#hello)
    session.admit(commonVersion(hello), hello.instance)
    peer.session = session
    peer.sinceMs = this.#options.scheduler.nowMs()
    this.#events.onSession(peer.index, 'up', null)
  }

  #release(session: Session): void {
    this.#greeting.get(session)?.release?.()
    this.#greeting.delete(session)
  }

  #ended(session: Session, peer: Peer, reason: CloseReason, by: 'us' | 'peer', lost: number): void {
    this.#release(session)
    if (peer.session === session) {
      const { scheduler, limits } = this.#options
      peer.session = null
      this.#drops.count(peer.index, 'NOT_CONNECTED', lost)
      if (scheduler.nowMs() - peer.sinceMs >= limits.reconnectMaxMs) peer.failures = 0
      this.#failed(peer, reason, by)
      this.#events.onSession(peer.index, 'down', reason)
    } else if (peer.session === null) this.#failed(peer, reason, by)
    else this.#drops.count(peer.index, reason)
    const { challenger } = peer
    if (challenger === null || (peer.session !== null && challenger.session !== session)) return
    // Either the newcomer left, or the live session did and makes way for it.
    peer.cancel()
    peer.challenger = null
    if (challenger.session !== session && this.#state === 'started')
      this.#up(challenger.session, peer, challenger.hello)
  }

  /** Notes why there is no session, and tries again later if it is ours to dial. */
  #failed(peer: Peer, reason: CloseReason, by: 'us' | 'peer'): void {
    peer.reason = reason
    peer.by = by
    peer.sinceMs = this.#options.scheduler.nowMs()
    if (reason !== 'CLOSING') this.#drops.count(peer.index, reason)
    this.#redial(peer)
  }
}

function secureContext(settings: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(settings)
  } catch (cause) {
    const facts = { cause: (cause as NodeJS.ErrnoException).code ?? 'UNKNOWN' }
    throw new OracleError('NETWORK_KEY_INVALID', 'the certificate is not one of the peer key', { facts, cause })
  }
}
