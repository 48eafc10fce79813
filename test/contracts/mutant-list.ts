// Every guard of the contracts that read reports, as the change that removes it and what it would let through.

/** One guard removed. `find` stands once in the file; with `nth`, which of its places is meant, from 0. */
export interface Mutant {
  readonly file: string
  readonly find: string
  readonly replace: string
  readonly lets: string
  readonly nth?: number
}

const verifier = 'contracts/src/ReportVerifier.sol'
const verification = 'contracts/src/lib/Verification.sol'
const values = 'contracts/src/lib/Values.sol'
const known = 'contracts/src/lib/KnownBundle.sol'
const consumer = 'contracts/src/AssayConsumer.sol'

const at = (file: string, find: string, replace: string, lets: string, nth?: number): Mutant => ({
  file,
  find,
  replace,
  lets,
  ...(nth === undefined ? {} : { nth }),
})

/** The mutants; a test fails for each that no hostile case tells from the original. */
export const mutants: readonly Mutant[] = [
  at(verifier, 'if (msg.sender != registry) revert OnlyRegistry();', '', 'anybody opens a window'),
  at(verifier, 'revert UnknownFunction();', '', 'calls of no function succeed'),
  at(verifier, 'if (msg.data.length < 4 + HEAD_BYTES) revert MalformedReport();', '', 'half a head is read as zeros'),
  at(verifier, 'if (uint32(head >> 216) != GENERATION) revert', 'if (false) revert', 'reports of other generations'),
  at(verifier, 'if (packed >> 80 != 0) revert Paused();', '', 'reports while paused'),
  at(verifier, 'gt(timestamp(), until),', '0,', 'old committees after their time'),
  at(verifier, 'lt(attestedAtMs, mul(from, 1000))', '0', 'reports of before the committee’s time'),
  at(verifier, 'gt(attestedAtMs, mul(until, 1000))', '0', 'reports of after the committee’s time'),
  at(verifier, 'if (outside) revert OutsideWindow(from, until);', '', 'reports outside of the window'),
  at(verifier, 'if (ahead) revert FutureReport(attestedAtMs);', '', 'reports of the future'),
  at(verifier, 'add(mul(timestamp(), 1000), FUTURE_TOLERANCE_MS)', 'add(mul(timestamp(), 1000), 30001)', 'a ms more'),
  at(verifier, 'revert UnknownKind(kind);', 'threshold = 0;', 'reports of other kinds, without signatures'),
  at(verifier, 'threshold = F + 1;', 'threshold = F;', 'what f members sealed'),
  at(verifier, '(MEMBERS + F) / 2 + 1;', '(MEMBERS + F) / 2;', 'what no quorum attested'),
  at(verifier, 'digest = _sealedDigest(digest);', '', 'f+1 attestations as if they were seals'),
  at(verifier, 'if iszero(lt(sub(feeds, 1), 16)) { malformed() }', '', 'bundles of no feeds, or of too many'),
  at(verifier, 'if eq(top, stack) { malformed() }', '', 'a first bundle that nobody signed: it merges with nothing'),
  at(verifier, 'if iszero(eq(top, add(stack, 32))) { malformed() }', '', 'a second bundle that nobody signed'),
  at(verifier, 'let place := shl(5, gt(up, sibling))', 'let place := 0', 'pairs in any order', 0),
  at(verifier, 'let place := shl(5, gt(node, waiting))', 'let place := 32', 'merges in any order'),
  at(
    verifier,
    'mstore(0, keccak256(write, add(bytes_, 32)))',
    'mstore(0, keccak256(write, bytes_))',
    'the last meta unsigned',
  ),
  at(verifier, 'mstore(write, kept)', '', 'the last feed of a bundle overwritten by the next bundle’s id'),
  at(verifier, 'mstore(add(at, 32), epoch)', 'mstore(add(at, 32), 12)', 'another epoch'),
  at(verifier, 'mstore(add(at, 64), round)', 'mstore(add(at, 64), 345)', 'another round'),
  at(
    verifier,
    'mstore(add(at, 96), attestedAtMs)',
    'mstore(add(at, 96), 1800001000000)',
    'another T: old values as new',
  ),
  at(verifier, 'mstore(add(at, 128), root)', 'mstore(add(at, 128), mload(96))', 'another root: any values'),
  at(verifier, 'if (bitmap >> MEMBERS != 0) revert ForeignSigner();', '', 'members that the committee does not have'),
  // That such a signature is refused at all shows in contracts/test only, where ecrecover can be made to take one: no key
  // is known that makes an s of 255 bits above half the order.
  at(verifier, 'if gt(s, HALF_ORDER) { selector := 0xc651b61c }', '', 'a signature’s second form for a bad one'),
  at(verifier, 'xor(returndatasize(), 32)', '0', 'a signature of nobody, for whom a sibling names'),
  at(verifier, 'xor(mload(0), shr(96, mload(signer)))', '0', 'signatures of anybody'),
  at(verifier, 'signer := add(signer, 20)', 'signer := add(signer, 0)', 'the first member’s signatures for all'),
  at(verifier, 'count := add(count, 1)', 'count := add(count, 2)', 'half of the signatures'),
  at(verifier, 'if (count < threshold) revert', 'if (false) revert', 'reports without signatures'),
  at(verifier, 'if (cursor != msg.data.length) revert MalformedReport();', '', 'bytes behind a report'),
  at(verifier, 'if (MEMBERS <= 8)', 'if (MEMBERS <= 9)', 'a ninth member that is nobody'),
  at(
    verifier,
    'salt = keccak256(abi.encode(SALT_TAG, lineage,',
    'salt = keccak256(abi.encode(SALT_TAG, bytes32(0),',
    'lineages',
  ),

  at(verification, 'if (id == feedId) return (word, meta);', 'return (word, meta);', 'another feed’s value'),
  at(verification, 'revert FeedMissing(feedId);', '', 'the last feed’s value for one that is not there'),
  at(verification, 'lt(size, 8)', '0', 'a selector read as a length'),
  at(verification, 'xor(and(trailer, 0xffff), MARKER)', '0', 'calldata that ends in anything'),
  at(verification, 'gt(length, sub(size, 8))', '0', 'a report longer than the calldata'),
  at(verification, 'gt(length, sub(size, 8))', 'gt(length, sub(size, 4))', 'the selector as part of a report'),
  at(verification, 'if (missing) revert NoReport();', '', 'calldata without a report'),
  at(
    verification,
    'if (verified.count() != feeds) revert WrongFeedCount(feeds);',
    '',
    'more feeds than the reader knows',
  ),
  at(verification, 'if (feedId != known) revert FeedMissing(known);', '', 'feeds in another order'),
  at(
    verification,
    'shr(56, calldataload(offset)), 0xffff), add(256, n)',
    'shr(56, calldataload(offset)), 0xff), n',
    'a second bundle',
  ),
  at(verification, 'xor(and(shr(56, calldataload(offset)), 0xffff), add(256, n))', '0', 'another count of feeds'),
  at(verification, 'lt(length, add(25, shl(5, n)))', '0', 'fewer bytes than feeds'),
  at(verification, 'if (unfit) revert WrongFeedCount(n);', '', 'short reports of any shape'),
  at(verification, 'revert(at, returndatasize())', 'return(at, 0)', 'what the verifier refused'),
  at(verification, 'answered := iszero(iszero(returndatasize()))', 'answered := 1', 'generations without a verifier'),
  at(verification, 'if (!answered) revert UnknownGeneration(generation);', '', 'generations that nobody made'),

  at(values, 'and(shr(96, meta), 0xff00ff)', 'and(shr(96, meta), 0xff0000)', 'a number that is not OK'),
  at(values, 'and(shr(96, meta), 0xff00ff)', 'and(shr(96, meta), 0x0000ff)', 'a hash as a number'),
  at(values, 'lt(validUntil, mul(timestamp(), 1000))', '0', 'a number past its validity'),
  at(values, 'lt(observed, oldestMs)', '0', 'a number older than its reader allows'),
  at(values, 'xor(word, signextend(21, word))', '0', 'a number beyond 176 bits'),
  at(values, 'if (_isRefused(word, meta, oldestMs)) _refuseNumber(feedId, meta, oldestMs);', '', 'any number'),
  at(values, 'if (keccak256(encoded) != word) revert WrongBytes(feedId);', '', 'a structured value that nobody signed'),
  at(values, '_requireFresh(feedId, meta, STRUCTURED, oldest(maxAgeS));', '', 'a stale structured value'),
  at(values, ', gt(timestamp(), maxAgeS))', ', 1)', 'nothing at all, where a reader allows any age'),
  at(values, 'if (meta.status() != 0) revert NotOk(feedId, meta.status());', '', 'a structured value that is not OK'),
  at(values, 'if (meta.kind() != kind) revert WrongKind(feedId, meta.kind());', '', 'a number as a structured value'),
  at(values, 'lt(validUntilMs, mul(timestamp(), 1000))', '0', 'a structured value past its validity'),
  at(values, 'lt(observedAtMs, oldestMs)', '0', 'a structured value older than its reader allows'),

  at(known, 'Verification.requireFeeds(offset, length, n);', '', 'other bundles, without ids'),
  at(known, 'or(refused, and(shr(96, meta), 0xff00ff))', 'refused', 'short: a number that is not OK'),
  at(known, 'or(refused, and(shr(96, meta), 0xff00ff))', 'and(shr(96, meta), 0xff00ff)', 'short: the last decides'),
  at(known, '0xff00ff', '0xff0000', 'short: a status'),
  at(known, '0xff00ff', '0x0000ff', 'short: a hash as a number'),
  at(known, 'lt(observed, mload(32))', '0', 'short: a number older than its reader allows'),
  at(known, 'lt(validUntil, mul(timestamp(), 1000))', '0', 'short: a number past its validity'),
  at(known, 'if (refused != 0)', 'if (false)', 'short: any number'),
  at(known, 'Verification.demand(registry, codeHash, input, length);', '', 'short: numbers that nobody signed'),

  at(consumer, '(attestedAtMs + _slackMs() < usedAtMs) revert', '(false) revert', 'a choice among valid reports'),
  at(
    consumer,
    'if (attestedAtMs > usedAtMs) used[feedId] = attestedAtMs;',
    'if (attestedAtMs > usedAtMs) {}',
    'the same choice, since nothing is kept',
  ),
  at(consumer, 'if (Meta.unwrap(meta) == 0) {', 'if (true) {', 'another value later in the transaction'),
  at(
    consumer,
    'return (Values.number(feedId, word, meta, maxAgeS), meta.observedAtMs());\n    }',
    'return (int256(uint256(word)), meta.observedAtMs());\n    }',
    'a kept value older than this reader allows',
  ),
  at(consumer, 'Values.structured(feedId, word, meta, encoded, maxAgeS);', '', 'any structured value'),
]
