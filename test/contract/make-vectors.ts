// The golden vectors of every signed format, as texts by file name: TypeScript, Solidity and Python are held to them.

import { abiEncode } from '../../src/core/abi.js'
import { fromHex, putInt, toHex, utf8 } from '../../src/core/bytes.js'
import { canonicalJson } from '../../src/core/canonical.js'
import { type FieldType, feedIdOf } from '../../src/core/committee.js'
import type { Engine } from '../../src/core/engine.js'
import { packReadings } from '../../src/core/layout.js'
import { entryBytes, hashLeaf, writeEntryMeta } from '../../src/core/leaf.js'
import { merkleTree } from '../../src/core/merkle.js'
import { type CalldataOptions, toCalldata } from '../../src/core/report-calldata.js'
import { statusCodes } from '../../src/core/status.js'
import {
  disownedDigest,
  domainFields,
  domainNames,
  domainOf,
  observationDigest,
  proposalDigest,
  reportDigest,
  sealedDigest,
  typedFields,
  typeString,
} from '../../src/core/typed-data.js'
import type { SigningEngine } from '../../src/crypto/engine-wasm.js'
import { committeeDocument, memberKey } from '../committee-document.js'
import { attestedAtMs, type ReportFixture, readings, reportFixture } from '../signed-report.js'

/** All vector files: every byte follows from this code and the engine. */
export function makeVectors(engine: Engine, signer: SigningEngine): Record<string, string> {
  const fixture = reportFixture(engine, signer)
  const pretty = (value: unknown): string => `${JSON.stringify(value, null, 1)}\n`
  return {
    'abi.json': pretty(abiVectors(engine)),
    'calldata.json': pretty(calldataVectors(engine, fixture)),
    'committee.json': pretty(committeeVectors(engine, signer, fixture)),
    'leaves.json': pretty(leafVectors(engine, fixture)),
    'merkle.json': pretty(merkleVectors(engine)),
    'meta.json': pretty(metaVectors()),
    'reports.json': pretty(reportVectors(fixture)),
    'report.json': new TextDecoder().decode(fixture.make({ sealers: [0, 2], bundles: [0, 3] })),
    'signatures.json': pretty(signatureVectors(engine, signer)),
    'typed-data.json': pretty(typedDataVectors(engine, signer, fixture)),
  }
}

function abiVectors(engine: Engine): unknown {
  const cases: { types: FieldType[]; values: (bigint | string)[] }[] = [
    { types: ['int64'], values: [-1n] },
    { types: ['int64', 'int64'], values: [2n ** 63n - 1n, -(2n ** 63n)] },
    { types: ['int176'], values: [2n ** 175n - 1n] },
    { types: ['int176'], values: [-(2n ** 175n)] },
    { types: ['bool', 'bool'], values: [1n, 0n] },
    { types: ['string'], values: [''] },
    { types: ['string'], values: ['thirty-two bytes of text, exactly'.slice(0, 32)] },
    { types: ['string', 'int64', 'string'], values: ['us7000abcd', 61n, 'Åland “east” 🌋'] },
  ]
  return cases.map(({ types, values }) => {
    const encoded = abiEncode(types, values)
    return { types, values: values.map(String), encoded: toHex(encoded), hash: toHex(engine.keccak256(encoded)) }
  })
}

/** Reports as contracts take them, and the feeds that a contract must then see, in its order. */
function calldataVectors(engine: Engine, fixture: ReportFixture): unknown {
  const { committee, kernel, trust } = fixture
  const values = packReadings(kernel.layout, readings())
  const entriesOf = (bundle: number): string[] => {
    const preimage = kernel.leafPreimage(values, bundle)
    const starts = Array.from({ length: (preimage.length - 32) / entryBytes }, (_, i) => 32 + i * entryBytes)
    return starts.map((start) => toHex(preimage.subarray(start, start + entryBytes)))
  }
  const ids = committee.bundles.map((bundle) => bundle.id)
  /** `bundles` by index; given in the order of their places, they keep it. */
  const made = (name: string, bundles: readonly number[], options: CalldataOptions, sealers: readonly number[]) => {
    const report = fixture.make({ attesters: [0, 1, 3], sealers })
    const chosen = { ...options, bundles: bundles.map((bundle) => ids[bundle]!) }
    const calldata = toHex(toCalldata(engine, report, trust, chosen))
    return { name, options: chosen, bundle: chosen.bundles[0], feeds: bundles.flatMap(entriesOf), calldata }
  }
  const { lineage, generation, f, addresses } = trust
  return {
    committee: { lineage: toHex(lineage), generation, f, signers: addresses.map(toHex) },
    attestedAtMs,
    report: new TextDecoder().decode(fixture.make({ attesters: [0, 1, 3], sealers: [0, 2] })),
    cases: [
      made('one bundle by seals', [0], {}, [0, 2]),
      made('seals of the lowest of all members', [0], {}, [0, 1, 2, 3]),
      made('one bundle by attestations', [1], { signatures: 'attestations' }, [0, 2]),
      made('a structured value', [2], {}, [1, 3]),
      made('two bundles with a node between', [1, 3], {}, [0, 2]),
      made('two bundles of both subtrees', [0, 2], {}, [0, 2]),
      made('all bundles: no sibling is sent', [0, 1, 2, 3], {}, [0, 2]),
      made('without ids', [0], { short: true }, [0, 2]),
      made('as contracts find it', [0], { trailer: true }, [0, 2]),
      made('without ids, as contracts find it', [0], { short: true, trailer: true }, [0, 2]),
    ],
  }
}

function committeeVectors(engine: Engine, signer: SigningEngine, { committee }: ReportFixture): unknown {
  return {
    document: committeeDocument(signer),
    privateKeys: committee.members.map((_, i) => toHex(memberKey(signer, i))),
    digest: toHex(committee.digest),
    salt: toHex(committee.salt),
    feeds: committee.feeds.map(({ decimals, fields, name, schema, unit, feedId }) => {
      const meaning = { decimals, fields, name, schema, unit }
      if (toHex(feedIdOf(engine, meaning)) !== feedId) throw new Error('a feedId is not the hash of its meaning')
      return { meaning: canonicalJson(meaning), feedId }
    }),
    bundles: committee.bundles.map((bundle) => ({
      meaning: canonicalJson({ name: bundle.name, feeds: bundle.feeds.map((feed) => committee.feeds[feed]!.feedId) }),
      id: bundle.id,
    })),
  }
}

function leafVectors(engine: Engine, { committee, kernel }: ReportFixture): unknown {
  const values = packReadings(kernel.layout, readings())
  const leaves = kernel.leaves(values)
  const tree = merkleTree(engine, leaves, kernel.hotCount)
  return {
    root: toHex(tree.root),
    hotCount: kernel.hotCount,
    bundles: committee.bundles.map((bundle) => {
      const preimage = kernel.leafPreimage(values, bundle.index)
      return {
        preimage: toHex(preimage),
        leaf: toHex(hashLeaf(engine, preimage)),
        proof: tree.proof(bundle.index).map(toHex),
      }
    }),
  }
}

function merkleVectors(engine: Engine): unknown {
  const shapes = [
    [1, 0],
    [2, 0],
    [3, 0],
    [5, 0],
    [5, 1],
    [5, 2],
    [5, 4],
    [8, 3],
    [70, 16],
    [625, 16],
  ] as const
  return shapes.map(([length, hotCount]) => {
    const leaves = Array.from({ length }, (_, i) => engine.keccak256(utf8(`leaf ${i}`)))
    const tree = merkleTree(engine, leaves, hotCount)
    const proofs = [0, hotCount, length - 1].filter((index) => index < length)
    return {
      leaves: length,
      hotCount,
      root: toHex(tree.root),
      proofs: [...new Set(proofs)].map((index) => ({ index, proof: tree.proof(index).map(toHex) })),
    }
  })
}

function metaVectors(): unknown {
  const full = { timeHigh: 0xffff, timeLow: 0xffff_ffff, validForS: 0xffff_ffff, spreadPpm: 0xffff_ffff }
  const none = { timeHigh: 0, timeLow: 0, validForS: 1, spreadPpm: 0 }
  const cases = [
    { ...none, status: statusCodes.NO_DATA, groups: 0, kind: 0 },
    { ...full, status: 9, groups: 255, kind: 1 },
    { timeHigh: 411, timeLow: 2_000_000_000, validForS: 60, spreadPpm: 0x0102_0304, status: 8, groups: 3, kind: 0 },
  ]
  return cases.map((meta) => {
    const entry = new Uint8Array(entryBytes)
    writeEntryMeta(new DataView(entry.buffer), 0, meta)
    const { timeHigh, timeLow, ...rest } = meta
    return { observedAtMs: timeHigh * 2 ** 32 + timeLow, ...rest, meta: toHex(entry.subarray(64)) }
  })
}

/** Reports with what a reader must say to them: null for accepted, otherwise the code. */
function reportVectors(fixture: ReportFixture): unknown {
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
  const absent = readings().map((reading, i) =>
    i === 1 ? { status: statusCodes.NO_DATA, groups: 0, spreadPpm: 0, timeMs: 0, values: null } : reading,
  )
  const good = text(fixture.make({ bundles: [0] }))
  const at = (nowMs: number) => ({ nowMs })
  return {
    trust: {
      lineage: toHex(fixture.trust.lineage),
      generation: fixture.trust.generation,
      f: fixture.trust.f,
      addresses: fixture.trust.addresses.map(toHex),
    },
    cases: [
      { name: 'a quorum attested it', options: {}, code: null, report: good },
      { name: 'within its validity', options: at(attestedAtMs + 59_800), code: null, report: good },
      { name: 'past its validity', options: at(attestedAtMs + 59_801), code: 'REPORT_STALE', report: good },
      {
        name: 'two seals without attestations',
        options: {},
        code: null,
        report: text(fixture.make({ attesters: [], sealers: [1, 2], bundles: [1] })),
      },
      {
        name: 'a feed without a value',
        options: at(attestedAtMs),
        code: 'REPORT_STATUS',
        report: text(fixture.make({ readings: absent, bundles: [0] })),
      },
      {
        name: 'two attestations',
        options: {},
        code: 'REPORT_QUORUM',
        report: text(fixture.make({ attesters: [0, 1], bundles: [0] })),
      },
      {
        name: 'another price',
        options: {},
        code: 'REPORT_SIGNATURE',
        report: good.replace('64123.45678901', '64123.45678902'),
      },
      {
        name: 'another validity',
        options: {},
        code: 'REPORT_DERIVED',
        report: good.replace('"validForS":60', '"validForS":61'),
      },
      { name: 'white space', options: {}, code: 'JSON_NOT_CANONICAL', report: `${good}\n` },
    ],
  }
}

function signatureVectors(engine: Engine, signer: SigningEngine): unknown {
  const texts = ['', 'abc', 'Assay', '1', 'assay/committee/v1', 'Åland']
  const digests = texts.map((text) => ({ text, digest: toHex(engine.keccak256(utf8(text))) }))
  const signed = digests.map(({ digest }, i) => {
    const privateKey = memberKey(signer, i % 4)
    const signature = signer.sign(fromHex(digest, 32)!, privateKey)
    const address = toHex(engine.recover(fromHex(digest, 32)!, signature)!)
    return { digest, privateKey: toHex(privateKey), address, signature: toHex(signature) }
  })
  const { digest, signature } = signed[0]!
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
  const good = fromHex(signature, 64)!
  const changed = (at: number, value: bigint): string => {
    const bytes = Uint8Array.from(good)
    putInt(bytes, at, 32, value)
    return toHex(bytes)
  }
  const refused = [
    ['r is 0', changed(0, 0n)],
    ['r is the order', changed(0, order)],
    ['r is no x-coordinate', changed(0, 5n)],
    ['s is 0', changed(32, 0n)],
    ['s is just above half the order', changed(32, order / 2n + 1n)],
    ['s is the largest of 255 bits', changed(32, 2n ** 255n - 1n)],
    ['63 bytes', signature.slice(0, -2)],
    ['65 bytes', `${signature}1b`],
  ].map(([reason, bad]) => ({ reason, digest, signature: bad }))
  return { digests, signed, refused }
}

function typedDataVectors(engine: Engine, signer: SigningEngine, { committee }: ReportFixture): unknown {
  const hash = (text: string): Uint8Array => engine.keccak256(utf8(text))
  const bySalt = domainOf(engine, committee.salt)
  const byDigest = domainOf(engine, committee.digest)
  const report = { epoch: 12, round: 345, attestedAtMs, root: hash('root') }
  const largest = { epoch: 0xffff_ffff, round: 0xffff_ffff, attestedAtMs: 2 ** 48 - 1, root: hash('other root') }
  const observation = { epoch: 12, round: 345, clockMs: attestedAtMs, readingsHash: hash('r'), evidence: hash('e') }
  const proposal = { epoch: 12, round: 345, observationsHash: hash('o') }
  const first = reportDigest(engine, bySalt, report)
  const disown = { epoch: 12, round: 345, signedDigest: first }
  const hex = (message: Record<string, number | Uint8Array>): Record<string, number | string> =>
    Object.fromEntries(
      Object.entries(message).map(([name, value]) => [name, value instanceof Uint8Array ? toHex(value) : value]),
    )
  const { readingsHash, ...observed } = observation
  const { observationsHash, ...proposed } = proposal
  const cases = [
    { type: 'Report', salt: committee.salt, message: hex(report), digest: first },
    { type: 'Report', salt: committee.salt, message: hex(largest), digest: reportDigest(engine, bySalt, largest) },
    {
      type: 'Sealed',
      salt: committee.salt,
      message: hex({ reportDigest: first }),
      digest: sealedDigest(engine, bySalt, first),
    },
    {
      type: 'Observation',
      salt: committee.digest,
      message: hex({ ...observed, readings: readingsHash }),
      digest: observationDigest(engine, byDigest, observation),
    },
    {
      type: 'Proposal',
      salt: committee.digest,
      message: hex({ ...proposed, observations: observationsHash }),
      digest: proposalDigest(engine, byDigest, proposal),
    },
    {
      type: 'Disowned',
      salt: committee.digest,
      message: hex(disown),
      digest: disownedDigest(engine, byDigest, disown),
    },
  ]
  return {
    domain: domainNames,
    domainType: typeString('EIP712Domain', domainFields),
    types: typedFields,
    separators: { salt: toHex(bySalt.separator), digest: toHex(byDigest.separator) },
    cases: cases.map(({ type, salt, message, digest }, i) => ({
      type,
      salt: toHex(salt),
      message,
      digest: toHex(digest),
      signer: committee.members[i % 4]!.address,
      signature: toHex(signer.sign(digest, memberKey(signer, i % 4))),
    })),
  }
}
