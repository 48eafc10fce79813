// `assay status`: how a running oracle is, by its API: signing, newest report, feeds, sources that are down, peers.

import { OracleError } from '../base/errors.js'
import { askAny, type Reach } from '../client/ask.js'
import { checkSchema } from '../schema/check.js'
import { validators } from '../schema/generated/validators.js'
import { presentAge, presentSlot, presentSpread } from './present.js'
import type { Printer } from './print.js'

interface Ready {
  readonly ready: boolean
  readonly reasons: readonly { readonly code: string; readonly sentence: string }[]
  readonly member: string
  readonly version: string
  readonly engine: string
  readonly signingClosedBy: string | null
  readonly haltedBy: string | null
  readonly latest: { readonly epoch: number; readonly round: number } | null
  readonly latestAgeMs: number | null
  readonly reports: number
}

interface Feeds {
  readonly feeds: readonly {
    readonly name: string
    readonly unit: string
    readonly value: string | object | null
    readonly status: string
    readonly ageMs: number | null
    readonly groups: number
    readonly spreadPpm: number
  }[]
}

interface Sources {
  readonly sources: readonly {
    readonly feed: string
    readonly adapter: string
    readonly state: string
    readonly lastError: { readonly code: string; readonly message: string } | null
  }[]
}

interface Peers {
  readonly peers: readonly { readonly name: string; readonly state: string; readonly reason: string | null }[]
}

/**
 * Prints how the oracle with its API at `url` is; 0 when it is ready, 1 when not. CLIENT_UNREACHABLE, CLIENT_REFUSED
 * and CLIENT_ANSWER_UNFIT when nobody answers there, or something that is no oracle.
 */
export async function status(url: string, printer: Pick<Printer, 'result'>): Promise<number> {
  const reach: Reach = { url: url.replace(/\/+$/, ''), fetch, timeoutMs: 5_000, bytesMax: 64 * 1024 * 1024 }
  // First alone: whoever is not there is asked once.
  const ready = await read<Ready>(reach, '/readyz', 'api/readiness', [200, 503])
  const [feeds, sources, peers] = await Promise.all([
    read<Feeds>(reach, '/v1/feeds', 'api/feeds', [200]),
    read<Sources>(reach, '/v1/sources', 'api/sources', [200]),
    read<Peers>(reach, '/v1/peers', 'api/peers', [200]),
  ])
  const down = sources.sources.filter((source) => source.state === 'down')
  const value = { ...ready, feeds: feeds.feeds, sourcesDown: down, peers: peers.peers }
  printer.result(value, textOf(ready, feeds, down, peers))
  return ready.ready ? 0 : 1
}

async function read<T>(reach: Reach, path: string, schema: string, statuses: readonly number[]): Promise<T> {
  const { body } = await askAny(reach, path, statuses)
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(body))
  } catch (cause) {
    throw new OracleError('CLIENT_ANSWER_UNFIT', `${reach.url}${path} answers no JSON`, { path, cause })
  }
  checkSchema(validators[schema]!, value, 'CLIENT_ANSWER_UNFIT')
  return value as T
}

function textOf(ready: Ready, { feeds }: Feeds, down: Sources['sources'], { peers }: Peers): string {
  const { member, version, engine, latest, latestAgeMs, signingClosedBy, haltedBy } = ready
  const closedBy = haltedBy ?? signingClosedBy
  const isEmpty = feeds.length > 0 && feeds.every(({ value }) => value === null)
  const state = ready.ready ? `ready${isEmpty ? ', but no feed has a value' : ''}` : 'NOT READY'
  const lines = [
    `${member} ${version} (${engine} curve code): ${state}`,
    ...ready.reasons.map((reason) => `  ${reason.sentence}`),
    `signing  ${closedBy === null ? 'yes' : `no: ${closedBy}`}`,
    latest === null
      ? 'report   none yet'
      : `${presentSlot(latest)}, ${age(latestAgeMs)} old; ${ready.reports} since the start`,
    '',
  ]
  const rows = feeds.map((feed) => {
    const { name, value, unit, ageMs, groups, status } = feed
    const shown = value === null ? '–' : typeof value === 'string' ? `${value} ${unit}` : JSON.stringify(value)
    return [name, shown, age(ageMs), value === null ? '–' : presentSpread(feed), String(groups), status]
  })
  lines.push(...table([['feed', 'value', 'age', 'spread', 'sources', 'status'], ...rows]), '')
  lines.push(down.length === 0 ? 'No source is down.' : 'Sources down:')
  for (const { feed, adapter, lastError } of down)
    lines.push(
      `  ${feed} ${adapter}: ${lastError === null ? 'nothing yet' : `${lastError.code}, ${lastError.message}`}`,
    )
  lines.push('', 'Peers:')
  for (const { name, state, reason } of peers) lines.push(`  ${name} ${state}${reason === null ? '' : ` (${reason})`}`)
  // Names and messages come from elsewhere: terminal commands in them are shown, not obeyed.
  return lines.map((line) => line.replace(/\p{Cc}/gu, '?')).join('\n')
}

function age(ms: number | null): string {
  return ms === null ? '–' : presentAge(ms)
}

/** Columns as wide as their widest cell, at most 60. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.min(60, Math.max(...rows.map((row) => row[column]!.length))))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
}
