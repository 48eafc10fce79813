// The composition root: one oracle, put together from its configuration. Every choice of a part is on this page.

import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readClock } from './base/clock.js'
import { errnoOf, nodeDisk } from './base/disk.js'
import { OracleError } from './base/errors.js'
import type { Log } from './base/log.js'
import type { Chains } from './chains.js'
import { fromHex } from './core/bytes.js'
import type { AttestedReport } from './core/report.js'
import type { Event, State } from './core/state.js'
import { createKeyring } from './crypto/keyring.js'
import { openKeystore } from './crypto/keystore.js'
import { loadPeerKey } from './crypto/peer-key.js'
import { type Joined, joinCommittee, type OracleParts, warn } from './member.js'
import { createCertificate } from './network/certificate.js'
import { parseEndpoint } from './network/dial.js'
import { transportLimits } from './network/limits.js'
import { timers } from './network/timers.js'
import { TlsTransport } from './network/tls.js'
import type { OracleView } from './oracle-view.js'
import { lockDirectory } from './store/directory-lock.js'
import { openReportStore, type ReportStore } from './store/report-store.js'
import { reportsName } from './store/reports-name.js'
import { openSlotRecord } from './store/slot-record.js'

/** A running oracle. */
export interface Oracle {
  readonly state: () => State
  readonly store: ReportStore
  /** Messages dropped since start, by reason. */
  readonly drops: () => Readonly<Record<string, number>>
  readonly close: () => Promise<void>
}

/** What refuses does so here, in order of what costs least; throws OracleError with nothing left open. */
export async function startOracle(parts: OracleParts): Promise<Oracle> {
  const { config, engine } = parts
  const closers: (() => Promise<void> | void)[] = []
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).toReversed()) await close()
  }
  try {
    const listen = listenAt(config.listen, '/listen')
    makeFolder(config.state)
    const lock = await lockDirectory(config.state)
    closers.push(() => lock.release())
    const { address } = config.committee.members[config.self]!
    const { salt, generation, digest } = config.committee
    const record = await openSlotRecord({
      disk: nodeDisk,
      path: join(config.state, 'slots'),
      identity: { address: fromHex(address, 20)!, salt, generation },
      holdsLock: () => lock.isHeld(),
    })
    closers.push(() => record.close())
    const key = await openKeystore(config.keystore, parts.passphrase, address)
    const peerKey = await loadPeerKey(config.peerKey)
    for (const [file, { isExposed }] of [
      [config.keystore, key],
      [config.peerKey, peerKey],
    ] as const) {
      if (isExposed) warn(parts, 'KEY_FILE_EXPOSED', `other users of this machine can read ${file}: chmod 600`)
    }
    const opening = record.standing === 'unprovable' ? null : record.durable
    const keyring = createKeyring({
      engine,
      privateKey: key.privateKey,
      salt,
      committeeDigest: digest,
      opening,
      durable: () => (record.standing === 'sound' ? record.durable : null),
    })
    closers.push(() => keyring.stop('the process ends'))
    if (opening === null) {
      warn(
        parts,
        'STATE_UNPROVABLE',
        `the slot record is ${record.doubt}: nothing is signed until enough members say how far they are`,
      )
    }
    const certificatePem =
      config.certificate === null ? await createCertificate(peerKey.pem) : readCertificate(config.certificate)
    const transport = new TlsTransport({
      self: config.self,
      members: config.committee.members,
      digest,
      peerKeyPem: peerKey.pem,
      certificatePem,
      listen,
      limits: transportLimits(config.committee),
      scheduler: timers,
      random: Math.random,
    })
    closers.push(() => transport.close())
    let feedStore: (event: Event) => void = () => undefined
    const store = await openReportStore({
      path: join(config.state, reportsName(engine, config.committee)),
      onState: (state, code) =>
        feedStore({ kind: 'store', code: state === 'open' ? null : (code ?? 'REPORT_STORE_FAILED') }),
    })
    closers.push(() => store.close())
    let chains: Chains | null = null
    const onReport = (report: AttestedReport): void => {
      parts.onReport?.(report)
      chains?.onReport(report)
    }
    const joined = joinCommittee(
      { ...parts, onReport, onSeals: (seals) => chains?.onSeals(seals), chains: () => chains?.facts() ?? [] },
      { record, keyring, opening, transport, store },
    )
    const { view } = joined
    feedStore = joined.runner.dispatch
    closers.push(joined.stop)
    if (config.chains.length > 0) {
      chains = await openChains(parts, joined)
      closers.push(chains.close)
    }
    const api = config.api === null ? null : await openApi(view, config.api.listen, parts.log)
    if (api !== null) closers.push(() => api.close())
    const doubled = new Set<number>()
    await transport.start({
      onFrame: joined.runner.receive,
      onSession: (peer, state, reason) => {
        doubled.delete(peer)
        joined.runner.dispatch({ kind: 'session', member: peer, up: state === 'up' })
        joined.tell({ event: 'session', peer: config.committee.members[peer]!.name, state, reason })
        joined.arm()
      },
      onDrop: (peer, reason, count = 1) => {
        joined.count(reason, count)
        if (reason !== 'SESSION_EXISTS' || peer === null || doubled.has(peer)) return
        doubled.add(peer)
        const { name } = config.committee.members[peer]!
        // The lower index dials, so it is the one who was refused.
        const sentence =
          config.self < peer
            ? `${name} is in session with another process that has this oracle's peer key, and refuses this one`
            : `a second process has the peer key of ${name}; the one in session is alive, so this one was refused`
        warn(parts, reason, sentence)
      },
    })
    const { name } = config.committee.members[config.self]!
    const feeds = config.committee.feeds.length
    const engineKind = parts.engineKind
    joined.tell({ event: 'started', member: name, address, listen: config.listen, feeds, engine: engineKind })
    if (api !== null) joined.tell({ event: 'serving', url: api.url })
    return {
      state: joined.runner.state,
      store,
      drops: joined.drops,
      close: async () => {
        await closeAll()
        parts.onEvent({ event: 'stopped' })
      },
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}

/** Loaded only by an oracle that brings reports to chains. */
async function openChains(parts: OracleParts, { view, askFeed, tell }: Joined): Promise<Chains> {
  const { config, passphrase, engine, clock = readClock, log } = parts
  const { openChains: open } = await import('./chains.js')
  return open({
    config,
    passphrase,
    engine,
    kernel: view.kernel,
    clock,
    askFeed,
    onEvent: tell,
    onWarning: (code, sentence) => warn(parts, code, sentence),
    onFault: (error) => {
      if (error instanceof OracleError) warn(parts, error.code, error.message)
      else log.error({ err: error }, 'a fault in the delivery to a chain; it goes on')
    },
  })
}

/** Loaded only by an oracle that has one. */
async function openApi(
  view: OracleView,
  endpoint: string,
  log: Log,
): Promise<{ url: string; close: () => Promise<void> }> {
  const listen = listenAt(endpoint, '/api/listen')
  const { startApi } = await import('./api/start-api.js')
  return startApi(view, listen, log)
}

function listenAt(endpoint: string, path: string): { readonly host: string; readonly port: number } {
  const listen = parseEndpoint(endpoint)
  if (listen !== null) return listen
  throw new OracleError('CONFIG_INVALID', 'must be host:port or [IPv6]:port', { path })
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    const facts = { errno: errnoOf(cause) }
    throw new OracleError('DIRECTORY_LOCK_FAILED', 'the state folder cannot be made', { path, facts, cause })
  }
}

function readCertificate(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const facts = { errno: errnoOf(cause) }
    throw new OracleError('KEY_FILE_UNREADABLE', 'the certificate cannot be read', { path, facts, cause })
  }
}
