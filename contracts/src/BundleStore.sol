// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ICommitteeRegistry} from "./interfaces/ICommitteeRegistry.sol";
import {IFeedStore, Reading} from "./interfaces/IFeedStore.sol";
import {Meta} from "./lib/Meta.sol";
import {Slots} from "./lib/Slots.sol";
import {Values} from "./lib/Values.sol";
import {Verification, Verified} from "./lib/Verification.sol";

/// @title Keeps the numbers of one bundle of at most 16 feeds, two to a slot: cheaper to push, of 72 bits each.
/// @notice The feeds are fixed when the store is made, so a pushed report may leave out their ids. All of them come
/// from one report: what is read of two feeds in one block was attested together.
/// @dev Storage layout: slot i (0 to 7) = feeds 2i and 2i+1, as lib/Slots.sol packs two halves; all have the same T.
/// The ids are code.
contract BundleStore is IFeedStore {
    /// A bundle has 1 to 16 feeds, none of them twice, none of them zero.
    error InvalidBundle();

    uint256 private constant FEEDS_MAX = 16;

    address public immutable registry;
    /// The bundle's id.
    bytes32 public immutable bundleId;
    bytes32 private immutable VERIFIER_CODE_HASH;
    uint256 private immutable FEEDS;

    // Zero from FEEDS on.
    bytes32 private immutable ID0;
    bytes32 private immutable ID1;
    bytes32 private immutable ID2;
    bytes32 private immutable ID3;
    bytes32 private immutable ID4;
    bytes32 private immutable ID5;
    bytes32 private immutable ID6;
    bytes32 private immutable ID7;
    bytes32 private immutable ID8;
    bytes32 private immutable ID9;
    bytes32 private immutable ID10;
    bytes32 private immutable ID11;
    bytes32 private immutable ID12;
    bytes32 private immutable ID13;
    bytes32 private immutable ID14;
    bytes32 private immutable ID15;

    uint256[8] private _pairs;

    /// @param registry_ the lineage that this store believes
    /// @param bundleId_ the bundle's id
    /// @param feedIds the bundle's feeds, in the bundle's order
    constructor(ICommitteeRegistry registry_, bytes32 bundleId_, bytes32[] memory feedIds) {
        uint256 feeds = feedIds.length;
        if (feeds == 0 || feeds > FEEDS_MAX) revert InvalidBundle();
        bytes32[16] memory ids;
        for (uint256 i = 0; i < feeds; ++i) {
            if (feedIds[i] == 0) revert InvalidBundle();
            for (uint256 j = 0; j < i; ++j) {
                if (feedIds[i] == feedIds[j]) revert InvalidBundle();
            }
            ids[i] = feedIds[i];
        }
        registry = address(registry_);
        bundleId = bundleId_;
        VERIFIER_CODE_HASH = registry_.verifierCodeHash();
        FEEDS = feeds;
        ID0 = ids[0];
        ID1 = ids[1];
        ID2 = ids[2];
        ID3 = ids[3];
        ID4 = ids[4];
        ID5 = ids[5];
        ID6 = ids[6];
        ID7 = ids[7];
        ID8 = ids[8];
        ID9 = ids[9];
        ID10 = ids[10];
        ID11 = ids[11];
        ID12 = ids[12];
        ID13 = ids[13];
        ID14 = ids[14];
        ID15 = ids[15];
    }

    /// Whatever has no known selector, calldata of fewer than four bytes included.
    fallback() external {
        revert UnknownFunction();
    }

    /// @inheritdoc IFeedStore
    function push() external {
        (uint256 offset, uint256 length) = Verification.tail();
        // T of a report that turns out valid is what peek saw: the same bytes, where both forms of a report have it.
        (uint256 attestedAtMs,,) = Verification.peek(offset);
        if (_pairs[0] >= Slots.least(attestedAtMs)) revert NothingNewer();
        _store(Verification.verifyKnown(registry, VERIFIER_CODE_HASH, offset, length, _ids()), attestedAtMs);
    }

    /// @inheritdoc IFeedStore
    function read(bytes32 feedId, uint256 maxAgeS) external view returns (int256 value, uint256 observedAtMs) {
        return _fresh(feedId, Values.NUMBER, maxAgeS);
    }

    /// Always reverts: no feed of a bundle here is structured.
    /// @inheritdoc IFeedStore
    function readEncoded(bytes32 feedId, bytes calldata, uint256 maxAgeS) external view returns (uint256 observedAtMs) {
        (, observedAtMs) = _fresh(feedId, Values.STRUCTURED, maxAgeS);
    }

    /// @inheritdoc IFeedStore
    function tryRead(bytes32 feedId) external view returns (Reading memory) {
        (uint256 slot, uint256 i) = _load(feedId);
        return Slots.readingHalf(slot, i);
    }

    function _fresh(bytes32 feedId, uint256 kind, uint256 maxAgeS)
        private
        view
        returns (int256 value, uint256 observedAtMs)
    {
        (uint256 slot, uint256 i) = _load(feedId);
        if (slot == 0) revert UnknownFeed(feedId);
        Meta meta;
        (value, meta) = Slots.unpackHalf(slot, i);
        Values.requireFresh(feedId, meta, kind, maxAgeS);
        return (value, meta.observedAtMs());
    }

    /// The slot that has the feed, 0 when there is none, and which half of it is the feed's.
    function _load(bytes32 feedId) private view returns (uint256 slot, uint256 half) {
        uint256 i = _indexOf(feedId);
        if (i < FEEDS) {
            assembly ("memory-safe") {
                slot := sload(shr(1, i))
            }
        }
        return (slot, i & 1);
    }

    /// Stores all feeds, unless the report is too old for every one of them.
    function _store(Verified verified, uint256 attestedAtMs) private {
        unchecked {
            uint256 feeds = FEEDS;
            uint256[] memory slots = new uint256[]((feeds + 1) / 2);
            uint256 validForS;
            for (uint256 i = 0; i < feeds; ++i) {
                (bytes32 feedId, bytes32 word, Meta meta) = verified.feedAt(i);
                if (meta.validForS() > validForS) validForS = meta.validForS();
                slots[i / 2] |= Slots.packHalf(feedId, word, meta, attestedAtMs, i & 1);
            }
            if (attestedAtMs + 1000 * validForS < 1000 * block.timestamp) revert ReportTooOld(ID0, attestedAtMs);
            for (uint256 i = 0; i < slots.length; ++i) {
                _pairs[i] = slots[i];
            }
            emit BundleUpdated(slots);
        }
    }

    /// The feed's place in the bundle; FEEDS or more when it has none (zero finds the first id that is not set).
    function _indexOf(bytes32 feedId) private view returns (uint256) {
        if (feedId == ID0) return 0;
        if (feedId == ID1) return 1;
        if (feedId == ID2) return 2;
        if (feedId == ID3) return 3;
        if (feedId == ID4) return 4;
        if (feedId == ID5) return 5;
        if (feedId == ID6) return 6;
        if (feedId == ID7) return 7;
        if (feedId == ID8) return 8;
        if (feedId == ID9) return 9;
        if (feedId == ID10) return 10;
        if (feedId == ID11) return 11;
        if (feedId == ID12) return 12;
        if (feedId == ID13) return 13;
        if (feedId == ID14) return 14;
        if (feedId == ID15) return 15;
        return FEEDS_MAX;
    }

    /// The bundle's id and its feeds' ids, end to end.
    function _ids() private view returns (bytes memory ids) {
        ids = new bytes(32 * (FEEDS_MAX + 1));
        _write(ids, 0, bundleId);
        _write(ids, 1, ID0);
        _write(ids, 2, ID1);
        _write(ids, 3, ID2);
        _write(ids, 4, ID3);
        _write(ids, 5, ID4);
        _write(ids, 6, ID5);
        _write(ids, 7, ID6);
        _write(ids, 8, ID7);
        _write(ids, 9, ID8);
        _write(ids, 10, ID9);
        _write(ids, 11, ID10);
        _write(ids, 12, ID11);
        _write(ids, 13, ID12);
        _write(ids, 14, ID13);
        _write(ids, 15, ID14);
        _write(ids, 16, ID15);
        uint256 length = 32 * (FEEDS + 1);
        assembly ("memory-safe") {
            mstore(ids, length)
        }
    }

    function _write(bytes memory ids, uint256 i, bytes32 id) private pure {
        assembly ("memory-safe") {
            mstore(add(ids, shl(5, add(i, 1))), id)
        }
    }
}
