// The gas that a transaction's data costs on a rollup that takes it as gas (Arbitrum), added to a job before it is sent.

import { Interface } from 'ethers'
import { lowerMedian } from './answers.js'
import { callOf, type Question } from './questions.js'
import type { RpcQuorum } from './rpc-quorum.js'
import type { Job } from './sender-state.js'

/** Arbitrum's NodeInterface: no contract in the state, answered by the node itself (its documentation, "NodeInterface"). */
const nodeInterface = '0x00000000000000000000000000000000000000c8'
const nodeAbi = new Interface([
  'function gasEstimateL1Component(address to, bool contractCreation, bytes data) returns (uint64 gasEstimateForL1, uint256 baseFee, uint256 l1BaseFeeEstimate)',
])
/** The price of data moves from block to block: half as much again outlasts what its formula allows in a minute. */
const margin = { numerator: 3n, denominator: 2n }

/** More than any block of Arbitrum holds. */
const dataGasMax = 32_000_000n

/** `job` with a gas limit that includes its data; the same job on chains that take no gas for it. CHAIN_NO_QUORUM. */
export async function withDataGas(quorum: Pick<RpcQuorum, 'profile' | 'head' | 'opinions'>, job: Job): Promise<Job> {
  if (quorum.profile.feeModel !== 'arbitrum') return job
  const opinions = await quorum.opinions(dataGasOf(job), await quorum.head())
  const dataGas = (lowerMedian(opinions) * margin.numerator) / margin.denominator
  return { ...job, gasLimit: job.gasLimit + dataGas }
}

/** An estimate, so an opinion: the middle of several. */
function dataGasOf({ to, data }: Job): Question<bigint> {
  const call = callOf(nodeInterface, nodeAbi.encodeFunctionData('gasEstimateL1Component', [to, false, data]))
  return {
    ...call,
    name: 'gas for data',
    parse: (answer) => {
      const [gas] = nodeAbi.decodeFunctionResult('gasEstimateL1Component', call.parse(answer).data)
      if (gas > dataGasMax) throw new Error('an estimate of gas for data is beyond reason')
      return gas as bigint
    },
    refused: (error) => {
      throw error
    },
  }
}
