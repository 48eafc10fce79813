// Which frames must leave fault evidence behind: a second, different signed message of one slot, where the first is held.

import { equalBytes } from '../../src/core/bytes.js'
import { gatheringOf } from '../../src/core/gatherings.js'
import type { State } from '../../src/core/state.js'
import { decodeFrame } from '../../src/network/wire.js'
import { digestOfDraft } from './craft.js'
import type { Stage } from './stage.js'

/** Whether an oracle in `state` that is brought `frame` by `from` has to store evidence against `from` (B01, B09). */
export function contradicts(stage: Stage, state: State, from: number, frame: Uint8Array): boolean {
  const { engine, now, keys } = stage.cast
  const decoded = decodeFrame(now.committee.digest, now.committee.thresholds.n, from, frame)
  if ('fault' in decoded || state.halted !== null) return false
  const { message } = decoded
  if (message.kind === 'attestation') {
    const held = gatheringOf(state, message)?.attestations[message.member]
    if (!held) return false
    const digest = digestOfDraft(engine, now, message)
    return !equalBytes(held.digest, digest) && isBy(digest, message.signature)
  }
  if (message.kind === 'observation') {
    const open = state.lead?.collecting.find((collecting) => collecting.round === message.round)
    const held = open?.observations[message.member]
    if (!held || message.epoch !== state.epoch) return false
    const digest = digestOfDraft(engine, now, message)
    return !equalBytes(held.digest, digest) && isBy(digest, message.signature)
  }
  return false

  function isBy(digest: Uint8Array, signature: Uint8Array): boolean {
    const address = engine.recover(digest, signature)
    return address !== null && equalBytes(address, engine.addressOf(keys[from]!))
  }
}
