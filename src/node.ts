// The composition root: one oracle, put together from its configuration. Every choice of a part is on this page.

import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readClock } from './base/clock.js'
import { errorCodes } from './base/error-codes.js'
import { OracleError } from './base/errors.js'
import type { Log } from './base/log.js'
import type { Config } from './config.js'
import { fromHex } from './core/bytes.js'
import { createContext } from './core/context.js'
import type { Durable } from './core/durable.js'
import { typedMessage } from './core/evidence.js'
import { explain } from './core/explain.js'
import { countPresent } from './core/layout.js'
import type { AttestedReport } from './core/report.js'
import type { Event, State } from './core/state.js'
import type { SigningEngine } from './crypto/engine-wasm.js'
import { createKeyring, type Keyring } from './crypto/keyring.js'
import { openKeystore } from './crypto/keystore.js'
import { loadPeerKey } from './crypto/peer-key.js'
import { createCertificate } from './network/certificate.js'
import { parseEndpoint } from './network/dial.js'
import { transportLimits } from './network/limits.js'
import { timers } from './network/timers.js'
import { TlsTransport } from './network/tls.js'
import type { Transport } from './network/transport.js'
import { type Board, createBoard } from './observe/board.js'
import { noEvidence } from './observe/synthetic.js'
import type { OracleEvent } from './oracle-event.js'
import { createRunner, type Runner } from './runner.js'
import { lockDirectory } from './store/directory-lock.js'
import { errnoOf, nodeDisk } from './store/disk.js'
import { createEvidenceFile } from './store/evidence.js'
import { openReportStore, type ReportStore } from './store/report-store.js'
import { reportsName } from './store/reports-name.js'
import { openSlotRecord, type SlotRecord } from './store/slot-record.js'
import { createWatch } from './watch.js'

export interface OracleParts {
  readonly config: Config
  readonly passphrase: string
  readonly engine: SigningEngine
  readonly engineKind: 'native' | 'wasm'
  readonly log: Log
  /** Feeds the board; returns how to stop. */
  readonly source: (board: Board) => () => void
  readonly onEvent: (event: OracleEvent) => void
  /** Called with each attested report before it is stored. */
  readonly onReport?: (report: AttestedReport) => void
}

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
    const listen = parseEndpoint(config.listen)
    if (listen === null)
      throw new OracleError('CONFIG_INVALID', 'must be host:port or [IPv6]:port', { path: '/listen' })
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
    const joined = joinCommittee(parts, { record, keyring, opening, transport, store })
    feedStore = joined.runner.dispatch
    closers.push(joined.stop)
    const doubled = new Set<number>()
    await transport.start({
      onFrame: joined.runner.receive,
      onSession: (peer, state, reason) => {
        doubled.delete(peer)
        joined.runner.dispatch({ kind: 'session', member: peer, up: state === 'up' })
        parts.onEvent({ event: 'session', peer: config.committee.members[peer]!.name, state, reason })
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
    parts.onEvent({ event: 'started', member: name, address, listen: config.listen, feeds, engine: parts.engineKind })
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

interface Opened {
  readonly record: SlotRecord
  readonly keyring: Keyring
  readonly opening: Durable | null
  readonly transport: Transport
  readonly store: ReportStore
}

interface Joined {
  readonly runner: Runner
  readonly arm: () => void
  readonly stop: () => void
  readonly count: (reason: string, count: number) => void
  readonly drops: () => Readonly<Record<string, number>>
}

/** The loop with its ports: where each effect of the core meets the part that performs it. */
function joinCommittee(parts: OracleParts, { record, keyring, opening, transport, store }: Opened): Joined {
  const { config, engine, log, onEvent } = parts
  const { committee, self } = config
  const context = createContext(engine, committee, self)
  const { layout } = context.kernel
  const dropped: Record<string, number> = {}
  const count = (reason: string, more: number): void => {
    dropped[reason] = (dropped[reason] ?? 0) + more
  }
  const keepEvidence = createEvidenceFile(join(config.state, 'evidence.jsonl'))
  const watchMs = Math.max(2 * committee.timing.roundMs, 1000)
  const watch = createWatch(
    readClock().steadyMs,
    watchMs,
    () => explain(context, runner.state(), readClock().wallMs),
    onEvent,
  )
  let closedBy: string | null = null
  const later = (event: Event): void => {
    runner.dispatch(event)
    arm()
    const code = runner.state().closed[0]?.code ?? null
    if (code === closedBy) return
    closedBy = code
    onEvent({ event: 'signing', state: code === null ? 'open' : 'closed', code })
  }
  const failed = (error: unknown): void => {
    if (!(error instanceof OracleError)) return log.warn({ err: error }, 'a report was not stored')
    if (error.code === 'REPORT_STORE_CONTRADICTS') later({ kind: 'contradicted' })
    // A full store said so once, by closing.
    if (error.code !== 'REPORT_STORE_FULL') log.warn({ code: error.code, facts: error.facts }, error.message)
  }

  // Told after this turn's input: the other members are reading the same change, and a round begun before they have would
  // observe it half (bench/latency.ts).
  const board = createBoard(committee, layout, () => setImmediate(later, { kind: 'moved' }))
  const runner: Runner = createRunner(
    { context, engine, durable: opening, authorship: keyring.authorship },
    {
      now: readClock,
      persist: (durable, adopt) => {
        const written = adopt ? record.adopt(durable).then((kept) => adopted(kept)) : record.persist(durable)
        written.then(
          (kept) => later({ kind: 'persisted', durable: kept }),
          (error) => later({ kind: 'persist-failed', code: error.code ?? 'SLOT_RECORD_WRITE_FAILED' }),
        )
      },
      observe: (slot) => {
        const readings = board.observe()
        queueMicrotask(() => later({ kind: 'observed', slot, readings, evidence: noEvidence }))
      },
      sign: keyring.sign,
      transmit: (to, frame) => void transport.send(to, frame),
      deliver: (report) => {
        watch.report(readClock().steadyMs)
        parts.onReport?.(report)
        store.put(report).catch(failed)
        const { epoch, round, attestedAtMs, signers } = report
        const latencyMs = Math.max(0, readClock().wallMs - attestedAtMs)
        const values = countPresent(layout, report.values)
        const feeds = committee.feeds.length
        onEvent({
          event: 'report',
          epoch,
          round,
          attestedAtMs,
          signers,
          members: committee.members.length,
          feeds,
          values,
          latencyMs,
        })
      },
      deliverSeals: (seals) => void store.putSeals(seals, seals).catch(failed),
      keepEvidence: (member, messages) => {
        const [first, second] = messages
        const { name } = committee.members[member]!
        const { kind, epoch, round } = first
        const head = { member: name, kind, epoch, round, seenAtMs: readClock().wallMs }
        const isNew = keepEvidence(head, () => [typedMessage(engine, first), typedMessage(engine, second)])
        if (isNew)
          warn(
            parts,
            'FAULT_EVIDENCE',
            `${name} signed two contradicting ${kind}s in slot ${epoch}/${round}; both are kept`,
          )
      },
      countDrop: (_from, reason) => count(reason, 1),
      charge: (from) => transport.charge(from),
      refused: (error) => log.error({ code: error.code, facts: error.facts }, error.message),
      halt: (code) => {
        keyring.stop(code)
        onEvent({ event: 'halted', code, advice: errorCodes[code as keyof typeof errorCodes] ?? '' })
      },
    },
  )
  const adopted = (kept: Durable): Durable => {
    keyring.adopt(kept)
    return kept
  }

  let timer: NodeJS.Timeout | null = null
  let armedForMs = Infinity
  const arm = (): void => {
    const wakeMs = runner.wakeAtMs()
    if (timer !== null && armedForMs <= wakeMs) return
    if (timer !== null) clearTimeout(timer)
    armedForMs = wakeMs
    const delayMs = Math.min(60_000, Math.max(0, wakeMs - readClock().steadyMs))
    timer = setTimeout(() => {
      timer = null
      later({ kind: 'tick' })
    }, delayMs)
  }
  const looking = setInterval(() => watch.look(readClock().steadyMs), 250)
  const pruning = setInterval(() => {
    const beforeMs = readClock().wallMs - config.store.ageMaxS * 1000
    store.prune({ beforeMs, bytesMax: config.store.bytesMax }).catch(failed)
  }, 60_000)
  const stopSource = parts.source(board)
  arm()
  return {
    runner: { ...runner, receive: (from, frame) => receive(from, frame), dispatch: later },
    arm,
    count,
    drops: () => dropped,
    stop: () => {
      stopSource()
      clearInterval(looking)
      clearInterval(pruning)
      if (timer !== null) clearTimeout(timer)
    },
  }

  function receive(from: number, frame: Uint8Array): void {
    runner.receive(from, frame)
    arm()
  }
}

function warn(parts: OracleParts, code: string, sentence: string): void {
  parts.onEvent({ event: 'warning', code, sentence })
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
