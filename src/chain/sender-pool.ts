// Several keys that send on one chain: a job goes to the key that can send it now, and never waits behind another's trouble.

import type { Sender } from './sender.js'
import type { Job, Standing } from './sender-state.js'

/** Keys as one. */
export interface SenderPool {
  readonly senders: readonly Sender[]
  /** Resolves when a key has taken the job; the one that knows it already, else the one that can send it soonest. */
  submit(job: Job): Promise<void>
  /** Ids of the jobs that any key has taken and that have not ended. */
  openJobs(): readonly string[]
  /** Lets all keys look at the chain, then moves jobs without a nonce away from keys that cannot send. */
  look(): Promise<void>
  close(): Promise<void>
}

/** Best first. */
const ranks: Readonly<Record<Standing, number>> = { free: 0, full: 1, stuck: 2, poor: 3, blind: 4 }

/** A pool of `senders`, at least one, each with a key and a journal of its own. */
export function createSenderPool(senders: readonly Sender[]): SenderPool {
  if (senders.length === 0) throw new Error('A pool has at least one sender')
  let turn: Promise<unknown> = Promise.resolve()
  /** One after the other, so that a job is never with two keys and standings are those of now. */
  const inTurn = (action: () => Promise<void>): Promise<void> => {
    const done = turn.then(action)
    turn = done.catch(() => {})
    return done
  }
  const give = async (job: Job): Promise<void> => {
    const sender = senders.find(({ knows }) => knows(job.id)) ?? soonest(senders)
    await sender.submit(job)
  }
  const rebalance = async (): Promise<void> => {
    for (const sender of senders) {
      if (sender.standing === 'free') continue
      for (const job of sender.queued()) {
        if (soonest(senders).standing !== 'free') return
        if (await sender.withdraw(job.id)) await soonest(senders).submit(job)
      }
    }
  }
  return {
    senders,
    submit: (job) => inTurn(() => give(job)),
    openJobs: () => senders.flatMap((sender) => sender.openJobs()),
    look: async () => {
      await Promise.all(senders.map((sender) => sender.look()))
      await inTurn(rebalance)
    },
    close: async () => {
      await turn
      await Promise.all(senders.map((sender) => sender.close()))
    },
  }
}

/** The best standing; among equals the one with the fewest jobs, the first of those. */
function soonest(senders: readonly Sender[]): Sender {
  const load = (sender: Sender): number => {
    const { underWay, queued } = sender.facts()
    return ranks[sender.standing] * 1e6 + underWay.length + queued
  }
  return senders.reduce((best, sender) => (load(sender) < load(best) ? sender : best))
}
