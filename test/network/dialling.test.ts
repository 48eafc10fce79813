// The dialling side: impostors at a peer's endpoint are refused with a visible reason, and a committee comes back.

import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { refusalOf } from '../../src/base/errors.js'
import { timers } from '../../src/network/timers.js'
import { TlsTransport } from '../../src/network/tls.js'
import type { CloseReason } from '../../src/network/transport.js'
import { DIGEST, frameOf, freePort, limitsOf, Node, peerKeys, SMALL, sleep, tlsTestnet, until } from './committee.js'
import { stranger } from './hostile.js'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function listenOn(server: Server, port: number): Promise<void> {
  const sockets: Socket[] = []
  server.on('connection', (socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  closers.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(() => resolve()))
  })
}

/** A node with index 0 that dials member 1 at `endpoint`. */
async function dialler(endpoint: string): Promise<Node> {
  const keys = await peerKeys(2)
  const members = [0, 1].map((index) => ({
    index,
    peerKey: keys[index]!.raw,
    endpoint: index === 1 ? endpoint : 'localhost:1',
  }))
  const node = new Node(
    0,
    new TlsTransport({
      self: 0,
      members,
      digest: DIGEST,
      peerKeyPem: keys[0]!.pem,
      certificatePem: keys[0]!.certificate,
      listen: { host: '127.0.0.1', port: 0 },
      limits: limitsOf({ handshakeMs: 250 }),
      scheduler: timers,
      random: () => 0.5,
    }),
  )
  closers.push(() => node.transport.close())
  await node.start()
  return node
}

describe('an impostor at the endpoint of a peer', () => {
  const memberOne = async (change: TlsOptions): Promise<Server> => {
    const key = (await peerKeys(2))[1]!
    return createTlsServer({ key: key.pem, cert: key.certificate, ALPNProtocols: ['assay/1'], ...change })
  }

  it.each<[string, CloseReason, () => Promise<Server>]>([
    [
      'another key',
      'KEY_UNKNOWN',
      async () => {
        const { pem, certificate } = await stranger()
        return memberOne({ key: pem, cert: certificate })
      },
    ],
    ['TLS 1.2', 'TLS_FAILED', () => memberOne({ maxVersion: 'TLSv1.2' })],
    ['no ALPN', 'ALPN_MISMATCH', () => memberOne({ ALPNProtocols: [] })],
    ['plain text', 'TLS_FAILED', async () => createTcpServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'))],
    ['an end at once', 'TLS_FAILED', async () => createTcpServer((socket) => socket.destroy())],
    ['silence', 'HANDSHAKE_TIMEOUT', async () => createTcpServer(() => {})],
    ['silence after TLS', 'HANDSHAKE_TIMEOUT', () => memberOne({})],
    ['nobody', 'CONNECT_FAILED', async () => createTcpServer()],
  ])('with %s is refused with %s', async (name, reason, make) => {
    const port = await freePort()
    if (name !== 'nobody') await listenOn(await make(), port)
    const node = await dialler(`127.0.0.1:${port}`)
    await until(reason, () => node.count(reason) >= 2)
    expect(node.transport.sessions()).toMatchObject([{ member: 1, state: 'down', reason }])
    expect(node.sessions).toEqual([])
    await node.transport.close()
  })
})

describe('dialling', () => {
  it('takes names as well as addresses', async () => {
    const net = await tlsTestnet(2)
    closers.push(() => net.closeAll())
    const accepting = net.join(1)
    await accepting.start()
    const node = await dialler(`localhost:${net.ports[1]}`)
    await until('up', () => node.isUp(1) && accepting.isUp(0))
  })

  it('brings a committee back after each member was restarted', async () => {
    const net = await tlsTestnet(3)
    closers.push(() => net.closeAll())
    const nodes = [net.join(0), net.join(1)]
    for (const node of nodes) await node.start()
    await until('up', () => nodes[0]!.isUp(1))
    for (const index of [0, 1]) {
      await nodes[index]!.transport.close()
      // join() gives a second transport of a member an address of its own, so the restarted one is built here.
      const keys = await peerKeys(3)
      const members = net.ports.map((port, at) => ({
        index: at,
        peerKey: keys[at]!.raw,
        endpoint: `127.0.0.1:${port}`,
      }))
      const restarted = new Node(
        index,
        new TlsTransport({
          self: index,
          members,
          digest: DIGEST,
          peerKeyPem: keys[index]!.pem,
          certificatePem: keys[index]!.certificate,
          listen: { host: '127.0.0.1', port: net.ports[index]! },
          limits: limitsOf(),
          scheduler: timers,
          random: () => 0.5,
        }),
      )
      closers.push(() => restarted.transport.close())
      nodes[index] = restarted
      await restarted.start()
      await until('up again', () => nodes[0]!.isUp(1) && nodes[1]!.isUp(0))
      nodes[0]!.transport.send(1, frameOf(SMALL, 30))
      await until('heard', () => nodes[1]!.frames.length === 1)
    }
  })

  it('keeps an idle session up by pings', async () => {
    const net = await tlsTestnet(2)
    closers.push(() => net.closeAll())
    const change = { limits: { keepaliveMs: 50, idleMs: 200 } }
    const nodes = [net.join(0, change), net.join(1, change)]
    for (const node of nodes) await node.start()
    await until('up', () => nodes[0]!.isUp(1))
    await sleep(600)
    expect(nodes.map((node) => node.sessions)).toEqual([['1 up'], ['0 up']])
  })

  it('refuses keys, endpoints and addresses that cannot work, with a code', async () => {
    const keys = await peerKeys(2)
    const options = {
      self: 0,
      members: [0, 1].map((index) => ({ index, peerKey: keys[index]!.raw, endpoint: 'localhost:1' })),
      digest: DIGEST,
      peerKeyPem: keys[0]!.pem,
      certificatePem: keys[0]!.certificate,
      listen: { host: '127.0.0.1', port: 0 },
      limits: limitsOf(),
      scheduler: timers,
      random: () => 0.5,
    }
    const code = (change: object) => refusalOf(() => new TlsTransport({ ...options, ...change }))?.code
    expect(code({})).toBe(undefined)
    expect(code({ peerKeyPem: keys[1]!.pem })).toBe('NETWORK_KEY_INVALID')
    expect(code({ peerKeyPem: 'no key' })).toBe('NETWORK_KEY_INVALID')
    expect(code({ members: options.members.map((member) => ({ ...member, endpoint: 'nowhere' })) })).toBe(
      'NETWORK_ENDPOINT_INVALID',
    )
    const port = await freePort()
    await listenOn(createTcpServer(), port)
    const events = { onFrame: () => {}, onSession: () => {}, onDrop: () => {} }
    const start = new TlsTransport({ ...options, listen: { host: '127.0.0.1', port } }).start(events)
    await expect(start).rejects.toMatchObject({ code: 'NETWORK_LISTEN_FAILED', facts: { port, cause: 'EADDRINUSE' } })
  })
})
