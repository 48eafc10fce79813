// Answers the requests of one hub: reads its events, has rounds made, takes its turns, and tells what came of each.

import { OracleError } from '../base/errors.js'
import type { Block } from '../chain/answers.js'
import { codeOf } from '../chain/questions.js'
import type { News, Outcome } from '../chain/sender-state.js'
import { nothingPaid } from './flights.js'
import { newestReport } from './newest-report.js'
import { type OpenRequest, requestBook } from './request-book.js'
import type { DeclineReason, RequestDesk, RequestDeskParts, RequestEvent } from './request-event.js'
import { type RequestFlight, requestFlights } from './request-flights.js'
import { type DeskMemory, openMemory, packMemory } from './request-memory.js'
import { requestPlanner } from './request-plan.js'
import {
  createRequestReader,
  type HubNews,
  type ReadState,
  type RequestReader,
  type TimedRequest,
} from './request-reader.js'
import { readyAtMs, requestRounds } from './request-rounds.js'
import { requestSending } from './request-sending.js'
import type { Paid } from './transmit-event.js'

/** After its deadline each member has so many turns to tell a requester; then the request is forgotten. */
const expireTurns = 3
/** Without news, how far was read is saved each so many blocks. */
const saveBlocks = 64
/** No more often than this: what a crash makes it forget is read again. */
const saveEveryMs = 5_000
/** A tick looks at all open requests no sooner than so long for each after the last look: a flood is no load. */
const lookMs = 0.2
/** Between two readings of a long past; after one that failed at least a block. */
const catchUpMs = 1_000

/** Declined requests that are told one by one, a minute. */
const declinesTold = 60

/** The desk of one hub; it takes over the jobs of an earlier life that have not ended. */
export function createRequestDesk(parts: RequestDeskParts): RequestDesk {
  const { committee, kernel, settings, costs, ports } = parts
  const hub = `${settings.chainId}/${settings.hub}`
  const finalityBlocks = settings.finalityBlocks ?? 64
  const feedIds = committee.feeds.map(({ feedId }) => feedId)
  const nowMs = (): number => ports.clock().wallMs
  const steadyMs = (): number => ports.clock().steadyMs
  const counts: Record<string, number> = {}
  const declined: Partial<Record<DeclineReason, number>> = {}

  const tell = (event: RequestEvent): void => {
    counts[event.event] = (counts[event.event] ?? 0) + 1
    if (event.event === 'declined') declined[event.why] = (declined[event.why] ?? 0) + 1
    if (event.event !== 'declined' || mayTellDecline()) ports.onEvent(event)
  }
  /** A flood of requests is counted, and told so often a minute. */
  const mayTellDecline = (): boolean => {
    if (steadyMs() >= declines.untilMs) declines = { untilMs: steadyMs() + 60_000, told: 0 }
    return ++declines.told <= declinesTold
  }
  const told = (id: string): { readonly hub: string; readonly atMs: number; readonly id: string } => ({
    hub,
    atMs: nowMs(),
    id,
  })
  const decline = (id: string, requester: string, why: DeclineReason): void =>
    tell({ ...told(id), event: 'declined', requester, why })

  const planner = requestPlanner(committee, kernel.layout, settings)
  const flights = requestFlights(hub, nowMs, ports.openJobs())
  const reports = newestReport(committee, kernel, nowMs)
  const rounds = requestRounds(committee.timing.roundMs, Math.max(committee.timing.roundMs, settings.stageMs))
  let book = requestBook(settings)
  let reader: RequestReader | null = null
  let newest: Block | null = null
  let working: Promise<void> | null = null
  /** Steady times: until when the chain is left alone, when was saved last, and when was looked at all. */
  let restsUntilMs = -Infinity
  let savedAtMs = -Infinity
  let consideredAtMs = -Infinity
  let savedTo = -1
  let isDirty = false
  /** The last use of the memory failed, and that was told. */
  let isForgetful = false
  let declines = { untilMs: -Infinity, told: 0 }
  let hubState: 'unknown' | 'absent' | 'found' = 'unknown'
  let isClosed = false

  const sending = requestSending({
    ...parts,
    hub,
    planner,
    flights,
    reports,
    tell,
    told,
    open: () => book.open(),
    isClosed: () => isClosed,
  })

  /** Ended requests are told once; `paid` when the transaction was ours. */
  const tellEnd = ({ id, end }: OpenRequest, by: 'us' | 'other', paid: Paid): void => {
    if (end === null || end.isTold) return
    end.isTold = true
    tell({ ...told(id), event: 'ended', by, end: end.how, ...paid })
  }

  /** Takes a request in, or says why not. */
  const accept = (log: TimedRequest): void => {
    const { kind: _, feedId, ...asked } = log
    const known = book.get(asked.id)
    if (known?.blockHash === asked.blockHash) return
    const at = nowMs()
    if (planner.isTooNear(asked, at)) return decline(asked.id, asked.requester, 'DEADLINE_TOO_NEAR')
    if (known !== undefined) book.drop(known)
    isDirty ||= known !== undefined
    const fresh = { sinceMs: null, isAsked: false, isExpired: false, end: null }
    const request: OpenRequest = { ...asked, feed: feedIds.indexOf(feedId), ...fresh }
    const out = book.take(request, flights.isUnderWay)
    isDirty ||= out !== request
    if (out !== null) decline(out.id, out.requester, 'TOO_MANY_OPEN')
    if (out === request) return
    const { id, requester, deadlineMs } = request
    tell({ ...told(id), event: 'asked', requester, feed: committee.feeds[request.feed]!.name, deadlineMs })
    const held = reports.newest()
    if (held !== null && planner.hasValue(request, held)) request.sinceMs = held.report.attestedAtMs
  }

  const onHubNews = ({ requested, ended, readTo }: HubNews): void => {
    for (const log of requested) {
      if ('requestedAtMs' in log) accept(log)
      else decline(log.id, log.requester, planner.whyDeclined(log) ?? 'DEADLINE_TOO_NEAR')
    }
    for (const { id, end: how, txHash, blockNumber } of ended) {
      const request = book.get(id)
      if (request === undefined) continue
      isDirty = true
      book.end(request, { how, blockNumber, isTold: request.end?.isTold ?? false })
      if (!flights.mayBeOurs(id, txHash)) tellEnd(request, 'other', nothingPaid)
    }
    book.settle(readTo - finalityBlocks)
  }

  /** Told once until the memory can be used again: a full disk stops nothing but what a restart would know. */
  const tellMemory = (error: unknown): void => {
    if (!isForgetful) ports.onFault(error)
    isForgetful = true
  }

  const open = (bytes: Uint8Array | null): RequestReader => {
    const memory: DeskMemory | null = bytes === null ? null : openMemory(bytes, hub, feedIds)
    if (bytes !== null && memory === null) tell({ ...told(''), event: 'forgotten' })
    if (memory !== null) book = requestBook(settings, memory.requests)
    const opened = createRequestReader(
      {
        rpc: ports.rpc,
        steadyMs,
        hub: settings.hub,
        feedIds,
        fromBlock: settings.fromBlock,
        finalityBlocks,
        isOfInterest: (log) => planner.whyDeclined(log) === null && log.deadlineMs > nowMs(),
        onNews: onHubNews,
        onRewind: (block) => {
          isDirty = true
          book.rewind(block)
        },
        onUnreadable: (block) => decline(`block ${block}`, '', 'UNREADABLE'),
        onBlind: ports.onFault,
      },
      memory?.mark ?? null,
    )
    savedTo = opened.mark().readTo
    return opened
  }

  /** Deadlines are those of the chain's clock: until then an answer may still land. */
  const expire = ({ timestampMs }: Block): void => {
    const forgetMs = expireTurns * committee.members.length * settings.stageMs
    for (const request of book.open()) {
      if (timestampMs <= request.deadlineMs) continue
      if (!request.isExpired) {
        request.isExpired = true
        isDirty = true
        tell({ ...told(request.id), event: 'expired', why: sending.whyUnanswered(request) })
      } else if (timestampMs > request.deadlineMs + forgetMs && !flights.isUnderWay(request.id)) {
        isDirty = true
        book.drop(request)
      }
    }
  }

  const save = async (isLast = false): Promise<void> => {
    if (reader === null || (!isLast && steadyMs() - savedAtMs < saveEveryMs)) return
    const mark = reader.mark()
    if (!isDirty && mark.readTo - savedTo < (isLast ? 1 : saveBlocks)) return
    isDirty = false
    savedAtMs = steadyMs()
    try {
      await ports.memory.save(packMemory({ hub, mark, requests: book.all() }, feedIds))
      savedTo = mark.readTo
      isForgetful = false
    } catch (error) {
      isDirty = true
      tellMemory(error)
    }
  }

  /** Leaves the chain alone for a while: what is to be read is not so urgent that endpoints should refuse the rest. */
  const rest = (after: Exclude<ReadState, 'done'>): void => {
    restsUntilMs = steadyMs() + (after === 'more' ? catchUpMs : Math.max(catchUpMs, settings.blockMs))
  }

  /** Up to the newest head, however many come meanwhile; what is left is for a later tick. */
  /** A hub without code was mistyped, or is of another chain: that is told once, and looked for again. */
  const hasCode = async (head: Block): Promise<boolean> => {
    if (hubState === 'found') return true
    const isFound = (await ports.rpc.read(codeOf(settings.hub), head)) !== '0x'
    const message = `there is no contract at ${hub}: no requests are answered`
    if (!isFound && hubState === 'unknown')
      ports.onFault(new OracleError('TARGET_INVALID', message, { path: '/requests/hub' }))
    hubState = isFound ? 'found' : 'absent'
    return isFound
  }

  const work = async (): Promise<void> => {
    if (reader === null) {
      let bytes: Uint8Array | null
      try {
        bytes = await ports.memory.load()
      } catch (error) {
        tellMemory(error)
        return rest('failed')
      }
      isForgetful = false
      reader = open(bytes)
    }
    for (let head = newest; head !== null && !isClosed; head = newest) {
      if (!(await hasCode(head))) return rest('failed')
      const state = await reader.read(head)
      // Until all events are read, what looks open may have ended.
      if (reader.mark().readTo >= head.number) expire(head)
      consider()
      await save()
      if (state !== 'done') return rest(state)
      if (newest === head) newest = null
    }
  }

  /** Nobody may wait for it: what goes wrong is told, and tried again. */
  const workOn = (): Promise<void> => {
    if (isClosed || newest === null || steadyMs() < restsUntilMs) return working ?? Promise.resolve()
    working ??= work()
      .catch((error: unknown) => {
        rest('failed')
        ports.onFault(error)
      })
      .finally(() => {
        working = null
      })
    return working
  }

  const askFeeds = (at: number): void => {
    const held = reports.newest()
    const landMs = settings.landBlocks * settings.blockMs
    const waiting = book.open().filter((request) => {
      if (request.isExpired || at + landMs > request.deadlineMs) return false
      return !request.isAsked || planner.planOf(request, held, at)?.act !== 'answer'
    })
    for (const feed of rounds.due(waiting, at)) {
      ports.askFeed(feed)
      for (const request of waiting) {
        if (request.feed !== feed || request.isAsked || at < readyAtMs(request)) continue
        request.isAsked = true
        isDirty = true
        tell({ ...told(request.id), event: 'round', feed: committee.feeds[feed]!.name })
      }
    }
  }

  const consider = (): void => {
    if (isClosed || reader === null || book.openCount() === 0) return
    consideredAtMs = steadyMs()
    askFeeds(nowMs())
    sending.consider()
  }

  const conclude = (flight: RequestFlight, { end, receipt, atMs }: Outcome): void => {
    const request = book.get(flight.id)
    if (receipt !== null) {
      const feeds = [request === undefined ? 'ended requests' : committee.feeds[request.feed]!.name]
      const { hash: txHash, gasUsed, paidWei: feeWei } = receipt
      costs.add({ job: flight.job, txHash, atMs, target: hub, feeds, isReverted: end !== 'done', gasUsed, feeWei })
    }
    const paid = receipt === null ? nothingPaid : { gasUsed: receipt.gasUsed, feeWei: receipt.paidWei }
    flights.end(flight, Number(paid.gasUsed))
    isDirty = true
    if (end === 'done' && receipt !== null) {
      const how = flight.act === 'answer' ? 'answered' : 'refused'
      const { blockNumber } = receipt
      if (request === undefined) return tell({ ...told(flight.id), event: 'ended', by: 'us', end: how, ...paid })
      if (request.end === null) book.end(request, { how, blockNumber, isTold: false })
      return tellEnd(request, 'us', paid)
    }
    if (end !== 'superseded') {
      const why = end === 'reverted' ? 'it reverted: another was first, or it came too late' : 'no node takes it'
      tell({ ...told(flight.id), event: 'failed', why, ...paid })
    }
    if (request !== undefined) tellEnd(request, 'other', nothingPaid)
  }

  const onNews = (news: News): void => {
    if (news.kind === 'alarm') return
    const flight = flights.of(news.kind === 'sent' ? news.job.id : news.kind === 'ended' ? news.outcome.id : news.id)
    if (flight === null) return
    if (news.kind === 'sent') {
      flight.hashes.add(news.attempt.hash)
      tell({ ...told(flight.id), event: 'sent', act: flight.act, txHash: news.attempt.hash })
    } else if (news.kind === 'undone') {
      flights.resume(flight)
      costs.remove(flight.job)
      const request = book.get(flight.id)
      if (request !== undefined) book.reopen(request)
      // An end may be told again.
    } else if (!flights.isEnded(flight)) conclude(flight, news.outcome)
  }

  return {
    onReport: (report) => {
      const held = reports.take(report)
      for (const request of book.open()) {
        if (request.sinceMs !== null || !planner.hasValue(request, held)) continue
        request.sinceMs = report.attestedAtMs
        isDirty = true
      }
      consider()
    },
    onHead: (head) => {
      newest = head
      return workOn()
    },
    onTick: () => {
      void workOn()
      // A turn's beginning may be met late by an eighth of a stage, of which half is time to begin.
      const pauseMs = Math.min(lookMs * book.openCount(), settings.stageMs / 8)
      if (steadyMs() - consideredAtMs >= pauseMs) consider()
    },
    onNews: (news) => {
      onNews(news)
      consider()
    },
    isWanted: sending.isWanted,
    facts: () => ({
      hub,
      open: book.openCount(),
      counts: { ...counts },
      declined: { ...declined },
      readToBlock: reader === null || reader.mark().readTo < settings.fromBlock ? null : reader.mark().readTo,
    }),
    close: async () => {
      isClosed = true
      reader?.close()
      await working
      await sending.idle()
      await save(true)
    },
  }
}
