// Random lives of a sender on a model of a chain: reorganisations, spikes, drops, thieves, lost quorums and crashes, from seeds.

import { describe, expect, it } from 'vitest'
import { openJournal } from '../../src/chain/journal.js'
import { createSender, type Sender } from '../../src/chain/sender.js'
import type { Job, SenderRules } from '../../src/chain/sender-state.js'
import { Rng } from '../simulation/rng.js'
import { ForgetfulDisk, hashOf, ModelChain, modelSign } from './model-chain.js'

const rules: SenderRules = {
  chainId: 1,
  address: '0x00000000000000000000000000000000000000a1',
  confirmations: 4,
  finalityBlocks: 40,
  raiseAfterBlocks: 2,
  flightsMax: 4,
  balanceMinWei: 1n,
  rememberMs: 10 ** 9,
  limits: {
    perGasMax: 10_000n,
    tipMin: 1n,
    tipMax: 100n,
    perTransactionMax: 10n ** 12n,
    perHourMax: 10n ** 9n,
  },
}
const jobOf = (index: number): Job => ({
  id: `job ${index}`,
  to: rules.address,
  data: `0x${(index + 1).toString(16)}`,
  gasLimit: 21_000n,
  priority: index % 3,
})

const worlds = 120
const crowd = 60
const chaosBlocks = 50
const gapBlocksMax = 6

/** One world: a key, its disk, its chain, and what happens to them. */
class World {
  readonly rng: Rng
  readonly chain: ModelChain
  readonly disk: ForgetfulDisk
  readonly jobs: Job[] = []
  /** Hashes of all that left. */
  readonly sent: Set<string> = new Set()
  #wallMs = 5_000_000
  readonly happened: Map<string, number>
  readonly thieves: boolean
  #sender: Sender | null = null
  #dead = { is: false, afterSteps: Infinity }

  constructor(seed: number, happened: Map<string, number>) {
    this.rng = new Rng(BigInt(seed))
    this.chain = new ModelChain(this.rng)
    this.disk = new ForgetfulDisk(this.rng)
    this.happened = happened
    // With thieves no reorganisation reaches what is confirmed: a theft undone that late may bring back what it replaced.
    this.thieves = this.rng.chance(0.5)
  }

  #note(what: string): void {
    this.happened.set(what, (this.happened.get(what) ?? 0) + 1)
  }

  /** A new process, whose caller submits what it wants again; it dies after so many steps. */
  async start(afterSteps: number): Promise<void> {
    const dead = { is: false, afterSteps }
    this.#dead = dead
    const step = async (): Promise<void> => {
      if (dead.afterSteps-- <= 0) dead.is = true
      if (dead.is) await new Promise(() => {})
    }
    const guarded = <A extends readonly unknown[], R>(action: (...args: A) => Promise<R>) => {
      return async (...args: A): Promise<R> => {
        await step()
        const result = await action(...args)
        await step()
        return result
      }
    }
    const journal = await openJournal({ disk: this.disk.disk(step), path: 'journal', owner: rules })
    const rpc = this.chain.rpc()
    this.#sender = createSender(rules, {
      journal,
      clock: () => ({ wallMs: this.#wallMs, steadyMs: 0 }),
      wallet: { sign: guarded(async (transaction) => modelSign(transaction)) },
      rpc: {
        ...rpc,
        head: guarded(rpc.head),
        receipt: guarded(rpc.receipt),
        send: guarded(async (raw) => {
          // Write ahead: whatever leaves is on disk.
          expect(this.disk.durable.includes(JSON.stringify(raw).slice(1, -1))).toBe(true)
          const { maxFeePerGas } = JSON.parse(raw) as Record<string, string>
          expect(BigInt(maxFeePerGas!)).toBeLessThanOrEqual(rules.limits.perGasMax)
          this.sent.add(hashOf(raw))
          const outcome = await rpc.send(raw)
          this.#note(outcome)
          return outcome
        }),
      },
      stillWanted: guarded(async ({ data }) => this.chain.count(data) === 0),
      onNews: (news) =>
        this.#note(news.kind === 'alarm' ? news.code : news.kind === 'ended' ? news.outcome.end : news.kind),
    })
    for (const job of this.jobs) void this.#sender.submit(job)
  }

  /** A sight and all that follows from it, or death; then a block. */
  async block(): Promise<void> {
    const done = this.#sender!.look().then(() => this.#sender!.idle())
    const death = (async () => {
      while (!this.#dead.is) {
        await new Promise((resolve) => setImmediate(resolve))
        if (await Promise.race([done.then(() => true), Promise.resolve(false)])) return
      }
    })()
    await Promise.race([done, death])
    if (this.#dead.is) {
      this.#note('death')
      this.disk.cut()
      await this.start(this.rng.chance(0.5) ? Infinity : this.rng.below(60))
    }
    this.chain.mine()
  }

  /** Something that happens to a chain, a node or a process between two blocks. */
  disturb(): void {
    const { chain, rng } = this
    const dice = rng.below(20)
    if (dice === 0) chain.reorganise(1 + rng.below(this.thieves ? rules.confirmations - 1 : 30))
    if (dice === 1) chain.forget()
    if (dice === 2 && this.thieves) chain.steal()
    if (dice === 3) chain.baseFee = BigInt(rng.pick([1, 10, 200, 4000, 20_000]))
    if (dice === 4) chain.isLost = !chain.isLost
    if (dice === 5) chain.lag = rng.below(3)
    if (dice === 6 && this.#dead.afterSteps === Infinity) this.#dead.afterSteps = rng.below(40)
    if (dice >= 10 && this.jobs.length < crowd) {
      const job = jobOf(this.jobs.length)
      this.jobs.push(job)
      void this.#sender!.submit(job)
    }
  }

  calm(): void {
    this.#wallMs += 3_600_000
    this.chain.baseFee = 10n
    this.chain.isLost = false
    this.chain.lag = 0
    this.#dead.afterSteps = Infinity
  }
}

describe(`a sender in ${worlds} random worlds`, () => {
  it('causes each effect exactly once, within its caps, and is done soon after the storm', {
    timeout: 60_000,
  }, async () => {
    const happened = new Map<string, number>()
    for (let seed = 0; seed < worlds; seed++) {
      const world = new World(seed, happened)
      const { chain, jobs } = world
      await world.start(Infinity)
      for (let block = 0; block < chaosBlocks; block++) {
        world.disturb()
        await world.block()
        for (const { data } of jobs) expect(chain.count(data), `world ${seed}, block ${block}`).toBeLessThanOrEqual(1)
        expect(chain.paidWei(world.sent)).toBeLessThanOrEqual(rules.limits.perHourMax)
      }
      world.calm()
      // Until all is done, no gap and no stuck nonce lasts.
      for (let still = 0; !jobs.every(({ data }) => chain.count(data) === 1); ) {
        const before = chain.transactions.length
        await world.block()
        still = chain.transactions.length > before ? 0 : still + 1
        expect(still, `world ${seed}`).toBeLessThanOrEqual(gapBlocksMax)
      }
      for (let i = 0; i < rules.confirmations + 2; i++) await world.block()
      expect(
        jobs.map(({ data }) => chain.count(data)),
        `world ${seed}`,
      ).toEqual(jobs.map(() => 1))
    }
    const faults = [
      'death',
      'undone',
      'done',
      'NONCE_TAKEN',
      'FEE_CAP',
      'FEE_BUDGET',
      'underpriced',
      'nonceTooLow',
      'known',
    ]
    for (const what of faults) {
      expect(happened.get(what) ?? 0, what).toBeGreaterThan(10)
    }
  })
})
