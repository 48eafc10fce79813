// The committed golden vectors are what the code makes today, byte for byte, with either engine.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { engineNoble } from '../../src/client/engine-noble.js'
import { fromHex, toHex, utf8 } from '../../src/core/bytes.js'
import { parseCommittee } from '../../src/core/committee.js'
import { verifyReport } from '../../src/core/verify-report.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { vector } from '../recordings.js'
import { makeVectors } from './make-vectors.js'

const wasm = await createWasmEngine()
const folder = new URL('../vectors/', import.meta.url)

describe.each([
  ['wasm', wasm],
  ['noble', engineNoble],
] as const)('golden vectors, engine %s', (_, engine) => {
  const made = makeVectors(engine, wasm)

  it.each(Object.keys(made))('%s is what the code makes', (file) => {
    expect(readFileSync(new URL(file, folder), 'utf8')).toBe(made[file])
  })

  it('reads the committee document back to the same D and S', () => {
    const { document, digest, salt } = vector('committee.json') as { document: unknown; digest: string; salt: string }
    const committee = parseCommittee(engine, document)
    expect([toHex(committee.digest), toHex(committee.salt)]).toEqual([digest, salt])
  })

  it('gives every report the verdict that is written beside it', () => {
    const { trust, cases } = vector('reports.json') as {
      trust: { lineage: string; generation: number; f: number; addresses: string[] }
      cases: { name: string; options: { nowMs?: number }; code: string | null; report: string }[]
    }
    const keys = {
      lineage: fromHex(trust.lineage, 32)!,
      generation: trust.generation,
      f: trust.f,
      addresses: trust.addresses.map((address) => fromHex(address, 20)!),
    }
    const given = cases.map(({ name, options, report }) => {
      const verdict = verifyReport(engine, utf8(report), keys, { nowMs: 'any', ...options })
      return [name, verdict.ok ? null : verdict.code]
    })
    expect(given).toEqual(cases.map(({ name, code }) => [name, code]))
    const alone = readFileSync(new URL('report.json', folder))
    expect(verifyReport(engine, alone, keys, { nowMs: 'any' })).toMatchObject({ ok: true, report: { sealers: [0, 2] } })
  })
})
