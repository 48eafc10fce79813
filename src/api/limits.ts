// What a stranger may ask of the API at once: every bound in one place (P14's spirit, for readers).

/** Bytes of the request line and headers together; Node answers 431 beyond. */
export const headBytesMax: number = 8 * 1024
export const connectionsMax: number = 1024
/** From the first byte to the last of a request. */
export const requestMs: number = 10_000
/** A connection without traffic is closed; the stream's heartbeats are traffic. */
export const idleMs: number = 60_000
/** Between two requests of one connection. */
export const keepAliveMs: number = 30_000
/** Entries of one answer of history. */
export const historyMax: number = 1000
/** Bytes of stored values read in one turn of the event loop, so that rounds are not held up. */
export const turnBytesMax: number = 1024 * 1024
/** Reads of old reports that may wait for their turn. */
export const waitingMax: number = 256
/** Readers of the stream at once. */
export const readersMax: number = 256
/** Of them from one address; IPv6 counts by /64. */
export const readersOfAddressMax: number = 16
/** Of them from this machine, where a proxy may speak for many. */
export const readersOfLoopbackMax: number = 192
/** Reports that a resumed stream sends again at most: the newest of those missed. */
export const resumeMax: number = 256
/** Bytes of stored values that are looked at to find them. */
export const resumeBytesMax: number = 16 * 1024 * 1024
/** Reports that may wait for one reader. */
export const queueMax: number = 512
/** How long a reader may take to make room for the next event. */
export const drainMs: number = 10_000
export const heartbeatMs: number = 15_000
/** Bytes kept of each kind of answer made from the newest report; what is beyond is made anew each time. */
export const keptBytesMax: number = 32 * 1024 * 1024
/** Old reports that are kept for those who ask for the same ones, and the bytes kept of each kind of answer of one. */
export const oldMax: number = 32
export const oldBytesMax: number = 1024 * 1024
/** How long an answer that costs a walk over all sources or feeds is given again. */
export const keptAnswerMs: number = 200
