// Reads a hub's events block by block as a quorum tells them: in pieces that endpoints can answer, and anew after a reorg.

import { OracleError } from '../base/errors.js'
import type { Block, Log } from '../chain/answers.js'
import { type BlockRef, type LogFilter, logsSince } from '../chain/questions.js'
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
  readonly nowMs: () => number
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
}

/** How far it read. */
export interface ReadMark {
  readonly readTo: number
  /** Blocks that were read, oldest first, to find the last one that still stands. */
  readonly marks: readonly BlockRef[]
}

export interface RequestReader {
  /**
   * Reads towards `head`, as far as the endpoints answer and some pieces at most, so that who waits for it is not held up
   * by years of blocks. Whether there is more to read right now. Rejects only for programmers' errors.
   */
  read(head: Block): Promise<boolean>
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
/** Answers that may fail while one head is being read up to. */
const failuresMax = 16

/** A reader that goes on at `mark`, or begins at its first block. */
export function createRequestReader(parts: RequestReaderParts, mark: ReadMark | null): RequestReader {
  const { rpc, nowMs, hub, fromBlock } = parts
  const first = fromBlock - 1
  let readTo = mark?.readTo ?? first
  let marks: readonly BlockRef[] = mark?.marks ?? []
  let chunk = chunkMax
  let read = 0
  let narrowUntilMs = -Infinity
  /** The single block that cannot be read, since when and how often it was tried. */
  let stuck: { readonly block: number; readonly sinceMs: number; readonly tries: number } | null = null
  let isClosed = false

  const askLogs = async (filter: LogFilter, from: number, to: BlockRef): Promise<readonly Log[]> =>
    rpc.read(logsSince(filter, from), to)

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
    const stands = kept > 0 ? marks[kept - 1]!.number : Math.max(first, marks[0]!.number - parts.finalityBlocks)
    marks = marks.slice(0, kept)
    readTo = Math.min(readTo, stands)
    parts.onRewind(readTo)
  }

  /** One piece: its events, and the times of the blocks that matter. */
  const readPiece = async (head: Block): Promise<void> => {
    const from = readTo + 1
    const to = Math.min(head.number, readTo + chunk)
    const end: BlockRef = to === head.number ? head : await rpc.blockAt(to)
    const filters = nowMs() < narrowUntilMs ? knownLogs(hub, parts.feedIds) : allLogs(hub)
    const logs = (await Promise.all(filters.map((filter) => askLogs(filter, from, end)))).flat()
    const events = logs.flatMap((log) => readHubLog(hub, log) ?? [])
    const ended = events.filter((event) => event.kind === 'ended')
    const over = new Set(ended.map(({ id }) => id))
    const times = new Map<string, number>()
    const requested: (TimedRequest | RequestedLog)[] = []
    for (const event of events) {
      if (event.kind !== 'requested' || over.has(event.id)) continue
      if (!parts.isOfInterest(event)) requested.push(event)
      else requested.push({ ...event, requestedAtMs: await timeOf(event, times) })
    }
    if (isClosed) return
    readTo = to
    marks = [...marks, { number: end.number, hash: end.hash }].slice(-marksKept)
    parts.onNews({ requested, ended, readTo })
  }

  const timeOf = async ({ blockNumber, blockHash }: RequestedLog, times: Map<string, number>): Promise<number> => {
    const known = times.get(blockHash)
    if (known !== undefined) return known
    const block = await rpc.blockAt(blockNumber)
    if (block.hash !== blockHash)
      throw new OracleError('CHAIN_NO_QUORUM', `block ${blockNumber} is ${block.hash} by now, not ${blockHash}`)
    times.set(blockHash, block.timestampMs)
    return block.timestampMs
  }

  /** A piece could not be read: the next one asks for less. Whether it is worth another try at this head. */
  const shrink = async (head: Block): Promise<boolean> => {
    // Endpoints that failed do not count until they agree on a head again: without one nothing is wrong with the piece.
    const isSeeing = await rpc.head().then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof OracleError)) throw error
        return false
      },
    )
    const wasNarrow = nowMs() < narrowUntilMs
    narrowUntilMs = nowMs() + narrowMs
    const size = Math.min(chunk, head.number - readTo)
    if (size > 1) {
      if (wasNarrow) chunk = Math.max(1, size >> 1)
      return isSeeing
    }
    if (!isSeeing) return false
    const block = readTo + 1
    stuck = stuck?.block === block ? { ...stuck, tries: stuck.tries + 1 } : { block, sinceMs: nowMs(), tries: 1 }
    if (stuck.tries < unreadable.tries || nowMs() - stuck.sinceMs < unreadable.ms) return false
    stuck = null
    readTo = block
    parts.onUnreadable(block)
    return true
  }

  return {
    read: async (head) => {
      let failures = 0
      let isRewound = false
      for (let pieces = 0; pieces < piecesMax && failures < failuresMax; ) {
        try {
          if (!isRewound) await rewind(head)
          isRewound = true
          if (isClosed || readTo >= head.number) return false
          await readPiece(head)
          pieces++
          // What one piece could not hold, another may: endpoints differ in what they bound.
          if (++read % 16 === 0) chunk = Math.min(chunkMax, 2 * chunk)
        } catch (error) {
          if (!(error instanceof OracleError)) throw error
          failures++
          if (!isRewound || !(await shrink(head))) return false
        }
      }
      return failures < failuresMax && readTo < head.number
    },
    mark: () => ({ readTo, marks }),
    close: () => {
      isClosed = true
    },
  }
}
