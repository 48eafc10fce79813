// Feed declarations from disk: one file, or every YAML and JSON file of a folder.

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { OracleError } from '../base/errors.js'
import { readBounded } from '../base/read-file.js'
import type { Engine } from '../core/engine.js'
import type { Adapter } from '../observe/adapter.js'
import { checkSet } from './check-set.js'
import type { Finding } from './finding.js'
import { rules } from './lint.js'
import { type ParsedFeeds, type PlacedFeed, parseFeeds } from './parse-feeds.js'

const bytesMax = 524_288
const filesMax = 1000
/** As many as a committee document may name. */
const feedsMax = 20_000

/**
 * The declarations under `path` and what is wrong with them. `path` is a file, or a folder whose .yaml, .yml and .json
 * files are read in order of their names. Throws FEED_UNREADABLE or DOCUMENT_TOO_LARGE when a file cannot be read.
 */
export function loadFeeds(engine: Engine, path: string, adapters: readonly Adapter[]): ParsedFeeds {
  const declarations: PlacedFeed[] = []
  const findings: Finding[] = []
  for (const file of filesOf(path)) {
    const parsed = parseFeeds(engine, file, textOf(file), adapters)
    declarations.push(...parsed.declarations)
    findings.push(...parsed.findings)
    if (declarations.length > feedsMax)
      throw new OracleError('FEED_INVALID', `more than ${feedsMax} feeds are declared`, { path: file })
  }
  findings.push(...checkSet(declarations, adapters))
  if (declarations.length === 0 && findings.length === 0)
    throw new OracleError(
      'FEED_UNREADABLE',
      `${path} declares no feed: it is empty, or holds no .yaml, .yml or .json file with a declaration`,
      { path },
    )
  return { declarations, findings }
}

/**
 * The gate before an oracle starts: throws for the first error among `findings`, FEED_LINT where a lint rule is broken,
 * FEED_INVALID otherwise, with `file:line` as its path. Warnings pass.
 */
export function checkFeeds(findings: readonly Finding[]): void {
  const first = findings.find((finding) => finding.isError)
  if (first === undefined) return
  const { file, line, column, feed, rule, message, fix } = first
  const code = rules.some(({ id }) => id === rule) ? 'FEED_LINT' : 'FEED_INVALID'
  const subject = feed === '' ? '' : `${feed}: `
  throw new OracleError(code, `${file}:${line}: ${subject}${message}. ${fix}`, {
    path: `${file}:${line}`,
    facts: { rule, feed, line, column },
  })
}

function filesOf(path: string): readonly string[] {
  try {
    if (!statSync(path).isDirectory()) return [path]
    const names = readdirSync(path).filter((name) => /\.(?:ya?ml|json)$/.test(name))
    if (names.length > filesMax)
      throw new OracleError('FEED_UNREADABLE', `${path} holds more than ${filesMax} files`, { path })
    // By code units, so that every machine reads in one order.
    return names.sort().map((name) => join(path, name))
  } catch (cause) {
    if (cause instanceof OracleError) throw cause
    const { code } = cause as NodeJS.ErrnoException
    throw new OracleError('FEED_UNREADABLE', `cannot read ${path}: ${code}`, { path, cause })
  }
}

function textOf(file: string): string {
  const bytes = readBounded(file, bytesMax, 'FEED_UNREADABLE')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new OracleError('FEED_UNREADABLE', `${file} is not UTF-8`, { path: file, cause })
  }
}
