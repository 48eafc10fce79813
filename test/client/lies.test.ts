// The client before a lying server: whatever it changes, the client refuses; whatever it sends, the client is bounded.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { OracleError } from '../../src/base/errors.js'
import { type Client, createClient } from '../../src/client/create-client.js'
import { toHex } from '../../src/core/bytes.js'
import { canonicalJson } from '../../src/core/canonical.js'
import { keysOf } from '../../src/core/committee.js'
import { type Served, serve, timeOf } from '../api/served.js'
import { type Liar, says, startLiar } from './liar.js'

let served: Served
let liar: Liar
let client: Client
beforeAll(async () => {
  served = await serve()
  for (let round = 1; round <= 6; round++) await served.report(round)
  await served.seal({ epoch: 12, round: 6 })
  liar = await startLiar(served.api.url)
})
afterAll(async () => {
  await liar.close()
  await served.close()
})
const newClient = (change: object = {}): Client =>
  createClient({
    url: liar.url,
    committee: { keys: keysOf(served.committee) },
    nowMs: () => timeOf(6) + 500,
    timeoutMs: 300,
    bytesMax: 100_000,
    ...change,
  })
beforeEach(() => {
  liar.lie = null
  client = newClient()
})

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'ok'
  } catch (error) {
    if (error instanceof OracleError) return error.code
    throw error
  }
}
const honestText = async (path: string): Promise<string> => (await served.get(path)).text()

// biome-ignore lint/suspicious/noExplicitAny: a report as hostile hands see it
type Loose = any
/** Every change of one field: another value at each leaf, each field left out, one put in. */
function* changes(value: Loose, path = ''): Generator<readonly [string, (top: Loose) => void]> {
  const at = (top: Loose): Loose =>
    path
      .split('/')
      .slice(1)
      .reduce((inner, key) => inner[key], top)
  for (const key of Object.keys(value)) {
    const inner = value[key]
    const place = `${path}/${key}`
    yield [`without ${place}`, (top) => (Array.isArray(value) ? at(top).splice(Number(key), 1) : delete at(top)[key])]
    if (typeof inner === 'object' && inner !== null) {
      yield* changes(inner, place)
      if (!Array.isArray(inner)) yield [`more in ${place}`, (top) => (at(top)[key].more = '1')]
    } else {
      for (const other of others(inner)) yield [`${place} = ${other}`, (top) => (at(top)[key] = other)]
    }
  }
}
function others(value: Loose): unknown[] {
  if (typeof value === 'number') return [value + 1, value === 0 ? 2 : 0, String(value), null]
  if (typeof value === 'boolean') return [!value, null]
  if (value === null) return ['0', 0]
  // The last digit, and the whole of it.
  return [value.slice(0, -1) + (value.at(-1) === '1' ? '2' : '1'), '', `${value} `, 7, null]
}

describe('a changed answer', () => {
  it.each([
    ['/v1/reports/latest?feeds=btc-usd', () => client.feed('btc-usd'), []],
    ['/v1/reports/latest?feeds=quake', () => client.feed('quake'), []],
    // Seals are an addition: without them it is the honest report again.
    ['/v1/reports/12/6?feeds=ams-runway-open&seals=true', () => client.report(12, 6), ['without /seals: ok']],
  ])('of %s is refused, whichever field it is', async (path, ask, harmless) => {
    const honest = await honestText(path)
    const seen: string[] = []
    let count = 0
    for (const [name, change] of changes(JSON.parse(honest))) {
      const lie = JSON.parse(honest)
      change(lie)
      liar.lie = says(canonicalJson(lie))
      const code = await codeOf(ask())
      if (!/^(REPORT_(?!STATUS|STALE)|JSON_|VALUE_|CLIENT_)/.test(code)) seen.push(`${name}: ${code}`)
      count++
    }
    expect(seen).toEqual(harmless)
    expect(count).toBeGreaterThan(100)
    liar.lie = says(honest)
    expect(await codeOf(ask())).toBe('ok')
  })

  it('is refused in any other form of the same JSON, and with any byte flipped', async () => {
    const honest = await honestText('/v1/reports/latest?feeds=quake')
    const forms = [
      `${honest}\n`,
      ` ${honest}`,
      `\ufeff${honest}`,
      honest.replace('{', '{"epoch":12,'),
      honest.slice(0, -1),
      '',
    ]
    const codes: string[] = []
    const tell = async (body: string | Uint8Array): Promise<void> => {
      liar.lie = says(body)
      codes.push(await codeOf(client.feed('quake')))
    }
    for (const form of forms) await tell(form)
    for (let i = 0; i < honest.length; i += 5) {
      const bytes = Buffer.from(honest)
      bytes[i]! ^= 1 << (i % 8)
      await tell(bytes)
    }
    expect(codes.filter((code) => code === 'ok')).toEqual([])
    expect(codes.length).toBeGreaterThan(300)
  })
})

describe('an honest report in the wrong place', () => {
  it('is refused: another feed, another slot, an older one, a stale one', async () => {
    liar.lie = says(await honestText('/v1/reports/latest?feeds=quake'))
    expect(await codeOf(client.feed('btc-usd'))).toBe('CLIENT_ANSWER_UNFIT')
    liar.lie = says(await honestText('/v1/reports/12/5'))
    client = newClient()
    expect(await codeOf(client.report(12, 6))).toBe('CLIENT_ANSWER_UNFIT')
    expect((await client.feed('btc-usd')).round).toBe(5) // valid still: nothing newer is known
    liar.lie = null
    expect((await client.feed('btc-usd')).round).toBe(6)
    liar.lie = says(await honestText('/v1/reports/12/5'))
    expect(await codeOf(client.feed('btc-usd'))).toBe('CLIENT_ROLLED_BACK')
    expect(await codeOf(client.feeds())).toBe('CLIENT_ROLLED_BACK')
    const later = newClient({ nowMs: () => timeOf(5) + 60_000 })
    expect(await codeOf(later.feed('btc-usd'))).toBe('REPORT_STALE')
    expect(await codeOf(later.feed('btc-usd', { accept: ['OK', 'STALE'] }))).toBe('REPORT_STALE')
  })

  it('is refused with names or values swapped between feeds', async () => {
    const honest = JSON.parse(await honestText('/v1/reports/latest?feeds=btc-usd'))
    const [btc, eth] = honest.leaves[0].feeds
    const swapped = (key: string): string => {
      const feeds = [
        { ...btc, [key]: eth[key] },
        { ...eth, [key]: btc[key] },
      ]
      return canonicalJson({ ...honest, leaves: [{ ...honest.leaves[0], feeds }] })
    }
    for (const [key, code] of [
      ['name', 'REPORT_DERIVED'],
      ['feedId', 'REPORT_DERIVED'],
      ['value', 'REPORT_SIGNATURE'],
      ['observedAtMs', 'REPORT_DERIVED'],
    ] as const) {
      liar.lie = says(swapped(key))
      expect([key, await codeOf(client.feed('btc-usd'))]).toEqual([key, code])
    }
    liar.lie = says(canonicalJson({ ...honest, leaves: [{ ...honest.leaves[0], feeds: [eth, btc] }] }))
    expect(await codeOf(client.feed('btc-usd'))).toBe('REPORT_SIGNATURE')
  })

  it('is refused when leaves that the pinned document has are left out', async () => {
    const pinned = newClient({ committee: { document: served.document } })
    liar.lie = says(await honestText('/v1/reports/latest?feeds=btc-usd'))
    expect(await codeOf(pinned.feeds())).toBe('CLIENT_ANSWER_UNFIT')
    // Who pinned no feeds is told of those that are shown, and of no others.
    expect([...(await client.feeds()).keys()]).toEqual(['btc-usd', 'eth-usd'])
    const { feeds } = served.document
    const renamed = feeds.map((feed) => (feed.name === 'btc-usd' ? { ...feed, unit: 'EUR' } : feed))
    const other = newClient({ committee: { document: { ...served.document, feeds: renamed } } })
    liar.lie = null
    expect(await codeOf(other.feed('btc-usd'))).toBe('REPORT_FOREIGN')
  })
})

describe('a lie about the past', () => {
  const entry = (round: number) => ({ epoch: 12, round })
  it.each<[string, unknown]>([
    ['reports out of order', { entries: [entry(3), entry(2)] }],
    ['one report twice', { entries: [entry(3), entry(3)] }],
    ['reports outside the span', { entries: [entry(1), entry(3)] }],
    ['more than were asked for', { entries: [1, 2, 3, 4].map(entry) }],
    ['no slots', { entries: [{ epoch: '12', round: 3 }] }],
    ['nothing', null],
    ['no entries', { entries: {} }],
  ])('%s: refused', async (_, lie) => {
    liar.lie = (request, response) => (request.url!.includes('/history') ? response.end(JSON.stringify(lie)) : null)
    const past = client.history('btc-usd', { fromMs: timeOf(2), limit: 3 })
    expect(await codeOf(past)).toBe('CLIENT_ANSWER_UNFIT')
  })

  it('cannot change a value: entries are the reports’, whatever the list says', async () => {
    liar.lie = (request, response) => {
      if (!request.url!.includes('/history')) return null
      const entries = [2, 3].map((round) => ({ ...entry(round), value: '1.00000000', status: 'OK', attestedAtMs: 1 }))
      return response.end(JSON.stringify({ entries, unit: 'EUR' }))
    }
    const past = await client.history('btc-usd')
    const told = past.map(({ attestedAtMs, result }) => [
      attestedAtMs,
      result.ok && result.feed.value,
      result.ok && result.feed.unit,
    ])
    expect(told).toEqual([
      [timeOf(2), '64000.00000002', 'USD'],
      [timeOf(3), '64000.00000003', 'USD'],
    ])
  })
})

describe('a lie about the committee', () => {
  it('is refused: the document must have the salt that was pinned', async () => {
    const salt = toHex(served.committee.salt)
    const pinned = (): Client => newClient({ committee: { salt } })
    const body = JSON.parse(await honestText('/v1/committee'))
    const told = async (change: (body: Loose) => unknown): Promise<string> => {
      const lie = structuredClone(body)
      change(lie)
      liar.lie = (request, response) => (request.url === '/v1/committee' ? response.end(JSON.stringify(lie)) : null)
      return codeOf(pinned().feed('btc-usd'))
    }
    expect(await told(() => undefined)).toBe('ok')
    expect(await told((b) => (b.document.generation = 8))).toBe('CLIENT_COMMITTEE_FOREIGN')
    expect(await told((b) => (b.document.lineage = `0x${'11'.repeat(32)}`))).toBe('CLIENT_COMMITTEE_FOREIGN')
    expect(await told((b) => (b.document.members[2].address = `0x${'11'.repeat(20)}`))).toBe('CLIENT_COMMITTEE_FOREIGN')
    expect(await told((b) => b.document.members.reverse())).toBe('CLIENT_COMMITTEE_FOREIGN')
    expect(await told((b) => Object.assign(b.document, { f: 0, acceptNoFaultTolerance: true }))).toBe(
      'CLIENT_COMMITTEE_FOREIGN',
    )
    expect(await told((b) => (b.document.f = 2))).toBe('COMMITTEE_TOO_FEW_MEMBERS')
    expect(await told((b) => delete b.document)).toBe('COMMITTEE_INVALID')
    // What the server says of itself counts for nothing.
    expect(await told((b) => (b.salt = `0x${'11'.repeat(32)}`))).toBe('ok')
    liar.lie = null
    expect(await codeOf(newClient({ committee: { salt: `0x${'11'.repeat(32)}` } }).feed('btc-usd'))).toBe(
      'CLIENT_COMMITTEE_FOREIGN',
    )
  })
})

describe('an answer without bounds', () => {
  it.each<[string, Liar['lie'], string]>([
    ['huge', says('x'.repeat(200_000)), 'CLIENT_ANSWER_UNFIT'],
    [
      'never-ending',
      (_, response) => {
        const more = (): boolean => !response.destroyed && response.write(Buffer.alloc(10_000, 0x20), more)
        more()
      },
      'CLIENT_ANSWER_UNFIT',
    ],
    [
      'slow',
      (_, response) => {
        const timer = setInterval(() => response.write(' '), 20)
        response.on('close', () => clearInterval(timer))
      },
      'CLIENT_ANSWER_UNFIT',
    ],
    ['silent', () => undefined, 'CLIENT_ANSWER_UNFIT'],
    [
      'broken off',
      (_, response) => {
        response.writeHead(200, { 'content-length': 99 }).write('{')
        setTimeout(() => response.destroy(), 20)
      },
      'CLIENT_UNREACHABLE',
    ],
    [
      'elsewhere',
      (request, response) => response.writeHead(302, { location: `${served.api.url}${request.url}` }).end(),
      'CLIENT_UNREACHABLE',
    ],
    ['an error', says('{"error":{"code":"\u001b[31mX","message":"no"}}', 500), 'CLIENT_REFUSED'],
    ['a page', says('<!doctype html>'), 'JSON_INVALID'],
    ['deeply nested', says('['.repeat(90_000)), 'JSON_INVALID'],
  ])('%s: refused in time', async (_, lie, code) => {
    liar.lie = lie
    const began = performance.now()
    expect(await codeOf(client.feed('btc-usd'))).toBe(code)
    expect(performance.now() - began).toBeLessThan(3_000)
  })

  it('ends a dripping body itself, where fetch has lost the signal', async () => {
    liar.lie = (_, response) => {
      const timer = setInterval(() => response.write(' '), 20)
      response.on('close', () => clearInterval(timer))
    }
    const deaf: typeof fetch = (url, { signal: _, ...options } = {}) => fetch(url, options)
    expect(await codeOf(newClient({ fetch: deaf }).feed('btc-usd'))).toBe('CLIENT_ANSWER_UNFIT')
  })

  it('nobody there: unreachable', async () => {
    expect(await codeOf(newClient({ url: 'http://127.0.0.1:1' }).feed('btc-usd'))).toBe('CLIENT_UNREACHABLE')
  })
})

describe('a lying stream', () => {
  const event = (data: string, id = '12/6'): string => `event: report\nid: ${id}\ndata: ${data}\n\n`
  /** Values of at most `count` updates, and how the subscription ended. */
  async function follow(count: number): Promise<readonly [readonly number[], string]> {
    const rounds: number[] = []
    const ended = await codeOf(
      (async () => {
        for await (const update of client.subscribe(['btc-usd'])) if (rounds.push(update.round) === count) return
      })(),
    )
    return [rounds, ended]
  }
  const stream =
    (...events: string[]): Liar['lie'] =>
    (_, response) =>
      response.write(events.join(''))

  it('ends in a refusal at the first lie', async () => {
    const honest = await honestText('/v1/reports/12/5?feeds=btc-usd')
    const forged = honest.replace('64000.00000005', '64000.00000006')
    liar.lie = stream(event(honest), event(forged))
    expect(await follow(9)).toEqual([[5], 'REPORT_SIGNATURE'])
    liar.lie = stream(event(honest), event(await honestText('/v1/reports/12/6?feeds=quake')))
    expect(await follow(9)).toEqual([[5], 'CLIENT_ANSWER_UNFIT'])
    liar.lie = stream(event('{}'))
    expect(await follow(9)).toEqual([[], 'REPORT_INVALID'])
    liar.lie = stream(`event: report\ndata: ${'x'.repeat(90_000)}`, 'x'.repeat(90_000))
    expect(await follow(9)).toEqual([[], 'CLIENT_ANSWER_UNFIT'])
    liar.lie = says('{}', 404)
    expect(await follow(9)).toEqual([[], 'CLIENT_REFUSED'])
  })

  it('gains nothing by sending old reports again, or by other events', async () => {
    const [four, five, six] = await Promise.all(
      [4, 5, 6].map((round) => honestText(`/v1/reports/12/${round}?feeds=btc-usd`)),
    )
    liar.lie = stream(
      event(four!),
      event(five!),
      event(four!),
      event(five!),
      'event: other\ndata: {}\n\n',
      ': beat\n\n',
      event(six!),
    )
    expect(await follow(3)).toEqual([[4, 5, 6], 'ok'])
  })

  it('cannot begin before what is proven already, and is passed nothing that another answer overtook', async () => {
    const [four, five, six] = await Promise.all(
      [4, 5, 6].map((round) => honestText(`/v1/reports/12/${round}?feeds=btc-usd`)),
    )
    liar.lie = says(five!)
    expect((await client.feed('btc-usd')).round).toBe(5)
    liar.lie = stream(event(four!), event(six!))
    expect(await follow(9)).toEqual([[], 'CLIENT_ROLLED_BACK'])
    liar.lie = stream(event(five!), event(six!))
    expect(await follow(2)).toEqual([[5, 6], 'ok'])

    // While the stream is under way, another question proves 6: the 5 that comes after it is old news.
    client = newClient()
    let send: (text: string) => unknown = () => undefined
    liar.lie = (request, response) => {
      if (!request.url!.startsWith('/v1/stream')) return response.end(six!)
      send = (text) => response.write(text)
      return send(event(four!))
    }
    const rounds: number[] = []
    for await (const { round } of client.subscribe(['btc-usd'])) {
      rounds.push(round)
      if (round === 6) break
      expect((await client.feed('btc-usd')).round).toBe(6)
      send(event(five!) + event(six!))
    }
    expect(rounds).toEqual([4, 6])
  })
})
