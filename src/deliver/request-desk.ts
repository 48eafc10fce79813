// Answers the requests of one hub: reads its events, has rounds made, takes its turns, and tells what came of each.

import { OracleError } from '../base/errors.js'
import type { Block } from '../chain/answers.js'
import type { News, Outcome } from '../chain/sender-state.js'
import { nothingPaid } from './flights.js'
import { newestReport } from './newest-report.js'
import { type OpenRequest, requestBook } from './request-book.js'
import type { DeclineReason, RequestDesk, RequestDeskParts, RequestEvent } from './request-event.js'
import { type RequestFlight, requestFlights } from './request-flights.js'
import { type DeskMemory, openMemory, packMemory } from './request-memory.js'
import { requestPlanner } from './request-plan.js'
import { createRequestReader, type HubNews, type RequestReader, type TimedRequest } from './request-reader.js'
import { readyAtMs, requestRounds } from './request-rounds.js'
import { requestSending } from './request-sending.js'
import type { Paid } from './transmit-event.js'

/** After its deadline each member has so many turns to tell a requester; then the request is forgotten. */
const expireTurns = 3
/** Without news, how far was read is saved each so many blocks. */
const saveBlocks = 64

/** The desk of one hub; it takes over the jobs of an earlier life that have not ended. */
export function createRequestDesk(parts: RequestDeskParts): RequestDesk {
  const { committee, kernel, settings, costs, ports } = parts
  const hub = `${settings.chainId}/${settings.hub}`
  const finalityBlocks = settings.finalityBlocks ?? 64
  const feedIds = committee.feeds.map(({ feedId }) => feedId)
  const nowMs = (): number => ports.clock().wallMs
  const counts: Record<string, number> = {}
  const declined: Partial<Record<DeclineReason, number>> = {}

  const tell = (event: RequestEvent): void => {
    counts[event.event] = (counts[event.event] ?? 0) + 1
    if (event.event === 'declined') declined[event.why] = (declined[event.why] ?? 0) + 1
    ports.onEvent(event)
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
  let opening: Promise<RequestReader> | null = null
  let newest: Block | null = null
  let working: Promise<void> | null = null
  let savedTo = -1
  let isDirty = false
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
    const fresh = { sinceMs: null, isAsked: false, isExpired: false, end: null }
    const request: OpenRequest = { ...asked, feed: feedIds.indexOf(feedId), ...fresh }
    const out = book.take(request, flights.isUnderWay)
    if (out !== null) decline(out.id, out.requester, 'TOO_MANY_OPEN')
    if (out === request) return
    const { id, requester, deadlineMs } = request
    tell({ ...told(id), event: 'asked', requester, feed: committee.feeds[request.feed]!.name, deadlineMs })
    const held = reports.newest()
    if (held !== null && planner.hasValue(request, held)) request.sinceMs = held.report.attestedAtMs
  }

  const onHubNews = ({ requested, ended, readTo }: HubNews): void => {
    for (const log of requested) {
      isDirty = true
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

  const open = async (): Promise<RequestReader> => {
    const bytes = await ports.memory.load()
    const memory: DeskMemory | null = bytes === null ? null : openMemory(bytes, hub, feedIds)
    if (bytes !== null && memory === null) tell({ ...told(''), event: 'forgotten' })
    if (memory !== null) book = requestBook(settings, memory.requests)
    reader = createRequestReader(
      {
        rpc: ports.rpc,
        nowMs,
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
      },
      memory?.mark ?? null,
    )
    return reader
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

  const save = async (): Promise<void> => {
    if (reader === null) return
    const mark = reader.mark()
    if (!isDirty && mark.readTo - savedTo < saveBlocks) return
    isDirty = false
    try {
      await ports.memory.save(packMemory({ hub, mark, requests: book.all() }, feedIds))
      savedTo = mark.readTo
    } catch (error) {
      // What cannot be saved is read again after a restart; the next head tries once more.
      if (!(error instanceof OracleError)) throw error
      isDirty = true
    }
  }

  /** Up to the newest head, however many come meanwhile. */
  const work = async (): Promise<void> => {
    opening ??= open().catch((error: unknown) => {
      opening = null
      throw error
    })
    const opened = await opening
    for (let head = newest; head !== null && !isClosed; head = newest) {
      const hasMore = await opened.read(head)
      // Until all events are read, what looks open may have ended.
      if (opened.mark().readTo >= head.number) expire(head)
      consider()
      await save()
      if (newest !== head) continue
      // The rest is read with the next tick: whoever brought this head has others to look after.
      if (hasMore) return
      newest = null
    }
  }
  const workOn = (): Promise<void> => {
    working ??= work().finally(() => {
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
    if (isClosed || reader === null) return
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
      tell({ ...told(flight.id), event: 'sent', txHash: news.attempt.hash })
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
      if (reader !== null && newest !== null && working === null && !isClosed) void workOn()
      consider()
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
      isDirty = true
      await save()
    },
  }
}
