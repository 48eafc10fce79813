import { AbiCoder, keccak256, toUtf8Bytes } from 'ethers'
import { describe, expect, it } from 'vitest'
import { refusalOf } from '../../src/base/errors.js'
import { toHex, utf8 } from '../../src/core/bytes.js'
import { canonicalJson } from '../../src/core/canonical.js'
import { keysOf, parseCommittee, saltOf } from '../../src/core/committee.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { type CommitteeDocument, committeeDocument } from '../committee-document.js'

const engine = await createWasmEngine()
const documentOf = (n = 4): CommitteeDocument => committeeDocument(engine, n)

type Change = (document: CommitteeDocument, path: string) => unknown
type Rule = [what: string, path: string, change: Change, code?: string]

const base = documentOf()

/** Sets what `path` points at, whatever its type. */
const put =
  (path: string, value: unknown): Change =>
  (document) => {
    const tokens = path.slice(1).split('/')
    const last = tokens.pop()!
    const parent = tokens.reduce((at, token) => Reflect.get(at, token) as object, document as object)
    Reflect.set(parent, last, value)
  }

/** Sets what the refusal will point at. */
const be =
  (value: unknown): Change =>
  (document, path) =>
    put(path, value)(document, path)

describe('a valid document', () => {
  it('becomes a frozen committee with indexes, ids, D, S and thresholds', () => {
    const document = documentOf()
    const committee = parseCommittee(engine, document)
    expect(committee.members.map(({ index }) => index)).toEqual([0, 1, 2, 3])
    expect(committee.bundles.map(({ hot, feeds }) => [hot, feeds])).toEqual([
      [true, [0, 1]],
      [false, [2, 3]],
      [false, [4]],
      [false, [5]],
    ])
    expect(committee.thresholds).toMatchObject({ n: 4, f: 1, intersecting: 3 })
    expect(toHex(committee.digest)).toBe(keccak256(toUtf8Bytes(canonicalJson(document))))
    for (const part of [committee, committee.members, committee.members[0], committee.feeds[5]!.fields[0]])
      expect(Object.isFrozen(part)).toBe(true)
    expect(committee.timing.progressMs).toBe(4000)
  })

  it('has the S of ethers’ abi.encode', () => {
    const document = documentOf(7)
    const encoded = AbiCoder.defaultAbiCoder().encode(
      ['bytes32', 'bytes32', 'uint256', 'uint256', 'address[]'],
      [
        keccak256(toUtf8Bytes('assay/committee/v1')),
        document.lineage,
        document.generation,
        document.f,
        document.members.map(({ address }) => address),
      ],
    )
    const committee = parseCommittee(engine, document)
    expect(toHex(committee.salt)).toBe(keccak256(encoded))
    expect(saltOf(engine, keysOf(committee))).toEqual(committee.salt)
  })

  it('keeps S when endpoints, timers or feeds change, and changes it with members, order, f or generation', () => {
    const { digest, salt } = parseCommittee(engine, documentOf())
    const changed = (change: Change) => {
      const document = documentOf()
      change(document, '')
      return parseCommittee(engine, document)
    }
    const same = [
      changed(put('/members/0/endpoint', 'oracle.example:1')),
      changed(put('/timing/epochMs', 700_000)),
      changed(put('/feeds/0/validForS', 61)),
    ]
    const other = [
      changed((d) => d.members.reverse()),
      changed(put('/generation', 8)),
      changed(put('/lineage', `0x${'11'.repeat(32)}`)),
      changed((d) => Object.assign(d, { f: 0, acceptNoFaultTolerance: true })),
    ]
    for (const committee of same) expect(committee.salt).toEqual(salt)
    for (const committee of [...same, ...other]) expect(committee.digest).not.toEqual(digest)
    expect(new Set([salt, ...other.map((committee) => committee.salt)].map(toHex)).size).toBe(5)
  })

  it('gives a feed a new id with its meaning, and only then (I-3)', () => {
    const idOf = (change: Partial<CommitteeDocument['feeds'][0]>): string => {
      const document = documentOf()
      Object.assign(document.feeds[0]!, change)
      document.bundles[0]!.feeds[0] = document.feeds[0]!.name
      return parseCommittee(engine, document).feeds[0]!.feedId
    }
    const same = idOf({})
    expect(idOf({ validForS: 1, streamPpm: 0 })).toBe(same)
    const { name, schema, unit, decimals, fields } = documentOf().feeds[0]!
    const meaning = { name, schema, unit, decimals, fields }
    expect(same).toBe(keccak256(utf8(canonicalJson(meaning))))
    const other = [{ name: 'xbt-usd' }, { unit: 'EUR' }, { decimals: 9 }, { schema: `0x${'22'.repeat(32)}` }]
    const ids = other.map(idOf)
    ids.push(idOf({ fields: [{ name: 'price', type: 'int176', combine: 'majority' }] }))
    expect(new Set([same, ...ids]).size).toBe(6)
  })

  it.each([
    'a.b-c.example:1',
    '10.0.0.1:65535',
    '[::1]:9000',
    '[2001:db8::2]:1',
    '[1:2:3:4:5:6:7:8]:80',
    'localhost:80',
  ])('may have the endpoint %s', (endpoint) => {
    const document = documentOf()
    document.members[1]!.endpoint = endpoint
    expect(parseCommittee(engine, document).members[1]!.endpoint).toBe(endpoint)
  })

  it('may have one member, 31 members, and a feed field called constructor', () => {
    expect(parseCommittee(engine, documentOf(31)).thresholds.f).toBe(10)
    const alone = documentOf(1)
    alone.feeds[3]!.fields[0]!.name = 'constructor'
    expect(parseCommittee(engine, alone).thresholds).toMatchObject({ n: 1, f: 0, intersecting: 1 })
  })
})

const byDefault = 'COMMITTEE_INVALID'
const repeated = 'COMMITTEE_REPEATED_KEY'
const timing = 'COMMITTEE_TIMING'

const rules: Rule[] = [
  ['an unknown field', '/motto', (d) => Object.assign(d, { motto: 1 })],
  ['an unknown field of a member', '/members/1/motto', (d) => Object.assign(d.members[1]!, { motto: 1 })],
  ['an unknown field of a feed', '/feeds/1/motto', (d) => Object.assign(d.feeds[1]!, { motto: 1 })],
  ['an unknown field of a field', '/feeds/1/fields/0/a~1b', (d) => Object.assign(d.feeds[1]!.fields[0]!, { 'a/b': 1 })],
  ['an unknown field of a bundle', '/bundles/1/motto', (d) => Object.assign(d.bundles[1]!, { motto: 1 })],
  ['an unknown timer', '/timing/napMs', be(1)],
  ['a missing field', '/lineage', (d) => Reflect.deleteProperty(d, 'lineage')],
  ['a missing timer', '/timing/skewMs', (d) => Reflect.deleteProperty(d.timing, 'skewMs')],
  ['another version', '/version', be(2)],
  ['a lineage in upper case', '/lineage', be(`0x${'AB'.repeat(32)}`)],
  ['generation 0', '/generation', be(0)],
  ['generation 2^32', '/generation', be(2 ** 32)],
  ['half a generation', '/generation', be(1.5)],
  ['a negative f', '/f', be(-1)],
  ['too few members', '/f', be(2), 'COMMITTEE_TOO_FEW_MEMBERS'],
  ['f = 0 without a word', '/f', be(0)],
  ['f = 0 with a no', '/acceptNoFaultTolerance', (d) => Object.assign(d, { f: 0, acceptNoFaultTolerance: false })],
  ['the word for f = 0 with f = 1', '/acceptNoFaultTolerance', be(true)],
  ['no members', '/members', be([])],
  ['32 members', '/members', be(documentOf(31).members.concat(base.members[0]!))],
  ['a member without a name', '/members/0/name', be('')],
  ['a repeated member name', '/members/2/name', be('oracle-0'), repeated],
  ['a repeated address', '/members/3/address', be(base.members[0]!.address), repeated],
  ['a repeated peer key', '/members/3/peerKey', be(base.members[1]!.peerKey), repeated],
  ['a repeated endpoint', '/members/3/endpoint', be(base.members[1]!.endpoint), repeated],
  ['the zero address', '/members/0/address', be(`0x${'00'.repeat(20)}`)],
  ['a short address', '/members/0/address', be(`0x${'11'.repeat(19)}`)],
  ['the zero peer key', '/members/0/peerKey', be(`0x${'00'.repeat(32)}`)],
  ['the neutral peer key', '/members/0/peerKey', be(`0x01${'00'.repeat(31)}`)],
  ...['oracle', 'oracle:', ':1', 'oracle:0', 'oracle:65536', 'oracle:080', 'Oracle:1', 'a b:1', '-a:1', 'a..b:1'].map(
    (endpoint): Rule => [`endpoint ${endpoint}`, '/members/0/endpoint', be(endpoint)],
  ),
  ...[
    '::1:1',
    '[::1]',
    '[::1:1',
    '[1::2::3]:1',
    '[1:2:3]:1',
    '[12345::]:1',
    '256.0.0.1:1',
    '1.2.3:1',
    '01.2.3.4:1',
  ].map((endpoint): Rule => [`endpoint ${endpoint}`, '/members/0/endpoint', be(endpoint)]),
  ['no feeds', '/feeds', be([])],
  ['20,001 feeds', '/feeds', be(Array(20_001).fill(base.feeds[0])), 'COMMITTEE_TOO_LARGE'],
  ['a feed name with a space', '/feeds/0/name', be('btc usd')],
  ['a feed name of 65 letters', '/feeds/0/name', be('a'.repeat(65))],
  ['a repeated feed name', '/feeds/1/name', be('btc-usd'), repeated],
  ['an unreadable schema digest', '/feeds/0/schema', be('0x12')],
  ['an empty unit', '/feeds/0/unit', be('')],
  ['a unit that only looks like one', '/feeds/0/unit', be('USⅮ')],
  ['37 decimals', '/feeds/0/decimals', be(37)],
  ['−1 decimals', '/feeds/0/decimals', be(-1)],
  ['no validity', '/feeds/0/validForS', be(0)],
  ['too long a validity', '/feeds/0/validForS', be(2 ** 32)],
  ['a negative trigger', '/feeds/0/streamPpm', be(-1)],
  ['a trigger on text', '/feeds/5/streamPpm', be(1)],
  ['no fields', '/feeds/0/fields', be([])],
  ['33 fields', '/feeds/0/fields', be(Array(33).fill(base.feeds[0]!.fields[0]))],
  ['a repeated field name', '/feeds/4/fields/2/name', be('open')],
  ['a field name in capitals', '/feeds/0/fields/0/name', be('Price')],
  ['an unknown type', '/feeds/0/fields/0/type', be('float64')],
  ['an unknown rule', '/feeds/0/fields/0/combine', be('mean')],
  ['a median of booleans', '/feeds/3/fields/0/combine', be('median')],
  ['a median of text', '/feeds/5/fields/2/combine', be('median')],
  ['only identity', '/feeds/3/fields', put('/feeds/3/fields/0/combine', 'identity')],
  [
    'text without a length',
    '/feeds/5/fields/0/type',
    (d) => Reflect.deleteProperty(d.feeds[5]!.fields[0]!, 'bytesMax'),
  ],
  ['text of 1025 bytes', '/feeds/5/fields/0/bytesMax', be(1025)],
  ['text of 0 bytes', '/feeds/5/fields/0/bytesMax', be(0)],
  ['a number with a length', '/feeds/0/fields/0/bytesMax', be(8)],
  ['no bundles', '/bundles', be([])],
  ['a bundle without feeds', '/bundles/1/feeds', be([])],
  ['a bundle of 17', '/bundles/1/feeds', be(Array(17).fill('btc-usd'))],
  ['a repeated bundle name', '/bundles/1/name', be('majors'), repeated],
  ['an unknown feed', '/bundles/1/feeds/0', be('doge-usd')],
  ['a feed in two bundles', '/bundles/1/feeds/1', be('btc-usd'), repeated],
  ['a feed twice in a bundle', '/bundles/0/feeds/1', be('btc-usd'), repeated],
  ['a feed in no bundle', '/feeds/3', (d) => d.bundles[1]!.feeds.pop()],
  ['hot after cold', '/bundles/2/hot', be(true)],
  ['hot: false', '/bundles/1/hot', be(false)],
  ...Object.keys(documentOf().timing).flatMap((name): Rule[] => [
    [`${name} = 0`, `/timing/${name}`, be(0)],
    [`${name} = 1.5`, `/timing/${name}`, be(1.5)],
    [`${name} beyond all sense`, `/timing/${name}`, be(2 ** 31)],
  ]),
  ['roundMsMin above roundMs', '/timing/roundMsMin', be(1001), timing],
  ['slotMs below graceMs + 2·delayMs', '/timing/slotMs', be(219), timing],
  ['progressMs below its floor', '/timing/progressMs', be(3619), timing],
]

describe('a document is refused for', () => {
  it.each(rules)('%s, at %s', (_, path, change, code = byDefault) => {
    const document = documentOf()
    change(document, path)
    const error = refusalOf(() => parseCommittee(engine, document))
    expect({ code: error?.code, path: error?.path }).toEqual({ code, path })
  })

  it.each([[null], [undefined], [7], ['text'], [[]]])('being %j', (document) => {
    expect(refusalOf(() => parseCommittee(engine, document))).toMatchObject({ code: byDefault, path: '' })
  })

  it('observations beyond 16 MiB, and takes the last feed that fits', () => {
    const document = documentOf()
    const fields = Array.from({ length: 32 }, (_, i) => ({
      name: `text-${i}`,
      type: 'string',
      combine: 'majority',
      bytesMax: 1024,
    }))
    // 12 + 32 · 1028 bytes a feed, times 4 members: 127 fit 16 MiB.
    const feeds = Array.from({ length: 128 }, (_, i) => ({ ...document.feeds[3]!, name: `text-${i}`, fields }))
    const fill = (count: number): CommitteeDocument => ({
      ...document,
      feeds: feeds.slice(0, count),
      bundles: feeds.slice(0, count).map(({ name }) => ({ name, feeds: [name] })),
    })
    expect(parseCommittee(engine, fill(127)).feeds).toHaveLength(127)
    expect(refusalOf(() => parseCommittee(engine, fill(128)))).toMatchObject({
      code: 'COMMITTEE_TOO_LARGE',
      path: '/feeds/127',
    })
  })

  it('timers at their bounds are taken', () => {
    const document = documentOf()
    Object.assign(document.timing, { roundMsMin: 1000, slotMs: 220, progressMs: 3620 })
    expect(parseCommittee(engine, document).timing.progressMs).toBe(3620)
  })
})
