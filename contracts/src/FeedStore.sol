// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ICommitteeRegistry} from "./interfaces/ICommitteeRegistry.sol";
import {IFeedStore, Reading} from "./interfaces/IFeedStore.sol";
import {Meta} from "./lib/Meta.sol";
import {Slots} from "./lib/Slots.sol";
import {Values} from "./lib/Values.sol";
import {FEED_BYTES, feedOf, Verification, Verified} from "./lib/Verification.sol";

/// @title Keeps any feeds of one lineage, a slot each. Without owner: what is stored, signatures decide.
/// @dev Storage layout: the slot whose number is a feed's id holds that feed, packed as lib/Slots.sol says of a whole
/// slot; nothing else is stored, no history. Ids are hashes already, so no mapping has to hash them again, and
/// eth_getStorageAt or a storage proof finds a feed by its id.
contract FeedStore is IFeedStore {
    address public immutable registry;
    bytes32 private immutable VERIFIER_CODE_HASH;

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
        // Who lost a race should lose little: no signature is looked at. Feeds of a bundle come together, so the first
        // speaks for them all; where it just came newer in another bundle, the others wait for the next report.
        if (bundles == 1) {
            if (_load(firstFeedId) >= Slots.least(attestedAtMs)) revert NothingNewer();
        }
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
        return Slots.reading(_load(feedId));
    }

    function _fresh(bytes32 feedId, uint256 kind, uint256 maxAgeS)
        private
        view
        returns (int256 value, uint256 observedAtMs)
    {
        uint256 slot = _load(feedId);
        if (slot == 0) revert UnknownFeed(feedId);
        Meta meta;
        (value, meta) = Slots.unpack(slot);
        Values.requireFresh(feedId, meta, kind, maxAgeS);
        return (value, meta.observedAtMs());
    }

    /// Stores each feed for which the report is newer than what is there, and not too old to be used by anybody.
    function _store(Verified verified) private {
        uint256 attestedAtMs = verified.attestedAtMs();
        uint256 feed = verified.first();
        // What Updated says takes the place of feeds that have been looked at: 64 bytes for 96.
        uint256 updates = feed;
        uint256 end = updates;
        bytes32 tooOld;
        unchecked {
            uint256 nowMs = 1000 * block.timestamp;
            for (uint256 last = feed + FEED_BYTES * verified.count(); feed != last; feed += FEED_BYTES) {
                (bytes32 feedId, bytes32 word, Meta meta) = feedOf(feed);
                if (_load(feedId) >= Slots.least(attestedAtMs)) continue;
                if (attestedAtMs + 1000 * meta.validForS() < nowMs) {
                    tooOld = feedId;
                    continue;
                }
                uint256 slot = Slots.pack(feedId, word, meta, attestedAtMs);
                assembly ("memory-safe") {
                    sstore(feedId, slot)
                    mstore(end, feedId)
                    mstore(add(end, 32), slot)
                    end := add(end, 64)
                }
            }
        }
        if (end == updates) {
            if (tooOld != 0) revert ReportTooOld(tooOld, attestedAtMs);
            revert NothingNewer();
        }
        bytes32 topic = Updated.selector;
        assembly ("memory-safe") {
            mstore(sub(updates, 64), 32)
            mstore(sub(updates, 32), shr(6, sub(end, updates)))
            log1(sub(updates, 64), add(sub(end, updates), 64), topic)
        }
    }

    function _load(bytes32 feedId) private view returns (uint256 slot) {
        assembly ("memory-safe") {
            slot := sload(feedId)
        }
    }
}
