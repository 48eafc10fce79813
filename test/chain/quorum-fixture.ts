// Three endpoints in front of one anvil, a quorum over them, and a clock that tests turn.

import { OracleError } from '../../src/base/errors.js'
import { type ChainProfile, chainProfile } from '../../src/chain/chain-profile.js'
import type { EndpointFacts } from '../../src/chain/endpoint-health.js'
import { createRpcQuorum, type RpcQuorum } from '../../src/chain/rpc-quorum.js'
import type { Anvil } from './anvil.js'
import { type Call, type Reply, type RpcProxy, startProxy } from './rpc-proxy.js'

/** What a test turns and sees. */
export interface Fixture {
  readonly quorum: RpcQuorum
  readonly proxies: readonly RpcProxy[]
  /** Each change of state, as name:state. */
  readonly changes: readonly string[]
  /** Lets `ms` pass on the quorum's clock. */
  pass(ms: number): void
  /** One block interval: a block, its time, and a look at the head. */
  step(): Promise<number>
  /** Looks at the head until `done`, a block interval each time, at most `max` times; how many it took. */
  stepsUntil(done: () => boolean, max?: number): Promise<number>
  /** Waits for what nobody waits for: probes of endpoints that are out, and the judgement of late answers. */
  settled(): Promise<void>
  stateOf(name: string): string
  reasonOf(name: string): string
  end(): Promise<void>
}

export interface FixtureParts {
  readonly profile?: Partial<ChainProfile>
  readonly liarMs?: number
  /** Faults to be there before the first look. */
  readonly prepare?: (proxies: readonly RpcProxy[]) => void
}

/** Endpoints a, b and c in front of `anvil`, of which two must agree; all have been looked at once. */
export async function startFixture(anvil: Anvil, parts: FixtureParts = {}): Promise<Fixture> {
  const proxies = await Promise.all(['a', 'b', 'c'].map(() => startProxy(anvil.url)))
  parts.prepare?.(proxies)
  let nowMs = 1_000_000
  const changes: string[] = []
  const quorum = createRpcQuorum({
    endpoints: proxies.map(({ url }, i) => ({ name: 'abc'[i]!, url })),
    quorum: 2,
    profile: chainProfile('local', parts.profile),
    clock: () => ({ wallMs: nowMs, steadyMs: nowMs }),
    onHealth: ({ name, state }) => changes.push(`${name}:${state}`),
    timeoutMs: 400,
    ...(parts.liarMs === undefined ? {} : { liarMs: parts.liarMs }),
  })
  const factsOf = (name: string): EndpointFacts => quorum.facts().find((facts) => facts.name === name)!
  const fixture: Fixture = {
    quorum,
    proxies,
    changes,
    pass: (ms) => {
      nowMs += ms
    },
    async step() {
      await anvil.mine()
      nowMs += quorum.profile.blockMs
      const { number } = await quorum.head()
      await fixture.settled()
      return number
    },
    async stepsUntil(done, max = 12) {
      for (let steps = 0; steps <= max; steps++) {
        if (done()) return steps
        await fixture.step().catch((error: unknown) => {
          if (!(error instanceof OracleError)) throw error
        })
      }
      throw new Error(`not in ${max} steps: ${JSON.stringify(quorum.facts())}`)
    },
    async settled() {
      let asked = -1
      for (let still = 0; still < 4; ) {
        await new Promise((resolve) => setTimeout(resolve, 8))
        const now = proxies.reduce((sum, proxy) => sum + proxy.asked.length, 0)
        still = now === asked && proxies.every(({ busy }) => busy === 0) ? still + 1 : 0
        asked = now
      }
    },
    stateOf: (name) => factsOf(name).state,
    reasonOf: (name) => factsOf(name).reason,
    async end() {
      quorum.close()
      for (const proxy of proxies) await proxy.stop()
    },
  }
  await quorum.head().catch((error: unknown) => {
    if (!(error instanceof OracleError)) throw error
  })
  return fixture
}

/** A fault that shows `latest` as block `number()` of the true chain. */
export function showing(number: () => number): (call: Call) => Call {
  return (call) =>
    call.params[0] === 'latest' ? { ...call, params: [`0x${number().toString(16)}`, ...call.params.slice(1)] } : call
}

/** A fault that changes results of `method`, where there are any. */
export function changing(method: string, change: (result: never, call: Call) => unknown): (c: Call, r: Reply) => Reply {
  return (call, reply) => {
    const isIt = call.method === method && reply.result !== undefined && reply.result !== null
    return isIt ? { result: change(reply.result as never, call) } : reply
  }
}

/** Another hash for each block from `number` on. */
export function forkedFrom(number: number): (c: Call, r: Reply) => Reply {
  return changing('eth_getBlockByNumber', (block: { number: string; hash: string }) => {
    return Number(block.number) < number ? block : { ...block, hash: `0xbad${block.hash.slice(5)}` }
  })
}

/** The code of the OracleError that `work` throws. */
export async function codeOfError(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    (value) => new Error(`no error but ${String(value)}`),
    (reason: unknown) => reason,
  )
  if (error instanceof OracleError) return error.code
  throw error
}
