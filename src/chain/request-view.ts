// A request to a hub as the chain tells it: what was asked in a transaction, and how it ended.

import type { Log, Receipt } from './answers.js'
import { type Place, view } from './contract-view.js'
import { Requester__factory } from './generated/factories/Requester__factory.js'
import { RequestHub__factory } from './generated/factories/RequestHub__factory.js'
import { type BlockRef, logsSince } from './questions.js'
import type { RpcQuorum } from './rpc-quorum.js'

/** A request that a transaction made. */
export interface Asked {
  readonly id: string
  readonly requester: string
  readonly feedId: string
  readonly deadlineS: number
  readonly block: number
}

/** How a request ended; `value`: what the requester says it got, where it is our example. */
export type Ended =
  | {
      readonly end: 'answered'
      readonly attestedAtMs: number
      readonly isTaken: boolean
      readonly value: bigint | null
      readonly observedAtMs: number | null
      readonly hash: string
      readonly block: number
    }
  | { readonly end: 'refused'; readonly status: number; readonly hash: string; readonly block: number }
  | { readonly end: 'cancelled'; readonly hash: string; readonly block: number }

const hubFace = RequestHub__factory.createInterface()
export const requesterFace: ReturnType<typeof Requester__factory.createInterface> = Requester__factory.createInterface()
const topicOf = (name: 'Requested' | 'Answered' | 'Refused' | 'Cancelled'): string => hubFace.getEvent(name).topicHash
const endTopics = [topicOf('Answered'), topicOf('Refused'), topicOf('Cancelled')]

/** The hub that a requester of ours asks; CONTRACT_UNFIT where it is none. */
export async function hubOf(
  quorum: Pick<RpcQuorum, 'read' | 'profile'>,
  at: BlockRef,
  requester: string,
): Promise<string> {
  const place: Place = { quorum, at, address: requester, what: 'requester' }
  return String((await view(place, requesterFace, 'HUB'))[0]).toLowerCase()
}

/** The request to `hub` in a transaction; null where there is none. */
export function askedIn({ logs, blockNumber }: Receipt, hub: string): Asked | null {
  const log = logs.find(({ address, topics }) => address === hub && topics[0] === topicOf('Requested'))
  if (log === undefined) return null
  const { id, requester, feedId, deadlineS } = hubFace.decodeEventLog('Requested', log.data, [...log.topics])
  return { id, requester: String(requester).toLowerCase(), feedId, deadlineS: Number(deadlineS), block: blockNumber }
}

/** How the request ended, by the events up to `at`; null while it is open. */
export async function endOf(
  quorum: Pick<RpcQuorum, 'read'>,
  at: BlockRef,
  hub: string,
  { id, requester, block }: Asked,
): Promise<Ended | null> {
  const logs = await quorum.read(logsSince({ address: hub, topics: [endTopics, id] }, block), at)
  const [log] = logs
  if (log === undefined) return null
  const where = { hash: log.transactionHash, block: log.blockNumber }
  const args = (name: 'Answered' | 'Refused') => hubFace.decodeEventLog(name, log.data, [...log.topics])
  if (log.topics[0] === topicOf('Cancelled')) return { end: 'cancelled', ...where }
  if (log.topics[0] === topicOf('Refused'))
    return { end: 'refused', status: Number(args('Refused')['status']), ...where }
  const { attestedAtMs, success } = args('Answered')
  const won = requesterFace.getEvent('Won').topicHash
  const own = await quorum.read(logsSince({ address: requester, topics: [won] }, log.blockNumber), at)
  const told = own.find((one: Log) => one.transactionHash === log.transactionHash)
  const got = told === undefined ? null : requesterFace.decodeEventLog('Won', told.data, [...told.topics])
  return {
    end: 'answered',
    attestedAtMs: Number(attestedAtMs),
    isTaken: success === true,
    value: got === null ? null : (got['price'] as bigint),
    observedAtMs: got === null ? null : Number(got['observedAtMs']),
    ...where,
  }
}
