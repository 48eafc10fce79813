// What an oracle shows of its chains: the facts of the moment, and every event of a chain to every listener, no other event.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Config } from '../../src/config.js'
import type { Context, State } from '../../src/core/state.js'
import type { ChainEvent, ChainFacts } from '../../src/deliver/chain-event.js'
import { createView, type OracleView } from '../../src/oracle-view.js'
import { type Served, serve } from './served.js'

let served: Served
beforeAll(async () => {
  served = await serve()
})
afterAll(() => served.close())

const events: readonly ChainEvent[] = [
  { event: 'transmit', chain: 'local', news: { event: 'seeing', target: '1/0x', atMs: 1 } },
  { event: 'request', chain: 'local', news: { event: 'round', hub: '1/0x', atMs: 1, id: '1', feed: 'btc-usd' } },
  { event: 'endpoint', chain: 'local', endpoint: 'one', state: 'lying', reason: 'x' },
  { event: 'sender', chain: 'local', address: '0x', code: 'FEE_CAP', isRaised: true, sentence: 'x' },
  { event: 'chain', chain: 'local', code: null, why: null },
]

function viewOf(chains: () => readonly ChainFacts[]): OracleView {
  const { engine, committee, kernel, store } = served
  return createView({
    config: { committee, self: 0, document: served.document } as unknown as Config,
    context: { kernel } as Context,
    engine,
    engineKind: 'wasm',
    store,
    clock: () => ({ wallMs: 7, steadyMs: 7 }),
    state: () => ({ epoch: 0 }) as State,
    drops: () => ({}),
    source: () => ({ sources: () => [], feeds: () => [] }),
    chains,
  })
}

it('the facts are those of the moment', () => {
  let facts: readonly ChainFacts[] = []
  const view = viewOf(() => facts)
  expect(view.chains()).toEqual([])
  facts = [{ chain: 'local' } as ChainFacts]
  expect(view.chains()).toBe(facts)
})

it('every event of a chain is heard by all who listen, until they stop', () => {
  const view = viewOf(() => [])
  const heard: ChainEvent[][] = [[], []]
  const stops = heard.map((list) => view.onChain((event) => void list.push(event)))
  for (const event of events) view.event(event)
  view.event({ event: 'resumed' })
  view.event({ event: 'warning', code: 'X', sentence: 'x' })
  expect(heard).toEqual([events, events])
  stops[0]!()
  view.event(events[0]!)
  expect(heard.map(({ length }) => length)).toEqual([events.length, events.length + 1])
})
