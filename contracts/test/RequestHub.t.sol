// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// The hub: who may ask, answer, refuse, cancel and expire, with what, and when.

import {Feed, IReportVerifier} from "../src/interfaces/IReportVerifier.sol";
import {IRequestHub, Request} from "../src/interfaces/IRequestHub.sol";
import {Values} from "../src/lib/Values.sol";
import {FeedMissing, Verification} from "../src/lib/Verification.sol";
import {Asker, HubBase} from "./base/HubBase.sol";
import {Committee} from "./base/Reports.sol";
import {Vm} from "./base/Vm.sol";

/// @dev Asks while it is being created, when it has no code yet.
contract AsksTooEarly {
    constructor(IRequestHub hub, bytes memory meaning, uint64 deadlineS) {
        hub.request(meaning, deadlineS, 1);
    }
}

/// @title Tests of asking and ending requests
contract RequestHubTest is HubBase {
    // Asking

    function test_requestIsKeptAndTold() external {
        vm.recordLogs();
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        assertEq(id, keccak256(abi.encode(block.chainid, address(hub), uint256(1))));
        Request memory kept = hub.requestOf(id);
        assertEq(kept.requester, address(asker));
        assertEq(kept.requestedAtS, START);
        assertEq(kept.openForS, 1 hours);
        assertEq(kept.callbackGas, GAS);
        assertEq(kept.feedId, FEED);
        Vm.Log memory log = hubLog();
        assertEq(log.topics[0], IRequestHub.Requested.selector);
        assertEq(log.topics[1], id);
        assertEq(log.topics[2], bytes32(uint256(uint160(address(asker)))));
        assertEq(log.topics[3], FEED);
        assertEq(log.data, abi.encode(MEANING, DEADLINE, GAS));
    }

    function test_layoutIsAsDocumented() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        assertEq(vm.load(address(hub), 0), bytes32(uint256(1)));
        uint256 slot = uint256(keccak256(abi.encode(id, uint256(1))));
        uint256 packed =
            uint256(uint160(address(asker))) + START * 2 ** 160 + 1 hours * 2 ** 200 + uint256(GAS) * 2 ** 224;
        assertEq(vm.load(address(hub), bytes32(slot)), bytes32(packed));
        assertEq(vm.load(address(hub), bytes32(slot + 1)), FEED);
        answer(id, "", numberReport(7));
        assertEq(vm.load(address(hub), bytes32(slot)), 0);
        assertEq(vm.load(address(hub), bytes32(slot + 1)), 0);
    }

    function test_noTwoRequestsShareAnId() external {
        bytes32 first = asker.ask(MEANING, DEADLINE, GAS);
        assertTrue(first != asker.ask(MEANING, DEADLINE, GAS));
        IRequestHub other = makeHub();
        assertTrue(first != new Asker(other).ask(MEANING, DEADLINE, GAS), "another hub");
        vm.chainId(77);
        IRequestHub elsewhere = makeHub();
        assertEq(
            new Asker(elsewhere).ask(MEANING, DEADLINE, GAS),
            keccak256(abi.encode(uint256(77), address(elsewhere), uint256(1))),
            "another chain"
        );
    }

    function test_meaningHas1To2048Bytes() external {
        asker.ask(new bytes(1), DEADLINE, GAS);
        asker.ask(new bytes(2048), DEADLINE, GAS);
        vm.expectRevert(abi.encodeWithSelector(IRequestHub.InvalidMeaning.selector, 0));
        asker.ask("", DEADLINE, GAS);
        vm.expectRevert(abi.encodeWithSelector(IRequestHub.InvalidMeaning.selector, 2049));
        asker.ask(new bytes(2049), DEADLINE, GAS);
    }

    function test_deadlineIsAheadAndAtMost30Days() external {
        asker.ask(MEANING, uint64(START + 1), GAS);
        asker.ask(MEANING, uint64(START + 30 days), GAS);
        uint64[4] memory wrong = [0, uint64(START), uint64(START + 30 days + 1), type(uint64).max];
        for (uint256 i = 0; i < wrong.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRequestHub.InvalidDeadline.selector, wrong[i]));
            asker.ask(MEANING, wrong[i], GAS);
        }
    }

    function test_I08_callbackGasIsBounded() external {
        asker.ask(MEANING, DEADLINE, 1);
        asker.ask(MEANING, DEADLINE, 500_000);
        uint32[3] memory wrong = [0, 500_001, type(uint32).max];
        for (uint256 i = 0; i < wrong.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRequestHub.InvalidCallbackGas.selector, wrong[i]));
            asker.ask(MEANING, DEADLINE, wrong[i]);
        }
    }

    function test_onlyAContractMayAsk() external {
        address person = actor("person");
        vm.prank(person);
        vm.expectRevert(abi.encodeWithSelector(IRequestHub.NoContract.selector, person));
        hub.request(MEANING, DEADLINE, GAS);
        vm.expectPartialRevert(IRequestHub.NoContract.selector);
        this.askTooEarly();
    }

    /// A call of its own: after a creation that is expected to revert, a test would end without a word.
    function askTooEarly() external {
        new AsksTooEarly(hub, MEANING, DEADLINE);
    }

    // Answering

    function test_anybodyAnswersWithANumber() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        bytes memory report = numberReport(-12345);
        vm.recordLogs();
        vm.prank(actor("anybody"));
        answer(id, "", report);
        Vm.Log memory log = hubLog();
        assertEq(log.topics[0], IRequestHub.Answered.selector);
        assertEq(log.topics[1], id);
        assertEq(log.data, abi.encode(nowMs(), true));
        assertEq(asker.answers(), 1);
        assertEq(asker.id(), id);
        assertEq(asker.feedId(), FEED);
        assertEq(asker.value(), -12345);
        assertEq(asker.meta(), okMeta(nowMs()));
        assertEq(asker.attestedAtMs(), nowMs());
        assertEq(asker.encoded(), "");
        assertEq(asker.refusals(), 0);
        assertEq(hub.requestOf(id).requester, address(0));
    }

    function test_attestationsAnswerToo() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        vm.warp(START + NEWS_S);
        Feed memory feed = Feed(FEED, bytes32(uint256(5)), okMeta(nowMs()));
        answer(id, "", reportOf(c, headOf(c, ATTESTATIONS), only(feed), 3));
        assertEq(asker.value(), 5);
    }

    function test_structuredValueIsCheckedAndPassedOn() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        bytes memory encoded = abi.encode(int256(2150), int256(40), int256(310));
        bytes memory report = structuredReport(encoded);
        vm.expectRevert(abi.encodeWithSelector(Values.WrongBytes.selector, FEED));
        answer(id, flip(encoded, 700), report);
        vm.expectRevert(abi.encodeWithSelector(Values.WrongBytes.selector, FEED));
        answer(id, "", report);
        vm.expectRevert(abi.encodeWithSelector(Values.WrongBytes.selector, FEED));
        answer(id, bytes.concat(encoded, hex"00"), report);
        answer(id, encoded, report);
        assertEq(asker.encoded(), encoded);
        assertEq(asker.value(), 0);
    }

    function test_numberCarriesNoOtherBytes() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        bytes memory report = numberReport(5);
        vm.expectRevert(abi.encodeWithSelector(Values.WrongBytes.selector, FEED));
        answer(id, hex"00", report);
    }

    function test_unknownKindIsRefused() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        vm.warp(START + NEWS_S);
        bytes memory report = feedReport(0, packMeta(nowMs(), 60, 0, 3, 2, 0));
        vm.expectRevert(abi.encodeWithSelector(Values.WrongKind.selector, FEED, 2));
        answer(id, "", report);
    }

    function test_numberBeyondInt176IsRefused() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        bytes memory report = numberReport(2 ** 175);
        vm.expectRevert(abi.encodeWithSelector(Values.NotInt176.selector, FEED));
        answer(id, "", report);
    }

    /// An answer, a refusal or an expiry cannot be played again.
    function test_nothingIsAnsweredTwice() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        bytes memory report = numberReport(5);
        answer(id, "", report);
        requireUnknown(id, report);
        assertEq(asker.answers(), 1);

        id = asker.ask(MEANING, DEADLINE, GAS);
        report = statusReport(9);
        answer(id, "", report);
        requireUnknown(id, report);
        assertEq(asker.refusals(), 1);

        id = asker.ask(MEANING, DEADLINE, GAS);
        vm.warp(DEADLINE + 1);
        hub.expire(id);
        requireUnknown(id, report);
        assertEq(asker.refusals(), 2);
    }

    function test_oneReportAnswersSeveralRequests() external {
        bytes32 first = asker.ask(MEANING, DEADLINE, GAS);
        bytes32 second = asker.ask(MEANING, DEADLINE, GAS);
        bytes memory report = numberReport(5);
        answer(second, "", report);
        assertEq(asker.id(), second);
        answer(first, "", report);
        assertEq(asker.id(), first);
    }

    function test_anotherFeedIsNoAnswer() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        vm.warp(START + NEWS_S);
        bytes memory report = reportOf(c, numbers(16), 2);
        vm.expectRevert(abi.encodeWithSelector(FeedMissing.selector, FEED));
        answer(id, "", report);
    }

    function test_anotherLineageIsNoAnswer() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        Committee memory other = makeCommittee("other", 4);
        vm.warp(START + NEWS_S);
        bytes memory report = reportOf(other, only(Feed(FEED, bytes32(uint256(5)), okMeta(nowMs()))), 0);
        vm.expectRevert(abi.encodeWithSelector(IReportVerifier.BadSignature.selector, 0));
        answer(id, "", report);
    }

    /// I24 and I58: who calls never counts, what is signed always does.
    function test_I24_I58_nobodyAnswersWithoutSignatures() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        bytes memory report = flip(numberReport(5), (25 + 64) * 8 - 1);
        address[5] memory callers =
            [actor("owner"), actor("guardian"), c.signers[0], address(asker), address(c.registry)];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.prank(callers[i]);
            vm.expectPartialRevert(IReportVerifier.BadSignature.selector);
            answer(id, "", report);
            vm.prank(callers[i]);
            vm.expectRevert(Verification.NoReport.selector);
            hub.answer(id, "");
        }
    }

    function test_pausedLineageAnswersNothing() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        bytes memory report = numberReport(5);
        vm.prank(actor("guardian"));
        c.registry.pause();
        vm.expectRevert(IReportVerifier.Paused.selector);
        answer(id, "", report);
    }

    // Refusing

    /// I28, I42, I78: OUT_OF_RANGE, HALT and CLAMPED reach the requester as what they are, and no value comes with them.
    function test_I28_I42_I78_everyStatusButOkIsARefusal() external {
        for (uint256 status = 1; status < 10; ++status) {
            bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
            bytes memory report = statusReport(status);
            vm.recordLogs();
            vm.prank(actor("anybody"));
            answer(id, "", report);
            Vm.Log memory log = hubLog();
            assertEq(log.topics[0], IRequestHub.Refused.selector);
            assertEq(log.topics[1], id);
            assertEq(log.data, abi.encode(status, true));
            assertEq(asker.id(), id);
            assertEq(asker.status(), status);
        }
        assertEq(asker.refusals(), 9);
        assertEq(asker.answers(), 0);
    }

    // Taking back

    function test_onlyTheRequesterCancels() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        address[5] memory others =
            [actor("owner"), actor("guardian"), c.signers[0], address(new Asker(hub)), actor("anybody")];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.prank(others[i]);
            vm.expectRevert(IRequestHub.OnlyRequester.selector);
            hub.cancel(id);
        }
        vm.recordLogs();
        asker.cancel(id);
        Vm.Log memory log = hubLog();
        assertEq(log.topics[0], IRequestHub.Cancelled.selector);
        assertEq(log.topics[1], id);
        requireUnknown(id, numberReport(5));
        assertEq(asker.answers() + asker.refusals(), 0);
    }

    function test_whatNobodyAskedIsUnknown() external {
        requireUnknown(0, numberReport(5));
        requireUnknown(keccak256("anything"), numberReport(5));
    }

    function test_unknownFunctionsAndEthAreRefused() external {
        bytes[4] memory inputs = [bytes(""), hex"00", hex"abcdef", hex"deadbeef"];
        for (uint256 i = 0; i < inputs.length; ++i) {
            vm.expectRevert(IRequestHub.UnknownFunction.selector);
            send(address(hub), inputs[i]);
        }
        (bool sent,) = address(hub).call{value: 1}("");
        assertFalse(sent);
    }
}
