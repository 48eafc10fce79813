import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { createSourceWire, type SourceWire, type WireParts } from '../../src/observe/wire.js'
import { limits, never, type Peer, refusalFrom, startPeer, startRaw } from './loopback.js'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

function wireTo(port: number, own: Partial<WireParts> = {}): SourceWire {
  const wire = createSourceWire({
    loopback: [`127.0.0.1:${port}`],
    origins: { 'feed.example': `http://127.0.0.1:${port}`, 'other.example': `http://127.0.0.1:${port}/other` },
    ...own,
  })
  ends.push(() => wire.close())
  return wire
}

async function serve(listener: RequestListener): Promise<Peer> {
  const peer = await startPeer(createServer(listener))
  ends.push(() => peer.close())
  return peer
}

async function serveRaw(answer: (head: string) => string): Promise<Peer> {
  const peer = await startRaw(answer)
  ends.push(() => peer.close())
  return peer
}

const ask = { url: 'https://feed.example/v1?x=1' }
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')

async function wireFor(listener: RequestListener, own: Partial<WireParts> = {}): Promise<SourceWire> {
  return wireTo((await serve(listener)).port, own)
}

describe('a good reply', () => {
  it('is given whole, with its media type and the steady time it took', async () => {
    const seen: IncomingMessage[] = []
    let nowMs = 0
    const wire = await wireFor(
      (request, response) => {
        seen.push(request)
        nowMs += 250
        response.setHeader('content-type', 'Application/JSON; charset=utf-8').end('{"a":1}')
      },
      { steadyMs: () => nowMs },
    )
    const headers = { Accept: 'application/json', 'X-Key': 'k', Cookie: 'c=1', Host: 'evil', 'Accept-Encoding': 'br' }
    const { raw, latencyMs } = await wire.get({ ...ask, headers }, limits(), never)
    expect([text(raw.bytes), raw.mediaType, latencyMs]).toEqual(['{"a":1}', 'application/json', 250])
    expect(seen[0]!.url).toBe('/v1?x=1')
    expect(seen[0]!.headers).toMatchObject({ accept: 'application/json', 'x-key': 'k', 'accept-encoding': 'identity' })
    expect(seen[0]!.headers.cookie).toBeUndefined()
    expect(seen[0]!.headers.host).not.toBe('evil')
    expect(seen[0]!.headers['user-agent']).toBe('assay')
  })

  it('comes over kept connections, under the path of its origin', async () => {
    const paths: string[] = []
    const peer = await serve((request, response) => {
      paths.push(request.url!)
      response.end('ok')
    })
    const wire = wireTo(peer.port)
    const both = limits({ hosts: ['feed.example', 'other.example'] })
    for (const url of ['https://feed.example/a', 'https://other.example/b?c', 'https://feed.example/d'])
      await wire.get({ url }, both, never)
    expect(paths).toEqual(['/a', '/other/b?c', '/d'])
    const many = Array.from({ length: 40 }, (_, i) => wire.get({ url: `https://feed.example/${i}` }, both, never))
    await Promise.all(many)
    expect(peer.connections()).toBeLessThanOrEqual(4)
  })

  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('is decoded from %s, which was not asked for', async (encoding, encode) => {
    const wire = await wireFor((_, response) => response.setHeader('content-encoding', encoding).end(encode('{"a":1}')))
    expect(text((await wire.get(ask, limits(), never)).raw.bytes)).toBe('{"a":1}')
  })

  it('is asked for once by all who ask at once, and again by who comes later', async () => {
    let count = 0
    const wire = await wireFor((_, response) => setTimeout(() => response.end(`answer ${++count}`), 30))
    const gets = Array.from({ length: 20 }, () => wire.get(ask, limits(), never))
    const answers = (await Promise.all(gets)).map(({ raw }) => text(raw.bytes))
    expect(new Set(answers)).toEqual(new Set(['answer 1']))
    await wire.get({ ...ask, headers: { 'x-key': 'k' } }, limits(), never)
    expect(count).toBe(2)
  })

  it('goes to the others when one of those who wait gives up; when all do, the request is called off', async () => {
    let closed = 0
    const wire = await wireFor((request, response) => {
      request.on('close', () => closed++)
      setTimeout(() => response.end('late'), 60)
    })
    const leaver = new AbortController()
    const stays = wire.get(ask, limits(), never)
    const leaves = refusalFrom(wire.get(ask, limits(), leaver.signal))
    leaver.abort()
    expect((await leaves).code).toBe('SOURCE_TIMEOUT')
    expect(text((await stays).raw.bytes)).toBe('late')
    const all = new AbortController()
    const gone = [wire.get(ask, limits(), all.signal), wire.get(ask, limits(), all.signal)].map(refusalFrom)
    await new Promise((resolve) => setTimeout(resolve, 20))
    all.abort()
    await Promise.all(gone)
    await expect.poll(() => closed).toBe(2)
  })
})

describe('a status', () => {
  it.each([
    [204, 'SOURCE_TRUNCATED'],
    [206, 'SOURCE_TRUNCATED'],
    [300, 'SOURCE_MOVED'],
    [304, 'SOURCE_MOVED'],
    [400, 'SOURCE_REFUSED'],
    [401, 'SOURCE_UNAUTHORISED'],
    [403, 'SOURCE_UNAUTHORISED'],
    [404, 'SOURCE_REFUSED'],
    [418, 'SOURCE_RATE_LIMITED'],
    [429, 'SOURCE_RATE_LIMITED'],
    [451, 'SOURCE_REFUSED'],
    [500, 'SOURCE_FAILED'],
    [503, 'SOURCE_FAILED'],
    [599, 'SOURCE_FAILED'],
  ])('of %i is %s', async (status, code) => {
    const wire = await wireFor((_, response) => response.writeHead(status).end(status === 204 ? undefined : 'page'))
    const refusal = await refusalFrom(wire.get(ask, limits(), never))
    expect([refusal.code, refusal.facts['host'], refusal.facts['status']]).toEqual([code, 'feed.example', status])
  })

  it('of 4xx shows the first 200 printable characters of the body, and no header that was sent', async () => {
    const wire = await wireFor((_, response) =>
      response.writeHead(404).end(`\u0000no\r\nsuch é market ${'x'.repeat(9_000)}`),
    )
    const refusal = await refusalFrom(wire.get({ ...ask, headers: { 'x-key': 'secret-1' } }, limits(), never))
    expect(refusal.facts['body']).toMatch(/^no such market x{185}$/)
    expect(JSON.stringify([refusal.message, refusal.facts])).not.toContain('secret-1')
  })
})

describe('a body', () => {
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
  const encoded = (encoding: string, bytes: Buffer): RequestListener => {
    return (_, response) => response.setHeader('content-encoding', encoding).end(bytes)
  }

  it.each<[string, string, string]>([
    ['shorter than its length', 'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort', 'SOURCE_TRUNCATED'],
    ['of chunks without an end', `${chunked}5\r\nshort\r\n`, 'SOURCE_TRUNCATED'],
    ['of broken chunks', `${chunked}zz\r\nshort\r\n0\r\n\r\n`, 'SOURCE_TRUNCATED'],
    ['that is empty', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 'SOURCE_TRUNCATED'],
    ['declared too long', 'HTTP/1.1 200 OK\r\nContent-Length: 10001\r\n\r\nx', 'SOURCE_TOO_LARGE'],
    ['that is too long', `${chunked}2711\r\n${'x'.repeat(10_001)}\r\n0\r\n\r\n`, 'SOURCE_TOO_LARGE'],
    ['without HTTP around it', 'hello\r\n\r\n', 'SOURCE_FAILED'],
    ['behind headers too long', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, 'SOURCE_TOO_LARGE'],
    ['that never came', '', 'SOURCE_UNREACHABLE'],
  ])('%s is refused', async (_, reply, code) => {
    const wire = wireTo((await serveRaw(() => reply)).port)
    expect((await refusalFrom(wire.get(ask, limits(), never))).code).toBe(code)
  })

  it('of exactly the longest length passes', async () => {
    const wire = await wireFor((_, response) => response.end('x'.repeat(10_000)))
    expect((await wire.get(ask, limits(), never)).raw.bytes.length).toBe(10_000)
  })

  it('whose connection is reset midway is SOURCE_TRUNCATED', async () => {
    const wire = await wireFor((_, response: ServerResponse) => {
      response.writeHead(200, { 'content-length': '100' }).write('part')
      setTimeout(() => response.socket!.resetAndDestroy(), 20)
    })
    expect((await refusalFrom(wire.get(ask, limits(), never))).code).toBe('SOURCE_TRUNCATED')
  })

  it.each<[string, RequestListener, string]>([
    ['a bomb of 5 MB in gzip', encoded('gzip', gzipSync(Buffer.alloc(5_000_000))), 'SOURCE_TOO_LARGE'],
    ['a bomb in brotli', encoded('br', brotliCompressSync(Buffer.alloc(5_000_000))), 'SOURCE_TOO_LARGE'],
    ['half a gzip', encoded('gzip', gzipSync('{"a":1}').subarray(0, 15)), 'SOURCE_TRUNCATED'],
    ['no gzip at all', encoded('gzip', Buffer.from('{"a":1}')), 'SOURCE_FAILED'],
    ['an unknown encoding', encoded('zstd', Buffer.from('x')), 'SOURCE_FAILED'],
    ['two encodings', encoded('gzip, gzip', gzipSync(gzipSync('x'))), 'SOURCE_FAILED'],
  ])('of %s is refused', async (_, listener, code) => {
    const wire = await wireFor(listener)
    expect((await refusalFrom(wire.get(ask, limits({ bytesMax: 6_000 }), never))).code).toBe(code)
  })
})

describe('the deadline', () => {
  it.each<[string, RequestListener]>([
    ['no headers', () => {}],
    ['a body that stops', (_, response) => response.writeHead(200, { 'content-length': '100' }).write('part')],
    [
      'a body that drips',
      (_, response) => {
        response.writeHead(200)
        const drip = setInterval(() => response.write('x'), 20)
        response.on('close', () => clearInterval(drip))
      },
    ],
    [
      'headers that drip',
      (_, response) => {
        const socket = response.socket!
        socket.write('HTTP/1.1 200 OK\r\n')
        const drip = setInterval(() => socket.write('X: y\r\n'), 20)
        socket.on('close', () => clearInterval(drip))
      },
    ],
    ['the body of a refusal that drips', (_, response) => response.writeHead(404).write('x')],
  ])('ends %s with SOURCE_TIMEOUT', async (what, listener) => {
    const wire = await wireFor(listener)
    const startMs = performance.now()
    const refusal = await refusalFrom(wire.get(ask, limits({ timeoutMs: 150 }), never))
    // The status of a refusal is known before its body: the body is only an excerpt.
    expect(refusal.code).toBe(what.includes('refusal') ? 'SOURCE_REFUSED' : 'SOURCE_TIMEOUT')
    expect(performance.now() - startMs).toBeLessThan(1_500)
  })

  it('ends a name that does not resolve in time', async () => {
    const wire = wireTo(1, { lookup: () => new Promise(() => {}), origins: {} })
    expect((await refusalFrom(wire.get(ask, limits({ timeoutMs: 50 }), never))).code).toBe('SOURCE_TIMEOUT')
  })
})

describe('a connection', () => {
  it('that is refused is SOURCE_UNREACHABLE', async () => {
    const peer = await serve(() => {})
    await peer.close()
    const refusal = await refusalFrom(wireTo(peer.port).get(ask, limits(), never))
    expect([refusal.code, refusal.facts['cause']]).toEqual(['SOURCE_UNREACHABLE', 'ECONNREFUSED'])
  })

  it('to a name that does not resolve is SOURCE_UNREACHABLE', async () => {
    const gone = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })
    const wire = wireTo(1, { origins: {}, lookup: () => Promise.reject(gone) })
    const refusal = await refusalFrom(wire.get(ask, limits(), never))
    expect([refusal.code, refusal.facts['dns']]).toEqual(['SOURCE_UNREACHABLE', 'ENOTFOUND'])
    const empty = wireTo(1, { origins: {}, lookup: () => Promise.resolve([]) })
    expect((await refusalFrom(empty.get(ask, limits(), never))).code).toBe('SOURCE_UNREACHABLE')
  })

  it('is not opened for a caller who has left, nor by a wire that is closed', async () => {
    const peer = await serve((_, response) => response.end('x'))
    const wire = wireTo(peer.port)
    expect((await refusalFrom(wire.get(ask, limits(), AbortSignal.abort()))).code).toBe('SOURCE_TIMEOUT')
    await wire.close()
    expect((await refusalFrom(wire.get(ask, limits(), never))).code).toBe('SOURCE_UNREACHABLE')
    expect(peer.connections()).toBe(0)
  })

  it('under way ends with the wire', async () => {
    const wire = await wireFor(() => {})
    const under = refusalFrom(wire.get(ask, limits(), never))
    await new Promise((resolve) => setTimeout(resolve, 30))
    await wire.close()
    expect((await under).code).toBe('SOURCE_UNREACHABLE')
  })
})

it.each(['ftp://a/', 'http://u@a/', 'http://a/?q', 'a', 'http://a b/'])('refuses the origin %s', (origin) => {
  expect(() => createSourceWire({ loopback: [], origins: { 'feed.example': origin } })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', path: '/source/origins/feed.example' }),
  )
})

it.each([
  'http://mirror.example/',
  'ws://mirror.example/',
  'http://93.184.216.34/',
  'http://127.0.0.1:81/',
  'http://localhost/',
])('refuses the origin %s in plain text where it is not listed in loopback', (origin) => {
  const open = (loopback: readonly string[]): SourceWire =>
    createSourceWire({ loopback, origins: { 'feed.example': origin } })
  expect(() => open(['127.0.0.1:80'])).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', path: '/source/origins/feed.example' }),
  )
  const { hostname, port } = new URL(origin)
  expect(() => open([`${hostname}:${port || '80'}`])).not.toThrow()
})

it.each(['https://mirror.example/', 'wss://mirror.example/base'])('takes the public origin %s', (origin) => {
  expect(() => createSourceWire({ loopback: [], origins: { 'feed.example': origin } })).not.toThrow()
})
