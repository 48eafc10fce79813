// One transaction of a command on a real chain that does not go smoothly: dear gas, a lost nonce, a killed process, a revert.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readClock } from '../../src/base/clock.js'
import { OracleError } from '../../src/base/errors.js'
import { chainProfile } from '../../src/chain/chain-profile.js'
import { CommitteeRegistry__factory } from '../../src/chain/generated/factories/CommitteeRegistry__factory.js'
import { registryData } from '../../src/chain/init-code.js'
import { createRpcQuorum, type RpcQuorum } from '../../src/chain/rpc-quorum.js'
import { type OnceNews, type OnceSender, type Pending, sendOnce } from '../../src/chain/send-once.js'
import { createWallet } from '../../src/chain/wallet.js'
import { fromHex } from '../../src/core/bytes.js'
import { type Anvil, startAnvil } from '../chain/anvil.js'
import { startProxy } from '../chain/rpc-proxy.js'
import { rich } from './chain-scene.js'

const gwei = 1_000_000_000n
const nobody = `0x${'22'.repeat(20)}`
const plain = { to: nobody, data: '0x' }
let anvil: Anvil
let quorum: RpcQuorum
let news: OnceNews[]

beforeAll(async () => {
  anvil = await startAnvil(['--no-mining', '--order', 'fifo'])
  quorum = createRpcQuorum({
    endpoints: [{ name: 'anvil', url: anvil.url }],
    quorum: 1,
    profile: chainProfile('local', { confirmations: 3 }),
    clock: readClock,
  })
  await anvil.mine()
})
afterAll(async () => {
  quorum.close()
  await anvil.stop()
})
beforeEach(async () => {
  news = []
  await anvil.ask('anvil_dropAllTransactions')
})

/** The rich key; a block comes whenever it waits, unless `wait` says otherwise. */
function sender(parts: Partial<OnceSender> = {}): OnceSender {
  return {
    quorum,
    wallet: createWallet(fromHex(rich.key, 32)!),
    address: rich.address,
    limits: {
      ...{ perGasMax: 200n * gwei, tipMin: gwei / 100n, tipMax: 5n * gwei },
      ...{ perTransactionMax: 10n ** 20n, perHourMax: 10n ** 21n },
    },
    clock: readClock,
    wait: () => anvil.mine(),
    deadlineMs: 20_000,
    onNews: (one) => news.push(one),
    ...parts,
  }
}

const nonce = async (): Promise<number> => Number(await anvil.ask('eth_getTransactionCount', rich.address, 'latest'))
const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) => (error instanceof OracleError ? error.code : String(error)),
  )

/** Sends what is kept before it leaves, and stops there as a killed process would. */
async function keptOf(wanted: { to: string | null; data: string }): Promise<Pending> {
  let kept: Pending | null = null
  const killed = new Error('killed')
  await sendOnce(sender(), wanted, async (pending) => {
    kept = pending
    throw killed
  }).catch((error: unknown) => {
    if (error !== killed) throw error
  })
  return kept!
}

describe('sendOnce', () => {
  it('waits for as many confirmations as the chain asks for', async () => {
    const { succeeded } = await sendOnce(sender(), plain)
    expect(succeeded).toBe(true)
    const seen = news.flatMap((one) => (one.kind === 'mined' ? [one.confirmations] : []))
    expect(seen.at(0)).toBeLessThan(3)
    expect(seen.at(-1)).toBe(3)
  })

  it('raises its fees when gas becomes dear, at the same nonce', async () => {
    const before = await nonce()
    let waits = 0
    const wait = async (): Promise<void> => {
      // Blocks that the first attempt cannot pay for.
      if (++waits <= 3) await anvil.ask('anvil_setNextBlockBaseFeePerGas', `0x${(30n * gwei).toString(16)}`)
      await anvil.mine()
    }
    const { effectiveGasPrice } = await sendOnce(sender({ wait }), plain)
    const sent = news.flatMap((one) => (one.kind === 'sent' ? [one] : []))
    expect(sent).toHaveLength(2)
    expect(sent[1]!.nonce).toBe(sent[0]!.nonce)
    expect(sent[1]!.fees.maxFeePerGas).toBeGreaterThan(sent[0]!.fees.maxFeePerGas)
    expect(effectiveGasPrice).toBeGreaterThan(sent[0]!.fees.maxFeePerGas)
    expect(await nonce()).toBe(before + 1)
  })

  it('finds what a killed run had signed, whether it had left or not', async () => {
    const before = await nonce()
    const unsent = await keptOf(plain)
    const first = await sendOnce(sender(), plain, undefined, unsent)
    expect(first.transactionHash).toBe(unsent.attempts[0]!.hash)
    expect(news.filter(({ kind }) => kind === 'sent')).toEqual([])

    const left = await keptOf(plain)
    await anvil.ask('eth_sendRawTransaction', left.attempts[0]!.raw)
    await anvil.mine(5)
    const second = await sendOnce(sender(), plain, undefined, left)
    expect(second.transactionHash).toBe(left.attempts[0]!.hash)
    expect(await nonce()).toBe(before + 2)
  })

  it('signs anew when the nonce of what was kept went to another transaction', async () => {
    const kept = await keptOf(plain)
    await sendOnce(sender(), { to: rich.address, data: '0x' })
    const { transactionHash } = await sendOnce(sender(), plain, undefined, kept)
    expect(transactionHash).not.toBe(kept.attempts[0]!.hash)
  })

  it('takes a nonce that shows before its receipt for its own, and pays once', async () => {
    const proxy = await startProxy(anvil.url)
    const hasty = createRpcQuorum({
      ...{ endpoints: [{ name: 'hasty', url: proxy.url }], quorum: 1, clock: readClock },
      profile: chainProfile('local'),
    })
    try {
      const before = await nonce()
      // Twice the node says that the nonce is used, as one that is at work on the block that holds it.
      let early = 0
      const begin = (): void => {
        early = 2
        proxy.onReply = (call, reply) =>
          call.method === 'eth_getTransactionCount' && early-- > 0
            ? { result: `0x${(before + 1).toString(16)}` }
            : reply
      }
      let kept: Pending | null = null
      const onPending = async (pending: Pending): Promise<void> => {
        kept ??= pending
        begin()
      }
      const wait = async (): Promise<void> => {
        if (early <= 0) await anvil.mine()
      }
      const { transactionHash } = await sendOnce(sender({ quorum: hasty, wait }), plain, onPending)
      expect(early).toBeLessThanOrEqual(0)
      expect(transactionHash).toBe(kept!.attempts[0]!.hash)

      // The same for what an earlier run kept: another in its place would be a second one.
      const left = await keptOf(plain)
      early = 2
      proxy.onReply = (call, reply) =>
        call.method === 'eth_getTransactionCount' && early-- > 0 ? { result: `0x${(before + 2).toString(16)}` } : reply
      const again = await sendOnce(sender({ quorum: hasty, wait }), plain, undefined, left)
      expect(again.transactionHash).toBe(left.attempts[0]!.hash)
      expect(await nonce()).toBe(before + 2)
    } finally {
      hasty.close()
      await proxy.stop()
    }
  })

  it('says so when another transaction takes its nonce meanwhile', async () => {
    const other = (await keptOf({ to: rich.address, data: '0x' })).attempts[0]!.raw
    const wait = async (): Promise<void> => {
      await anvil.ask('anvil_dropAllTransactions')
      await anvil.ask('eth_sendRawTransaction', other).catch(() => undefined)
      await anvil.mine()
    }
    expect(await codeOf(sendOnce(sender({ wait }), plain))).toBe('NONCE_TAKEN')
  })

  it('gives up at its deadline, and says what was sent', async () => {
    const work = sendOnce(sender({ deadlineMs: 300, wait: () => sleep(20) }), plain)
    expect(await codeOf(work)).toBe('TRANSACTION_NOT_MINED')
  })

  it('pays for nothing that would revert, and names the error', async () => {
    const before = await nonce()
    const data = registryData(`0x${'01'.repeat(32)}`, rich.address, rich.address, 60)
    await expect(sendOnce(sender(), { to: null, data })).rejects.toMatchObject({
      code: 'TRANSACTION_REVERTED',
      facts: { reason: 'InvalidDelay()' },
    })
    const good = registryData(`0x${'01'.repeat(32)}`, rich.address, rich.address, 86_400)
    const { contractAddress } = await sendOnce(sender(), { to: null, data: good })
    const propose = CommitteeRegistry__factory.createInterface().encodeFunctionData('unpause')
    await expect(sendOnce(sender(), { to: contractAddress!, data: propose })).rejects.toMatchObject({
      code: 'TRANSACTION_REVERTED',
      facts: { reason: 'NotPaused()' },
    })
    expect(await nonce()).toBe(before + 1)
  })

  it('names the error of what reverts only once it is mined', async () => {
    const data = registryData(`0x${'02'.repeat(32)}`, rich.address, rich.address, 86_400)
    const registry = (await sendOnce(sender(), { to: null, data })).contractAddress!
    const face = CommitteeRegistry__factory.createInterface()
    const addresses = [1, 2, 3, 4].map((i) => `0x${String(i).repeat(40)}`)
    const start = face.encodeFunctionData('start', [1, 1, addresses])
    const kept = await keptOf({ to: registry, data: start })
    await anvil.ask('anvil_impersonateAccount', nobody)
    // Somebody with the same key was faster: the second start() reverts, with the next nonce.
    const late = { ...kept, nonce: kept.nonce + 1, attempts: [] }
    await anvil.ask('eth_sendRawTransaction', kept.attempts[0]!.raw)
    const wallet = createWallet(fromHex(rich.key, 32)!)
    const fees = { maxFeePerGas: 100n * gwei, maxPriorityFeePerGas: gwei }
    const gasLimit = BigInt(kept.gasLimit)
    const signed = await wallet.sign({
      chainId: 31_337,
      nonce: late.nonce,
      to: registry,
      data: start,
      gasLimit,
      ...fees,
    })
    const texts = { maxFeePerGas: `${fees.maxFeePerGas}`, maxPriorityFeePerGas: `${fees.maxPriorityFeePerGas}` }
    const pending = { ...late, attempts: [{ ...signed, ...texts }] }
    await expect(sendOnce(sender(), { to: registry, data: start }, undefined, pending)).rejects.toMatchObject({
      code: 'TRANSACTION_REVERTED',
    })
  })

  it('sends nothing above the cap, and nothing that the key cannot pay', async () => {
    const before = await nonce()
    const limits = { ...sender().limits, perGasMax: 1n, tipMin: 1n, tipMax: 1n }
    expect(await codeOf(sendOnce(sender({ limits }), plain))).toBe('FEE_CAP')
    const poor = fromHex(`0x${'17'.repeat(32)}`, 32)!
    const address = '0x7e9fb40f66c4e132fa5e64e49f307e02b76540f8'
    expect(await codeOf(sendOnce(sender({ wallet: createWallet(poor), address }), plain))).toBe('KEY_UNFUNDED')
    expect(await nonce()).toBe(before)
  })
})
