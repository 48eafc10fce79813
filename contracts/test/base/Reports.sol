// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// What tests make of committees and reports: everything is built and signed here from the format's text, by other code
// than the contracts under test use, and every part can be made wrong.

import {CommitteeRegistry} from "../../src/CommitteeRegistry.sol";
import {Feed} from "../../src/interfaces/IReportVerifier.sol";
import {TestBase} from "./TestBase.sol";

/// @dev A committee whose keys the test holds, and the registry that knows it.
struct Committee {
    CommitteeRegistry registry;
    bytes32 lineage;
    uint32 generation;
    uint8 f;
    uint256[] keys;
    address[] signers;
}

/// @dev One leaf of a report.
struct Bundle {
    bytes32 id;
    Feed[] feeds;
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

/// @dev Bytes being written: `data` has room for more than the `length` that counts.
struct Writer {
    bytes data;
    uint256 length;
    uint256 depthAt;
    uint256 mergesAt;
}

/// @title Base of tests that bring reports
abstract contract Reports is TestBase {
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
        c.registry = new CommitteeRegistry(c.lineage, actor("owner"), actor("guardian"), DELAY);
        vm.prank(actor("owner"));
        c.registry.start(c.generation, c.f, c.signers);
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

    // Trees

    function leafOf(Bundle memory bundle) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(abi.encodePacked(bundle.id, feedBytes(bundle)))));
    }

    function feedBytes(Bundle memory bundle) internal pure returns (bytes memory all) {
        for (uint256 i = 0; i < bundle.feeds.length; ++i) {
            all = bytes.concat(all, abi.encode(bundle.feeds[i]));
        }
    }

    function pairOf(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
    }

    /// @dev A leaf or sibling that no test reads.
    function filler(uint256 i) internal pure returns (bytes32) {
        return keccak256(abi.encode("filler", i));
    }

    /// @dev The bytes of one bundle at `depth`, below siblings that nobody needs to know, and the root they lead to.
    function single(Bundle memory bundle, uint256 depth) internal pure returns (bytes memory body, bytes32 root) {
        bytes32[] memory siblings = new bytes32[](depth);
        for (uint256 i = 0; i < depth; ++i) {
            siblings[i] = filler(i);
        }
        return single(bundle, siblings);
    }

    /// @dev The same with siblings of the test's choice.
    function single(Bundle memory bundle, bytes32[] memory siblings)
        internal
        pure
        returns (bytes memory body, bytes32 root)
    {
        root = leafOf(bundle);
        for (uint256 i = 0; i < siblings.length; ++i) {
            root = pairOf(root, siblings[i]);
        }
        body = abi.encodePacked(
            uint8(bundle.feeds.length), bundle.id, feedBytes(bundle), uint8(siblings.length), siblings, uint8(0)
        );
    }

    /// @dev Several bundles of one complete binary tree: node i has children 2i and 2i+1, leaf i is node leaves + i.
    /// They come in the order in which the tree is walked: that of their places where `leaves` is a power of two.
    function several(Bundle[] memory bundles, uint256 leaves, uint256 places)
        internal
        pure
        returns (bytes memory body, bytes32 root)
    {
        bytes32[] memory nodes = new bytes32[](2 * leaves);
        // Which bundle lies below a node, if only one does; otherwise only whether any does.
        uint256[] memory below = new uint256[](2 * leaves);
        uint256 bundle = 0;
        for (uint256 i = 0; i < leaves; ++i) {
            bool placed = (places >> i) & 1 == 1;
            nodes[leaves + i] = placed ? leafOf(bundles[bundle]) : filler(i);
            if (placed) below[leaves + i] = ++bundle;
        }
        for (uint256 i = leaves - 1; i > 0; --i) {
            nodes[i] = pairOf(nodes[2 * i], nodes[2 * i + 1]);
            below[i] = below[2 * i] | below[2 * i + 1];
        }
        Writer memory writer = Writer(new bytes(bundles.length * 1700 + leaves * 33 + 64), 0, 0, 0);
        _write(writer, bundles, nodes, below, 1);
        _endBundle(writer);
        body = cut(writer.data, writer.length);
        root = nodes[1];
    }

    function _write(
        Writer memory writer,
        Bundle[] memory bundles,
        bytes32[] memory nodes,
        uint256[] memory below,
        uint256 node
    ) private pure {
        if (2 * node >= nodes.length) {
            Bundle memory bundle = bundles[below[node] - 1];
            if (writer.length > 0) _endBundle(writer);
            _append(writer, abi.encodePacked(uint8(bundle.feeds.length), bundle.id, feedBytes(bundle)));
            writer.depthAt = writer.length;
            writer.mergesAt = 0;
            _append(writer, hex"00");
            return;
        }
        (uint256 left, uint256 right) = (2 * node, 2 * node + 1);
        if (below[left] != 0) _write(writer, bundles, nodes, below, left);
        if (below[right] != 0) _write(writer, bundles, nodes, below, right);
        if (below[left] != 0 && below[right] != 0) {
            if (writer.mergesAt == 0) {
                writer.mergesAt = writer.length;
                _append(writer, hex"00");
            }
            _count(writer, writer.mergesAt);
            writer.depthAt = writer.length;
            _append(writer, hex"00");
        } else {
            _count(writer, writer.depthAt);
            _append(writer, abi.encode(nodes[below[left] == 0 ? left : right]));
        }
    }

    function _endBundle(Writer memory writer) private pure {
        if (writer.mergesAt == 0) _append(writer, hex"00");
    }

    function _append(Writer memory writer, bytes memory more) private pure {
        for (uint256 i = 0; i < more.length; ++i) {
            writer.data[writer.length++] = more[i];
        }
    }

    function _count(Writer memory writer, uint256 place) private pure {
        writer.data[place] = bytes1(uint8(writer.data[place]) + 1);
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

    // Damage

    function cut(bytes memory data, uint256 length) internal pure returns (bytes memory) {
        return slice(data, 0, length);
    }

    function slice(bytes memory data, uint256 from, uint256 to) internal pure returns (bytes memory part) {
        part = new bytes(to - from);
        assembly ("memory-safe") {
            mcopy(add(part, 32), add(add(data, 32), from), sub(to, from))
        }
    }

    /// @dev A copy with one bit turned over; bit 0 is the highest of the first byte.
    function flip(bytes memory data, uint256 bit) internal pure returns (bytes memory copy) {
        copy = slice(data, 0, data.length);
        copy[bit / 8] = bytes1(uint8(copy[bit / 8]) ^ uint8(128 >> (bit % 8)));
    }

    /// @dev A copy with `piece` written over what stands at `at`.
    function overwrite(bytes memory data, uint256 at, bytes memory piece) internal pure returns (bytes memory copy) {
        copy = slice(data, 0, data.length);
        for (uint256 i = 0; i < piece.length; ++i) {
            copy[at + i] = piece[i];
        }
    }

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
