// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IReportVerifier} from "../interfaces/IReportVerifier.sol";
import {Meta} from "./Meta.sol";

/// A verified report in memory: attestedAtMs, 0x40, the number of feeds, and 96 bytes a feed. Only Verification makes it.
type Verified is uint256;

using {attestedAtMs, count, feedAt, find, encoded} for Verified global;

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

/// Feed number `i`, which must be below count().
function feedAt(Verified self, uint256 i) pure returns (bytes32 feedId, bytes32 word, Meta meta) {
    assembly ("memory-safe") {
        let at := add(add(self, 96), mul(96, i))
        feedId := mload(at)
        word := mload(add(at, 32))
        meta := mload(add(at, 64))
    }
}

/// The feed of this id; reverts with FeedMissing when the report has none.
function find(Verified self, bytes32 feedId) pure returns (bytes32 word, Meta meta) {
    uint256 n = self.count();
    for (uint256 i = 0; i < n; ++i) {
        bytes32 id;
        (id, word, meta) = self.feedAt(i);
        if (id == feedId) return (word, meta);
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
    /// The report leaves out the feed ids, and the reader gave another number of them than the report has feeds.
    error WrongFeedCount(uint256 feeds);

    /// What the last two bytes of calldata say when a report stands before them; its length is the two bytes before.
    uint256 internal constant MARKER = 0xA55A;
    /// Bit 7 of the report's first byte: feed ids are left out, the reader knows them.
    uint256 internal constant SHORT = 0x80;

    /// Where the report that was appended to this call's calldata lies: reckoned from the end, never from the front,
    /// so that no argument can move it.
    function tail() internal pure returns (uint256 offset, uint256 length) {
        uint256 size = msg.data.length;
        // Four bytes of selector, and the trailer itself.
        if (size < 8) revert NoReport();
        uint256 trailer;
        assembly ("memory-safe") {
            trailer := shr(224, calldataload(sub(size, 4)))
        }
        length = trailer >> 16;
        unchecked {
            if (uint16(trailer) != MARKER || length > size - 8) revert NoReport();
            offset = size - 4 - length;
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
    function verify(address registry, bytes32 codeHash, uint256 offset, uint256 length) internal view returns (Verified) {
        uint256 input;
        assembly ("memory-safe") {
            input := mload(0x40)
            calldatacopy(add(input, 36), offset, length)
            mstore(0x40, add(input, add(length, 68)))
        }
        return _ask(registry, codeHash, input, length);
    }

    /// Like verify, for a report of one bundle whose feeds the reader knows: such a report may leave the ids out (bit 7
    /// of its first byte), and the reader's own take their places. What comes back holds exactly `feedIds`, in order.
    function verifyKnown(address registry, bytes32 codeHash, uint256 offset, uint256 length, bytes32[] memory feedIds)
        internal
        view
        returns (Verified)
    {
        uint256 n = feedIds.length;
        uint256 first;
        assembly ("memory-safe") {
            first := byte(0, calldataload(offset))
        }
        if (first & SHORT == 0) {
            Verified verified = verify(registry, codeHash, offset, length);
            if (verified.count() != n) revert WrongFeedCount(verified.count());
            for (uint256 i = 0; i < n; ++i) {
                (bytes32 feedId,,) = verified.feedAt(i);
                if (feedId != feedIds[i]) revert FeedMissing(feedIds[i]);
            }
            return verified;
        }
        uint256 feeds;
        assembly ("memory-safe") {
            feeds := byte(0, calldataload(add(offset, 24)))
        }
        // Head, count, bundle id, and word and meta of each feed are the least there must be.
        if (feeds != n || length < 57 + 64 * n) revert WrongFeedCount(feeds);
        uint256 input;
        assembly ("memory-safe") {
            input := mload(0x40)
            let write := add(input, 36)
            calldatacopy(write, offset, 57)
            mstore8(write, xor(first, SHORT))
            write := add(write, 57)
            let read := add(offset, 57)
            for { let id := add(feedIds, 32) let end := add(id, shl(5, n)) } lt(id, end) { id := add(id, 32) } {
                mstore(write, mload(id))
                calldatacopy(add(write, 32), read, 64)
                write := add(write, 96)
                read := add(read, 64)
            }
            let rest := sub(add(offset, length), read)
            calldatacopy(write, read, rest)
            length := add(length, shl(5, n))
            mstore(0x40, add(input, add(length, 68)))
        }
        return _ask(registry, codeHash, input, length);
    }

    /// Calls the verifier with the report at input + 36; the four bytes before it are for the selector.
    function _ask(address registry, bytes32 codeHash, uint256 input, uint256 length) private view returns (Verified result) {
        uint256 generation;
        assembly ("memory-safe") {
            generation := and(shr(216, mload(add(input, 36))), 0xffffffff)
        }
        address verifier = verifierOf(registry, codeHash, generation);
        bytes4 selector = IReportVerifier.verify.selector;
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
            result := mload(0x40)
            returndatacopy(result, 0, returndatasize())
            mstore(0x40, add(result, returndatasize()))
        }
        if (!answered) revert UnknownGeneration(generation);
    }
}
