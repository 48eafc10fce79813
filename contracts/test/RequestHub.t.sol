// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// The hub: who may ask, answer, refuse, cancel and expire, with what, and when.

import {ICommitteeRegistry} from "../src/interfaces/ICommitteeRegistry.sol";
import {RequestHub} from "../src/RequestHub.sol";
import {IAssayRequester} from "../src/interfaces/IAssayRequester.sol";
import {IReportVerifier} from "../src/interfaces/IReportVerifier.sol";
import {IRequestHub, Request} from "../src/interfaces/IRequestHub.sol";
import {Meta} from "../src/lib/Meta.sol";
import {Values} from "../src/lib/Values.sol";
import {FeedMissing, Verification} from "../src/lib/Verification.sol";
import {Committee, Head, Reports} from "./base/Reports.sol";
import {Feed} from "../src/interfaces/IReportVerifier.sol";

/// @dev Asks, and keeps what it is told.
contract Asker is IAssayRequester {
    IRequestHub private immutable HUB;
    uint256 public answers;
    uint256 public refusals;
    bytes32 public id;
    bytes32 public feedId;
    int256 public value;
    uint256 public meta;
    uint256 public attestedAtMs;
    bytes public encoded;
    uint256 public status;

    constructor(IRequestHub hub) {
        HUB = hub;
    }

    function ask(bytes memory meaning, uint64 deadlineS, uint32 callbackGas) external returns (bytes32) {
        return HUB.request(meaning, deadlineS, callbackGas);
    }

    function cancel(bytes32 id_) external {
        HUB.cancel(id_);
    }

    function onAnswer(bytes32 id_, bytes32 feedId_, int256 value_, Meta meta_, uint256 t, bytes calldata encoded_)
        external
    {
        ++answers;
        (id, feedId, value, meta, attestedAtMs, encoded) = (id_, feedId_, value_, Meta.unwrap(meta_), t, encoded_);
    }

    function onRefused(bytes32 id_, uint256 status_) external {
        ++refusals;
        (id, status) = (id_, status_);
    }
}

/// @dev Asks while it is being created, when it has no code yet.
contract AsksTooEarly {
    constructor(IRequestHub hub, bytes memory meaning, uint64 deadlineS) {
        hub.request(meaning, deadlineS, 1);
    }
}

contract RequestHubTest is Reports {
    bytes internal constant MEANING = "{\"decimals\":2,\"name\":\"eth-usd\"}";
    bytes32 internal constant FEED = keccak256(MEANING);
    uint32 internal constant GAS = 400_000;
    uint64 internal constant DEADLINE = uint64(START + 1 hours);

    Committee internal c;
    RequestHub internal hub;
    Asker internal asker;

    function setUp() external {
        c = makeCommittee("hub", 4);
        hub = new RequestHub(c.registry);
        asker = new Asker(hub);
    }

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
        Vm_Log memory log = onlyLog();
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
        uint256 packed = uint256(uint160(address(asker))) + START * 2 ** 160 + 1 hours * 2 ** 200 + GAS * 2 ** 224;
        assertEq(vm.load(address(hub), bytes32(slot)), bytes32(packed));
        assertEq(vm.load(address(hub), bytes32(slot + 1)), FEED);
        answer(id, "", numberReport(7));
        assertEq(vm.load(address(hub), bytes32(slot)), 0);
        assertEq(vm.load(address(hub), bytes32(slot + 1)), 0);
    }

    function test_noTwoRequestsShareAnId() external {
        bytes32 first = asker.ask(MEANING, DEADLINE, GAS);
        assertTrue(first != asker.ask(MEANING, DEADLINE, GAS));
        RequestHub other = new RequestHub(c.registry);
        assertTrue(first != new Asker(other).ask(MEANING, DEADLINE, GAS), "another hub");
        vm.chainId(77);
        RequestHub elsewhere = new RequestHub(c.registry);
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
        new AsksTooEarly(hub, MEANING, DEADLINE);
    }

    // Answering

    function test_anybodyAnswersWithANumber() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        bytes memory report = numberReport(-12345);
        vm.recordLogs();
        vm.prank(actor("anybody"));
        answer(id, "", report);
        Vm_Log memory log = onlyLog();
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
        vm.warp(START + 1);
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
        vm.warp(START + 1);
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

    /// Audit finding: old data accepted as the first value.
    function test_reportOfBeforeTheRequestIsRefused() external {
        bytes memory before = feedReport(bytes32(uint256(1)), okMeta(nowMs()));
        vm.warp(START + 10);
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        bytes memory same = feedReport(bytes32(uint256(2)), okMeta(nowMs()));
        vm.expectRevert(abi.encodeWithSelector(IRequestHub.OlderThanRequest.selector, START * 1000, nowMs()));
        answer(id, "", before);
        vm.expectRevert(abi.encodeWithSelector(IRequestHub.OlderThanRequest.selector, nowMs(), nowMs()));
        answer(id, "", same);
        Head memory head = headOf(c, SEALS);
        ++head.attestedAtMs;
        Feed memory feed = Feed(FEED, bytes32(uint256(3)), okMeta(nowMs()));
        answer(id, "", reportOf(c, head, only(feed), 0));
        assertEq(asker.value(), 3, "a ms later");
    }

    /// I08: an answer, a refusal or an expiry cannot be played again.
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

    function test_I17_staleValueIsNoAnswer() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        bytes memory report = numberReport(5);
        uint256 observedAtMs = nowMs();
        vm.warp(START + 1 + 61);
        vm.expectRevert(abi.encodeWithSelector(Values.Stale.selector, FEED, observedAtMs));
        answer(id, "", report);
        vm.warp(START + 1 + 60);
        answer(id, "", report);
    }

    function test_anotherFeedIsNoAnswer() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        vm.warp(START + 1);
        bytes memory report = reportOf(c, numbers(16), 2);
        vm.expectRevert(abi.encodeWithSelector(FeedMissing.selector, FEED));
        answer(id, "", report);
    }

    function test_anotherLineageIsNoAnswer() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, GAS);
        Committee memory other = makeCommittee("other", 4);
        vm.warp(START + 1);
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
