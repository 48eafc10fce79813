// A small committee of transports for tests: keys, ports, limits, and a record of everything that was told.

import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:net'
import { createCertificate, peerKeyOfPem } from '../../src/network/certificate.js'
import { MemoryHub } from '../../src/network/memory.js'
import { timers } from '../../src/network/timers.js'
import { TlsTransport } from '../../src/network/tls.js'
import type { DropReason, Transport, TransportEvents, TransportLimits } from '../../src/network/transport.js'

/** Kinds of the tests: small, large, and one that only lax members know. */
export const SMALL = 1
export const LARGE = 2
export const ODD = 99
export const LARGE_BYTES: number = 1 << 20

/** Test limits; `change` replaces some. */
export function limitsOf(change: Partial<TransportLimits> = {}): TransportLimits {
  return {
    frameBytesMax: (kind) => (kind === SMALL ? 4096 : kind === LARGE ? LARGE_BYTES : 0),
    framesPerS: 50_000,
    bytesPerS: 1 << 30,
    queueBytesMax: 4 * LARGE_BYTES,
    frameMs: 2000,
    handshakeMs: 2000,
    handshakesMax: 64,
    livenessMs: 200,
    keepaliveMs: 500,
    idleMs: 2000,
    reconnectMinMs: 10,
    reconnectMaxMs: 100,
    ...change,
  }
}

/** Limits of a member that sends what others refuse. */
export const lax: Partial<TransportLimits> = { frameBytesMax: () => 8 * LARGE_BYTES, queueBytesMax: 16 * LARGE_BYTES }

/** A frame of `bytes` bytes whose body repeats a count, so that a mixed-up frame shows. */
export function frameOf(kind: number, bytes: number, seed = 0, version = 1): Uint8Array {
  const frame = new Uint8Array(bytes).map((_, at) => (at * 31 + seed) & 255)
  frame.set([version, kind])
  return frame
}

/** Deterministic numbers in [0, 1). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** Resolves when `test` holds; fails after `timeoutMs`, saying `what`. */
export async function until(what: string, test: () => boolean, timeoutMs = 5000): Promise<void> {
  const endMs = performance.now() + timeoutMs
  while (!test()) {
    if (performance.now() > endMs) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** Resolves after `ms`. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** A transport with everything it told; `onFrame` may be replaced. */
export class Node {
  readonly index: number
  readonly transport: Transport
  readonly frames: { from: number; frame: Uint8Array }[] = []
  readonly sessions: string[] = []
  readonly drops: { member: number | null; reason: DropReason }[] = []
  onFrame: TransportEvents['onFrame'] = (from, frame) => this.frames.push({ from, frame })

  onFlood: () => void = () => {}

  constructor(index: number, transport: Transport) {
    this.index = index
    this.transport = transport
  }

  start(): Promise<void> {
    return this.transport.start({
      onFrame: (from, frame) => this.onFrame(from, frame),
      onSession: (member, state, reason) =>
        this.sessions.push(`${member} ${state}${reason === null ? '' : ` ${reason}`}`),
      onDrop: (member, reason) => this.drops.push({ member, reason }),
    })
  }

  isUp(member: number): boolean {
    return this.transport.sessions().some((session) => session.member === member && session.state === 'up')
  }

  count(reason: DropReason): number {
    return this.transport.counters()[reason] ?? 0
  }
}

export interface Change {
  readonly limits?: Partial<TransportLimits>
  readonly digest?: Uint8Array
}

/** One committee on one kind of network. */
export interface Testnet {
  /** A transport of member `index`; called twice for one index it is a second process with the same key. */
  join(index: number, change?: Change): Node
  closeAll(): Promise<void>
}

export const DIGEST: Uint8Array = new Uint8Array(32).fill(7)

interface PeerKey {
  readonly pem: string
  readonly certificate: string
  readonly raw: string
}

const cachedKeys: PeerKey[] = []

/** The peer keys of the tests, made once for a run. */
export async function peerKeys(size: number): Promise<readonly PeerKey[]> {
  while (cachedKeys.length < size) {
    const { privateKey } = generateKeyPairSync('ed25519')
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    cachedKeys.push({ pem, certificate: await createCertificate(pem), raw: peerKeyOfPem(pem) })
  }
  return cachedKeys
}

/** A port of 127.0.0.1 that nobody uses, below the range that outgoing connections take theirs from. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 22_000)
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer()
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
    })
    if (free) return port
  }
}

/** What a hostile client of a TLS testnet needs to know. */
export interface TlsTestnet extends Testnet {
  readonly ports: readonly number[]
  readonly keys: readonly PeerKey[]
}

export async function tlsTestnet(size: number): Promise<TlsTestnet> {
  const keys = await peerKeys(size)
  const ports: number[] = []
  while (ports.length < size) ports.push(await freePort())
  const members = ports.map((port, index) => ({ index, peerKey: keys[index]!.raw, endpoint: `127.0.0.1:${port}` }))
  const nodes: Node[] = []
  const joined = new Set<number>()
  return {
    ports,
    keys,
    join(index, change = {}) {
      // A second process with the key of `index` has another machine's address.
      const port = joined.has(index) ? 0 : ports[index]!
      joined.add(index)
      const transport = new TlsTransport({
        self: index,
        members,
        digest: change.digest ?? DIGEST,
        peerKeyPem: keys[index]!.pem,
        certificatePem: keys[index]!.certificate,
        listen: { host: '127.0.0.1', port },
        limits: limitsOf(change.limits),
        scheduler: timers,
        random: randomFrom(index + 1),
      })
      nodes.push(new Node(index, transport))
      return nodes.at(-1)!
    },
    closeAll: async () => void (await Promise.all(nodes.map((node) => node.transport.close()))),
  }
}

export async function memoryTestnet(size: number): Promise<Testnet> {
  const hub = new MemoryHub({ scheduler: timers, random: randomFrom(1) })
  const nodes: Node[] = []
  return {
    join(index, change = {}) {
      const digest = change.digest ?? DIGEST
      nodes.push(new Node(index, hub.join({ self: index, size, digest, limits: limitsOf(change.limits) })))
      return nodes.at(-1)!
    },
    closeAll: async () => void (await Promise.all(nodes.map((node) => node.transport.close()))),
  }
}
