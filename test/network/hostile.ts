// Clients of a TLS testnet that keep to no rule: raw sockets with any key, any bytes, any timing.

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { connect as connectTcp, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { createCertificate } from '../../src/network/certificate.js'
import { encodeHello, type Hello } from '../../src/network/frame.js'
import { Deframer, joinFrames } from '../../src/network/framing.js'
import { type CloseReason, closeCodes } from '../../src/network/transport.js'
import { DIGEST } from './committee.js'

export interface Identity {
  readonly pem: string
  readonly certificate: string
}

/** A key that no committee knows, with a certificate of its own. */
export async function stranger(): Promise<Identity> {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { pem, certificate: await createCertificate(pem) }
}

/** A hello of member 0; `change` replaces parts. */
export function helloOf(change: Partial<Hello> = {}): Uint8Array {
  return encodeHello({ versionMin: 1, versionMax: 1, index: 0, digest: DIGEST, instance: randomBytes(16), ...change })
}

/** One raw connection: what it got, and what to send. */
export class Raw<S extends Socket = Socket> {
  readonly socket: S
  readonly frames: Uint8Array[] = []
  closed = false
  readonly #deframer = new Deframer(() => null)

  constructor(socket: S) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('close', () => {
      this.closed = true
    })
    socket.on('data', (chunk: Uint8Array) => {
      this.#deframer.push(chunk)
      for (let got = this.#deframer.next(); got !== null && typeof got !== 'string'; got = this.#deframer.next()) {
        this.frames.push(got)
      }
    })
  }

  send(...frames: Uint8Array[]): void {
    this.socket.write(joinFrames(frames))
  }

  /** The reason in the close frame that came, if one came. */
  get reason(): CloseReason | undefined {
    const code = this.frames.find((frame) => frame[1] === 254)?.[2]
    return (Object.keys(closeCodes) as CloseReason[]).find((reason) => closeCodes[reason] === code)
  }
}

/** A TCP connection that says `bytes` and stays. */
export function rawTcp(port: number, bytes?: string | Uint8Array): Raw {
  const raw = new Raw(connectTcp({ host: '127.0.0.1', port }))
  if (bytes !== undefined) raw.socket.write(bytes)
  return raw
}

/** A TLS connection with `identity`, or without a certificate; resolves when it is secure, or closed before. */
export async function rawTls(
  port: number,
  identity: Identity | null,
  options: ConnectionOptions = {},
): Promise<Raw<TLSSocket>> {
  const keys = identity === null ? {} : { key: identity.pem, cert: identity.certificate }
  const socket = connectTls({
    host: '127.0.0.1',
    port,
    ALPNProtocols: ['assay/1'],
    rejectUnauthorized: false,
    ...keys,
    ...options,
  })
  const raw = new Raw(socket)
  await new Promise<void>((resolve) => {
    socket.once('secureConnect', resolve)
    socket.once('close', () => resolve())
  })
  return raw
}
