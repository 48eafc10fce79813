// One member of its committee: the loop with its ports, where each effect of the core meets the part that performs it.

import { join } from 'node:path'
import { type Clock, readClock } from './base/clock.js'
import { errorCodes } from './base/error-codes.js'
import { OracleError } from './base/errors.js'
import type { Log } from './base/log.js'
import type { Config } from './config.js'
import { createContext } from './core/context.js'
import type { Durable } from './core/durable.js'
import { typedMessage } from './core/evidence.js'
import { explain } from './core/explain.js'
import { countPresent } from './core/layout.js'
import type { Slot } from './core/messages.js'
import type { AttestedReport } from './core/report.js'
import type { Event, SealSet, State } from './core/state.js'
import type { SigningEngine } from './crypto/engine-wasm.js'
import type { Keyring } from './crypto/keyring.js'
import type { ChainFacts } from './deliver/chain-event.js'
import type { Transport } from './network/transport.js'
import { createBoard } from './observe/board.js'
import type { RunningSource, SourcePart } from './observe/source-part.js'
import { noEvidence } from './observe/synthetic.js'
import type { OracleEvent } from './oracle-event.js'
import { createView, type OracleView } from './oracle-view.js'
import { createReportWaits } from './report-waits.js'
import { createRunner, type Runner } from './runner.js'
import { createEvidenceFile } from './store/evidence.js'
import type { ReportStore } from './store/report-store.js'
import type { SlotRecord } from './store/slot-record.js'
import { createWatch } from './watch.js'

export interface OracleParts {
  readonly config: Config
  readonly passphrase: string
  readonly engine: SigningEngine
  readonly engineKind: 'native' | 'wasm'
  readonly log: Log
  /** Feeds the board. */
  readonly source: SourcePart['start']
  /** What the oracle lives by; the machine's clocks unless given. */
  readonly clock?: Clock
  readonly onEvent: (event: OracleEvent) => void
  /** Called with each attested report before it is stored. */
  readonly onReport?: (report: AttestedReport) => void
  /** Called when a report has the seals that contracts ask for. */
  readonly onSeals?: (seals: SealSet) => void
  /** What is shown of the chains that reports are brought to. */
  readonly chains?: () => readonly ChainFacts[]
}

export interface Opened {
  readonly record: SlotRecord
  readonly keyring: Keyring
  readonly opening: Durable | null
  readonly transport: Transport
  readonly store: ReportStore
}

export interface Joined {
  readonly runner: Runner
  readonly arm: () => void
  readonly stop: () => void
  readonly count: (reason: string, count: number) => void
  readonly drops: () => Readonly<Record<string, number>>
  readonly view: OracleView
  /** Asks for a round, and before it the sources of a feed that are asked on request only. */
  readonly askFeed: (feed: number) => void
  /** Tells the view, then the process around. */
  readonly tell: (event: OracleEvent) => void
}

/** Observations remembered until their report comes; the leader has at most three rounds under way. */
const roundsInFlight = 8

/** The loop with its ports: where each effect of the core meets the part that performs it. */
export function joinCommittee(parts: OracleParts, { record, keyring, opening, transport, store }: Opened): Joined {
  const { config, engine, log, clock = readClock } = parts
  const { committee, self } = config
  const context = createContext(engine, committee, self)
  const { layout } = context.kernel
  const dropped: Record<string, number> = {}
  const count = (reason: string, more: number): void => {
    dropped[reason] = (dropped[reason] ?? 0) + more
  }
  const state = (): State => runner.state()
  const { engineKind } = parts
  const view = createView({
    config,
    context,
    engine,
    engineKind,
    store,
    clock,
    state,
    drops: () => dropped,
    source: () => source,
    chains: parts.chains ?? (() => []),
  })
  const onEvent = (event: OracleEvent): void => {
    view.event(event)
    parts.onEvent(event)
  }
  const waits = createReportWaits()
  const keepEvidence = createEvidenceFile(join(config.state, 'evidence.jsonl'))
  const watchMs = Math.max(2 * committee.timing.roundMs, 1000)
  const watch = createWatch(
    readClock().steadyMs,
    watchMs,
    () => explain(context, runner.state(), clock().wallMs),
    onEvent,
  )
  let closedBy: string | null = null
  /** What is under way when an oracle stops (a write, an observation) must not move it any more. */
  let isStopped = false
  const later = (event: Event): void => {
    if (isStopped) return
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
      now: clock,
      persist: (durable, adopt) => {
        const written = adopt ? record.adopt(durable).then((kept) => adopted(kept)) : record.persist(durable)
        written.then(
          (kept) => later({ kind: 'persisted', durable: kept }),
          (error) => later({ kind: 'persist-failed', code: error.code ?? 'SLOT_RECORD_WRITE_FAILED' }),
        )
      },
      observe: (slot) => {
        source.refresh()
        const readings = board.observe()
        observedAt.unshift({ slot, steadyMs: clock().steadyMs })
        observedAt.length = Math.min(observedAt.length, roundsInFlight)
        queueMicrotask(() => later({ kind: 'observed', slot, readings, evidence: noEvidence }))
      },
      sign: keyring.sign,
      transmit: (to, frame) => void transport.send(to, frame),
      deliver: (report) => {
        watch.report(readClock().steadyMs)
        parts.onReport?.(report)
        const { epoch, round, attestedAtMs, signers } = report
        store
          .put(report)
          .then(() => view.stored({ epoch, round, attestedAtMs }))
          .catch(failed)
        waits.delivered(attestedAtMs, report.hasValue)
        const latencyMs = latencyOf(report)
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
      deliverSeals: (seals) => {
        parts.onSeals?.(seals)
        store.putSeals(seals, seals).catch(failed)
      },
      keepEvidence: (member, messages) => {
        const [first, second] = messages
        const { name } = committee.members[member]!
        const { kind, epoch, round } = first
        const head = { member: name, kind, epoch, round, seenAtMs: clock().wallMs }
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

  /** From this oracle's own observation to the report, ms; from T where it observed nothing in the slot. */
  const observedAt: { readonly slot: Slot; readonly steadyMs: number }[] = []
  const latencyOf = ({ epoch, round, attestedAtMs }: AttestedReport): number => {
    const { wallMs, steadyMs } = clock()
    const own = observedAt.find(({ slot }) => slot.epoch === epoch && slot.round === round)
    return own === undefined ? Math.max(0, wallMs - attestedAtMs) : Math.round((steadyMs - own.steadyMs) * 100) / 100
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
    const beforeMs = clock().wallMs - config.store.ageMaxS * 1000
    store.prune({ beforeMs, bytesMax: config.store.bytesMax }).catch(failed)
  }, 60_000)
  const source: RunningSource = parts.source({
    board,
    move: () => later({ kind: 'moved' }),
    reported: waits.reported,
  })
  arm()
  return {
    runner: { ...runner, receive: (from, frame) => receive(from, frame), dispatch: later },
    arm,
    count,
    drops: () => dropped,
    view,
    askFeed: (feed) => source.ask(feed),
    tell: onEvent,
    stop: () => {
      isStopped = true
      source.stop()
      clearInterval(looking)
      clearInterval(pruning)
      if (timer !== null) clearTimeout(timer)
    },
  }

  function receive(from: number, frame: Uint8Array): void {
    if (isStopped) return
    runner.receive(from, frame)
    arm()
  }
}

/** Tells the process around of something that does not stop it. */
export function warn(parts: OracleParts, code: string, sentence: string): void {
  parts.onEvent({ event: 'warning', code, sentence })
}
