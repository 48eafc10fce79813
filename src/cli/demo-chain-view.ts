// What the demo's chain came to, as the table and the last JSON line show it: shapes, and words for them. Pure.

import type { FeedDeclaration } from '../feed/declaration.js'
import type { Cost, FeedPushes, PushNews } from './demo-ledger.js'
import { counted, cut, presentAge, presentFeed } from './present.js'

type Declarations = ReadonlyMap<string, FeedDeclaration>

/** One feed on chain. Values are decimal strings; times are ms since 1970. */
export interface ChainFeedView extends FeedPushes {
  readonly feed: string
  /** Null until there is one. */
  readonly facade: string | null
  /** What the store has; null while it has nothing. */
  readonly value: string | null
  readonly status: string | null
  readonly attestedAtMs: number
  readonly observedAtMs: number
  /** What the facade answers; null where it reverts, with `refusal`. */
  readonly answer: string | null
  readonly refusal: string | null
  /** The value in the signed report of attestedAtMs; known at the end. */
  readonly reported: string | null
}

/** A purchase at a report that the buyer brought along, or why contracts would not have it. */
export interface PullView {
  readonly feed: string
  readonly value: string | null
  readonly refusal: string | null
  readonly txHash?: string
  readonly gasUsed?: bigint
  readonly attestedAtMs?: number
}

/** What a contract asked for; `end` is null while it waits. */
export interface RequestView extends Partial<Cost> {
  readonly id: string
  readonly feed: string
  readonly end: 'answered' | 'refused' | null
  readonly value?: string | null
  readonly status?: string
  readonly by?: string
  readonly txHash?: string
}

export interface ChainView {
  readonly chainId: number
  readonly url: string
  readonly pid: number
  readonly block: { readonly number: number; readonly timestampMs: number }
  readonly addresses: Readonly<Record<'registry' | 'store' | 'hub' | 'requester', string>>
  readonly pushes: Cost & { readonly count: number; readonly failed: number }
  readonly reads: readonly ChainFeedView[]
  readonly pull: PullView | null
  readonly request: RequestView
  readonly deployGas: bigint
  /** What the end of the run did not wait for any longer. */
  readonly missing: readonly string[]
}

/** Something new on chain. */
export type ChainNews =
  | ({ readonly what: 'push' } & PushNews)
  | ({ readonly what: 'pull' } & PullView)
  | ({ readonly what: 'request' } & RequestView)

/** `chain` of the summary: `pushes` counts values, several of which may share a transaction. Gas as numbers, wei as decimal strings. */
export function chainSummary(view: ChainView): Record<string, unknown> {
  const { chainId, block, addresses, pushes, reads, pull, request, deployGas, missing } = view
  const cost = ({ gasUsed, feeWei }: Partial<Cost>): Record<string, unknown> => ({
    ...(gasUsed === undefined ? {} : { gasUsed: Number(gasUsed) }),
    ...(feeWei === undefined ? {} : { feeWei: String(feeWei) }),
  })
  return {
    ...{ chainId, block: block.number, ...addresses },
    pushes: reads.reduce((sum, { updates }) => sum + updates, 0),
    ...{ transactions: pushes.count, inVain: pushes.failed, ...cost(pushes) },
    reads: reads.map((read) => ({ ...read, ...cost(read) })),
    pull: pull === null ? null : { ...pull, ...cost(pull) },
    request: { ...request, ...cost(request) },
    ...{ deployGasUsed: Number(deployGas), missing },
  }
}

/** News in a sentence. */
export function chainNews(news: ChainNews): string {
  switch (news.what) {
    case 'push': {
      const why = news.reason === null ? '' : ` (${news.reason})`
      return `${news.by} pushed ${news.feeds.join(', ')}${why}, ${presentGas(news.gasUsed)}`
    }
    case 'pull':
      return pullLine(news)
    case 'request':
      return requestLine(news)
  }
}

/** What it came to, in lines of text. */
export function chainLines(view: ChainView, declarations: Declarations): readonly string[] {
  const reads = view.reads.map((read) => {
    const { feed, value, updates, gasUsed, feeWei } = read
    const cost = `${pushesIn(updates)}, ${presentGas(gasUsed)}, ${presentWei(feeWei)}`
    return `${feed}  ${presentFeed(value, declarations.get(feed))}${refusalOf(read)}  ${cost}`
  })
  const missing = view.missing.length === 0 ? [] : [`Not on chain by the end: ${view.missing.join(', ')}`]
  return [`On chain, through facades of the store ${view.addresses.store}:`, ...reads, ...notesOf(view), ...missing]
}

/** The pull, the request and the sum of it, a line each. */
function notesOf({ pull, request, pushes, deployGas }: ChainView): readonly string[] {
  const failed = pushes.failed === 0 ? '' : `, ${pushes.failed} in vain`
  const sum = `${presentGas(pushes.gasUsed)}, ${presentWei(pushes.feeWei)}`
  return [
    ...(pull === null ? [] : [pullLine(pull)]),
    requestLine(request),
    `${counted(pushes.count, 'transaction')}${failed}: ${sum}; set-up ${presentGas(deployGas)}`,
  ]
}

/** `gas` with its digits in groups. */
export function presentGas(gas: bigint): string {
  return `${grouped(gas)} gas`
}

function pullLine({ feed, value, refusal, gasUsed }: PullView): string {
  if (refusal !== null) return `pull: a contract refuses a report of ${feed}: ${refusal}`
  return `pull: a contract proved a report of ${feed}: ${trimmed(value!)}, ${presentGas(gasUsed ?? 0n)}`
}

function requestLine({ feed, end, value, status, by, gasUsed }: RequestView): string {
  if (end === null) return `request: a contract asked for ${feed}, and waits`
  const what = end === 'answered' ? (value == null ? 'answered' : trimmed(value)) : `refused (${status})`
  return `request: a contract asked for ${feed}: ${what} by ${by}, ${presentGas(gasUsed ?? 0n)}`
}

/** That the facade gives no answer, if it does not. */
function refusalOf({ refusal }: ChainFeedView): string {
  return refusal === null ? '' : `  (the facade refuses: ${refusal})`
}

const pushesIn = (count: number): string => (count === 1 ? '1 push' : `${count} pushes`)
/** Wei in gwei, rounded up. */
const presentWei = (wei: bigint): string => `${grouped((wei + 10n ** 9n - 1n) / 10n ** 9n)} gwei`
/** Without the zeros that say nothing, but for two. */
const trimmed = (decimal: string): string => decimal.replace(/(\.\d\d\d*?)0+$/, '$1')
const grouped = (amount: bigint): string => String(amount).replace(/\B(?=(\d{3})+$)/g, ',')

type Paint = (code: number, text: string) => string

/**
 * The block of the table: a row for each feed on chain, then the pull, the request and the sum unless it is to be short;
 * at most `width` wide.
 */
export function chainRows(
  view: ChainView,
  declarations: Declarations,
  { width, isShort }: { readonly width: number; readonly isShort: boolean },
  paint: Paint,
): readonly string[] {
  const shown = view.reads.filter(({ value }) => value !== null)
  const cells = shown.map(({ feed, value, attestedAtMs, refusal, facade, reason, updates, gasUsed }) => [
    ...[feed, presentFeed(value, declarations.get(feed)), presentAge(view.block.timestampMs - attestedAtMs)],
    ...[facade === null ? 'not yet' : refusal === null ? 'answers' : 'refuses', reason ?? ''],
    ...[String(updates), grouped(gasUsed)],
  ])
  const widths = columns.map(({ head }, i) => Math.max(head.length, ...cells.map((row) => row[i]!.length)))
  // Names give way where all of it does not fit.
  const excess = widths.reduce((sum, one) => sum + one + 1, -1) - width
  widths[0] = Math.max(8, widths[0]! - Math.max(0, excess))
  const line = (row: readonly string[]): string =>
    cut(row.map((text, i) => pad(cut(text, widths[i]!), widths[i]!, columns[i]!.isRight)).join(' '), width)
  return [
    paint(2, line(columns.map(({ head }) => head))),
    ...(cells.length === 0 ? ['no feed was pushed yet'] : cells.map(line)),
    ...(isShort ? [] : notesOf(view).map((text) => cut(text, width))),
  ]
}

const columns = [
  { head: 'on chain', isRight: false },
  { head: 'value', isRight: true },
  { head: 'age', isRight: true },
  { head: 'facade', isRight: false },
  { head: 'last for', isRight: false },
  { head: 'pushes', isRight: true },
  { head: 'gas', isRight: true },
]

const pad = (text: string, width: number, isRight: boolean): string =>
  isRight ? text.padStart(width) : text.padEnd(width)
