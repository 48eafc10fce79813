// Whatever a stranger or a faulty member sends to a listening member is refused with a reason that is counted.

import { webcrypto } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodePing } from '../../src/network/frame.js'
import { joinFrames } from '../../src/network/framing.js'
import type { CloseReason } from '../../src/network/transport.js'
import { frameOf, LARGE, type Node, SMALL, sleep, type TlsTestnet, tlsTestnet, until } from './committee.js'
import { helloOf, type Identity, type Raw, rawTcp, rawTls, stranger } from './hostile.js'

let net: TlsTestnet
let node: Node
let port: number
let memberZero: Identity
const raws: Raw[] = []

beforeEach(async () => {
  net = await tlsTestnet(3)
  node = net.join(1, { limits: { handshakeMs: 300, frameMs: 200, idleMs: 600, keepaliveMs: 100, livenessMs: 150 } })
  await node.start()
  port = net.ports[1]!
  memberZero = net.keys[0]!
})

afterEach(async () => {
  for (const raw of raws.splice(0)) raw.socket.destroy()
  await net.closeAll()
})

function kept<R extends Raw>(raw: R): R {
  raws.push(raw)
  return raw
}

const tls = async (...args: Parameters<typeof rawTls>): Promise<Raw> => kept(await rawTls(...args))

/** A session of member 0 that is up. */
async function session(): Promise<Raw> {
  const raw = await tls(port, memberZero)
  raw.send(helloOf())
  await until('up', () => node.isUp(0) && raw.frames.length > 0)
  return raw
}

async function expectRefused(raw: Raw, reason: CloseReason): Promise<void> {
  await until(`${reason} is counted`, () => node.count(reason) === 1)
  await until('closed', () => raw.closed)
  expect(node.sessions).toEqual([])
  expect(node.frames).toEqual([])
}

/** A certificate for a stranger's key, signed by a CA of one's own. */
async function fromOwnCa(): Promise<Identity> {
  const { X509CertificateGenerator } = await import('@peculiar/x509')
  const algorithm = { name: 'Ed25519' }
  const ca = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
  const own = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
  const certificate = await X509CertificateGenerator.create({
    subject: 'CN=assay',
    issuer: 'CN=The One True Authority',
    signingAlgorithm: algorithm,
    publicKey: own.publicKey,
    signingKey: ca.privateKey,
  })
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', own.privateKey)).toString('base64')
  return {
    pem: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
    certificate: certificate.toString('pem'),
  }
}

describe('who may speak', () => {
  it('refuses a key that the committee does not name, and tells the peer', async () => {
    const raw = await tls(port, await stranger())
    await expectRefused(raw, 'KEY_UNKNOWN')
    expect(raw.reason).toBe('KEY_UNKNOWN')
  })

  it('refuses a certificate of a self-made authority', async () => {
    await expectRefused(await tls(port, await fromOwnCa()), 'KEY_UNKNOWN')
  })

  it('refuses a client without a certificate', async () => {
    await expectRefused(await tls(port, null), 'KEY_UNKNOWN')
  })

  it('refuses its own key', async () => {
    await expectRefused(await tls(port, net.keys[1]!), 'KEY_UNKNOWN')
  })

  it('refuses a member that should wait to be dialled', async () => {
    await expectRefused(await tls(port, net.keys[2]!), 'IDENTITY_MISMATCH')
  })

  it('refuses keys of another kind', async () => {
    const { X509CertificateGenerator } = await import('@peculiar/x509')
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
    const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: 'CN=assay',
      signingAlgorithm: algorithm,
      keys,
    })
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
    const pem = `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`
    // Only Ed25519 is asked for, so such a client has nothing to show.
    await expectRefused(await tls(port, { pem, certificate: certificate.toString('pem') }), 'KEY_UNKNOWN')
  })

  it('refuses TLS 1.2', async () => {
    await expectRefused(await tls(port, memberZero, { maxVersion: 'TLSv1.2' }), 'TLS_FAILED')
  })

  it.each([
    ['another', ['h2'], 'TLS_FAILED'],
    ['no', [], 'ALPN_MISMATCH'],
  ] as const)('refuses %s ALPN', async (_, protocols, reason) => {
    await expectRefused(await tls(port, memberZero, { ALPNProtocols: [...protocols] }), reason)
  })

  it.each([
    ['plain text', 'GET / HTTP/1.1\r\n\r\n'],
    ['garbage', Uint8Array.from({ length: 5000 }, (_, at) => (at * 7919) & 255)],
    [
      'garbage that begins like a handshake',
      Uint8Array.from({ length: 5000 }, (_, at) => (at === 0 ? 0x16 : (at * 7919) & 255)),
    ],
  ])('refuses %s', async (_, bytes) => {
    await expectRefused(kept(rawTcp(port, bytes)), 'TLS_FAILED')
  })

  it('does not wait for a client that says nothing, or stops in the middle of the handshake, or after it', async () => {
    const silent = kept(rawTcp(port))
    const stopped = kept(rawTcp(port, Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0)))
    const greetless = await tls(port, memberZero)
    await until('all are gone', () => node.count('HANDSHAKE_TIMEOUT') >= 3)
    await until('all are closed', () => silent.closed && stopped.closed && greetless.closed)
    expect(node.sessions).toEqual([])
  })

  it('counts clients that leave in the middle of the handshake', async () => {
    const raw = kept(rawTcp(port, Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0)))
    await sleep(20)
    raw.socket.destroy()
    await expectRefused(raw, 'TLS_FAILED')
  })
})

describe('the hello', () => {
  it.each<[CloseReason, string, Uint8Array]>([
    ['COMMITTEE_MISMATCH', 'another committee document', helloOf({ digest: new Uint8Array(32) })],
    ['IDENTITY_MISMATCH', 'the index of another member', helloOf({ index: 2 })],
    ['IDENTITY_MISMATCH', 'an index outside the committee', helloOf({ index: 65_535 })],
    ['VERSION_MISMATCH', 'only newer versions', helloOf({ versionMin: 2, versionMax: 9 })],
    ['HELLO_INVALID', 'versions in the wrong order', helloOf({ versionMin: 2, versionMax: 1 })],
    ['HELLO_INVALID', 'a hello of another layout', helloOf().with(0, 2)],
    ['HELLO_INVALID', 'a hello too short', helloOf().subarray(0, 53)],
    ['HELLO_INVALID', 'a message before the hello', frameOf(SMALL, 54)],
    ['HELLO_INVALID', 'a ping before the hello', encodePing(false)],
  ])('is refused with %s for %s', async (reason, _, frame) => {
    const raw = await tls(port, memberZero)
    raw.send(frame)
    await expectRefused(raw, reason)
    expect(raw.reason).toBe(reason)
    expect(node.transport.sessions()[0]).toMatchObject({ member: 0, reason, by: 'us' })
  })

  it('is accepted from a newer peer that still speaks our version', async () => {
    const raw = await tls(port, memberZero)
    raw.send(helloOf({ versionMax: 9 }))
    await until('up', () => node.isUp(0))
    expect(node.transport.sessions()[0]!.version).toBe(1)
  })
})

describe('a session', () => {
  const lie = (bytes: number): Uint8Array => {
    const prefix = Buffer.alloc(10, 1)
    prefix.writeUInt32BE(bytes)
    return prefix
  }

  it.each<[CloseReason, string, Uint8Array]>([
    ['FRAME_TOO_SHORT', 'length 0', lie(0)],
    ['FRAME_TOO_SHORT', 'length 1', lie(1)],
    ['FRAME_TOO_LARGE', 'a length of 4 GiB', lie(0xffff_ffff)],
    ['FRAME_TOO_LARGE', 'a length above the cap of the kind', lie(4097)],
    ['KIND_UNKNOWN', 'an unknown kind', joinFrames([frameOf(99, 10)])],
    ['VERSION_UNKNOWN', 'version 0', joinFrames([frameOf(SMALL, 10, 0, 0)])],
    ['VERSION_UNKNOWN', 'version 2', joinFrames([frameOf(SMALL, 10, 0, 2)])],
    ['CONTROL_INVALID', 'a second hello', joinFrames([helloOf()])],
    ['CONTROL_INVALID', 'a long ping', joinFrames([frameOf(255, 100)])],
    ['CONTROL_INVALID', 'a long close', joinFrames([frameOf(254, 100)])],
    ['CONTROL_INVALID', 'a close without a known reason', joinFrames([Uint8Array.of(1, 254, 77)])],
    ['FRAME_TOO_SLOW', 'a frame that never ends', lie(4000)],
  ])('ends with %s on %s', async (reason, _, bytes) => {
    const raw = await session()
    raw.socket.write(bytes)
    await until(reason, () => node.sessions.includes(`0 down ${reason}`))
    await until('closed', () => raw.closed)
    expect(node.count(reason)).toBe(1)
    expect(node.frames).toEqual([])
  })

  it('ends with FRAME_TOO_SLOW when a frame trickles in byte by byte', async () => {
    const raw = await session()
    const bytes = joinFrames([frameOf(LARGE, 10_000)])
    for (let at = 0; at < bytes.length && !raw.closed; at++) {
      raw.socket.write(bytes.subarray(at, at + 1))
      await sleep(5)
    }
    expect(node.sessions).toEqual(['0 up', '0 down FRAME_TOO_SLOW'])
    expect(raw.reason).toBe('FRAME_TOO_SLOW')
  })

  it('ends with IDLE when the peer says nothing, after asking for a sign of life', async () => {
    const raw = await session()
    await until('idle', () => node.sessions.includes('0 down IDLE'))
    expect(raw.frames.filter((frame) => frame[1] === 255 && frame[2] === 0).length).toBeGreaterThan(2)
    await until('told', () => raw.reason === 'IDLE')
  })

  it('answers pings', async () => {
    const raw = await session()
    raw.send(encodePing(false))
    await until('answered', () => raw.frames.some((frame) => frame[1] === 255 && frame[2] === 1))
  })

  it('shows the reason of the peer that ends it', async () => {
    const raw = await session()
    raw.send(Uint8Array.of(1, 254, 3))
    await until('down', () => node.sessions.includes('0 down SESSION_EXISTS'))
    expect(node.transport.sessions()[0]).toMatchObject({ reason: 'SESSION_EXISTS', by: 'peer' })
  })

  it('ends with CONNECTION_LOST when the peer dies', async () => {
    const raw = await session()
    raw.socket.destroy()
    await until('down', () => node.sessions.includes('0 down CONNECTION_LOST'))
  })
})

describe('two sessions of one key', () => {
  it('replaces a live session that gives no sign of life, never having both', async () => {
    const dead = await session()
    const newcomer = await tls(port, memberZero)
    newcomer.send(helloOf())
    await until('replaced', () => node.sessions.length === 3)
    expect(node.sessions).toEqual(['0 up', '0 down REPLACED', '0 up'])
    await until('told', () => dead.reason === 'REPLACED')
    newcomer.send(frameOf(SMALL, 20))
    await until('heard', () => node.frames.length === 1)
  })

  it('keeps a live session that answers, and refuses a third at once', async () => {
    const live = await session()
    const answering = setInterval(() => live.send(encodePing(true)), 10)
    const newcomers = [await tls(port, memberZero), await tls(port, memberZero)]
    for (const newcomer of newcomers) newcomer.send(helloOf())
    await until('one is refused', () => newcomers.some(({ reason }) => reason === 'SESSION_EXISTS'))
    // The other one waits for the sign of life.
    expect(newcomers.filter(({ reason }) => reason === undefined).length).toBe(1)
    await until('both are refused', () => newcomers.every(({ reason }) => reason === 'SESSION_EXISTS'))
    clearInterval(answering)
    expect(node.count('SESSION_EXISTS')).toBe(2)
    expect(node.sessions).toEqual(['0 up'])
  })

  it('lets the same process back in at once', async () => {
    const instance = new Uint8Array(16).fill(9)
    const [first, second] = [await tls(port, memberZero), await tls(port, memberZero)]
    first.send(helloOf({ instance }))
    await until('up', () => node.isUp(0))
    second.send(helloOf({ instance }))
    await until('replaced', () => node.sessions.length === 3)
    expect(node.sessions).toEqual(['0 up', '0 down REPLACED', '0 up'])
    expect(node.count('SESSION_EXISTS')).toBe(0)
  })

  it('gives the place to the newcomer when the live session ends meanwhile', async () => {
    const live = await session()
    const newcomer = await tls(port, memberZero)
    newcomer.send(helloOf())
    await sleep(20)
    live.socket.destroy()
    await until('up again', () => node.sessions.length === 3)
    expect(node.sessions).toEqual(['0 up', '0 down CONNECTION_LOST', '0 up'])
  })

  it('forgets a newcomer that leaves while it waits', async () => {
    await session()
    const newcomer = await tls(port, memberZero)
    newcomer.send(helloOf())
    await sleep(20)
    newcomer.socket.destroy()
    await sleep(200)
    expect(node.sessions).toEqual(['0 up'])
  })

  it('does not mind what certificate surrounds the key, nor what strangers do meanwhile', async () => {
    const live = await session()
    const alive = setInterval(() => live.send(encodePing(true)), 20)
    const { X509CertificateGenerator } = await import('@peculiar/x509')
    const algorithm = { name: 'Ed25519' }
    const der = Buffer.from(memberZero.pem.replace(/-----[^-]+-----|\s/g, ''), 'base64')
    const privateKey = await webcrypto.subtle.importKey('pkcs8', der, algorithm, true, ['sign'])
    const raw = Buffer.from(net.keys[0]!.raw.slice(2), 'hex')
    const publicKey = await webcrypto.subtle.importKey('raw', raw, algorithm, true, ['verify'])
    const expired = await X509CertificateGenerator.createSelfSigned({
      name: 'CN=somebody else',
      notBefore: new Date(0),
      notAfter: new Date(1),
      signingAlgorithm: algorithm,
      keys: { privateKey, publicKey },
    })
    await tls(port, await stranger())
    expect(node.sessions).toEqual(['0 up'])
    clearInterval(alive)
    live.socket.destroy()
    const again = await tls(port, { pem: memberZero.pem, certificate: expired.toString('pem') })
    again.send(helloOf())
    await until('up again', () => node.sessions.length === 3)
    expect(node.sessions).toEqual(['0 up', '0 down CONNECTION_LOST', '0 up'])
  })
})
