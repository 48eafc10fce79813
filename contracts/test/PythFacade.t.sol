// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// The Pyth facade over a real store: prices, ages, price ids, and a consumer that knows only Pyth.

import {PythConsumer} from "../examples/PythConsumer.sol";
import {PythFacade} from "../src/PythFacade.sol";
import {IFeedStore} from "../src/interfaces/IFeedStore.sol";
import {IPythRead, Price} from "../src/interfaces/IPythRead.sol";
import {IReportVerifier} from "../src/interfaces/IReportVerifier.sol";
import {Meaning} from "../src/lib/Meaning.sol";
import {Values} from "../src/lib/Values.sol";
import {Verification} from "../src/lib/Verification.sol";
import {PythFacades} from "./base/PythFacades.sol";

/// @title Tests of PythFacade
contract PythFacadeTest is PythFacades {
    // Prices

    function test_SelectorsAndErrorsArePyths() external pure {
        _same(IPythRead.getPriceUnsafe.selector, 0x96834ad3);
        _same(IPythRead.getPriceNoOlderThan.selector, 0xa4ae35e0);
        _same(IPythRead.getPrice.selector, 0x31d98b3f);
        _same(IPythRead.getValidTimePeriod.selector, 0xe18910a3);
        _same(IPythRead.priceFeedExists.selector, 0xb5ec0261);
        _same(IPythRead.getEmaPrice.selector, 0xb5dcc911);
        _same(IPythRead.getEmaPriceUnsafe.selector, 0x9474f45b);
        _same(IPythRead.getEmaPriceNoOlderThan.selector, 0x711a2e28);
        _same(IPythRead.getUpdateFee.selector, 0xd47eed45);
        _same(IPythRead.updatePriceFeeds.selector, 0xef9e5e28);
        _same(IPythRead.updatePriceFeedsIfNecessary.selector, 0xb9256d28);
        _same(IPythRead.PriceFeedNotFound.selector, 0x14aebe68);
        _same(IPythRead.StalePrice.selector, 0x19abf40e);
        _same(IPythRead.NoFreshUpdate.selector, 0xde2c57fa);
        _same(IPythRead.InvalidArgument.selector, 0xa9cb9e0d);
        _same(IPythRead.InvalidUpdateData.selector, 0xe69ffece);
    }

    function test_APriceIsTheFeedsNumber() external {
        uint256 attestedAtMs = nowMs() - 750;
        push(btc, 64_321.5e8 + 1, packMeta(attestedAtMs - 2000, 60, 0, 3, 0, 256), attestedAtMs);
        (bool ok, bytes memory answer) = address(facade).staticcall(abi.encodeWithSelector(0x96834ad3, BTC));
        assertTrue(ok);
        // 256 ppm of it, rounded up; 2.75 s ago, in the second before.
        uint256 conf = 1_646_630_401;
        assertEq(answer, abi.encode(int256(64_321.5e8 + 1), conf, int256(-8), START + 2 days - 3));
        assertEq(abi.encode(facade.getPrice(BTC)), answer);
        assertEq(abi.encode(facade.getPriceNoOlderThan(BTC, 3)), answer);
        assertEq(facade.getValidTimePeriod(), VALID_TIME_PERIOD);
        assertEq(address(facade.store()), address(store));
    }

    function test_NegativePricesKeepAPositiveConfidence() external {
        push(btc, -37.63e8, packMeta(nowMs(), 60, 0, 3, 0, 1), nowMs());
        Price memory price = facade.getPriceUnsafe(BTC);
        assertEq(abi.encode(price.price, price.conf), abi.encode(-37.63e8, 3763));
    }

    function test_PricesBeyondInt64AreRefused() external {
        int256[2] memory fit = [int256(type(int64).max), type(int64).min];
        int256[2] memory step = [int256(1), -1];
        for (uint256 i = 0; i < 2; ++i) {
            push(btc, fit[i], packMeta(nowMs(), 60, 0, 3, 0, 0), nowMs() + 2 * i);
            assertEq(facade.getPriceUnsafe(BTC).price, fit[i]);
            assertEq(facade.getPriceUnsafe(BTC).conf, 0);
            push(btc, fit[i] + step[i], okMeta(nowMs()), nowMs() + 2 * i + 1);
            bytes memory reason = abi.encodeWithSelector(IPythRead.PriceOutOfRange.selector, BTC, fit[i] + step[i]);
            _refuses(reason);
        }
    }

    function test_AHugeSpreadIsAsWideAsCanBeSaid() external {
        push(btc, type(int64).max, packMeta(nowMs(), 60, 0, 3, 0, type(uint32).max), nowMs());
        assertEq(facade.getPriceUnsafe(BTC).conf, type(uint64).max);
    }

    function testFuzz_ConfidenceIsTheSpreadRoundedUp(int64 value, uint32 spread) external {
        push(btc, value, packMeta(nowMs(), 60, 0, 3, 0, spread), nowMs());
        uint256 conf = facade.getPriceUnsafe(BTC).conf;
        uint256 exact = uint256(value < 0 ? -int256(value) : int256(value)) * store.tryRead(btcId).spreadPpm;
        assertLt((conf == 0 ? 0 : conf - 1) * 1_000_000, exact + (conf == 0 ? 1 : 0), "not wider than by one");
        if (conf != type(uint64).max) assertGe(conf * 1_000_000, exact, "never narrower");
    }

    // What is refused

    function test_AgesCountToTheirLastSecond() external {
        uint256 observed = nowMs() / 1000;
        push(btc, 1e8);
        vm.warp(observed + VALID_TIME_PERIOD);
        assertEq(facade.getPrice(BTC).price, 1e8);
        assertEq(facade.getPriceNoOlderThan(BTC, 30).price, 1e8);
        vm.expectRevert(IPythRead.StalePrice.selector);
        facade.getPriceNoOlderThan(BTC, 29);
        vm.warp(observed + VALID_TIME_PERIOD + 1);
        vm.expectRevert(IPythRead.StalePrice.selector);
        facade.getPrice(BTC);
        assertEq(facade.getPriceNoOlderThan(BTC, 31).price, 1e8);
    }

    function test_NoAgeAskedForReachesBeyondTheFeedsValidity() external {
        uint256 observed = nowMs() / 1000;
        push(btc, 1e8);
        vm.warp(observed + 60);
        assertEq(facade.getPriceNoOlderThan(BTC, type(uint256).max).price, 1e8);
        vm.warp(observed + 61);
        vm.expectRevert(IPythRead.StalePrice.selector);
        facade.getPriceNoOlderThan(BTC, type(uint256).max);
    }

    function test_EveryStatusButOkIsRefused() external {
        for (uint256 status = 1; status < 10; ++status) {
            push(btc, 1e8, packMeta(nowMs(), 60, status, 3, 0, 0), nowMs() + status);
            _refuses(abi.encodeWithSelector(Values.NotOk.selector, btcId, status));
        }
        push(btc, 1e8, packMeta(nowMs(), 60, 0, 3, 1, 0), nowMs() + 10);
        _refuses(abi.encodeWithSelector(Values.WrongKind.selector, btcId, 1));
    }

    function test_ASourceAheadOfBlockTimeIsOfAgeZero() external {
        uint256 ahead = nowMs() + 30_000;
        push(btc, 1e8, okMeta(ahead), ahead);
        assertEq(facade.getPriceNoOlderThan(BTC, 0).publishTime, START + 2 days);
    }

    function test_UnknownPriceIdsAreNotFound() external {
        bytes32[3] memory ids = [bytes32(0), btcId, bytes32(uint256(BTC) + 1)];
        for (uint256 i = 0; i < ids.length; ++i) {
            assertFalse(facade.priceFeedExists(ids[i]));
            vm.expectRevert(IPythRead.PriceFeedNotFound.selector);
            facade.getPriceUnsafe(ids[i]);
            vm.expectRevert(IPythRead.PriceFeedNotFound.selector);
            facade.feedOf(ids[i]);
        }
        assertTrue(facade.priceFeedExists(ETH));
    }

    function test_ThereAreNoMovingAverages() external {
        vm.expectRevert(IPythRead.NoMovingAverage.selector);
        facade.getEmaPrice(BTC);
        vm.expectRevert(IPythRead.NoMovingAverage.selector);
        facade.getEmaPriceUnsafe(BTC);
        vm.expectRevert(IPythRead.NoMovingAverage.selector);
        facade.getEmaPriceNoOlderThan(BTC, 60);
    }

    function test_OtherSelectorsAreRefused() external view {
        // parsePriceFeedUpdates, queryPriceFeed, getTwapUpdateFee, nothing at all, three bytes
        bytes[5] memory calls = [bytes(hex"4716e9c5"), hex"caaf43f1", hex"5f674e35", "", hex"96834a"];
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool ok, bytes memory answer) = address(facade).staticcall(calls[i]);
            assertFalse(ok, "answered");
            assertEq(answer, abi.encodePacked(IPythRead.UnknownFunction.selector));
        }
    }

    // Price ids

    function test_AnyNumberOfPriceIds() external {
        PythFacade.PriceId[] memory ids = new PythFacade.PriceId[](11);
        for (uint256 i = 0; i < ids.length; ++i) {
            ids[i] = PythFacade.PriceId(bytes32(i), meaningOf(string.concat("x-", vm.toString(i)), "1", 3 * i));
            push(ids[i].meaning, int256(100 + i));
        }
        PythFacade many = this.deploy(ids);
        for (uint256 i = 0; i < ids.length; ++i) {
            (bytes32 feedId, int32 expo) = many.feedOf(bytes32(i));
            assertEq(feedId, keccak256(ids[i].meaning));
            assertEq(expo, -int256(3 * i));
            Price memory price = many.getPriceUnsafe(bytes32(i));
            assertEq(price.price, int256(100 + i));
            assertEq(price.expo, -int256(3 * i));
            assertTrue(many.priceFeedExists(bytes32(i)));
        }
        assertFalse(many.priceFeedExists(bytes32(ids.length)));
    }

    function test_APriceIdStandsForOneFeed() external {
        PythFacade.PriceId[] memory ids = two();
        ids[1].id = BTC;
        vm.expectRevert(abi.encodeWithSelector(IPythRead.RepeatedPriceId.selector, BTC));
        this.deploy(ids);
    }

    function test_OnlyNumbersThatTheStoreKnowsCanBeServed() external {
        PythFacade.PriceId[] memory ids = two();
        ids[1].meaning = meaningOf("sol-usd", "USD", 8);
        vm.expectRevert(abi.encodeWithSelector(IFeedStore.UnknownFeed.selector, keccak256(ids[1].meaning)));
        this.deploy(ids);
        ids[1].meaning = meaningOf("eth-usd-candle", "USD", 8, CANDLE);
        vm.expectRevert(abi.encodeWithSelector(Values.WrongKind.selector, keccak256(ids[1].meaning), 1));
        this.deploy(ids);
        ids[1].meaning = "ETH/USD";
        vm.expectRevert(abi.encodeWithSelector(Meaning.MalformedMeaning.selector, 0));
        this.deploy(ids);
    }

    function test_WhatAPriceIdStandsForIsSaidAtDeployment() external {
        vm.expectEmit(true, true, false, true);
        emit IPythRead.PriceIdMapped(BTC, btcId, "btc-usd", "USD");
        vm.expectEmit(true, true, false, true);
        emit IPythRead.PriceIdMapped(ETH, keccak256(eth), "eth-usd", "USD");
        this.deploy(two());
    }

    // A consumer that knows only Pyth

    function test_AConsumerBringsAReportAndBuys() external {
        PythConsumer shop = new PythConsumer(facade, BTC, 130);
        bytes[] memory update = updateOf(65_000e8, nowMs());
        vm.deal(actor("alice"), 1 ether);
        vm.startPrank(actor("alice"));
        shop.buy{value: 1 ether}(update);
        assertEq(shop.entriesOf(actor("alice")), 1);
        assertEq(actor("alice").balance, 0.998 ether);
        vm.expectRevert(abi.encodeWithSelector(PythConsumer.InsufficientPayment.selector, 0.002 ether));
        shop.buy{value: 0.002 ether - 1}(update);
        vm.stopPrank();
        vm.deal(address(this), 1 ether);
        vm.expectRevert(PythConsumer.SendFailed.selector);
        shop.buy{value: 1 ether}(update);
    }

    function test_AConsumersOwnChecksWork() external {
        PythConsumer shop = new PythConsumer(facade, BTC, 130);
        push(btc, 0);
        vm.expectRevert(abi.encodeWithSelector(PythConsumer.InvalidPrice.selector, 0));
        shop.costWei();
        push(btc, 1e8, packMeta(nowMs(), 60, 0, 3, 0, 9_216), nowMs() + 1);
        assertEq(shop.costWei(), 130 ether);
        push(btc, 1e8, packMeta(nowMs(), 60, 0, 3, 0, 10_001), nowMs() + 2);
        vm.expectPartialRevert(PythConsumer.UncertainPrice.selector);
        shop.costWei();
    }

    // Incidents

    function test_I28_NoBoundIsGivenForAPriceOutOfRange() external {
        push(btc, 0.1e8, packMeta(nowMs(), 60, 7, 3, 0, 0), nowMs());
        _refuses(abi.encodeWithSelector(Values.NotOk.selector, btcId, 7));
    }

    function test_I36_AnOldPriceIsStaleOrSaysItsAge() external {
        uint256 observed = nowMs() / 1000;
        push(btc, 1e8);
        vm.warp(observed + 6 hours);
        vm.expectRevert(IPythRead.StalePrice.selector);
        facade.getPriceNoOlderThan(BTC, 1 days);
        vm.expectRevert(IPythRead.StalePrice.selector);
        facade.getPrice(BTC);
        vm.expectRevert(IPythRead.StalePrice.selector);
        facade.getPriceUnsafe(BTC);
        // Within its validity the age is for the reader to judge.
        vm.warp(observed + 60);
        assertEq(facade.getPriceUnsafe(BTC).publishTime, observed);
    }

    function test_I44_APriceThatLagsIsOldHoweverOftenItIsPushed() external {
        uint256 observed = nowMs();
        push(btc, 1e8);
        vm.warp(observed / 1000 + 32);
        push(btc, 1e8, okMeta(observed), nowMs());
        vm.expectRevert(IPythRead.StalePrice.selector);
        facade.getPriceNoOlderThan(BTC, 30);
    }

    function test_I50_I72_ExponentsThatTheCommitteeDoesNotDeclareCannotBeDeployed() external {
        PythFacade.PriceId[] memory ids = two();
        ids[0].meaning = meaningOf("btc-usd", "USD", 18);
        vm.expectRevert(abi.encodeWithSelector(IFeedStore.UnknownFeed.selector, keccak256(ids[0].meaning)));
        this.deploy(ids);
        (, int32 expo) = facade.feedOf(ETH);
        assertEq(expo, -10);
    }

    /// All three ways to read bitcoin revert with `reason`.
    function _refuses(bytes memory reason) private {
        vm.expectRevert(reason);
        facade.getPriceUnsafe(BTC);
        vm.expectRevert(reason);
        facade.getPrice(BTC);
        vm.expectRevert(reason);
        facade.getPriceNoOlderThan(BTC, type(uint256).max);
    }

    function _same(bytes4 ours, bytes4 theirs) private pure {
        assertEq(bytes32(ours), bytes32(theirs));
    }
}
