// The committee of the tests on a real chain: its document with a pace of its own, and the reports that it attests and seals.

import { type Committee, parseCommittee } from '../../src/core/committee.js'
import { packReadings, type Reading } from '../../src/core/layout.js'
import { type ReportKernel, reportKernel } from '../../src/core/report.js'
import type { ReportParts, Signatures } from '../../src/core/report-json.js'
import { domainOf, reportDigest, sealedDigest } from '../../src/core/typed-data.js'
import type { SigningEngine } from '../../src/crypto/engine-wasm.js'
import { committeeDocument, memberKey } from '../committee-document.js'
import { readings } from '../signed-report.js'

/** A committee and its reports. */
export interface Attesting {
  readonly committee: Committee
  readonly kernel: ReportKernel
  /** A report of T = `attestedAtMs` with these values of the first feeds, and the same report with seals. */
  report(values: readonly bigint[], attestedAtMs: number): { attested: ReportParts; sealed: ReportParts }
}

export interface AttestingSettings {
  readonly roundMs: number
  readonly validForS: number
  /** Names of the first two feeds, which are one bundle. */
  readonly names?: readonly [string, string]
}

/** Four members that attest every `roundMs`. */
export function attesting(engine: SigningEngine, settings: AttestingSettings): Attesting {
  const { roundMs, validForS, names = ['btc-usd', 'eth-usd'] } = settings
  const document = committeeDocument(engine)
  Object.assign(document.timing, { roundMs, progressMs: 4 * roundMs + 4000, epochMs: 1_000_000_000 })
  names.forEach((name, i) => {
    Object.assign(document.feeds[i]!, { name, validForS })
  })
  document.bundles[0]!.feeds = [...names]
  const committee = parseCommittee(engine, document)
  const kernel = reportKernel(engine, committee)
  const domain = domainOf(engine, committee.salt)
  const usual = readings()
  let round = 0
  return {
    committee,
    kernel,
    report: (values, attestedAtMs) => {
      const readingOf = (reading: Reading, i: number): Reading => {
        const value = values[i]
        // Values were read a tenth of a second before they are attested.
        const now = { ...reading, timeMs: attestedAtMs - 100 }
        return value === undefined ? now : { ...now, values: [value] }
      }
      const packed = packReadings(kernel.layout, usual.map(readingOf))
      const header = { epoch: 1, round: ++round, attestedAtMs, root: kernel.root(packed) }
      const digest = reportDigest(engine, domain, header)
      const by = (signers: readonly number[], over: Uint8Array): Signatures => ({
        signers,
        signatures: signers.map((member) => engine.sign(over, memberKey(engine, member))),
      })
      const attested: ReportParts = { ...header, values: packed, ...by([0, 1, 2], digest) }
      return { attested, sealed: { ...attested, seals: by([0, 1], sealedDigest(engine, domain, digest)) } }
    },
  }
}
