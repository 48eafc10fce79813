// The head of a frame and the transport's own frames (hello, ping, close): made, checked and read.

import { type CloseReason, closeCodes, type TransportLimits, transportKinds, wireVersions } from './transport.js'

/** First words of a session: who speaks, from which running process, about which committee. */
export interface Hello {
  readonly versionMin: number
  readonly versionMax: number
  readonly index: number
  /** D, 32 bytes. */
  readonly digest: Uint8Array
  /** 16 random bytes of this process: a process that dials again is told from another that holds the same key. */
  readonly instance: Uint8Array
}

const HELLO_BYTES = 2 + 2 + 2 + 32 + 16
const CLOSE_BYTES = 3
const PING_BYTES = 3
/** The layout of the hello stays as it is for ever, so that two versions can at least name each other. */
const HELLO_VERSION = 1

/** Why a frame of `bytes` with this head is refused; null when it may be received. `greeting`: no hello was seen yet. */
export function refuseHead(
  limits: TransportLimits,
  greeting: boolean,
  version: number,
  kind: number,
  bytes: number,
): CloseReason | null {
  if (kind === transportKinds.close) return bytes === CLOSE_BYTES ? null : 'CONTROL_INVALID'
  if (greeting) return kind === transportKinds.hello && bytes === HELLO_BYTES ? null : 'HELLO_INVALID'
  if (version < wireVersions.min || version > wireVersions.max) return 'VERSION_UNKNOWN'
  if (kind === transportKinds.ping) return bytes === PING_BYTES ? null : 'CONTROL_INVALID'
  if (kind === transportKinds.hello) return 'CONTROL_INVALID'
  const bytesMax = limits.frameBytesMax(kind)
  if (bytesMax === 0) return 'KIND_UNKNOWN'
  return bytes > bytesMax ? 'FRAME_TOO_LARGE' : null
}

/** Throws a plain Error for a frame that this member must never send: no peer would take it. */
export function assertSendable(limits: TransportLimits, frame: Uint8Array): void {
  const refusal = frame.length < 2 ? 'FRAME_TOO_SHORT' : refuseHead(limits, false, frame[0]!, frame[1]!, frame.length)
  const own = frame[1] === transportKinds.close || frame[1] === transportKinds.ping
  if (refusal !== null || own)
    throw new Error(`frame of kind ${frame[1]}, ${frame.length} bytes: ${refusal ?? 'kind is the transport’s'}`)
}

/** The hello as a frame. */
export function encodeHello(hello: Hello): Uint8Array {
  const frame = new Uint8Array(HELLO_BYTES)
  frame.set([
    HELLO_VERSION,
    transportKinds.hello,
    hello.versionMin,
    hello.versionMax,
    hello.index >> 8,
    hello.index & 255,
  ])
  frame.set(hello.digest, 6)
  frame.set(hello.instance, 38)
  return frame
}

/** Reads a hello of the right size; null when it is malformed. */
export function decodeHello(frame: Uint8Array): Hello | null {
  if (frame.length !== HELLO_BYTES || frame[0] !== HELLO_VERSION || frame[1] !== transportKinds.hello) return null
  const [versionMin, versionMax] = [frame[2]!, frame[3]!]
  if (versionMin < 1 || versionMin > versionMax) return null
  const index = (frame[4]! << 8) | frame[5]!
  return { versionMin, versionMax, index, digest: frame.slice(6, 38), instance: frame.slice(38, 54) }
}

/** The newest version both speak; 0 when there is none. */
export function commonVersion(hello: Hello): number {
  const version = Math.min(hello.versionMax, wireVersions.max)
  return version >= Math.max(hello.versionMin, wireVersions.min) ? version : 0
}

/** A close frame; reasons that are not sent go out as CLOSING. */
export function encodeClose(reason: CloseReason): Uint8Array {
  const code = closeCodes[reason]
  return Uint8Array.of(wireVersions.max, transportKinds.close, code < 128 ? code : closeCodes.CLOSING)
}

/** The reason in a close frame; CONTROL_INVALID when the code is not one that is sent. */
export function decodeClose(frame: Uint8Array): CloseReason {
  for (const [reason, code] of Object.entries(closeCodes))
    if (code === frame[2] && code < 128) return reason as CloseReason
  return 'CONTROL_INVALID'
}

/** A ping, or the answer to one. */
export function encodePing(answer: boolean): Uint8Array {
  return Uint8Array.of(wireVersions.max, transportKinds.ping, answer ? 1 : 0)
}
