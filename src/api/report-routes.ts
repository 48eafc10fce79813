// Routes about reports: the exact bytes that signatures prove, by slot, newest, and as they come.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { OracleError } from '../base/errors.js'
import type { Slot } from '../core/messages.js'
import type { IndexOf } from './feed-routes.js'
import type { Latest } from './latest.js'
import type { NodeView } from './node-view.js'
import type { OldReport } from './old-reports.js'
import { answer } from './open-api.js'
import { readerAddress } from './reader-address.js'
import { sendBody } from './send-body.js'
import type { Snapshot } from './snapshot.js'
import { eventStreamHead, type Stream } from './stream.js'
import type { TakeTurn } from './turns.js'

const number = { type: 'string', pattern: '^(0|[1-9][0-9]{0,9})$' } as const
const feeds = {
  type: 'string',
  pattern: '^[a-z0-9-]+(,[a-z0-9-]+)*$',
  description: 'Names of feeds, by commas: only the leaves that hold them.',
} as const
const reportQuery = {
  type: 'object',
  additionalProperties: false,
  properties: { feeds, seals: { type: 'boolean', default: false, description: 'With the seals known by now.' } },
} as const
const streamQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    feeds,
    reports: { type: 'boolean', default: false, description: 'Whole reports as report.json, to be verified.' },
    after: {
      type: 'string',
      pattern: '^[0-9]{1,10}/[0-9]{1,10}$',
      description: 'The last event’s id: what was missed since is sent first, like the header Last-Event-ID.',
    },
  },
} as const

interface ReportQuery {
  readonly feeds?: string
  readonly seals: boolean
}

interface StreamQuery {
  readonly feeds?: string
  readonly reports: boolean
  readonly after?: string
}

/** Adds the routes about reports to `app`. */
export function addReportRoutes(
  app: FastifyInstance,
  view: NodeView,
  latest: Latest,
  oldReport: OldReport,
  stream: Stream,
  takeTurn: TakeTurn,
  indexOf: IndexOf,
): void {
  const chosen = (names: string | undefined): number[] | null =>
    names === undefined ? null : [...new Set(names.split(','))].map(indexOf).sort((a, b) => a - b)
  const bodyOf = (snapshot: Snapshot, query: ReportQuery): ReturnType<Snapshot['report']> =>
    query.seals ? snapshot.sealed(chosen(query.feeds)) : snapshot.report(chosen(query.feeds))
  const canonical = (description: string): object => ({
    200: answer(description, 'report'),
    304: { description: 'The reader has these bytes.' },
    400: answer('A parameter does not fit.', 'error'),
    404: answer('No such report or feed.', 'error'),
    503: answer('No report yet, or too many read old reports.', 'error'),
  })

  const newest = {
    summary: 'The newest report',
    querystring: reportQuery,
    response: canonical('Canonical bytes of report.json.'),
  }
  app.get<{ Querystring: ReportQuery }>('/v1/reports/latest', { schema: newest }, (request, reply) => {
    const snapshot = latest.current()
    if (snapshot === null) throw new OracleError('API_NO_REPORT', 'there is no report yet')
    reply.header('cache-control', 'no-cache')
    reply.header('content-location', `/v1/reports/${snapshot.epoch}/${snapshot.round}`)
    sendBody(request, reply, bodyOf(snapshot, request.query))
  })

  const bySlot = {
    summary: 'The report of one slot',
    description: 'Without seals the bytes never change. With them they may gain some.',
    params: { type: 'object', properties: { epoch: number, round: number }, required: ['epoch', 'round'] },
    querystring: reportQuery,
    response: canonical('Canonical bytes of report.json.'),
  }
  app.get<{ Params: { epoch: string; round: string }; Querystring: ReportQuery }>(
    '/v1/reports/:epoch/:round',
    { schema: bySlot },
    async (request, reply) => {
      const slot = { epoch: Number(request.params.epoch), round: Number(request.params.round) }
      chosen(request.query.feeds) // an unknown name costs no read
      const snapshot = await snapshotOf(slot)
      reply.header('cache-control', request.query.seals ? 'no-cache' : 'public, max-age=31536000, immutable')
      return sendBody(request, reply, bodyOf(snapshot, request.query))
    },
  )

  const snapshotOf = async (slot: Slot): Promise<Snapshot> => {
    const current = latest.current()
    if (current?.epoch === slot.epoch && current.round === slot.round) return current
    await takeTurn()
    // Keys are 32 bits: a larger number would name another slot.
    const isSlot = slot.epoch < 2 ** 32 && slot.round < 2 ** 32
    const found = isSlot ? oldReport(slot) : null
    if (found !== null) return found
    const path = `${slot.epoch}/${slot.round}`
    throw new OracleError('REPORT_UNKNOWN', `this oracle has no report of slot ${path}`, { path })
  }

  const streamed = {
    summary: 'Reports as they come (server-sent events)',
    description:
      'Event `report`, id epoch/round; the newest report comes at once. Event `gap` tells of reports that were too many to send again: read them from history.',
    querystring: streamQuery,
    response: {
      200: answer('Events without end.', 'stream-event', 'text/event-stream'),
      400: answer('A parameter does not fit.', 'error'),
      404: answer('No such feed.', 'error'),
      503: answer('Too many readers.', 'error'),
    },
  }
  const all = view.committee.feeds.map(({ index }) => index)
  const serve = (request: FastifyRequest<{ Querystring: StreamQuery }>, reply: FastifyReply): void => {
    const { feeds: names, reports: asReport, after } = request.query
    const choice = { feeds: chosen(names) ?? all, asReport }
    const address = readerAddress(request.ip)
    if (!stream.hasRoom(address)) throw new OracleError('API_BUSY', 'as many read the stream as may')
    latest.current() // a store that cannot be read is an error with its own status, as long as there is no head
    if (request.method === 'HEAD') return void reply.headers(eventStreamHead).send()
    reply.hijack()
    stream.serve(reply.raw, { ...choice, address, after: slotOf(after ?? request.headers['last-event-id']) })
  }
  app.get<{ Querystring: StreamQuery }>('/v1/stream', { schema: streamed }, serve)
}

/** The slot that an event's id names; null for anything else, so that a reader with a strange id starts afresh. */
function slotOf(id: string | string[] | undefined): Slot | null {
  const [, epoch, round] = /^(\d{1,10})\/(\d{1,10})$/.exec(String(id)) ?? []
  const slot = { epoch: Number(epoch), round: Number(round) }
  return slot.epoch < 2 ** 32 && slot.round < 2 ** 32 ? slot : null
}
