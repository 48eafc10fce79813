// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// The hub's callbacks: their gas to the unit, what hostile ones can do to whoever answers, and calling back in.

import {IAssayRequester} from "../src/interfaces/IAssayRequester.sol";
import {IRequestHub} from "../src/interfaces/IRequestHub.sol";
import {Meta} from "../src/lib/Meta.sol";
import {HubBase} from "./base/HubBase.sol";
import {Vm} from "./base/Vm.sol";

/// @dev Does its worst when it is called back.
contract Hostile is IAssayRequester {
    enum Way {
        Nothing,
        Revert,
        Burn,
        ReturnBomb,
        RevertBomb,
        Calls
    }

    error Refused(bytes why);

    IRequestHub private immutable HUB;
    Way public way;
    bytes[] public inputs;
    uint256 public calledBack;
    uint256 public succeeded;
    bytes4[] public refusals;

    constructor(IRequestHub hub, Way way_) {
        (HUB, way) = (hub, way_);
    }

    function ask(bytes memory meaning, uint64 deadlineS, uint32 callbackGas) external returns (bytes32) {
        return HUB.request(meaning, deadlineS, callbackGas);
    }

    /// @dev What each callback sends to the hub.
    function plan(bytes[] calldata inputs_) external {
        inputs = inputs_;
    }

    function onAnswer(bytes32, bytes32, int256, Meta, uint256, bytes calldata) external {
        _act();
    }

    function onRefused(bytes32, uint256) external {
        _act();
    }

    function _act() private {
        if (way == Way.Revert) revert Refused("no");
        if (way == Way.Burn) {
            assembly ("memory-safe") {
                invalid()
            }
        }
        // 384,000 bytes of memory are all that 500,000 gas can pay for, nearly.
        if (way == Way.ReturnBomb) {
            assembly ("memory-safe") {
                return(0, 384000)
            }
        }
        if (way == Way.RevertBomb) {
            assembly ("memory-safe") {
                revert(0, 384000)
            }
        }
        ++calledBack;
        if (way != Way.Calls || calledBack > 1) return;
        for (uint256 i = 0; i < inputs.length; ++i) {
            (bool done, bytes memory answer) = address(HUB).call(inputs[i]);
            if (done) ++succeeded;
            else refusals.push(bytes4(answer));
        }
    }

    function refusalsOf() external view returns (bytes4[] memory) {
        return refusals;
    }
}

/// @title Tests of the hub's callbacks
contract RequestHubCallbackTest is HubBase {
    uint32 private constant MOST = 500_000;
    /// @dev Logs the gas it has after reading it, which takes two: GAS PUSH0 MSTORE PUSH1 32 PUSH0 LOG0 STOP.
    bytes private constant GAUGE = hex"5a5f5260205fa000";

    // Gas

    /// For any gas that the transaction brings: all that was promised arrives in the callback, or nothing has happened.
    /// Isolated: each call is a transaction of its own, which finds all accounts cold.
    /// forge-config: default.isolate = true
    function testFuzz_callbackGetsAllItsGasOrNothingHappens(uint256 limit, uint32 callbackGas, uint8 kind) external {
        callbackGas = uint32(bound(callbackGas, 1000, MOST));
        limit = bound(limit, 60_000, 60_000 + 2 * uint256(callbackGas));
        address gauge = makeGauge(kind % 2 == 1);
        vm.prank(gauge);
        bytes32 id = hub.request(MEANING, DEADLINE, callbackGas);
        bytes memory input = answerData(id, "", numberReport(5));
        requireAllOrNothing(id, input, limit, callbackGas, gauge);
    }

    /// The least gas that suffices: with one less the answer is refused, and neither starves the callback.
    /// forge-config: default.isolate = true
    function test_callbackIsNotStarvedAtTheEdge() external {
        uint32[4] memory allowances = [1000, 60_000, 250_000, MOST];
        for (uint256 i = 0; i < 8; ++i) {
            uint32 callbackGas = allowances[i % 4];
            address gauge = makeGauge(i > 3);
            vm.prank(gauge);
            bytes32 id = hub.request(MEANING, DEADLINE, callbackGas);
            bytes memory input = answerData(id, "", numberReport(5));
            (uint256 low, uint256 high) = (0, 2_000_000);
            while (low + 1 < high) {
                uint256 middle = (low + high) / 2;
                uint256 before = vm.snapshotState();
                bool done = requireAllOrNothing(id, input, middle, callbackGas, gauge);
                vm.revertToState(before);
                if (done) high = middle;
                else low = middle;
            }
            assertFalse(requireAllOrNothing(id, input, low, callbackGas, gauge));
            assertTrue(requireAllOrNothing(id, input, high, callbackGas, gauge));
        }
    }

    function test_tooLittleGasIsRefusedByName() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, MOST);
        bytes memory input = answerData(id, "", numberReport(5));
        (bool done, bytes memory why) = address(hub).call{gas: 400_000}(input);
        assertFalse(done);
        assertEq(bytes32(bytes4(why)), bytes32(IRequestHub.InsufficientGas.selector));
        vm.warp(DEADLINE + 1);
        (done, why) = address(hub).call{gas: 400_000}(abi.encodeCall(IRequestHub.expire, (id)));
        assertFalse(done);
        assertEq(bytes32(bytes4(why)), bytes32(IRequestHub.InsufficientGas.selector));
        assertEq(hub.requestOf(id).requester, address(asker));
    }

    /// I08: whatever a requester does, it costs whoever answers no more than the callback's gas.
    function test_I08_noRequestCostsMoreThanItsCallbackGas() external {
        uint256 quiet = costOf(Hostile.Way.Nothing, true, 0);
        assertLe(costOf(Hostile.Way.Revert, false, 0), quiet + MOST);
        uint256 burnt = costOf(Hostile.Way.Burn, false, 0);
        assertGe(burnt, MOST, "all of it was there");
        assertLe(burnt, quiet + MOST);
        assertLe(costOf(Hostile.Way.ReturnBomb, true, 0), quiet + MOST);
        assertLe(costOf(Hostile.Way.RevertBomb, false, 0), quiet + MOST);
    }

    /// I08: the same for refusals and expiries.
    function test_I08_noRefusalCostsMoreThanItsCallbackGas() external {
        for (uint256 end = 1; end < 3; ++end) {
            uint256 quiet = costOf(Hostile.Way.Nothing, true, end);
            assertLe(costOf(Hostile.Way.Revert, false, end), quiet + MOST);
            assertLe(costOf(Hostile.Way.Burn, false, end), quiet + MOST);
            assertLe(costOf(Hostile.Way.ReturnBomb, true, end), quiet + MOST);
            assertLe(costOf(Hostile.Way.RevertBomb, false, end), quiet + MOST);
        }
    }

    /// What a bomb returns is not copied: it costs its making, in the callback, and nothing on top.
    function test_returnBombsStayInTheCallback() external {
        uint256 quiet = costOf(Hostile.Way.Nothing, true, 0);
        // 12,000 words of memory: 3 each and the square over 512.
        uint256 making = 12_000 * 3 + uint256(12_000) * 12_000 / 512;
        assertLe(costOf(Hostile.Way.ReturnBomb, true, 0), quiet + making + 5_000);
        assertLe(costOf(Hostile.Way.RevertBomb, false, 0), quiet + making + 5_000);
    }

    // Calling back in

    /// M22: during the callback the request is gone: it can be neither answered, expired nor cancelled again.
    function test_callbackCannotEndItsRequestAgain() external {
        for (uint256 end = 0; end < 3; ++end) {
            Hostile hostile = new Hostile(hub, Hostile.Way.Calls);
            bytes32 id = hostile.ask(MEANING, uint64(vm.getBlockTimestamp() + NEWS_S), MOST);
            bytes memory report = end == 1 ? statusReport(9) : numberReport(5);
            bytes[] memory inputs = new bytes[](3);
            inputs[0] = answerData(id, "", report);
            inputs[1] = abi.encodeCall(IRequestHub.expire, (id));
            inputs[2] = abi.encodeCall(IRequestHub.cancel, (id));
            hostile.plan(inputs);
            if (end == 2) {
                vm.warp(vm.getBlockTimestamp() + 1);
                hub.expire(id);
            } else {
                answer(id, "", report);
            }
            assertEq(hostile.calledBack(), 1);
            assertEq(hostile.succeeded(), 0);
            bytes4[] memory refusals = hostile.refusalsOf();
            assertEq(refusals.length, 3);
            for (uint256 i = 0; i < 3; ++i) {
                assertEq(bytes32(refusals[i]), bytes32(IRequestHub.UnknownRequest.selector));
            }
        }
    }

    /// A callback may ask again and may answer another request, each once.
    function test_callbackMayAskAgainAndAnswerAnother() external {
        Hostile hostile = new Hostile(hub, Hostile.Way.Calls);
        bytes32 first = hostile.ask(MEANING, DEADLINE, MOST);
        bytes32 second = hostile.ask(MEANING, DEADLINE, 50_000);
        bytes memory report = numberReport(5);
        bytes32 third = keccak256(abi.encode(block.chainid, address(hub), uint256(3)));
        bytes[] memory inputs = new bytes[](3);
        inputs[0] = abi.encodeCall(IRequestHub.request, (MEANING, DEADLINE, GAS));
        inputs[1] = answerData(second, "", report);
        // The report may have been known to whoever asked a moment ago.
        inputs[2] = answerData(third, "", report);
        hostile.plan(inputs);
        answer(first, "", report);
        assertEq(hostile.calledBack(), 2);
        assertEq(hostile.succeeded(), 2);
        assertEq(bytes32(hostile.refusalsOf()[0]), bytes32(IRequestHub.NotAfterRequest.selector));
        assertEq(hub.requestOf(third).requester, address(hostile));
        requireUnknown(first, report);
        requireUnknown(second, report);
    }

    // Help

    /// @dev Gas that ending a request of a hostile contract takes: by an answer, a refusal or its expiry.
    function costOf(Hostile.Way way, bool success, uint256 end) private returns (uint256 cost) {
        Hostile hostile = new Hostile(hub, way);
        uint64 deadlineS = uint64(vm.getBlockTimestamp() + NEWS_S);
        bytes32 id = hostile.ask(MEANING, deadlineS, MOST);
        bytes memory input = abi.encodeCall(IRequestHub.expire, (id));
        if (end == 0) input = answerData(id, "", numberReport(5));
        else if (end == 1) input = answerData(id, "", statusReport(9));
        else vm.warp(deadlineS + 1);
        vm.recordLogs();
        (bool done,) = address(hub).call{gas: 2_000_000}(input);
        cost = vm.lastCallGas().gasTotalUsed;
        assertTrue(done, "a callback never undoes the end of its request");
        Vm.Log memory log = hubLog();
        assertEq(log.topics[1], id);
        (, bool told) = abi.decode(log.data, (uint256, bool));
        assertEq(told, success);
        assertEq(hub.requestOf(id).requester, address(0));
    }

    /// @dev A contract that logs its gas, also behind a delegation (EIP-7702), which costs a second cold account.
    function makeGauge(bool delegated) private returns (address gauge) {
        gauge = actor(delegated ? "delegated gauge" : "gauge");
        address code = delegated ? actor("gauge's code") : gauge;
        vm.etch(code, GAUGE);
        if (delegated) vm.etch(gauge, abi.encodePacked(hex"ef0100", code));
    }

    /// @dev Sends `input` with so much gas and says whether it was done; the callback had all its gas, or there was none.
    function requireAllOrNothing(bytes32 id, bytes memory input, uint256 limit, uint256 callbackGas, address gauge)
        private
        returns (bool done)
    {
        vm.recordLogs();
        (done,) = address(hub).call{gas: limit}(input);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        if (!done) {
            assertEq(hub.requestOf(id).requester, gauge);
            return false;
        }
        assertEq(logs.length, 2, "gauge and hub");
        assertEq(logs[0].emitter, gauge);
        assertEq(abi.decode(logs[0].data, (uint256)), callbackGas - 2);
    }
}
