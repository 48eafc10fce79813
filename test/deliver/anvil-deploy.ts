// The contracts on a test's anvil, and what the chain itself says of them: slots, updates and who paid what.

import { CommitteeRegistry__factory } from '../../src/chain/generated/factories/CommitteeRegistry__factory.js'
import { FeedStore__factory } from '../../src/chain/generated/factories/FeedStore__factory.js'
import { IFeedStore__factory } from '../../src/chain/generated/factories/IFeedStore__factory.js'
import type { Committee } from '../../src/core/committee.js'
import type { Anvil as WholeAnvil } from '../chain/anvil.js'

type Anvil = Pick<WholeAnvil, 'ask' | 'mine'>

/** A registry that believes the committee, and a store of it. */
export interface Deployment {
  readonly registry: string
  /** Lower case. */
  readonly store: string
}

/** What a FeedStore keeps of a feed, out of its storage and not by its own word. */
export interface Slot {
  readonly value: bigint
  /** T; 0 where nothing is. */
  readonly attestedAtMs: number
}

/** A transaction to the store, as it is in the chain. */
export interface Delivery {
  readonly hash: string
  readonly from: string
  readonly blockNumber: number
  readonly isSuccess: boolean
  readonly gasUsed: bigint
  readonly paidWei: bigint
  /** The feeds it renewed, by its event. */
  readonly updates: readonly (Slot & { readonly feedId: string })[]
}

interface RawTransaction {
  readonly hash: string
  readonly from: string
  readonly to: string | null
}

interface RawReceipt {
  readonly status: string
  readonly gasUsed: string
  readonly effectiveGasPrice: string
  readonly contractAddress: string | null
  readonly logs: readonly { readonly topics: string[]; readonly data: string }[]
}

const storeInterface = IFeedStore__factory.createInterface()

/** Deploys from anvil's first account; four blocks. */
export async function deployStore(anvil: Anvil, committee: Committee): Promise<Deployment> {
  const [from] = (await anvil.ask('eth_accounts')) as readonly string[]
  const send = async (transaction: Readonly<Record<string, unknown>>): Promise<RawReceipt> => {
    const hash = await anvil.ask('eth_sendTransaction', { from, gas: '0xf00000', ...transaction })
    await anvil.mine()
    const receipt = (await anvil.ask('eth_getTransactionReceipt', hash)) as RawReceipt | null
    if (receipt?.status !== '0x1') throw new Error('a transaction of the deployment failed')
    return receipt
  }
  const deploy = async (transaction: Promise<{ readonly data: string }>): Promise<string> =>
    (await send({ data: (await transaction).data })).contractAddress!
  const { lineage, generation, members, thresholds } = committee
  const registry = await deploy(new CommitteeRegistry__factory().getDeployTransaction(lineage, from!, from!, 86_400))
  const signers = members.map(({ address }) => address)
  const start = CommitteeRegistry__factory.createInterface()
  await send({ to: registry, data: start.encodeFunctionData('start', [generation, thresholds.f, signers]) })
  const store = await deploy(new FeedStore__factory().getDeployTransaction(registry))
  return { registry, store: store.toLowerCase() }
}

/** The slot of a feed at a block; now unless said. */
export async function slotOf(anvil: Anvil, store: string, feedId: string, at = 'latest'): Promise<Slot> {
  return unpacked(BigInt((await anvil.ask('eth_getStorageAt', store, feedId, at)) as string))
}

function unpacked(slot: bigint): Slot {
  return { value: BigInt.asIntN(176, slot), attestedAtMs: Number(slot >> 214n) }
}

/** All transactions to the store in the blocks from `first` to `last`, in order. */
export async function deliveriesIn(
  anvil: Anvil,
  store: string,
  first: number,
  last: number,
): Promise<readonly Delivery[]> {
  const found: Delivery[] = []
  for (let number = first; number <= last; number++) {
    const block = (await anvil.ask('eth_getBlockByNumber', `0x${number.toString(16)}`, true)) as {
      readonly transactions: readonly RawTransaction[]
    }
    for (const { hash, from, to } of block.transactions) {
      if (to?.toLowerCase() !== store) continue
      const receipt = (await anvil.ask('eth_getTransactionReceipt', hash)) as RawReceipt
      found.push({
        hash,
        from: from.toLowerCase(),
        blockNumber: number,
        isSuccess: receipt.status === '0x1',
        gasUsed: BigInt(receipt.gasUsed),
        paidWei: BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice),
        updates: receipt.logs.flatMap((log) => updatesOf(log)),
      })
    }
  }
  return found
}

/** The number of the newest block. */
export async function heightOf(anvil: Anvil): Promise<number> {
  return Number(await anvil.ask('eth_blockNumber'))
}

/** Transactions that wait in the node's pool, as `sender/nonce` of each. */
export async function waitingIn(anvil: Anvil): Promise<readonly string[]> {
  const { pending, queued } = (await anvil.ask('txpool_content')) as Readonly<
    Record<'pending' | 'queued', Readonly<Record<string, Readonly<Record<string, unknown>>>>>
  >
  return [pending, queued].flatMap((part) =>
    Object.entries(part).flatMap(([sender, nonces]) =>
      Object.keys(nonces).map((nonce) => `${sender.toLowerCase()}/${nonce}`),
    ),
  )
}

function updatesOf(log: RawReceipt['logs'][number]): Delivery['updates'] {
  const parsed = storeInterface.parseLog(log)
  if (parsed?.name !== 'Updated') return []
  return (parsed.args[0] as readonly { feedId: string; slot: bigint }[]).map(({ feedId, slot }) => ({
    feedId,
    ...unpacked(slot),
  }))
}
