// What the sender of a key asks of a chain, answered by the quorum of its endpoints.

import { lowerMedian } from './answers.js'
import { balanceOf, nonceOf, tipOf } from './questions.js'
import type { RpcQuorum } from './rpc-quorum.js'
import type { SenderRpc } from './sender.js'

/** The sender's view of `quorum`: all but the tip is what a quorum says at the block. */
export function createSenderRpc(quorum: RpcQuorum): SenderRpc {
  return {
    async head() {
      const { number, hash, baseFee } = await quorum.head()
      return { number, hash, baseFeePerGas: baseFee ?? 0n }
    },
    count: (address, head) => quorum.read(nonceOf(address), head),
    balance: (address, head) => quorum.read(balanceOf(address), head),
    // The middle of several opinions: one endpoint that lies moves it no further than another one's.
    tip: async (head) => lowerMedian(await quorum.opinions(tipOf(), head)),
    async receipt(hash, head) {
      const found = await quorum.receipt(hash, head)
      if (found === null) return null
      const { blockNumber, blockHash, succeeded, gasUsed, effectiveGasPrice, dataFee } = found.receipt
      const paidWei = gasUsed * effectiveGasPrice + dataFee
      return { hash, blockNumber, blockHash, isSuccess: succeeded, gasUsed, paidWei }
    },
    async send(raw) {
      const { accepted, refusal, outcomes } = await quorum.send(raw)
      if (accepted) return outcomes.some(({ outcome }) => outcome === 'taken') ? 'taken' : 'known'
      // Reasons that no quorum shares are the word of one: it may be in or not, as if nobody had answered.
      return refusal ?? 'gone'
    },
  }
}
