// Fault evidence: two contradicting signed messages of one member, kept as the frames that carried them.

import { appendFileSync, statSync } from 'node:fs'
import { toHex } from '../core/bytes.js'

/** One conviction; anyone with the committee document can verify both frames. */
export interface Evidence {
  readonly member: string
  readonly kind: string
  readonly epoch: number
  readonly round: number
  readonly seenAtMs: number
  readonly frames: readonly [Uint8Array, Uint8Array]
}

/** More than this proves nothing new; a liar must fill neither the disk nor memory. */
const fileBytesMax = 64 * 1024 * 1024
const perMemberMax = 100

/**
 * Appends evidence to a file of JSON lines, once for each member, kind and slot, at most 100 times a member between two
 * starts; false when it was known, there is enough or the disk refuses: evidence is worth less than going on.
 */
export function createEvidenceFile(path: string): (evidence: Evidence) => boolean {
  const knownOf = new Map<string, Set<string>>()
  return (evidence) => {
    const { member, kind, epoch, round, seenAtMs, frames } = evidence
    const known = knownOf.get(member) ?? new Set()
    const key = `${kind} ${epoch}/${round}`
    if (known.has(key) || known.size >= perMemberMax) return false
    knownOf.set(member, known.add(key))
    const line = JSON.stringify({ member, kind, epoch, round, seenAtMs, frames: frames.map(toHex) })
    try {
      const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
      if (size + line.length > fileBytesMax) return false
      appendFileSync(path, `${line}\n`, { mode: 0o600 })
      return true
    } catch {
      return false
    }
  }
}
