// Reports that answer requests: of any moment, with any readings, sealed.

import type { Committee } from '../../src/core/committee.js'
import { packReadings, type Reading } from '../../src/core/layout.js'
import type { ReportKernel } from '../../src/core/report.js'
import type { ReportParts, Signatures } from '../../src/core/report-json.js'
import { domainOf, reportDigest, sealedDigest } from '../../src/core/typed-data.js'
import type { SigningEngine } from '../../src/crypto/engine-wasm.js'
import { memberKey } from '../committee-document.js'
import { readings } from '../signed-report.js'

/** A report of `attestedAtMs`, sealed; `change` of its readings, whose sources spoke half a second before. */
export function sealedReport(
  engine: SigningEngine,
  committee: Committee,
  kernel: ReportKernel,
  attestedAtMs: number,
  change: (readings: Reading[]) => readonly Reading[] = (all) => all,
): ReportParts {
  const current = change(readings()).map((reading) =>
    reading.values === null ? reading : { ...reading, timeMs: attestedAtMs - 500 },
  )
  const values = packReadings(kernel.layout, current)
  const header = { epoch: 1, round: 1, attestedAtMs, root: kernel.root(values) }
  const domain = domainOf(engine, committee.salt)
  const digest = reportDigest(engine, domain, header)
  const by = (signers: readonly number[], over: Uint8Array): Signatures => ({
    signers,
    signatures: signers.map((member) => engine.sign(over, memberKey(engine, member))),
  })
  return { ...header, values, ...by([0, 1, 3], digest), seals: by([0, 2], sealedDigest(engine, domain, digest)) }
}
