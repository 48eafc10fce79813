// Whether a rollup's sequencer is up, by Chainlink's feed for it: while it is down, or just back, nothing is sent.

import { OracleError } from '../base/errors.js'
import type { Block } from './answers.js'
import { callOf } from './questions.js'
import type { RpcQuorum } from './rpc-quorum.js'

/** latestRoundData(): roundId, answer (0 up, 1 down), startedAt (seconds, of the last change), updatedAt, answeredInRound. */
const latestRoundData = '0xfeaf968c'

/** CHAIN_SEQUENCER_DOWN unless the feed says at block `at` that the sequencer is up and has been for the grace period. */
export async function requireSequencer(quorum: RpcQuorum, at: Block): Promise<void> {
  const { name, sequencerFeed } = quorum.profile
  if (sequencerFeed === null) return
  const { reverted, data } = await quorum.read(callOf(sequencerFeed.address, latestRoundData), at)
  const down = (why: string): OracleError =>
    new OracleError('CHAIN_SEQUENCER_DOWN', `${name}: ${why}`, { facts: { chain: name, block: at.number } })
  if (reverted || data.length !== 2 + 5 * 64) throw down('the sequencer feed gives no answer')
  const word = (index: number): bigint => BigInt(`0x${data.slice(2 + 64 * index, 66 + 64 * index)}`)
  if (word(1) !== 0n) throw down('the sequencer is down')
  // A feed that no message has reached yet says 0 for both, which is no word on the sequencer.
  if (word(2) === 0n) throw down('the sequencer feed has not begun')
  const upMs = at.timestampMs - Number(word(2)) * 1000
  if (upMs < sequencerFeed.graceMs) throw down(`the sequencer is back since ${Math.round(upMs / 1000)} s only`)
}
