// How much the transport adds to bare TLS: framed echoes and bulk frames beside bare sockets in the same run.

import { generateKeyPairSync } from 'node:crypto'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { createCertificate, peerKeyOfPem } from '../src/network/certificate.js'
import { timers } from '../src/network/timers.js'
import { TlsTransport } from '../src/network/tls.js'
import type { TransportLimits } from '../src/network/transport.js'

/** One figure; times in microseconds, rates in MB (10⁶ bytes) a second. */
export interface TransportFigure {
  readonly bench: 'transport'
  readonly figure: string
  readonly ours: number
  readonly bareTls: number
  readonly ratio: number
}

/** Echoes one message of fixed size and resolves when it is back; or sends one and resolves when it is there. */
interface Line {
  echo(bytes: number): Promise<void>
  bulk(bytes: number, count: number, window: number): Promise<void>
  close(): Promise<void>
}

const limits: TransportLimits = {
  frameBytesMax: () => 1 << 24,
  framesPerS: 1e9,
  bytesPerS: 1e12,
  queueBytesMax: 1 << 26,
  frameMs: 5000,
  handshakeMs: 5000,
  handshakesMax: 64,
  livenessMs: 500,
  keepaliveMs: 1000,
  idleMs: 5000,
  reconnectMinMs: 10,
  reconnectMaxMs: 100,
}

const messages = new Map<string, Uint8Array>()

/** One message of each size and kind, made once: making it is not what is measured. */
function messageOf(bytes: number, kind: number): Uint8Array {
  const key = `${bytes} ${kind}`
  const message = messages.get(key) ?? Uint8Array.from({ length: bytes }, (_, at) => [1, kind][at] ?? at & 255)
  messages.set(key, message)
  return message
}

interface Identity {
  readonly pem: string
  readonly certificate: string
}

async function identity(): Promise<Identity> {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { pem, certificate: await createCertificate(pem) }
}

async function ourLine(identities: readonly Identity[]): Promise<Line> {
  const digest = new Uint8Array(32)
  const listen = { host: '127.0.0.1', port: 0 }
  const peerKeys = identities.map(({ pem }) => peerKeyOfPem(pem))
  const join = (self: number, port: number): TlsTransport => {
    const members = peerKeys.map((peerKey, index) => ({
      index,
      peerKey,
      endpoint: `127.0.0.1:${index === 1 ? port : 1}`,
    }))
    const { pem, certificate } = identities[self]!
    const keys = { peerKeyPem: pem, certificatePem: certificate }
    return new TlsTransport({ self, members, digest, ...keys, listen, limits, scheduler: timers, random: Math.random })
  }
  const server = join(1, 1)
  let heard: (frame: Uint8Array) => void = () => {}
  let arrived: () => void = () => {}
  await server.start({
    onFrame: (_, frame) => (frame[1] === 1 ? server.send(0, frame) : arrived()),
    onSession: () => {},
    onDrop: () => {},
  })
  const client = join(0, server.port)
  await new Promise<void>((resolve) => {
    void client.start({ onFrame: (_, frame) => heard(frame), onSession: () => resolve(), onDrop: () => {} })
  })
  return {
    echo: (bytes) =>
      new Promise((resolve) => {
        heard = () => resolve()
        client.send(1, messageOf(bytes, 1))
      }),
    bulk: (bytes, count, window) =>
      new Promise((resolve) => {
        const frame = messageOf(bytes, 2)
        let sent = 0
        let there = 0
        const send = (): void => {
          if (sent++ < count) client.send(1, frame)
        }
        arrived = () => {
          there += 1
          if (there === count) resolve()
          else send()
        }
        for (let i = 0; i < window; i++) send()
      }),
    close: async () => void (await Promise.all([client.close(), server.close()])),
  }
}

async function bareLine(identities: readonly Identity[]): Promise<Line> {
  const options = {
    minVersion: 'TLSv1.3' as const,
    sigalgs: 'ed25519',
    ciphers: 'TLS_AES_128_GCM_SHA256',
    rejectUnauthorized: false,
  }
  const [a, b] = identities as [Identity, Identity]
  const server = createServer({ key: b.pem, cert: b.certificate, requestCert: true, ...options })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const accepted = new Promise<TLSSocket>((resolve) => server.once('secureConnection', resolve))
  const { port } = server.address() as { port: number }
  const client = connect({ host: '127.0.0.1', port, key: a.pem, cert: a.certificate, ...options })
  const far = await accepted
  for (const socket of [client, far]) socket.setNoDelay(true)
  // The floor knows the size beforehand and answers once the whole message is there, as any framed echo must. In bulk it
  // only counts bytes, while ours assembles each frame in memory of its own.
  return {
    echo: (bytes) =>
      new Promise((resolve) => {
        const message = messageOf(bytes, 1)
        let there: Buffer[] = []
        let thereBytes = 0
        let back = 0
        far.removeAllListeners('data')
        far.on('data', (chunk) => {
          there.push(chunk)
          thereBytes += chunk.length
          if (thereBytes < bytes) return
          far.write(there.length === 1 ? chunk : Buffer.concat(there))
          there = []
          thereBytes = 0
        })
        client.removeAllListeners('data')
        client.on('data', (chunk) => {
          back += chunk.length
          if (back === bytes) resolve()
        })
        client.write(message)
      }),
    bulk: (bytes, count, window) =>
      new Promise((resolve) => {
        const message = messageOf(bytes, 1)
        let sent = 0
        let there = 0
        const send = (): void => {
          if (sent++ < count) client.write(message)
        }
        far.removeAllListeners('data')
        far.on('data', (chunk) => {
          const before = Math.floor(there / bytes)
          there += chunk.length
          for (let whole = before; whole < Math.floor(there / bytes); whole++) send()
          if (there === bytes * count) resolve()
        })
        for (let i = 0; i < window; i++) send()
      }),
    close: async () => {
      client.destroy()
      far.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!
}

/** Times of `count` echoes in µs, ascending. */
async function echoTimes(line: Line, bytes: number, count: number): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const beginMs = performance.now()
    await line.echo(bytes)
    times.push((performance.now() - beginMs) * 1000)
  }
  return times.sort((a, b) => a - b)
}

/** Measures both lines in turn, `runs` times, and tells medians of the runs. */
export async function benchTransport(tell: (figure: TransportFigure) => void, runs = 7): Promise<void> {
  const identities = [await identity(), await identity()]
  const [ours, bare] = [await ourLine(identities), await bareLine(identities)]
  const compare = (name: string, a: readonly number[], b: readonly number[]): void => {
    const [x, y] = [median(a), median(b)]
    const round = (value: number): number => Number(value.toPrecision(4))
    tell({ bench: 'transport', figure: name, ours: round(x), bareTls: round(y), ratio: round(x / y) })
  }
  for (const [label, bytes, count] of [
    ['100 B', 100, 3000],
    ['200 KB', 200_000, 400],
  ] as const) {
    const figures: Record<'p50' | 'p99', [number[], number[]]> = { p50: [[], []], p99: [[], []] }
    for (const line of [ours, bare]) await echoTimes(line, bytes, count)
    for (let run = 0; run < runs; run++) {
      for (const [at, line] of [ours, bare].entries()) {
        const times = await echoTimes(line, bytes, count)
        figures.p50[at]!.push(times[times.length >> 1]!)
        figures.p99[at]!.push(times[Math.floor(times.length * 0.99)]!)
      }
    }
    compare(`echo ${label} p50 us`, ...figures.p50)
    compare(`echo ${label} p99 us`, ...figures.p99)
  }
  const rates: [number[], number[]] = [[], []]
  for (let run = 0; run <= runs; run++) {
    for (const [at, line] of [ours, bare].entries()) {
      const beginMs = performance.now()
      await line.bulk(1_000_000, 200, 4)
      if (run > 0) rates[at]!.push(200_000 / (performance.now() - beginMs))
    }
  }
  compare('bulk 1 MB frames MB/s', ...rates)
  await Promise.all([ours.close(), bare.close()])
}

if (process.argv[1]?.endsWith('transport.js')) {
  await benchTransport((figure) => process.stdout.write(`${JSON.stringify(figure)}\n`))
}
