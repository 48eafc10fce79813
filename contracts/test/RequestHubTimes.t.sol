// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// The hub's times: what is news to a request, what is too old, what is too late.

import {Feed, IReportVerifier} from "../src/interfaces/IReportVerifier.sol";
import {IRequestHub} from "../src/interfaces/IRequestHub.sol";
import {Values} from "../src/lib/Values.sol";
import {HubBase} from "./base/HubBase.sol";
import {Head} from "./base/Reports.sol";
import {Vm} from "./base/Vm.sol";

/// @title Tests of when a request is answered, refused or expires
contract RequestHubTimesTest is HubBase {
    // What is news

    /// Audit finding: old data accepted as the first value. Old is what may have been known when the request was made.
    function test_reportOfBeforeTheRequestIsRefused() external {
        bytes memory before = feedReport(bytes32(uint256(1)), okMeta(nowMs()));
        vm.warp(START + 10);
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        requireNotAfter(id, before, START * 1000);
        uint256 edge = nowMs() + 30_000;
        vm.warp(START + 10 + 30);
        requireNotAfter(id, feedReport(bytes32(uint256(2)), okMeta(nowMs())), edge);
        answer(id, "", reportAt(edge + 1, 3));
        assertEq(asker.value(), 3, "a ms later");
    }

    /// Review finding: T may run 30 s ahead of block time, so a report of after the request's block may be older than it.
    function test_whoAsksHoldsNoAnswerInTheSameTransaction() external {
        // Held before the request, and as far ahead as any verifier takes.
        bytes memory held = reportAt(nowMs() + 30_000, 7);
        assertAccepted(c, held);
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        requireNotAfter(id, held, nowMs() + 30_000);
        // What comes after it, no verifier takes in the request's own block.
        bytes memory next = reportAt(nowMs() + 30_001, 8);
        vm.expectRevert(abi.encodeWithSelector(IReportVerifier.FutureReport.selector, nowMs() + 30_001));
        answer(id, "", next);
        vm.warp(START + 1);
        requireNotAfter(id, held, START * 1000 + 30_000);
        answer(id, "", next);
        assertEq(asker.value(), 8);
    }

    function test_I17_staleValueIsNoAnswer() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        bytes memory report = numberReport(5);
        uint256 observedAtMs = nowMs();
        vm.warp(START + NEWS_S + 61);
        vm.expectRevert(abi.encodeWithSelector(Values.Stale.selector, FEED, observedAtMs));
        answer(id, "", report);
        vm.warp(START + NEWS_S + 60);
        answer(id, "", report);
    }

    function test_refusalOfBeforeTheRequestIsRefused() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        vm.warp(START + 30);
        requireNotAfter(id, feedReport(0, packMeta(0, 60, 9, 0, 0, 0)), nowMs());
        assertEq(asker.refusals(), 0);
    }

    /// Otherwise one bad moment could end a request for as long as it is open.
    function test_refusalIsNewsForTheFeedsValidityOnly() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        bytes memory report = statusReport(9);
        uint256 attestedAtMs = nowMs();
        vm.warp(START + NEWS_S + 61);
        vm.expectRevert(abi.encodeWithSelector(IRequestHub.ReportTooOld.selector, FEED, attestedAtMs));
        answer(id, "", report);
        vm.warp(START + NEWS_S + 60);
        answer(id, "", report);
        assertEq(asker.status(), 9);
    }

    // Deadlines

    function test_deadlineIsTheLastSecondOfAnAnswerAndTheLastWithoutExpiry() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        bytes32 late = asker.ask(MEANING, DEADLINE, GAS);
        vm.warp(DEADLINE - NEWS_S);
        bytes memory report = numberReport(5);
        vm.expectRevert(abi.encodeWithSelector(IRequestHub.StillOpen.selector, DEADLINE));
        hub.expire(id);
        answer(id, "", report);
        assertEq(asker.answers(), 1);

        vm.warp(DEADLINE + 1);
        vm.expectRevert(abi.encodeWithSelector(IRequestHub.DeadlinePassed.selector, DEADLINE));
        answer(late, "", report);
        vm.recordLogs();
        vm.prank(actor("anybody"));
        hub.expire(late);
        Vm.Log memory log = hubLog();
        assertEq(log.topics[0], IRequestHub.Refused.selector);
        assertEq(log.topics[1], late);
        assertEq(log.data, abi.encode(256, true));
        assertEq(asker.status(), hub.EXPIRED());
        assertEq(asker.id(), late);
    }

    function test_refusalAfterTheDeadlineIsLateToo() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        vm.warp(DEADLINE);
        bytes memory report = statusReport(9);
        vm.expectRevert(abi.encodeWithSelector(IRequestHub.DeadlinePassed.selector, DEADLINE));
        answer(id, "", report);
    }

    /// A pause stops answers, not the end of waiting.
    function test_requestsExpireWhileTheLineageIsPaused() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        vm.prank(actor("guardian"));
        c.registry.pause();
        vm.warp(DEADLINE + 1);
        hub.expire(id);
        assertEq(asker.refusals(), 1);
    }

    // Help

    /// @dev A number attested at T, where T is not now.
    function reportAt(uint256 attestedAtMs, int256 value) private view returns (bytes memory) {
        Head memory head = headOf(c, SEALS);
        head.attestedAtMs = uint48(attestedAtMs);
        return reportOf(c, head, only(Feed(FEED, bytes32(uint256(value)), okMeta(nowMs()))), 0);
    }

    function requireNotAfter(bytes32 id, bytes memory report, uint256 attestedAtMs) private {
        uint256 edge = uint256(hub.requestOf(id).requestedAtS) * 1000 + 30_000;
        vm.expectRevert(abi.encodeWithSelector(IRequestHub.NotAfterRequest.selector, attestedAtMs, edge));
        this.tryAnswer(id, report);
    }
}
