// Builds declarations for the tests of src/feed: one that is clean, adapters for it, and small ways to spoil it.

import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import type { Finding } from '../../src/feed/finding.js'
import { type ParsedFeeds, parseFeeds } from '../../src/feed/parse-feeds.js'
import type { Adapter } from '../../src/observe/adapter.js'

export const engine: Awaited<ReturnType<typeof createWasmEngine>> = await createWasmEngine()

/** An adapter of prices of pairs, unless said otherwise. */
export function adapter(id: string, parts: Partial<Adapter> = {}): Adapter {
  return {
    id,
    version: 1,
    title: id,
    docs: '',
    class: 'spot',
    schemas: { params: 'pair', value: 'price' },
    limits: { hosts: [`api.${id}.test`], timeoutMs: 4000, bytesMax: 1000, perMinute: 60 },
    request: () => ({ url: '' }),
    normalise: () => null,
    ...parts,
  }
}

const http = { params: 'http-json', value: 'price' }
const noHosts = { hosts: ['*'], timeoutMs: 4000, bytesMax: 1000, perMinute: 60 }
const { request: _, ...stream } = adapter('alpha-stream', { subscribe: () => ({ url: '', messages: [], quietMs: 1 }) })

export const adapters: readonly Adapter[] = [
  ...['alpha', 'beta', 'gamma', 'delta', 'epsilon'].map((id) => adapter(id)),
  stream,
  adapter('pool', { class: 'amm-spot' }),
  adapter('fixed', { class: 'constant' }),
  adapter('alpha-two', { limits: { ...noHosts, hosts: ['api.alpha.test'] } }),
  adapter('http', { schemas: http, limits: noHosts }),
  adapter('quakes', { class: 'event', schemas: { params: 'pair', value: 'earthquake' } }),
  adapter('sky', { class: 'measurement', schemas: { params: 'open-meteo', value: 'weather' } }),
]

/** Any part of a declaration, to be spoiled. */
// biome-ignore lint/suspicious/noExplicitAny: tests write what the schema forbids.
export type Written = Record<string, any>

const source = (id: string): Written => ({
  adapter: id,
  version: 1,
  params: { base: '{base}', quote: '{quote}' },
  group: id,
})

/** A template with one entity that lint has nothing to say about. */
export function clean(): Written {
  return {
    version: 1,
    name: '{base}-{quote}',
    title: '{base} in {quote}',
    entities: [{ base: 'BTC', quote: 'USD' }],
    value: 'price',
    unit: '{quote}',
    decimals: 8,
    sources: ['alpha', 'beta', 'gamma', 'delta', 'epsilon'].map(source),
    combineSources: { minSources: 3, minGroups: 3, outlierPercent: '5' },
    bounds: { min: '1', max: '10000000', change: { maxPercent: '50', windowS: 60 } },
    freshness: { maxAgeS: 30, validForS: 60 },
    schedule: { every: '5s' },
    triggers: { deviationPercent: '0.5', heartbeatS: 60, streamPercent: '0.1' },
    risk: 'collateral',
    licence: 'facts of public markets',
  }
}

/** A declaration of one origin whose value begins with a text. */
export function quakes(): Written {
  const { entities: _e, unit: _u, decimals: _d, combineSources: _c, bounds: _b, triggers: _t, ...rest } = clean()
  return {
    ...rest,
    name: 'aa-bb',
    title: 'quakes',
    value: 'earthquake',
    risk: 'standard',
    sources: [{ ...source('quakes'), params: { base: 'AA', quote: 'BB' } }],
    singleSource: 'one network of seismometers',
  }
}

/** The feeds of one declaration, written as JSON over many lines. */
export function parse(written: unknown, table: readonly Adapter[] = adapters): ParsedFeeds {
  return parseFeeds(engine, 'feeds/test.yaml', JSON.stringify(written, null, 1), table)
}

/** What is wrong with `clean()` after `spoil`. */
export function findingsAfter(spoil: (written: Written) => void, from: Written = clean()): readonly Finding[] {
  spoil(from)
  return parse(from).findings
}

/** Puts `value` at a path such as bounds.min or sources.0.group. */
export function put(written: Written, path: string, value: unknown): void {
  const keys = path.split('.')
  const last = keys.pop()!
  keys.reduce<Written>((inner, key) => inner[key], written)[last] = value
}
