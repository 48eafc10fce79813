// How long a piece of work on the wire may last: until its deadline, its caller or the whole wire calls it off.

import { setMaxListeners } from 'node:events'
import { SourceError } from './source-error.js'

export interface Scope {
  /** Aborts with a SourceError as its reason. */
  readonly signal: AbortSignal
  /** To be called when the work is over. */
  end(): void
}

export interface Scopes {
  /** A scope that ends with `outer`, and after `timeoutMs` unless that is null; `what` names the work in messages. */
  begin(what: string, outer: AbortSignal, timeoutMs: number | null): Scope
  /** Ends all scopes, and all that begin later, with SOURCE_UNREACHABLE. */
  close(): void
}

/** The result of `work`, unless `signal` aborts first: then its reason is thrown at once, and the work goes unheard. */
export async function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let leave: () => void = () => {}
  const left = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason)
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
  })
  try {
    return await Promise.race([work, left])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

/** Scopes of one wire. */
export function createScopes(): Scopes {
  const live = new Set<AbortController>()
  let isClosed = false
  const closed = (): SourceError => new SourceError('SOURCE_UNREACHABLE', 'the wire to sources is closed')

  return {
    begin(what, outer, timeoutMs) {
      const controller = new AbortController()
      // One signal may call off any number of requests; Node would warn of the eleventh.
      setMaxListeners(0, outer)
      const callOff = (): void => {
        const { reason } = outer
        const off = new SourceError('SOURCE_TIMEOUT', `${what} was called off`, { cause: reason })
        controller.abort(reason instanceof SourceError ? reason : off)
      }
      const late = (): void =>
        controller.abort(
          new SourceError('SOURCE_TIMEOUT', `${what} took more than ${timeoutMs} ms`, { facts: { timeoutMs } }),
        )
      const timer = timeoutMs === null ? undefined : setTimeout(late, timeoutMs)
      outer.addEventListener('abort', callOff, { once: true })
      live.add(controller)
      if (outer.aborted) callOff()
      if (isClosed) controller.abort(closed())
      return {
        signal: controller.signal,
        end() {
          clearTimeout(timer)
          outer.removeEventListener('abort', callOff)
          live.delete(controller)
        },
      }
    },
    close() {
      isClosed = true
      for (const controller of live) controller.abort(closed())
    },
  }
}
