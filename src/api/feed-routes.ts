// Routes about feeds: the newest value, its proof, and what was attested before.

import type { FastifyInstance } from 'fastify'
import { OracleError } from '../base/errors.js'
import { openPacked } from '../core/layout.js'
import type { Latest } from './latest.js'
import { historyMax } from './limits.js'
import type { NodeView } from './node-view.js'
import { answer } from './open-api.js'
import { readHistory } from './read-history.js'
import { noFacts, readingFacts } from './reading-facts.js'
import type { Snapshot } from './snapshot.js'
import type { TakeTurn } from './turns.js'

const timeMs = { type: 'integer', minimum: 0, maximum: 2 ** 48 - 1 } as const
const nameParams = {
  type: 'object',
  properties: { name: { type: 'string', description: 'Name of a feed.' } },
  required: ['name'],
} as const
const historyQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    fromMs: { ...timeMs, description: 'First attestedAtMs.' },
    toMs: { ...timeMs, description: 'Last attestedAtMs.' },
    limit: { type: 'integer', minimum: 1, maximum: historyMax, default: 100 },
    reverse: { type: 'boolean', default: false, description: 'Newest first.' },
    asOfMs: { ...timeMs, description: 'Only the last report attested by then; not together with the others.' },
  },
} as const

interface HistoryQuery {
  readonly fromMs?: number
  readonly toMs?: number
  readonly limit: number
  readonly reverse: boolean
  readonly asOfMs?: number
}

/** The index of the feed called `name`; API_FEED_UNKNOWN. */
export type IndexOf = (name: string) => number

/** Names to indices of one committee's feeds. */
export function feedIndex({ committee }: Pick<NodeView, 'committee'>): IndexOf {
  const indices = new Map(committee.feeds.map(({ name, index }) => [name, index]))
  return (name) => {
    const index = indices.get(name)
    if (index !== undefined) return index
    throw new OracleError('API_FEED_UNKNOWN', 'the committee has no feed of this name', { path: name.slice(0, 64) })
  }
}

/** Adds the routes about feeds to `app`. */
export function addFeedRoutes(
  app: FastifyInstance,
  view: NodeView,
  latest: Latest,
  takeTurn: TakeTurn,
  indexOf: IndexOf,
): void {
  const { committee, kernel } = view
  const ageOf = (observedAtMs: number | null): number | null =>
    observedAtMs === null ? null : Math.max(0, view.nowMs() - observedAtMs)

  const listed = {
    summary: 'All feeds with their newest attested values',
    response: { 200: answer('All feeds; status NO_DATA before the first report.', 'feeds') },
  }
  // Only ages change while a report is the newest: the text around them is kept.
  let kept: { readonly of: Snapshot | null; readonly rows: readonly Row[] } | null = null
  const rowsOf = (snapshot: Snapshot | null): readonly Row[] => {
    if (kept?.of !== snapshot || kept === null) kept = { of: snapshot, rows: listRows(view, snapshot) }
    return kept.rows
  }
  app.get('/v1/feeds', { schema: listed }, (_, reply) => {
    const snapshot = latest.current()
    const feeds = rowsOf(snapshot).map(({ head, tail, observedAtMs }) => `${head}${ageOf(observedAtMs)}${tail}`)
    const { epoch = null, round = null } = snapshot ?? {}
    const body = `{"epoch":${epoch},"round":${round},"feeds":[${feeds.join()}]}`
    reply.header('cache-control', 'no-cache').type('application/json').send(body)
  })

  const proven = {
    summary: 'One feed’s newest attested value with proof and signatures',
    params: nameParams,
    response: {
      200: answer('The value with everything that proves it.', 'feed-proof'),
      404: answer('No such feed.', 'error'),
      503: answer('No report yet.', 'error'),
    },
  }
  app.get<{ Params: { name: string } }>('/v1/feeds/:name', { schema: proven }, (request, reply) => {
    const index = indexOf(request.params.name)
    const snapshot = latest.current()
    if (snapshot === null) throw new OracleError('API_NO_REPORT', 'there is no report yet')
    const body = snapshot.feedBody(index, ageOf(snapshot.facts(index).observedAtMs))
    reply.header('cache-control', 'no-cache').type('application/json').send(body)
  })

  const read = (index: number) => (values: Uint8Array) => readingFacts(view, openPacked(kernel.layout, values), index)

  const told = {
    summary: 'What was attested of one feed',
    description:
      'Bounded; continue from the last attestedAtMs. Each entry is proven by its report: /v1/reports/:epoch/:round?feeds=name.',
    params: nameParams,
    querystring: historyQuery,
    response: {
      200: answer('Entries by attested time.', 'history'),
      400: answer('A parameter does not fit.', 'error'),
      404: answer('No such feed.', 'error'),
      503: answer('Too many read old reports.', 'error'),
    },
  }
  app.get<{ Params: { name: string }; Querystring: HistoryQuery }>(
    '/v1/feeds/:name/history',
    { schema: told },
    async (request, reply) => {
      const { asOfMs, fromMs, toMs, limit, reverse } = request.query
      const index = indexOf(request.params.name)
      const { name, feedId, unit, decimals } = committee.feeds[index]!
      if (asOfMs !== undefined && (fromMs !== undefined || toMs !== undefined))
        throw new OracleError('API_PARAMETER', 'asOfMs stands alone', { path: '/asOfMs' })
      if (fromMs !== undefined && toMs !== undefined && fromMs > toMs)
        throw new OracleError('API_PARAMETER', 'toMs is before fromMs', { path: '/toMs' })
      const span =
        asOfMs === undefined
          ? { ...(fromMs === undefined ? {} : { fromMs }), ...(toMs === undefined ? {} : { toMs }), limit, reverse }
          : { toMs: asOfMs, limit: 1, reverse: true }
      const entries = (await readHistory(view, takeTurn, span, read(index))).map(
        ({ epoch, round, attestedAtMs, value: facts }) => {
          const { observedAtMs, value, status } = facts
          return { epoch, round, attestedAtMs, observedAtMs, value, status }
        },
      )
      return reply.header('cache-control', 'no-cache').send({ name, feedId, unit, decimals, entries })
    },
  )
}

/** One feed of the list: JSON before its age and after. */
interface Row {
  readonly head: string
  readonly tail: string
  readonly observedAtMs: number | null
}

function listRows({ committee }: NodeView, snapshot: Snapshot | null): readonly Row[] {
  const attestedAtMs = snapshot?.attestedAtMs ?? null
  return committee.feeds.map(({ name, feedId, unit, decimals, index }) => {
    const facts = snapshot?.facts(index) ?? noFacts
    const { value, status, observedAtMs, validUntilMs, groups, spreadPpm } = facts
    const early = { name, feedId, unit, decimals, value, status, observedAtMs, attestedAtMs }
    const head = `${JSON.stringify(early).slice(0, -1)},"ageMs":`
    const tail = `,${JSON.stringify({ validUntilMs, groups, spreadPpm }).slice(1)}`
    return { head, tail, observedAtMs }
  })
}
