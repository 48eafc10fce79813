// A key that signs transactions on chains and nothing else; it stays in this closure.

import { SigningKey } from 'ethers/crypto'
import { Transaction } from 'ethers/transaction'
import type { SenderWallet, UnsignedTransaction } from './sender.js'

/** A wallet that also signs what makes a contract: `to` is null then. */
export interface Wallet extends SenderWallet {
  sign(
    transaction: Omit<UnsignedTransaction, 'to'> & { readonly to: string | null },
  ): Promise<{ readonly raw: string; readonly hash: string }>
}

/** The wallet of a 32-byte private key; signs EIP-1559 transactions without value. */
export function createWallet(privateKey: Uint8Array): Wallet {
  const key = new SigningKey(privateKey)
  return {
    sign: async ({ chainId, nonce, to, data, gasLimit, maxFeePerGas, maxPriorityFeePerGas }) => {
      const fields = { type: 2, chainId, nonce, to, data, gasLimit, maxFeePerGas, maxPriorityFeePerGas }
      const transaction = Transaction.from(fields)
      transaction.signature = key.sign(transaction.unsignedHash)
      return { raw: transaction.serialized, hash: transaction.hash! }
    },
  }
}
