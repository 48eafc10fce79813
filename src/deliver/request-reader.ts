// Reads a hub's events block by block as a quorum tells them: in pieces that endpoints can answer, and anew after a reorg.

import { setImmediate } from 'node:timers/promises'
import { OracleError } from '../base/errors.js'
import type { Block, Log } from '../chain/answers.js'
import { type BlockRef, logsSince } from '../chain/questions.js'
import type { RpcQuorum } from '../chain/rpc-quorum.js'
import { allLogs, type EndedLog, knownLogs, type RequestedLog, readHubLog } from './request-log.js'

/** A contract asked, and the time of its block, ms. */
export interface TimedRequest extends RequestedLog {
  readonly requestedAtMs: number
}

/** Some blocks' events. */
export interface HubNews {
  readonly requested: readonly (TimedRequest | RequestedLog)[]
  readonly ended: readonly EndedLog[]
  readonly readTo: number
}

export interface RequestReaderParts {
  readonly rpc: Pick<RpcQuorum, 'head' | 'read' | 'blockAt'>
  /** A clock that never jumps, ms. */
  readonly steadyMs: () => number
  readonly hub: string
  readonly feedIds: readonly string[]
  readonly fromBlock: number
  /** Blocks below the head that no reorganisation reaches. */
  readonly finalityBlocks: number
  /** Whether the time of a request's block matters, which costs a question. */
  readonly isOfInterest: (request: RequestedLog) => boolean
  readonly onNews: (news: HubNews) => void
  /** The chain left the one that was read: what was told of blocks above `block` counts no more. */
  readonly onRewind: (block: number) => void
  /** No quorum gives the events of one block, however it is asked: it is left out. */
  readonly onUnreadable: (block: number) => void
  /** No quorum gives events of any block, though it shows heads: told once until one does. Nothing is left out. */
  readonly onBlind: (error: OracleError) => void
}

/** How far it read. */
export interface ReadMark {
  readonly readTo: number
  /** Blocks that were read, oldest first, to find the last one that still stands. */
  readonly marks: readonly BlockRef[]
}

/** done: up to the head; more: there is more to read; failed: the endpoints gave something not, a pause may help. */
export type ReadState = 'done' | 'more' | 'failed'

export interface RequestReader {
  /**
   * Reads towards `head`, as far as the endpoints answer, some pieces and some questions at most: years of blocks, or a
   * flood, are read over many calls. Rejects only for programmers' errors. One call at a time.
   */
  read(head: Block): Promise<ReadState>
  mark(): ReadMark
  close(): void
}

const chunkMax = 2_000
const marksKept = 16
/** After an answer that nobody could give or read, only known feeds are asked for, for so long. */
const narrowMs = 3_600_000
/** For so long, and so often, a single block is tried: less than a request waits for its report. */
const unreadable = { ms: 20_000, tries: 4 } as const
const piecesMax = 8
/** What one piece could not hold, another may: endpoints differ in what they bound. Tried after so many good ones. */
const growAfter = 64
/** Blocks whose time is asked for in one call, and at once. */
const timesMax = 64
const timesAtOnce = 8
/** Events that are decoded in one go, in some ten milliseconds. */
const logsAtOnce = 128

/** A reader that goes on at `mark`, or begins at its first block. */
export function createRequestReader(parts: RequestReaderParts, mark: ReadMark | null): RequestReader {
  const { rpc, steadyMs, hub, fromBlock } = parts
  const first = fromBlock - 1
  let readTo = mark?.readTo ?? first
  let marks: readonly BlockRef[] = mark?.marks ?? []
  let chunk = chunkMax
  /** Pieces since the chunk changed. */
  let good = 0
  let narrowUntilMs = -Infinity
  /** The single block that cannot be read, since when and how often it was tried. */
  let stuck: { readonly block: number; readonly sinceMs: number; readonly tries: number } | null = null
  let isBlind = false
  let isClosed = false

  const resize = (blocks: number): void => {
    chunk = Math.min(chunkMax, Math.max(1, blocks))
    good = 0
  }

  const logsOf = async (from: number, to: BlockRef): Promise<readonly Log[]> => {
    const filters = steadyMs() < narrowUntilMs ? knownLogs(hub, parts.feedIds) : allLogs(hub)
    return (await Promise.all(filters.map((filter) => rpc.read(logsSince(filter, from), to)))).flat()
  }

  /** Forgets blocks that are no longer on the chain of `head`. */
  const rewind = async (head: Block): Promise<void> => {
    const last = marks.at(-1)
    if (last === undefined || head.parentHash === last.hash || head.hash === last.hash) return
    let kept = marks.length
    for (; kept > 0; kept--) {
      const { number, hash } = marks[kept - 1]!
      if (number <= head.number && (await rpc.blockAt(number)).hash === hash) break
    }
    if (kept === marks.length) return
    const deepest = marks[0]!.number - parts.finalityBlocks
    // A head below all that a reorganisation reaches is one of another chain, such as a private one that began anew.
    const stands = kept > 0 ? marks[kept - 1]!.number : head.number < deepest ? first : Math.max(first, deepest)
    marks = marks.slice(0, kept)
    readTo = Math.min(readTo, stands)
    parts.onRewind(readTo)
  }

  /** One piece: its events, and the times of at most `questions` blocks that matter; how many it asked for. */
  const readPiece = async (head: Block, questions: number): Promise<number> => {
    const from = readTo + 1
    const to = Math.min(head.number, readTo + chunk)
    const end: BlockRef = to === head.number ? head : await rpc.blockAt(to)
    const logs = await logsOf(from, end).catch(passed)
    if (logs instanceof OracleError) {
      await shrink(head, logs)
      throw logs
    }
    isBlind = false
    const isWithin = ({ blockNumber }: Log): boolean => blockNumber >= from && blockNumber <= to
    const events = await readAll(logs.filter(isWithin))
    const ended = events.filter((event) => event.kind === 'ended')
    const over = new Set(ended.map(({ id }) => id))
    const asked = events.filter((event) => event.kind === 'requested').filter(({ id }) => !over.has(id))
    const ofInterest = new Set(asked.filter(parts.isOfInterest))
    const blocks = [...new Map([...ofInterest].map((request) => [request.blockNumber, refOf(request)])).values()]
    blocks.sort((a, b) => a.number - b.number)
    // What does not fit into this call is read again with the next.
    const last = blocks.length > questions ? blocks[questions - 1]! : end
    const timed = blocks.slice(0, questions)
    const times = await timesOf(timed)
    if (isClosed) return timed.length
    const isRead = ({ blockNumber }: { readonly blockNumber: number }): boolean => blockNumber <= last.number
    const requested = asked.filter(isRead).map((request): TimedRequest | RequestedLog => {
      const requestedAtMs = times.get(request.blockNumber)
      return requestedAtMs === undefined || !ofInterest.has(request) ? request : { ...request, requestedAtMs }
    })
    if (last !== end) resize(last.number - readTo)
    else if (++good >= growAfter) resize(2 * chunk)
    readTo = last.number
    marks = [...marks, { number: last.number, hash: last.hash }].slice(-marksKept)
    parts.onNews({ requested, ended: ended.filter(isRead), readTo })
    return timed.length
  }

  /** What the logs say; rounds of the committee go on while there is much of it. */
  const readAll = async (logs: readonly Log[]): Promise<readonly (RequestedLog | EndedLog)[]> => {
    const events: (RequestedLog | EndedLog)[] = []
    for (const [i, log] of logs.entries()) {
      if (i % logsAtOnce === logsAtOnce - 1) await setImmediate()
      const event = readHubLog(hub, log)
      if (event !== null) events.push(event)
    }
    return events
  }

  /** Times of blocks by number, some asked for at once. */
  const timesOf = async (blocks: readonly BlockRef[]): Promise<ReadonlyMap<number, number>> => {
    const times = new Map<number, number>()
    const left = blocks.values()
    const askOn = async (): Promise<void> => {
      for (const { number, hash } of left) {
        const block = await rpc.blockAt(number)
        if (block.hash !== hash)
          throw new OracleError('CHAIN_NO_QUORUM', `block ${number} is ${block.hash} by now, not ${hash}`)
        times.set(number, block.timestampMs)
      }
    }
    await Promise.all(Array.from({ length: timesAtOnce }, askOn))
    return times
  }

  /** A piece could not be read: the next one asks for less, and what cannot be had with the least is left out. */
  const shrink = async (head: Block, error: OracleError): Promise<void> => {
    // Without an agreed head nothing is wrong with the piece.
    if ((await rpc.head().catch(passed)) instanceof OracleError) return
    narrowUntilMs = steadyMs() + narrowMs
    const size = Math.min(chunk, head.number - readTo)
    if (size > 1) return resize(size >> 2)
    // Nor where other blocks cannot be read either: what was read last, or the newest.
    const other = marks.at(-1) ?? head
    if ((await logsOf(other.number, other).catch(passed)) instanceof OracleError) {
      if (!isBlind) parts.onBlind(error)
      isBlind = true
      return
    }
    const block = readTo + 1
    stuck = stuck?.block === block ? { ...stuck, tries: stuck.tries + 1 } : { block, sinceMs: steadyMs(), tries: 1 }
    if (stuck.tries < unreadable.tries || steadyMs() - stuck.sinceMs < unreadable.ms || isClosed) return
    stuck = null
    readTo = block
    parts.onUnreadable(block)
  }

  return {
    read: async (head) => {
      try {
        await rewind(head)
        let questions = timesMax
        for (let pieces = 0; pieces < piecesMax && questions > 0; pieces++) {
          if (isClosed || readTo >= head.number) return 'done'
          questions -= await readPiece(head, questions)
        }
        return readTo < head.number ? 'more' : 'done'
      } catch (error) {
        if (!(error instanceof OracleError)) throw error
        return 'failed'
      }
    },
    mark: () => ({ readTo, marks }),
    close: () => {
      isClosed = true
    },
  }
}

function refOf({ blockNumber, blockHash }: RequestedLog): BlockRef {
  return { number: blockNumber, hash: blockHash }
}

/** An operating error as a value; others go on. */
function passed(error: unknown): OracleError {
  if (error instanceof OracleError) return error
  throw error
}
