// What can be wrong with one answer of one endpoint; the quorum judges it, nobody else sees it.

/**
 * timeout, unreachable, status (not 2xx), body (no JSON object, or too long), shape (not what the method answers), busy
 * (rate limit within JSON-RPC): the endpoint fails. refused: a JSON-RPC error, which is an answer of a kind.
 */
export type EndpointFault = 'timeout' | 'unreachable' | 'status' | 'body' | 'shape' | 'busy' | 'refused'

/** One answer that could not be used. Its message never holds the endpoint's URL, which may hold a key. */
export class EndpointError extends Error {
  readonly fault: EndpointFault
  /** How long the endpoint asked to be left alone. */
  readonly restMs: number
  readonly rpcCode: number | null
  /** Data of a JSON-RPC error: what a reverted call returned. */
  readonly data: unknown

  constructor(
    fault: EndpointFault,
    message: string,
    more: { restMs?: number; rpcCode?: number | null; data?: unknown } = {},
  ) {
    super(message)
    this.name = 'EndpointError'
    this.fault = fault
    this.restMs = more.restMs ?? 0
    this.rpcCode = more.rpcCode ?? null
    this.data = more.data
  }
}

/** `text` of a stranger in one line of at most `length` printable characters. */
export function tame(text: string, length = 160): string {
  const line = text.replace(/[^\x20-\x7e]+/g, ' ').trim()
  return line.length > length ? `${line.slice(0, length)}…` : line
}
