// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// The lending market: every move, every refusal, and what nobody can do with a choice of reports.

import {LendingMarket} from "../examples/LendingMarket.sol";
import {AssayConsumer} from "../src/AssayConsumer.sol";
import {Feed, IReportVerifier} from "../src/interfaces/IReportVerifier.sol";
import {Values} from "../src/lib/Values.sol";
import {Verification} from "../src/lib/Verification.sol";
import {Dollar, HookedDollar, Reentrant, Refuser} from "./base/Counterparties.sol";
import {Committee, Reports} from "./base/Reports.sol";

/// @title Tests of the example of a consumer by pull
contract ExamplesLendingMarketTest is Reports {
    bytes32 private constant FEED = keccak256("eth-usd");
    uint128 private constant CAP = 1_000_000e6;

    Committee private c;
    Dollar private dollar;
    LendingMarket private market;
    address private alice;
    address private bob;

    function setUp() external {
        c = makeCommittee("lending", 4);
        dollar = new Dollar();
        market = new LendingMarket(c.registry, FEED, 8, dollar, CAP);
        (alice, bob) = (actor("alice"), actor("bob"));
        fund(market, dollar);
    }

    // Moves

    function test_borrowUpToThreeQuartersOfTheCollateral() external {
        borrow(alice, 1500e6, priceReport(2000e8));
        assertEq(dollar.balanceOf(alice), 1500e6);
        assertEq(market.debtOf(alice), 1500e6);
        assertEq(market.totalDebt(), 1500e6);
        bytes memory report = priceReport(2000e8);
        vm.expectRevert(abi.encodeWithSelector(LendingMarket.NotEnoughCollateral.selector, 1500e6 + 1, 2000e6));
        borrow(alice, 1, report);
    }

    function test_repaidDebtFreesTheCollateral() external {
        borrow(alice, 1500e6, priceReport(2000e8));
        vm.startPrank(alice);
        dollar.approve(address(market), type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(LendingMarket.NotEnough.selector, 1500e6 + 1, 1500e6));
        market.repay(1500e6 + 1);
        market.repay(1500e6);
        market.withdraw(1 ether);
        vm.expectRevert(abi.encodeWithSelector(LendingMarket.NotEnough.selector, 1, 0));
        market.withdraw(1);
        vm.stopPrank();
        assertEq(alice.balance, 10 ether);
        assertEq(market.totalDebt(), 0);
    }

    function test_withdrawLeavesTheDebtCovered() external {
        borrow(alice, 750e6, priceReport(2000e8));
        bytes memory input = abi.encodeCall(market.withdraw, (0.5 ether + 1));
        bytes memory report = priceReport(2000e8);
        vm.expectRevert(abi.encodeWithSelector(LendingMarket.NotEnoughCollateral.selector, 750e6, 1000e6 - 1));
        asCaller(alice, withReport(input, report));
        input = abi.encodeCall(market.withdraw, (0.5 ether));
        vm.expectRevert(Verification.NoReport.selector);
        asCaller(alice, input);
        asCaller(alice, withReport(input, report));
        assertEq(market.collateralOf(alice), 0.5 ether);
    }

    function test_lendersTakeOutWhatIsNotBorrowed() external {
        borrow(alice, 1500e6, priceReport(2000e8));
        vm.startPrank(bob);
        vm.expectRevert(abi.encodeWithSelector(LendingMarket.NotEnough.selector, 500_000e6 + 1, 500_000e6));
        market.takeBack(500_000e6 + 1);
        vm.expectRevert();
        market.takeBack(500_000e6);
        market.takeBack(500_000e6 - 1500e6);
        vm.stopPrank();
        assertEq(market.lentBy(bob), 1500e6);
    }

    function test_liquidationPaysTheDebtAndTakesFivePercentMore() external {
        borrow(alice, 1500e6, priceReport(2000e8));
        bytes memory input = abi.encodeCall(market.liquidate, (alice, 700e6));
        bytes memory report = priceReport(1875e8);
        vm.expectRevert(abi.encodeWithSelector(LendingMarket.NotLiquidatable.selector, alice));
        asCaller(bob, withReport(input, report));
        uint256 before = bob.balance;
        asCaller(bob, withReport(input, priceReport(1800e8)));
        uint256 seized = 0.408333333333333333 ether;
        assertEq(bob.balance - before, seized);
        assertEq(market.collateralOf(alice), 1 ether - seized);
        assertEq(market.debtOf(alice), 800e6);
        assertEq(market.totalDebt(), 800e6);
    }

    /// More than the debt is not refused, so that repaying a little beforehand stops no liquidation; nor is it taken.
    function test_liquidationTakesAtMostTheDebt() external {
        borrow(alice, 1500e6, priceReport(2000e8));
        uint256 before = dollar.balanceOf(bob);
        asCaller(bob, withReport(abi.encodeCall(market.liquidate, (alice, type(uint128).max)), priceReport(1800e8)));
        assertEq(before - dollar.balanceOf(bob), 1500e6);
        assertEq(market.debtOf(alice), 0);
    }

    function test_liquidationTakesAtMostTheCollateral() external {
        borrow(alice, 1500e6, priceReport(2000e8));
        bytes memory report = priceReport(1000e8);
        vm.expectRevert(abi.encodeWithSelector(LendingMarket.NotEnough.selector, 1.575 ether, 1 ether));
        asCaller(bob, withReport(abi.encodeCall(market.liquidate, (alice, 1500e6)), report));
        asCaller(bob, withReport(abi.encodeCall(market.liquidate, (alice, 900e6)), report));
        assertEq(market.collateralOf(alice), 0.055 ether);
    }

    // Prices

    /// I42: no more than the cap is owed in the token's value, however high the collateral is valued.
    function test_I42_allDebtsTogetherStayBelowTheCap() external {
        LendingMarket small = new LendingMarket(c.registry, FEED, 8, dollar, 1000e6);
        fund(small, dollar);
        market = small;
        borrow(alice, 999e6, priceReport(1_000_000e8));
        bytes memory report = priceReport(1_000_000e8);
        vm.expectRevert(abi.encodeWithSelector(LendingMarket.OverCap.selector, 1000e6));
        borrow(bob, 1e6 + 1, report);
        borrow(bob, 1e6, report);
        vm.expectRevert(abi.encodeWithSelector(LendingMarket.OverCap.selector, 1000e6));
        borrow(bob, type(uint128).max, report);
    }

    /// I28, I42, I78: with HALT, CLAMPED, OUT_OF_RANGE or any other status but OK nobody borrows or is liquidated.
    function test_I28_I42_I78_nothingMovesUnlessThePriceIsOk() external {
        borrow(alice, 1500e6, priceReport(2000e8));
        for (uint256 status = 1; status < 10; ++status) {
            vm.warp(vm.getBlockTimestamp() + 1);
            bytes memory report = feedReport(1000e8, packMeta(nowMs(), 60, status, 3, 0, 0));
            bytes memory refusal = abi.encodeWithSelector(Values.NotOk.selector, FEED, status);
            vm.expectRevert(refusal);
            borrow(bob, 1, report);
            vm.expectRevert(refusal);
            asCaller(bob, withReport(abi.encodeCall(market.liquidate, (alice, 1)), report));
            vm.expectRevert(refusal);
            asCaller(alice, withReport(abi.encodeCall(market.withdraw, (1)), report));
            vm.expectRevert(refusal);
            asCaller(bob, withReport(abi.encodeCall(market.isLiquidatable, (alice)), report));
        }
    }

    /// I78: price and source time are one signed fact; no part of it can be of another moment.
    function test_I78_priceAndTimeCannotBeTakenApart() external {
        bytes memory older = priceReport(2000e8);
        bytes memory newer = priceReport(1000e8);
        // Word of the older report, meta of the newer one.
        bytes memory mixed = overwrite(newer, 25 + 64, slice(older, 25 + 64, 25 + 96));
        assertEq(mixed.length, newer.length);
        vm.expectPartialRevert(IReportVerifier.BadSignature.selector);
        borrow(alice, 1, mixed);
        // And the other way round.
        mixed = overwrite(newer, 25 + 96, slice(older, 25 + 96, 25 + 128));
        vm.expectPartialRevert(IReportVerifier.BadSignature.selector);
        borrow(alice, 1, mixed);
    }

    function test_I36_I44_pricesOfMoreThanAMinuteAreStale() external {
        bytes memory report = feedReport(2000e8, packMeta(nowMs(), 3600, 0, 3, 0, 0));
        vm.warp(START + 61);
        vm.expectRevert(abi.encodeWithSelector(Values.Stale.selector, FEED, START * 1000));
        borrow(alice, 1, report);
        vm.warp(START + 60);
        borrow(alice, 1, report);
    }

    /// Of two reports that are both valid nobody picks the one that suits: the older one is gone once the newer is used.
    function test_nobodyChoosesAmongValidReports() external {
        bytes memory high = priceReport(2200e8);
        uint256 highMs = nowMs();
        bytes memory low = priceReport(1800e8);
        uint256 lowMs = nowMs();
        borrow(bob, 1, low);
        vm.expectRevert(abi.encodeWithSelector(AssayConsumer.OlderThanUsed.selector, FEED, highMs, lowMs));
        borrow(alice, 1600e6, high);
        borrow(alice, 1350e6, low);
        // Nor does a keeper, once a later price is in use.
        bytes memory recovered = priceReport(1900e8);
        uint256 recoveredMs = nowMs();
        bytes memory input = abi.encodeCall(market.liquidate, (alice, 1));
        borrow(bob, 1, recovered);
        vm.expectRevert(abi.encodeWithSelector(AssayConsumer.OlderThanUsed.selector, FEED, lowMs, recoveredMs));
        asCaller(bob, withReport(input, low));
        asCaller(bob, withReport(abi.encodeCall(market.liquidate, (alice, 1)), priceReport(1600e8)));
    }

    function test_priceIsAboveZeroAndOf128Bits() external {
        int256[4] memory wrong = [int256(0), -1, int256(2 ** 128), int256(2 ** 175) - 1];
        for (uint256 i = 0; i < wrong.length; ++i) {
            bytes memory report = priceReport(wrong[i]);
            vm.expectRevert(abi.encodeWithSelector(LendingMarket.NoPrice.selector, wrong[i]));
            borrow(alice, 1, report);
        }
        borrow(alice, 1, priceReport(2 ** 128 - 1));
    }

    /// I72: a price of other decimals is another feed, and no market is made for decimals that it could not scale.
    function test_I72_decimalsAreBounded() external {
        this.deploy(18);
        vm.expectRevert(LendingMarket.TooManyDecimals.selector);
        this.deploy(19);
        vm.mockCall(address(dollar), abi.encodeCall(dollar.decimals, ()), abi.encode(uint8(19)));
        vm.expectRevert(LendingMarket.TooManyDecimals.selector);
        this.deploy(8);
        vm.clearMockedCalls();
    }

    /// A call of its own: after a creation that is expected to revert, a test would end without a word.
    function deploy(uint8 feedDecimals) external returns (LendingMarket) {
        return new LendingMarket(c.registry, FEED, feedDecimals, dollar, CAP);
    }

    // Several at once

    function test_keeperAsksForManyWithOneReport() external {
        borrow(alice, 1500e6, priceReport(2000e8));
        borrow(bob, 10e6, priceReport(2000e8));
        bytes[] memory calls = new bytes[](3);
        calls[0] = withReport(abi.encodeCall(market.isLiquidatable, (alice)), priceReport(1800e8));
        calls[1] = abi.encodeCall(market.isLiquidatable, (bob));
        calls[2] = abi.encodeCall(market.isLiquidatable, (actor("nobody")));
        vm.prank(actor("keeper"));
        bytes[] memory answers = market.multicall(calls);
        assertTrue(abi.decode(answers[0], (bool)), "alice");
        assertFalse(abi.decode(answers[1], (bool)), "bob");
        assertFalse(abi.decode(answers[2], (bool)), "nobody");
    }

    /// What only tells is no way around the guard of what moves: each move brings a report of its own.
    function test_movesInAMulticallUseNoReportThatWasOnlyTold() external {
        bytes[] memory calls = new bytes[](2);
        calls[0] = withReport(abi.encodeCall(market.isLiquidatable, (alice)), priceReport(9000e8));
        calls[1] = abi.encodeCall(market.borrow, (3000e6));
        vm.prank(alice);
        vm.expectRevert(Verification.NoReport.selector);
        market.multicall(calls);
        bytes memory report = priceReport(2000e8);
        calls[1] = withReport(calls[1], report);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(LendingMarket.NotEnoughCollateral.selector, 3000e6, 2000e6));
        market.multicall(calls);
    }

    /// The same ETH is not counted twice.
    function test_multicallTakesNoEth() external {
        bytes[] memory calls = new bytes[](2);
        calls[0] = calls[1] = abi.encodeCall(market.deposit, ());
        vm.prank(alice);
        (bool done,) = address(market).call{value: 1 ether}(abi.encodeCall(market.multicall, (calls)));
        assertFalse(done);
        vm.prank(alice);
        market.multicall(calls);
        assertEq(market.collateralOf(alice), 1 ether, "as before");
    }

    // Calling back in

    /// M22: whoever is paid finds the accounts settled: nothing is withdrawn or borrowed twice.
    function test_M22_withdrawalCannotBeRepeatedFromWithin() external {
        Reentrant thief = new Reentrant();
        thief.run{value: 1 ether}(address(market), abi.encodeCall(market.deposit, ()), "");
        bytes memory withdraw = abi.encodeCall(market.withdraw, (1 ether));
        thief.run(address(market), withdraw, withdraw);
        assertEq(address(thief).balance, 1 ether);
        assertEq(thief.succeeded(), 0);
        assertEq(thief.why(), abi.encodeWithSelector(LendingMarket.NotEnough.selector, 1 ether, 0));
    }

    function test_M22_borrowCannotBeRepeatedFromWithin() external {
        HookedDollar hooked = new HookedDollar();
        market = new LendingMarket(c.registry, FEED, 8, hooked, CAP);
        fund(market, hooked);
        Reentrant thief = new Reentrant();
        thief.run{value: 1 ether}(address(market), abi.encodeCall(market.deposit, ()), "");
        bytes memory input = withReport(abi.encodeCall(market.borrow, (1500e6)), priceReport(2000e8));
        thief.run(address(market), input, input);
        assertEq(hooked.balanceOf(address(thief)), 1500e6);
        assertEq(thief.succeeded(), 0);
        assertEq(thief.why(), abi.encodeWithSelector(LendingMarket.NotEnoughCollateral.selector, 3000e6, 2000e6));
    }

    function test_ethThatNobodyTakesStays() external {
        Refuser refuser = new Refuser();
        refuser.run{value: 1 ether}(address(market), 1 ether, abi.encodeCall(market.deposit, ()));
        (bool done, bytes memory why) = refuser.run(address(market), 0, abi.encodeCall(market.withdraw, (1 ether)));
        assertFalse(done);
        assertEq(why, abi.encodeWithSelector(LendingMarket.PaymentFailed.selector, address(refuser)));
        assertEq(market.collateralOf(address(refuser)), 1 ether);
    }

    /// No sequence of amounts and prices lets a borrower take more than the collateral is worth, or panics.
    function testFuzz_debtIsAlwaysCoveredWhenItIsMade(uint128 amount, int128 price, uint128 collateral) external {
        price = int128(bound(price, 1, type(int128).max));
        bytes memory report = priceReport(price);
        address carol = actor("carol");
        vm.deal(carol, collateral);
        vm.prank(carol);
        market.deposit{value: collateral}();
        vm.prank(carol);
        (bool done, bytes memory why) =
            address(market).call(withReport(abi.encodeCall(market.borrow, (amount)), report));
        uint256 worth = uint256(collateral) * uint128(price) / 1e20;
        bool covered = uint256(amount) * 100 <= worth * 75;
        assertEq(done, covered && amount <= 500_000e6);
        if (!done && amount > CAP) assertEq(bytes32(bytes4(why)), bytes32(LendingMarket.OverCap.selector));
        else if (!done && !covered) assertEq(bytes32(bytes4(why)), bytes32(LendingMarket.NotEnoughCollateral.selector));
    }

    // Help

    function fund(LendingMarket to, Dollar token) private {
        token.mint(bob, 1_000_000e6);
        vm.deal(alice, 10 ether);
        vm.deal(bob, 10 ether);
        vm.startPrank(bob);
        token.approve(address(to), type(uint256).max);
        to.lend(500_000e6);
        to.deposit{value: 1 ether}();
        vm.stopPrank();
        vm.prank(alice);
        to.deposit{value: 1 ether}();
    }

    function borrow(address by, uint128 amount, bytes memory report) private {
        asCaller(by, withReport(abi.encodeCall(market.borrow, (amount)), report));
    }

    function asCaller(address by, bytes memory input) private {
        vm.prank(by);
        send(address(market), input);
    }

    function priceReport(int256 price) private returns (bytes memory) {
        vm.warp(vm.getBlockTimestamp() + 1);
        return feedReport(price, okMeta(nowMs()));
    }

    function feedReport(int256 price, uint256 meta) private view returns (bytes memory) {
        return reportOf(c, only(Feed(FEED, bytes32(uint256(price)), meta)), 0);
    }
}
