// GET /v1/stream: reports as server-sent events. A reader holds a short queue of slots, never of bodies.

import type { ServerResponse } from 'node:http'
import type { Log } from '../base/log.js'
import type { Slot } from '../core/messages.js'
import { headers } from './headers.js'
import type { Latest } from './latest.js'
import {
  drainMs,
  heartbeatMs,
  queueMax,
  readersMax,
  readersOfAddressMax,
  readersOfLoopbackMax,
  resumeBytesMax,
  resumeMax,
} from './limits.js'
import type { NodeView } from './node-view.js'
import type { OldReport } from './old-reports.js'
import { readHistory } from './read-history.js'
import type { Choice } from './snapshot.js'
import { shareTurns, type TakeTurn } from './turns.js'

/** What one reader asks for. */
export interface Subscription extends Choice {
  /** Whose reader it is, as readerAddress says it. */
  readonly address: string
  /** The last slot the reader has, null when it starts afresh. */
  readonly after: Slot | null
}

export interface Stream {
  readonly readers: () => number
  /** Whether one more reader of `address` may come. */
  hasRoom(address: string): boolean
  /** Serves `response` from its head on until it closes; when full, the oldest reader of the address with most goes. */
  serve(response: ServerResponse, subscription: Subscription): void
  close(): void
}

interface Reader {
  readonly address: string
  queue: Slot[]
  /** The slot sent last. */
  last: Slot | null
  wake: () => void
}

/** Of every answer that is a stream. */
export const eventStreamHead: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
}

/** Serves the reports of `view` as they come. */
export function createStream(
  view: NodeView,
  latest: Latest,
  oldReport: OldReport,
  takeTurn: TakeTurn,
  log?: Log,
): Stream {
  const readers = new Map<ServerResponse, Reader>()
  // However many readers catch up, they take one seat: those who ask for history are not crowded out.
  const takeSharedTurn = shareTurns(takeTurn)
  const stop = view.onReport((slot) => {
    for (const [response, reader] of readers) {
      // A resumed reader may have found it in the store already.
      if ([reader.last, ...reader.queue].some((known) => known !== null && isSame(known, slot))) continue
      if (reader.queue.length >= queueMax) drop(response, 'too far behind')
      else {
        reader.queue.push(slot)
        reader.wake()
      }
    }
  })
  const heartbeat = setInterval(() => {
    for (const response of readers.keys()) if (!response.writableNeedDrain) response.write(': beat\n\n')
  }, heartbeatMs)
  heartbeat.unref()

  const drop = (response: ServerResponse, reason: string): void => {
    readers.delete(response)
    response.destroy()
    log?.info({ reason }, 'a reader of the stream was dropped')
  }

  const eventOf = async (slot: Slot, choice: Choice): Promise<Buffer | null> => {
    const current = latest.current()
    if (current !== null && isSame(current, slot)) return current.event(choice)
    // Also for a report that is kept: each reader may choose feeds of its own.
    await takeSharedTurn()
    return oldReport(slot)?.event(choice) ?? null // null: pruned meanwhile
  }

  /** Puts first what came since `after`, and tells of what is left out. */
  const resume = async (response: ServerResponse, reader: Reader, after: Slot): Promise<void> => {
    const found = await missed(view, takeSharedTurn, after)
    if (found === null) return
    const { slots, gap } = found
    if (gap !== null) response.write(`event: gap\ndata: ${JSON.stringify(gap)}\n\n`)
    // A report that came while the store was read is in both.
    reader.queue = [
      ...slots,
      ...reader.queue.filter((queued) => ![after, ...slots].some((slot) => isSame(slot, queued))),
    ]
  }

  const pump = async (response: ServerResponse, reader: Reader, { after, ...choice }: Subscription): Promise<void> => {
    response.writeHead(200, { ...headers, ...eventStreamHead })
    response.write(': assay\n\n')
    const newest = latest.current()
    if (newest !== null) reader.queue.push({ epoch: newest.epoch, round: newest.round })
    if (newest !== null && after !== null) await resume(response, reader, after)
    while (readers.has(response)) {
      const slot = reader.queue[0]
      if (slot === undefined) {
        await new Promise<void>((resolve) => {
          reader.wake = resolve
        })
        continue
      }
      const event = await eventOf(slot, choice)
      reader.last = slot
      reader.queue.shift()
      if (event === null || !readers.has(response) || response.write(event)) continue
      if (!(await drained(response))) return drop(response, 'too slow')
    }
  }

  const counts = (): Map<string, number> => {
    const found = new Map<string, number>()
    for (const { address } of readers.values()) found.set(address, (found.get(address) ?? 0) + 1)
    return found
  }
  /** The oldest reader of the address with most, when that has more than `address` would have with one more. */
  const spare = (address: string): ServerResponse | null => {
    const byAddress = counts()
    const most = Math.max(...byAddress.values())
    if (most <= (byAddress.get(address) ?? 0) + 1) return null
    for (const [response, reader] of readers) if (byAddress.get(reader.address) === most) return response
    return null
  }

  return {
    readers: () => readers.size,
    hasRoom: (address) => {
      const addressMax = address === 'loopback' ? readersOfLoopbackMax : readersOfAddressMax
      if ((counts().get(address) ?? 0) >= addressMax) return false
      return readers.size < readersMax || spare(address) !== null
    },
    serve: (response, subscription) => {
      const oldest = readers.size < readersMax ? null : spare(subscription.address)
      if (oldest !== null) drop(oldest, 'room for a reader of another address')
      const reader: Reader = { address: subscription.address, queue: [], last: null, wake: () => undefined }
      // Counted before anything can fail: whatever is thrown from here on ends the connection.
      readers.set(response, reader)
      response.on('close', () => {
        readers.delete(response)
        reader.wake()
      })
      pump(response, reader, subscription).catch((error: unknown) => {
        log?.warn({ err: error }, 'a reader of the stream could not be served')
        drop(response, 'a report could not be read')
      })
    },
    close: () => {
      stop()
      clearInterval(heartbeat)
      for (const response of readers.keys()) response.destroy()
      readers.clear()
    },
  }
}

/** Slots stored after `after` and the times of those left out; null when `after` is unknown here: pruned, or a stranger's. */
async function missed(
  view: NodeView,
  takeTurn: () => Promise<void>,
  after: Slot,
): Promise<{ slots: readonly Slot[]; gap: { readonly fromMs: number; readonly toMs: number } | null } | null> {
  await takeTurn()
  const known = view.store.bySlot(after)
  if (known === null) return null
  const keptMax = Math.max(1, Math.min(resumeMax, Math.floor(resumeBytesMax / view.kernel.layout.bytesMax)))
  const span = { fromMs: known.attestedAtMs + 1, limit: keptMax + 1, reverse: true }
  const found = await readHistory(view, takeTurn, span, () => null)
  const kept = found.slice(0, keptMax).reverse()
  const gap = found.length > keptMax ? { fromMs: span.fromMs, toMs: kept[0]!.attestedAtMs - 1 } : null
  return { slots: kept.map(({ epoch, round }) => ({ epoch, round })), gap }
}

function isSame(a: Slot, b: Slot): boolean {
  return a.epoch === b.epoch && a.round === b.round
}

/** Whether the reader made room in time. */
function drained(response: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (isRoomy: boolean): void => {
      clearTimeout(timer)
      response.off('drain', onDrain)
      response.off('close', onClose)
      resolve(isRoomy)
    }
    const onDrain = (): void => end(true)
    const onClose = (): void => end(false)
    const timer = setTimeout(() => end(false), drainMs)
    response.on('drain', onDrain)
    response.on('close', onClose)
  })
}
