// What an adapter is: two or three pure functions that say what to ask a source and what its answer means (ADR 0010).

/** One leaf of a value as an adapter gives it: a plain decimal string for numbers, text, or a truth value. */
export type Leaf = string | boolean

/** A source's answer, normalised: checked against schemas/value/ by the host before anything uses it. */
export interface SourceReading {
  readonly value: Readonly<Record<string, Leaf>>
  /** The source's own time of this value, ms since 1970, whole; null when it gives none: receipt time counts then. */
  readonly observedAtMs: number | null
}

/** A source's answer as it came: a whole HTTP body of a 2xx reply, or one WebSocket message. */
export interface Raw {
  readonly bytes: Uint8Array
  /** Media type in lower case without parameters; empty when the source gave none. */
  readonly mediaType: string
}

/** One GET request. The host adds nothing but a user agent and `accept-encoding: identity`. */
export interface Ask {
  /** Absolute https URL on one of the adapter's hosts. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
}

/** One WebSocket subscription. */
export interface Subscription {
  /** Absolute wss URL on one of the adapter's hosts. */
  readonly url: string
  /** Text frames to be sent once the socket is open. */
  readonly messages: readonly string[]
  /** A socket silent for longer is closed and opened anew, ms. */
  readonly quietMs: number
}

/** What kind of fact a source offers; lint decides by it where the source may serve (formats.md, incidents I05, I26). */
export type SourceClass = 'spot' | 'amm-spot' | 'reference' | 'event' | 'measurement' | 'constant'

/** Enforced by the host, readable by the operator. */
export interface AdapterLimits {
  /** Host names, in lower case, that requests and redirects may reach; nothing else is. ['*']: the host of params.url. */
  readonly hosts: readonly string[]
  /** From asking to the last byte of the body. */
  readonly timeoutMs: number
  /** Longest body or message after decoding. */
  readonly bytesMax: number
  /** Requests a minute to each host, from this process. */
  readonly perMinute: number
}

/**
 * A plug-in for one source. It never touches the wire, a clock, a key or a log: it says what to ask and what the answer
 * means, and the host does the rest. An adapter has `request`, or `subscribe`, or both.
 */
export interface Adapter {
  /** The folder's name in adapters/; part of each feed's declaration. */
  readonly id: string
  /** Raised when `normalise` may answer differently to the same raw input. */
  readonly version: number
  readonly title: string
  /** Where the source documents this call. */
  readonly docs: string
  readonly class: SourceClass
  /** Names under schemas/params/ and schemas/value/, without ending. */
  readonly schemas: { readonly params: string; readonly value: string }
  readonly limits: AdapterLimits
  /** `params` were checked against the schema. Pure. */
  readonly request?: (params: Params) => Ask
  readonly subscribe?: (params: Params) => Subscription
  /**
   * The reading in `raw`; throws a SourceError (source-error.ts) on anything unfit. A message of a subscription that
   * concerns something else is null; an HTTP body never is. Pure.
   */
  readonly normalise: (raw: Raw, params: Params) => SourceReading | null
}

/** Parameters of a source, checked against the adapter's params schema; each adapter narrows them itself. */
export type Params = Readonly<Record<string, string | number | boolean>>
