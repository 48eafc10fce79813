// The wire to sources: one guarded way out for every request and subscription, with the limits of each adapter enforced.

import { Agent, type Dispatcher } from 'undici'
import type { AdapterLimits, Ask, Raw, Subscription } from './adapter.js'
import { type Connect, createGuard, type Lookup } from './guard.js'
import { createPace, restOf } from './pace.js'
import { discard, excerptOf, headerOf, type Reply, readBody, refusalOfFailure, refusalOfStatus } from './reply.js'
import { createRoutes, type Route } from './route.js'
import { createScopes, within } from './scopes.js'
import { Share } from './share.js'
import { SourceError } from './source-error.js'
import { listen } from './stream.js'

/** The wire to sources. What it throws is a SourceError, and its bytes are a source's: judged by nobody yet. */
export interface SourceWire {
  /**
   * One GET: the whole body of a 2xx reply within limits.bytesMax and limits.timeoutMs, after at most 3 redirects that
   * are each checked like the first URL; identical ones at the same time are asked once. `latencyMs` is steady time.
   */
  get(ask: Ask, limits: AdapterLimits, signal: AbortSignal): Promise<{ readonly raw: Raw; readonly latencyMs: number }>
  /**
   * The messages of one subscription, until the source closes in order (the end), anything else happens or a message
   * is longer than limits.bytesMax or quietMs pass without one (throws). Whoever reads it opens it anew.
   */
  open(subscription: Subscription, limits: AdapterLimits, signal: AbortSignal): AsyncIterable<Raw>
  /** Ends what is under way with SOURCE_UNREACHABLE, and every connection. */
  close(): Promise<void>
}

export interface WireParts {
  /** host:port, as in `origins`, that are loopback addresses. */
  readonly loopback: readonly string[]
  /** Adapter host → the origin (with an optional path) to be asked in its place: https, or http at a place in `loopback`. */
  readonly origins: Readonly<Record<string, string>>
  readonly lookup?: Lookup
  /** Opens sockets to addresses that were checked; for tests that must not leave the machine. */
  readonly connect?: Connect
  /** PEM of the certificate authorities to believe in place of the system's. */
  readonly ca?: string
  /** Takes the place of the guarded pools, guard and all; its owner closes it. */
  readonly dispatcher?: Dispatcher
  readonly steadyMs?: () => number
  readonly userAgent?: string
}

const redirectsMax = 3

/** Headers that are the wire's own business, or that would be state between requests. */
const ownHeaders: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
])

type Headers = Readonly<Record<string, string>>

/** A wire with pools of its own; CONFIG_INVALID where an origin is malformed. Opens nothing by itself. */
export function createSourceWire(parts: WireParts): SourceWire {
  const { steadyMs = () => performance.now(), userAgent = 'assay' } = parts
  const routes = createRoutes(parts.origins, parts.loopback)
  const connect = createGuard({ ...parts, isLoopback: routes.isLoopback })
  const agent = new Agent({
    connect,
    connections: 4,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: 4_000,
    keepAliveMaxTimeout: 60_000,
    // Behind the deadline of each request; these end what nobody waits for any more.
    headersTimeout: 30_000,
    bodyTimeout: 30_000,
    maxHeaderSize: 16_384,
  })
  const dispatcher = parts.dispatcher ?? agent
  const pace = createPace(steadyMs)
  const share = new Share<Raw>()
  const scopes = createScopes()

  /** Spends a token of the route's host unless its place is the operator's own, or refuses without asking. */
  function pay({ host, isLoopback }: Route, { perMinute }: AdapterLimits): void {
    const waitMs = pace.take(host, isLoopback ? null : perMinute)
    if (waitMs === 0) return
    const facts = { host, waitMs: Math.ceil(waitMs) }
    throw new SourceError('SOURCE_RATE_LIMITED', `${host} is not asked for a while`, { facts })
  }

  /** Notes how long a 429 or 418 wants its host left alone. */
  function noteRest({ host }: Route, statusCode: number, headers: Reply['headers']): void {
    if (statusCode === 429 || statusCode === 418)
      pace.rest(host, restOf(headerOf(headers, 'retry-after'), headerOf(headers, 'date')))
  }

  async function request(route: Route, headers: Headers, signal: AbortSignal): Promise<Reply> {
    const { origin, path } = route
    const own = { 'user-agent': userAgent, 'accept-encoding': 'identity' }
    try {
      const work = dispatcher.request({ origin, path, method: 'GET', headers: { ...headers, ...own }, signal })
      // undici heeds the signal only once there is a connection.
      return await within(signal, work)
    } catch (error) {
      throw refusalOfFailure(route.host, error, false)
    }
  }

  async function follow(first: Route, ask: Ask, limits: AdapterLimits, signal: AbortSignal): Promise<Raw> {
    let route = first
    let headers = sentHeaders(ask)
    for (let hop = 0; hop <= redirectsMax; hop++) {
      pay(route, limits)
      const reply = await request(route, headers, signal)
      const { statusCode } = reply
      noteRest(route, statusCode, reply.headers)
      if (statusCode >= 200 && statusCode <= 299) {
        try {
          return await readBody(route.host, reply, limits.bytesMax)
        } catch (error) {
          throw refusalOfFailure(route.host, error, true)
        }
      }
      if (![301, 302, 303, 307, 308].includes(statusCode)) {
        const excerpt = statusCode >= 400 && statusCode <= 499 ? await excerptOf(reply) : ''
        discard(reply)
        throw refusalOfStatus(route.host, statusCode, excerpt)
      }
      discard(reply)
      const next = routes.onward(route, headerOf(reply.headers, 'location'), limits)
      // What was meant for one host is not told to another.
      if (next.host !== route.host) headers = 'accept' in headers ? { accept: headers['accept']! } : {}
      route = next
    }
    const message = `${first.host} redirects more than ${redirectsMax} times`
    throw new SourceError('SOURCE_MOVED', message, { facts: { host: first.host } })
  }

  return {
    async get(ask, limits, signal) {
      const startMs = steadyMs()
      const first = routes.of(ask.url, limits, 'SOURCE_ADDRESS_DENIED')
      const asker = scopes.begin(`asking ${first.host}`, signal, null)
      try {
        const raw = await share.run(keyOf(ask, limits), asker.signal, async (shared) => {
          const scope = scopes.begin(`asking ${first.host}`, shared, limits.timeoutMs)
          try {
            return await follow(first, ask, limits, scope.signal)
          } finally {
            scope.end()
          }
        })
        return { raw, latencyMs: steadyMs() - startMs }
      } finally {
        asker.end()
      }
    },

    async *open(subscription, limits, signal) {
      const route = routes.of(subscription.url, limits, 'SOURCE_ADDRESS_DENIED')
      const { messages, quietMs } = subscription
      pay(route, limits)
      const scope = scopes.begin(`listening to ${route.host}`, signal, null)
      // An agent of its own: undici caps messages by agent, and an upgraded connection never returns to a pool.
      const own =
        parts.dispatcher === undefined ? new Agent({ connect, webSocket: { maxPayloadSize: limits.bytesMax } }) : null
      try {
        yield* listen({
          ...{ route, messages, quietMs, limits, userAgent, steadyMs, signal: scope.signal },
          dispatcher: own ?? dispatcher,
          onRefused: (statusCode, headers) => noteRest(route, statusCode, headers),
        })
      } finally {
        scope.end()
        await own?.destroy()
      }
    },

    async close() {
      scopes.close()
      await agent.destroy()
    },
  }
}

/** The adapter's headers in lower case, without those that are the wire's. */
function sentHeaders({ headers = {} }: Ask): Headers {
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
  return Object.fromEntries(named.filter(([name]) => !ownHeaders.has(name)))
}

/** What two requests must share to be one: all that is sent, and all that is allowed. */
function keyOf(ask: Ask, { hosts, timeoutMs, bytesMax, perMinute }: AdapterLimits): string {
  const headers = Object.entries(sentHeaders(ask)).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([ask.url, headers, hosts, timeoutMs, bytesMax, perMinute])
}
