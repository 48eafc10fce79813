// Calls that a hostile caller would make, each with what the contracts say to it: the table that tells mutants apart.

import { Interface } from 'ethers'
import { concat, toHex, utf8 } from '../../src/core/bytes.js'
import {
  appended,
  bundle,
  bundleId,
  climb,
  engine,
  entry,
  feedId,
  nine,
  nowS,
  report,
  rootOf,
  short,
  word,
} from './hostile-report.js'

/** Which contract is called: the verifier of four or nine members, or a consumer of the four. */
export type Target = 'four' | 'nine' | 'consumer'

/** One call; `wanted` is an error's name, or accepted. */
export interface Case {
  readonly name: string
  readonly to: Target
  readonly data: Uint8Array
  readonly wanted: string
  /** Block time, s. */
  readonly timeS?: number
  /** The verifier's window: until, s, and whether it is paused. */
  readonly window?: { readonly untilS?: number; readonly paused?: boolean }
}

/** The functions of the consumer in contracts/test/base that the cases call. */
export const consumerFace: Interface = new Interface([
  'function read(bytes32 feedId, uint256 maxAgeS)',
  'function readBundle(bytes ids, uint256 maxAgeS)',
  'function known(bytes ids)',
  'function all()',
  'function readNewest(bytes32 feedId, uint256 maxAgeS)',
  'function readOnce(bytes32 feedId, uint256 maxAgeS)',
  'function readEncoded(bytes32 feedId, bytes encoded, uint256 maxAgeS)',
  'function multicallEach(bytes[] calls)',
])

const verifierFace = new Interface(['function verifyPacked()', 'function setWindow(uint40, uint40, bool)'])

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.slice(2), 'hex'))
const verifyCall = (packed: Uint8Array): Uint8Array =>
  concat(bytes(verifierFace.getFunction('verifyPacked')!.selector), packed)
const consumerCall = (name: string, ...args: readonly unknown[]): Uint8Array =>
  bytes(consumerFace.encodeFunctionData(name, args))
const withReport = (call: Uint8Array, packed: Uint8Array): Uint8Array => concat(call, appended(packed))

const verifying = (name: string, wanted: string, packed: Uint8Array, more: Partial<Case> = {}): Case => ({
  name,
  to: 'four',
  data: verifyCall(packed),
  wanted,
  ...more,
})
const reading = (name: string, wanted: string, data: Uint8Array, more: Partial<Case> = {}): Case => ({
  name,
  to: 'consumer',
  data,
  wanted,
  ...more,
})

const ms = nowS * 1000
const otherId = engine.keccak256(utf8('other feed'))
const siblings = [word(7, 7)]
const good = report()
const attested = report({ kind: 2 })
const flipAt = (packed: Uint8Array, place: number): Uint8Array =>
  packed.map((byte, i) => (i === place ? byte ^ 1 : byte))

/** Two bundles of which only one is signed, in the place where `signedFirst` says. */
function unmerged(signedFirst: boolean): Uint8Array {
  const honest = bundle([entry()])
  const forged = bundle([entry({ word: word(666) })])
  const [first, second] = signedFirst ? [honest, forged] : [forged, honest]
  const merges = signedFirst ? 0 : 1
  const body = concat(
    first.bytes,
    climb(signedFirst ? siblings : [], merges),
    ...(merges === 1 ? [Uint8Array.of(0)] : []),
    second.bytes,
    climb(signedFirst ? [] : siblings),
  )
  return report({ bundles: 2, body, root: rootOf(honest.leaf, siblings) })
}

/** Two bundles of one tree, the smaller node first or last: both orders of a merge. */
function merged(swapped: boolean): Uint8Array {
  const pair = [bundle([entry()]), bundle([entry({ id: otherId, word: word(2000) })])]
  const [first, second] = (swapped ? pair.reverse() : pair) as [(typeof pair)[0] & object, (typeof pair)[0] & object]
  const body = concat(first.bytes, climb([]), second.bytes, climb([], 1), Uint8Array.of(0))
  return report({ bundles: 2, body, root: rootOf(first.leaf, [second.leaf]) })
}

function ofFeeds(count: number): Uint8Array {
  return report({ feeds: Array.from({ length: count }, (_, i) => entry({ id: word(i) })) })
}

/** The first member's address as a sibling, its signature one that recovers nobody. */
function namedBySibling(): Uint8Array {
  const plain = bundle([entry()])
  const named = new Uint8Array(32)
  named.set(bytesOfFirst, 12)
  return report({
    kind: 2,
    body: concat(plain.bytes, climb([named])),
    root: rootOf(plain.leaf, [named]),
    signatures: { 0: new Uint8Array(64) },
  })
}
const bytesOfFirst = nine.addresses[0]!

/** r is a point and s just above half the order: no key signs like this, and no form of it may count. */
const highS = concat(
  good.slice(good.length - 128, good.length - 96),
  bytes(
    `0x${((0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n >> 1n) + 1n).toString(16).padStart(64, '0')}`,
  ),
)

const verifierCases: readonly Case[] = [
  verifying('two seals of four', 'accepted', good),
  verifying('three attestations of four', 'accepted', attested),
  verifying('sixteen feeds', 'accepted', ofFeeds(16)),
  verifying('two bundles', 'accepted', merged(false)),
  verifying('two bundles the other way round', 'accepted', merged(true)),
  { ...verifying('three seals of nine', 'accepted', report({ keys: nine })), to: 'nine' },
  { ...verifying('the ninth of nine among them', 'accepted', report({ keys: nine, bitmap: 0x103 })), to: 'nine' },
  ...[12, 20, 28].map((place) => verifying(`another siblings’ order at ${place}`, 'accepted', manySiblings(place))),
  {
    ...verifying('a window by a stranger', 'OnlyRegistry', good),
    data: bytes(verifierFace.encodeFunctionData('setWindow', [0, 2 ** 39, false])),
  },
  { ...verifying('no function', 'UnknownFunction', good), data: utf8('none') },
  verifying('half a head', 'MalformedReport', good.subarray(0, 23)),
  verifying('nothing', 'MalformedReport', good.subarray(0, 0)),
  verifying('the next generation', 'WrongGeneration', report({ generation: 2 })),
  verifying('while paused', 'Paused', good, { window: { paused: true } }),
  verifying('after the last second', 'OutsideWindow', report({ attestedAtMs: ms - 5000 }), {
    window: { untilS: nowS - 1 },
  }),
  verifying('in the last second', 'accepted', report({ attestedAtMs: ms }), { window: { untilS: nowS } }),
  verifying('T after the last second', 'OutsideWindow', report({ attestedAtMs: ms + 1 }), { window: { untilS: nowS } }),
  verifying('T before the first second', 'OutsideWindow', report({ attestedAtMs: 1_700_000_000_000 })),
  verifying('T thirty seconds ahead', 'accepted', report({ attestedAtMs: ms + 30_000 })),
  verifying('T a ms more ahead', 'FutureReport', report({ attestedAtMs: ms + 30_001 })),
  verifying('kind 3', 'UnknownKind', report({ kind: 3, bitmap: 0 })),
  verifying('one seal', 'TooFewSignatures', report({ bitmap: 2 })),
  verifying('no signature', 'TooFewSignatures', report({ bitmap: 0 })),
  verifying('two attestations', 'TooFewSignatures', report({ kind: 2, bitmap: 3 })),
  verifying('attestations as seals', 'BadSignature', report({ signed: 'attestations' })),
  verifying('no feeds', 'MalformedReport', ofFeeds(0)),
  verifying('seventeen feeds', 'MalformedReport', ofFeeds(17)),
  verifying('a first bundle that merges with nothing', 'MalformedReport', unmerged(false)),
  verifying('a second bundle that never merges', 'MalformedReport', unmerged(true)),
  verifying('another epoch', 'BadSignature', flipAt(good, 8)),
  verifying('another round', 'BadSignature', flipAt(good, 12)),
  verifying('another T', 'BadSignature', flipAt(good, 18)),
  verifying('another value', 'BadSignature', flipAt(good, 25 + 95)),
  verifying('another meta', 'BadSignature', flipAt(good, 25 + 127)),
  verifying('another sibling', 'BadSignature', flipAt(good, 25 + 130)),
  verifying('a fifth member', 'ForeignSigner', report({ bitmap: 0x13, signatures: {} })),
  verifying('high s', 'MalleableSignature', report({ signatures: { 0: highS } })),
  verifying('nobody, named by a sibling', 'BadSignature', namedBySibling()),
  verifying('a stranger', 'BadSignature', report({ signatures: { 1: engine.sign(word(1), word(5)) } })),
  verifying(
    'one member twice',
    'BadSignature',
    report({ signatures: { 1: good.slice(good.length - 128, good.length - 64) } }),
  ),
  verifying('a byte behind', 'MalformedReport', concat(good, Uint8Array.of(0))),
  verifying(
    'another lineage',
    'BadSignature',
    report({ keys: { ...nine, addresses: nine.addresses.slice(0, 4), f: 1, lineage: word(1) } }),
  ),
]

/** Siblings on both sides of the node. */
function manySiblings(low: number): Uint8Array {
  const plain = bundle([entry()])
  const many = [word(low, 0), word(low, 0xff), word(low, 0x7f), word(low, 0x80)]
  return report({ body: concat(plain.bytes, climb(many)), root: rootOf(plain.leaf, many) })
}

const plainRead = (maxAgeS: bigint | number = 60): Uint8Array => consumerCall('read', feedId, maxAgeS)
const one = toHex(concat(bundleId, feedId))
const two = toHex(concat(bundleId, feedId, otherId))
const twoFeeds = (first: Parameters<typeof entry>[0] = {}, second: Parameters<typeof entry>[0] = {}): Uint8Array =>
  report({ feeds: [entry(first), entry({ id: otherId, ...second })] })

/** The same judgement in every way to read: alone, first and last of a bundle, in full and without ids. */
function judged(
  name: string,
  wanted: string,
  bent: Parameters<typeof entry>[0],
  maxAgeS: bigint | number = 60,
  fits = true,
): Case[] {
  const readTwo = consumerCall('readBundle', two, maxAgeS)
  const forms = [
    [`${name}, first of two`, twoFeeds(bent)],
    [`${name}, last of two`, twoFeeds({}, bent)],
  ] as const
  return [
    reading(name, wanted, withReport(plainRead(maxAgeS), report({ feeds: [entry(bent)] }))),
    ...forms.map(([form, full]) => reading(form, wanted, withReport(readTwo, full))),
    ...(fits ? forms.map(([form, full]) => reading(`${form}, short`, wanted, withReport(readTwo, short(full)))) : []),
  ]
}

/** Two feeds, and a head that announces a second bundle. */
const twoOfTwo = report({ bundles: 2, feeds: [entry(), entry({ id: otherId })] })

const encoded = word(-512 >>> 0)
const structuredEntry = { word: engine.keccak256(encoded), kind: 1 }
const structured = (
  name: string,
  wanted: string,
  bent: Parameters<typeof entry>[0] = {},
  maxAgeS = 60,
  given = encoded,
): Case =>
  reading(
    name,
    wanted,
    withReport(
      consumerCall('readEncoded', feedId, toHex(given), maxAgeS),
      report({ feeds: [entry({ ...structuredEntry, ...bent })] }),
    ),
  )

/** Two calls in one transaction, each with a report of its own. */
const inTurn = (...calls: readonly Uint8Array[]): Uint8Array => consumerCall('multicallEach', calls.map(toHex))
const newest = consumerCall('readNewest', feedId, 60)
const once = (maxAgeS: number): Uint8Array => consumerCall('readOnce', feedId, maxAgeS)

const selectorOnly = consumerCall('all')

const consumerCases: readonly Case[] = [
  reading('a number', 'accepted', withReport(plainRead(), good)),
  reading('two numbers', 'accepted', withReport(consumerCall('readBundle', two, 60), twoFeeds())),
  reading('two numbers, short', 'accepted', withReport(consumerCall('readBundle', two, 60), short(twoFeeds()))),
  reading('all of two, short', 'accepted', withReport(consumerCall('known', two), short(twoFeeds()))),
  reading('any age at all', 'accepted', withReport(plainRead(2n ** 256n - 1n), good)),
  reading(
    'the second of two feeds',
    'accepted',
    withReport(consumerCall('read', otherId, 60), twoFeeds({}, { word: word(2000) })),
  ),
  reading('a feed that is not there', 'FeedMissing', withReport(consumerCall('read', word(3), 60), twoFeeds())),
  reading('selector and marker alone', 'NoReport', concat(selectorOnly, Uint8Array.of(0xa5, 0x5a))),
  reading('another marker', 'NoReport', concat(plainRead(), appended(good, good.length, 0xa55b))),
  reading('a length beyond the arguments', 'NoReport', concat(plainRead(), appended(good, good.length + 65))),
  reading('a length beyond the selector', 'NoReport', concat(plainRead(), appended(good, good.length + 70))),
  reading(
    'a report in full of more feeds',
    'WrongFeedCount',
    withReport(consumerCall('readBundle', one, 60), twoFeeds()),
  ),
  reading(
    'feeds in another order',
    'FeedMissing',
    withReport(consumerCall('readBundle', toHex(concat(bundleId, otherId, feedId)), 60), twoFeeds()),
  ),
  ...['readBundle', 'known'].flatMap((name) => {
    const call = name === 'known' ? consumerCall(name, two) : consumerCall(name, two, 60)
    return [
      reading(`${name}: short, and another bundle`, 'WrongFeedCount', withReport(call, short(twoOfTwo))),
      reading(`${name}: short, one feed too few`, 'WrongFeedCount', withReport(call, short(good))),
      reading(`${name}: short, cut off`, 'WrongFeedCount', withReport(call, short(twoFeeds()).subarray(0, 60))),
      reading(`${name}: short, forged`, 'BadSignature', withReport(call, flipAt(short(twoFeeds()), 37))),
    ]
  }),
  reading('a generation that nobody made', 'UnknownGeneration', withReport(plainRead(), report({ generation: 2 }))),
  reading('what the verifier refuses', 'BadSignature', withReport(plainRead(), flipAt(good, 25 + 95))),
  ...judged('not OK', 'NotOk', { status: 5 }),
  ...judged('structured', 'WrongKind', { kind: 1 }),
  ...judged('as old as allowed', 'accepted', { observedAtMs: ms - 10_000 }, 10),
  ...judged('older than allowed', 'Stale', { observedAtMs: ms - 10_001 }, 10),
  ...judged('valid to the end', 'accepted', { observedAtMs: ms - 60_000 }, 2n ** 256n - 1n),
  ...judged('past its validity', 'Stale', { observedAtMs: ms - 60_001 }, 100),
  ...judged(
    'beyond 176 bits',
    'NotInt176',
    { word: Uint8Array.from(word(0), (byte, i) => (i === 9 ? 1 : byte)) },
    60,
    false,
  ),
  structured('a structured value', 'accepted'),
  structured('other bytes', 'WrongBytes', {}, 60, word(1)),
  structured('structured, not OK', 'NotOk', { status: 8 }),
  structured('structured, a number', 'WrongKind', { kind: 0 }),
  structured('structured, too old', 'Stale', { observedAtMs: ms - 10_001 }, 10),
  structured('structured, past its validity', 'Stale', { observedAtMs: ms - 60_001 }, 100),
  reading(
    'newer, then older',
    'OlderThanUsed',
    inTurn(withReport(newest, good), withReport(newest, report({ attestedAtMs: ms - 1 }))),
  ),
  reading(
    'older, then newer',
    'accepted',
    inTurn(withReport(newest, report({ attestedAtMs: ms - 1 })), withReport(newest, good)),
  ),
  reading('once with a report, once without', 'accepted', inTurn(withReport(once(60), good), once(60))),
  reading(
    'a kept value that is too old for the second',
    'Stale',
    inTurn(withReport(once(60), report({ feeds: [entry({ observedAtMs: ms - 20_000 })] })), once(10)),
  ),
]

/** All cases. */
export const cases: readonly Case[] = [...verifierCases, ...consumerCases]
