// The clock of a replay: an oracle that lives in the time of recorded data, step by step, beside its peers.

import { request } from 'undici'
import type { Clock } from '../base/clock.js'
import { readClock } from '../base/clock.js'

/** The wall clock of a step runs at most this far, ms: a report of a step falls into its minute. */
const stepMsMax = 59_999

export interface ReplayParts {
  /** Where the replay serves its clock (docs/demo.md). */
  readonly url: string
  /** This oracle's name. */
  readonly oracle: string
  /** Told while the replay cannot be reached, once for each spell. */
  readonly onWait: (sentence: string) => void
}

export interface Step {
  readonly step: number
  readonly nowMs: number
}

export interface ReplayClock {
  readonly clock: Clock
  /** Time of receipt while a step is being read. */
  readonly receiptMs: () => number
  /** Moves the clock to a step's time. */
  readonly flip: (step: Step) => void
  /** Takes the newest step as often as there is one: `take` reads, flips and reports, then the replay is told. */
  readonly run: (take: (step: Step) => Promise<void>) => void
  readonly close: () => void
}

/** Connects to a replay; resolves with the first step, at whose time the clock stands. */
export async function connectReplay({ url, oracle, onWait }: ReplayParts): Promise<ReplayClock> {
  const stop = new AbortController()
  let newest: Step | null = null
  let wake: () => void = () => undefined
  let base: { wallMs: number; steadyMs: number } | null = null
  let receiptMs = 0

  const listen = async (): Promise<void> => {
    let isWaiting = false
    while (!stop.signal.aborted) {
      try {
        const address = `${url}?oracle=${encodeURIComponent(oracle)}`
        const { statusCode, body } = await request(address, { signal: stop.signal, bodyTimeout: 0 })
        if (statusCode !== 200) throw new Error(`status ${statusCode}`)
        for await (const line of linesOf(body)) {
          const step = stepOf(line)
          if (step === 'end' && newest !== null) return
          if (step === 'end' || step === null) continue
          isWaiting = false
          newest = step
          wake()
        }
      } catch {
        // Told below; a replay that is not there yet, or no more, is waited for.
      }
      if (stop.signal.aborted) return
      if (!isWaiting) onWait(`the replay clock at ${url} does not answer; waiting for it`)
      isWaiting = true
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }
  const awaitStep = async (after: number): Promise<Step | null> => {
    while (!stop.signal.aborted && (newest === null || newest.step <= after)) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    return stop.signal.aborted ? null : newest
  }
  const flip = ({ nowMs }: Step): void => {
    base = { wallMs: nowMs, steadyMs: readClock().steadyMs }
    receiptMs = nowMs
  }
  const acknowledge = async ({ step }: Step): Promise<void> => {
    const address = `${url}/read?oracle=${encodeURIComponent(oracle)}&step=${step}`
    await request(address, { method: 'POST', signal: stop.signal }).then(({ body }) => body.dump())
  }

  void listen()
  const first = await awaitStep(-1)
  if (first !== null) flip(first)
  return {
    clock: () => {
      const { steadyMs } = readClock()
      const { wallMs, steadyMs: sinceMs } = base!
      return { wallMs: wallMs + Math.min(stepMsMax, Math.floor(steadyMs - sinceMs)), steadyMs }
    },
    receiptMs: () => receiptMs,
    flip,
    run: (take) => {
      const follow = async (): Promise<void> => {
        for (let done = -1; ; ) {
          const step = await awaitStep(done)
          if (step === null) return
          receiptMs = step.nowMs
          await take(step)
          done = step.step
          await acknowledge(step).catch(() => undefined)
        }
      }
      void follow()
    },
    close: () => {
      stop.abort()
      wake()
    },
  }
}

function stepOf(line: string): Step | 'end' | null {
  const { step, nowMs, end } = JSON.parse(line) as { step?: unknown; nowMs?: unknown; end?: unknown }
  if (end === true) return 'end'
  return Number.isSafeInteger(step) && Number.isSafeInteger(nowMs)
    ? { step: step as number, nowMs: nowMs as number }
    : null
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop()!
    if (rest.length > 65_536) throw new Error('a line of the replay clock is too long')
    yield* lines.filter((line) => line !== '')
  }
}
