// A process that sends three jobs through a spike, a stolen nonce and finality, and kills itself at the point it is told (B36).

import { nodeDisk } from '../../src/base/disk.js'
import { type JournalDisk, openJournal } from '../../src/chain/journal.js'
import { createSender } from '../../src/chain/sender.js'
import { askNode } from './anvil.js'
import { countJob, countOf, gwei, keys, nodeRpc, rulesOf, walletOf } from './anvil-sender.js'
import { killAt, subjectOf } from './kill-point.js'

const [url, path, counter, wanted] = process.argv.slice(2) as [string, string, string, string]
const ask = (method: string, ...params: readonly unknown[]): Promise<unknown> => askNode(url, method, params)
const wallet = walletOf(keys[0]!)
const rules = rulesOf(wallet.address, { confirmations: 2, finalityBlocks: 4 })
const rpc = nodeRpc(url)

const pass = killAt(wanted)

const disk: JournalDisk = {
  ...nodeDisk,
  open: async (name, create) => {
    const file = await nodeDisk.open(name, create)
    let subject = ''
    return {
      ...file,
      write: async (place, bytes) => {
        subject = subjectOf(Buffer.from(bytes).toString())
        await pass(`${subject}: before its line`)
        if (wanted === `${subject}: half its line`) {
          await file.write(place, bytes.subarray(0, bytes.length >> 1))
          await pass(wanted)
        }
        await file.write(place, bytes)
        await pass(`${subject}: line not synced`)
      },
      sync: async () => {
        await file.sync()
        await pass(`${subject}: line synced`)
      },
    }
  },
}

let sends = 0
let tellings = 0
const journal = await openJournal({ disk, path, owner: rules })
const sender = createSender(rules, {
  journal,
  clock: () => ({ wallMs: Date.now(), steadyMs: 0 }),
  wallet: {
    sign: async (transaction) => {
      await pass(`sign ${transaction.nonce}: before`)
      const signed = await wallet.sign(transaction)
      await pass(`sign ${transaction.nonce}: after`)
      return signed
    },
  },
  rpc: {
    ...rpc,
    head: async () => {
      const head = await rpc.head()
      await pass('sight: head read')
      return head
    },
    receipt: async (hash, head) => {
      const receipt = await rpc.receipt(hash, head)
      await pass(receipt === null ? 'sight: no receipt read' : 'sight: receipt read')
      return receipt
    },
    send: async (raw) => {
      const number = ++sends
      await pass(`send ${number}: before`)
      const outcome = await rpc.send(raw)
      await pass(`send ${number}: after`)
      return outcome
    },
  },
  stillWanted: async (job) => {
    await pass('doubt: before asking')
    const isWanted = (await countOf(ask, counter, Number(job.data))) === 0
    await pass('doubt: asked')
    return isWanted
  },
  onNews: (news) => {
    void pass(`told: ${news.kind}`)
    if (news.kind === 'ended') tellings++
    if (news.kind === 'ended') void pass(`told: end ${tellings}`)
  },
})

await sender.look()
for (const slot of [1, 2]) await sender.submit(countJob(counter, slot))
await sender.idle()
// The base fee rises beyond what was offered; later something else replaces what has nonce 2.
for (let block = 0; block < 16; block++) {
  if (block < 3) await ask('anvil_setNextBlockBaseFeePerGas', `0x${(20n * gwei).toString(16)}`)
  if (block === 5) {
    await sender.submit(countJob(counter, 3))
    await sender.idle()
    const transaction = { chainId: 31_337, nonce: 2, to: wallet.address, data: '0x', gasLimit: 21_000n }
    const fees = { maxFeePerGas: 900n * gwei, maxPriorityFeePerGas: 300n * gwei }
    console.log((await rpc.send((await wallet.sign({ ...transaction, ...fees })).raw)) satisfies string)
  }
  await ask('evm_mine')
  await sender.look()
  await sender.idle()
}
console.log(`${tellings} ends told, ${sends} sent`)
