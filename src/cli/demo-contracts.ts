// The contracts of the demo's chain: deployed, asked, and read by contracts that know nothing of who pays.

import { randomBytes } from 'node:crypto'
import { readClock } from '../base/clock.js'
import { chainProfile } from '../chain/chain-profile.js'
import { reasonOf } from '../chain/contract-view.js'
import { type Deployed, type DeployPlan, type DeployState, deployLineage, meaningOf } from '../chain/deploy.js'
import { readFacade, readStore } from '../chain/feed-view.js'
import { IFeedStore__factory } from '../chain/generated/factories/IFeedStore__factory.js'
import { IRequestHub__factory } from '../chain/generated/factories/IRequestHub__factory.js'
import { PythConsumer__factory } from '../chain/generated/factories/PythConsumer__factory.js'
import { Requester__factory } from '../chain/generated/factories/Requester__factory.js'
import { requesterData } from '../chain/init-code.js'
import { createRpcQuorum } from '../chain/rpc-quorum.js'
import { type Done, type OnceSender, sendOnce, type Wanted } from '../chain/send-once.js'
import { createWallet } from '../chain/wallet.js'
import { getU48, toHex } from '../core/bytes.js'
import type { Committee, Feed } from '../core/committee.js'
import type { SigningEngine } from '../crypto/engine-wasm.js'
import type { Anvil } from './anvil.js'
import type { Blocks, Mined } from './demo-blocks.js'

/** What a feed is on chain: the store's word, and what the facade answers to a contract that asks for a price. */
export interface OnChain {
  readonly value: bigint
  readonly status: number
  /** T, and the source's own time; ms since 1970. */
  readonly attestedAtMs: number
  readonly observedAtMs: number
  /** What latestRoundData gives; null where it reverts, with `refusal`. */
  readonly answer: bigint | null
  readonly refusal: string | null
}

/** A purchase at the price of a report that the buyer brought along. */
export interface Purchase {
  readonly txHash: string
  readonly gasUsed: bigint
  /** T of that report. */
  readonly attestedAtMs: number
  readonly value: bigint
}

export interface Contracts {
  readonly addresses: Readonly<Record<'registry' | 'store' | 'hub' | 'requester', string>>
  /** Block of the first. */
  readonly fromBlock: number
  readonly requestId: string
  readonly updatedIn: (log: Mined['logs'][number]) => readonly string[]
  readonly endIn: (log: Mined['logs'][number]) => 'answered' | 'refused' | null
  /** What the requester's callback noted: the price that settled its bet, or the status it was refused with. */
  readonly outcomeIn: (logs: Mined['logs']) => { readonly value: bigint | null; readonly status: number | null }
  /** Facades of `feeds`, each of which the store has, and a consumer of the first; goes on where a failure left it. */
  deployReaders(feeds: readonly Feed[]): Promise<void>
  /** A feed now; null while the store has nothing of it. The facade's half is null until there is one. */
  read(feed: Feed): Promise<OnChain | null>
  /** The facade of a feed; null until there is one. */
  facadeOf(feed: Feed): string | null
  /** Buys at `report`; a refusal of the contracts in words instead of a purchase. */
  buy(feed: Feed, report: Uint8Array): Promise<Purchase | string>
  /** Gas of all that was deployed and asked. */
  gasUsed(): bigint
  close(): void
}

export interface ContractParts {
  readonly anvil: Anvil
  readonly blocks: Blocks
  readonly engine: SigningEngine
  readonly committee: Committee
  /** The feed that a contract asks for. */
  readonly asked: Feed
}

const gwei = 10n ** 9n
const ether = 10n ** 18n
/** The least that a registry takes. */
const delayS = 86_400
const deadlineMs = 20_000
/** What the buyer sends along, ETH; the change comes back. */
const purse = 100n * ether
const buyGas = 3_000_000
const limits = {
  ...{ perGasMax: 100n * gwei, tipMin: gwei / 100n, tipMax: 5n * gwei },
  ...{ perTransactionMax: 10n * ether, perHourMax: 100n * ether },
}

const store = IFeedStore__factory.createInterface()
const hub = IRequestHub__factory.createInterface()
const consumer = PythConsumer__factory.createInterface()
const requester = Requester__factory.createInterface()

/** Deploys a lineage of `committee` with a store and a hub, and lets a contract ask for a feed. */
export async function deployContracts(parts: ContractParts): Promise<Contracts> {
  const { anvil, blocks, engine, committee } = parts
  const privateKey = randomBytes(32)
  const address = toHex(engine.addressOf(privateKey))
  await anvil.ask('anvil_setBalance', address, hex(1_000n * ether))
  const [buyer] = await anvil.ask<readonly string[]>('eth_accounts')
  const quorum = createRpcQuorum({
    endpoints: [{ name: 'anvil', url: anvil.url }],
    quorum: 1,
    profile: chainProfile('local'),
    clock: readClock,
  })
  const sender: OnceSender = {
    ...{ quorum, address, limits, deadlineMs, clock: readClock },
    wallet: createWallet(privateKey),
    // Nobody else mines: what is waited for comes with the next block.
    wait: () => blocks.mine(),
    onNews: () => undefined,
  }
  let gasUsed = 0n
  const send = async (wanted: Wanted): Promise<Done> => {
    const done = await sendOnce(sender, wanted)
    gasUsed += done.gasUsed
    return done
  }
  let state: DeployState = { steps: [], pending: null }
  const onState = async (next: DeployState): Promise<void> => {
    state = next
  }
  const deploy = (readers: Pick<DeployPlan, 'facades' | 'pyth'>): Promise<Deployed> => {
    const plan = { owner: null, guardian: address, delayS, hasFeedStore: true, bundles: [], hasHub: true, ...readers }
    return deployLineage({ sender, committee, plan, state, onState, pushes: null })
  }
  const lineage = await deploy({ facades: [], pyth: [] })
  const made = { registry: lineage.registry, store: lineage.store!, hub: lineage.hub! }
  const meaning = new TextDecoder().decode(meaningOf(parts.asked))
  const asker = (await send({ to: null, data: requesterData(made.hub, address, meaning) })).contractAddress!
  const { logs } = await send({ to: asker, data: requester.encodeFunctionData('ask') })
  const asked = logs.map((log) => hub.parseLog(log)).find((log) => log?.name === 'Requested')!
  let readers: (Deployed & { readonly consumer: string }) | null = null

  const names = new Map(committee.feeds.map(({ feedId, name }) => [feedId, name]))
  return {
    addresses: { ...made, requester: asker },
    fromBlock: lineage.fromBlock,
    requestId: String(asked.args[0]),
    updatedIn: (log) => {
      const update = store.parseLog(log)
      if (update?.name !== 'Updated') return []
      const updates = update.args[0] as readonly { readonly feedId: string }[]
      return updates.flatMap(({ feedId }) => names.get(feedId) ?? [])
    },
    endIn: (log) => {
      const name = hub.parseLog(log)?.name
      return name === 'Answered' ? 'answered' : name === 'Refused' ? 'refused' : null
    },
    outcomeIn: (all) => {
      const notes = all.map((log) => requester.parseLog(log))
      const won = notes.find((note) => note?.name === 'Won')
      const none = notes.find((note) => note?.name === 'NoAnswer')
      return { value: won == null ? null : BigInt(won.args[1]), status: none == null ? null : Number(none.args[1]) }
    },
    deployReaders: async (feeds) => {
      const deployed = await deploy({
        facades: feeds.map(({ name, validForS }) => ({ feed: name, maxAgeS: validForS })),
        pyth: feeds.map(({ name, feedId }) => ({ feed: name, priceId: feedId })),
      })
      const args = consumer.encodeDeploy([deployed.pyth!, feeds[0]!.feedId, 1])
      const { contractAddress } = await send({ to: null, data: PythConsumer__factory.bytecode + args.slice(2) })
      readers = { ...deployed, consumer: contractAddress! }
    },
    read: async ({ name, feedId }) => {
      const at = await quorum.head()
      const stored = await readStore(quorum, at, made.store, feedId)
      if (stored === null) return null
      const { value, status, attestedAtMs, observedAtMs } = stored
      const facade = readers?.facades[name]
      const read = facade === undefined ? null : await readFacade(quorum, at, facade)
      const said = read === null ? null : read.answer
      const refusal = read !== null && read.answer === null ? read.why : null
      return { value, status, attestedAtMs, observedAtMs, answer: said?.answer ?? null, refusal }
    },
    facadeOf: ({ name }) => readers?.facades[name] ?? null,
    buy: async ({ feedId }, report) => {
      const data = consumer.encodeFunctionData('buy', [[report]])
      const transaction = { from: buyer!, to: readers!.consumer, data, value: hex(purse), gas: hex(buyGas) }
      try {
        await anvil.ask('eth_call', transaction, 'latest')
      } catch (error) {
        const { cause, message } = error as Error
        if (typeof cause !== 'string') return message
        return consumer.parseError(cause)?.name ?? reasonOf(cause)
      }
      const txHash = await anvil.ask<string>('eth_sendTransaction', transaction)
      await blocks.mine()
      const receipt = await anvil.ask<{ status: string; gasUsed: string } | null>('eth_getTransactionReceipt', txHash)
      if (receipt?.status !== '0x1') return 'the purchase reverted'
      const stored = await readStore(quorum, await quorum.head(), made.store, feedId)
      return { txHash, gasUsed: BigInt(receipt.gasUsed), attestedAtMs: timeOf(report), value: stored!.value }
    },
    gasUsed: () => state.steps.reduce((sum, step) => sum + BigInt(step.gasUsed), gasUsed),
    close: () => quorum.close(),
  }
}

/** T of a packed report, ms since 1970. */
export function timeOf(report: Uint8Array): number {
  return getU48(report, 13)
}

const hex = (value: bigint | number): string => `0x${value.toString(16)}`
