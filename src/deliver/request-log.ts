// The events of a RequestHub: which are asked for, and what they say.

import { eventOf } from '../chain/abi-read.js'
import type { Log } from '../chain/answers.js'
import { IRequestHub__factory } from '../chain/generated/factories/IRequestHub__factory.js'
import type { LogFilter } from '../chain/questions.js'

/** A contract asked. */
export interface RequestedLog {
  readonly kind: 'requested'
  readonly id: string
  readonly requester: string
  readonly feedId: string
  readonly deadlineMs: number
  readonly callbackGas: number
  readonly blockNumber: number
  readonly blockHash: string
}

/** How a request ended: with a value, without one, or taken back. */
export type RequestEnd = 'answered' | 'refused' | 'gone'

export interface EndedLog {
  readonly kind: 'ended'
  readonly id: string
  readonly end: RequestEnd
  readonly txHash: string
  readonly blockNumber: number
}

const hub = IRequestHub__factory.createInterface()
const requestedTopic = hub.getEvent('Requested').topicHash
const ends = new Map<string, RequestEnd>([
  [hub.getEvent('Answered').topicHash, 'answered'],
  [hub.getEvent('Refused').topicHash, 'refused'],
  [hub.getEvent('Cancelled').topicHash, 'gone'],
])

/** All that a hub tells, in one question. */
export function allLogs(address: string): readonly LogFilter[] {
  return [{ address, topics: [[requestedTopic, ...ends.keys()]] }]
}

/** More topics in one place than this are refused by some endpoints. */
const topicsMax = 500

/**
 * What it tells of `feedIds`, in several questions. Whoever floods a hub chooses the length of what an unknown feed means, and
 * so of the answer; a known feed's meaning has the length that the committee gave it.
 */
export function knownLogs(address: string, feedIds: readonly string[]): readonly LogFilter[] {
  const filters: LogFilter[] = [{ address, topics: [[...ends.keys()]] }]
  for (let at = 0; at < feedIds.length; at += topicsMax)
    filters.push({ address, topics: [requestedTopic, null, null, feedIds.slice(at, at + topicsMax)] })
  return filters
}

/** What a log says; null for what is no event of `address` that is looked for, or none that a hub could make. */
export function readHubLog(address: string, log: Log): RequestedLog | EndedLog | null {
  const [topic = '', id] = log.topics
  if (log.address !== address || id === undefined) return null
  const { blockNumber, blockHash, transactionHash: txHash } = log
  const end = ends.get(topic)
  if (end !== undefined) return { kind: 'ended', id, end, txHash, blockNumber }
  if (topic !== requestedTopic) return null
  return eventOf(hub, 'Requested', log, ([, requester, feedId, , deadlineS, callbackGas]): RequestedLog | null => {
    const deadlineMs = Number(deadlineS) * 1000
    if (!Number.isSafeInteger(deadlineMs)) return null
    const asked = { id, requester: requester.toLowerCase(), feedId, deadlineMs, callbackGas: Number(callbackGas) }
    return { kind: 'requested', ...asked, blockNumber, blockHash }
  })
}
