// Keeps one store fresh: compares each report and head, waits for its turn, looks again, sends, and tells what came of it.

import type { Clock } from '../base/clock.js'
import { messageOf, OracleError } from '../base/errors.js'
import type { Job, News } from '../chain/sender-state.js'
import { toHex } from '../core/bytes.js'
import type { Committee } from '../core/committee.js'
import type { Engine } from '../core/engine.js'
import { readReading } from '../core/layout.js'
import type { ReportKernel } from '../core/report.js'
import type { ReportParts } from '../core/report-json.js'
import type { StoreFacts } from './chain-event.js'
import type { Costs } from './costs.js'
import { dueReasons } from './due.js'
import { type DueFeed, dueBook } from './due-book.js'
import { type AttestedFeed, attestedFeed, type StoredView } from './facts.js'
import { createFlights, nothingPaid } from './flights.js'
import { type FreshAlarm, freshAlarm } from './fresh-alarm.js'
import { jobId, parseJobId } from './job.js'
import { type Held, newestReport } from './newest-report.js'
import { type Push, planPushes } from './plan.js'
import { createPacker } from './push-data.js'
import type { FeedRule, Target } from './target.js'
import type { TransmitEvent } from './transmit-event.js'
import { isTurn, nextTurnMs, type Turn, turnOrder } from './turn.js'

/** What the world does for a transmitter. */
export interface TransmitterPorts {
  readonly clock: Clock
  /** What the store has of these feeds at the newest block that a quorum of endpoints agrees on; rejects without one. */
  readonly readStored: (target: Target, feedIds: readonly string[]) => Promise<StoredView>
  /** Why the store would revert now, given this calldata, by the same quorum; null when it would not. */
  readonly whyReverts: (target: Target, data: string) => Promise<string | null>
  /** Gives a job to the sender of the target's chain; resolves when it is taken. What becomes of it comes by `onNews`. */
  readonly submit: (job: Job) => Promise<void>
  /** Ids of the jobs that the sender has taken, in this life or an earlier one, and that have not ended. */
  readonly openJobs: () => readonly string[]
  readonly onEvent: (event: TransmitEvent) => void
  /** A fault of ours in what nobody waits for: the next tick tries again. */
  readonly onFault: (error: unknown) => void
}

export interface TransmitterParts {
  readonly engine: Engine
  readonly committee: Committee
  readonly kernel: ReportKernel
  /** Index of this member. */
  readonly member: number
  readonly target: Target
  readonly costs: Costs
  readonly ports: TransmitterPorts
}

export interface Transmitter {
  /** A report was attested, or now has seals; in any order, any number of times. */
  onReport(report: ReportParts): void
  /** The chain has a new head: what is stored is read once. */
  onHead(): Promise<void>
  /** Time has passed: at least eight times a stage. */
  onTick(): void
  /** What became of a job; those of other stores are not looked at. */
  onNews(news: News): void
  /**
   * Whether a job of this store that has waited should still be sent: its effect is missing on chain, it is of the newest
   * report, and it is this member's turn. Rejects while the chain cannot be read.
   */
  isWanted(job: string): Promise<boolean>
  facts(): StoreFacts
  /** Sends nothing from now on; resolves when nothing is being decided any more. */
  close(): Promise<void>
}

/** The transmitter of one target; it takes over the jobs of an earlier life that have not ended. */
export function createTransmitter(parts: TransmitterParts): Transmitter {
  const { engine, committee, kernel, member, target, costs, ports } = parts
  const feedIds = target.rules.map(({ feed }) => feed.feedId)
  const packer = createPacker(engine, committee, kernel)
  const book = dueBook(target)
  let view: StoredView | null = null
  let reads = 0
  let viewRead = 0
  let isBlind = false
  let isClosed = false
  let restsUntilMs = 0
  let toldTurn = ''
  let sending: Promise<void> | null = null
  let compared: { readonly held: Held | null; readonly view: StoredView | null } = { held: null, view: null }

  const nowMs = (): number => ports.clock().wallMs
  const told = (): { readonly target: string; readonly atMs: number } => ({ target: target.id, atMs: nowMs() })
  const alarm: FreshAlarm = freshAlarm(target, committee.members.length, nowMs(), ports.onEvent)

  const reports = newestReport(committee, kernel, nowMs)

  /** An answer of the chain; rejects, and says so once, while no quorum gives one. */
  const asked = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      const given = await answer
      if (isBlind) ports.onEvent({ ...told(), event: 'seeing' })
      isBlind = false
      return given
    } catch (error) {
      if (!isBlind) ports.onEvent({ ...told(), event: 'blind', why: messageOf(error) })
      isBlind = true
      throw error
    }
  }

  /** Reads what the store has now. Answers may overtake each other: what was asked for last counts. */
  const readView = async (): Promise<void> => {
    const read = ++reads
    const found = await asked(ports.readStored(target, feedIds))
    if (read < viewRead) return
    view = found
    viewRead = read
  }

  const storedMs = (feedId: string): number => view?.feeds.get(feedId)?.attestedAtMs ?? 0

  /** After a failure this member waits for its next turn. */
  const rest = (): void => {
    restsUntilMs = nowMs() + target.stageMs
  }
  const { onEvent } = ports
  const flights = createFlights({ target, costs, nowMs, storedMs, onEvent, onRefused: rest }, ports.openJobs())

  /** Compares the newest report with the view and tells what changed; null while either is missing. */
  const compare = (): Held | null => {
    const held = reports.newest()
    if (held === null || view === null) return null
    // Without a change of either, time makes nothing due; it may make a report too old.
    if (held === compared.held && view === compared.view && book.lead() === null) return held
    compared = { held, view }
    const { report, packed } = held
    const seen = view
    const attestedOf = ({ feed }: FeedRule): AttestedFeed =>
      attestedFeed(engine, feed, readReading(kernel.layout, packed, feed.index), report.attestedAtMs)
    const { began, replaced } = book.update((feedId) => seen.feeds.get(feedId), attestedOf, nowMs())
    // A reorg takes values back: then nobody came first.
    const lost = replaced.filter((due) => storedMs(due.rule.feed.feedId) > due.replacedMs && !flights.isOurs(due))
    if (lost.length > 0)
      ports.onEvent({ ...told(), event: 'superseded', job: null, feeds: namesOf(lost), ...nothingPaid })
    for (const { rule, reason, sinceMs } of began)
      ports.onEvent({ ...told(), event: 'due', feed: rule.feed.name, reason, sinceMs })
    return held
  }

  /** This member's turn for all that is due; null when nothing is. */
  const turn = (): Turn | null => {
    const lead = book.lead()
    if (lead === null) return null
    const { chainId, store, stageMs } = target
    const seed = {
      committee: committee.digest,
      chainId,
      store,
      feedId: lead.rule.feed.feedId,
      replacedMs: lead.replacedMs,
    }
    const order = turnOrder(engine, seed, committee.members.length)
    return { sinceMs: lead.sinceMs, place: order.indexOf(member), members: order.length, stageMs }
  }

  const mayBegin = (mine: Turn): boolean => {
    if (nowMs() < restsUntilMs || !isTurn(mine, nowMs())) return false
    // One batch at a time: what became due since goes with the next.
    return !flights.isUnderWay()
  }

  const consider = (): void => {
    alarm.look(view, nowMs())
    if (isClosed || compare() === null) return
    const mine = turn()
    if (mine === null) {
      toldTurn = ''
      return
    }
    const key = `${mine.sinceMs}/${mine.place}`
    if (key !== toldTurn) {
      toldTurn = key
      const turnAtMs = nextTurnMs(mine, nowMs())
      ports.onEvent({ ...told(), event: 'waiting', feeds: namesOf(book.due()), place: mine.place, turnAtMs })
    }
    if (sending !== null || !mayBegin(mine)) return
    sending = send()
      // That the chain cannot be read was told: the next tick tries again.
      .catch((error: unknown) => {
        if (!isBlind && !(error instanceof OracleError)) ports.onFault(error)
      })
      .finally(() => {
        sending = null
      })
  }

  /** Looks at the chain again, and sends what is still due if it still is this member's turn. */
  const send = async (): Promise<void> => {
    await readView()
    const held = compare()
    const mine = turn()
    if (held === null || mine === null || !mayBegin(mine)) return
    const { report } = held
    for (const push of planPushes(target, book.due(), packer.shapeOf(report))) {
      const id = jobId({ target: target.id, attestedAtMs: report.attestedAtMs, bundles: push.bundles })
      // What came of it is known already: the next report is another job.
      if (flights.has(id)) continue
      let data: string
      try {
        data = toHex(packer.pushData(target, report, push.bundles))
      } catch (error) {
        refuse(id, push, messageOf(error))
        continue
      }
      const why = await asked(ports.whyReverts(target, data))
      if (isClosed) return
      if (why === null) submit(id, push, report.attestedAtMs, data)
      else refuse(id, push, why)
    }
  }

  /** What was not even sent. */
  const refuse = (job: string, { feeds }: Push, why: string): void => {
    onEvent({ ...told(), event: 'refused', job, feeds: namesOf(feeds), why, ...nothingPaid })
    rest()
  }

  const submit = (id: string, { bundles, feeds, gasLimit }: Push, attestedAtMs: number, data: string): void => {
    const dueAtMs = Math.min(...feeds.map(({ sinceMs }) => sinceMs))
    flights.add({ attestedAtMs, bundles, feeds: namesOf(feeds), dueAtMs })
    const priority = dueReasons.length - dueReasons.indexOf(feeds[0]!.reason)
    ports
      .submit({ id, to: target.store, data, gasLimit: BigInt(gasLimit), priority })
      .catch((error: unknown) => flights.drop(id, messageOf(error)))
  }

  return {
    onReport: (report) => {
      reports.take(report)
      consider()
    },
    onHead: async () => {
      await readView().catch(() => undefined)
      consider()
    },
    onTick: consider,
    onNews: (news) => {
      flights.hear(news)
      consider()
    },
    isWanted: async (job) => {
      await readView()
      const held = compare()
      const mine = turn()
      // What waited is decided anew: the newest report, by whose turn it is now. Else all that waited would go out at once.
      const isNewest = held !== null && parseJobId(job)?.attestedAtMs === held.report.attestedAtMs
      return isNewest && mine !== null && isTurn(mine, nowMs()) && flights.isLacking(job)
    },
    facts: () => ({
      target: target.id,
      kind: target.kind,
      feeds: target.rules.map(({ feed, heartbeatMs }) => ({
        name: feed.name,
        storedMs: view?.feeds.get(feed.feedId)?.attestedAtMs ?? null,
        due: book.due().find(({ rule }) => rule.feed === feed)?.reason ?? null,
        heartbeatMs,
      })),
    }),
    close: async () => {
      isClosed = true
      await sending
    },
  }
}

function namesOf(due: readonly DueFeed[]): readonly string[] {
  return due.map(({ rule }) => rule.feed.name)
}
