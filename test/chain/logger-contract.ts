// A small contract on an anvil of its own, and transactions to it, for tests of what is read and sent.

import { Wallet } from 'ethers'
import { type Anvil, startAnvil } from './anvil.js'

/** The first account that anvil funds, known to everybody. */
export const wallet: Wallet = new Wallet('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80')
/** A contract that logs 7 words when it is sent something, and answers round data from slots 0 (answer) and 1 (startedAt). */
export const feed = '0x00000000000000000000000000000000000fee0d'
export const feedCode: string = `0x${[
  ...['36', '15', '6023', '57'], // without calldata, to the log at 0x23
  ...['6001', '5f', '52', '5f', '54', '6020', '52', '6001', '54', '6040', '52'],
  ...['6001', '54', '6060', '52', '6001', '6080', '52', '60a0', '5f', 'f3'],
  ...['5b', '60aa', '60e0', '5f', 'a1', '00'],
].join('')}`
/** A contract that reverts with 32 bytes. */
export const refuser = '0x00000000000000000000000000000000000fee0e'
const refuserCode = '0x602a5f5260205ffd'

/** An anvil with both contracts, and a few blocks. */
export async function startFeedChain(): Promise<Anvil> {
  const anvil = await startAnvil()
  await anvil.ask('anvil_setCode', feed, feedCode)
  await anvil.ask('anvil_setCode', refuser, refuserCode)
  await anvil.ask('anvil_setStorageAt', feed, word(0), word(0))
  await anvil.mine(3)
  return anvil
}

/** `value` in 32 bytes. */
export const word = (value: number): string => `0x${value.toString(16).padStart(64, '0')}`

/** A signed transaction that makes the contract log, with `own` fields in place of the usual ones. */
export async function signed(
  anvil: Anvil,
  own: Record<string, unknown> = {},
  signer: Wallet = wallet,
): Promise<string> {
  const nonce = Number(await anvil.ask('eth_getTransactionCount', signer.address, 'latest'))
  const fees = { maxFeePerGas: 5_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n }
  return signer.signTransaction({ chainId: 31_337, type: 2, to: feed, nonce, gasLimit: 100_000n, ...fees, ...own })
}
