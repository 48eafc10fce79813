// The guarded connector: a socket to a source is opened only to an address whose bytes were checked before and after.
//
// The name is resolved once, every answer is judged, and the checked bytes themselves are dialled: there is no second
// resolution, so a name that changes its answer (DNS rebinding) finds no window.

import { lookup as resolveName } from 'node:dns/promises'
import { connect as connectSocket, type Socket } from 'node:net'
import { buildConnector } from 'undici'
import { addressText, isLoopbackAddress, isPublicAddress, parseAddress } from './address.js'
import { within } from './scopes.js'
import { SourceError } from './source-error.js'

/** All addresses of a host name, as text; rejects when it has none. */
export type Lookup = (host: string) => Promise<readonly { readonly address: string }[]>

/** Opens a TCP socket to an address in canonical text. */
export type Connect = (to: { readonly host: string; readonly port: number }) => Socket

export interface GuardParts {
  readonly lookup?: Lookup
  readonly connect?: Connect
  /** Whether this host and port (of the URL that is dialled) is the operator's own: loopback, and nothing else. */
  readonly isLoopback: (host: string, port: number) => boolean
  /** PEM of the certificate authorities to believe in place of the system's. */
  readonly ca?: string
}

/** Addresses of one name that are tried, in the order of the answer. */
const addressesMax = 4
/** How long one address may take where another one is left, ms. */
const attemptMs = 2_500
const connectMs = 10_000

const resolveAll: Lookup = (host) => resolveName(host, { all: true, verbatim: true })

/** An undici connector that refuses with SOURCE_ADDRESS_DENIED, SOURCE_UNREACHABLE or SOURCE_TIMEOUT. */
export function createGuard(parts: GuardParts): buildConnector.connector {
  const { lookup = resolveAll, connect = connectSocket, isLoopback } = parts
  const secure = buildConnector({
    timeout: connectMs,
    allowH2: false,
    ...(parts.ca === undefined ? {} : { ca: parts.ca }),
  })

  async function open(options: buildConnector.Options): Promise<Socket> {
    const isSecure = options.protocol === 'https:'
    const host = options.hostname
    const port = Number(options.port || (isSecure ? 443 : 80))
    const addresses = await checkedAddresses(host, lookup, isLoopback(host, port))
    const socket = await dialFirst(addresses, { host, port }, connect)
    return isSecure ? await encrypt(socket, options) : socket
  }

  /** TLS over a socket that was checked: the name to be proven stays that of the URL. */
  function encrypt(socket: Socket, options: buildConnector.Options): Promise<Socket> {
    return new Promise((resolve, reject) => {
      secure({ ...options, httpSocket: socket }, (...[error, encrypted]) => {
        if (error === null) return resolve(encrypted)
        socket.destroy()
        reject(tlsRefusal(options.hostname, error))
      })
    })
  }

  return (options, callback) => {
    open(options).then(
      (socket) => callback(null, socket),
      (error: Error) => callback(error, null),
    )
  }
}

/** Every address of the name, if each may be asked; one that may not refuses them all. */
async function checkedAddresses(host: string, lookup: Lookup, isLoopback: boolean): Promise<readonly Uint8Array[]> {
  const literal = parseAddress(host)
  const texts = literal === null ? await resolve(host, lookup) : [host]
  if (texts.length === 0)
    throw new SourceError('SOURCE_UNREACHABLE', `the name ${host} has no address`, { facts: { host } })
  return texts.map((text) => {
    const address = parseAddress(text)
    const isFit = address !== null && (isLoopback ? isLoopbackAddress(address) : isPublicAddress(address))
    if (!isFit)
      throw new SourceError(
        'SOURCE_ADDRESS_DENIED',
        `an address of ${host} is not ${isLoopback ? 'loopback, as listed' : 'public'}: it is not asked`,
        { facts: { host, address: text.slice(0, 64) } },
      )
    return address
  })
}

async function resolve(host: string, lookup: Lookup): Promise<readonly string[]> {
  try {
    return (await within(AbortSignal.timeout(connectMs), lookup(host))).map(({ address }) => address)
  } catch (cause) {
    if (cause instanceof DOMException)
      throw new SourceError('SOURCE_TIMEOUT', `the name ${host} does not resolve in time`, { facts: { host } })
    const facts = { host, dns: codeOf(cause) }
    throw new SourceError('SOURCE_UNREACHABLE', `the name ${host} does not resolve`, { facts, cause })
  }
}

interface Place {
  readonly host: string
  readonly port: number
}

/** A socket to the first address that accepts one; throws the last refusal. */
async function dialFirst(addresses: readonly Uint8Array[], place: Place, connect: Connect): Promise<Socket> {
  const tried = addresses.slice(0, addressesMax)
  for (const [i, address] of tried.entries()) {
    const isLast = i === tried.length - 1
    try {
      return await dial(address, place, connect, isLast ? connectMs : attemptMs)
    } catch (error) {
      if (isLast || (error instanceof SourceError && error.code === 'SOURCE_ADDRESS_DENIED')) throw error
    }
  }
  throw new Error('no address to dial')
}

/** A connected socket whose far end has exactly the bytes that were checked; nothing was sent on it yet. */
function dial(address: Uint8Array, { host, port }: Place, connect: Connect, timeoutMs: number): Promise<Socket> {
  const text = addressText(address)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: text, port })
    const refuse = (error: SourceError): void => {
      clearTimeout(timer)
      socket.destroy()
      reject(error)
    }
    const timer = setTimeout(
      () => refuse(new SourceError('SOURCE_TIMEOUT', `${host} takes no connection in time`, { facts: { host, port } })),
      timeoutMs,
    )
    // Stays on the socket: one that fails before its next owner listens must not end the process.
    socket.on('error', (cause) => {
      const facts = { host, port, cause: codeOf(cause) }
      refuse(new SourceError('SOURCE_UNREACHABLE', `${host} takes no connection`, { facts, cause }))
    })
    socket.once('connect', () => {
      const reached = parseAddress(socket.remoteAddress ?? '')
      if (reached === null || addressText(reached) !== text) {
        const message = `a connection to ${host} reached another address than the one checked`
        return refuse(new SourceError('SOURCE_ADDRESS_DENIED', message, { facts: { host, address: text } }))
      }
      clearTimeout(timer)
      socket.setNoDelay(true).setKeepAlive(true, 60_000)
      resolve(socket)
    })
  })
}

function tlsRefusal(host: string, cause: Error): SourceError {
  const tls = codeOf(cause)
  const facts = { host, tls }
  return tls === 'UND_ERR_CONNECT_TIMEOUT'
    ? new SourceError('SOURCE_TIMEOUT', `the TLS handshake with ${host} takes too long`, { facts, cause })
    : new SourceError('SOURCE_UNREACHABLE', `the TLS handshake with ${host} failed`, { facts, cause })
}

/** The code that Node or undici gives an error, or else its name, for facts. */
export function codeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown }
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'unknown'
}
