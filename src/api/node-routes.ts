// Routes about the oracle itself: its committee, sources, peers, health and metrics.

import type { FastifyInstance } from 'fastify'
import { toHex, utf8 } from '../core/bytes.js'
import { chainJson } from './chain-facts.js'
import { keepAnswer } from './keep-answer.js'
import type { Metrics } from './metrics.js'
import type { NodeView } from './node-view.js'
import { answer } from './open-api.js'
import type { Readiness } from './readiness.js'
import { sendBody } from './send-body.js'
import { bodyOf } from './snapshot.js'

/** Adds the routes about the oracle itself to `app`. */
export function addNodeRoutes(app: FastifyInstance, view: NodeView, readiness: Readiness, metrics: Metrics): void {
  const { committee, document } = view
  const feedIds = Object.fromEntries(committee.feeds.map(({ name, feedId }) => [name, feedId]))
  const { salt, digest, thresholds } = committee
  const agreed = { document, salt: toHex(salt), digest: toHex(digest), thresholds, feedIds }
  const body = bodyOf(view, utf8(JSON.stringify(agreed)))
  const pinned = {
    summary: 'The committee document as agreed',
    description: 'Check it against a salt that you know: whoever serves it may lie.',
    response: { 200: answer('The document and what follows from it.', 'committee') },
  }
  app.get('/v1/committee', { schema: pinned }, (request, reply) => {
    sendBody(request, reply.header('cache-control', 'no-cache'), body)
  })

  const sources = {
    summary: 'What the sources say and what is wrong with them',
    response: { 200: answer('Facts of this oracle alone.', 'sources') },
  }
  const told = keepAnswer(view, () => Buffer.from(JSON.stringify({ sources: view.sources(), feeds: view.feeds() })))
  app.addHook('onClose', async () => told.close())
  app.get('/v1/sources', { schema: sources }, (_, reply) => {
    reply.header('cache-control', 'no-store').type('application/json').send(told.get())
  })

  const peers = {
    summary: 'Sessions with the other members',
    response: { 200: answer('One entry a member.', 'peers') },
  }
  app.get('/v1/peers', { schema: peers }, (_, reply) => {
    reply.header('cache-control', 'no-store').send({ peers: view.peers() })
  })

  const chains = {
    summary: 'The chains that reports are brought to: what is stored and due, endpoints, keys that pay, costs',
    response: { 200: answer('Facts of this oracle alone; amounts are decimal strings of wei.', 'chains') },
  }
  const delivered = keepAnswer(view, () => Buffer.from(`{"chains":[${view.chains().map(chainJson).join()}]}`))
  app.addHook('onClose', async () => delivered.close())
  app.get('/v1/chains', { schema: chains }, (_, reply) => {
    reply.header('cache-control', 'no-store').type('application/json').send(delivered.get())
  })

  const health = { summary: 'Whether the process is alive', response: { 200: answer('It is.', 'health') } }
  app.get('/healthz', { schema: health }, (_, reply) => {
    reply.header('cache-control', 'no-store').send({ alive: true })
  })

  const ready = {
    summary: 'Whether the oracle signs and has fresh reports',
    response: { 200: answer('It is ready.', 'readiness'), 503: answer('It is not, and why.', 'readiness') },
  }
  app.get('/readyz', { schema: ready }, (_, reply) => {
    const reasons = readiness.reasons()
    const { member, version, engine, startedAtMs, signingClosedBy, haltedBy, epoch, latest, reports } = view.status()
    const nowMs = view.nowMs()
    const latestAgeMs = latest === null ? null : Math.max(0, nowMs - latest.attestedAtMs)
    const own = { member, version, engine, startedAtMs, nowMs, signingClosedBy, haltedBy, epoch, latest, latestAgeMs }
    reply.code(reasons.length === 0 ? 200 : 503).header('cache-control', 'no-store')
    reply.send({ ready: reasons.length === 0, reasons, ...own, reports })
  })

  const measured = {
    summary: 'Metrics for Prometheus',
    response: { 200: { description: 'Text.', content: { 'text/plain': { schema: { type: 'string' } } } } },
  }
  app.get('/metrics', { schema: measured }, async (_, reply) => {
    const text = await metrics.text()
    return reply.header('cache-control', 'no-store').type(metrics.contentType).send(text)
  })
}
