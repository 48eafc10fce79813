// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Meta} from "./Meta.sol";
import {Verified} from "./Verification.sol";

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

    /// The number of a leaf: OK, kind 0, within int176, within the feed's validity, observed at most `maxAgeS` ago.
    function number(bytes32 feedId, bytes32 word, Meta meta, uint256 maxAgeS) internal view returns (int256 value) {
        uint256 oldestMs = oldest(maxAgeS);
        assembly ("memory-safe") {
            value := word
        }
        if (_isRefused(word, meta, oldestMs)) _refuseNumber(feedId, meta, oldestMs);
    }

    /// Like number for each feed of a report, in its order.
    function numbers(Verified verified, uint256 maxAgeS) internal view returns (int256[] memory values) {
        values = new int256[](verified.count());
        for (uint256 i = 0; i < values.length; ++i) {
            (bytes32 feedId, bytes32 word, Meta meta) = verified.feedAt(i);
            values[i] = number(feedId, word, meta, maxAgeS);
        }
    }

    /// Checks that `encoded` is the value of a leaf of kind 1, OK and fresh.
    function structured(bytes32 feedId, bytes32 word, Meta meta, bytes calldata encoded, uint256 maxAgeS)
        internal
        view
    {
        _requireFresh(feedId, meta, STRUCTURED, oldest(maxAgeS));
        if (keccak256(encoded) != word) revert WrongBytes(feedId);
    }

    /// Status OK, this kind, within the feed's validity, and observed at most `maxAgeS` ago; both ends count.
    function requireFresh(bytes32 feedId, Meta meta, uint256 kind, uint256 maxAgeS) internal view {
        _requireFresh(feedId, meta, kind, oldest(maxAgeS));
    }

    /// The earliest source time that is at most `maxAgeS` old now; 0 where any is. Never overflows.
    function oldest(uint256 maxAgeS) internal view returns (uint256 oldestMs) {
        assembly ("memory-safe") {
            // A bound beyond block time would wrap: then nothing is too old.
            oldestMs := mul(mul(sub(timestamp(), maxAgeS), 1000), gt(timestamp(), maxAgeS))
        }
    }

    /// Whether a number may not be used: status and kind in one look, the validity, the age, the width of the number.
    function _isRefused(bytes32 word, Meta meta, uint256 oldestMs) private view returns (bool refused) {
        assembly ("memory-safe") {
            let observed := and(meta, 0xffffffffffffffff)
            let validUntil := add(observed, mul(and(shr(64, meta), 0xffffffff), 1000))
            refused := iszero(
                iszero(
                    or(
                        or(and(shr(96, meta), 0xff00ff), lt(validUntil, mul(timestamp(), 1000))),
                        or(lt(observed, oldestMs), xor(word, signextend(21, word)))
                    )
                )
            )
        }
    }

    /// Says why a number is refused; always reverts.
    function _refuseNumber(bytes32 feedId, Meta meta, uint256 oldestMs) private view {
        _requireFresh(feedId, meta, NUMBER, oldestMs);
        revert NotInt176(feedId);
    }

    function _requireFresh(bytes32 feedId, Meta meta, uint256 kind, uint256 oldestMs) private view {
        if (meta.status() != 0) revert NotOk(feedId, meta.status());
        if (meta.kind() != kind) revert WrongKind(feedId, meta.kind());
        uint256 observedAtMs = meta.observedAtMs();
        bool stale;
        assembly ("memory-safe") {
            let validUntilMs := add(observedAtMs, mul(1000, and(shr(64, meta), 0xffffffff)))
            stale := or(lt(validUntilMs, mul(timestamp(), 1000)), lt(observedAtMs, oldestMs))
        }
        if (stale) revert Stale(feedId, observedAtMs);
    }
}
