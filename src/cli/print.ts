// How the command line speaks: sentences for people, JSON lines for scripts, colours only on a terminal.

import { errorCodes } from '../base/error-codes.js'
import { OracleError } from '../base/errors.js'
import { toJson } from '../base/to-json.js'
import { isoTime } from '../core/iso-time.js'
import type { OracleEvent } from '../oracle-event.js'
import { counted, presentSlot } from './present.js'
import { createChainPresenter } from './present-chain.js'
import { typeable } from './shipped.js'

export interface Printer {
  readonly event: (event: OracleEvent) => void
  /** A line for people; nothing with --json. */
  readonly say: (text: string) => void
  /** The result of a command: JSON with --json, the text otherwise. */
  readonly result: (value: unknown, text: string) => void
  /** An error on standard error, in the form asked for. */
  readonly error: (error: unknown) => void
}

/** At most one line of a report each this long, for people. */
const reportEveryMs = 900

/** A printer to standard output; `isJson` writes one JSON object a line. */
export function createPrinter(isJson: boolean, isTerminal: boolean): Printer {
  const paint = (code: number, text: string): string => (isTerminal ? `\u001b[${code}m${text}\u001b[0m` : text)
  const line = (text: string): void => void process.stdout.write(`${text}\n`)
  const onChain = createChainPresenter(paint)
  let shownAtMs = -Infinity
  let unshown = 0

  const describe = (event: OracleEvent): string | null => {
    switch (event.event) {
      case 'started':
        return `${paint(1, event.member)} ${event.address} listens on ${event.listen} (${counted(event.feeds, 'feed')}, ${event.engine} curve code)`
      case 'serving':
        return `API at ${event.url}`
      case 'session':
        return `${event.peer} ${event.state === 'up' ? paint(32, 'connected') : paint(33, `lost (${event.reason})`)}`
      case 'report': {
        unshown++
        if (performance.now() - shownAtMs < reportEveryMs) return null
        const more = unshown > 1 ? `, ${unshown} since the last line` : ''
        shownAtMs = performance.now()
        unshown = 0
        const signers = `${counted(event.signers.length, 'signature')} of ${counted(event.members, 'member')}`
        return `${presentSlot(event)}  ${signers}, ${event.values} of ${counted(event.feeds, 'feed')} have a value, ${event.latencyMs} ms${more}`
      }
      case 'stalled':
        return event.reasons.map((reason) => `${paint(33, 'no report')}: ${reason.sentence}`).join('\n          ')
      case 'resumed':
        return paint(32, 'reports go on')
      case 'signing': {
        if (event.code === null) return paint(32, 'signing again')
        return `${paint(31, 'nothing is signed')}: ${event.code}. ${typeable(errorCodes[event.code as keyof typeof errorCodes] ?? '')}`
      }
      case 'halted':
        return `${paint(31, 'halted')}: ${event.code}. ${typeable(event.advice)}`
      case 'warning':
        return `${paint(33, 'warning')}: ${event.sentence}`
      case 'stopped':
        return 'stopped'
      default:
        return onChain(event)
    }
  }

  return {
    event: (event) => {
      if (isJson) return line(toJson(event))
      const text = describe(event)
      if (text !== null) line(`${new Date().toISOString().slice(11, 19)}  ${text}`)
    },
    say: (text) => (isJson ? undefined : line(text)),
    result: (value, text) => line(isJson ? toJson(value) : text),
    error: (error) => {
      if (!(error instanceof OracleError)) throw error
      const { code, message, path, facts } = error
      const advice = typeable(errorCodes[code])
      if (isJson) process.stderr.write(`${toJson({ error: { code, message, path, facts, advice } })}\n`)
      else process.stderr.write(`${visible(`${code}: ${inWords(message)}${placeOf(path, message)}`)}\n${advice}\n`)
    },
  }
}

/** A message with its times, which the core writes as ms since 1970, as people read them. */
function inWords(message: string): string {
  return message.replace(/(?<=\b(?:until|is) )\d{13}\b/g, (ms) => isoTime(Number(ms)))
}

/** The place, unless the message names it already. */
function placeOf(path: string, message: string): string {
  return path === '' || message.includes(path) ? '' : ` (at ${path})`
}

/** A stranger's document may hold terminal commands in its names: they are shown, not obeyed. */
function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
