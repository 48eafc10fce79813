// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// Damaged, random and hostile calldata of any length: refused with an error of the interface, never accepted, never a panic.

import {Feed, IReportVerifier} from "../src/interfaces/IReportVerifier.sol";
import {Committee, Head, Reports} from "./base/Reports.sol";
import {Bundle} from "./base/Trees.sol";

/// @title The verifier before bytes that nobody signed
contract ReportVerifierFuzzTest is Reports {
    Committee private _c;
    bytes[4] private _reports;

    function setUp() external {
        _c = makeCommittee("fuzz", 4);
        _reports[0] = reportOf(_c, numbers(1), 2);
        _reports[1] = reportOf(_c, headOf(_c, ATTESTATIONS), numbers(2), 0);
        Bundle[] memory bundles = new Bundle[](3);
        for (uint256 i = 0; i < 3; ++i) {
            bundles[i] = numbers(vm.toString(i), "f", 1);
        }
        _reports[2] = reportOf(_c, headOf(_c, SEALS), bundles, 8, 1 + 2 ** 3 + 2 ** 6);
        Head memory all = headOf(_c, ATTESTATIONS);
        all.bitmap = 15;
        _reports[3] = reportOf(_c, all, numbers(3), 5);
        for (uint256 i = 0; i < 4; ++i) {
            assertAccepted(_c, _reports[i]);
        }
    }

    function test_EveryBitOfAReportIsSigned() external view {
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory report = _reports[i];
            for (uint256 bit = 0; bit < 8 * report.length; ++bit) {
                // Turned over and back: a copy a bit would fill memory.
                _turn(report, bit);
                _assertRefusedByName(report);
                _turn(report, bit);
            }
            assertAccepted(_c, report);
        }
    }

    function test_EveryLengthButTheRightOneIsRefused() external view {
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory report = _reports[i];
            for (uint256 length = 0; length < report.length; ++length) {
                _assertRefusedByName(cut(report, length));
            }
            for (uint256 more = 1; more < 130; ++more) {
                _assertRefusedByName(bytes.concat(report, new bytes(more)));
            }
        }
    }

    /// forge-config: ci.fuzz.runs = 30000
    function testFuzz_AnyCalldataIsRefused(bytes calldata data) external view {
        // The other functions take no report; the compiler checks their arguments, and names no error where they are cut off.
        bytes4 selector = bytes4(data);
        vm.assume(selector != IReportVerifier.setWindow.selector && selector != IReportVerifier.window.selector);
        vm.assume(selector != IReportVerifier.committee.selector && selector != IReportVerifier.salt.selector);
        vm.assume(selector != IReportVerifier.registry.selector);
        (bool accepted, bytes memory answer) = verifierOf(_c).staticcall(data);
        assertFalse(accepted);
        _assertNamed(answer);
    }

    /// forge-config: ci.fuzz.runs = 30000
    function testFuzz_AnyBytesBehindAHeadAreRefused(bytes calldata tail, uint8 bundles, uint32 bitmap, bool attested)
        external
        view
    {
        Head memory head = headOf(_c, attested ? ATTESTATIONS : SEALS);
        head.bitmap = bitmap;
        _assertRefusedByName(bytes.concat(headBytes(head, bundles), tail));
    }

    /// forge-config: ci.fuzz.runs = 10000
    function testFuzz_ReportsOfLyingCountsAreRefused(uint8[6] calldata counts, uint32 bitmap, bytes32 seed)
        external
        view
    {
        // Feeds, depths and merges that are announced and partly there: every path through the tree's reader.
        Head memory head = headOf(_c, SEALS);
        head.bitmap = bitmap % 32;
        bytes memory body;
        for (uint256 i = 0; i < 3; ++i) {
            body = abi.encodePacked(body, counts[i] % 18, _noise(seed, 32 + 96 * uint256(counts[i] % 18)));
            body = abi.encodePacked(body, counts[5 - i] % 9, _noise(seed, 32 * uint256(counts[5 - i] % 9)));
            body =
                abi.encodePacked(body, counts[i] % 4, counts[5 - i] % 3, _noise(seed, 32 * uint256(counts[5 - i] % 3)));
        }
        _assertRefusedByName(bytes.concat(headBytes(head, counts[0] % 5), body, _noise(seed, 128)));
    }

    /// forge-config: ci.fuzz.runs = 20000
    function testFuzz_OverwrittenReportsAreRefused(uint256 which, uint256 place, bytes calldata piece) external view {
        bytes memory report = _reports[which % 4];
        if (piece.length == 0) return;
        uint256 length = piece.length < report.length ? piece.length : report.length;
        bytes memory bent = overwrite(report, place % (report.length - length + 1), piece[:length]);
        if (keccak256(bent) == keccak256(report)) assertAccepted(_c, bent);
        else _assertRefusedByName(bent);
    }

    /// forge-config: ci.fuzz.runs = 20000
    function testFuzz_CutExtendedAndSplicedReportsAreRefused(
        uint256 which,
        uint256 from,
        uint256 to,
        bytes calldata piece
    ) external view {
        // Bytes [from, to) are replaced by others of another length: nothing fits any more, or nothing has changed.
        bytes memory report = _reports[which % 4];
        from = bound(from, 0, report.length);
        to = bound(to, from, report.length);
        bytes memory bent = bytes.concat(cut(report, from), piece, slice(report, to, report.length));
        if (keccak256(bent) == keccak256(report)) assertAccepted(_c, bent);
        else _assertRefusedByName(bent);
    }

    /// forge-config: ci.fuzz.runs = 10000
    function testFuzz_HalvesOfTwoReportsAreRefused(uint256 a, uint256 b, uint256 at) external view {
        (bytes memory one, bytes memory other) = (_reports[a % 4], _reports[b % 4]);
        at = bound(at, 0, one.length < other.length ? one.length : other.length);
        bytes memory bent = bytes.concat(cut(one, at), slice(other, at, other.length));
        if (keccak256(bent) == keccak256(other) || keccak256(bent) == keccak256(one)) assertAccepted(_c, bent);
        else _assertRefusedByName(bent);
    }

    /// forge-config: ci.fuzz.runs = 3000
    function testFuzz_TreesOfAnyShapeLeadToTheirRoot(uint256 leaves, uint256 places, uint256 sizes) external view {
        leaves = bound(leaves, 1, 24);
        places = places % (2 ** leaves - 1) + 1;
        uint256 count = 0;
        for (uint256 i = 0; i < leaves; ++i) {
            count += (places >> i) & 1;
        }
        if (count > 6) {
            places = 1 + 2 ** (leaves - 1);
            count = 2;
        }
        Bundle[] memory bundles = new Bundle[](count);
        uint256 feeds = 0;
        for (uint256 i = 0; i < count; ++i) {
            uint256 size = ((sizes >> (2 * i)) & 3) + 1;
            bundles[i] = numbers(vm.toString(i), string.concat("feed-", vm.toString(i), "-"), size);
            feeds += size;
        }
        Feed[] memory answer = assertAccepted(_c, reportOf(_c, headOf(_c, SEALS), bundles, leaves, places));
        assertEq(answer.length, feeds);
        // Each feed that was signed came back once: ids differ, so a sum of what they hash to tells.
        uint256 sum;
        for (uint256 i = 0; i < count; ++i) {
            for (uint256 j = 0; j < bundles[i].feeds.length; ++j) {
                unchecked {
                    sum += uint256(keccak256(abi.encode(bundles[i].feeds[j])));
                }
            }
        }
        for (uint256 i = 0; i < answer.length; ++i) {
            unchecked {
                sum -= uint256(keccak256(abi.encode(answer[i])));
            }
        }
        assertEq(sum, 0);
    }

    /// forge-config: ci.fuzz.runs = 3000
    function testFuzz_LeavesOfOtherTreesAreRefused(uint256 places, uint256 wrong, uint256 kind) external view {
        // A tree of 16 leaves of which two or three are shown; one of them, or a sibling, is another than was signed.
        uint256 a = places % 16;
        uint256 b = (a + 1 + (places >> 8) % 15) % 16;
        Bundle[] memory bundles = new Bundle[](2);
        bundles[0] = numbers("a", "a", 1);
        bundles[1] = numbers("b", "b", 2);
        (bytes memory body, bytes32 root) = several(bundles, 16, 2 ** a + 2 ** b);
        Head memory head = headOf(_c, SEALS);
        assertAccepted(_c, assemble(_c, head, 2, body, root));
        bytes memory bent = overwrite(
            body, wrong % body.length, abi.encodePacked(uint8(body[wrong % body.length]) ^ uint8(1 + kind % 255))
        );
        _assertRefusedByName(assemble(_c, head, 2, bent, root));
    }

    function _turn(bytes memory data, uint256 bit) private pure {
        data[bit / 8] = bytes1(uint8(data[bit / 8]) ^ uint8(128 >> (bit % 8)));
    }

    function _noise(bytes32 seed, uint256 length) private pure returns (bytes memory noise) {
        noise = new bytes(length);
        for (uint256 at = 32; at <= length; at += 32) {
            bytes32 word = keccak256(abi.encode(seed, at, length));
            assembly ("memory-safe") {
                mstore(add(noise, at), word)
            }
        }
    }

    function _assertRefusedByName(bytes memory report) private view {
        bytes memory data = bytes.concat(IReportVerifier.verifyPacked.selector, report);
        address verifier = verifierOf(_c);
        bool accepted;
        uint256 length;
        bytes32 word;
        // By hand, so that thousands of calls in one test leave no answers behind in memory.
        assembly ("memory-safe") {
            let free := mload(0x40)
            accepted := staticcall(gas(), verifier, add(data, 32), mload(data), free, 32)
            length := returndatasize()
            word := mload(free)
            mstore(0x40, data)
        }
        if (accepted) assertFalse(accepted, "accepted");
        if (lengthOf(bytes4(word)) != length) assertEq(length, lengthOf(bytes4(word)), "no error of the interface");
    }

    function _assertNamed(bytes memory answer) private pure {
        assertEq(answer.length, lengthOf(bytes4(answer)), "no error of the interface");
    }

    /// @dev How long the data of an error of the interface is; 1 for whatever is none of its errors.
    function lengthOf(bytes4 selector) private pure returns (uint256) {
        if (selector == IReportVerifier.MalformedReport.selector) return 4;
        if (selector == IReportVerifier.UnknownFunction.selector) return 4;
        if (selector == IReportVerifier.ForeignSigner.selector) return 4;
        if (selector == IReportVerifier.UnknownKind.selector) return 36;
        if (selector == IReportVerifier.WrongGeneration.selector) return 36;
        if (selector == IReportVerifier.FutureReport.selector) return 36;
        if (selector == IReportVerifier.BadSignature.selector) return 36;
        if (selector == IReportVerifier.MalleableSignature.selector) return 36;
        if (selector == IReportVerifier.OutsideWindow.selector) return 68;
        if (selector == IReportVerifier.TooFewSignatures.selector) return 68;
        return 1;
    }
}
