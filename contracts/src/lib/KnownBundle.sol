// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Values} from "./Values.sol";
import {Verification, Verified} from "./Verification.sol";

/// @title The numbers of a bundle whose ids the reader knows, out of a report that leaves the ids out.
/// @notice Does what Verification.verifyKnown and Values.numbers do one after the other, in one loop over the feeds: for
/// ten feeds this is a thousand gas.
library KnownBundle {
    /// The numbers of all feeds of the bundle, each OK, valid and observed at most `maxAgeS` ago.
    /// @param ids abi.encodePacked(bundleId, feedId, …)
    function numbers(
        address registry,
        bytes32 codeHash,
        uint256 offset,
        uint256 length,
        bytes memory ids,
        uint256 maxAgeS
    ) internal view returns (int256[] memory values) {
        uint256 n;
        unchecked {
            // Without ids this is no number of feeds that a report can have.
            n = (ids.length >> 5) - 1;
        }
        Verification.requireFeeds(offset, length, n);
        uint256 oldestMs = Values.oldest(maxAgeS);
        uint256 input;
        uint256 refused;
        assembly ("memory-safe") {
            values := mload(0x40)
            mstore(values, n)
            input := add(values, add(32, shl(5, n)))
            // The full form's first byte is the short one's without bit 7.
            mstore(add(input, 36), xor(calldataload(offset), shl(255, 1)))
            mstore(add(input, 61), mload(add(ids, 32)))
            // Id, word and meta of each feed, the word alone also into the values, and whether any may not be used, as
            // Values.isRefused says it (an int104 is an int176). What does not change waits in scratch memory: as
            // variables these would be computed anew for each feed.
            mstore(0, shl(5, n))
            mstore(32, oldestMs)
            for { let i := 0 } lt(i, mload(0)) {} {
                let meta := calldataload(add(add(offset, 25), i))
                let feed := add(add(input, 93), mul(i, 3))
                i := add(i, 32)
                let word := sar(152, meta)
                mstore(add(values, i), word)
                mstore(feed, mload(add(add(ids, 32), i)))
                mstore(add(feed, 32), word)
                meta := and(meta, 0xffffffffffffffffffffffffffffffffffffff)
                mstore(add(feed, 64), meta)
                let observed := and(meta, 0xffffffffffffffff)
                let validUntil := add(observed, mul(and(shr(64, meta), 0xffffffff), 1000))
                refused := or(
                    or(refused, and(shr(96, meta), 0xff00ff)),
                    or(lt(observed, mload(32)), lt(validUntil, mul(timestamp(), 1000)))
                )
            }
            let rest := add(offset, add(25, shl(5, n)))
            calldatacopy(add(input, add(93, mul(96, n))), rest, sub(add(offset, length), rest))
            length := add(length, shl(5, add(n, add(n, 1))))
            mstore(0x40, add(input, add(length, 68)))
        }
        Verification.demand(registry, codeHash, input, length);
        if (refused != 0) Values.numbers(_verified(input, n), maxAgeS);
    }

    /// The feeds that were just verified, where they lie.
    function _verified(uint256 input, uint256 n) private pure returns (Verified verified) {
        assembly ("memory-safe") {
            mstore(add(input, 61), n)
            verified := sub(input, 3)
        }
    }
}
