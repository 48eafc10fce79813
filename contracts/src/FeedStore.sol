// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ICommitteeRegistry} from "./interfaces/ICommitteeRegistry.sol";
import {IFeedStore, Reading} from "./interfaces/IFeedStore.sol";
import {Meta} from "./lib/Meta.sol";
import {Slots} from "./lib/Slots.sol";
import {Values} from "./lib/Values.sol";
import {Verification, Verified} from "./lib/Verification.sol";

/// @title Keeps any feeds of one lineage, a slot each. Without owner: what is stored, signatures decide.
/// @dev Storage layout: slot 0 = mapping(feedId => packed slot), as lib/Slots.sol packs a whole one. Nothing else; no
/// history.
contract FeedStore is IFeedStore {
    address public immutable registry;
    bytes32 private immutable VERIFIER_CODE_HASH;

    mapping(bytes32 feedId => uint256) private _slots;

    constructor(ICommitteeRegistry registry_) {
        registry = address(registry_);
        VERIFIER_CODE_HASH = registry_.verifierCodeHash();
    }

    /// Whatever has no known selector, calldata of fewer than four bytes included.
    fallback() external {
        revert UnknownFunction();
    }

    /// @inheritdoc IFeedStore
    function push() external {
        (uint256 offset, uint256 length) = Verification.tail();
        (uint256 attestedAtMs, uint256 bundles, bytes32 firstFeedId) = Verification.peek(offset);
        // Who lost a race should lose little: no signature is looked at. The feeds of a bundle come together, so the
        // first speaks for them all.
        if (bundles == 1 && attestedAtMs <= Slots.attestedAtMs(_slots[firstFeedId])) revert NothingNewer();
        _store(Verification.verify(registry, VERIFIER_CODE_HASH, offset, length));
    }

    /// @inheritdoc IFeedStore
    function read(bytes32 feedId, uint256 maxAgeS) external view returns (int256 value, uint256 observedAtMs) {
        return _fresh(feedId, Values.NUMBER, maxAgeS);
    }

    /// @inheritdoc IFeedStore
    function readEncoded(bytes32 feedId, bytes calldata encoded, uint256 maxAgeS)
        external
        view
        returns (uint256 observedAtMs)
    {
        int256 value;
        (value, observedAtMs) = _fresh(feedId, Values.STRUCTURED, maxAgeS);
        if (Slots.structured(keccak256(encoded)) != uint256(value)) revert Values.WrongBytes(feedId);
    }

    /// @inheritdoc IFeedStore
    function tryRead(bytes32 feedId) external view returns (Reading memory) {
        uint256 slot = _slots[feedId];
        (int256 value, Meta meta) = Slots.unpack(slot);
        return Slots.reading(value, meta, Slots.attestedAtMs(slot));
    }

    function _fresh(bytes32 feedId, uint256 kind, uint256 maxAgeS)
        private
        view
        returns (int256 value, uint256 observedAtMs)
    {
        uint256 slot = _slots[feedId];
        if (slot == 0) revert UnknownFeed(feedId);
        Meta meta;
        (value, meta) = Slots.unpack(slot);
        Values.requireFresh(feedId, meta, kind, maxAgeS);
        return (value, meta.observedAtMs());
    }

    /// Stores each feed for which the report is newer than what is there, and not too old to be used by anybody.
    function _store(Verified verified) private {
        uint256 attestedAtMs = verified.attestedAtMs();
        uint256 feeds = verified.count();
        // What Updated says: offset, count, and 64 bytes a feed, written as feeds are stored.
        uint256 data;
        assembly ("memory-safe") {
            data := mload(0x40)
            mstore(0x40, add(data, add(64, shl(6, feeds))))
        }
        uint256 end = data + 64;
        bytes32 tooOld;
        unchecked {
            for (uint256 i = 0; i < feeds; ++i) {
                (bytes32 feedId, bytes32 word, Meta meta) = verified.feedAt(i);
                if (attestedAtMs <= Slots.attestedAtMs(_slots[feedId])) continue;
                if (attestedAtMs + 1000 * meta.validForS() < 1000 * block.timestamp) {
                    tooOld = feedId;
                    continue;
                }
                uint256 slot = Slots.pack(feedId, word, meta, attestedAtMs);
                _slots[feedId] = slot;
                assembly ("memory-safe") {
                    mstore(end, feedId)
                    mstore(add(end, 32), slot)
                    end := add(end, 64)
                }
            }
        }
        if (end == data + 64) {
            if (tooOld != 0) revert ReportTooOld(tooOld, attestedAtMs);
            revert NothingNewer();
        }
        bytes32 topic = Updated.selector;
        assembly ("memory-safe") {
            mstore(data, 32)
            mstore(add(data, 32), shr(6, sub(sub(end, data), 64)))
            log2(data, sub(end, data), topic, attestedAtMs)
        }
    }
}
