// The fixtures of all adapters as one table, and what came of one answer in a form that tables can hold.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { adapters } from '../../adapters/index.js'
import type { Adapter, Params, Raw, SourceReading } from '../../src/observe/adapter.js'
import { read } from '../../src/observe/reader.js'
import { SourceError } from '../../src/observe/source-error.js'

/** A reading, a refusal by its code, or null for a message that concerns something else. */
export type Verdict = SourceReading | { readonly error: string } | null

export interface Case {
  readonly adapter: Adapter
  readonly file: string
  readonly params: Params
  /** HTTP status of the reply; 200 unless said. */
  readonly status?: number
  /** Incident of the list that this case stands for. */
  readonly incident?: string
  readonly expect: Verdict
}

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Every row of every cases.json. */
export const cases: readonly Case[] = adapters.flatMap((adapter) => {
  const rows = JSON.parse(readFileSync(fixturePath(adapter.id, 'cases.json'), 'utf8')) as Omit<Case, 'adapter'>[]
  return rows.map((row) => ({ ...row, adapter }))
})

/** Names of an adapter's fixtures, without the table. */
export function fixtureNames(id: string): readonly string[] {
  return readdirSync(`${root}/adapters/${id}/fixtures`).filter((name) => name !== 'cases.json')
}

/** A fixture's bytes and the media type of its ending. */
export function fixture(id: string, name: string): Raw {
  return { bytes: readFileSync(fixturePath(id, name)), mediaType: mediaTypeOf(name) }
}

/** What the node makes of an answer: adapter, then value schema. Anything but a SourceError is thrown on. */
export function verdictOf(adapter: Adapter, raw: Raw, params: Params): Verdict {
  try {
    return read(adapter, raw, params)
  } catch (error) {
    // The schema's check speaks with the house's error and a source's code.
    const { code } = error as { code?: string }
    if (error instanceof SourceError || code === 'SOURCE_DRIFT') return { error: code! }
    throw error
  }
}

/** The adapter of that id. */
export function adapterOf(id: string): Adapter {
  return adapters.find((adapter) => adapter.id === id)!
}

/** Whether the recordings stand beside the project. */
export const hasRecordings: boolean = existsSync(`${root}/../shared/recordings`)

/** The bytes of a recorded file. */
export function recorded(path: string): Raw {
  return { bytes: readFileSync(`${root}/../shared/recordings/${path}`), mediaType: mediaTypeOf(path) }
}

/** The recorded files below a folder, in order. */
export function recordedNames(folder: string): readonly string[] {
  return readdirSync(`${root}/../shared/recordings/${folder}`, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'README.md')
    .map((entry) => `${entry.parentPath.replaceAll('\\', '/')}/${entry.name}`.replace(/^.*\/recordings\//, ''))
    .sort()
}

function fixturePath(id: string, name: string): string {
  return `${root}/adapters/${id}/fixtures/${name}`
}

function mediaTypeOf(name: string): string {
  if (name.endsWith('.json')) return 'application/json'
  if (name.endsWith('.xml')) return 'text/xml'
  if (name.endsWith('.html')) return 'text/html'
  return name.endsWith('.csv') ? 'text/csv' : 'application/octet-stream'
}
