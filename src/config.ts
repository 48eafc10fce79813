// An oracle's folder to a checked, frozen Config: every path resolved, every document held against its rules.

import { join, resolve } from 'node:path'
import type { ErrorCode } from './base/error-codes.js'
import { OracleError } from './base/errors.js'
import { readBounded } from './base/read-file.js'
import { type ChainConfig, type ChainDocument, chainConfigs } from './chain-config.js'
import { parseJson } from './core/canonical.js'
import { type Committee, parseCommittee } from './core/committee.js'
import type { Engine } from './core/engine.js'
import { checkSchema } from './schema/check.js'
import { nodeConfig } from './schema/generated/validators.js'

/** A committee document of 20,000 feeds of one number is some 6 MB; one of many small fields is larger. */
const committeeBytesMax = 64 * 1024 * 1024
const configBytesMax = 64 * 1024

/** What one oracle runs with. Paths are absolute. */
export interface Config {
  readonly folder: string
  readonly committee: Committee
  /** The committee document as it was read. */
  readonly document: unknown
  /** Index of this oracle in the committee. */
  readonly self: number
  readonly keystore: string
  readonly passphraseFile: string | null
  readonly peerKey: string
  /** PEM file, or null: made at start. */
  readonly certificate: string | null
  readonly state: string
  readonly listen: string
  readonly engine: 'auto' | 'wasm' | 'native'
  readonly log: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  readonly store: { readonly bytesMax: number; readonly ageMaxS: number }
  readonly source: SyntheticConfig | FeedsConfig
  /** Where the HTTP API listens; null: there is none. */
  readonly api: { readonly listen: string } | null
  readonly chains: readonly ChainConfig[]
}

interface SyntheticConfig {
  readonly kind: 'synthetic'
  readonly seed: number
  readonly everyMs: number
}

export interface FeedsConfig {
  readonly kind: 'feeds'
  /** File or folder of declarations, absolute. */
  readonly feeds: string
  /** Adapter host → the place to ask instead. */
  readonly origins: Readonly<Record<string, string>>
  /** host:port on this machine that may be asked. */
  readonly loopback: readonly string[]
  /** URL of a replay clock, or null: real time. */
  readonly replay: string | null
}

/** config.json as the schema lets it through. */
interface ConfigDocument {
  committee: string
  member: string
  keystore: string
  passphraseFile?: string
  peerKey: string
  certificate?: string
  state: string
  listen?: string
  engine?: Config['engine']
  log?: Config['log']
  store?: { bytesMax?: number; ageMaxS?: number }
  source:
    | { kind: 'synthetic'; seed?: number; everyMs?: number }
    | { kind: 'feeds'; feeds: string; origins?: Record<string, string>; loopback?: string[]; replay?: string }
  api?: { listen: string }
  chains?: ChainDocument[]
}

/** Reads FOLDER/config.json and the committee document it names; throws an OracleError with the path of what is wrong. */
export function loadConfig(engine: Engine, folder: string): Config {
  const file = join(folder, 'config.json')
  const document = readDocument(file, configBytesMax, 'CONFIG_UNREADABLE') as ConfigDocument
  checkSchema(nodeConfig, document, 'CONFIG_INVALID')
  const agreed = readDocument(resolve(folder, document.committee), committeeBytesMax, 'COMMITTEE_UNREADABLE')
  const committee = parseCommittee(engine, agreed)
  const self = committee.members.findIndex((member) => member.name === document.member)
  if (self < 0) {
    const names = committee.members.map((member) => member.name).join(', ')
    throw new OracleError('CONFIG_INVALID', `"${document.member}" is no member of the committee (${names})`, {
      path: '/member',
    })
  }
  return Object.freeze({
    folder,
    committee,
    document: agreed,
    self,
    keystore: resolve(folder, document.keystore),
    passphraseFile: document.passphraseFile === undefined ? null : resolve(folder, document.passphraseFile),
    peerKey: resolve(folder, document.peerKey),
    certificate: document.certificate === undefined ? null : resolve(folder, document.certificate),
    state: resolve(folder, document.state),
    listen: document.listen ?? committee.members[self]!.endpoint,
    engine: document.engine ?? 'auto',
    log: document.log ?? 'info',
    store: { bytesMax: document.store?.bytesMax ?? 2 ** 30, ageMaxS: document.store?.ageMaxS ?? 30 * 86_400 },
    source: sourceOf(folder, document.source),
    api: document.api ?? null,
    chains: chainConfigs(folder, document.chains ?? []),
  })
}

function sourceOf(folder: string, source: ConfigDocument['source']): Config['source'] {
  if (source.kind === 'synthetic') return { kind: 'synthetic', seed: source.seed ?? 1, everyMs: source.everyMs ?? 1000 }
  const { feeds, origins = {}, loopback = [], replay = null } = source
  return { kind: 'feeds', feeds: resolve(folder, feeds), origins, loopback, replay }
}

/** Reads and checks a committee document. */
export function loadCommittee(engine: Engine, file: string): Committee {
  return parseCommittee(engine, readDocument(file, committeeBytesMax, 'COMMITTEE_UNREADABLE'))
}

/** A JSON document that people write, with its place named in every refusal. */
export function readDocument(file: string, bytesMax: number, code: ErrorCode): unknown {
  const bytes = readBounded(file, bytesMax, code)
  try {
    return parseJson(bytes, bytesMax)
  } catch (cause) {
    if (!(cause instanceof OracleError)) throw cause
    const { message, path, facts } = cause
    throw new OracleError(cause.code, `${file}: ${message}`, { path, facts, cause })
  }
}
