// `assay feeds`: what is wrong with feed declarations, and what they declare.

import { adapters } from '../../adapters/index.js'
import { createWasmEngine } from '../crypto/engine-wasm.js'
import type { FeedDeclaration, Schedule } from '../feed/declaration.js'
import type { Finding } from '../feed/finding.js'
import { loadFeeds } from '../feed/load-feeds.js'
import { findDeclarations } from './declared.js'
import { counted, nearest } from './present.js'
import type { Printer } from './print.js'
import { assayCommand, shippedFeeds, typeable } from './shipped.js'

/** How many feeds a finding names for people. */
const feedsNamed = 4

/**
 * Prints every finding under `path` (a file or folder, or the name of a file that ships; all that ships unless given);
 * 1 when one of them is an error. The same finding about several feeds of a template is one, which names them.
 */
export async function lintFeeds(path: string | undefined, printer: Printer): Promise<number> {
  const folder = path === undefined ? shippedFeeds : findDeclarations(path)
  const { declarations, findings } = loadFeeds(await createWasmEngine(), folder, adapters)
  const together = joined(findings)
  for (const same of together) {
    const { file, line, column, rule, message, fix, isError } = same[0]!
    const mark = isError ? 'error' : 'warning'
    const subject = subjectOf(same.map(({ feed }) => feed))
    const text = `${nearest(file)}:${line}:${column}  ${mark} ${rule}\n  ${subject}${message}\n  ${typeable(fix)}`
    const feeds = same.map(({ feed }) => feed)
    printer.result({ ...same[0], ...(feeds.length > 1 ? { feeds } : {}), file: nearest(file) }, visible(text))
  }
  const errors = together.filter(([first]) => first!.isError).length
  const warnings = together.length - errors
  printer.result(
    { path: nearest(folder), feeds: declarations.length, errors, warnings },
    `${counted(declarations.length, 'feed')}, ${counted(errors, 'error')}, ${counted(warnings, 'warning')}.`,
  )
  return errors === 0 ? 0 : 1
}

/** Findings that differ by nothing but the feed, together; in order of the first of each. */
function joined(findings: readonly Finding[]): readonly (readonly Finding[])[] {
  const groups = new Map<string, Finding[]>()
  for (const finding of findings) {
    const { feed: _, ...rest } = finding
    const key = JSON.stringify(rest)
    groups.set(key, [...(groups.get(key) ?? []), finding])
  }
  return [...groups.values()]
}

/** "btc-usd, eth-usd and 3 more: ". */
function subjectOf(feeds: readonly string[]): string {
  const named = feeds.filter((feed) => feed !== '')
  if (named.length === 0) return ''
  const more = named.length > feedsNamed ? ` and ${named.length - feedsNamed} more` : ''
  return `${named.slice(0, feedsNamed).join(', ')}${more}: `
}

/** Prints the feeds declared under `path` as a table; 1 when an error keeps some of them out. */
export async function listFeeds(path: string | undefined, printer: Printer): Promise<number> {
  const folder = path === undefined ? shippedFeeds : findDeclarations(path)
  const { declarations, findings } = loadFeeds(await createWasmEngine(), folder, adapters)
  const rows = declarations.map((feed) => ({
    name: feed.name,
    title: feed.title,
    value: feed.value,
    unit: feed.unit,
    decimals: feed.decimals,
    sources: feed.sources.length,
    groups: groupsOf(feed),
    schedule: describe(feed.schedule),
    risk: feed.risk,
    digest: feed.digest,
    file: nearest(feed.file),
    line: feed.line,
  }))
  const heads = ['feed', 'value', 'unit', 'sources', 'independent', 'schedule', 'risk']
  const cells = rows.map((row) => [
    row.name,
    row.value,
    row.unit,
    String(row.sources),
    String(row.groups),
    row.schedule,
    row.risk,
  ])
  printer.result({ feeds: rows }, visible(table([heads, ...cells])))
  const errors = joined(findings).filter(([first]) => first!.isError).length
  if (errors > 0) printer.say(`\n${counted(errors, 'error')}: ${assayCommand} feeds lint ${nearest(folder)}`)
  return errors === 0 ? 0 : 1
}

const groupsOf = (feed: FeedDeclaration): number => new Set(feed.sources.map(({ group }) => group)).size

function describe(schedule: Schedule): string {
  if (schedule.kind === 'request') return 'on request'
  if (schedule.kind === 'cron') return `cron ${schedule.cron}`
  const every = `every ${duration(schedule.everyMs)}`
  return schedule.kind === 'stream' ? `stream, ${every}` : every
}

function duration(ms: number): string {
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000} h`
  if (ms % 60_000 === 0) return `${ms / 60_000} min`
  return ms % 1000 === 0 ? `${ms / 1000} s` : `${ms} ms`
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** A declaration may hold terminal commands: they are shown, not obeyed. */
function visible(text: string): string {
  return text.replace(/[^\P{Cc}\n]/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
