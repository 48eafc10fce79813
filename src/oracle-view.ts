// What a running oracle shows of itself: the facts behind its API, gathered from its events.

import type { NodeStatus, NodeView, PeerFacts } from './api/node-view.js'
import type { Clock } from './base/clock.js'
import { version } from './base/version.js'
import type { Config } from './config.js'
import type { Engine } from './core/engine.js'
import { explain } from './core/explain.js'
import type { Slot } from './core/messages.js'
import type { Context, State } from './core/state.js'
import type { ChainEvent, ChainFacts } from './deliver/chain-event.js'
import type { RunningSource } from './observe/source-part.js'
import type { OracleEvent } from './oracle-event.js'
import type { ReportStore } from './store/report-store.js'

export interface ViewParts {
  readonly config: Config
  readonly context: Context
  readonly engine: Engine
  readonly engineKind: 'native' | 'wasm'
  readonly store: ReportStore
  readonly clock: Clock
  readonly state: () => State
  readonly drops: () => Readonly<Record<string, number>>
  readonly source: () => Pick<RunningSource, 'sources' | 'feeds'>
  readonly chains: () => readonly ChainFacts[]
}

/** The view, and the two ways by which news reach it. */
export interface OracleView extends NodeView {
  readonly event: (event: OracleEvent) => void
  /** A report is in the store. */
  readonly stored: (slot: Slot & { readonly attestedAtMs: number }) => void
}

/** A view with no events yet; `latest` is what the store holds. */
export function createView(parts: ViewParts): OracleView {
  const { config, context, store, clock } = parts
  const { committee, self } = config
  const nowMs = (): number => clock().wallMs
  const startedAtMs = nowMs()
  const listeners = new Set<(slot: Slot) => void>()
  const chainListeners = new Set<(event: ChainEvent) => void>()
  const onChain = (event: ChainEvent): void => {
    for (const listener of chainListeners) listener(event)
  }
  const peers = committee.members.map((member): PeerFacts => {
    const { index, name, address, endpoint } = member
    return { index, name, address, endpoint, state: index === self ? 'self' : 'down', reason: null, sinceMs: null }
  })
  let signingClosedBy: string | null = null
  let haltedBy: string | null = null
  let isStalled = false
  let reports = 0
  const found = store.latest()
  let latest: NodeStatus['latest'] =
    found === null ? null : { epoch: found.epoch, round: found.round, attestedAtMs: found.attestedAtMs }

  const news: { readonly [K in OracleEvent['event']]?: (event: Extract<OracleEvent, { event: K }>) => void } = {
    session: ({ peer, state, reason }) => {
      const index = peers.findIndex(({ name }) => name === peer)
      peers[index] = { ...peers[index]!, state, reason, sinceMs: nowMs() }
    },
    stalled: () => {
      isStalled = true
    },
    resumed: () => {
      isStalled = false
    },
    signing: ({ code }) => {
      signingClosedBy = code
    },
    halted: ({ code }) => {
      haltedBy = code
    },
    transmit: onChain,
    request: onChain,
    endpoint: onChain,
    sender: onChain,
    chain: onChain,
  }

  return {
    engine: parts.engine,
    committee,
    document: config.document,
    kernel: context.kernel,
    store,
    nowMs,
    status: () => ({
      member: committee.members[self]!.name,
      version,
      engine: parts.engineKind,
      startedAtMs,
      signingClosedBy,
      haltedBy,
      epoch: parts.state().epoch,
      latest,
      reasons: isStalled ? explain(context, parts.state(), nowMs()) : [],
      reports,
    }),
    sources: () => parts.source().sources(),
    feeds: () => parts.source().feeds(),
    peers: () => [...peers],
    drops: parts.drops,
    chains: parts.chains,
    onChain: (listener) => {
      chainListeners.add(listener)
      return () => chainListeners.delete(listener)
    },
    onReport: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    event: (event) => (news[event.event] as ((event: OracleEvent) => void) | undefined)?.(event),
    stored: ({ epoch, round, attestedAtMs }) => {
      reports++
      // Writes may end in another order than they began.
      if (latest === null || attestedAtMs > latest.attestedAtMs) latest = { epoch, round, attestedAtMs }
      for (const listener of listeners) listener({ epoch, round })
    },
  }
}
