// Fault evidence: two contradicting signed messages of one member, kept so that anyone can verify both.

import { appendFileSync } from 'node:fs'
import type { TypedMessage } from '../core/evidence.js'

/** One conviction, as a line of JSON; each message verifies against the member's address by EIP-712. */
export interface Evidence {
  readonly member: string
  readonly kind: string
  readonly epoch: number
  readonly round: number
  readonly seenAtMs: number
  readonly messages: readonly [TypedMessage, TypedMessage]
}

/** More than this proves nothing new; a liar must fill neither the disk nor memory. */
const perMemberMax = 100

/**
 * Appends evidence to a file of JSON lines, once for each member, kind and slot, at most 100 times a member between two
 * starts; `messages` is asked for only then. False when it was known, there is enough, or the disk refuses: evidence is
 * worth less than going on.
 */
export function createEvidenceFile(
  path: string,
): (head: Omit<Evidence, 'messages'>, messages: () => Evidence['messages']) => boolean {
  const knownOf = new Map<string, Set<string>>()
  return (head, messages) => {
    const known = knownOf.get(head.member) ?? new Set()
    const key = `${head.kind} ${head.epoch}/${head.round}`
    if (known.has(key) || known.size >= perMemberMax) return false
    knownOf.set(head.member, known.add(key))
    try {
      appendFileSync(path, `${JSON.stringify({ ...head, messages: messages() })}\n`, { mode: 0o600 })
      return true
    } catch {
      return false
    }
  }
}
