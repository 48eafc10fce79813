// nock in front of ethers' provider: what one of three endpoints makes up moves nothing and is named, what two do is no answer (B33).

import nock from 'nock'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { readClock } from '../../src/base/clock.js'
import { chainProfile } from '../../src/chain/chain-profile.js'
import { logsSince } from '../../src/chain/questions.js'
import { createRpcQuorum, type RpcQuorum } from '../../src/chain/rpc-quorum.js'
import { parseCommittee } from '../../src/core/committee.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { type Anvil, startAnvil } from '../chain/anvil.js'
import { changing, codeOfError, forkedFrom } from '../chain/quorum-fixture.js'
import type { Call, Reply } from '../chain/rpc-proxy.js'
import { committeeDocument } from '../committee-document.js'
import { type Deployment, deployStore } from './anvil-deploy.js'

let anvil: Anvil
let deployment: Deployment
let quorum: RpcQuorum | null = null
beforeAll(async () => {
  if (!nock.isActive()) nock.activate()
  nock.disableNetConnect()
  nock.enableNetConnect('127.0.0.1')
  anvil = await startAnvil(['--no-mining'])
  const engine = await createWasmEngine()
  deployment = await deployStore(anvil, parseCommittee(engine, committeeDocument(engine)))
})
afterEach(() => {
  quorum?.close()
  nock.cleanAll()
  nock.abortPendingRequests()
})
afterAll(async () => {
  nock.enableNetConnect()
  nock.restore()
  await anvil.stop()
})

/** What nock answers in the place of an endpoint: the truth, changed; a page; an error; or nothing in time. */
type Fault =
  | { readonly change: (call: Call, reply: Reply) => Reply }
  | { readonly status: number; readonly text: string }
  | 'hang'

/** The chain's own answer to a call. */
async function truth({ method, params }: Call): Promise<Reply> {
  return anvil.ask(method, ...params).then(
    (result) => ({ result }),
    (error: Error) => ({ error: { code: 3, message: error.message } }),
  )
}

/** A quorum of 2 over three hosts that only nock knows; the first ones have the fault. */
function behindNock(faulty: readonly number[], fault: Fault): RpcQuorum {
  const endpoints = ['a', 'b', 'c'].map((name) => ({ name, url: `http://${name}.example` }))
  endpoints.forEach(({ url }, i) => {
    const interceptor = nock(url).persist().post('/')
    const isFaulty = faulty.includes(i)
    if (isFaulty && fault === 'hang') interceptor.delay(3_000).reply(200, {})
    else if (isFaulty && typeof fault === 'object' && 'status' in fault) interceptor.reply(fault.status, fault.text)
    else
      interceptor.reply(async (_, body) => {
        const call = body as Call & { readonly id: number }
        const reply = await truth(call)
        const { result, error } =
          isFaulty && typeof fault === 'object' && 'change' in fault ? fault.change(call, reply) : reply
        return [200, { jsonrpc: '2.0', id: call.id, ...(error === undefined ? { result: result ?? null } : { error }) }]
      })
  })
  quorum = createRpcQuorum({ endpoints, quorum: 2, profile: chainProfile('local'), clock: readClock, timeoutMs: 400 })
  return quorum
}

interface Log {
  readonly data: string
}

/** Each endpoint that has a fault has one of its own: an index goes into what it makes up. */
let made = 0
const other = (digits: string): string => digits.replace(/..$/, (++made % 256).toString(16).padStart(2, '0'))

const faults: readonly [string, Fault, string][] = [
  [
    'a wrong head',
    {
      change: (call, reply) =>
        forkedFrom(0)(
          call,
          changing('eth_getBlockByNumber', (block: { hash: string }) => ({ ...block, hash: other(block.hash) }))(
            call,
            reply,
          ),
        ),
    },
    'lying',
  ],
  ['a wrong chain id', { change: changing('eth_chainId', () => '0x1') }, 'foreign'],
  ['429', { status: 429, text: 'slow down' }, 'failing'],
  ['a page', { status: 200, text: '<!DOCTYPE html><p>Just a moment…' }, 'failing'],
  ['a hang', 'hang', 'failing'],
  [
    'a wrong receipt',
    {
      change: changing('eth_getTransactionReceipt', (receipt: object) => ({
        ...receipt,
        gasUsed: `0x${(++made).toString(16)}`,
      })),
    },
    'lying',
  ],
  ['a receipt of a transaction that is not there', { change: madeUpReceipt }, 'lying'],
  [
    'a wrong event',
    {
      change: changing('eth_getLogs', (logs: Log[]) =>
        logs.map((log) => ({ ...log, data: other(log.data === '0x' ? '0x00' : log.data) })),
      ),
    },
    'lying',
  ],
  [
    'an event left out',
    { change: changing('eth_getLogs', (logs: Log[]) => logs.slice(++made % logs.length, -1)) },
    'lying',
  ],
]

const nowhere = `0x${'ee'.repeat(32)}`
function madeUpReceipt({ method, params }: Call, reply: Reply): Reply {
  if (method !== 'eth_getTransactionReceipt' || params[0] !== nowhere) return reply
  const gasUsed = `0x${(++made).toString(16)}`
  const at = { transactionHash: nowhere, transactionIndex: '0x0', blockHash: nowhere, blockNumber: '0x2' }
  const by = { from: deployment.store, to: deployment.store, contractAddress: null, status: '0x1', logs: [] }
  return { result: { ...at, ...by, gasUsed, effectiveGasPrice: '0x1' } }
}

/** What a node acts on: head, receipts of a real and of no transaction, and the events of the registry. */
async function look(of: RpcQuorum): Promise<unknown> {
  const head = await of.head()
  const block = (await anvil.ask('eth_getBlockByNumber', '0x1', false)) as { transactions: string[] }
  const real = await of.receipt(block.transactions[0]!, head)
  const none = await of.receipt(nowhere, head)
  const events = await of.read(logsSince({ address: deployment.registry, topics: [] }, 1), head)
  return { head: head.hash, real: real?.receipt.gasUsed, none, events: events.map(({ data }) => data) }
}

/** Resolves when `endpoint` is in `state`, which is judged when the last of all answers has come. */
async function standing(of: RpcQuorum, endpoint: string, state: string): Promise<void> {
  const endMs = performance.now() + 5_000
  for (;;) {
    const facts = of.facts().find(({ name }) => name === endpoint)!
    if (facts.state === state) return
    if (performance.now() > endMs) throw new Error(`${endpoint} is ${facts.state} (${facts.reason}), not ${state}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe('nock in front of ethers’ provider', () => {
  it.each(faults)('%s by one of three moves nothing, and is named', async (_, fault, state) => {
    const seen = await look(behindNock([], 'hang'))
    expect(seen).toMatchObject({ none: null, events: expect.arrayContaining([expect.any(String)]) })
    quorum!.close()
    nock.cleanAll()
    const of = behindNock([0], fault)
    expect(await look(of)).toEqual(seen)
    await standing(of, 'a', state)
    expect(of.facts().find(({ name }) => name === 'a')!.reason).not.toBe('')
    expect(
      of
        .facts()
        .filter((facts) => facts.state === 'counting')
        .map(({ name }) => name),
    ).toEqual(['b', 'c'])
  })

  it.each(faults)('%s by two of three is no answer', async (_, fault) => {
    const of = behindNock([0, 1], fault)
    expect(await codeOfError(look(of))).toMatch(/^CHAIN_(NO_QUORUM|SPLIT)$/)
  })
})
