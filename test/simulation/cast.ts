// The committee of a simulation: small, with one feed of each kind, quick timers, and the generation before it.

import { toHex, utf8 } from '../../src/core/bytes.js'
import { type Committee, parseCommittee } from '../../src/core/committee.js'
import { createContext } from '../../src/core/context.js'
import type { Context } from '../../src/core/state.js'
import { type Domain, domainOf } from '../../src/core/typed-data.js'
import type { SymbolicEngine } from './symbolic-engine.js'

/** Timers in milliseconds: small, so that a schedule of seconds holds many rounds and several epochs. */
export const timing = {
  roundMs: 100,
  roundMsMin: 20,
  graceMs: 10,
  slotMs: 80,
  delayMs: 20,
  skewMs: 1500,
  progressMs: 450,
  epochMs: 3000,
  resendMs: 100,
  roundsPerEpoch: 6,
}

/** One committee with all that its members share; kept from schedule to schedule. */
export interface Play {
  readonly committee: Committee
  /** One a member. */
  readonly contexts: readonly Context[]
  /** The domain of D and that of S. */
  readonly inner: Domain
  readonly outer: Domain
}

export interface Cast {
  readonly engine: SymbolicEngine
  readonly keys: readonly Uint8Array[]
  readonly now: Play
  /** The generation before: the same keys under another D and S, whose signatures must count for nothing (B16, B19). */
  readonly before: Play
}

function documentOf(engine: SymbolicEngine, n: number, generation: number): unknown {
  const feed = (name: string, fields: readonly object[], streamPpm = 0): object => ({
    name,
    schema: toHex(engine.keccak256(utf8(name))),
    unit: '1',
    decimals: 2,
    fields,
    validForS: 60,
    streamPpm,
  })
  return {
    version: 1,
    lineage: toHex(engine.keccak256(utf8('simulation'))),
    generation,
    f: Math.floor((n - 1) / 3),
    members: Array.from({ length: n }, (_, i) => ({
      name: `oracle-${i}`,
      address: toHex(engine.addressOf(engine.keyOf(i))),
      peerKey: toHex(engine.keccak256(utf8(`peer ${i}`))),
      endpoint: `127.0.0.1:${9000 + i}`,
    })),
    feeds: [
      feed('price', [{ name: 'price', type: 'int176', combine: 'median' }], 500),
      feed('open', [{ name: 'open', type: 'bool', combine: 'majority' }]),
      feed('candle', [
        { name: 'window', type: 'int64', combine: 'identity' },
        { name: 'close', type: 'int176', combine: 'median' },
      ]),
      feed('quake', [
        { name: 'event', type: 'string', combine: 'identity', bytesMax: 16 },
        { name: 'magnitude', type: 'int64', combine: 'median' },
        { name: 'place', type: 'string', combine: 'majority', bytesMax: 24 },
      ]),
    ],
    bundles: [
      { name: 'hot', hot: true, feeds: ['price', 'open'] },
      { name: 'events', feeds: ['candle', 'quake'] },
    ],
    timing,
  }
}

function playOf(engine: SymbolicEngine, n: number, generation: number): Play {
  const committee = parseCommittee(engine, documentOf(engine, n, generation))
  return {
    committee,
    contexts: Array.from({ length: n }, (_, self) => createContext(engine, committee, self)),
    inner: domainOf(engine, committee.digest),
    outer: domainOf(engine, committee.salt),
  }
}

/** The cast of `n` members; call it once an `n` and keep it. */
export function createCast(engine: SymbolicEngine, n: number): Cast {
  return {
    engine,
    keys: Array.from({ length: n }, (_, i) => engine.keyOf(i)),
    now: playOf(engine, n, 2),
    before: playOf(engine, n, 1),
  }
}
