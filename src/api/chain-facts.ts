// What GET /v1/chains says of a chain: field by field, so that nothing is published that nobody meant to publish.

import { toJson } from '../base/to-json.js'
import type { ChainFacts } from '../deliver/chain-event.js'

/** The public facts of a chain as JSON. Costs are many and change seldom, so their text is kept as long as they stand. */
export function chainJson(facts: ChainFacts): string {
  const { costs } = facts
  const text = costTexts.get(costs) ?? toJson(presentCosts(costs))
  costTexts.set(costs, text)
  return `${toJson(presentChain(facts)).slice(0, -1)},"costs":${text}}`
}

const costTexts = new WeakMap<ChainFacts['costs'], string>()

/** All but the costs. Endpoints have names only; their URLs may hold keys, also in what they say themselves. */
function presentChain(facts: ChainFacts): Readonly<Record<string, unknown>> {
  const { chain, chainId, head, stoppedBy, endpoints, senders, stores, requests } = facts
  return {
    chain,
    chainId,
    head: head === null ? null : { number: head.number, timestampMs: head.timestampMs },
    stoppedBy: stoppedBy === null ? null : { code: stoppedBy.code, why: withoutUrls(stoppedBy.why) },
    endpoints: endpoints.map(({ name, state, sinceMs, reason, head }) => {
      return { name, state, sinceMs, reason: withoutUrls(reason), head }
    }),
    senders: senders.map(({ address, pays, standing, balance, queued, underWay, alarms, blindBecause }) => ({
      address,
      pays,
      standing,
      balanceWei: balance,
      queued,
      underWay: underWay.map(({ nonce, id, tries }) => ({ nonce, job: id, tries })),
      alarms,
      blindBecause: blindBecause === null ? null : withoutUrls(blindBecause),
    })),
    stores: stores.map(({ target, kind, feeds }) => ({
      target,
      kind,
      feeds: feeds.map(({ name, storedMs, due, heartbeatMs }) => ({ name, storedMs, due, heartbeatMs })),
    })),
    requests: requests === null ? null : presentRequests(requests),
  }
}

function presentCosts(costs: ChainFacts['costs']): readonly unknown[] {
  return costs.map(({ day, target, feed, updates, reverted, gasUsed, feeWei }) => {
    return { day, target, feed, updates, reverted, gasUsed, feeWei }
  })
}

function presentRequests({ hub, open, counts, declined, readToBlock }: NonNullable<ChainFacts['requests']>): unknown {
  return { hub, open, counts, declined, readToBlock }
}

/** Errors quote what an endpoint said, and some say their own address. */
function withoutUrls(text: string): string {
  return text.replace(/\b[a-z][a-z0-9+.-]*:\/\/\S*/gi, '…')
}
