// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// What tests make of committees and reports: everything is built and signed here from the format's text, by other code
// than the contracts under test use, and every part can be made wrong.

import {CommitteeRegistry} from "../../src/CommitteeRegistry.sol";
import {Feed, IReportVerifier} from "../../src/interfaces/IReportVerifier.sol";
import {Bundle, Trees} from "./Trees.sol";

/// @dev A committee whose keys the test holds, and the registry that knows it.
struct Committee {
    CommitteeRegistry registry;
    bytes32 lineage;
    uint32 generation;
    uint8 f;
    uint256[] keys;
    address[] signers;
}

/// @dev What a report says beside its bundles. `bitmap` says who signs.
struct Head {
    uint8 kind;
    uint32 generation;
    uint32 epoch;
    uint32 round;
    uint48 attestedAtMs;
    uint32 bitmap;
}

/// @title Base of tests that bring reports
abstract contract Reports is Trees {
    uint8 internal constant SEALS = 1;
    uint8 internal constant ATTESTATIONS = 2;
    /// @dev Where tests begin, s since 1970.
    uint256 internal constant START = 1_767_225_600;
    uint256 internal constant DELAY = 2 days;

    // Committees

    /// @dev A committee of `n` members, f = ⌊(n−1)/3⌋, generation 1 of a lineage of its own, known since START at least.
    function makeCommittee(string memory name, uint256 n) internal returns (Committee memory c) {
        c = makeMembers(name, n);
        if (vm.getBlockTimestamp() < START) vm.warp(START);
        c.registry = makeRegistry(c.lineage, actor("owner"));
        vm.prank(actor("owner"));
        c.registry.start(c.generation, c.f, c.signers);
    }

    /// @dev A registry by its artifact: `new` would compile registry and verifier into every test contract.
    function makeRegistry(bytes32 lineage, address owner) internal returns (CommitteeRegistry) {
        bytes memory arguments = abi.encode(lineage, owner, actor("guardian"), DELAY);
        return CommitteeRegistry(vm.deployCode("CommitteeRegistry.sol:CommitteeRegistry", arguments));
    }

    /// @dev Members and lineage without a registry.
    function makeMembers(string memory name, uint256 n) internal pure returns (Committee memory c) {
        c.lineage = keccak256(bytes(name));
        c.generation = 1;
        c.f = uint8((n - 1) / 3);
        c.keys = new uint256[](n);
        c.signers = new address[](n);
        for (uint256 i = 0; i < n; ++i) {
            c.keys[i] = keyOf(string.concat(name, "/", vm.toString(i)));
            c.signers[i] = vm.addr(c.keys[i]);
        }
    }

    /// @dev The verifier of the committee's generation.
    function verifierOf(Committee memory c) internal view returns (address) {
        return c.registry.verifierOf(c.generation);
    }

    /// @dev f+1 for seals, q for attestations.
    function thresholdOf(Committee memory c, uint8 kind) internal pure returns (uint256) {
        return kind == SEALS ? uint256(c.f) + 1 : (c.signers.length + c.f) / 2 + 1;
    }

    // Values

    /// @dev The id of a feed that has nothing but a name.
    function feedIdOf(string memory name) internal pure returns (bytes32) {
        return keccak256(bytes(name));
    }

    /// @dev A number that is OK, observed at T of `reportOf` by three groups and valid for a minute.
    function numberFeed(string memory name, int256 value) internal view returns (Feed memory) {
        return Feed(feedIdOf(name), bytes32(uint256(value)), okMeta(nowMs()));
    }

    /// @dev Status OK, kind 0, 3 groups, 250 ppm, valid for a minute.
    function okMeta(uint256 observedAtMs) internal pure returns (uint256) {
        return packMeta(observedAtMs, 60, 0, 3, 0, 250);
    }

    /// @dev What a leaf's meta packs.
    function packMeta(
        uint256 observedAtMs,
        uint256 validForS,
        uint256 status,
        uint256 groups,
        uint256 kind,
        uint256 spreadPpm
    ) internal pure returns (uint256) {
        return observedAtMs + validForS * 2 ** 64 + status * 2 ** 96 + groups * 2 ** 104 + kind * 2 ** 112 + spreadPpm
            * 2 ** 120;
    }

    /// @dev A bundle of `n` numbers named feed-0, feed-1 …, worth 1000, 1001 …
    function numbers(uint256 n) internal view returns (Bundle memory bundle) {
        return numbers("bundle", "feed-", n);
    }

    /// @dev A bundle of `n` numbers, each named by `prefix` and its place.
    function numbers(string memory id, string memory prefix, uint256 n) internal view returns (Bundle memory bundle) {
        bundle.id = keccak256(bytes(id));
        bundle.feeds = new Feed[](n);
        for (uint256 i = 0; i < n; ++i) {
            bundle.feeds[i] = numberFeed(string.concat(prefix, vm.toString(i)), int256(1000 + i));
        }
    }

    /// @dev A bundle of one feed.
    function only(Feed memory feed) internal pure returns (Bundle memory bundle) {
        bundle.id = keccak256("only");
        bundle.feeds = new Feed[](1);
        bundle.feeds[0] = feed;
    }

    /// @dev Block time in ms. Through a cheat code: the optimiser takes block.timestamp for constant in a transaction.
    function nowMs() internal view returns (uint256) {
        return vm.getBlockTimestamp() * 1000;
    }

    // Reports

    /// @dev The usual report: the lowest f+1 members seal one bundle at `depth`, T is now.
    function reportOf(Committee memory c, Bundle memory bundle, uint256 depth) internal view returns (bytes memory) {
        return reportOf(c, headOf(c, SEALS), bundle, depth);
    }

    /// @dev A report of one bundle at `depth` that says and is signed as `head` says.
    function reportOf(Committee memory c, Head memory head, Bundle memory bundle, uint256 depth)
        internal
        pure
        returns (bytes memory)
    {
        (bytes memory body, bytes32 root) = single(bundle, depth);
        return assemble(c, head, 1, body, root);
    }

    /// @dev A report of several bundles: bundle k stands at the k-th bit of `places` in a tree of `leaves` leaves.
    function reportOf(Committee memory c, Head memory head, Bundle[] memory bundles, uint256 leaves, uint256 places)
        internal
        pure
        returns (bytes memory)
    {
        (bytes memory body, bytes32 root) = several(bundles, leaves, places);
        return assemble(c, head, bundles.length, body, root);
    }

    /// @dev Epoch 12, round 345, T now, signed by the lowest members that suffice.
    function headOf(Committee memory c, uint8 kind) internal view returns (Head memory) {
        return Head(kind, c.generation, 12, 345, uint48(nowMs()), uint32(2 ** thresholdOf(c, kind) - 1));
    }

    /// @dev Head, bundles, and the signatures of the members whose bits are set, over what head and root say.
    function assemble(Committee memory c, Head memory head, uint256 bundles, bytes memory body, bytes32 root)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(headBytes(head, bundles), body, signaturesOf(c, digestOf(c, head, root), head.bitmap));
    }

    /// @dev The 24 bytes that a report begins with.
    function headBytes(Head memory head, uint256 bundles) internal pure returns (bytes memory) {
        return abi.encodePacked(
            head.kind, head.generation, head.epoch, head.round, head.attestedAtMs, head.bitmap, uint8(bundles)
        );
    }

    /// @dev The signatures, 64 bytes each, of all members of the bitmap that exist, lowest first.
    function signaturesOf(Committee memory c, bytes32 digest, uint256 bitmap) internal pure returns (bytes memory all) {
        for (uint256 i = 0; i < c.keys.length; ++i) {
            if ((bitmap >> i) & 1 == 1) all = bytes.concat(all, signCompact(c.keys[i], digest));
        }
    }

    // Digests, by the plain text of EIP-712

    function saltOf(Committee memory c) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256("assay/committee/v1"), c.lineage, c.generation, c.f, c.signers));
    }

    function domainOf(Committee memory c) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,bytes32 salt)"),
                keccak256("Assay"),
                keccak256("1"),
                saltOf(c)
            )
        );
    }

    /// @dev The digest of any EIP-712 struct under the committee's domain.
    function typedDigest(Committee memory c, bytes32 structHash) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domainOf(c), structHash));
    }

    function reportDigest(Committee memory c, Head memory head, bytes32 root) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256("Report(uint32 epoch,uint32 round,uint64 attestedAtMs,bytes32 root)");
        return typedDigest(c, keccak256(abi.encode(typeHash, head.epoch, head.round, head.attestedAtMs, root)));
    }

    /// @dev What members sign: the report itself, or for seals the seal of it.
    function digestOf(Committee memory c, Head memory head, bytes32 root) internal pure returns (bytes32) {
        bytes32 digest = reportDigest(c, head, root);
        if (head.kind != SEALS) return digest;
        return typedDigest(c, keccak256(abi.encode(keccak256("Sealed(bytes32 reportDigest)"), digest)));
    }

    // Other forms of a report

    /// @dev What a reader knows of a bundle: its id and its feeds' ids, end to end.
    function idsOf(Bundle memory bundle) internal pure returns (bytes memory ids) {
        ids = abi.encodePacked(bundle.id);
        for (uint256 i = 0; i < bundle.feeds.length; ++i) {
            ids = bytes.concat(ids, bundle.feeds[i].feedId);
        }
    }

    /// @dev A report of one bundle without the ids of bundle and feeds, for readers that know them: of each feed the
    /// lowest 104 bits of its word and the lowest 152 of its meta. Whether they fit is the test's affair.
    function short(bytes memory report) internal pure returns (bytes memory result) {
        uint256 feeds = uint8(report[24]);
        result = bytes.concat(bytes1(uint8(report[0]) | 0x80), slice(report, 1, 25));
        for (uint256 i = 0; i < feeds; ++i) {
            uint256 at = 57 + 96 * i;
            result = bytes.concat(result, slice(report, at + 51, at + 64), slice(report, at + 77, at + 96));
        }
        return bytes.concat(result, slice(report, 57 + 96 * feeds, report.length));
    }

    /// @dev The call with the report appended, as contracts find it: … report, length, marker.
    function withReport(bytes memory call, bytes memory report) internal pure returns (bytes memory) {
        return abi.encodePacked(call, report, uint16(report.length), uint16(0xA55A));
    }

    /// @dev Calls `target` and hands its answer on, a revert included.
    function send(address target, bytes memory data) internal returns (bytes memory answer) {
        bool done;
        (done, answer) = target.call(data);
        if (!done) {
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
    }

    // Asking

    /// @dev What the verifier of the committee's generation says to a report.
    function ask(Committee memory c, bytes memory report) internal view returns (bool accepted, bytes memory answer) {
        return verifierOf(c).staticcall(bytes.concat(IReportVerifier.verifyPacked.selector, report));
    }

    /// @dev The verifier accepts the report and answers T and all feeds of `bundles`.
    function assertAccepted(Committee memory c, bytes memory report) internal view returns (Feed[] memory feeds) {
        (bool accepted, bytes memory answer) = ask(c, report);
        assertTrue(accepted, string.concat("refused: ", vm.toString(answer)));
        (, feeds) = abi.decode(answer, (uint256, Feed[]));
    }

    /// @dev The verifier refuses the report with exactly this error.
    function assertRefused(Committee memory c, bytes memory report, bytes memory error) internal view {
        (bool accepted, bytes memory answer) = ask(c, report);
        assertFalse(accepted, "accepted");
        assertEq(answer, error);
    }

    // Damage

    /// @dev A copy whose i-th signature of `count` is another.
    function withSignature(bytes memory report, uint256 i, uint256 count, bytes memory signature)
        internal
        pure
        returns (bytes memory)
    {
        return overwrite(report, report.length - 64 * (count - i), signature);
    }

    /// @dev The other form of a signature: n − s with the other parity; its s needs no 256th bit only when it is low.
    function highForm(bytes memory signature) internal pure returns (bytes32 r, uint256 s, uint256 parity) {
        (bytes32 first, uint256 vs) = abi.decode(signature, (bytes32, uint256));
        return (first, ORDER - (vs & (2 ** 255 - 1)), 1 - (vs >> 255));
    }
}
