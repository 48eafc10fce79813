// Each guard of the contracts that read reports is removed in turn: at least one hostile call must then be answered
// otherwise. Assembly has no branches that coverage could count; this counts for them.

import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { Interface, type JsonFragment } from 'ethers'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Chain, startChain } from '../../bench/gas/chain.js'
import { toHex } from '../../src/core/bytes.js'
import type { CommitteeKeys } from '../../src/core/committee.js'
import { type Case, cases } from './hostile-cases.js'
import { four, nine, nowS } from './hostile-report.js'
import { type Mutant, mutants } from './mutant-list.js'

const registrySource = 'contracts/src/CommitteeRegistry.sol'
const consumerSource = 'contracts/test/base/Consumer.sol'
const root = new URL('../../', import.meta.url)

interface Compiled {
  readonly abi: readonly JsonFragment[]
  readonly bytecode: string
}

/** Paths and texts of `entry` and all that it imports. */
function sourcesOf(entry: string, found: Map<string, string> = new Map()): Map<string, string> {
  if (found.has(entry)) return found
  const place = entry.startsWith('@openzeppelin/') ? `node_modules/${entry}` : entry
  const text = readFileSync(new URL(place, root), 'utf8')
  found.set(entry, text)
  for (const [, target] of text.matchAll(/^import .*?"([^"]+)";/gms)) {
    const next = target!.startsWith('.') ? new URL(target!, `file:///${entry}`).pathname.slice(1) : target!
    sourcesOf(next, found)
  }
  return found
}

function mutated(sources: ReadonlyMap<string, string>, { file, find, replace, nth }: Mutant): Map<string, string> {
  const parts = sources.get(file)!.split(find)
  const count = parts.length - 1
  if (nth === undefined ? count !== 1 : count <= nth) throw new Error(`${file} holds ${count} times: ${find}`)
  const place = nth ?? 0
  const text = `${parts.slice(0, place + 1).join(find)}${replace}${parts.slice(place + 1).join(find)}`
  return new Map([...sources, [file, text]])
}

/** Compiles in as many threads as there are processors; unoptimised, since only behaviour counts. */
function compiler() {
  const waiting: { request: string; done: (text: string) => void }[] = []
  const workers = Array.from({ length: availableParallelism() }, () => {
    const worker = new Worker(new URL('scripts/solc-worker.mjs', root), { workerData: {} })
    let current: ((text: string) => void) | undefined
    const next = (): void => {
      const job = waiting.shift()
      current = job?.done
      if (job !== undefined) worker.postMessage(job.request)
    }
    worker.on('message', ({ text }: { text: string }) => {
      current?.(text)
      next()
    })
    return { worker, wake: () => current === undefined && next() }
  })
  return {
    async compile(sources: ReadonlyMap<string, string>, entry: string): Promise<Compiled> {
      const request = JSON.stringify({
        language: 'Solidity',
        sources: Object.fromEntries([...sources].map(([name, content]) => [name, { content }])),
        settings: { evmVersion: 'cancun', outputSelection: { [entry]: { '*': ['abi', 'evm.bytecode.object'] } } },
      })
      const text = await new Promise<string>((done) => {
        waiting.push({ request, done })
        for (const { wake } of workers) wake()
      })
      const output = JSON.parse(text) as {
        errors?: { severity: string; formattedMessage: string }[]
        contracts: Record<string, Record<string, { abi: JsonFragment[]; evm: { bytecode: { object: string } } }>>
      }
      const error = output.errors?.find(({ severity }) => severity === 'error')
      if (error !== undefined) throw new Error(error.formattedMessage)
      const { abi, evm } = Object.values(output.contracts[entry]!)[0]!
      return { abi, bytecode: `0x${evm.bytecode.object}` }
    },
    stop: () => Promise.all(workers.map(({ worker }) => worker.terminate())),
  }
}

let chain: Chain
const solc = compiler()
const registrySources = sourcesOf(registrySource)
const consumerSources = sourcesOf(consumerSource)
beforeAll(async () => {
  chain = await startChain()
})
afterAll(async () => {
  await Promise.all([chain?.stop(), solc.stop()])
})

interface Addresses {
  readonly registry: string
  /** Verifiers of both committees. */
  readonly four: string
  readonly nine: string
  /** Believes the registry of the four. */
  readonly consumer: string
}

/** Registries of both committees with their verifiers, and a consumer of the first. */
async function deployAll(registry: Compiled, consumer: Compiled): Promise<Addresses> {
  const owner = ((await chain.provider.send('eth_accounts', [])) as string[])[0]!
  const start = async ({ lineage, generation, f, addresses }: CommitteeKeys): Promise<[string, string]> => {
    const deployed = await chain.deploy(registry, toHex(lineage), owner, owner, 86_400)
    await chain.invoke(deployed, 'start', generation, f, addresses.map(toHex))
    const [verifier] = await chain.call(deployed, 'verifierOf', generation)
    return [deployed.address, verifier as string]
  }
  const [registryOfFour, verifierOfFour] = await start(four)
  const [, verifierOfNine] = await start(nine)
  const made = await chain.deploy(consumer, registryOfFour)
  return { registry: registryOfFour, four: verifierOfFour, nine: verifierOfNine, consumer: made.address }
}

/** One deployment after the other: the chain counts transactions. */
let last: Promise<unknown> = Promise.resolve()
function inTurn<T>(action: () => Promise<T>): Promise<T> {
  const result = last.then(action)
  last = result.catch(() => undefined)
  return result
}

const errors = new Interface(
  [
    ...['NoReport()', 'MalformedReport()', 'Paused()', 'ForeignSigner()', 'OnlyRegistry()', 'UnknownFunction()'],
    ...['UnknownKind(uint256)', 'WrongGeneration(uint256)', 'OutsideWindow(uint256,uint256)', 'FutureReport(uint256)'],
    ...['BadSignature(uint256)', 'MalleableSignature(uint256)', 'TooFewSignatures(uint256,uint256)'],
    ...['UnknownGeneration(uint256)', 'WrongFeedCount(uint256)', 'FeedMissing(bytes32)', 'NotOk(bytes32,uint256)'],
    ...['WrongKind(bytes32,uint256)', 'Stale(bytes32,uint256)', 'NotInt176(bytes32)', 'WrongBytes(bytes32)'],
    'OlderThanUsed(bytes32,uint256,uint256)',
  ].map((text) => `error ${text}`),
)

interface Answer {
  /** An error's name, or accepted. */
  readonly said: string
  /** All of it, byte for byte. */
  readonly bytes: string
}

/** What each case is answered, in one request. Block time and windows are those of the case, whatever the chain says. */
async function answers(where: Addresses): Promise<Answer[]> {
  const requests = cases.map((each, id) => {
    const window = windowOf(each)
    const windows = Object.fromEntries(
      [where.four, where.nine].map((at) => [at, { stateDiff: { [toHex(new Uint8Array(32))]: window } }]),
    )
    const call = { to: where[each.to], data: toHex(each.data), gas: '0x1000000' }
    const time = `0x${(each.timeS ?? nowS).toString(16)}`
    return { jsonrpc: '2.0', id, method: 'eth_call', params: [call, 'latest', windows, { time }] }
  })
  const response = await fetch(chain.provider._getConnection().url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(requests),
  })
  const found = (await response.json()) as { id: number; result?: string; error?: { message: string; data?: string } }[]
  return found
    .sort((a, b) => a.id - b.id)
    .map(({ result, error }) => {
      if (error === undefined) return { said: 'accepted', bytes: result! }
      const data = error.data ?? '0x'
      const name = data.length < 10 ? null : errors.parseError(data)?.name
      return { said: name ?? error.message, bytes: data }
    })
}

/** Slot 0 of a verifier: from the chain's beginning, for ever unless the case says. */
function windowOf({ window = {} }: Case): string {
  const { untilS = 2 ** 40 - 1, paused = false } = window
  const packed = 1_800_000_000n | (BigInt(untilS) << 40n) | (paused ? 1n << 80n : 0n)
  return `0x${packed.toString(16).padStart(64, '0')}`
}

it('tells every mutant of the contracts that read reports from the original', async () => {
  const [registry, consumer] = await Promise.all([
    solc.compile(registrySources, registrySource),
    solc.compile(consumerSources, consumerSource),
  ])
  const original = await deployAll(registry, consumer)
  const honest = await answers(original)
  expect(cases.map(({ name }, i) => [name, honest[i]!.said])).toEqual(cases.map(({ name, wanted }) => [name, wanted]))

  const survives = async (mutant: Mutant): Promise<boolean> => {
    const isVerifier = mutant.file.endsWith('/ReportVerifier.sol')
    const sources = mutated(isVerifier ? registrySources : consumerSources, mutant)
    const compiled = await solc.compile(sources, isVerifier ? registrySource : consumerSource)
    const said = await inTurn(async () => {
      if (isVerifier) return await answers(await deployAll(compiled, consumer))
      const { address } = await chain.deploy(compiled, original.registry)
      return await answers({ ...original, consumer: address })
    })
    return said.every(({ bytes }, i) => bytes === honest[i]!.bytes)
  }
  const survived = await Promise.all(mutants.map(survives))
  expect(mutants.filter((_, i) => survived[i])).toEqual([])
}, 300_000)
