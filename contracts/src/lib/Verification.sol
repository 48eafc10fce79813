// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IReportVerifier} from "../interfaces/IReportVerifier.sol";
import {Meta} from "./Meta.sol";

/// A verified report in memory: attestedAtMs, 0x40, the number of feeds, and 96 bytes a feed. Only Verification makes it.
type Verified is uint256;

using {attestedAtMs, count, first, feedAt, find, encoded} for Verified global;

// Memory from one feed to the next.
uint256 constant FEED_BYTES = 96;

/// The report does not hold this feed.
error FeedMissing(bytes32 feedId);

/// T, ms since 1970.
function attestedAtMs(Verified self) pure returns (uint256 result) {
    assembly ("memory-safe") {
        result := mload(self)
    }
}

/// How many feeds the report holds.
function count(Verified self) pure returns (uint256 result) {
    assembly ("memory-safe") {
        result := mload(add(self, 64))
    }
}

/// Where in memory the first feed lies; the next are FEED_BYTES further.
function first(Verified self) pure returns (uint256 feed) {
    assembly ("memory-safe") {
        feed := add(self, 96)
    }
}

/// The feed that lies there.
function feedOf(uint256 feed) pure returns (bytes32 feedId, bytes32 word, Meta meta) {
    assembly ("memory-safe") {
        feedId := mload(feed)
        word := mload(add(feed, 32))
        meta := mload(add(feed, 64))
    }
}

/// Feed number `i`, which must be below count().
function feedAt(Verified self, uint256 i) pure returns (bytes32 feedId, bytes32 word, Meta meta) {
    unchecked {
        return feedOf(self.first() + i * FEED_BYTES);
    }
}

/// The feed of this id; reverts with FeedMissing when the report has none.
function find(Verified self, bytes32 feedId) pure returns (bytes32 word, Meta meta) {
    unchecked {
        uint256 feed = self.first();
        for (uint256 end = feed + self.count() * FEED_BYTES; feed < end; feed += FEED_BYTES) {
            bytes32 id;
            (id, word, meta) = feedOf(feed);
            if (id == feedId) return (word, meta);
        }
    }
    revert FeedMissing(feedId);
}

/// The verifier's answer as it came: ABI-encoded (uint256 attestedAtMs, Feed[] feeds).
function encoded(Verified self) pure returns (bytes memory result) {
    uint256 n = self.count();
    result = new bytes(96 + 96 * n);
    assembly ("memory-safe") {
        mcopy(add(result, 32), self, mload(result))
    }
}

/// @title Finds a report in calldata and has the verifier of its generation verify it.
library Verification {
    /// The calldata does not end with a report's length and marker, or is shorter than that length.
    error NoReport();
    /// The registry has made no verifier for this generation.
    error UnknownGeneration(uint256 generation);
    /// The report does not have as many feeds as the bundle that the reader knows, or breaks off before their end.
    error WrongFeedCount(uint256 expected);

    /// What the last two bytes of calldata say when a report stands before them; its length is the two bytes before.
    uint256 internal constant MARKER = 0xA55A;

    /// Where the report that was appended to this call's calldata lies: reckoned from the end, never from the front,
    /// so that no argument can move it.
    function tail() internal pure returns (uint256 offset, uint256 length) {
        uint256 size = msg.data.length;
        bool missing;
        assembly ("memory-safe") {
            let trailer := shr(224, calldataload(sub(size, 4)))
            length := shr(16, trailer)
            // Besides the report there are four bytes of selector and the trailer itself.
            missing := or(or(lt(size, 8), xor(and(trailer, 0xffff), MARKER)), gt(length, sub(size, 8)))
            offset := sub(sub(size, 4), length)
        }
        if (missing) revert NoReport();
    }

    /// What the report at calldata[offset …) says before anybody has verified it: enough to refuse it cheaply.
    /// @return t its T, where both forms of a report have it
    /// @return bundles how many bundles it claims to have
    /// @return firstFeedId the id of its first feed, unless ids are left out
    function peek(uint256 offset) internal pure returns (uint256 t, uint256 bundles, bytes32 firstFeedId) {
        assembly ("memory-safe") {
            let head := calldataload(add(offset, 13))
            t := shr(208, head)
            bundles := byte(10, head)
            firstFeedId := calldataload(add(offset, 57))
        }
    }

    /// Where the registry's verifier of `generation` is or would be (CREATE2).
    function verifierOf(address registry, bytes32 codeHash, uint256 generation) internal pure returns (address result) {
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore8(at, 0xff)
            mstore(add(at, 1), shl(96, registry))
            mstore(add(at, 21), generation)
            mstore(add(at, 53), codeHash)
            result := and(keccak256(at, 85), 0xffffffffffffffffffffffffffffffffffffffff)
        }
    }

    /// Verifies the report at calldata[offset, offset + length). Reverts with the verifier's error, or UnknownGeneration.
    function verify(address registry, bytes32 codeHash, uint256 offset, uint256 length)
        internal
        view
        returns (Verified)
    {
        uint256 input;
        assembly ("memory-safe") {
            input := mload(0x40)
            calldatacopy(add(input, 36), offset, length)
            mstore(0x40, add(input, add(length, 68)))
        }
        return ask(registry, codeHash, input, length);
    }

    /// Like verify, for a report of one bundle that the reader knows. `ids` are the bundle's id and its feeds' ids, end to
    /// end: abi.encodePacked(bundleId, feedId, …). The report may leave them out (bit 7 of its first byte); the reader's
    /// own then take their places, and word and meta of each feed stand in one word: int104 and 152 bits. What comes back
    /// holds exactly these feeds, in this order; of a report with ids, whatever bundles they are in.
    function verifyKnown(address registry, bytes32 codeHash, uint256 offset, uint256 length, bytes memory ids)
        internal
        view
        returns (Verified verified)
    {
        uint256 source;
        uint256 feeds;
        assembly ("memory-safe") {
            source := add(ids, 32)
            feeds := sub(shr(5, mload(ids)), 1)
        }
        if (isShort(offset)) return _askExpanded(registry, codeHash, offset, length, source, feeds);
        verified = verify(registry, codeHash, offset, length);
        if (verified.count() != feeds) revert WrongFeedCount(feeds);
        for (uint256 i = 0; i < feeds; ++i) {
            (bytes32 feedId,,) = verified.feedAt(i);
            bytes32 known;
            assembly ("memory-safe") {
                source := add(source, 32)
                known := mload(source)
            }
            if (feedId != known) revert FeedMissing(known);
        }
    }

    /// Like verifyKnown for a bundle of one feed; a report that does not leave out the ids may have it in any bundle.
    function verifyOne(
        address registry,
        bytes32 codeHash,
        uint256 offset,
        uint256 length,
        bytes32 bundleId,
        bytes32 feedId
    ) internal view returns (bytes32 word, Meta meta, uint256 t) {
        Verified verified;
        if (isShort(offset)) {
            uint256 ids;
            assembly ("memory-safe") {
                ids := mload(0x40)
                mstore(ids, bundleId)
                mstore(add(ids, 32), feedId)
                mstore(0x40, add(ids, 64))
            }
            verified = _askExpanded(registry, codeHash, offset, length, ids, 1);
            (, word, meta) = verified.feedAt(0);
        } else {
            verified = verify(registry, codeHash, offset, length);
            (word, meta) = verified.find(feedId);
        }
        return (word, meta, verified.attestedAtMs());
    }

    /// Whether the report leaves out its ids.
    function isShort(uint256 offset) internal pure returns (bool short) {
        assembly ("memory-safe") {
            short := shr(255, calldataload(offset))
        }
    }

    /// Checks that a short report has one bundle, of `n` feeds, and a word for each of them.
    function requireFeeds(uint256 offset, uint256 length, uint256 n) internal pure {
        bool unfit;
        assembly ("memory-safe") {
            // Bytes 23 and 24: how many bundles, and how many feeds in the first.
            unfit := or(xor(and(shr(56, calldataload(offset)), 0xffff), add(256, n)), lt(length, add(25, shl(5, n))))
        }
        if (unfit) revert WrongFeedCount(n);
    }

    /// Puts the bundle's id and the ids of its `n` feeds, at memory `ids`, into a report that leaves them out, and asks.
    function _askExpanded(address registry, bytes32 codeHash, uint256 offset, uint256 length, uint256 ids, uint256 n)
        private
        view
        returns (Verified)
    {
        requireFeeds(offset, length, n);
        uint256 input;
        assembly ("memory-safe") {
            // Id, word and meta of each feed, the id from memory, word and meta from one word of calldata: 104 bits and
            // 152 bits; then what follows the feeds.
            function interleave(write, id, last, ahead, end) {
                for {} lt(id, last) { write := add(write, 96) } {
                    id := add(id, 32)
                    let packed := calldataload(add(id, ahead))
                    mstore(write, mload(id))
                    mstore(add(write, 32), sar(152, packed))
                    mstore(add(write, 64), and(packed, 0xffffffffffffffffffffffffffffffffffffff))
                }
                let rest := add(add(last, ahead), 32)
                calldatacopy(write, rest, sub(end, rest))
            }
            input := mload(0x40)
            // The full form's first byte is the short one's without bit 7.
            mstore(add(input, 36), xor(calldataload(offset), shl(255, 1)))
            mstore(add(input, 61), mload(ids))
            // Ids and packed words are equally far from each other all along.
            interleave(add(input, 93), ids, add(ids, shl(5, n)), sub(sub(offset, 7), ids), add(offset, length))
            length := add(length, shl(5, add(n, add(n, 1))))
            mstore(0x40, add(input, add(length, 68)))
        }
        return ask(registry, codeHash, input, length);
    }

    /// Asks for the report at input + 36 and copies the answer; see `demand`.
    function ask(address registry, bytes32 codeHash, uint256 input, uint256 length)
        internal
        view
        returns (Verified result)
    {
        demand(registry, codeHash, input, length);
        assembly ("memory-safe") {
            result := mload(0x40)
            returndatacopy(result, 0, returndatasize())
            mstore(0x40, add(result, returndatasize()))
        }
    }

    /// Calls the verifier with the report at input + 36; the four bytes before it are for the selector. Reverts with the
    /// verifier's error unless the report is the committee's; its answer, which repeats the feeds, is not copied.
    function demand(address registry, bytes32 codeHash, uint256 input, uint256 length) internal view {
        uint256 generation;
        assembly ("memory-safe") {
            generation := and(shr(216, mload(add(input, 36))), 0xffffffff)
        }
        address verifier = verifierOf(registry, codeHash, generation);
        bytes4 selector = IReportVerifier.verifyPacked.selector;
        bool answered;
        assembly ("memory-safe") {
            mstore(add(input, 4), shr(224, selector))
            if iszero(staticcall(gas(), verifier, add(input, 32), add(length, 4), 0, 0)) {
                let at := mload(0x40)
                returndatacopy(at, 0, returndatasize())
                revert(at, returndatasize())
            }
            // An address without code answers nothing.
            answered := iszero(iszero(returndatasize()))
        }
        if (!answered) revert UnknownGeneration(generation);
    }
}
