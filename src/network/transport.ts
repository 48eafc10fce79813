// The port between the node and its peers: opaque frames in and out, sessions up and down, everything bounded and counted.

/**
 * Versions of the frame format that this build speaks. A frame is 1 byte version, 1 byte kind, then the body; one
 * version back is understood (P14).
 */
export const wireVersions: { readonly min: number; readonly max: number } = { min: 1, max: 1 }

/** Kinds that belong to the transport; all others belong to the protocol and are named in wire.ts. */
export const transportKinds: { readonly hello: 0; readonly close: 254; readonly ping: 255 } = {
  hello: 0,
  close: 254,
  ping: 255,
}

/**
 * Why a session ended or never began, with its number in a close frame; the numbers never change. Those from 128 up
 * are seen by one side only and are never sent.
 */
export const closeCodes = {
  CLOSING: 1, // the peer stops on purpose
  COMMITTEE_MISMATCH: 2, // the two hold different committee documents (D)
  SESSION_EXISTS: 3, // this key has a live session already: two processes may be using one key
  IDENTITY_MISMATCH: 4, // the index in the hello is not that of the key, or the role is not its own
  VERSION_MISMATCH: 5, // no common version of the frame format
  KEY_UNKNOWN: 6, // the TLS key is not the expected member's
  HELLO_INVALID: 7, // the first frame is not a well-formed hello
  FRAME_TOO_SHORT: 8, // a length of 0 or 1: no room for version and kind
  FRAME_TOO_LARGE: 9, // the length is above the cap of its kind
  FRAME_TOO_SLOW: 10, // a frame did not complete within frameMs
  KIND_UNKNOWN: 11,
  VERSION_UNKNOWN: 12,
  CONTROL_INVALID: 13, // a malformed or misplaced hello, ping or close
  IDLE: 14, // nothing heard for idleMs
  REPLACED: 15, // a newer session of the same key took the place of a dead one
  ALPN_MISMATCH: 16,
  CONNECT_FAILED: 128, // no TCP connection: refused, unreachable, name unknown
  CONNECTION_LOST: 129, // ended without a close frame
  HANDSHAKE_TIMEOUT: 130, // not up within handshakeMs
  HANDSHAKE_EVICTED: 131, // too many pending connections: the oldest of the busiest address made room
  TLS_FAILED: 132, // the TLS handshake or a record was refused
  ACCEPT_FAILED: 133, // the operating system gave no socket, for example EMFILE
} as const

export type CloseReason = keyof typeof closeCodes

/** What was lost or held back: a closed session, or frames. THROTTLED counts pauses of a reader, not lost frames. */
export type DropReason = CloseReason | 'NOT_CONNECTED' | 'QUEUE_FULL' | 'THROTTLED'

/** Bounds of one transport, derived from the committee document so that all members agree on them (P14). */
export interface TransportLimits {
  /** Largest frame of `kind`, version and kind bytes included; 0: no such kind, refused. Never asked for transportKinds. */
  frameBytesMax(kind: number): number
  /** Inbound, for each session; a burst of one second is allowed. */
  readonly framesPerS: number
  readonly bytesPerS: number
  /** Outbound queue of each peer; must hold the largest frame. */
  readonly queueBytesMax: number
  /** A frame completes within this time after its first byte, pauses made by this side not counted. */
  readonly frameMs: number
  /** From connection to accepted hello, name lookup and TLS included. */
  readonly handshakeMs: number
  /** Connections that have not proved who they are, and TLS handshakes begun a second. */
  readonly handshakesMax: number
  /** A live session answers a ping within this time, or a newcomer with the same key replaces it. */
  readonly livenessMs: number
  readonly keepaliveMs: number
  readonly idleMs: number
  readonly reconnectMinMs: number
  readonly reconnectMaxMs: number
}

/** Time as an argument: monotonic milliseconds, and actions to run later; the returned function cancels one. */
export interface Scheduler {
  nowMs(): number
  after(delayMs: number, action: () => void): () => void
}

/** One peer as an operator sees it. */
export interface SessionStatus {
  readonly member: number
  readonly state: 'up' | 'down'
  /** Why it is down, or was last; null when it never was up nor tried. */
  readonly reason: CloseReason | null
  /** Who ended it. */
  readonly by: 'us' | 'peer' | null
  /** When it came to this state, by the scheduler's clock. */
  readonly sinceMs: number
  readonly queuedBytes: number
  /** Version of the frame format both speak; 0 while down. */
  readonly version: number
}

/** What the transport tells its owner; called in order; only onDrop is called from inside send(). An exception stops the process. */
export interface TransportEvents {
  /** One whole frame; `from` is proved by TLS; the bytes are the receiver's to keep. Kind, version and size are checked. */
  onFrame(from: number, frame: Uint8Array): void
  /** Strictly alternating for each member, beginning with 'up', whose reason is null. */
  onSession(member: number, state: 'up' | 'down', reason: CloseReason | null): void
  /** `count` events (1 unless said) of one member, or of an unknown peer (null). */
  onDrop(member: number | null, reason: DropReason, count?: number): void
}

/** Frames between the members of one committee. */
export interface Transport {
  /** Resolves once peers can reach this member; sessions come up later. Rejects with NETWORK_LISTEN_FAILED. */
  start(events: TransportEvents): Promise<void>
  /**
   * Queues a frame, which must not change afterwards, for a peer; false and counted when there is no session. A full
   * queue drops its oldest frames. Sending to oneself, to nobody, or above the caps is a programmer's error.
   */
  send(to: number, frame: Uint8Array): boolean
  /** A frame of this peer was provably bad: it costs the peer a quarter of a second's worth of frames (P14). */
  charge(from: number): void
  sessions(): readonly SessionStatus[]
  /** Drops since start, by reason. */
  counters(): Readonly<Partial<Record<DropReason, number>>>
  /** Ends every session with CLOSING and leaves nothing open; onSession 'down' is told first. */
  close(): Promise<void>
}
