// Where a request to a source may go: https on the adapter's own hosts, or to the origin that the operator put in place.

import { OracleError } from '../base/errors.js'
import type { AdapterLimits } from './adapter.js'
import { type SourceCode, SourceError } from './source-error.js'

/** One request's way: what the adapter means, and what is dialled. */
export interface Route {
  /** The URL as the adapter means it: https, on one of its hosts. */
  readonly url: URL
  readonly host: string
  /** What is dialled: scheme, host and port, and the path with its query. */
  readonly origin: string
  readonly path: string
  /** Whether it leads to a place that the operator listed as loopback: it is his own, and has no limit of others. */
  readonly isLoopback: boolean
}

export interface Routes {
  /** The way to `url`; refuses with `code` what the limits do not allow. */
  of(url: string, limits: AdapterLimits, code: SourceCode): Route
  /** The way that a `location` header leads on from `route`; SOURCE_MOVED where it may not be followed. */
  onward(route: Route, location: string | undefined, limits: AdapterLimits): Route
  /** Whether this host and port is the operator's own, where a loopback address must stand: mapped, and listed. */
  isLoopback(host: string, port: number): boolean
}

/** No space, control, quote, backslash or non-ASCII character: a URL that all parsers read alike. */
const plainUrl = /^[!#$%&'()*+,\-./0-9:;=?@A-Z[\]_a-z~|{}^]+$/

/**
 * Checks the operator's table of `origins` (host → https or wss URL; http or ws too where `loopback` lists its host:port)
 * once; a malformed entry is CONFIG_INVALID.
 */
export function createRoutes(origins: Readonly<Record<string, string>>, loopback: readonly string[]): Routes {
  const mapped = new Map(Object.entries(origins).map(([host, text]) => [host, originOf(host, text, loopback)]))
  const open = new Set([...mapped.values()].map(placeOf).filter((place) => loopback.includes(place)))

  function of(text: string, limits: AdapterLimits, code: SourceCode): Route {
    const url = urlOf(text)
    const refuse = (why: string): SourceError =>
      new SourceError(code, `a URL is not followed: ${why}`, { facts: { host: (url?.host ?? '').slice(0, 260) } })
    if (url === null) throw refuse('it is not an absolute URL in plain ASCII')
    if (url.protocol !== 'https:' && url.protocol !== 'wss:') throw refuse('it is not https')
    if (url.username !== '' || url.password !== '') throw refuse('it names a user')
    if (url.port !== '') throw refuse('it names a port')
    if (!limits.hosts.includes(url.hostname)) throw refuse('its host is not one of the adapter’s')
    return routeTo(url)
  }

  function routeTo(url: URL): Route {
    const base = mapped.get(url.hostname)
    const path = `${url.pathname}${url.search}`
    const host = url.hostname
    if (base === undefined) return { url, host, origin: `https://${host}`, path, isLoopback: false }
    const mappedPath = `${base.pathname.replace(/\/$/, '')}${path}`
    return { url, host, origin: base.origin, path: mappedPath, isLoopback: open.has(placeOf(base)) }
  }

  return {
    of,
    onward(route, location, limits) {
      if (location === undefined || !plainUrl.test(location))
        throw new SourceError('SOURCE_MOVED', `${route.host} redirects to nowhere`, { facts: { host: route.host } })
      return of(URL.canParse(location, route.url.href) ? new URL(location, route.url).href : '', limits, 'SOURCE_MOVED')
    },
    isLoopback: (host, port) => open.has(`${host.includes(':') ? `[${host}]` : host}:${port}`),
  }
}

function urlOf(text: string): URL | null {
  return plainUrl.test(text) && URL.canParse(text) ? new URL(text) : null
}

function originOf(host: string, text: string, loopback: readonly string[]): URL {
  const url = urlOf(text)
  const isFit =
    url !== null &&
    /^(https?|wss?):$/.test(url.protocol) &&
    `${url.username}${url.password}${url.search}${url.hash}` === ''
  const refuse = (why: string): OracleError =>
    new OracleError('CONFIG_INVALID', `the origin of ${host} ${why}`, { path: `/source/origins/${host}` })
  if (!isFit) throw refuse('is not a http, https, ws or wss URL')
  // HTTP and WebSocket share their ports, so one origin stands for both.
  const origin = new URL(url.href.replace(/^ws/, 'http'))
  // On the way to any other place, somebody could write the answers himself.
  if (origin.protocol === 'http:' && !loopback.includes(placeOf(origin)))
    throw refuse('is neither https or wss nor listed in loopback')
  return origin
}

/** host:port with the port always named. */
function placeOf(url: URL): string {
  return `${url.hostname}:${url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port}`
}
