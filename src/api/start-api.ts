// The oracle's public face: attested values and the facts behind them over HTTP, read-only and bounded.

import { createServer, type RequestListener, type Server } from 'node:http'
import { type FastifyReply, fastify } from 'fastify'
import { OracleError } from '../base/errors.js'
import type { Log } from '../base/log.js'
import { addFeedRoutes, feedIndex } from './feed-routes.js'
import { headers } from './headers.js'
import { followLatest } from './latest.js'
import { connectionsMax, headBytesMax, idleMs, keepAliveMs, requestMs } from './limits.js'
import { createMetrics } from './metrics.js'
import { addNodeRoutes } from './node-routes.js'
import type { NodeView } from './node-view.js'
import { keepOldReports } from './old-reports.js'
import { describeRoutes } from './open-api.js'
import { limitPipelining } from './pipelining.js'
import { followReadiness } from './readiness.js'
import { refusal } from './refusal.js'
import { addReportRoutes } from './report-routes.js'
import { sendBody } from './send-body.js'
import { bodyOf } from './snapshot.js'
import { createStream } from './stream.js'
import { createTurns } from './turns.js'

/** A running API; `close` ends its connections and forgets the view. */
export interface Api {
  /** http://host:port, the port as it was given out when 0 was asked for. */
  readonly url: string
  close(): Promise<void>
}

/** Node's server with our bounds, before Fastify sees a request. */
function serverFactory(serve: RequestListener): Server {
  const bounds = {
    maxHeaderSize: headBytesMax,
    headersTimeout: requestMs,
    requestTimeout: requestMs,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: requestMs / 2,
    // Node would refuse these by itself, without our headers: see onRequest.
    requireHostHeader: false,
  }
  const server = createServer(bounds, limitPipelining(serve))
  server.setTimeout(idleMs)
  server.maxConnections = connectionsMax
  server.maxHeadersCount = 64
  return server
}

/** Serves `view` on `listen`; API_LISTEN_FAILED when the address cannot be had. */
export async function startApi(
  view: NodeView,
  listen: { readonly host: string; readonly port: number },
  log?: Log,
): Promise<Api> {
  const app = fastify({
    logger: false,
    bodyLimit: 1,
    forceCloseConnections: true,
    return503OnClosing: false,
    serverFactory,
    ajv: { customOptions: { coerceTypes: true, removeAdditional: false } },
    routerOptions: { maxParamLength: 128 },
    frameworkErrors: (error, _, reply: FastifyReply) => {
      const { status, body } = refusal(error)
      reply.code(status).headers(headers).type('application/json').send(body)
    },
    clientErrorHandler: (error, socket) => {
      if (!socket.writable) return
      const isLong = error.code === 'HPE_HEADER_OVERFLOW'
      const { body } = refusal(new OracleError('API_REQUEST_UNFIT', 'the request is malformed, slow or too long'))
      const status = isLong ? '431 Request Header Fields Too Large' : '400 Bad Request'
      const own = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), connection: 'close' }
      const head = Object.entries({ ...headers, 'cache-control': 'no-store', ...own })
      socket.end(`HTTP/1.1 ${status}\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`)
    },
  })
  // Nobody has a body to send, so nothing is to be expected: Node would answer 417 by itself.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))
  // Answers are held to their schemas by tests; serialising by schema would drop what a schema forgot.
  app.setSerializerCompiler(() => JSON.stringify)

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headers)
    if (request.headers.host === undefined && request.raw.httpVersion === '1.1')
      throw new OracleError('API_REQUEST_UNFIT', 'the request names no host')
    if (Number(request.headers['content-length'] ?? 0) > 0 || request.headers['transfer-encoding'] !== undefined) {
      reply.header('connection', 'close')
      throw new OracleError('API_REQUEST_UNFIT', 'no request has a body')
    }
  })
  app.setErrorHandler((error, _, reply) => {
    const { status, body } = refusal(error)
    if (status === 500) log?.error({ err: error }, 'the API failed to answer')
    if (status === 503) reply.header('retry-after', '1')
    reply.code(status).header('cache-control', 'no-store').type('application/json').send(body)
  })
  app.setNotFoundHandler((request, reply) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    if (!isRead) reply.header('allow', 'GET, HEAD')
    const path = request.url.split('?')[0]!.slice(0, 128)
    const { status, body } = refusal(
      isRead
        ? new OracleError('API_ROUTE_UNKNOWN', 'there is nothing here', { path })
        : new OracleError('API_METHOD_UNKNOWN', 'only GET and HEAD are answered', { path }),
    )
    reply.code(status).header('cache-control', 'no-store').type('application/json').send(body)
  })

  const latest = followLatest(view)
  const takeTurn = createTurns()
  const readiness = followReadiness(view)
  const oldReport = keepOldReports(view)
  const stream = createStream(view, latest, oldReport, takeTurn, log)
  const metrics = createMetrics(view, latest, readiness, stream)
  app.addHook('preClose', async () => stream.close())
  app.addHook('onClose', async () => {
    for (const part of [latest, readiness, metrics]) part.close()
  })

  await describeRoutes(app, view.status().version)
  const indexOf = feedIndex(view)
  addNodeRoutes(app, view, readiness, metrics)
  addFeedRoutes(app, view, latest, takeTurn, indexOf)
  addReportRoutes(app, view, latest, oldReport, stream, takeTurn, indexOf)
  let described: ReturnType<typeof bodyOf> | null = null
  app.get('/openapi.json', { schema: { hide: true } }, (request, reply) => {
    described ??= bodyOf(view, Buffer.from(JSON.stringify(app.swagger())))
    sendBody(request, reply.header('cache-control', 'no-cache'), described)
  })

  try {
    const url = await app.listen({ host: listen.host, port: listen.port })
    return { url, close: () => app.close() }
  } catch (cause) {
    await app.close()
    const path = `${listen.host}:${listen.port}`
    const { code } = cause as NodeJS.ErrnoException
    throw new OracleError('API_LISTEN_FAILED', `the API cannot listen on ${path}: ${code}`, { path, cause })
  }
}
