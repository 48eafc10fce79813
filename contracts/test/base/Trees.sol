// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// Bundles, their leaves, trees of any shape with the multiproofs of the report format, and bytes to be damaged.

import {Feed} from "../../src/interfaces/IReportVerifier.sol";
import {TestBase} from "./TestBase.sol";

/// @dev One leaf of a report.
struct Bundle {
    bytes32 id;
    Feed[] feeds;
}

/// @dev Bytes being written: `data` has room for more than the `length` that counts.
struct Writer {
    bytes data;
    uint256 length;
    uint256 depthAt;
    uint256 mergesAt;
}

/// @title Base of tests that make trees
abstract contract Trees is TestBase {
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
}
