// `assay feeds`: what is wrong with feed declarations, and what they declare.

import { relative } from 'node:path'
import { adapters } from '../../adapters/index.js'
import { createWasmEngine } from '../crypto/engine-wasm.js'
import type { FeedDeclaration, Schedule } from '../feed/declaration.js'
import { loadFeeds } from '../feed/load-feeds.js'
import type { Printer } from './print.js'
import { shippedFeeds } from './shipped.js'

/** Prints every finding under `path` (a file or folder; what ships unless given); 1 when one of them is an error. */
export async function lintFeeds(path: string | undefined, printer: Printer): Promise<number> {
  const folder = path ?? shippedFeeds
  const { declarations, findings } = loadFeeds(await createWasmEngine(), folder, adapters)
  for (const finding of findings) {
    const { file, line, column, feed, rule, message, fix, isError } = finding
    const mark = isError ? 'error' : 'warning'
    const subject = feed === '' ? '' : `${feed}: `
    const text = `${shortened(file)}:${line}:${column}  ${mark} ${rule}\n  ${subject}${message}\n  ${fix}`
    printer.result({ ...finding, file: shortened(file) }, visible(text))
  }
  const errors = findings.filter(({ isError }) => isError).length
  const warnings = findings.length - errors
  printer.result(
    { path: shortened(folder), feeds: declarations.length, errors, warnings },
    `${declarations.length} feeds, ${counted(errors, 'error')}, ${counted(warnings, 'warning')}.`,
  )
  return errors === 0 ? 0 : 1
}

/** Prints the feeds declared under `path` as a table; 1 when an error keeps some of them out. */
export async function listFeeds(path: string | undefined, printer: Printer): Promise<number> {
  const folder = path ?? shippedFeeds
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
    file: shortened(feed.file),
    line: feed.line,
  }))
  const heads = ['feed', 'value', 'unit', 'sources', 'groups', 'schedule', 'risk']
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
  const errors = findings.filter(({ isError }) => isError).length
  if (errors > 0) printer.say(`\n${counted(errors, 'error')}: assay feeds lint ${shortened(folder)}`)
  return errors === 0 ? 0 : 1
}

const groupsOf = (feed: FeedDeclaration): number => new Set(feed.sources.map(({ group }) => group)).size
const counted = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`

function describe(schedule: Schedule): string {
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

/** As seen from where the user stands, when that is shorter. */
function shortened(file: string): string {
  const near = relative('', file)
  return near !== '' && near.length < file.length ? near : file
}

/** A declaration may hold terminal commands: they are shown, not obeyed. */
function visible(text: string): string {
  return text.replace(/[^\P{Cc}\n]/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
