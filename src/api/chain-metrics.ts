// Numbers for Prometheus of the delivery to chains: what is stored and due, what was sent and paid, endpoints, keys, requests.
//
// Labels come from the configuration and the committee document, or from lists that this file holds: strangers add none.
// Amounts are in gwei, as Prometheus has floats only; the exact wei are in GET /v1/chains.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { ChainEvent, ChainFacts } from '../deliver/chain-event.js'
import type { NodeView } from './node-view.js'

export interface ChainMetrics {
  /** Brings what is read from the view up to date. */
  read(): void
  close(): void
}

type TransmitNews = Extract<ChainEvent, { event: 'transmit' }>['news']
type RequestNews = Extract<ChainEvent, { event: 'request' }>['news']
type Alarm = Extract<ChainEvent, { event: 'sender' }>['code']

/** From one second to one hour. */
const buckets = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600]
const alarms: Readonly<Record<Alarm, true>> = {
  FEE_CAP: true,
  FEE_BUDGET: true,
  LOW_BALANCE: true,
  NONCE_TAKEN: true,
  JOB_REFUSED: true,
  JOURNAL_WRITE_FAILED: true,
}
const requestEvents: Readonly<Record<RequestNews['event'], true>> = {
  asked: true,
  declined: true,
  round: true,
  waiting: true,
  sent: true,
  ended: true,
  failed: true,
  expired: true,
  forgotten: true,
}

/** Labels of what is of one feed in one store, and of one endpoint. */
const feedLabels: ('chain' | 'store' | 'feed')[] = ['chain', 'store', 'feed']
const endpointLabels: ('chain' | 'endpoint' | 'state')[] = ['chain', 'endpoint', 'state']

/** The metrics of `view`'s chains in `register`. */
export function createChainMetrics(view: NodeView, register: Registry): ChainMetrics {
  const registers = [register]
  const gauge = <L extends string>(name: string, help: string, labelNames: L[]): Gauge<L> =>
    new Gauge({ name: `assay_chain_${name}`, help, labelNames, registers })
  const counter = <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
    new Counter({ name: `assay_chain_${name}`, help, labelNames, registers })
  const histogram = <L extends string>(name: string, help: string, labelNames: L[]): Histogram<L> =>
    new Histogram({ name: `assay_chain_${name}`, help, labelNames, buckets, registers })

  const events = counter('transmit_events_total', 'Events of updates: due, sent, confirmed, …', [
    'chain',
    'store',
    'event',
  ])
  const toSent = histogram('due_to_sent_seconds', 'From due to the first sending, of updates that were confirmed', [
    'chain',
    'store',
  ])
  const toConfirmed = histogram('due_to_confirmed_seconds', 'From due to confirmed', ['chain', 'store'])
  const gas = counter('gas_used_total', 'Gas paid for since the start', feedLabels)
  const fee = counter('fee_gwei_total', 'Fees paid since the start', feedLabels)
  const feeToday = gauge('fee_today_gwei', 'Fees paid on this UTC day, before a restart too', feedLabels)
  const overdue = gauge('feed_overdue', '1 while the heartbeat of a feed is over and nobody renewed it', feedLabels)
  const age = gauge('feed_stored_age_seconds', 'Age of what a store has of a feed', feedLabels)
  const due = gauge('feed_due', '1 while a feed should be renewed', feedLabels)
  const stopped = gauge('stopped', '1 while nothing is sent; the code says why', ['chain', 'code'])
  const head = gauge('head_number', 'The newest block that a quorum of endpoints agrees on', ['chain'])
  const headAge = gauge('head_age_seconds', 'Age of that block by its own time', ['chain'])
  const endpoint = gauge('endpoint_counting', '1 while an endpoint is one of the quorum', endpointLabels)
  const endpointChanges = counter('endpoint_changes_total', 'Changes of an endpoint to a state', endpointLabels)
  const balance = gauge('sender_balance_gwei', 'Balance of a key that pays', ['chain', 'sender', 'pays'])
  const queued = gauge('sender_queued', 'Jobs of a key without a nonce', ['chain', 'sender', 'pays'])
  const underWay = gauge('sender_under_way', 'Nonces of a key under way', ['chain', 'sender', 'pays'])
  const alarm = gauge('sender_alarm', '1 while something must be put right with a key', ['chain', 'sender', 'code'])
  const requests = counter('requests_total', 'Events of requests since the start', ['chain', 'event'])
  const declined = counter('requests_declined_total', 'Requests declined since the start by reason', [
    'chain',
    'reason',
  ])
  const open = gauge('requests_open', 'Requests that this oracle means to answer', ['chain'])
  const requestFee = counter('request_fee_gwei_total', 'Fees paid for answers since the start', ['chain'])

  const overdueFeeds = new Map<string, { readonly chain: string; readonly store: string; readonly feed: string }>()
  const heardTransmit = (chain: string, news: TransmitNews): void => {
    const { target: store } = news
    events.inc({ chain, store, event: news.event })
    if (news.event === 'confirmed' && news.dueAtMs !== null) {
      toConfirmed.observe({ chain, store }, Math.max(0, news.atMs - news.dueAtMs) / 1000)
      if (news.sentAtMs !== null) toSent.observe({ chain, store }, Math.max(0, news.sentAtMs - news.dueAtMs) / 1000)
    } else if (news.event === 'overdue' || news.event === 'renewed') {
      const { feed } = news
      const key = JSON.stringify([chain, store, feed])
      if (news.event === 'overdue') overdueFeeds.set(key, { chain, store, feed })
      else overdueFeeds.delete(key)
    }
  }
  const stop = view.onChain((event) => {
    const { chain } = event
    if (event.event === 'transmit') heardTransmit(chain, event.news)
    else if (event.event === 'endpoint') endpointChanges.inc({ chain, endpoint: event.endpoint, state: event.state })
    else if (event.event === 'request' && 'feeWei' in event.news) requestFee.inc({ chain }, inGwei(event.news.feeWei))
  })

  const paid = followCosts(view.chains())
  const readCosts = (facts: ChainFacts): void => {
    const { chain, costs } = facts
    for (const { store, feed, gasUsed, feeWei } of paid(facts)) {
      gas.inc({ chain, store, feed }, Number(gasUsed))
      fee.inc({ chain, store, feed }, inGwei(feeWei))
    }
    const today = new Date(view.nowMs()).toISOString().slice(0, 10)
    for (const { day, target: store, feed, feeWei } of costs)
      if (day === today) feeToday.set({ chain, store, feed }, inGwei(feeWei))
  }
  const readStores = ({ chain, stores }: ChainFacts): void => {
    for (const { target: store, feeds } of stores)
      for (const { name: feed, storedMs, due: reason } of feeds) {
        due.set({ chain, store, feed }, reason === null ? 0 : 1)
        overdue.set({ chain, store, feed }, 0)
        if (storedMs !== null) age.set({ chain, store, feed }, Math.max(0, view.nowMs() - storedMs) / 1000)
      }
  }
  const readSenders = ({ chain, senders }: ChainFacts): void => {
    for (const { address: sender, pays, ...facts } of senders) {
      if (facts.balance !== null) balance.set({ chain, sender, pays }, inGwei(facts.balance))
      queued.set({ chain, sender, pays }, facts.queued)
      underWay.set({ chain, sender, pays }, facts.underWay.length)
      for (const code of Object.keys(alarms)) alarm.set({ chain, sender, code }, facts.alarms.includes(code) ? 1 : 0)
    }
  }
  const readRequests = ({ chain, requests: facts }: ChainFacts): void => {
    if (facts === null) return
    open.set({ chain }, facts.open)
    for (const [event, count] of Object.entries(facts.counts))
      requests.inc({ chain, event: event in requestEvents ? event : 'other' }, count)
    for (const [reason, count] of Object.entries(facts.declined)) declined.inc({ chain, reason }, count)
  }
  const readChain = ({ chain, head: block, stoppedBy, endpoints }: ChainFacts): void => {
    stopped.set({ chain, code: stoppedBy?.code ?? '' }, stoppedBy === null ? 0 : 1)
    if (block !== null) {
      head.set({ chain }, block.number)
      headAge.set({ chain }, Math.max(0, view.nowMs() - block.timestampMs) / 1000)
    }
    for (const { name, state } of endpoints)
      endpoint.set({ chain, endpoint: name, state }, state === 'counting' ? 1 : 0)
  }

  const made = [feeToday, overdue, age, due, stopped, head, headAge, endpoint, balance, queued, underWay, alarm, open]
  return {
    read: () => {
      for (const metric of [...made, requests, declined]) metric.reset()
      for (const facts of view.chains()) {
        readChain(facts)
        readStores(facts)
        readSenders(facts)
        readRequests(facts)
        readCosts(facts)
      }
      for (const labels of overdueFeeds.values()) overdue.set(labels, 1)
    },
    close: () => void stop(),
  }
}

interface Paid {
  readonly store: string
  readonly feed: string
  readonly gasUsed: bigint
  readonly feeWei: bigint
}

/**
 * Tells by how much each row of a chain's costs has grown since it was last told; never less than nothing, as a counter
 * that falls is taken for a restart. What a reorganisation undid and another block has again is told once. `before`: what was
 * paid before the start.
 */
function followCosts(before: readonly ChainFacts[]): (facts: ChainFacts) => readonly Paid[] {
  const marks = new Map<string, Paid & { readonly chain: string; readonly day: string }>()
  const seen = new Map<string, ChainFacts['costs']>()
  const grown = ({ chain, costs }: ChainFacts): readonly Paid[] => {
    // The same rows: nothing was paid.
    if (seen.get(chain) === costs) return []
    seen.set(chain, costs)
    const more: Paid[] = []
    const oldest = costs[0]?.day ?? ''
    for (const [key, mark] of marks) if (mark.chain === chain && mark.day < oldest) marks.delete(key)
    for (const { day, target: store, feed, gasUsed, feeWei } of costs) {
      const key = `${chain} ${day} ${store} ${feed}`
      const mark = marks.get(key) ?? { gasUsed: 0n, feeWei: 0n }
      const high = { gasUsed: larger(gasUsed, mark.gasUsed), feeWei: larger(feeWei, mark.feeWei) }
      marks.set(key, { chain, day, store, feed, ...high })
      more.push({ store, feed, gasUsed: high.gasUsed - mark.gasUsed, feeWei: high.feeWei - mark.feeWei })
    }
    return more
  }
  for (const facts of before) grown(facts)
  return grown
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b)

/** Whole gwei and a rest to the wei, as exactly as a float can. */
function inGwei(wei: bigint): number {
  return Number(wei) / 1e9
}
