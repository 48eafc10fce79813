// One source of the house: what it last said, what went wrong last, and whether its word may be used now.

import type { Leaf, SourceReading } from './adapter.js'
import { gravityOf, type SourceCode, SourceError } from './source-error.js'

/** How far a source's clock may run ahead of ours, ms. */
const aheadMsMax = 15_000

export interface Good {
  readonly value: Readonly<Record<string, Leaf>>
  readonly observedAtMs: number
  readonly isReceiptTime: boolean
  readonly receivedAtMs: number
  readonly latencyMs: number
}

export interface Failure {
  readonly code: SourceCode
  readonly message: string
  readonly path: string
  readonly atMs: number
}

/** What is known of one source. */
export interface SourceState {
  readonly good: Good | null
  readonly failure: Failure | null
  /** A refusal of the standing kind came after the last good reading: that reading is shown and never observed. */
  readonly isShut: boolean
  readonly goodCount: number
  readonly errors: Readonly<Partial<Record<SourceCode, number>>>
}

export const silent: SourceState = { good: null, failure: null, isShut: false, goodCount: 0, errors: {} }

/** When an answer came and how long it took, ms. */
export interface Receipt {
  readonly receivedAtMs: number
  readonly latencyMs: number
  /** Byte for byte what the source answered last. */
  readonly isRepeated: boolean
}

/**
 * The state after a schema-checked reading; a time ahead of the clock or before the last good one is refused. A source
 * without a time of its own says nothing new by repeating itself: its value keeps the time at which it first came, so a
 * frozen one grows old like any other. Pure.
 */
export function accepted(state: SourceState, reading: SourceReading, receipt: Receipt): SourceState {
  const { receivedAtMs, latencyMs, isRepeated } = receipt
  const before = state.good !== null && isRepeated && !isAhead(state.good, receivedAtMs) ? state.good : null
  const observedAtMs = reading.observedAtMs ?? before?.observedAtMs ?? receivedAtMs
  const facts = { observedAtMs, receivedAtMs }
  if (isAhead({ observedAtMs }, receivedAtMs)) {
    const message = `its time is ${observedAtMs - receivedAtMs} ms ahead of this clock`
    return refused(state, new SourceError('SOURCE_FUTURE', message, { facts }), receivedAtMs)
  }
  const { good } = state
  // A good answer from ahead of this clock was taken before the clock was set back: it holds nobody up.
  if (good !== null && observedAtMs < good.observedAtMs && !isAhead(good, receivedAtMs)) {
    const message = `its time is ${good.observedAtMs - observedAtMs} ms before that of its last answer`
    return refused(state, new SourceError('SOURCE_BACKWARDS', message, { facts }), receivedAtMs)
  }
  return {
    ...state,
    good: { value: reading.value, observedAtMs, isReceiptTime: reading.observedAtMs === null, receivedAtMs, latencyMs },
    isShut: false,
    goodCount: state.goodCount + 1,
  }
}

/** The state after a refusal; the last good reading stays beside it. Pure. */
export function refused(state: SourceState, error: SourceError, atMs: number): SourceState {
  const { code, message, path } = error
  return {
    ...state,
    failure: { code, message, path, atMs },
    isShut: state.isShut || gravityOf[code] === 'standing',
    errors: { ...state.errors, [code]: (state.errors[code] ?? 0) + 1 },
  }
}

/** Whether the last good reading may be used at `nowMs`. */
export function isFresh({ good, isShut }: SourceState, maxAgeS: number, nowMs: number): boolean {
  return good !== null && !isShut && nowMs - good.observedAtMs <= maxAgeS * 1000 && !isAhead(good, nowMs)
}

function isAhead({ observedAtMs }: Pick<Good, 'observedAtMs'>, nowMs: number): boolean {
  return observedAtMs > nowMs + aheadMsMax
}
