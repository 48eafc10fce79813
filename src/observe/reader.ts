// One source that is asked once for all feeds that use it: asks, normalises and checks, and says how it stands.

import { setTimeout } from 'node:timers/promises'
import { checkSchema } from '../schema/check.js'
import { validators } from '../schema/generated/validators.js'
import type { Adapter, AdapterLimits, Params, Raw, SourceReading } from './adapter.js'
import { accepted, refused, type SourceState, silent } from './source.js'
import { SourceError } from './source-error.js'
import type { SourceWire } from './wire.js'

export interface ReaderParts {
  readonly adapter: Adapter
  readonly params: Params
  readonly wire: SourceWire
  /** Time of receipt, ms since 1970: in a replay that of the step being read. */
  readonly nowMs: () => number
  /** Called after each answer and each refusal. */
  readonly onChange: () => void
}

export interface Reader {
  readonly state: () => SourceState
  /** Asks once; a call while one is under way joins it. Never rejects. */
  readonly ask: () => Promise<void>
  /** Listens to the subscription until closed, and opens it anew after each end. */
  readonly listen: () => void
  readonly close: () => void
}

const reopenMs = { first: 1000, most: 30_000 } as const

/** A reader of one (adapter, params). */
export function createReader({ adapter, params, wire, nowMs, onChange }: ReaderParts): Reader {
  const stop = new AbortController()
  const limits = limitsFor(adapter, params)
  let state = silent
  let last: Uint8Array | null = null
  let asking: Promise<void> | null = null

  const take = (raw: Raw, latencyMs: number): boolean => {
    const reading = read(adapter, raw, params)
    if (reading === null) return false
    const isRepeated = last !== null && Buffer.compare(last, raw.bytes) === 0
    // Kept only where it is compared: a body may have a megabyte.
    last = reading.observedAtMs === null ? raw.bytes : null
    state = accepted(state, reading, { receivedAtMs: nowMs(), latencyMs, isRepeated })
    onChange()
    return true
  }
  const fail = (error: unknown): void => {
    if (stop.signal.aborted) return
    state = refused(state, asSourceError(error), nowMs())
    onChange()
  }
  const askOnce = async (): Promise<void> => {
    try {
      const { raw, latencyMs } = await wire.get(adapter.request!(params), limits, stop.signal)
      if (!stop.signal.aborted) take(raw, latencyMs)
    } catch (error) {
      fail(error)
    }
  }
  const listenOn = async (): Promise<void> => {
    let waitMs: number = reopenMs.first
    while (!stop.signal.aborted) {
      try {
        for await (const raw of wire.open(adapter.subscribe!(params), limits, stop.signal)) {
          try {
            if (take(raw, 0)) waitMs = reopenMs.first
          } catch (error) {
            fail(error)
          }
        }
        fail(new SourceError('SOURCE_UNREACHABLE', 'the stream ended'))
      } catch (error) {
        fail(error)
        // Who floods is not asked again soon, however good its first word was.
        if (error instanceof SourceError && error.code === 'SOURCE_RATE_LIMITED') waitMs = reopenMs.most
      }
      await pause(waitMs, stop.signal)
      waitMs = Math.min(2 * waitMs, reopenMs.most)
    }
  }

  return {
    state: () => state,
    ask: () => {
      asking ??= askOnce().finally(() => {
        asking = null
      })
      return asking
    },
    listen: () => void listenOn(),
    close: () => stop.abort(),
  }
}

/** The checked reading of a raw answer; null where a message concerns something else. Throws SourceError. */
export function read(adapter: Adapter, raw: Raw, params: Params): SourceReading | null {
  const reading = adapter.normalise(raw, params)
  if (reading === null) return null
  const validate = validators[`value/${adapter.schemas.value}`]
  if (validate === undefined) throw new Error(`schemas/value/${adapter.schemas.value}.json is missing`)
  checkSchema(validate, reading.value, 'SOURCE_DRIFT')
  const { observedAtMs } = reading
  if (observedAtMs !== null && !(Number.isSafeInteger(observedAtMs) && observedAtMs >= 0 && observedAtMs < 2 ** 48))
    throw new SourceError('SOURCE_VALUE_INVALID', 'its time is no time in ms since 1970')
  return reading
}

/** An adapter whose host is a parameter allows exactly the host of its url. */
export function limitsFor(adapter: Adapter, params: Params): AdapterLimits {
  if (!adapter.limits.hosts.includes('*')) return adapter.limits
  const url = adapter.request?.(params).url ?? adapter.subscribe?.(params).url ?? ''
  return { ...adapter.limits, hosts: [new URL(url).hostname] }
}

function asSourceError(error: unknown): SourceError {
  if (error instanceof SourceError) return error
  // checkSchema speaks with the house's error: its code is one of a source's.
  const { code, message, path } = error as { code?: string; message: string; path?: string }
  if (code === 'SOURCE_DRIFT') return new SourceError('SOURCE_DRIFT', message, { path: path ?? '' })
  // A fault in one adapter's code must not end an oracle that has others.
  return new SourceError('SOURCE_DRIFT', `the adapter cannot read it: ${message}`, { cause: error })
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return setTimeout(ms, undefined, { signal }).catch(() => undefined)
}
