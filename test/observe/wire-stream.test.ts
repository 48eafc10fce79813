import { createServer } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import type { AdapterLimits, Subscription } from '../../src/observe/adapter.js'
import { createSourceWire, type SourceWire } from '../../src/observe/wire.js'
import { limits, never, type Peer, refusalFrom, startPeer, startRaw } from './loopback.js'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

function wireTo(peer: Peer, steadyMs: () => number = () => 0): SourceWire {
  ends.push(() => peer.close())
  const place = `127.0.0.1:${peer.port}`
  const wire = createSourceWire({ loopback: [place], origins: { 'feed.example': `ws://${place}/base` }, steadyMs })
  ends.push(() => wire.close())
  return wire
}

/** A WebSocket server that compresses where it is asked to. */
async function serve(onSocket: (socket: WebSocket, path: string, peerEnds: Promise<void>) => void): Promise<Peer> {
  const http = createServer()
  const server = new WebSocketServer({ server: http, perMessageDeflate: { threshold: 0 } })
  server.on('connection', (socket, request) => {
    socket.on('error', () => {})
    onSocket(socket, request.url ?? '', new Promise((resolve) => socket.once('close', () => resolve())))
  })
  return startPeer(http)
}

const subscription: Subscription = {
  url: 'wss://feed.example/ws?x=1',
  messages: ['{"op":"subscribe"}'],
  quietMs: 20_000,
}

interface Heard {
  readonly texts: readonly string[]
  readonly code: string
}

/** Reads `wire` to its end: the messages, and the code it ended with (`end` for an end in order). */
async function hear(
  wire: SourceWire,
  own: Partial<Subscription> = {},
  bounds: Partial<AdapterLimits> = {},
  signal: AbortSignal = never,
  onText: () => void = () => {},
): Promise<Heard> {
  const texts: string[] = []
  let code = 'end'
  const stream = wire.open({ ...subscription, ...own }, limits(bounds), signal)
  const read = async (): Promise<never> => {
    for await (const { bytes, mediaType } of stream) {
      texts.push(`${mediaType}${Buffer.from(bytes).toString('utf8')}`)
      onText()
    }
    throw null
  }
  const refusal = await refusalFrom(read()).catch((error) => {
    if (error !== null) throw error
    return null
  })
  if (refusal !== null) code = refusal.code
  return { texts, code }
}

describe('a subscription', () => {
  it('sends its messages, gives what comes in order, and ends when the source closes', async () => {
    const seen: string[] = []
    const peer = await serve((socket, path) => {
      seen.push(path)
      socket.on('message', (message) => {
        seen.push(String(message))
        for (let i = 0; i < 100; i++) socket.send(`{"n":${i}}`)
        socket.send(Buffer.from('binary'))
        socket.close(1000)
      })
    })
    const { texts, code } = await hear(wireTo(peer))
    expect(seen).toEqual(['/base/ws?x=1', '{"op":"subscribe"}'])
    expect(texts).toEqual([...Array.from({ length: 100 }, (_, i) => `{"n":${i}}`), 'binary'])
    expect(code).toBe('end')
  })

  it('passes a message of exactly the longest length', async () => {
    const peer = await serve((socket) => {
      socket.send('x'.repeat(10_000))
      socket.close()
    })
    const { texts, code } = await hear(wireTo(peer))
    expect([texts[0]!.length, code]).toEqual([10_000, 'end'])
  })

  it.each<[string, string, (socket: WebSocket) => void]>([
    ['a message too long', 'SOURCE_TOO_LARGE', (socket) => socket.send('x'.repeat(10_001), { compress: false })],
    ['a bomb in a message', 'SOURCE_TOO_LARGE', (socket) => socket.send(Buffer.alloc(20_000_000))],
    ['parts that are too long together', 'SOURCE_TOO_LARGE', (socket) => parts(socket)],
    ['silence', 'SOURCE_TIMEOUT', () => {}],
    ['a connection that breaks', 'SOURCE_UNREACHABLE', (socket) => socket.terminate()],
    ['a close for a fault', 'SOURCE_FAILED', (socket) => socket.close(1011)],
    ['a masked frame', 'SOURCE_FAILED', (socket) => raw(socket, [0x81, 0x81, 1, 2, 3, 4, 5])],
    ['text that is not UTF-8', 'SOURCE_FAILED', (socket) => raw(socket, [0x81, 0x01, 0xff])],
  ])('ends at %s with %s', async (what, expected, act) => {
    let far: WebSocket | undefined
    let isGone: Promise<void> | undefined
    const peer = await serve((socket, _path, gone) => {
      far = socket
      isGone = gone
      // Once it has read all: a connection that ends with bytes unread may take with it what was sent before.
      socket.on('message', () => socket.send('first'))
    })
    const quietMs = what === 'silence' ? 300 : 20_000
    const { texts, code } = await hear(wireTo(peer), { quietMs }, {}, never, () => act(far!))
    expect([texts, code]).toEqual([['first'], expected])
    await isGone
  })

  it('is left when its reader goes, when its caller aborts and when the wire closes', async () => {
    const gone: Promise<void>[] = []
    const peer = await serve((socket, _path, end) => {
      gone.push(end)
      socket.send('first')
    })
    const wire = wireTo(peer)
    for await (const _ of wire.open(subscription, limits(), never)) break
    await gone[0]
    const caller = new AbortController()
    const aborted = await hear(wire, {}, {}, caller.signal, () => caller.abort())
    expect(aborted).toEqual({ texts: ['first'], code: 'SOURCE_TIMEOUT' })
    await gone[1]
    const closed = await hear(wire, {}, {}, never, () => wire.close())
    expect(closed).toEqual({ texts: ['first'], code: 'SOURCE_UNREACHABLE' })
    await gone[2]
    expect((await hear(wire)).code).toBe('SOURCE_UNREACHABLE')
    expect(gone.length).toBe(3)
  })

  it('is read no faster than its reader goes', async () => {
    let buffered = 0
    const peer = await serve((socket) => {
      const flood = setInterval(() => {
        for (let i = 0; i < 50; i++) socket.send('x'.repeat(9_000), { compress: false })
        buffered = socket.bufferedAmount
      }, 1)
      socket.on('close', () => clearInterval(flood))
    })
    const stream = wireTo(peer).open(subscription, limits(), never)[Symbol.asyncIterator]()
    await stream.next()
    // Nobody reads: what the source sends stays with the source, not in this process.
    await expect.poll(() => buffered, { timeout: 10_000 }).toBeGreaterThan(5_000_000)
    for (let i = 0; i < 200; i++) expect((await stream.next()).done).toBe(false)
    await stream.return!()
  })
})

describe('a handshake', () => {
  it.each([
    ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 'SOURCE_FAILED'],
    ['HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno', 'SOURCE_UNAUTHORISED'],
    ['HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n', 'SOURCE_FAILED'],
    ['HTTP/1.1 302 No\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n', 'SOURCE_MOVED'],
    [
      'HTTP/1.1 101 OK\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n',
      'SOURCE_FAILED',
    ],
    ['hello\r\n\r\n', 'SOURCE_FAILED'],
    ['', 'SOURCE_UNREACHABLE'],
  ])('answered by %j is refused', async (reply, code) => {
    expect(await hear(wireTo(await startRaw(() => reply)))).toEqual({ texts: [], code })
  })

  it('that is not answered ends at the deadline', async () => {
    const peer = await startPeer(() => {})
    expect((await hear(wireTo(peer), {}, { timeoutMs: 100 })).code).toBe('SOURCE_TIMEOUT')
  })

  it('refused with 429 rests the host, for requests too', async () => {
    let nowMs = 0
    const peer = await startRaw(() => 'HTTP/1.1 429 Slow\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n')
    const wire = wireTo(peer, () => nowMs)
    expect((await hear(wire)).code).toBe('SOURCE_RATE_LIMITED')
    const get = (): Promise<unknown> => wire.get({ url: 'https://feed.example/' }, limits(), never)
    nowMs = 4_999
    expect((await refusalFrom(get())).code).toBe('SOURCE_RATE_LIMITED')
    expect(peer.connections()).toBe(1)
    nowMs = 5_000
    await refusalFrom(get())
    expect(peer.connections()).toBe(2)
  })
})

/** Two frames of one message, together longer than the limit. */
function parts(socket: WebSocket): void {
  socket.send('x'.repeat(6_000), { fin: false, compress: false })
  socket.send('x'.repeat(6_000), { fin: true, compress: false })
}

/** Bytes of the server's own making, past its WebSocket layer. */
function raw(socket: WebSocket, bytes: readonly number[]): void {
  ;(socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(Buffer.from(bytes))
}

describe('a source that floods', () => {
  const pings = (socket: WebSocket): void => {
    for (let i = 0; i < 5_000; i++) socket.ping()
  }
  const texts = (socket: WebSocket): void => {
    for (let i = 0; i < 5_000; i++) socket.send('x')
  }
  const fragments = (socket: WebSocket): void => {
    const more = (): void => socket.send('x'.repeat(60_000), { fin: false, compress: false }, () => setImmediate(more))
    more()
  }

  it.each([
    ['pings', pings, {}],
    ['messages', texts, {}],
    ['parts of one message', fragments, { bytesMax: 2 ** 30 }],
  ] as const)('with %s is cut off with SOURCE_RATE_LIMITED, whatever it said before', async (_, flood, bounds) => {
    const peer = await serve((socket) => {
      socket.send('first')
      flood(socket)
    })
    const heard = await hear(
      wireTo(peer, () => performance.now()),
      {},
      bounds,
    )
    expect(heard.code).toBe('SOURCE_RATE_LIMITED')
    expect(heard.texts[0]).toBe('first')
  })

  it('may be as loud as the loudest market', async () => {
    const peer = await serve((socket) => {
      for (let i = 0; i < 400; i++) socket.send(`tick ${i}`)
      for (let i = 0; i < 20; i++) socket.ping()
      setTimeout(() => socket.close(1000), 200)
    })
    const heard = await hear(wireTo(peer, () => performance.now()))
    expect(heard).toMatchObject({ code: 'end' })
    expect(heard.texts).toHaveLength(400)
  })
})
