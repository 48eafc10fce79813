// What a job's id says: the same for the same bundles of the same report to the same store, so that none is done twice.

import { fromHex } from '../core/bytes.js'

/** What a push is known by, also after a restart. */
export interface JobIdentity {
  /** Id of the target. */
  readonly target: string
  /** T of the report. */
  readonly attestedAtMs: number
  readonly bundles: readonly number[]
}

/** `31337/0x…/T/bundle+bundle`, the bundles by index. */
export function jobId({ target, attestedAtMs, bundles }: JobIdentity): string {
  return `${target}/${attestedAtMs}/${[...bundles].sort((a, b) => a - b).join('+')}`
}

/** What `jobId` was made of; null for any other text. */
export function parseJobId(id: string): JobIdentity | null {
  const [chain, store, time, bundles, ...rest] = id.split('/')
  if (rest.length > 0 || fromHex(store ?? '', 20) === null) return null
  const numbers = [chain, time, ...(bundles ?? '').split('+')]
  if (!numbers.every((text) => /^(?:0|[1-9][0-9]{0,14})$/.test(text ?? ''))) return null
  return { target: `${chain}/${store}`, attestedAtMs: Number(time), bundles: bundles!.split('+').map(Number) }
}
