// A request to a hub as the chain tells it: what was asked in a transaction, and how it ended.

import { OracleError } from '../base/errors.js'
import { eventOf } from './abi-read.js'
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

/** Blocks in one question for events: what endpoints usually take; and how many questions look back. */
const pieceBlocks = 2_000
const piecesMax = 50

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

/** The id of the request that a requester of ours waits for; null where none is open at `hub`. */
export async function openOf(
  quorum: Pick<RpcQuorum, 'read' | 'profile'>,
  at: BlockRef,
  hub: string,
  requester: string,
): Promise<string | null> {
  const [id] = await view({ quorum, at, address: requester, what: 'requester' }, requesterFace, 'requestId')
  if (isZero(id)) return null
  const [open] = await view({ quorum, at, address: hub, what: 'RequestHub' }, hubFace, 'requestOf', [id])
  return isZero(open.requester) ? null : id
}

/** The request to `hub` in a transaction; null where there is none. */
export function askedIn({ logs }: Receipt, hub: string): Asked | null {
  const log = logs.find(({ address, topics }) => address === hub && topics[0] === topicOf('Requested'))
  return log === undefined ? null : askedBy(log)
}

/**
 * The newest request to `hub` of this id, or of this requester, since block `from` or the last hundred thousand blocks; null
 * where there is none.
 */
export async function findAsked(
  quorum: Pick<RpcQuorum, 'read' | 'blockAt'>,
  at: BlockRef,
  hub: string,
  of: { readonly id: string } | { readonly requester: string },
  from: number,
): Promise<Asked | null> {
  const who = 'id' in of ? [of.id] : [null, `0x${of.requester.slice(2).padStart(64, '0')}`]
  const filter = { address: hub, topics: [topicOf('Requested'), ...who] }
  const least = Math.max(from, at.number - pieceBlocks * piecesMax + 1)
  for (let to = at.number; to >= least; to -= pieceBlocks) {
    const end = to === at.number ? at : await quorum.blockAt(to)
    const logs = await quorum.read(logsSince(filter, Math.max(least, to - pieceBlocks + 1)), end)
    if (logs.length > 0) return askedBy(logs.at(-1)!)
  }
  return null
}

/** How the request ended, by the events of blocks `from` up to `at`; null while it is open. */
export async function endOf(
  quorum: Pick<RpcQuorum, 'read' | 'blockAt'>,
  at: BlockRef,
  hub: string,
  { id, requester, block }: Asked,
  from: number = block,
): Promise<Ended | null> {
  let log: Log | undefined
  for (let start = from; start <= at.number && log === undefined; start += pieceBlocks) {
    const end = start + pieceBlocks > at.number ? at : await quorum.blockAt(start + pieceBlocks - 1)
    log = (await quorum.read(logsSince({ address: hub, topics: [endTopics, id] }, start), end))[0]
  }
  if (log === undefined) return null
  return endBy(quorum, log, requester)
}

async function endBy(quorum: Pick<RpcQuorum, 'read' | 'blockAt'>, log: Log, requester: string): Promise<Ended> {
  const where = { hash: log.transactionHash, block: log.blockNumber }
  if (log.topics[0] === topicOf('Cancelled')) return { end: 'cancelled', ...where }
  if (log.topics[0] === topicOf('Refused')) {
    const status = eventOf(hubFace, 'Refused', log, (fields) => Number(fields['status']))
    if (status === null) throw unread('Refused', log)
    return { end: 'refused', status, ...where }
  }
  const answered = eventOf(hubFace, 'Answered', log, ({ attestedAtMs, success }) => {
    return { attestedAtMs: Number(attestedAtMs), isTaken: success === true }
  })
  if (answered === null) throw unread('Answered', log)
  const won = requesterFace.getEvent('Won').topicHash
  const filter = { address: requester, topics: [won] }
  const own = await quorum.read(logsSince(filter, log.blockNumber), await quorum.blockAt(log.blockNumber))
  const told = own.find((one) => one.transactionHash === log.transactionHash)
  const got =
    told === undefined
      ? null
      : eventOf(requesterFace, 'Won', told, ({ price, observedAtMs }) => {
          return { value: BigInt(price), observedAtMs: Number(observedAtMs) }
        })
  return { end: 'answered', ...answered, ...(got ?? { value: null, observedAtMs: null }), ...where }
}

function askedBy(log: Log): Asked {
  const asked = eventOf(hubFace, 'Requested', log, ({ id, requester, feedId, deadlineS }) => {
    const block = log.blockNumber
    return { id: String(id), requester: String(requester).toLowerCase(), feedId, deadlineS: Number(deadlineS), block }
  })
  if (asked === null) throw unread('Requested', log)
  return asked
}

/** CONTRACT_UNFIT: no hub of ours says this. */
function unread(event: string, { address, transactionHash }: Log): OracleError {
  const message = `${address} is no RequestHub: ${event} in ${transactionHash} says something else`
  return new OracleError('CONTRACT_UNFIT', message, { facts: { address } })
}

const isZero = (hex: unknown): boolean => /^0x0*$/.test(String(hex))
