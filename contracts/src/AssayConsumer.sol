// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ICommitteeRegistry} from "./interfaces/ICommitteeRegistry.sol";
import {KnownBundle} from "./lib/KnownBundle.sol";
import {Meta} from "./lib/Meta.sol";
import {Values} from "./lib/Values.sol";
import {Verification, Verified} from "./lib/Verification.sol";

/// @title For contracts that read a report brought along by their caller (pull).
/// @notice The report is either appended to the calldata (after the arguments, with its length and a marker: what
/// `toCalldata` of the client makes) or an argument of type bytes. Each reader checks that the committee signed the
/// report, that it holds the feed, that the value is OK, a number, within its validity and not older than the caller
/// of the reader allows. Readers named ...Newest also refuse a report older than the last one this contract used for the
/// feed, so that nobody can choose among reports that are all still valid. Readers named ...Once reuse what this
/// transaction has verified already.
/// @dev Storage layout: none but the ERC-7201 namespace "assay.consumer" (feedId → T of the last report used), so it can
/// be inherited in any place. Transient: one pair of slots a feed, keyed by keccak256(feedId, namespace).
abstract contract AssayConsumer {
    /// Another report for this feed has been used already, and it is newer.
    error OlderThanUsed(bytes32 feedId, uint256 attestedAtMs, uint256 usedAtMs);

    /// keccak256(abi.encode(uint256(keccak256("assay.consumer")) - 1)) & ~bytes32(uint256(0xff)), as ERC-7201 says.
    bytes32 private constant NAMESPACE =
        keccak256(abi.encode(uint256(keccak256("assay.consumer")) - 1)) & ~bytes32(uint256(0xff));

    /// The lineage's registry: what it calls a committee, this contract believes.
    ICommitteeRegistry public immutable REGISTRY;
    bytes32 private immutable VERIFIER_CODE_HASH;

    constructor(ICommitteeRegistry registry) {
        REGISTRY = registry;
        VERIFIER_CODE_HASH = registry.verifierCodeHash();
    }

    /// The value of `feedId` in the appended report, scaled by the feed's decimals, and its source time in ms.
    function _read(bytes32 feedId, uint256 maxAgeS) internal view returns (int256 value, uint256 observedAtMs) {
        return _read(0, feedId, maxAgeS);
    }

    /// The same where the feed has a bundle of its own whose id the reader knows: the report may then leave out both ids,
    /// which saves 900 gas. A report that holds the ids is read all the same, whatever bundle the feed is in.
    function _read(bytes32 bundleId, bytes32 feedId, uint256 maxAgeS)
        internal
        view
        returns (int256 value, uint256 observedAtMs)
    {
        (uint256 offset, uint256 length) = Verification.tail();
        (value, observedAtMs,) = _number(offset, length, bundleId, feedId, maxAgeS);
    }

    /// The same of a report given as an argument.
    function _read(bytes calldata report, bytes32 feedId, uint256 maxAgeS)
        internal
        view
        returns (int256 value, uint256 observedAtMs)
    {
        uint256 offset;
        assembly ("memory-safe") {
            offset := report.offset
        }
        (value, observedAtMs,) = _number(offset, report.length, 0, feedId, maxAgeS);
    }

    /// The values of all feeds of one bundle, in its order, and T of the report (for _use, where choosing matters). `ids`
    /// are the bundle's id, then its feeds' ids, as abi.encodePacked puts them; the appended report may leave them out.
    function _readBundle(bytes memory ids, uint256 maxAgeS)
        internal
        view
        returns (int256[] memory values, uint256 attestedAtMs)
    {
        (uint256 offset, uint256 length) = Verification.tail();
        // T is in one place in both forms, and the very same bytes are verified next.
        (attestedAtMs,,) = Verification.peek(offset);
        if (Verification.isShort(offset)) {
            values = KnownBundle.numbers(address(REGISTRY), VERIFIER_CODE_HASH, offset, length, ids, maxAgeS);
        } else {
            values = Values.numbers(
                Verification.verifyKnown(address(REGISTRY), VERIFIER_CODE_HASH, offset, length, ids), maxAgeS
            );
        }
    }

    /// Like _read, and never of an older report than the last one used for this feed.
    function _readNewest(bytes32 feedId, uint256 maxAgeS) internal returns (int256 value, uint256 observedAtMs) {
        return _readNewest(0, feedId, maxAgeS);
    }

    /// The same with the id of the feed's own bundle known.
    function _readNewest(bytes32 bundleId, bytes32 feedId, uint256 maxAgeS)
        internal
        returns (int256 value, uint256 observedAtMs)
    {
        (uint256 offset, uint256 length) = Verification.tail();
        uint256 attestedAtMs;
        (value, observedAtMs, attestedAtMs) = _number(offset, length, bundleId, feedId, maxAgeS);
        _use(feedId, attestedAtMs);
    }

    /// Like _read, but the first value that this transaction read stays the value until its end; no report is needed
    /// again, and one that is brought again is not looked at. Only where one party controls the whole transaction: in a
    /// bundle of many users' calls the first user's report would serve all.
    function _readOnce(bytes32 feedId, uint256 maxAgeS) internal returns (int256 value, uint256 observedAtMs) {
        bytes32 slot = keccak256(abi.encode(feedId, NAMESPACE));
        bytes32 word;
        Meta meta;
        assembly ("memory-safe") {
            word := tload(slot)
            meta := tload(add(slot, 1))
        }
        // A value that was read was OK, a number and valid, so its meta is not zero.
        if (Meta.unwrap(meta) == 0) {
            (uint256 offset, uint256 length) = Verification.tail();
            (word, meta,) = _one(offset, length, 0, feedId);
            value = Values.number(feedId, word, meta, maxAgeS);
            assembly ("memory-safe") {
                tstore(slot, word)
                tstore(add(slot, 1), meta)
            }
            return (value, meta.observedAtMs());
        }
        // Another caller may have allowed more age.
        return (Values.number(feedId, word, meta, maxAgeS), meta.observedAtMs());
    }

    /// The structured value of `feedId` in the appended report: `encoded`, checked against what the committee signed; its
    /// source time, and T of the report.
    function _readEncoded(bytes32 feedId, bytes calldata encoded, uint256 maxAgeS)
        internal
        view
        returns (uint256 observedAtMs, uint256 attestedAtMs)
    {
        (uint256 offset, uint256 length) = Verification.tail();
        bytes32 word;
        Meta meta;
        (word, meta, attestedAtMs) = _one(offset, length, 0, feedId);
        Values.structured(feedId, word, meta, encoded, maxAgeS);
        return (meta.observedAtMs(), attestedAtMs);
    }

    /// The appended report, verified.
    function _verified() internal view returns (Verified) {
        (uint256 offset, uint256 length) = Verification.tail();
        return Verification.verify(address(REGISTRY), VERIFIER_CODE_HASH, offset, length);
    }

    /// `report`, verified.
    function _verified(bytes calldata report) internal view returns (Verified) {
        uint256 offset;
        assembly ("memory-safe") {
            offset := report.offset
        }
        return Verification.verify(address(REGISTRY), VERIFIER_CODE_HASH, offset, report.length);
    }

    /// Remembers that a report of T was used for `feedId`; reverts when one was that is newer by more than the slack.
    function _use(bytes32 feedId, uint256 attestedAtMs) internal {
        mapping(bytes32 => uint256) storage used = _used();
        uint256 usedAtMs = used[feedId];
        if (attestedAtMs > usedAtMs) used[feedId] = attestedAtMs;
        else if (attestedAtMs + _slackMs() < usedAtMs) revert OlderThanUsed(feedId, attestedAtMs, usedAtMs);
    }

    /// How far behind the newest report that was used one may lie, ms: none unless overridden. Where many callers bring
    /// reports, the one whose transaction comes second may have the older one; a slack of some rounds lets both through, and
    /// is as much choice as it gives.
    function _slackMs() internal view virtual returns (uint256) {
        return 0;
    }

    function _number(uint256 offset, uint256 length, bytes32 bundleId, bytes32 feedId, uint256 maxAgeS)
        private
        view
        returns (int256 value, uint256 observedAtMs, uint256 attestedAtMs)
    {
        bytes32 word;
        Meta meta;
        (word, meta, attestedAtMs) = _one(offset, length, bundleId, feedId);
        return (Values.number(feedId, word, meta, maxAgeS), meta.observedAtMs(), attestedAtMs);
    }

    function _one(uint256 offset, uint256 length, bytes32 bundleId, bytes32 feedId)
        private
        view
        returns (bytes32, Meta, uint256)
    {
        return Verification.verifyOne(address(REGISTRY), VERIFIER_CODE_HASH, offset, length, bundleId, feedId);
    }

    function _used() private pure returns (mapping(bytes32 => uint256) storage used) {
        bytes32 slot = NAMESPACE;
        assembly ("memory-safe") {
            used.slot := slot
        }
    }
}
