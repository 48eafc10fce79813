// GET /v1/stream: reports as server-sent events. A reader holds a short queue of slots, never of bodies.

import type { ServerResponse } from 'node:http'
import type { Log } from '../base/log.js'
import type { Slot } from '../core/messages.js'
import type { Latest } from './latest.js'
import { drainMs, heartbeatMs, queueMax, readersMax, resumeBytesMax, resumeMax } from './limits.js'
import type { NodeView } from './node-view.js'
import { type Choice, createSnapshot } from './snapshot.js'
import type { TakeTurn } from './turns.js'

export interface Stream {
  readonly readers: () => number
  /** Whether one more reader may come. */
  hasRoom(): boolean
  /** Serves `response`, whose head was written, until it closes; `after` is the last slot the reader has. */
  serve(response: ServerResponse, choice: Choice, after: Slot | null): void
  close(): void
}

interface Reader {
  readonly queue: Slot[]
  /** The slot sent last. */
  last: Slot | null
  wake: () => void
}

/** Serves the reports of `view` as they come. */
export function createStream(view: NodeView, latest: Latest, takeTurn: TakeTurn, log?: Log): Stream {
  const readers = new Map<ServerResponse, Reader>()
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
    await takeTurn()
    const stored = view.store.bySlot(slot)
    return stored === null ? null : createSnapshot(view, stored).event(choice) // null: pruned meanwhile
  }

  const pump = async (response: ServerResponse, choice: Choice, reader: Reader): Promise<void> => {
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

  return {
    readers: () => readers.size,
    hasRoom: () => readers.size < readersMax,
    serve: (response, choice, after) => {
      const { slots, gap } = missed(view, latest, after)
      const reader: Reader = { queue: [...slots], last: null, wake: () => undefined }
      readers.set(response, reader)
      response.on('close', () => {
        readers.delete(response)
        reader.wake()
      })
      response.write(gap === null ? ': assay\n\n' : `event: gap\ndata: ${JSON.stringify(gap)}\n\n`)
      pump(response, choice, reader).catch((error: unknown) => {
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

/** Slots to send at once: those stored after `after`, with the times of those left out; or the newest. */
function missed(
  view: NodeView,
  latest: Latest,
  after: Slot | null,
): { slots: readonly Slot[]; gap: { readonly fromMs: number; readonly toMs: number } | null } {
  const newest = latest.current()
  const slots = newest === null ? [] : [{ epoch: newest.epoch, round: newest.round }]
  const known = after === null || newest === null ? null : view.store.bySlot(after)
  // An unknown slot was pruned or is another committee's: the reader starts afresh.
  if (known === null) return { slots, gap: null }
  const keptMax = Math.max(1, Math.min(resumeMax, Math.floor(resumeBytesMax / view.kernel.layout.bytesMax)))
  const span = { fromMs: known.attestedAtMs + 1, limit: keptMax + 1, reverse: true }
  const found = view.store.history(span, () => null)
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
