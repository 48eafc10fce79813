// What contracts say, decoded without trust: an endpoint, or another contract at the address, may answer any bytes.

import type { Interface, Result } from 'ethers'
import type { Log } from './answers.js'
import { IReportVerifier__factory } from './generated/factories/IReportVerifier__factory.js'

/** Of errors that pass through stores and hubs unchanged. */
const verifier = IReportVerifier__factory.createInterface()

/** The name of the error that a call reverted with, or what its data begins with where neither `face` nor a verifier has it. */
export function revertOf(face: Interface, data: string): string {
  const name = [face, verifier].map((known) => tried(() => known.parseError(data)?.name)).find((found) => found)
  return name ?? `reverts with ${data === '0x' ? 'no data' : data.slice(0, 10)}`
}

/** What the event `name` holds in `log`, read by `read`; null for what is no such event. */
export function eventOf<T>(face: Interface, name: string, log: Log, read: (fields: Result) => T): T | null {
  return tried(() => read(face.decodeEventLog(name, log.data, log.topics)))
}

/** What `name` returned, read by `read`; null for what is no such answer. */
export function resultOf<T>(face: Interface, name: string, data: string, read: (fields: Result) => T): T | null {
  return tried(() => read(face.decodeFunctionResult(name, data)))
}

/** Fields are decoded as late as they are read: `action` is all that touches them. */
function tried<T>(action: () => T): T | null {
  try {
    return action()
  } catch {
    return null
  }
}
