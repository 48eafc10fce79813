// A process that is one of four oracles on a real chain, and kills itself at the point it is told, anywhere from due to final (B36).

import { nodeDisk } from '../../src/base/disk.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { killAt, subjectOf } from '../chain/kill-point.js'
import { type Call, type Reply, startProxy } from '../chain/rpc-proxy.js'
import { percent, price, storedIn } from './anvil-updates.js'
import { gwei, openAnvilWorld, sendForeign } from './anvil-world.js'

const [wanted, member, url, store, registry, folder, now] = process.argv.slice(2) as [string, ...string[]] & string[]

const pass = killAt(wanted)

const openFile = nodeDisk.open
nodeDisk.open = async (name, create) => {
  const file = await openFile(name, create)
  let subject = ''
  return {
    ...file,
    write: async (place, bytes) => {
      subject = subjectOf(Buffer.from(bytes).toString())
      await pass(`journal, ${subject}: before its line`)
      if (wanted === `journal, ${subject}: half its line`) {
        await file.write(place, bytes.subarray(0, bytes.length >> 1))
        await pass(wanted)
      }
      await file.write(place, bytes)
      await pass(`journal, ${subject}: line not synced`)
    },
    sync: async () => {
      await file.sync()
      await pass(`journal, ${subject}: line synced`)
    },
  }
}

/** What a call is about, once there is something to send. */
function subjectOfCall({ method, params }: Call): string {
  const { data = '' } = (params[0] ?? {}) as { readonly data?: string }
  // push() has no arguments by its ABI: what is behind the selector makes it long.
  if (method === 'eth_call') return data.length > 100 ? 'whether it reverts' : 'what is stored'
  return method
}

let handed = 0
let isAttesting = false
const proxies = await Promise.all(['a', 'b', 'c'].map(() => startProxy(url!)))
const replies = (call: Call, reply: Reply): void => {
  if (!isAttesting) return
  if (call.method === 'eth_sendRawTransaction') void pass(`sent to ${++handed}`)
  const isFound = call.method === 'eth_getTransactionReceipt' && reply.result !== null
  void pass(`${subjectOfCall(call)}: ${isFound ? 'found' : 'answered'}`)
}
for (const proxy of proxies) {
  proxy.onCall = (call) => {
    if (isAttesting) void pass(`${subjectOfCall(call)}: asked`)
    return call
  }
  proxy.onReply = (call, reply) => {
    replies(call, reply)
    return reply
  }
}

const self = Number(member)
const world = await openAnvilWorld(await createWasmEngine(), {
  dead: [0, 1, 2, 3].filter((other) => other !== self),
  on: { url: url!, store: store!, registry: registry!, folder: folder!, nowMs: Number(now) },
  endpoints: async () => proxies.map((proxy, i) => ({ name: 'abc'[i]!, url: proxy.url })),
  profile: { confirmations: 2, finalityBlocks: 6 },
})
const { blockMs } = world.pace
const push = world.events.push.bind(world.events)
world.events.push = (...events) => {
  for (const event of events) {
    if (event.event === 'transmit') void pass(`told: ${event.news.event}`)
    if (event.event === 'sender') void pass(`told: ${event.isRaised ? '+' : '-'}${event.code}`)
  }
  return push(...events)
}
world.onMined = async () => {
  const block = (await world.anvil.ask('eth_getBlockByNumber', 'latest', false)) as { transactions: unknown[] }
  if (block.transactions.length > 0) await pass('mined, unseen')
}

/** Attests `value` until this oracle has sent it. */
async function send(value: bigint): Promise<void> {
  console.log(`attests ${value}`)
  isAttesting = true
  world.values = [value]
  const before = world.told('sent').length
  while (world.told('sent').length === before) await world.run(blockMs / 2)
}

// A first value whose offer the base fee outruns.
await send(price)
world.baseFee = 60n * gwei
await world.run(2 * blockMs)
world.baseFee = 10n * gwei
await world.run(8 * blockMs)
// An update whose nonce something else takes: it goes with another.
await send(percent(103))
await sendForeign(world, world.oracles[self]!.keys[0]!, 1)
while ((await storedIn(world)).value !== percent(103)) await world.run(blockMs)
// A reorganisation takes it back, deeper than it was confirmed.
await send(percent(106))
await world.run(3 * blockMs)
await world.reorg(5)
await world.look()
await world.run(5 * blockMs)
console.log(
  `${(await storedIn(world)).value === percent(106)} ${world.told('confirmed').length} confirmed, ${handed} handed out`,
)
await world.close()
for (const proxy of proxies) await proxy.stop()
