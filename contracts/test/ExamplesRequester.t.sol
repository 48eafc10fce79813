// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// The requester: a bet that asks the hub, settles by its answer, and cannot be stuck or settled by anybody else.

import {Requester} from "../examples/Requester.sol";
import {IRequestHub} from "../src/interfaces/IRequestHub.sol";
import {Meta} from "../src/lib/Meta.sol";
import {Reentrant, Refuser} from "./base/Counterparties.sol";
import {HubBase} from "./base/HubBase.sol";
import {Vm} from "./base/Vm.sol";

/// @title Tests of the example of a contract that asks
contract ExamplesRequesterTest is HubBase {
    int256 private constant STRIKE = 2000_00;
    uint256 private constant SETTLE_AT = START + 1 days;

    Requester private bet;
    address private above;
    address private below;

    function setUp() public override {
        super.setUp();
        (above, below) = (actor("above"), actor("below"));
        bet = make(above, below);
        vm.warp(SETTLE_AT);
    }

    function test_asksForThePairOfItsTemplate() external {
        bytes32 id = bet.ask();
        assertEq(hub.requestOf(id).feedId, FEED);
        assertEq(hub.requestOf(id).openForS, 10 minutes);
        assertEq(bet.requestId(), id);
    }

    function test_strikeAndMoreIsAbove() external {
        answer(bet.ask(), "", numberReport(STRIKE));
        assertEq(bet.owed(above), 1 ether + 1);
        assertEq(bet.owed(below), 0);
        vm.prank(actor("anybody"));
        bet.pay(above);
        assertEq(above.balance, 1 ether + 1);
        vm.expectRevert(abi.encodeWithSelector(Requester.NothingOwed.selector, above));
        bet.pay(above);
    }

    function test_lessThanStrikeIsBelow() external {
        answer(bet.ask(), "", numberReport(STRIKE - 1));
        bet.pay(below);
        assertEq(below.balance, 1 ether + 1);
        assertEq(bet.owed(above), 0);
    }

    function test_callbackFitsInItsGas() external {
        bytes32 id = bet.ask();
        bytes memory report = numberReport(STRIKE);
        vm.recordLogs();
        answer(id, "", report);
        Vm.Log memory log = hubLog();
        (, bool success) = abi.decode(log.data, (uint256, bool));
        assertTrue(success);
    }

    function test_askedAtTheTimeOnceAndNeverAfterItIsSettled() external {
        vm.warp(SETTLE_AT - 1);
        vm.expectRevert(abi.encodeWithSelector(Requester.TooEarly.selector, SETTLE_AT));
        bet.ask();
        vm.warp(SETTLE_AT);
        bytes32 id = bet.ask();
        vm.expectRevert(abi.encodeWithSelector(Requester.AskedAlready.selector, id));
        bet.ask();
        answer(id, "", numberReport(STRIKE));
        vm.expectRevert(Requester.Settled.selector);
        bet.ask();
    }

    function test_refusedOrExpiredRequestsAreAskedAgain() external {
        bytes32 id = bet.ask();
        answer(id, "", statusReport(8));
        assertEq(bet.requestId(), 0);
        id = bet.ask();
        vm.warp(vm.getBlockTimestamp() + 10 minutes + 1);
        hub.expire(id);
        answer(bet.ask(), "", numberReport(STRIKE));
        assertTrue(bet.settled());
    }

    /// Review finding: a report of after the request may hold a price of before the time, which its validity still allows.
    /// It settles nothing; the request is closed, and asked anew.
    function test_priceSeenBeforeTheTimeSettlesNothing() external {
        bytes32 id = bet.ask();
        vm.warp(SETTLE_AT + NEWS_S);
        vm.recordLogs();
        answer(id, "", feedReport(bytes32(uint256(STRIKE)), okMeta(SETTLE_AT * 1000 - 1)));
        (, bool success) = abi.decode(hubLog().data, (uint256, bool));
        assertFalse(success);
        assertFalse(bet.settled());
        assertEq(bet.owed(above) + bet.owed(below), 0);
        assertEq(hub.requestOf(id).requester, address(0));
        vm.prank(address(hub));
        vm.expectRevert(abi.encodeWithSelector(Requester.SeenTooEarly.selector, SETTLE_AT * 1000 - 1));
        bet.onAnswer(id, FEED, STRIKE, Meta.wrap(okMeta(SETTLE_AT * 1000 - 1)), nowMs(), "");

        id = bet.ask();
        vm.warp(SETTLE_AT + 2 * NEWS_S);
        answer(id, "", feedReport(bytes32(uint256(STRIKE)), packMeta(SETTLE_AT * 1000, 120, 0, 3, 0, 250)));
        assertEq(bet.owed(above), 1 ether + 1);
    }

    /// A callback that failed, whatever the reason, leaves an id behind that nobody will answer: it does not lock the bet.
    function test_lostCallbackDoesNotLockTheBet() external {
        bytes32 id = bet.ask();
        bytes memory code = address(bet).code;
        vm.etch(address(bet), hex"fe");
        answer(id, "", numberReport(STRIKE));
        vm.etch(address(bet), code);
        assertEq(bet.requestId(), id);
        answer(bet.ask(), "", numberReport(STRIKE));
        assertTrue(bet.settled());
    }

    /// I24 and I58: only the hub settles, and only by the request that was asked.
    function test_I24_I58_nobodyElseCallsBack() external {
        bytes32 id = bet.ask();
        address[4] memory others = [above, below, actor("owner"), address(c.registry)];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.startPrank(others[i]);
            vm.expectRevert(Requester.OnlyHub.selector);
            bet.onAnswer(id, FEED, STRIKE, Meta.wrap(0), 0, "");
            vm.expectRevert(Requester.OnlyHub.selector);
            bet.onRefused(id, 9);
            vm.stopPrank();
        }
        vm.startPrank(address(hub));
        bytes32[2] memory ids = [bytes32(0), keccak256("another")];
        for (uint256 i = 0; i < ids.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Requester.NotAsked.selector, ids[i]));
            bet.onAnswer(ids[i], FEED, STRIKE, Meta.wrap(0), 0, "");
            vm.expectRevert(abi.encodeWithSelector(Requester.NotAsked.selector, ids[i]));
            bet.onRefused(ids[i], 9);
        }
        vm.stopPrank();
        assertFalse(bet.settled());
    }

    /// Where no request is open, not even the id of none is one.
    function test_noIdIsNoRequest() external {
        vm.startPrank(address(hub));
        vm.expectRevert(abi.encodeWithSelector(Requester.NotAsked.selector, bytes32(0)));
        bet.onAnswer(0, FEED, STRIKE, Meta.wrap(0), 0, "");
        vm.stopPrank();
    }

    function test_unsettledStakeIsHalvedAfter30Days() external {
        bytes32 id = bet.ask();
        vm.warp(SETTLE_AT + 30 days - 1);
        vm.expectRevert(abi.encodeWithSelector(Requester.TooEarly.selector, SETTLE_AT + 30 days));
        bet.giveUp();
        vm.warp(SETTLE_AT + 30 days);
        vm.prank(actor("anybody"));
        bet.giveUp();
        assertEq(bet.owed(above), 0.5 ether);
        assertEq(bet.owed(below), 0.5 ether + 1);
        assertEq(bet.requestId(), 0);
        vm.expectRevert(Requester.Settled.selector);
        bet.giveUp();
        vm.expectRevert(Requester.Settled.selector);
        bet.ask();
        // What is still to come of the hub changes nothing.
        vm.recordLogs();
        hub.expire(id);
        (, bool success) = abi.decode(hubLog().data, (uint256, bool));
        assertFalse(success);
        bet.pay(above);
        bet.pay(below);
        assertEq(address(bet).balance, 0);
    }

    function test_settledStakeIsNotHalved() external {
        answer(bet.ask(), "", numberReport(STRIKE));
        vm.warp(SETTLE_AT + 31 days);
        vm.expectRevert(Requester.Settled.selector);
        bet.giveUp();
    }

    function test_betOfOneAgainstItselfLosesNothing() external {
        bet = make(above, above);
        vm.warp(SETTLE_AT + 30 days);
        bet.giveUp();
        bet.pay(above);
        assertEq(above.balance, 1 ether + 1);
    }

    /// M22: whoever is paid is not paid again from within, and whoever takes no ETH keeps nobody else from theirs.
    function test_M22_eachIsPaidOnceAndOnTheirOwn() external {
        Refuser refuser = new Refuser();
        bet = make(address(refuser), below);
        vm.warp(SETTLE_AT + 30 days);
        bet.giveUp();
        vm.expectRevert(abi.encodeWithSelector(Requester.PaymentFailed.selector, address(refuser)));
        bet.pay(address(refuser));
        bet.pay(below);
        assertEq(below.balance, 0.5 ether + 1);
        assertEq(bet.owed(address(refuser)), 0.5 ether);

        Reentrant thief = new Reentrant();
        bet = make(address(thief), below);
        bet.giveUp();
        bytes memory pay = abi.encodeCall(bet.pay, (address(thief)));
        thief.run(address(bet), pay, pay);
        assertEq(address(thief).balance, 0.5 ether);
        assertEq(thief.succeeded(), 0);
        assertEq(thief.why(), abi.encodeWithSelector(Requester.NothingOwed.selector, address(thief)));
    }

    /// Asking is all that anybody can do before the answer is there.
    function test_nothingIsOwedBeforeTheAnswer() external {
        bet.ask();
        vm.expectRevert(abi.encodeWithSelector(Requester.NothingOwed.selector, above));
        bet.pay(above);
    }

    function make(address above_, address below_) private returns (Requester) {
        string[] memory pieces = new string[](3);
        (pieces[0], pieces[1], pieces[2]) = ("{\"decimals\":2,\"name\":\"", "-", "\"}");
        string[] memory params = new string[](2);
        (params[0], params[1]) = ("eth", "usd");
        vm.deal(address(this), 1 ether + 1);
        return
            new Requester{value: 1 ether + 1}(
                IRequestHub(address(hub)), above_, below_, STRIKE, SETTLE_AT, pieces, params
            );
    }
}
