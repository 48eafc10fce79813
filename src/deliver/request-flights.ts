// The jobs that a desk of requests gave to its sender: which are under way, and what was spent on whom within the hour.

import { parseRequestJob, type RequestAct, type RequestJob, requestJobId } from './request-job.js'

/** A job under way, or ended and not yet forgotten. */
export interface RequestFlight extends RequestJob {
  readonly job: string
  /** Hashes of all attempts: one of them may be the transaction that ended a request. */
  readonly hashes: Set<string>
  /** Its calldata; null for a job of an earlier life, of which the attempts are not known either. */
  readonly data: string | null
  /** Sent later than this it would come too late, ms; null where that is not known. */
  readonly liveUntilMs: number | null
}

/** What a flight carries. */
export interface FlightCall {
  readonly data: string
  readonly liveUntilMs: number | null
  readonly gasLimit: number
}

export interface RequestFlights {
  /** Takes a job in that will cost `requester` its gas limit at most. */
  add(job: RequestJob, call: FlightCall, requester: string): RequestFlight
  /** The flight of a job of this hub; one of an earlier life is taken over. Null for jobs of others. */
  of(job: string): RequestFlight | null
  has(job: RequestJob): boolean
  isUnderWay(id: string): boolean
  isEnded(flight: RequestFlight): boolean
  underWay(): readonly RequestFlight[]
  /** It ended and used `gas`. */
  end(flight: RequestFlight, gas: number): void
  /** A reorganisation undid its end. */
  resume(flight: RequestFlight): void
  /** Whether one of the attempts for the request has that hash, or may have: what becomes of the job will tell. */
  mayBeOurs(id: string, txHash: string): boolean
  /** Gas that a requester cost within the hour, what is under way by its limit. */
  gasOf(requester: string): number
  /** How many times within the hour it was told, or is being told, that a deadline is over. */
  expiresOfHour(): number
}

interface Spent {
  readonly act: RequestAct
  readonly requester: string
  readonly job: string
  readonly atMs: number
  gas: number
}

const hourMs = 3_600_000
/** Ended jobs that are remembered, for reorganisations. */
const endedKept = 256

/** The flights of one hub; `openJobs` are those of an earlier life. */
export function requestFlights(hub: string, nowMs: () => number, openJobs: readonly string[]): RequestFlights {
  const flying = new Map<string, RequestFlight>()
  const ended = new Map<string, RequestFlight>()
  /** Oldest first. */
  let spendings: Spent[] = []

  const note = (parsed: RequestJob, call: FlightCall | null): RequestFlight => {
    const { data = null, liveUntilMs = null } = call ?? {}
    const flight: RequestFlight = { ...parsed, job: requestJobId(parsed), hashes: new Set(), data, liveUntilMs }
    flying.set(flight.job, flight)
    return flight
  }
  const of = (job: string): RequestFlight | null => {
    const known = flying.get(job) ?? ended.get(job)
    if (known !== undefined) return known
    const parsed = parseRequestJob(job)
    return parsed === null || parsed.hub !== hub ? null : note(parsed, null)
  }
  /** What is under way counts however long it waits. */
  const forgetSpent = (): void => {
    const fromMs = nowMs() - hourMs
    spendings = spendings.filter(({ atMs, job }) => atMs > fromMs || flying.has(job))
  }
  for (const job of openJobs) of(job)

  return {
    add: (job, call, requester) => {
      const flight = note(job, call)
      forgetSpent()
      spendings.push({ act: job.act, requester, job: flight.job, atMs: nowMs(), gas: call.gasLimit })
      return flight
    },
    of,
    has: (job) => flying.has(requestJobId(job)) || ended.has(requestJobId(job)),
    isUnderWay: (id) => [...flying.values()].some((flight) => flight.id === id),
    isEnded: ({ job }) => ended.has(job),
    underWay: () => [...flying.values()],
    end: (flight, gas) => {
      flying.delete(flight.job)
      ended.set(flight.job, flight)
      const oldest = ended.keys().next()
      if (ended.size > endedKept && !oldest.done) ended.delete(oldest.value)
      const spent = spendings.find(({ job }) => job === flight.job)
      if (spent !== undefined) spent.gas = gas
    },
    resume: (flight) => {
      ended.delete(flight.job)
      flying.set(flight.job, flight)
    },
    mayBeOurs: (id, txHash) =>
      [...flying.values()].some((flight) => flight.id === id && (flight.hashes.has(txHash) || flight.data === null)) ||
      [...ended.values()].some((flight) => flight.id === id && flight.hashes.has(txHash)),
    gasOf: (requester) => {
      forgetSpent()
      return spendings.reduce((sum, spent) => (spent.requester === requester ? sum + spent.gas : sum), 0)
    },
    expiresOfHour: () => {
      forgetSpent()
      return spendings.filter(({ act }) => act === 'expire').length
    },
  }
}
