// A valid committee document of four members and every cell type, to be changed by tests at will.

import { createPrivateKey, createPublicKey } from 'node:crypto'
import { toHex, utf8 } from '../src/core/bytes.js'
import type { SigningEngine } from '../src/crypto/engine-wasm.js'

/** Throw-away signing key of member `i`: public, worthless, the same in every run. */
export function memberKey(engine: SigningEngine, i: number): Uint8Array {
  return engine.keccak256(utf8(`assay test vectors, signing key of member ${i}`))
}

/** Raw Ed25519 public key of member `i`, from a seed as public as the signing keys. */
function peerKeyOf(engine: SigningEngine, i: number): string {
  const seed = engine.keccak256(utf8(`assay test vectors, peer key of member ${i}`))
  const key = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const spki = createPublicKey(createPrivateKey({ key, format: 'der', type: 'pkcs8' })).export({
    format: 'der',
    type: 'spki',
  })
  return toHex(spki.subarray(-32))
}

interface FieldDocument {
  name: string
  type: string
  combine: string
  bytesMax?: number
}

/** The document's shape, open to changes. */
export interface CommitteeDocument {
  version: number
  lineage: string
  generation: number
  f: number
  acceptNoFaultTolerance?: boolean
  members: { name: string; address: string; peerKey: string; endpoint: string }[]
  feeds: {
    name: string
    schema: string
    unit: string
    decimals: number
    fields: FieldDocument[]
    validForS: number
    streamPpm: number
  }[]
  bundles: { name: string; hot?: boolean; feeds: string[] }[]
  timing: Record<string, number>
}

/** A fresh document with `n` members and f = ⌊(n−1)/3⌋, six feeds and four bundles. */
export function committeeDocument(engine: SigningEngine, n = 4): CommitteeDocument {
  const feed = (name: string, unit: string, decimals: number, fields: FieldDocument[], streamPpm = 0) => ({
    name,
    schema: toHex(engine.keccak256(utf8(`schema of ${name}`))),
    unit,
    decimals,
    fields,
    validForS: 60,
    streamPpm,
  })
  const median = (name: string, type = 'int176'): FieldDocument => ({ name, type, combine: 'median' })
  return {
    version: 1,
    lineage: toHex(engine.keccak256(utf8('assay test vectors'))),
    generation: 7,
    f: Math.floor((n - 1) / 3),
    ...(n < 4 ? { acceptNoFaultTolerance: true } : {}),
    members: Array.from({ length: n }, (_, i) => ({
      name: `oracle-${i}`,
      address: toHex(engine.addressOf(memberKey(engine, i))),
      peerKey: peerKeyOf(engine, i),
      endpoint: `127.0.0.1:${9000 + i}`,
    })),
    feeds: [
      feed('btc-usd', 'USD', 8, [median('price')], 500),
      feed('eth-usd', 'USD', 8, [median('price')], 500),
      feed('ams-temperature', 'Cel', 2, [median('temperature', 'int64')]),
      feed('ams-runway-open', '1', 0, [{ name: 'open', type: 'bool', combine: 'majority' }]),
      feed('btc-usd-candle', 'USD', 8, [
        { name: 'window-start-ms', type: 'int64', combine: 'identity' },
        median('open'),
        median('high'),
        median('low'),
        median('close'),
      ]),
      feed('quake', '1', 1, [
        { name: 'event-id', type: 'string', combine: 'identity', bytesMax: 32 },
        median('magnitude', 'int64'),
        { name: 'place', type: 'string', combine: 'majority', bytesMax: 128 },
      ]),
    ],
    bundles: [
      { name: 'majors', hot: true, feeds: ['btc-usd', 'eth-usd'] },
      { name: 'amsterdam', feeds: ['ams-temperature', 'ams-runway-open'] },
      { name: 'candles', feeds: ['btc-usd-candle'] },
      { name: 'quakes', feeds: ['quake'] },
    ],
    timing: {
      roundMs: 1000,
      roundMsMin: 50,
      graceMs: 20,
      slotMs: 500,
      delayMs: 100,
      skewMs: 2000,
      progressMs: 4000,
      epochMs: 600_000,
      resendMs: 500,
      roundsPerEpoch: 600,
    },
  }
}
