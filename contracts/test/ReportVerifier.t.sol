// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// What a verifier accepts, and each reason for which it refuses, at its exact edge.

import {ReportVerifier} from "../src/ReportVerifier.sol";
import {Feed, IReportVerifier} from "../src/interfaces/IReportVerifier.sol";
import {Committee, Head, Reports} from "./base/Reports.sol";
import {Bundle} from "./base/Trees.sol";

/// @title One generation's verifier
contract ReportVerifierTest is Reports {
    Committee private _c;

    function setUp() external {
        _c = makeCommittee("verifier", 4);
        vm.warp(START + 1000);
    }

    // Accepted

    function test_AcceptsBothKindsAtAnyDepthAndAnswersWhatWasSigned() external view {
        for (uint256 depth = 0; depth <= 16; ++depth) {
            for (uint8 kind = SEALS; kind <= ATTESTATIONS; ++kind) {
                Bundle memory bundle = numbers(1 + depth);
                if (depth == 16) bundle = numbers(16);
                bytes memory report = reportOf(_c, headOf(_c, kind), bundle, depth);
                (bool accepted, bytes memory answer) = ask(_c, report);
                assertTrue(accepted);
                assertEq(answer, abi.encode(nowMs(), bundle.feeds));
            }
        }
    }

    function test_AcceptsSeveralBundlesOfOneTree() external view {
        Bundle[] memory bundles = new Bundle[](3);
        bundles[0] = numbers("a", "a-", 2);
        bundles[1] = numbers("b", "b-", 16);
        bundles[2] = numbers("c", "c-", 1);
        Feed[] memory feeds = assertAccepted(_c, reportOf(_c, headOf(_c, SEALS), bundles, 16, 1 + 2 ** 5 + 2 ** 15));
        assertEq(feeds.length, 19);
        for (uint256 i = 0; i < 19; ++i) {
            Bundle memory bundle = bundles[i < 2 ? 0 : i < 18 ? 1 : 2];
            Feed memory feed = bundle.feeds[i < 2 ? i : i < 18 ? i - 2 : 0];
            assertEq(abi.encode(feeds[i]), abi.encode(feed));
        }
    }

    function test_KnowsEachMemberOfCommitteesOfAnySize() external {
        uint256[6] memory sizes = [uint256(4), 7, 8, 9, 16, 31];
        for (uint256 i = 0; i < sizes.length; ++i) {
            Committee memory c = makeCommittee(vm.toString(sizes[i]), sizes[i]);
            (bytes32 lineage, uint32 generation, uint8 f, address[] memory signers) =
                IReportVerifier(verifierOf(c)).committee();
            assertEq(abi.encode(lineage, generation, f, signers), abi.encode(c.lineage, c.generation, c.f, c.signers));
            assertEq(IReportVerifier(verifierOf(c)).salt(), saltOf(c));
            assertEq(IReportVerifier(verifierOf(c)).registry(), address(c.registry));
            Head memory head = headOf(c, SEALS);
            head.bitmap = uint32(2 ** c.signers.length - 1);
            assertAccepted(c, reportOf(c, head, numbers(1), 1));
            // Each member alone is one too few, so it was counted and believed.
            for (uint256 member = 0; member < c.signers.length; ++member) {
                head.bitmap = uint32(2 ** member);
                assertRefused(c, reportOf(c, head, numbers(1), 1), tooFew(1, uint256(c.f) + 1));
            }
        }
    }

    // Thresholds

    function test_I38_I61_RefusesFewerThanFPlusOneSeals() external view {
        Head memory head = headOf(_c, SEALS);
        head.bitmap = 0;
        assertRefused(_c, reportOf(_c, head, numbers(1), 0), tooFew(0, 2));
        for (uint256 thief = 0; thief < 4; ++thief) {
            head.bitmap = uint32(2 ** thief);
            assertRefused(_c, reportOf(_c, head, numbers(1), 0), tooFew(1, 2));
        }
        head.bitmap = 0x9;
        assertAccepted(_c, reportOf(_c, head, numbers(1), 0));
    }

    function test_I56_FOfTheMembersDecideNothing() external {
        Committee memory c = makeCommittee("ten", 10);
        Head memory head = headOf(c, ATTESTATIONS);
        // n = 10, f = 3: 7 attestations, more than two thirds of the members, whatever anyone has at stake.
        head.bitmap = 0x3f;
        assertRefused(c, reportOf(c, head, numbers(1), 0), tooFew(6, 7));
        head.bitmap = 0x7f;
        assertAccepted(c, reportOf(c, head, numbers(1), 0));
        head.kind = SEALS;
        head.bitmap = 0x7;
        assertRefused(c, reportOf(c, head, numbers(1), 0), tooFew(3, 4));
    }

    function test_RefusesMembersThatTheCommitteeDoesNotHave() external view {
        for (uint256 bit = 4; bit < 32; ++bit) {
            Head memory head = headOf(_c, SEALS);
            head.bitmap = uint32(3 + 2 ** bit);
            bytes memory report = bytes.concat(reportOf(_c, head, numbers(1), 0), new bytes(64));
            assertRefused(_c, report, abi.encodeWithSelector(IReportVerifier.ForeignSigner.selector));
        }
    }

    // Times

    function test_TimesCountToTheirExactEnds() external {
        // From START, for ever, until another generation takes over.
        uint256 until = START + 5000;
        address verifier = verifierOf(_c);
        vm.prank(address(_c.registry));
        IReportVerifier(verifier).setWindow(uint40(START), uint40(until), false);
        bytes memory outside = abi.encodeWithSelector(IReportVerifier.OutsideWindow.selector, START, until);
        assertTime(START * 1000, START, "");
        assertTime(START * 1000 - 1, START, outside);
        assertTime(until * 1000, until, "");
        assertTime(until * 1000 + 1, until, outside);
        assertTime(until * 1000, until + 1, outside);
    }

    function test_TMayLieThirtySecondsAheadOfTheBlock() external {
        uint256 t = vm.getBlockTimestamp();
        assertTime((t + 30) * 1000, t, "");
        assertTime(
            (t + 30) * 1000 + 1, t, abi.encodeWithSelector(IReportVerifier.FutureReport.selector, (t + 30) * 1000 + 1)
        );
    }

    function test_RefusesWhilePaused() external {
        bytes memory report = reportOf(_c, numbers(1), 1);
        vm.startPrank(address(_c.registry));
        IReportVerifier(verifierOf(_c)).setWindow(uint40(START), type(uint40).max, true);
        assertRefused(_c, report, abi.encodeWithSelector(IReportVerifier.Paused.selector));
        IReportVerifier(verifierOf(_c)).setWindow(uint40(START), type(uint40).max, false);
        assertAccepted(_c, report);
    }

    function test_WindowsAreTheRegistrysAffair() external {
        address verifier = verifierOf(_c);
        string[5] memory roles = ["owner", "guardian", "anybody", "pending", "member"];
        for (uint256 i = 0; i < roles.length; ++i) {
            vm.expectRevert(IReportVerifier.OnlyRegistry.selector);
            vm.prank(i == 4 ? _c.signers[0] : actor(roles[i]));
            IReportVerifier(verifier).setWindow(1, 2, false);
        }
        vm.expectRevert(IReportVerifier.OnlyRegistry.selector);
        vm.prank(verifier);
        IReportVerifier(verifier).setWindow(1, 2, false);
        vm.expectEmit(verifier);
        emit IReportVerifier.WindowSet(1, 2, true);
        vm.prank(address(_c.registry));
        IReportVerifier(verifier).setWindow(1, 2, true);
        (uint40 from, uint40 until, bool paused) = IReportVerifier(verifier).window();
        assertEq(abi.encode(from, until, paused), abi.encode(1, 2, true));
    }

    // Shape

    function test_RefusesOtherKindsAndGenerations() external view {
        Head memory head = headOf(_c, SEALS);
        for (uint256 kind = 0; kind < 256; ++kind) {
            if (kind == SEALS || kind == ATTESTATIONS) continue;
            head.kind = uint8(kind);
            bytes memory unknown = abi.encodeWithSelector(IReportVerifier.UnknownKind.selector, kind);
            assertRefused(_c, reportOf(_c, head, numbers(1), 0), unknown);
        }
        head = headOf(_c, SEALS);
        head.generation = 2;
        bytes memory wrong = abi.encodeWithSelector(IReportVerifier.WrongGeneration.selector, 2);
        assertRefused(_c, reportOf(_c, head, numbers(1), 0), wrong);
    }

    function test_RefusesCountsThatDoNotFit() external view {
        Bundle memory bundle = numbers(1);
        (bytes memory body, bytes32 root) = single(bundle, 1);
        Head memory head = headOf(_c, SEALS);
        assertAccepted(_c, assemble(_c, head, 1, body, root));
        // No bundle, signed as if the tree were empty or one node.
        assertRefused(_c, assemble(_c, head, 0, "", bytes32(0)), malformed());
        assertRefused(_c, assemble(_c, head, 0, "", root), malformed());
        // One that is announced and not there.
        assertRefused(_c, assemble(_c, head, 2, body, root), malformed());
        // Two that were never merged: the second would be taken on trust.
        assertRefused(_c, assemble(_c, head, 2, bytes.concat(body, body), root), malformed());
        // A merge with nothing.
        bytes memory merging = bytes.concat(cut(body, body.length - 1), hex"0100");
        assertRefused(_c, assemble(_c, head, 1, merging, root), malformed());
    }

    function test_RefusesBundlesOfNoneAndOfMoreThanSixteenFeeds() external view {
        Head memory head = headOf(_c, SEALS);
        assertAccepted(_c, reportOf(_c, head, numbers(16), 1));
        assertRefused(_c, reportOf(_c, head, numbers(17), 1), malformed());
        assertRefused(_c, reportOf(_c, head, numbers(0), 1), malformed());
    }

    function test_RefusesCalldataShorterThanAHead() external view {
        bytes memory report = reportOf(_c, numbers(1), 0);
        for (uint256 length = 0; length < 24; ++length) {
            assertRefused(_c, cut(report, length), malformed());
        }
    }

    function test_RefusesASignatureWhoseLastZeroIsLeftOut() external view {
        // Beyond its end calldata reads as zeros: find a report whose last byte is one.
        Head memory head = headOf(_c, SEALS);
        bytes memory report = reportOf(_c, head, numbers(1), 0);
        while (report[report.length - 1] != 0) {
            ++head.round;
            report = reportOf(_c, head, numbers(1), 0);
        }
        assertAccepted(_c, report);
        assertRefused(_c, cut(report, report.length - 1), malformed());
        assertRefused(_c, bytes.concat(report, hex"00"), malformed());
    }

    function test_AnswersNoOtherCall() external {
        address verifier = verifierOf(_c);
        bytes memory unknown = abi.encodeWithSelector(IReportVerifier.UnknownFunction.selector);
        bytes[5] memory calls = [bytes(""), hex"00", hex"fc735e", hex"deadbeef", bytes("a long call of no function")];
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool done, bytes memory answer) = verifier.call(calls[i]);
            assertFalse(done);
            assertEq(answer, unknown);
        }
    }

    function test_IsMadeByARegistryOnly() external {
        vm.expectRevert();
        this.deploy();
        vm.expectRevert(abi.encodeWithSignature("NotCreating()"));
        _c.registry.creating();
    }

    /// A call of its own: after a creation that is expected to revert, a test would end without a word.
    function deploy() external returns (ReportVerifier) {
        return new ReportVerifier();
    }

    // Forwarders

    function test_I58_WhoCallsProvesNothing() external {
        // The registry, the owner, a member or the verifier itself: without signatures none is believed, with them all.
        Head memory head = headOf(_c, SEALS);
        head.bitmap = 0;
        bytes memory unsigned = bytes.concat(IReportVerifier.verifyPacked.selector, reportOf(_c, head, numbers(1), 0));
        bytes memory signed_ = bytes.concat(IReportVerifier.verifyPacked.selector, reportOf(_c, numbers(1), 0));
        address[4] memory callers = [address(_c.registry), actor("owner"), _c.signers[0], actor("anybody")];
        address verifier = verifierOf(_c);
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.prank(callers[i], callers[i]);
            (bool done,) = verifier.call(unsigned);
            assertFalse(done);
            vm.prank(callers[i], callers[i]);
            (done,) = verifier.call(signed_);
            assertTrue(done);
        }
    }

    function malformed() private pure returns (bytes memory) {
        return abi.encodeWithSelector(IReportVerifier.MalformedReport.selector);
    }

    function tooFew(uint256 count, uint256 threshold) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IReportVerifier.TooFewSignatures.selector, count, threshold);
    }

    /// @dev A report of T is accepted, or refused with `error`, in a block of this time.
    function assertTime(uint256 attestedAtMs, uint256 blockTime, bytes memory error) private {
        vm.warp(blockTime);
        Head memory head = headOf(_c, SEALS);
        head.attestedAtMs = uint48(attestedAtMs);
        bytes memory report = reportOf(_c, head, numbers(1), 1);
        if (error.length == 0) assertAccepted(_c, report);
        else assertRefused(_c, report, error);
    }
}
