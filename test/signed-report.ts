// A committee with keys and one report of it, signed by whom a test likes.

import { type Committee, type CommitteeKeys, keysOf, parseCommittee } from '../src/core/committee.js'
import type { Engine } from '../src/core/engine.js'
import { packReadings, type Reading } from '../src/core/layout.js'
import type { ReportHeader } from '../src/core/messages.js'
import { type ReportKernel, reportKernel } from '../src/core/report.js'
import { buildReport, type Signatures } from '../src/core/report-json.js'
import { statusCodes } from '../src/core/status.js'
import { domainOf, reportDigest, sealedDigest } from '../src/core/typed-data.js'
import type { SigningEngine } from '../src/crypto/engine-wasm.js'
import { committeeDocument, memberKey } from './committee-document.js'

/** T of the report, ms since 1970; its values were read up to a second before. */
export const attestedAtMs = 1_767_225_600_123

/** Readings of the six feeds of committeeDocument: all present and OK. */
export function readings(): Reading[] {
  const reading = (values: Reading['values'], ageMs: number): Reading => ({
    status: statusCodes.OK,
    groups: 3,
    spreadPpm: 250,
    timeMs: attestedAtMs - ageMs,
    values,
  })
  return [
    reading([6_412_345_678_901n], 100),
    reading([312_345_000_000n], 200),
    reading([-1_250n], 300),
    reading([1n], 400),
    reading([1_767_225_540_000n, 6_400_000_000_000n, 6_420_000_000_000n, 6_390_000_000_000n, 6_412_345_678_901n], 500),
    reading(['us7000abcd', 61n, 'Off the coast of Åland “east”'], 600),
  ]
}

/** Everything a test needs to make reports of one committee. */
export interface ReportFixture {
  readonly committee: Committee
  readonly trust: CommitteeKeys
  readonly kernel: ReportKernel
  /** Canonical bytes of a report with the given attesters, sealers (none: no seals) and bundles (none: all). */
  make(choice?: {
    readings?: readonly Reading[]
    attesters?: readonly number[]
    sealers?: readonly number[]
    bundles?: readonly number[]
    header?: Partial<ReportHeader>
    /** Signing key of a member, when not its own. */
    keyOf?: (member: number) => Uint8Array
  }): Uint8Array
}

/** The fixture for `n` members; `engine` hashes, `signer` signs. */
export function reportFixture(engine: Engine, signer: SigningEngine, n = 4): ReportFixture {
  const committee = parseCommittee(engine, committeeDocument(signer, n))
  const kernel = reportKernel(engine, committee)
  const domain = domainOf(engine, committee.salt)
  return {
    committee,
    kernel,
    trust: keysOf(committee),
    make: (choice = {}) => {
      const values = packReadings(kernel.layout, choice.readings ?? readings())
      const header = { epoch: 12, round: 345, attestedAtMs, root: kernel.root(values), ...choice.header }
      const digest = reportDigest(engine, domain, header)
      const keyOf = choice.keyOf ?? ((member: number) => memberKey(signer, member))
      const by = (signers: readonly number[], over: Uint8Array): Signatures => ({
        signers,
        signatures: signers.map((member) => signer.sign(over, keyOf(member))),
      })
      const attestations = by(choice.attesters ?? [0, 1, 3], digest)
      const { sealers } = choice
      const seals = sealers === undefined ? {} : { seals: by(sealers, sealedDigest(engine, domain, digest)) }
      return buildReport(engine, committee, kernel, { ...header, ...attestations, ...seals, values }, choice.bundles)
    },
  }
}
