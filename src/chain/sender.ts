// The sender of one key on one chain: performs what sender-step.ts asks for, in order, against RPC, wallet, journal and clock.

import type { Clock } from '../base/clock.js'
import { OracleError } from '../base/errors.js'
import type { Fees } from './fees.js'
import type { Journal } from './journal.js'
import type { SendOutcome } from './send-outcome.js'
import { entriesOf, restoreSender } from './sender-restore.js'
import {
  anchorOf,
  hashesToAsk,
  type Job,
  knowsJob,
  type News,
  openJobsOf,
  type Receipt,
  type SenderEffect,
  type SenderEvent,
  type SenderRules,
  type SenderState,
  type Standing,
  standingOf,
  stands,
} from './sender-state.js'
import { stepSender } from './sender-step.js'

/** A block that a quorum of endpoints agrees on. */
export interface SenderHead {
  readonly number: number
  readonly hash: string
  readonly baseFeePerGas: bigint
}

/** What the sender asks of a chain. All but `send` is what a quorum says at one block; each rejects when there is none. */
export interface SenderRpc {
  head(): Promise<SenderHead>
  /** Transactions of `address` in the chain up to `head`. */
  count(address: string, head: SenderHead): Promise<number>
  balance(address: string, head: SenderHead): Promise<bigint>
  /** The tip that recent blocks paid for one unit of gas. */
  tip(head: SenderHead): Promise<bigint>
  /** The receipt of a transaction in the chain of `head`; null where that does not hold it. */
  receipt(hash: string, head: SenderHead): Promise<Receipt | null>
  /** Hands a signed transaction to all endpoints; what the best of them said, never evidence that it is in. */
  send(raw: string): Promise<SendOutcome>
}

/** A transaction to be signed (EIP-1559, no value). */
export interface UnsignedTransaction extends Fees {
  readonly chainId: number
  readonly nonce: number
  readonly to: string
  readonly data: string
  readonly gasLimit: bigint
}

/** Signs for one key, which it keeps to itself. */
export interface SenderWallet {
  sign(transaction: UnsignedTransaction): Promise<{ readonly raw: string; readonly hash: string }>
}

/** Where a sender meets the world. `clock.wallMs` dates what was spent. */
export interface SenderPorts {
  readonly rpc: SenderRpc
  readonly wallet: SenderWallet
  readonly journal: Journal
  readonly clock: Clock
  /** Whether the effect of a job is still missing on the chain, asked when its nonce was taken or it waited. */
  stillWanted(job: Job): Promise<boolean>
  onNews(news: News): void
  /** A fault of ours in what nobody waits for; without it that is an unhandled rejection. */
  readonly onFault?: (error: unknown) => void
}

/** What an operator may see of a sender. */
export interface SenderFacts {
  readonly address: string
  readonly standing: Standing
  readonly balance: bigint | null
  readonly queued: number
  /** Nonces under way, each with its job and how often it was tried. */
  readonly underWay: readonly { readonly nonce: number; readonly id: string; readonly tries: number }[]
  readonly alarms: readonly string[]
  /** The last reason why no quorum was heard, while none is. */
  readonly blindBecause: string | null
}

/** The sender. Jobs get nonces in order of priority; all that happens to them is told through `onNews`. */
export interface Sender {
  readonly address: string
  readonly standing: Standing
  /** Resolves when the job is taken. One that is known is not taken twice; one that ended is told again. */
  submit(job: Job): Promise<void>
  /** Jobs without a nonce, the most urgent first. */
  queued(): readonly Job[]
  /** Takes back a job that has no nonce; resolves with whether it could. */
  withdraw(id: string): Promise<boolean>
  /** Ids of the jobs that it has taken, in this life or an earlier one, and that have not ended. */
  openJobs(): readonly string[]
  /** Whether it has the job, under way or ended. */
  knows(id: string): boolean
  /** Looks at the chain and acts on it: to be called at each new head, and now and then without one. */
  look(): Promise<void>
  facts(): SenderFacts
  /** Resolves when all that was begun has ended: nothing is being signed, handed out or asked. */
  idle(): Promise<void>
  /** The same, after which nothing leaves any more. The journal stays open. */
  close(): Promise<void>
}

/** A journal longer than this is rewritten when a nonce becomes final. */
const journalBytesMax = 4 * 1024 * 1024

/** A sender that goes on where the journal ends. */
export function createSender(rules: SenderRules, ports: SenderPorts): Sender {
  const { rpc, wallet, journal, clock } = ports
  let state: SenderState = restoreSender(journal.entries)
  let blindBecause: string | null = null
  let isClosed = false
  let looking: Promise<void> | null = null
  let working: Promise<void> = Promise.resolve()
  const asking = new Set<string>()
  const pending = new Set<Promise<void>>()

  /** Events are taken one after the other, each with all its effects. Rejects only for programmers' errors. */
  const hear = (event: SenderEvent): Promise<void> => {
    const done = working.then(() => take(event))
    working = done.catch(() => {})
    return done
  }

  const take = async (event: SenderEvent): Promise<void> => {
    if (isClosed) return
    const transition = stepSender(rules, state, event, clock().wallMs)
    state = transition.state
    for (const effect of transition.effects) await perform(effect)
  }

  const perform = async (effect: SenderEffect): Promise<void> => {
    switch (effect.kind) {
      case 'sign':
        return take(await signed(effect))
      case 'send': {
        const { nonce, attempt } = effect
        return later(async () => {
          const answer = await rpc.send(attempt.raw).catch((): SendOutcome => 'gone')
          await hear({ kind: 'answered', nonce, hash: attempt.hash, answer })
        })
      }
      case 'write':
        return write(effect)
      case 'ask': {
        const { job } = effect
        if (asking.has(job.id)) return
        asking.add(job.id)
        return later(async () => {
          // Without an answer it is asked again at the next sight.
          const isWanted = await ports.stillWanted(job).catch(() => null)
          asking.delete(job.id)
          if (isWanted !== null) await hear({ kind: 'wanted', id: job.id, isWanted })
        })
      }
      case 'tell':
        return ports.onNews(effect.news)
    }
  }

  /** Write ahead: the attempt is on disk before anything else hears of it. */
  const signed = async ({ nonce, job, fees, isFiller }: SenderEffect & { kind: 'sign' }): Promise<SenderEvent> => {
    const call = isFiller ? { to: rules.address, data: '0x', gasLimit: 21_000n } : job
    const { to, data, gasLimit } = call
    try {
      const { raw, hash } = await wallet.sign({ chainId: rules.chainId, nonce, to, data, gasLimit, ...fees })
      const attempt = { hash, raw, fees, isFiller }
      await journal.append({ kind: 'attempt', nonce, job, attempt })
      return { kind: 'signed', nonce, attempt }
    } catch (error) {
      if (!(error instanceof OracleError)) throw error
      return { kind: 'unsigned', nonce, code: error.code === 'JOURNAL_WRITE_FAILED' ? error.code : null }
    }
  }

  /** What follows a transaction that is in the chain can be found there again, so a full disk does not stop it. */
  const write = async ({ entry }: SenderEffect & { kind: 'write' }): Promise<void> => {
    try {
      if (entry.kind === 'final' && journal.bytes > journalBytesMax) await journal.rewrite(entriesOf(state))
      else await journal.append(entry)
    } catch (error) {
      if (!(error instanceof OracleError)) throw error
      await take({ kind: 'unsigned', nonce: -1, code: 'JOURNAL_WRITE_FAILED' })
    }
  }

  /** Starts what may take long and must not hold up the rest. */
  const later = (action: () => Promise<void>): void => {
    const running: Promise<void> = action()
      .catch((error: unknown) => {
        if (ports.onFault === undefined) throw error
        ports.onFault(error)
      })
      .finally(() => pending.delete(running))
    pending.add(running)
  }

  const look = async (): Promise<void> => {
    try {
      const head = await rpc.head()
      const before = state
      const { newest, older } = hashesToAsk(before)
      const receipts = new Map<string, Receipt | null>()
      const ask = async (hash: string): Promise<void> => void receipts.set(hash, await rpc.receipt(hash, head))
      const [count, balance, tipPerGas] = await Promise.all([
        rpc.count(rules.address, head),
        rpc.balance(rules.address, head),
        rpc.tip(head),
        ...newest.map(ask),
      ])
      if (!stands(anchorOf(before), receipts)) await Promise.all(older.map(ask))
      blindBecause = null
      await hear({ kind: 'seen', sight: { ...head, count, balance, tipPerGas, receipts } })
    } catch (error) {
      if (!(error instanceof OracleError)) throw error
      blindBecause = `${error.code}: ${error.message}`
      await hear({ kind: 'blind' })
    }
  }

  const idle = async (): Promise<void> => {
    await looking?.catch(() => {})
    while (pending.size > 0) await Promise.all(pending)
    await working
    if (pending.size > 0) await idle()
  }

  return {
    address: rules.address,
    get standing() {
      return standingOf(state, rules)
    },
    submit: (job) => hear({ kind: 'submitted', job }),
    queued: () => state.queue.map(({ job }) => job),
    withdraw: async (id) => {
      let isWithdrawn = false
      working = working.then(async () => {
        isWithdrawn = state.queue.some(({ job }) => job.id === id)
        await take({ kind: 'withdrawn', id })
      })
      await working
      return isWithdrawn
    },
    openJobs: () => openJobsOf(state),
    knows: (id) => knowsJob(state, id),
    look: () => {
      looking ??= look().finally(() => {
        looking = null
      })
      return looking
    },
    facts: () => ({
      address: rules.address,
      standing: standingOf(state, rules),
      balance: state.sight?.balance ?? null,
      queued: state.queue.length + state.doubted.length,
      underWay: state.flights
        .filter(({ isDone }) => !isDone)
        .map(({ nonce, job, attempts }) => ({ nonce, id: job.id, tries: attempts.length })),
      alarms: [...state.alarms],
      blindBecause,
    }),
    idle,
    close: () => {
      isClosed = true
      return idle()
    },
  }
}
