// A private chain for measuring gas: fixed clock and accounts, one transaction a block, Osaka rules.

import { getBytes, Interface, JsonRpcProvider, Network } from 'ethers'
import { spawnAnvil } from '../../src/cli/anvil.js'
import type { Artifact } from './compile.js'

/** A contract on the chain, and how to encode calls to it. */
export interface Deployed {
  readonly address: string
  readonly interface: Interface
}

/** What a measured transaction sends: the data, and the same data with a corrupted signature. */
export interface Measured {
  readonly to: string
  readonly data: string
  readonly corrupted: string
  /** What the call must return, ABI-encoded, where it returns values: cheap and wrong is no figure. */
  readonly returns?: string
}

/** A running chain. */
export interface Chain {
  readonly provider: JsonRpcProvider
  /** Deploys `artifact`, its constructor given `args`. */
  deploy(artifact: Artifact | undefined, ...args: readonly unknown[]): Promise<Deployed>
  /** Calls `method` of a contract in a transaction of its own; its gas. */
  invoke(contract: Deployed, method: string, ...args: readonly unknown[]): Promise<number>
  /** Sends `data` to `to`; its gas. A revert is an error. */
  send(to: string, data: string): Promise<number>
  /** Whether `data` sent to `to` now reverts; leaves the chain as it was. */
  reverts(to: string, data: string): Promise<boolean>
  /** Gas of the honest transaction, after the corrupted one has been tried at the same block, time and state. */
  measure(transaction: Measured): Promise<{ readonly gas: number; readonly corrupted: 'reverts' | 'accepted' }>
  /** What `method` of a contract returns now. */
  call(contract: Deployed, method: string, ...args: readonly unknown[]): Promise<readonly unknown[]>
  /** The time of the next block, in seconds. */
  now(): number
  /** Sets the time of the next block: later than that of the last. */
  setTime(seconds: number): void
  /** Ends the chain's process. */
  stop(): Promise<void>
}

const genesisTime = 1_800_000_000
const blockSeconds = 12
/** Below the cap that Osaka sets on one transaction (2^24). */
const gasLimit = 16_000_000

/** Starts a chain on a free port of 127.0.0.1. */
export async function startChain(): Promise<Chain> {
  const rules = ['--hardfork', 'osaka', '--chain-id', '31337', '--accounts', '1', '--timestamp', `${genesisTime}`]
  const anvil = await spawnAnvil([...rules, '--gas-price', '0', '--block-base-fee-per-gas', '0'])
  const options = { staticNetwork: true, batchMaxCount: 1, cacheTimeout: -1 }
  const provider = new JsonRpcProvider(anvil.url, Network.from(31_337), options)
  const from = ((await provider.send('eth_accounts', [])) as readonly string[])[0]!
  let time = genesisTime + blockSeconds

  /** Mines one transaction at the block time that is due, and leaves that time as it is. */
  const mine = async (to: string | undefined, data: string): Promise<Receipt> => {
    await provider.send('evm_setNextBlockTimestamp', [time])
    const transaction = { from, data, gas: hex(gasLimit), gasPrice: '0x0', ...(to === undefined ? {} : { to }) }
    const hash = (await provider.send('eth_sendTransaction', [transaction])) as string
    for (;;) {
      const receipt = (await provider.send('eth_getTransactionReceipt', [hash])) as Receipt | null
      if (receipt !== null) return receipt
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
  const ask = async (to: string, data: string): Promise<string> =>
    (await provider.send('eth_call', [{ from, to, data }, 'latest'])) as string
  const mineWell = async (to: string | undefined, data: string): Promise<Receipt> => {
    const receipt = await mine(to, data)
    if (receipt.status !== '0x1') {
      const why = await provider.send('eth_call', [{ from, to, data }, 'latest']).catch((error: unknown) => error)
      throw new Error(`A transaction to ${to ?? 'a new contract'} reverted: ${String(why)}`)
    }
    time += blockSeconds
    return receipt
  }

  const chain: Chain = {
    provider,
    deploy: async (artifact, ...args) => {
      if (artifact === undefined) throw new Error('No such contract was compiled')
      const face = new Interface(artifact.abi)
      const { contractAddress } = await mineWell(undefined, artifact.bytecode + face.encodeDeploy(args).slice(2))
      return { address: contractAddress!, interface: face }
    },
    invoke: (contract, method, ...args) =>
      chain.send(contract.address, contract.interface.encodeFunctionData(method, args)),
    send: async (to, data) => Number((await mineWell(to, data)).gasUsed),
    reverts: async (to, data) => {
      const snapshot = await provider.send('evm_snapshot', [])
      const { status } = await mine(to, data)
      await provider.send('evm_revert', [snapshot])
      return status === '0x0'
    },
    measure: async ({ to, data, corrupted, returns }) => {
      if (data === corrupted) throw new Error('The corrupted transaction is the honest one')
      if (returns !== undefined) {
        const returned = await ask(to, data)
        if (returned !== returns) throw new Error(`${to} returned ${returned}, not ${returns}`)
      }
      const refused = await chain.reverts(to, corrupted)
      return { gas: await chain.send(to, data), corrupted: refused ? 'reverts' : 'accepted' }
    },
    call: async (contract, method, ...args) => {
      const data = contract.interface.encodeFunctionData(method, args)
      return contract.interface.decodeFunctionResult(method, await ask(contract.address, data))
    },
    now: () => time,
    setTime: (seconds) => {
      time = seconds
    },
    stop: async () => {
      provider.destroy()
      await anvil.stop()
    },
  }
  return chain
}

/** What a transaction costs before it executes: 21,000 and its calldata (EIP-2028 prices). */
export function intrinsicGas(data: string): number {
  return getBytes(data).reduce((sum, byte) => sum + (byte === 0 ? 4 : 16), 21_000)
}

interface Receipt {
  readonly status: string
  readonly gasUsed: string
  readonly contractAddress: string | null
}

const hex = (value: number): string => `0x${value.toString(16)}`
