// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Meta} from "./Meta.sol";

/// @title What every reader checks of a signed value before it hands it on (I-6).
library Values {
    /// The committee says that the value is not OK: the code of Meta.status.
    error NotOk(bytes32 feedId, uint256 status);
    /// The value is older than the reader allows, or past the validity that the feed declares.
    error Stale(bytes32 feedId, uint256 observedAtMs);
    /// A number was asked for and the feed is structured, or the other way round.
    error WrongKind(bytes32 feedId, uint256 kind);
    /// The signed word is no int176: no honest committee signs that.
    error NotInt176(bytes32 feedId);
    /// These bytes are not the value whose hash was signed.
    error WrongBytes(bytes32 feedId);

    uint256 internal constant NUMBER = 0;
    uint256 internal constant STRUCTURED = 1;

    /// The number of a leaf: OK, fresh, kind 0, within int176.
    function number(bytes32 feedId, bytes32 word, Meta meta, uint256 maxAgeS) internal view returns (int256 value) {
        requireFresh(feedId, meta, NUMBER, maxAgeS);
        return toInt176(feedId, word);
    }

    /// Checks that `encoded` is the value of a leaf of kind 1, OK and fresh.
    function structured(bytes32 feedId, bytes32 word, Meta meta, bytes calldata encoded, uint256 maxAgeS) internal view {
        requireFresh(feedId, meta, STRUCTURED, maxAgeS);
        if (keccak256(encoded) != word) revert WrongBytes(feedId);
    }

    /// Status OK, this kind, within the feed's validity and the reader's own bound; both ends count.
    function requireFresh(bytes32 feedId, Meta meta, uint256 kind, uint256 maxAgeS) internal view {
        if (meta.status() != 0) revert NotOk(feedId, meta.status());
        if (meta.kind() != kind) revert WrongKind(feedId, meta.kind());
        requireAge(feedId, meta.observedAtMs(), meta.validUntilMs(), maxAgeS);
    }

    /// Not past `validUntilMs`, and seen by the source at most `maxAgeS` ago. A source ahead of block time is of age 0.
    function requireAge(bytes32 feedId, uint256 observedAtMs, uint256 validUntilMs, uint256 maxAgeS) internal view {
        unchecked {
            uint256 nowMs = block.timestamp * 1000;
            if (nowMs > validUntilMs) revert Stale(feedId, observedAtMs);
            // Divided, so that no bound a caller gives can overflow.
            if (nowMs > observedAtMs && (nowMs - observedAtMs + 999) / 1000 > maxAgeS) revert Stale(feedId, observedAtMs);
        }
    }

    /// The word as a number of 176 bits.
    function toInt176(bytes32 feedId, bytes32 word) internal pure returns (int256 value) {
        value = int256(uint256(word));
        if (value != int176(value)) revert NotInt176(feedId);
    }
}
