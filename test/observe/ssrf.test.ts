import { BlockList, isIPv4, connect as openSocket, type Socket } from 'node:net'
import { Agent, type buildConnector } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Connect, Lookup } from '../../src/observe/guard.js'
import { SourceError } from '../../src/observe/source-error.js'
import { createSourceWire, type SourceWire, type WireParts } from '../../src/observe/wire.js'
import { limits, never, type Peer, recordSockets, refusalFrom, startPeer, startRaw } from './loopback.js'
import { deniedHosts, oddUrls } from './ssrf-forms.js'

/** The judge of this test: Node's own reader of prefixes, not ours. Denied is what is not plainly public. */
const deniedV4 = new BlockList()
for (const net of ['0.0.0.0', '10.0.0.0', '127.0.0.0']) deniedV4.addSubnet(net, 8)
for (const net of ['192.0.0.0', '192.0.2.0', '192.88.99.0', '198.51.100.0', '203.0.113.0']) deniedV4.addSubnet(net, 24)
for (const net of ['169.254.0.0', '192.168.0.0']) deniedV4.addSubnet(net, 16)
for (const net of ['224.0.0.0', '240.0.0.0']) deniedV4.addSubnet(net, 4)
deniedV4.addSubnet('100.64.0.0', 10)
deniedV4.addSubnet('172.16.0.0', 12)
deniedV4.addSubnet('198.18.0.0', 15)
// Kept apart: such a list takes an IPv4 address for its IPv4-mapped form when it has IPv6 prefixes.
const deniedV6 = new BlockList()
deniedV6.addSubnet('::', 3, 'ipv6')
deniedV6.addSubnet('4000::', 2, 'ipv6')
deniedV6.addSubnet('8000::', 1, 'ipv6')
deniedV6.addSubnet('2001::', 23, 'ipv6')
deniedV6.addSubnet('2001:db8::', 32, 'ipv6')
deniedV6.addSubnet('2002::', 16, 'ipv6')
deniedV6.addSubnet('3fff::', 20, 'ipv6')
const isDenied = (host: string): boolean =>
  isIPv4(host) ? deniedV4.check(host) : deniedV6.check(host, 'ipv6') || /:5efe:[0-9a-f]+:[0-9a-f]+$/.test(host)

const publicV4 = '93.184.216.34'
const publicV6 = '2606:4700::1111'

/** Stands for every denied place: nothing may ever connect here. */
let inside: Peer
/** Stands for every public place: takes connections and drops them. */
let outside: Peer
let sockets: ReturnType<typeof recordSockets>
const deniedDials: string[] = []
const wires: SourceWire[] = []

/** Ends sockets to denied places at `inside`, others at `outside`; no byte leaves the machine. */
const connect: Connect = ({ host }) => {
  const isBad = isDenied(host)
  if (isBad) deniedDials.push(host)
  const socket = openSocket({ host: '127.0.0.1', port: isBad ? inside.port : outside.port })
  return Object.defineProperty(socket, 'remoteAddress', { value: host })
}

/** Every name is loopback's. */
const denyingLookup: Lookup = () => Promise.resolve([{ address: '127.0.0.1' }, { address: '::1' }])

function wireOf(parts: Partial<WireParts>): SourceWire {
  let nowMs = 0
  // A minute passes between requests: nothing is refused for its pace.
  const steadyMs = (): number => (nowMs += 60_000)
  const wire = createSourceWire({ loopback: [], origins: {}, connect, lookup: denyingLookup, steadyMs, ...parts })
  wires.push(wire)
  return wire
}

/** The worst list of hosts that an adapter could have: the very host of the URL is on it. */
function permissive(url: string): readonly string[] {
  const base = URL.canParse(url, 'https://feed.example') ? new URL(url, 'https://feed.example').hostname : ''
  return ['feed.example', 'api.example', base]
}

/** The code that `url` is refused with, under the worst list. */
async function codeOf(wire: SourceWire, url: string): Promise<string> {
  return (await refusalFrom(wire.get({ url }, limits({ hosts: permissive(url), timeoutMs: 2_000 }), never))).code
}

const forms = [
  ...deniedHosts.map((host) => `https://${host}/v1`),
  ...oddUrls.map((url) => url.replace('HOST', 'api.example')),
]

/** Every `step`th form, and all of the odd ones. */
const some = (step: number): readonly string[] => forms.filter((_, i) => i % step === 0 || i >= deniedHosts.length)

beforeAll(async () => {
  inside = await startPeer((socket) => socket.destroy())
  outside = await startPeer((socket) => socket.destroy())
  sockets = recordSockets()
})
afterAll(async () => {
  sockets.stop()
  for (const wire of wires) await wire.close()
  await inside.close()
  await outside.close()
})

const toInside = (): number => sockets.opened.filter(({ port }) => port === inside.port).length
const count = (): readonly number[] => [inside.connections(), toInside(), deniedDials.length]

describe('the counters', () => {
  it('count one connection that is allowed', async () => {
    const before = count()
    // Without a `connect` of this test: the production wire opens its own socket to what the operator listed.
    const place = `127.0.0.1:${inside.port}`
    const wire = createSourceWire({ loopback: [place], origins: { 'feed.example': `http://${place}` } })
    const refusal = await refusalFrom(wire.get({ url: 'https://feed.example/' }, limits(), never))
    await wire.close()
    expect(refusal.code).toBe('SOURCE_UNREACHABLE')
    expect(count()).toEqual([before[0]! + 1, before[1]! + 1, before[2]])
  })

  it('count a public address as outside', async () => {
    const [before, opened] = [outside.connections(), sockets.opened.length]
    const wire = wireOf({ lookup: () => Promise.resolve([{ address: publicV4 }, { address: publicV6 }]) })
    expect(await codeOf(wire, 'https://api.example/')).toBe('SOURCE_UNREACHABLE')
    expect([outside.connections() - before, sockets.opened.length - opened]).toEqual([1, 1])
  })
})

describe(`${forms.length} forms`, () => {
  it('open no socket, even where the adapter lists the host', async () => {
    expect(new Set(forms).size).toBeGreaterThanOrEqual(250)
    const [before, opened] = [count(), sockets.opened.length]
    const wire = wireOf({})
    const codes: Record<string, number> = {}
    for (const url of forms) {
      const code = await codeOf(wire, url)
      codes[code] = (codes[code] ?? 0) + 1
    }
    expect(Object.keys(codes)).toEqual(['SOURCE_ADDRESS_DENIED'])
    expect([count(), sockets.opened.length - opened]).toEqual([before, 0])
  })

  it('open no socket as subscriptions', async () => {
    const [before, opened] = [count(), sockets.opened.length]
    const wire = wireOf({})
    for (const url of some(3).map((form) => form.replace(/^http/, 'ws'))) {
      const stream = wire.open({ url, messages: [], quietMs: 1_000 }, limits({ hosts: permissive(url) }), never)
      const refusal = await refusalFrom(stream[Symbol.asyncIterator]().next())
      expect([url, refusal.code]).toEqual([url, 'SOURCE_ADDRESS_DENIED'])
    }
    expect([count(), sockets.opened.length - opened]).toEqual([before, 0])
  })

  it('open no socket as targets of 301, 302, 303, 307 and 308', async () => {
    let reply = ''
    const source = await startRaw(() => reply)
    const place = `127.0.0.1:${source.port}`
    const wire = wireOf({
      loopback: [place],
      origins: { 'feed.example': `http://${place}` },
      // The source's own place is the one that may be reached.
      connect: (to) => (to.port === source.port ? openSocket(to) : connect(to)),
    })
    const [before, opened] = [count(), sockets.opened.length]
    const targets = [
      ...some(2),
      'https://api.example/a\r\n https://127.0.0.1/',
      'https://api.example/\r\nLocation: https://127.0.0.1/',
    ]
    let asked = 0
    for (const [i, target] of targets.entries()) {
      const status = [301, 302, 303, 307, 308][i % 5]
      reply = `HTTP/1.1 ${status} Moved\r\nLocation: ${target}\r\nContent-Length: 0\r\n\r\n`
      const hosts = permissive(target)
      const refusal = await refusalFrom(
        wire.get({ url: `https://feed.example/${i}` }, limits({ hosts, timeoutMs: 2_000 }), never),
      )
      // A broken header ends the reply; an empty or odd target may lead back to the source itself, until hops run out.
      expect([target, /^SOURCE_(MOVED|ADDRESS_DENIED|FAILED)$/.test(refusal.code)]).toEqual([target, true])
      asked++
    }
    expect(asked).toBe(targets.length)
    expect(asked).toBeGreaterThanOrEqual(250)
    expect(count()).toEqual(before)
    expect(sockets.opened.slice(opened).every(({ port }) => port === source.port)).toBe(true)
    await source.close()
  })

  it('of loopback open no socket as mapped origins that are not listed, with the sockets of production', async () => {
    const names = ['127.0.0.1', '2130706433', '0x7f000001', '017700000001', '127.1', '0177.0.0.1', 'localhost']
    const before = count()
    for (const host of [...names, '[::1]', '[::ffff:127.0.0.1]', '0.0.0.0', '[::]']) {
      const origins = { 'feed.example': `https://${host}:${inside.port}` }
      // Listed are only neighbours: another port, another name.
      const loopback = [`127.0.0.1:${inside.port + 1}`, `127.0.0.2:${inside.port}`]
      const wire = createSourceWire({ origins, loopback })
      const refusal = await refusalFrom(wire.get({ url: 'https://feed.example/' }, limits(), never))
      await wire.close()
      expect([host, refusal.code]).toEqual([host, 'SOURCE_ADDRESS_DENIED'])
    }
    expect(count()).toEqual(before)
  })

  it('of private ranges stay closed where they are mapped and listed', async () => {
    const before = count()
    for (const host of ['10.0.0.1', '192.168.1.1', '169.254.169.254', '0.0.0.0', '[::ffff:127.0.0.1]', '[fc00::1]']) {
      const place = `${new URL(`http://${host}`).hostname}:8080`
      const wire = wireOf({ loopback: [place], origins: { 'feed.example': `http://${place}` } })
      expect([host, await codeOf(wire, 'https://feed.example/')]).toEqual([host, 'SOURCE_ADDRESS_DENIED'])
    }
    expect(count()).toEqual(before)
  })

  it('of the public internet stay closed where they are listed as loopback: what is listed has no limit and may be http', async () => {
    const opened = sockets.opened.length
    for (const host of [publicV4, `[${publicV6}]`, 'mirror.example']) {
      const place = `${new URL(`http://${host}`).hostname}:8080`
      const lookup: Lookup = () => Promise.resolve([{ address: publicV4 }])
      const wire = wireOf({ lookup, loopback: [place], origins: { 'feed.example': `http://${place}` } })
      expect([host, await codeOf(wire, 'https://feed.example/')]).toEqual([host, 'SOURCE_ADDRESS_DENIED'])
    }
    expect(sockets.opened.length).toBe(opened)
  })

  it('stay closed when an unmapped host leads to a listed place', async () => {
    const before = count()
    const wire = wireOf({ loopback: ['127.0.0.1:443', 'api.example:443'] })
    expect(await codeOf(wire, 'https://api.example/')).toBe('SOURCE_ADDRESS_DENIED')
    expect(await codeOf(wire, 'https://127.0.0.1/')).toBe('SOURCE_ADDRESS_DENIED')
    expect(count()).toEqual(before)
  })
})

describe('1,000 rebinding flips', () => {
  const bad = ['127.0.0.1', '::1', '10.0.0.1', '169.254.169.254', '::ffff:127.0.0.1', '64:ff9b::7f00:1', 'fe80::1']
  const good = [publicV4, publicV6, '1.1.1.1']

  it('open no socket to a denied range', async () => {
    let seed = 7
    const next = (below: number): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
      return (seed >>> 16) % below
    }
    let lookups = 0
    let answers: { address: string }[] = []
    const wire = wireOf({
      lookup: () => {
        lookups++
        return Promise.resolve(answers)
      },
    })
    const [before, opened, reached] = [count(), sockets.opened.length, outside.connections()]
    const codes = { public: 0, denied: 0 }
    for (let i = 0; i < 1_000; i++) {
      const isGood = i % 2 === 0
      answers = Array.from({ length: 1 + next(3) }, () => ({ address: good[next(good.length)]! }))
      if (!isGood) answers.splice(next(answers.length + 1), i % 4 === 1 ? 9 : 0, { address: bad[next(bad.length)]! })
      // Every third answer changes between two readings of it.
      if (i % 3 === 0) answers = answers.map(flipping)
      const code = await codeOf(wire, 'https://rebind.example/')
      expect([i, code]).toEqual([i, isGood ? 'SOURCE_UNREACHABLE' : 'SOURCE_ADDRESS_DENIED'])
      codes[isGood ? 'public' : 'denied']++
    }
    expect(codes).toEqual({ public: 500, denied: 500 })
    // One resolution each: there is no second one that could differ.
    expect(lookups).toBe(1_000)
    expect(count()).toEqual(before)
    expect(outside.connections() - reached).toBe(sockets.opened.length - opened)
    expect(outside.connections() - reached).toBeGreaterThanOrEqual(500)
  })

  /** An answer whose address is loopback's from the second reading on. */
  function flipping({ address }: { address: string }): { address: string } {
    let reads = 0
    return {
      get address() {
        return reads++ === 0 ? address : '127.0.0.1'
      },
    }
  }

  it('send nothing over a socket that reached another address than the one checked', async () => {
    let received = 0
    const elsewhere = await startPeer((socket) => socket.on('data', (chunk) => (received += chunk.length)))
    const lookup = () => Promise.resolve([{ address: publicV4 }])
    // Not disguised: the socket's own remoteAddress says 127.0.0.1.
    const wire = wireOf({ lookup, connect: () => openSocket({ host: '127.0.0.1', port: elsewhere.port }) })
    expect(await codeOf(wire, 'https://api.example/')).toBe('SOURCE_ADDRESS_DENIED')
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect([elsewhere.connections(), received]).toEqual([1, 0])
    await elsewhere.close()
  })
})

describe('without the guard', () => {
  /** As undici connects by itself: whatever the name resolves to is dialled. */
  const unguarded: buildConnector.connector = (options, callback) => {
    denyingLookup(options.hostname).then(([first]) => {
      const isName = /[a-z]/.test(options.hostname) && !options.hostname.includes(':')
      const socket: Socket = connect({ host: isName ? first!.address : options.hostname, port: 443 })
      socket.once('connect', () => callback(null, socket)).on('error', () => {})
    })
  }

  it('the same forms reach the listener, and the counters see it', async () => {
    const before = count()
    const dispatcher = new Agent({ connect: unguarded })
    const wire = wireOf({ dispatcher })
    let refusedByUrl = 0
    for (const url of forms) {
      try {
        await codeOf(wire, url)
      } catch (error) {
        if (!(error instanceof SourceError)) throw error
      }
      refusedByUrl = forms.length - (deniedDials.length - before[2]!)
    }
    await dispatcher.destroy()
    const [connections, opened, dialled] = count().map((n, i) => n - before[i]!)
    expect([connections, opened]).toEqual([dialled, dialled])
    expect(dialled).toBeGreaterThan(250)
    expect(refusedByUrl).toBeLessThan(forms.length)
  }, 30_000)
})
