// The clock of a replay: an oracle that lives in the time of recorded data, step by step, beside its peers.

import { request } from 'undici'
import type { Clock } from '../base/clock.js'
import { readClock } from '../base/clock.js'
import { earliestMs, latestMs } from '../base/plausible-time.js'

/** The wall clock of a step runs at most this far from its start, a second into the row's minute, ms: it never leaves it. */
const stepMsMax = 58_999

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
  /**
   * Takes the newest step as often as there is one: `read` asks the sources, and when every oracle has done so, `take`
   * flips and reports; the replay is told of both.
   */
  readonly run: (parts: { read: (step: Step) => Promise<void>; take: (step: Step) => Promise<void> }) => void
  readonly close: () => void
}

/** Connects to a replay; resolves with the first step, at whose time the clock stands. */
export async function connectReplay({ url, oracle, onWait }: ReplayParts): Promise<ReplayClock> {
  const stop = new AbortController()
  let newest: Step | null = null
  let gone = -1
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
          const said = wordOf(line)
          if (said === null) continue
          // A replay that is over before this oracle saw a step of it may be started anew.
          if (said === 'end' && newest !== null) return
          if (said === 'end') continue
          isWaiting = false
          if ('go' in said) gone = said.go
          else newest = said
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
  const news = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve
    })
  const awaitStep = async (after: number): Promise<Step | null> => {
    while (!stop.signal.aborted && (newest === null || newest.step <= after)) await news()
    return stop.signal.aborted ? null : newest
  }
  /** False when the replay went on without us, or this oracle stops. */
  const awaitGo = async ({ step }: Step): Promise<boolean> => {
    while (!stop.signal.aborted && gone < step && newest!.step === step) await news()
    return !stop.signal.aborted && newest!.step === step
  }
  const flip = ({ nowMs }: Step): void => {
    base = { wallMs: nowMs, steadyMs: readClock().steadyMs }
    receiptMs = nowMs
  }
  /** A replay that cannot be told is gone; `listen` waits for it to come back. */
  const tell = async (what: 'ready' | 'read', { step }: Step): Promise<void> => {
    const address = `${url}/${what}?oracle=${encodeURIComponent(oracle)}&step=${step}`
    await request(address, { method: 'POST', signal: stop.signal })
      .then(({ body }) => body.dump())
      .catch(() => undefined)
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
    run: ({ read, take }) => {
      const follow = async (): Promise<void> => {
        for (let done = -1; ; ) {
          const step = await awaitStep(done)
          if (step === null) return
          done = step.step
          receiptMs = step.nowMs
          await read(step)
          await tell('ready', step)
          if (!(await awaitGo(step))) continue
          await take(step)
          await tell('read', step)
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

/** A line of the clock; null for one that says nothing known, or a time that, once signed, could not be taken back (I-4). */
function wordOf(line: string): Step | { readonly go: number } | 'end' | null {
  let said: { readonly step?: unknown; readonly nowMs?: unknown; readonly go?: unknown; readonly end?: unknown } | null
  try {
    said = JSON.parse(line)
  } catch {
    return null
  }
  if (said?.end === true) return 'end'
  if (isWhole(said?.go)) return { go: said.go }
  const { step, nowMs } = said ?? {}
  return isWhole(step) && isWhole(nowMs) && nowMs >= earliestMs && nowMs < latestMs ? { step, nowMs } : null
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
