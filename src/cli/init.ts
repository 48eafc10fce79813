// `assay init`: keys, committee document and folders, for a committee on one machine or for one member of a larger one.

import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { nodeDisk } from '../base/disk.js'
import { OracleError } from '../base/errors.js'
import { loadCommittee, readDocument } from '../config.js'
import { fromHex, toHex } from '../core/bytes.js'
import { type Committee, parseCommittee } from '../core/committee.js'
import { createWasmEngine, type SigningEngine } from '../crypto/engine-wasm.js'
import { writeKeyFile } from '../crypto/key-file.js'
import { createKeystore } from '../crypto/keystore.js'
import { readPassphrase } from '../crypto/passphrase.js'
import { createPeerKey } from '../crypto/peer-key.js'
import { createCertificate } from '../network/certificate.js'
import { createSlotRecord, openSlotRecord } from '../store/slot-record.js'
import { committeeTemplate, type FeedDocuments, type PublicMember } from './template.js'

export interface InitOptions {
  readonly oracles: number
  /** How many feeds of the template, or the committee's own. */
  readonly feeds: number | FeedDocuments
  readonly host: string
  readonly port: number
  /** One passphrase for all keystores; without it each gets a random one in a file beside it. */
  readonly passphraseFile?: string
  /** Keystores that open fast and resist guessing little: for throw-away committees. */
  readonly light?: boolean
  /** Stream trigger of every feed, in parts per million. */
  readonly streamPpm?: number
  readonly timing?: Readonly<Record<string, number>>
  /** File or folder of the declarations behind `feeds`, to be copied beside committee.json. */
  readonly declarations?: string
  /** What config.json says of the source; the synthetic one unless given. */
  readonly source?: (member: string) => SourceDocument
  /** What config.json says of the API; none unless given. */
  readonly api?: (member: string) => { readonly listen: string } | undefined
}

/** `source` of config.json, as schemas/node-config.json describes it. */
export type SourceDocument = Readonly<Record<string, unknown>>

/** N of scrypt for `light` keystores. */
const lightCost = 4096

/** Makes folder/committee.json and folder/oracle-1 … oracle-N; the folder must be new or empty. Returns the paths. */
export async function initCommittee(folder: string, options: InitOptions): Promise<readonly string[]> {
  await makeEmpty(folder)
  const engine = await createWasmEngine()
  const members: PublicMember[] = []
  for (let i = 1; i <= options.oracles; i++) {
    const name = `oracle-${i}`
    const endpoint = `${options.host.replaceAll('{n}', String(i))}:${options.port + i - 1}`
    members.push(await makeKeys(engine, join(folder, name), name, endpoint, options))
  }
  const { feeds, streamPpm, timing } = options
  const document = committeeTemplate(engine, {
    lineage: randomBytes(32),
    members,
    feeds,
    ...(streamPpm === undefined ? {} : { streamPpm }),
    ...(timing === undefined ? {} : { timing }),
  })
  const committee = parseCommittee(engine, document)
  const file = join(folder, 'committee.json')
  await writeFile(file, `${JSON.stringify(document, null, 2)}\n`, { mode: 0o644 })
  if (options.declarations !== undefined) {
    const { copyDeclarations } = await import('./declared.js')
    await copyDeclarations(options.declarations, folder)
  }
  for (const { name } of members) {
    const { passphraseFile } = passphraseOf(join(folder, name), options.passphraseFile)
    const source = options.source?.(name)
    const api = options.api?.(name)
    const more = { ...(source === undefined ? {} : { source }), ...(api === undefined ? {} : { api }) }
    await joinCommittee(join(folder, name), name, file, committee, { passphraseFile, ...more })
  }
  return members.map(({ name }) => join(folder, name))
}

/** Makes one member's folder with its keys; returns its entry for the committee document. */
export async function initMember(
  folder: string,
  name: string,
  endpoint: string,
  options: Pick<InitOptions, 'passphraseFile' | 'light'>,
): Promise<PublicMember> {
  await makeEmpty(folder)
  const member = await makeKeys(await createWasmEngine(), folder, name, endpoint, options)
  const kept: MemberFile = { ...member, ...passphraseOf(folder, options.passphraseFile) }
  await writeFile(join(folder, 'member.json'), `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 })
  return member
}

/** What a member reads and serves when it joins. */
export interface JoinOptions {
  /** File or folder of the declarations that the document pins; needed where it pins any. */
  readonly declarations?: string
  /** Where the member serves its API; none unless given. */
  readonly api?: string
}

/** Gives a member's folder, made by `initMember`, its config.json and slot record under an agreed committee document. */
export async function initJoin(folder: string, committeeFile: string, options: JoinOptions): Promise<void> {
  const engine = await createWasmEngine()
  const committee = loadCommittee(engine, resolve(committeeFile))
  const file = join(folder, 'member.json')
  // A second join would make a fresh record for a key that may have signed (P9): without one it has to ask the others.
  if (existsSync(join(folder, 'config.json')) || !existsSync(file)) {
    const message = 'this folder has joined already, or was not made by `assay init DIR --member`'
    throw new OracleError('FOLDER_UNFIT', message, { path: folder })
  }
  const member = readMember(file)
  const known = committee.members.find((candidate) => candidate.name === member.name)
  if (known?.address !== member.address || known.peerKey !== member.peerKey) {
    const message = `the committee document does not hold member ${member.name} with this folder's keys`
    throw new OracleError('COMMITTEE_INVALID', message, { path: '/members' })
  }
  const source = await joinSource(engine, committee, folder, options.declarations)
  const { passphraseFile } = member
  await joinCommittee(folder, member.name, committeeFile, committee, {
    ...(passphraseFile === undefined ? {} : { passphraseFile }),
    ...(source === null ? {} : { source }),
    ...(options.api === undefined ? {} : { api: { listen: options.api } }),
  })
  await rm(file)
}

/** The agreed declarations, copied beside config.json; null for a committee of synthetic numbers. */
async function joinSource(
  engine: SigningEngine,
  committee: Committee,
  folder: string,
  declarations: string | undefined,
): Promise<SourceDocument | null> {
  const declared = committee.feeds.find((feed) => feed.declaration !== null)
  if (declared === undefined && declarations === undefined) return null
  if (declarations === undefined) {
    const message = `the committee document pins declarations (of ${declared!.name} first): name them with --declarations`
    throw new OracleError('FEED_MISMATCH', message, { path: `/feeds/${declared!.index}` })
  }
  const { findDeclarations, checkAgreed, copyDeclarations } = await import('./declared.js')
  const path = findDeclarations(declarations)
  checkAgreed(engine, committee, path)
  if (!existsSync(join(folder, 'feeds'))) await copyDeclarations(path, folder)
  return { kind: 'feeds', feeds: 'feeds' }
}

/** What `initMember` leaves for `initJoin`. */
interface MemberFile extends PublicMember {
  readonly passphraseFile?: string
}

function readMember(file: string): MemberFile {
  const found = readDocument(file, 65_536, 'FOLDER_UNFIT') as Partial<Record<keyof MemberFile, unknown>> | null
  for (const field of ['name', 'address', 'peerKey', 'endpoint'] as const) {
    if (typeof found?.[field] === 'string') continue
    throw new OracleError('FOLDER_UNFIT', `member.json lacks "${field}"`, { path: `${file}#/${field}` })
  }
  return found as unknown as MemberFile
}

async function makeKeys(
  engine: SigningEngine,
  folder: string,
  name: string,
  endpoint: string,
  options: Pick<InitOptions, 'passphraseFile' | 'light'>,
): Promise<PublicMember> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const passphrase =
    options.passphraseFile === undefined
      ? await makePassphrase(join(folder, 'passphrase'))
      : (await readPassphrase(options.passphraseFile)).text
  const privateKey = randomBytes(32)
  const address = toHex(engine.addressOf(privateKey))
  await createKeystore(join(folder, 'keystore.json'), privateKey, passphrase, options.light ? lightCost : undefined)
  privateKey.fill(0)
  const peerKey = await createPeerKey(join(folder, 'peer.pem'))
  await writeFile(join(folder, 'peer-cert.pem'), await createCertificate(peerKey.pem))
  return { name, address, peerKey: peerKey.publicKey, endpoint }
}

async function makePassphrase(file: string): Promise<string> {
  const passphrase = randomBytes(24).toString('base64url')
  await writeKeyFile(file, `${passphrase}\n`)
  return passphrase
}

/** Where an oracle finds its passphrase, relative to its folder: the file given, or the one made beside the keystore. */
function passphraseOf(folder: string, given: string | undefined): { readonly passphraseFile: string } {
  return { passphraseFile: given === undefined ? 'passphrase' : relative(folder, given) }
}

async function joinCommittee(
  folder: string,
  name: string,
  committeeFile: string,
  committee: Committee,
  given: { readonly passphraseFile?: string; readonly source?: SourceDocument; readonly api?: object },
): Promise<void> {
  const member = committee.members.find((candidate) => candidate.name === name)!
  const state = join(folder, 'state')
  await mkdir(state, { recursive: true, mode: 0o700 })
  const identity = {
    address: fromHex(member.address, 20)!,
    salt: committee.salt,
    generation: committee.generation,
  }
  await makeRecord({ disk: nodeDisk, path: join(state, 'slots'), identity })
  const config = {
    version: 1,
    committee: relative(folder, committeeFile),
    member: name,
    keystore: 'keystore.json',
    peerKey: 'peer.pem',
    certificate: 'peer-cert.pem',
    state: 'state',
    source: { kind: 'synthetic', seed: 1, everyMs: 1000 },
    ...given,
  }
  // Whole or not at all: with a config.json the folder counts as joined.
  const draft = join(folder, 'config.json.new')
  await writeFile(draft, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 })
  await rename(draft, join(folder, 'config.json'))
}

/** Makes the record; one that an interrupted join left, and that was never used, will do as well. */
async function makeRecord(parts: Parameters<typeof createSlotRecord>[0]): Promise<void> {
  try {
    await createSlotRecord(parts)
  } catch (error) {
    if (!(error instanceof OracleError) || error.code !== 'SLOT_RECORD_EXISTS') throw error
    const record = await openSlotRecord(parts)
    const { wish, floor, floorMs } = record.durable
    const isUnused = record.standing === 'sound' && wish + floor.epoch + floor.round + floorMs === 0
    await record.close()
    if (!isUnused) throw error
  }
}

async function makeEmpty(folder: string): Promise<void> {
  // Not recursive: Node never returns from that where a file system says that a parent is missing which is not (/proc).
  await mkdir(folder, { mode: 0o700 }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EEXIST') return
    throw new OracleError('FOLDER_UNFIT', `the folder cannot be made: ${cause.code}`, { path: folder, cause })
  })
  if ((await readdir(folder)).length > 0) {
    throw new OracleError('FOLDER_UNFIT', 'the folder is not empty; nothing was written', { path: folder })
  }
}
