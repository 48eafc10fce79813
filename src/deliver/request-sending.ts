// Sends what requests ask for: in this member's turns, few at once, and whoever was served least goes first.

import { messageOf, OracleError } from '../base/errors.js'
import { resultOf, revertOf } from '../chain/abi-read.js'
import type { Block } from '../chain/answers.js'
import { RequestHub__factory } from '../chain/generated/factories/RequestHub__factory.js'
import { callOf } from '../chain/questions.js'
import { nothingPaid } from './flights.js'
import type { NewestReport } from './newest-report.js'
import type { OpenRequest } from './request-book.js'
import { type HubCall, requestPacker } from './request-calldata.js'
import type { RequestDeskParts, RequestEvent } from './request-event.js'
import type { RequestFlight, RequestFlights } from './request-flights.js'
import { parseRequestJob, type RequestAct, type RequestJob, requestJobId } from './request-job.js'
import { comesFirst, type Planner, type Rank, type RequestPlan } from './request-plan.js'
import { futureToleranceMs } from './request-rounds.js'
import { isTurn, nextTurnMs, type Turn, turnOrder } from './turn.js'

export interface SendingParts extends RequestDeskParts {
  /** Chain and hub in one word: `31337/0x…`. */
  readonly hub: string
  readonly planner: Planner
  readonly flights: RequestFlights
  readonly reports: NewestReport
  readonly tell: (event: RequestEvent) => void
  readonly told: (id: string) => { readonly hub: string; readonly atMs: number; readonly id: string }
  readonly open: () => readonly OpenRequest[]
  readonly isClosed: () => boolean
}

export interface Sending {
  /** Tells whose turn it is, and sends what this member may send now. */
  consider(): void
  isWanted(job: string): Promise<boolean>
  /** Why nobody answered, for all that is known here. */
  whyUnanswered(request: OpenRequest): string
  /** Resolves when nothing is being decided any more. */
  idle(): Promise<void>
}

/** What is kept of a request while it is open. */
interface Standing {
  readonly place: number
  restsUntilMs: number
  toldTurn: string
  /** Its requester used up its share of gas. */
  isStarved: boolean
}

interface Choice extends RequestPlan, Rank {
  readonly request: OpenRequest
  readonly turn: Turn
}

/**
 * Anybody may tell a requester that its deadline is over, itself too, and whoever floods a hub leaves thousands of which
 * that could be told: it is a courtesy, and costs no more than so many callbacks an hour.
 */
const expiresPerHourMax = 20
const priorities: Readonly<Record<RequestAct, number>> = { answer: 2, refuse: 1, expire: 0 }
/** With the errors of all that a hub calls. */
const hubContract = RequestHub__factory.createInterface()

/** The sending half of a desk. */
export function requestSending(parts: SendingParts): Sending {
  const { engine, committee, kernel, member, settings, ports, planner, flights, reports, tell, told } = parts
  const { underWayMax = 8, requesterGasPerHourMax = 10_000_000 } = settings
  /** What nobody waits for any more leaves room for what somebody does. */
  const expiringMax = Math.max(1, underWayMax >> 2)
  const packer = requestPacker(engine, committee, kernel)
  const standings = new WeakMap<OpenRequest, Standing>()
  const nowMs = (): number => ports.clock().wallMs
  let sending: Promise<void> | null = null

  const standingOf = (request: OpenRequest): Standing => {
    const known = standings.get(request)
    if (known !== undefined) return known
    // A seed of its own: nobody chooses the id of a request, and each has another order.
    const { chainId, hub: store } = settings
    const seed = { committee: committee.digest, chainId, store, feedId: request.id, replacedMs: request.requestedAtMs }
    const place = turnOrder(engine, seed, committee.members.length).indexOf(member)
    const standing = { place, restsUntilMs: 0, toldTurn: '', isStarved: false }
    standings.set(request, standing)
    return standing
  }

  const turnOf = (request: OpenRequest, { sinceMs }: RequestPlan): Turn => ({
    sinceMs,
    place: standingOf(request).place,
    members: committee.members.length,
    stageMs: settings.stageMs,
  })

  /** All that could be sent if it were this member's turn, told once each. */
  const tellTurns = (): void => {
    const held = reports.newest()
    const at = nowMs()
    for (const request of parts.open()) {
      const plan = planner.planOf(request, held, at)
      if (plan === null || plan.act === 'expire') continue
      const standing = standingOf(request)
      const key = `${plan.act}/${plan.sinceMs}`
      if (standing.toldTurn === key) continue
      standing.toldTurn = key
      const turnAtMs = nextTurnMs(turnOf(request, plan), at)
      tell({ ...told(request.id), event: 'waiting', place: standing.place, turnAtMs })
    }
  }

  /** What goes next; null when nothing may. */
  const choose = (): Choice | null => {
    const underWay = flights.underWay()
    if (underWay.length >= underWayMax) return null
    const expiring = underWay.filter(({ act }) => act === 'expire').length
    const hasRoom = expiring < expiringMax && flights.expiresOfHour() < expiresPerHourMax
    const mayExpire = hasRoom && !underWay.some(isUnsent)
    const held = reports.newest()
    const at = nowMs()
    const spent = new Map<string, number>()
    const gasOf = (requester: string): number => {
      const gas = spent.get(requester) ?? flights.gasOf(requester)
      spent.set(requester, gas)
      return gas
    }
    let best: Choice | null = null
    for (const request of parts.open()) {
      const plan = planner.planOf(request, held, at)
      if (plan === null || (plan.act === 'expire' && !mayExpire)) continue
      const turn = turnOf(request, plan)
      if (!isTurn(turn, at) || standingOf(request).restsUntilMs > at || flights.isUnderWay(request.id)) continue
      const choice = { ...plan, request, turn, gasSpent: gasOf(request.requester) }
      if (best === null || comesFirst(choice, best)) best = choice
    }
    return best
  }

  const jobOf = ({ request, act, turn }: Choice): RequestJob => {
    const { sinceMs, stageMs } = turn
    const stage = Math.floor((nowMs() - sinceMs) / stageMs)
    const atMs = act === 'expire' ? sinceMs + stage * stageMs : reports.newest()!.report.attestedAtMs
    return { hub: parts.hub, id: request.id, act, atMs }
  }

  /** One request: packed, tried on chain, given to the sender. */
  const send = async (choice: Choice, head: Block): Promise<void> => {
    const { request, act, gasSpent } = choice
    const { id, requester } = request
    const standing = standingOf(request)
    standing.restsUntilMs = nowMs() + settings.stageMs
    const job = jobOf(choice)
    // What came of it is known already: the next report is another job.
    if (flights.has(job)) return
    const fail = (why: string): void => tell({ ...told(id), event: 'failed', why, ...nothingPaid })
    let call: HubCall
    try {
      call = act === 'expire' ? packer.expire(request) : packer.answer(request, reports.newest()!)
    } catch (error) {
      return fail(messageOf(error))
    }
    standing.isStarved = gasSpent + call.gasLimit > requesterGasPerHourMax
    if (standing.isStarved) return
    const { reverted, data } = await ports.rpc.read(callOf(settings.hub, call.data), head)
    if (parts.isClosed()) return
    if (reverted) {
      const why = revertOf(hubContract, data)
      // It ended, as its event will say, or the chain's clock is behind ours.
      return why === 'UnknownRequest' || why === 'StillOpen' ? undefined : fail(why)
    }
    const flight = flights.add(job, { ...call, liveUntilMs: choice.liveUntilMs }, requester)
    const { gasLimit } = call
    const order = {
      id: flight.job,
      to: settings.hub,
      data: call.data,
      gasLimit: BigInt(gasLimit),
      priority: priorities[act],
    }
    ports.submit(order).catch((error: unknown) => {
      flights.end(flight, 0)
      fail(messageOf(error))
    })
  }

  const sendAll = async (): Promise<void> => {
    let head: Block | null = null
    while (!parts.isClosed()) {
      const choice = choose()
      if (choice === null) return
      try {
        head ??= await ports.rpc.head()
        await send(choice, head)
      } catch (error) {
        // The chain cannot be read: the next tick tries again. After a fault of ours others go first.
        const isUnread = error instanceof OracleError
        standingOf(choice.request).restsUntilMs = isUnread ? 0 : nowMs() + settings.stageMs
        if (isUnread) return
        ports.onFault(error)
      }
    }
  }

  /** A job of an earlier life, of which only the id is known. */
  const isStillOpen = async ({ id, act, atMs }: RequestJob, head: Block): Promise<boolean> => {
    const { data } = await ports.rpc.read(callOf(settings.hub, hubContract.encodeFunctionData('requestOf', [id])), head)
    const request = resultOf(hubContract, 'requestOf', data, ([{ feedId, requester, requestedAtS, openForS }]) => ({
      feed: BigInt(requester) === 0n ? undefined : committee.feeds.find((feed) => feed.feedId === feedId),
      requestedAtMs: Number(requestedAtS) * 1000,
      openForMs: Number(openForS) * 1000,
    }))
    if (request === null)
      throw new OracleError('TARGET_INVALID', `${settings.hub} is no hub`, { path: '/requests/hub' })
    const { feed, requestedAtMs, openForMs } = request
    if (feed === undefined) return false
    const isOver = head.timestampMs > requestedAtMs + openForMs
    if (act === 'expire') return isOver
    const isFresh = head.timestampMs <= atMs + 1000 * feed.validForS
    return !isOver && isFresh && atMs > requestedAtMs + futureToleranceMs
  }

  return {
    consider: () => {
      tellTurns()
      if (sending !== null || choose() === null) return
      sending = sendAll()
        .catch(ports.onFault)
        .finally(() => {
          sending = null
        })
    },
    isWanted: async (id) => {
      const job = parseRequestJob(id)
      if (job === null || job.hub !== parts.hub) return false
      const head = await ports.rpc.head()
      const { data, liveUntilMs } = flights.of(requestJobId(job))!
      if (data === null) return isStillOpen(job, head)
      // It may wait once more before it leaves: what is about to grow too old gives way to another by a newer report.
      if (liveUntilMs !== null && nowMs() + 2 * settings.landBlocks * settings.blockMs > liveUntilMs) return false
      return !(await ports.rpc.read(callOf(settings.hub, data), head)).reverted
    },
    whyUnanswered: (request) => {
      const standing = standingOf(request)
      if (flights.isUnderWay(request.id)) return 'a transaction of this oracle did not land in time'
      if (standing.isStarved) return 'its requester used up its share of gas'
      if (request.sinceMs === null) return 'no report with a value came in time'
      if (flights.underWay().length >= underWayMax) return 'what was under way left no room: see the budget of the key'
      return 'no member answered in time'
    },
    idle: async () => {
      await sending
    },
  }
}

/** An answer that has not left yet, for want of budget as a rule. */
function isUnsent({ act, data, hashes }: RequestFlight): boolean {
  return act !== 'expire' && data !== null && hashes.size === 0
}
