import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { connect as connectSocket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { MockAgent } from 'undici'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Connect } from '../../src/observe/guard.js'
import { restOf } from '../../src/observe/pace.js'
import { createSourceWire, type SourceWire, type WireParts } from '../../src/observe/wire.js'
import { type Identity, limits, never, type Peer, refusalFrom, selfSigned, startPeer } from './loopback.js'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

function own(parts: WireParts): SourceWire {
  const wire = createSourceWire(parts)
  ends.push(() => wire.close())
  return wire
}

async function serve(listener: RequestListener, identity?: Identity): Promise<Peer> {
  const peer = await startPeer(identity === undefined ? createServer(listener) : createSecureServer(identity, listener))
  ends.push(() => peer.close())
  return peer
}

const mapped = (port: number, hosts = ['feed.example']): WireParts => ({
  loopback: [`127.0.0.1:${port}`],
  origins: Object.fromEntries(hosts.map((host) => [host, `http://127.0.0.1:${port}`])),
})
const ask = { url: 'https://feed.example/v1' }
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')

describe('redirects', () => {
  it.each([301, 302, 303, 307, 308])('of %i are followed on the adapter’s hosts', async (status) => {
    const peer = await serve((request, response) => {
      if (request.url === '/v1') response.writeHead(status, { location: '/v2?a=b' }).end()
      else response.end(request.url)
    })
    const { raw } = await own(mapped(peer.port)).get(ask, limits(), never)
    expect(text(raw.bytes)).toBe('/v2?a=b')
  })

  it('are followed three times and no more', async () => {
    const peer = await serve((request, response) => {
      const left = Number(request.url!.slice(1))
      if (left === 0) response.end('there')
      else response.writeHead(302, { location: `/${left - 1}` }).end()
    })
    const wire = own(mapped(peer.port))
    expect(text((await wire.get({ url: 'https://feed.example/3' }, limits(), never)).raw.bytes)).toBe('there')
    const refusal = await refusalFrom(wire.get({ url: 'https://feed.example/4' }, limits(), never))
    expect(refusal.code).toBe('SOURCE_MOVED')
  })

  it('I88: a 308 to another host is not followed, and is SOURCE_MOVED', async () => {
    const seen: string[] = []
    const peer = await serve((request, response) => {
      seen.push(request.url!)
      response.writeHead(308, 'Call Blocked', { location: 'https://other.example/new' }).end('moved')
    })
    const wire = own(mapped(peer.port, ['feed.example', 'other.example']))
    const refusal = await refusalFrom(wire.get(ask, limits(), never))
    expect([refusal.code, refusal.facts['host']]).toEqual(['SOURCE_MOVED', 'other.example'])
    expect(seen).toEqual(['/v1'])
    // The guard is the list: with the host on it, the same reply is followed.
    const wider = limits({ hosts: ['feed.example', 'other.example'], timeoutMs: 2_000 })
    await refusalFrom(wire.get(ask, wider, never))
    expect(seen.slice(1)).toEqual(['/v1', '/new', '/new', '/new'])
  })

  it('take no header but accept to another host, and never a cookie', async () => {
    const seen: Record<string, unknown>[] = []
    const peer = await serve((request, response) => {
      seen.push(request.headers)
      if (request.url === '/v1')
        response.writeHead(302, { location: 'https://other.example/v2', 'set-cookie': 'a=b' }).end()
      else response.end('ok')
    })
    const headers = { authorization: 'Bearer t', 'x-key': 'k', accept: 'text/csv' }
    const wire = own(mapped(peer.port, ['feed.example', 'other.example']))
    await wire.get({ ...ask, headers }, limits({ hosts: ['feed.example', 'other.example'] }), never)
    expect(seen[0]).toMatchObject(headers)
    expect(seen[1]).toMatchObject({ accept: 'text/csv', 'user-agent': 'assay' })
    for (const name of ['authorization', 'x-key', 'cookie']) expect(seen[1]).not.toHaveProperty(name)
  })
})

describe('a URL on the adapter’s own host', () => {
  it.each([
    'https://user@feed.example/v1',
    'https://user:word@feed.example/v1',
    'https://feed.example:444/v1',
    'http://feed.example/v1',
    'https://feed.example./v1',
    'https://feed.example/é',
    'https://ｆeed.example/v1',
    'https://feed.example\\v1',
    ' https://feed.example/v1',
  ])('is refused as %j, first or as a redirect, though it would lead to the source', async (url) => {
    const seen: string[] = []
    const peer = await serve((request, response) => {
      seen.push(request.url!)
      if (request.url === '/first') response.writeHead(302, { location: Buffer.from(url).toString('latin1') }).end()
      else response.end('ok')
    })
    const wire = own(mapped(peer.port))
    expect((await refusalFrom(wire.get({ url }, limits(), never))).code).toBe('SOURCE_ADDRESS_DENIED')
    // HTTP itself strips the space before a value.
    const second = wire.get({ url: 'https://feed.example/first' }, limits(), never)
    if (url.startsWith(' ')) await second
    else expect((await refusalFrom(second)).code).toBe('SOURCE_MOVED')
    expect(seen).toEqual(url.startsWith(' ') ? ['/first', '/v1'] : ['/first'])
  })
})

describe('pace', () => {
  /** A wire whose hosts are not mapped, at a stand-in for their public address. */
  const paced = (perMinute: number) => {
    const clock = { nowMs: 0 }
    const agent = new MockAgent()
    agent.disableNetConnect()
    for (const host of ['feed.example', 'other.example'])
      agent.get(`https://${host}`).intercept({ path: '/v1' }).reply(200, 'ok').persist()
    const wire = own({ loopback: [], origins: {}, dispatcher: agent, steadyMs: () => clock.nowMs })
    const get = (host = 'feed.example'): Promise<string> =>
      wire.get({ url: `https://${host}/v1` }, limits({ hosts: [host], perMinute }), never).then(
        () => 'ok',
        (error) => error.code,
      )
    return { clock, get }
  }

  it('allows a burst of ten, then the adapter’s rate, for each host', async () => {
    const { clock, get } = paced(60)
    const first: string[] = []
    for (let i = 0; i < 12; i++) first.push(await get())
    expect(first).toEqual([...Array(10).fill('ok'), 'SOURCE_RATE_LIMITED', 'SOURCE_RATE_LIMITED'])
    expect(await get('other.example')).toBe('ok')
    clock.nowMs += 1_000
    expect([await get(), await get()]).toEqual(['ok', 'SOURCE_RATE_LIMITED'])
    let good = 0
    for (let i = 0; i < 600; i++) {
      clock.nowMs += 100
      if ((await get()) === 'ok') good++
    }
    expect(good).toBe(60)
  })

  it('allows no more than the rate at once', async () => {
    const { get } = paced(2)
    expect([await get(), await get(), await get()]).toEqual(['ok', 'ok', 'SOURCE_RATE_LIMITED'])
  })

  it('binds a public mirror as it binds the source', async () => {
    const agent = new MockAgent()
    agent.disableNetConnect()
    agent.get('https://mirror.example').intercept({ path: '/base/v1' }).reply(200, 'ok').persist()
    const origins = { 'feed.example': 'https://mirror.example/base' }
    const wire = own({ loopback: ['127.0.0.1:443'], origins, dispatcher: agent, steadyMs: () => 0 })
    const get = (): Promise<unknown> => wire.get(ask, limits({ perMinute: 2 }), never)
    await get()
    await get()
    expect((await refusalFrom(get())).code).toBe('SOURCE_RATE_LIMITED')
  })

  it('does not bind origins on listed loopback, but a 429 rests their host too', async () => {
    const clock = { nowMs: 0 }
    let status = 200
    let count = 0
    const peer = await serve((_, response) => {
      count++
      response.writeHead(status, status === 429 ? { 'retry-after': '7' } : {}).end('x')
    })
    const wire = own({ ...mapped(peer.port, ['feed.example', 'other.example']), steadyMs: () => clock.nowMs })
    const get = (url: string): Promise<unknown> =>
      wire.get({ url }, limits({ hosts: ['feed.example', 'other.example'], perMinute: 1 }), never)
    for (let i = 0; i < 20; i++) await get('https://feed.example/v1')
    status = 429
    await refusalFrom(get('https://feed.example/v1'))
    status = 200
    expect(count).toBe(21)
    clock.nowMs += 6_999
    const refusal = await refusalFrom(get('https://feed.example/other-path'))
    expect([refusal.code, refusal.facts['waitMs'], count]).toEqual(['SOURCE_RATE_LIMITED', 1, 21])
    await get('https://other.example/v1')
    clock.nowMs += 1
    await get('https://feed.example/v1')
    expect(count).toBe(23)
  })

  const date = 'Wed, 21 Oct 2015 07:28:00 GMT'
  it.each([
    ['12', undefined, 12_000],
    [' 0 ', undefined, 0],
    ['86400', undefined, 600_000],
    ['Wed, 21 Oct 2015 07:28:45 GMT', date, 45_000],
    ['Wed, 21 Oct 2015 07:27:00 GMT', date, 0],
    ['Thu, 22 Oct 2015 07:28:45 GMT', date, 600_000],
    ['Wed, 21 Oct 2015 07:28:45 GMT', undefined, 30_000],
    [undefined, date, 30_000],
    ['-5', date, 30_000],
    ['soon', date, 30_000],
  ])('rests after retry-after %j', (retryAfter, at, restMs) => {
    expect(restOf(retryAfter, at)).toBe(restMs)
  })
})

describe('TLS', () => {
  let identity: Identity
  beforeAll(async () => {
    identity = await selfSigned(['feed.example', 'localhost'])
  })

  /** Takes the place of the internet: sockets to 93.184.216.34:443 end at `peer`, and say so as a real one would. */
  const internet = (peer: Peer): Connect => {
    return ({ host }) => {
      const socket = connectSocket({ host: '127.0.0.1', port: peer.port })
      return Object.defineProperty(socket, 'remoteAddress', { value: host })
    }
  }
  const lookup = () => Promise.resolve([{ address: '93.184.216.34' }])

  it('names the host of the URL and believes its authority', async () => {
    const names: unknown[] = []
    const peer = await serve((request, response) => {
      names.push((request.socket as TLSSocket & { servername: string }).servername, request.headers.host)
      response.end('ok')
    }, identity)
    const wire = own({ loopback: [], origins: {}, lookup, connect: internet(peer), ca: identity.cert })
    expect(text((await wire.get(ask, limits(), never)).raw.bytes)).toBe('ok')
    expect(names).toEqual(['feed.example', 'feed.example'])
  })

  it('refuses another name and an unknown authority as SOURCE_UNREACHABLE, with the fact tls', async () => {
    let asked = 0
    const peer = await serve((_, response) => response.end(`${++asked}`), identity)
    const parts = { loopback: [], origins: {}, lookup, connect: internet(peer) }
    const other = own({ ...parts, ca: identity.cert }).get(
      { url: 'https://other.example/' },
      limits({ hosts: ['other.example'] }),
      never,
    )
    const wrongName = await refusalFrom(other)
    const stranger = await refusalFrom(own(parts).get(ask, limits(), never))
    expect([wrongName.code, wrongName.facts['tls']]).toEqual(['SOURCE_UNREACHABLE', 'ERR_TLS_CERT_ALTNAME_INVALID'])
    expect([stranger.code, stranger.facts['tls']]).toEqual(['SOURCE_UNREACHABLE', 'DEPTH_ZERO_SELF_SIGNED_CERT'])
    expect(asked).toBe(0)
  })

  it('refuses a peer that does not speak it', async () => {
    const peer = await serve(() => {})
    const wire = own({ loopback: [], origins: {}, lookup, connect: internet(peer), ca: identity.cert })
    const refusal = await refusalFrom(wire.get(ask, limits(), never))
    expect([refusal.code, typeof refusal.facts['tls']]).toEqual(['SOURCE_UNREACHABLE', 'string'])
  })

  it('works to a mapped https origin on loopback', async () => {
    const peer = await serve((_, response) => response.end('ok'), identity)
    const place = `localhost:${peer.port}`
    const wire = own({
      loopback: [place],
      origins: { 'feed.example': `https://${place}` },
      lookup: () => Promise.resolve([{ address: '127.0.0.1' }]),
      ca: identity.cert,
    })
    expect(text((await wire.get(ask, limits(), never)).raw.bytes)).toBe('ok')
  })

  it('tries the next address when the first takes no connection', async () => {
    const peer = await serve((_, response) => response.end('ok'), identity)
    const dialled: string[] = []
    const wire = own({
      loopback: [],
      origins: {},
      lookup: () => Promise.resolve([{ address: '2606:4700::1' }, { address: '93.184.216.34' }]),
      ca: identity.cert,
      connect(to) {
        dialled.push(to.host)
        return to.host.includes(':') ? connectSocket({ host: '127.0.0.1', port: 1 }) : internet(peer)(to)
      },
    })
    expect(text((await wire.get(ask, limits(), never)).raw.bytes)).toBe('ok')
    expect(dialled).toEqual(['2606:4700:0:0:0:0:0:1', '93.184.216.34'])
  })
})
