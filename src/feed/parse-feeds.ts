// The text of one file to declarations and findings, without touching a disk.

import type { Engine } from '../core/engine.js'
import type { Adapter } from '../observe/adapter.js'
import { completeFeed } from './complete-feed.js'
import type { FeedDeclaration } from './declaration.js'
import { expandTemplate } from './expand-template.js'
import type { Finding, Problem } from './finding.js'
import { lintFeed } from './lint.js'
import { readYaml, type YamlDocument } from './read-yaml.js'
import { schemaProblems } from './schema-problems.js'
import type { WrittenFeed } from './written-feed.js'

/** A declaration and where it is written. */
export interface PlacedFeed extends FeedDeclaration {
  readonly file: string
  readonly line: number
}

/** The declarations that could be made out, also those that lint refuses, and everything that is wrong. */
export interface ParsedFeeds {
  readonly declarations: readonly PlacedFeed[]
  readonly findings: readonly Finding[]
}

/** The feeds that the YAML or JSON `text` declares; `file` is for the findings. Never throws on any text. Pure. */
export function parseFeeds(engine: Engine, file: string, text: string, adapters: readonly Adapter[]): ParsedFeeds {
  const documents = readYaml(text)
  if (!Array.isArray(documents)) {
    const { line, column, message, fix } = documents as Exclude<typeof documents, readonly unknown[]>
    return { declarations: [], findings: [{ file, line, column, feed: '', rule: 'yaml', message, fix, isError: true }] }
  }
  const table = new Map(adapters.map((adapter) => [adapter.id, adapter]))
  const parts = (documents as readonly YamlDocument[]).map((document) => parseDocument(engine, file, document, table))
  return {
    declarations: parts.flatMap((part) => part.declarations),
    findings: parts.flatMap((part) => part.findings),
  }
}

function parseDocument(
  engine: Engine,
  file: string,
  document: YamlDocument,
  table: ReadonlyMap<string, Adapter>,
): ParsedFeeds {
  const findings: Finding[] = []
  const add = (feed: string, problems: readonly Problem[]): void => {
    for (const { pointer, rule, message, fix, isError } of problems)
      findings.push({ file, ...document.positionOf(pointer), feed, rule, message, fix, isError })
  }
  const unfit = schemaProblems(document.value)
  if (unfit.length > 0) {
    add(nameOf(document.value), unfit)
    return { declarations: [], findings }
  }
  const declarations = expandTemplate(document.value as WrittenFeed).flatMap((instance): PlacedFeed[] => {
    const complete = completeFeed(engine, instance, table)
    if (!('feed' in complete)) {
      add(instance.feed.name, complete)
      return []
    }
    add(complete.feed.name, lintFeed(complete))
    return [{ ...complete.feed, file, line: document.positionOf(instance.pointer).line }]
  })
  return { declarations, findings }
}

function nameOf(value: unknown): string {
  const name = typeof value === 'object' && value !== null && 'name' in value ? value.name : ''
  return typeof name === 'string' ? name.slice(0, 128) : ''
}
