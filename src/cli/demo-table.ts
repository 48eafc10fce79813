// The demo on a terminal: a table of feeds, what the oracles and sources complain of, and how to go on. Pure.

import { formatDecimal, type JsonValue } from '../core/value-json.js'
import type { FeedDeclaration } from '../feed/declaration.js'
import type { ReportView, Tally } from './demo-reports.js'

/** What the table shows of one oracle that is not well. */
export interface Trouble {
  readonly name: string
  readonly folder: string
  readonly ended: string | null
  readonly lost: readonly string[]
}

export interface DemoView {
  /** Lines above the table: mode, what it is, where the API is, how to stop. */
  readonly banner: readonly string[]
  readonly report: ReportView | null
  readonly declarations: ReadonlyMap<string, FeedDeclaration>
  readonly members: number
  /** The clock that ages are counted by, ms since 1970. */
  readonly nowMs: number
  readonly troubles: readonly Trouble[]
  /** Last refusals of sources, newest first. */
  readonly refusals: readonly string[]
  readonly tally: Tally
  /** What else the reader should know, newest last. */
  readonly notes: readonly string[]
}

export interface Screen {
  readonly columns: number
  readonly rows: number
  readonly hasColour: boolean
}

const widthMin = 60
const widthMax = 120
const notesMax = 4

interface Column {
  readonly head: string
  readonly width: number
  readonly isRight: boolean
}

/** The frame as lines that fit `screen`; colours only where it has them. */
export function renderDemo(view: DemoView, screen: Screen): readonly string[] {
  const width = Math.max(widthMin, Math.min(widthMax, screen.columns - 1))
  const paint = (code: number, text: string): string => (screen.hasColour ? `\u001b[${code}m${text}\u001b[0m` : text)
  const head = view.banner.flatMap((line) => wrap(visible(line), width))
  const foot = [...troubleLines(view), ...view.refusals.slice(0, notesMax).map((text) => `source: ${text}`)]
    .concat(view.notes.slice(-notesMax))
    .map((line) => cut(visible(line), width))
  const room = Math.max(1, screen.rows - head.length - foot.length - 7)
  const title = head.map((line, i) => (i === 0 ? paint(1, line) : line))
  return [
    ...title,
    '',
    ...tableLines(view, width, room, paint),
    '',
    ...totals(view),
    ...foot.map((line) => paint(33, line)),
  ]
}

function tableLines(
  { report, declarations, members, nowMs }: DemoView,
  width: number,
  room: number,
  paint: (code: number, text: string) => string,
): string[] {
  if (report === null) return ['Waiting for the first report …']
  const fixed = [
    { head: 'age', width: 7, isRight: true },
    { head: 'spread', width: 8, isRight: true },
    { head: 'groups', width: 6, isRight: true },
    { head: 'status', width: 14, isRight: false },
    { head: 'signers', width: 7, isRight: true },
    { head: 'latency', width: 8, isRight: true },
  ]
  const left = width - fixed.reduce((sum, column) => sum + column.width + 1, 0)
  const longest = Math.max(4, ...report.feeds.map(({ name }) => name.length))
  const nameWidth = Math.min(longest, left >> 1)
  const columns: readonly Column[] = [
    { head: 'feed', width: nameWidth, isRight: false },
    { head: 'value', width: left - nameWidth - 1, isRight: true },
    ...fixed,
  ]
  const line = (cells: readonly string[]): string => columns.map((column, i) => fit(column, cells[i]!)).join(' ')
  const shown = report.feeds.slice(0, room)
  const rows = shown.map((feed) => {
    const cells = [
      feed.name,
      presentFeed(feed.value, declarations.get(feed.name)),
      feed.value === null ? '' : presentAge(nowMs - feed.observedAtMs),
      feed.value === null ? '' : `${(feed.spreadPpm / 10_000).toFixed(3)}%`,
      String(feed.groups),
      feed.status,
      `${report.signers}/${members}`,
      presentMs(report.latencyMs),
    ]
    const code = feed.status === 'OK' ? 32 : feed.status === 'LOW_CONFIDENCE' ? 33 : 31
    // Only what is certain to stand alone is painted: the status with its padding.
    return line(cells).replace(` ${fit(columns[5]!, feed.status)} `, (text) => paint(code, text))
  })
  const more = report.feeds.length - shown.length
  return [paint(2, line(columns.map(({ head }) => head))), ...rows, ...(more > 0 ? [`and ${more} more`] : [])]
}

function troubleLines({ troubles }: DemoView): string[] {
  return troubles.map(({ name, folder, ended, lost }) =>
    ended === null
      ? `${name}: no session with ${lost.join(', ')}`
      : `${name} ended (${ended}); restart it: assay start ${folder}`,
  )
}

function totals({ report, tally }: DemoView): string[] {
  const { reports, skippedRounds, latencyMs } = tally
  const newest =
    report === null ? [] : [`report ${report.epoch}/${report.round}, attested at ${iso(report.attestedAtMs)}`]
  const latency = `latency p50 ${presentMs(latencyMs.p50)}, p99 ${presentMs(latencyMs.p99)}`
  return [...newest, `${reports} reports, ${skippedRounds} rounds skipped, ${latency}`]
}

/** A value for people, with its units where it has several parts. */
export function presentFeed(value: JsonValue | null, declaration: FeedDeclaration | undefined): string {
  if (value === null) return 'no value'
  if (typeof value === 'string') return trimmed(value)
  const leaves = declaration?.leaves ?? []
  // In the order of the schema, which puts what matters first.
  const parts = Object.entries(value)
    .map(([name, part]) => ({ part, place: leaves.findIndex((leaf) => leaf.name === name) }))
    .sort((a, b) => a.place - b.place)
    .map(({ part, place }) => {
      const leaf = leaves[place]
      const isNumber = typeof part === 'string' && leaf?.type.startsWith('int') === true
      return isNumber ? trimmed(formatDecimal(BigInt(part), leaf!.decimals)) : String(part)
    })
  return visible(parts.join(' '))
}

/** Without the zeros that say nothing, but for two. */
function trimmed(decimal: string): string {
  return decimal.replace(/(\.\d\d\d*?)0+$/, '$1')
}

/** A latency, with a digit after the point where it is short. */
export function presentMs(ms: number): string {
  return `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`
}

/** An age in the largest unit that has a whole number of it. */
export function presentAge(ms: number): string {
  const s = Math.max(0, ms) / 1000
  if (s < 60) return `${s.toFixed(1)} s`
  if (s < 3600) return `${Math.floor(s / 60)} min`
  return s < 172_800 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86_400)} d`
}

function iso(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

function fit({ width, isRight }: Column, text: string): string {
  const short = cut(text, width)
  return isRight ? short.padStart(width) : short.padEnd(width)
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = `  ${word}`
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

/** What a source says may hold terminal commands: they are shown, not obeyed. */
function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, '?')
}
