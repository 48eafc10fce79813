// The demo on a terminal: a table of feeds, what the oracles and sources complain of, and how to go on. Pure.

import { isoTime } from '../core/iso-time.js'
import { type Status, statusCodes } from '../core/status.js'
import type { FeedDeclaration } from '../feed/declaration.js'
import { type ChainView, chainRows } from './demo-chain-view.js'
import type { FeedView, ReportView, Tally } from './demo-reports.js'
import type { Mode } from './demo-sources.js'
import { counted, cut, presentAge, presentFeed, presentMs, presentSlot, presentSpread, visible } from './present.js'
import { assayCommand } from './shipped.js'

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
  readonly mode: Mode
  readonly report: ReportView | null
  readonly declarations: ReadonlyMap<string, FeedDeclaration>
  readonly members: number
  /** Null without a chain. */
  readonly chain: ChainView | null
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
const feedsMin = 4

type Paint = (code: number, text: string) => string

interface Column {
  readonly head: string
  readonly width: number
  readonly isRight: boolean
}

/** The frame as lines that fit `screen`; colours only where it has them. */
export function renderDemo(view: DemoView, screen: Screen): readonly string[] {
  const width = Math.max(widthMin, Math.min(widthMax, screen.columns - 1))
  const paint: Paint = (code, text) => (screen.hasColour ? `\u001b[${code}m${text}\u001b[0m` : text)
  const head = view.banner.flatMap((line) => wrap(visible(line), width))
  const troubles = view.troubles.map(troubleLine)
  const foot = [...troubles, ...view.refusals.slice(0, notesMax).map((text) => `source: ${text}`)]
    .concat(view.notes.filter((note) => !troubles.includes(note)).slice(-notesMax))
    .map((line) => cut(visible(line), width))
  const why = reason(view).flatMap((line) => wrap(line, width))
  const rest = screen.rows - head.length - why.length - foot.length - 7
  const chainOf = (isShort: boolean): readonly string[] =>
    view.chain === null ? [] : ['', ...chainRows(view.chain, view.declarations, { width, isShort }, paint)]
  const whole = chainOf(false)
  // A low terminal has the feeds rather than the details of the chain.
  const chain = rest - whole.length < feedsMin ? chainOf(true) : whole
  const room = Math.max(1, rest - chain.length)
  return [
    ...head.map((line, i) => (i === 0 ? paint(1, line) : line)),
    '',
    ...tableLines(view, width, room, paint),
    ...why.map((line) => paint(33, line)),
    ...chain,
    '',
    ...totalsOf(view).flatMap((line) => wrap(line, width)),
    ...foot.map((line) => paint(33, line)),
  ]
}

function tableLines({ report, declarations, nowMs }: DemoView, width: number, room: number, paint: Paint): string[] {
  if (report === null) return ['Waiting for the first report …']
  const shown = report.feeds.slice(0, room)
  const longest = (texts: readonly string[], least: number): number =>
    Math.max(least, ...texts.map(({ length }) => length))
  const spreads = shown.map((feed) => (feed.value === null ? '' : presentSpread(feed)))
  const fixed = [
    { head: 'age', width: 6, isRight: true },
    { head: 'spread', width: longest(spreads, 6), isRight: true },
    { head: 'sources', width: 7, isRight: true },
    {
      head: 'status',
      width: longest(
        report.feeds.map(({ status }) => status),
        6,
      ),
      isRight: false,
    },
  ]
  const left = width - fixed.reduce((sum, column) => sum + column.width + 1, 0)
  const shownValue = ({ name, value }: FeedView, width?: number): string =>
    presentFeed(value, declarations.get(name), width)
  // Names give way only where values need the room.
  const widest = longest(
    shown.map((feed) => shownValue(feed)),
    5,
  )
  const nameWidth = Math.min(
    longest(
      report.feeds.map(({ name }) => name),
      4,
    ),
    Math.max(left >> 1, left - 1 - widest),
  )
  const values = shown.map((feed) => shownValue(feed, left - nameWidth - 1))
  const columns: readonly Column[] = [
    { head: 'feed', width: nameWidth, isRight: false },
    { head: 'value', width: longest(values, 5), isRight: true },
    ...fixed,
  ]
  const rows = shown.map((feed, i) => {
    const { name, value, observedAtMs, groups, status } = feed
    const age = value === null ? '' : presentAge(nowMs - observedAtMs)
    const cells = [name, values[i]!, age, spreads[i]!, String(groups), status]
    const code = status === 'OK' ? 32 : status === 'LOW_CONFIDENCE' ? 33 : 31
    return columns
      .map((column, at) => (column.head === 'status' ? paint(code, fit(column, status)) : fit(column, cells[at]!)))
      .join(' ')
  })
  const more = report.feeds.length - shown.length
  const heads = columns.map((column) => fit(column, column.head)).join(' ')
  return [paint(2, heads), ...rows, ...(more > 0 ? [`and ${more} more`] : [])]
}

/** Why the most common status that is not OK is not; of two as common, the worse. */
function reason({ report, declarations, mode }: DemoView): readonly string[] {
  const counts = new Map<Status, FeedView[]>()
  for (const feed of report?.feeds ?? []) {
    const status = feed.status as Status
    if (status !== 'OK') counts.set(status, [...(counts.get(status) ?? []), feed])
  }
  const [first] = [...counts].sort(
    ([a, feedsA], [b, feedsB]) => feedsB.length - feedsA.length || statusCodes[b] - statusCodes[a],
  )
  if (first === undefined) return []
  const [status, feeds] = first
  const isSingle = feeds.every(({ name }) => typeof declarations.get(name)?.singleSource === 'string')
  return [`${status}: ${status === 'LOW_CONFIDENCE' && isSingle ? oneOrigin[mode] : meaning[status]}`]
}

const oneOrigin: Readonly<Record<Mode, string>> = {
  live: 'one origin only, as the declaration says (singleSource)',
  bundled: 'one origin only (bundled data); --recordings DIR shows several venues',
  recordings: 'one origin only: fewer than three venues are recorded',
}

/** What each status says, in a line; /v1/sources has the details. */
const meaning: Readonly<Record<Status, string>> = {
  OK: 'as declared',
  LOW_CONFIDENCE: 'fewer independent sources than a sure value needs; /v1/sources says which fail',
  LOW_LIQUIDITY: 'bid and ask are further apart than the declaration allows',
  CLAMPED: 'a bound took the place of the value',
  MARKET_CLOSED: 'the market is closed',
  DIVERGED: 'the sources differ by more than the declaration allows',
  STALE: 'the newest value of the sources is older than the declaration allows',
  OUT_OF_RANGE: 'beyond the bounds of the declaration',
  HALT: 'it moved further than bounds.change of the declaration allows',
  NO_DATA: 'too few sources answer; /v1/sources says why',
}

function troubleLine({ name, folder, ended, lost }: Trouble): string {
  return ended === null ? `${name}: no session with ${lost.join(', ')}` : endedLine(name, ended, folder)
}

/** That an oracle ended, how, and the command that starts it again. */
export function endedLine(name: string, ended: string, folder: string): string {
  return `${name} ended (${ended}); restart it: ${assayCommand} start ${folder}`
}

/** The newest report, and the counts of all; nothing before the first. */
export function totalsOf({
  report,
  tally,
  members,
}: Pick<DemoView, 'report' | 'tally' | 'members'>): readonly string[] {
  if (report === null) return []
  const { attestedAtMs, signers } = report
  const { reports, skippedRounds, latencyMs } = tally
  return [
    `${presentSlot(report)} of ${isoTime(attestedAtMs)}, signers ${signers}/${members}, latency ${presentMs(report.latencyMs)}`,
    `${counted(reports, 'report')}, ${counted(skippedRounds, 'round')} skipped, latency p50 ${presentMs(latencyMs.p50)}, p99 ${presentMs(latencyMs.p99)}`,
  ]
}

function fit({ width, isRight }: Column, text: string): string {
  const short = cut(text, width)
  return isRight ? short.padStart(width) : short.padEnd(width)
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
