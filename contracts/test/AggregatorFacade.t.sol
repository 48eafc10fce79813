// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// The Chainlink facade over a real store: what it answers, what it refuses, and a consumer that knows only Chainlink.

import {AggregatorConsumer} from "../examples/AggregatorConsumer.sol";
import {AggregatorFacade} from "../src/AggregatorFacade.sol";
import {AggregatorV3Interface, IAggregatorFacade} from "../src/interfaces/AggregatorV3Interface.sol";
import {IFeedStore} from "../src/interfaces/IFeedStore.sol";
import {Meaning} from "../src/lib/Meaning.sol";
import {Values} from "../src/lib/Values.sol";
import {StoredFeeds} from "./base/StoredFeeds.sol";

/// @title Tests of AggregatorFacade
contract AggregatorFacadeTest is StoredFeeds {
    uint256 private constant MAX_AGE = 40;

    bytes private btc;
    bytes32 private btcId;
    AggregatorFacade private facade;

    function setUp() public override {
        super.setUp();
        btc = meaningOf("btc-usd", "USD", 8);
        btcId = keccak256(btc);
        push(btc, 65_000e8);
        facade = new AggregatorFacade(store, btc, MAX_AGE);
        vm.warp(START + 2 days);
    }

    // What it answers

    function test_SelectorsAreChainlinks() external pure {
        _same(AggregatorV3Interface.decimals.selector, 0x313ce567);
        _same(AggregatorV3Interface.description.selector, 0x7284e416);
        _same(AggregatorV3Interface.version.selector, 0x54fd4d50);
        _same(AggregatorV3Interface.getRoundData.selector, 0x9a6fc8f5);
        _same(AggregatorV3Interface.latestRoundData.selector, 0xfeaf968c);
        _same(IAggregatorFacade.latestAnswer.selector, 0x50d25bcd);
        _same(IAggregatorFacade.latestTimestamp.selector, 0x8205bf6a);
        _same(IAggregatorFacade.latestRound.selector, 0x668a0f02);
    }

    function test_ARoundIsAReport() external {
        uint256 attestedAtMs = nowMs() - 750;
        push(btc, 64_321.5e8, okMeta(attestedAtMs - 2000), attestedAtMs);
        (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound) =
            facade.latestRoundData();
        assertEq(roundId, attestedAtMs, "T");
        assertEq(answer, 64_321.5e8, "answer");
        // 2.75 s ago, in the second before.
        assertEq(updatedAt, START + 2 days - 3, "source time");
        assertEq(startedAt, updatedAt, "started");
        assertEq(answeredInRound, roundId, "answered in");
        assertEq(facade.latestAnswer(), answer);
        assertEq(facade.latestTimestamp(), updatedAt);
        assertEq(facade.latestRound(), roundId);
    }

    function test_WhatItIs() external {
        assertEq(facade.decimals(), 8);
        assertEq(facade.description(), "BTC / USD");
        assertEq(facade.version(), 1);
        assertEq(address(facade.store()), address(store));
        assertEq(facade.feedId(), btcId);
        assertEq(facade.maxAgeS(), MAX_AGE);
        assertEq(_facadeOf(meaningOf("x-y2", "y2", 36)).decimals(), 36);
    }

    function test_DescriptionIsTheSymbolWhereTheNameIsOne() external {
        assertEq(_facadeOf(meaningOf("1inch-eth", "ETH", 18)).description(), "1INCH / ETH");
        assertEq(_facadeOf(meaningOf("x-1", "1", 0)).description(), "X / 1");
        assertEq(_facadeOf(meaningOf("btc-usdt", "USD", 8)).description(), "btc-usdt");
        assertEq(_facadeOf(meaningOf("btc-usd", "USDT", 8)).description(), "btc-usd");
        assertEq(_facadeOf(meaningOf("btcxusd", "USD", 8)).description(), "btcxusd");
        assertEq(_facadeOf(meaningOf("wrapped-btc-usd", "USD", 8)).description(), "wrapped-btc-usd");
        assertEq(_facadeOf(meaningOf("usd", "USD", 8)).description(), "usd");
        assertEq(_facadeOf(meaningOf("a", "1", 8)).description(), "a");
        assertEq(_facadeOf(meaningOf("ams-temperature", "Cel", 2)).description(), "ams-temperature");
    }

    function test_OnlyTheLatestRoundIsKept() external {
        push(btc, 1e8);
        uint80 first = uint80(nowMs());
        (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound) =
            facade.getRoundData(first);
        assertEq(abi.encode(roundId, answer, startedAt, updatedAt, answeredInRound), _latest());
        vm.expectRevert(abi.encodeWithSelector(IAggregatorFacade.NoHistory.selector, first - 1, first));
        facade.getRoundData(first - 1);
        vm.expectRevert(abi.encodeWithSelector(IAggregatorFacade.NoHistory.selector, first + 1, first));
        facade.getRoundData(first + 1);

        push(btc, 2e8, okMeta(nowMs()), nowMs() + 1);
        assertEq(facade.latestRound(), first + 1, "rises");
        vm.expectRevert(abi.encodeWithSelector(IAggregatorFacade.NoHistory.selector, first, first + 1));
        facade.getRoundData(first);
    }

    function testFuzz_AnyInt176IsAnsweredAsItIs(int256 value) external {
        value = bound(value, type(int176).min, type(int176).max);
        push(btc, value);
        assertEq(facade.latestAnswer(), value);
    }

    // What it refuses

    function test_TheReadersBoundCountsToItsLastSecond() external {
        uint256 observed = nowMs();
        push(btc, 1e8);
        vm.warp(observed / 1000 + MAX_AGE);
        assertEq(facade.latestAnswer(), 1e8);
        vm.warp(observed / 1000 + MAX_AGE + 1);
        _refusesAll(abi.encodeWithSelector(Values.Stale.selector, btcId, observed));
        // A second that has begun counts whole.
        observed = nowMs() - 1;
        push(btc, 2e8, okMeta(observed), observed);
        vm.warp((observed + 1) / 1000 + MAX_AGE - 1);
        assertEq(facade.latestAnswer(), 2e8);
        vm.warp((observed + 1) / 1000 + MAX_AGE);
        _refusesAll(abi.encodeWithSelector(Values.Stale.selector, btcId, observed));
    }

    function test_TheFeedsValidityCountsToItsLastSecond() external {
        AggregatorFacade patient = new AggregatorFacade(store, btc, type(uint256).max);
        uint256 observed = nowMs();
        push(btc, 1e8);
        vm.warp(observed / 1000 + 60);
        assertEq(patient.latestAnswer(), 1e8);
        vm.warp(observed / 1000 + 61);
        vm.expectRevert(abi.encodeWithSelector(Values.Stale.selector, btcId, observed));
        patient.latestAnswer();
    }

    function test_EveryStatusButOkIsRefused() external {
        for (uint256 status = 1; status < 10; ++status) {
            push(btc, 1e8, packMeta(nowMs(), 60, status, 3, 0, 0), nowMs() + status);
            _refusesAll(abi.encodeWithSelector(Values.NotOk.selector, btcId, status));
        }
        push(btc, 1e8, okMeta(nowMs()), nowMs() + 10);
        assertEq(facade.latestAnswer(), 1e8);
    }

    function test_AHashIsNoNumber() external {
        // What no honest committee signs under this id.
        push(btc, 1e8, packMeta(nowMs(), 60, 0, 3, 1, 0), nowMs());
        _refusesAll(abi.encodeWithSelector(Values.WrongKind.selector, btcId, 1));
    }

    function test_ASourceAheadOfBlockTimeIsOfAgeZero() external {
        uint256 ahead = nowMs() + 30_000;
        push(btc, 1e8, okMeta(ahead), ahead);
        assertEq(facade.latestRound(), ahead);
        assertEq(facade.latestTimestamp(), START + 2 days);
        // What consumers do with it does not underflow.
        assertEq(new AggregatorConsumer(facade, 0).valueOf(address(this)), 0);
    }

    function test_OnlyANumberThatTheStoreKnowsCanBeServed() external {
        bytes memory eth = meaningOf("eth-usd", "USD", 8);
        vm.expectRevert(abi.encodeWithSelector(IFeedStore.UnknownFeed.selector, keccak256(eth)));
        this.deploy(eth);
        bytes memory candle = meaningOf("btc-usd-candle", "USD", 8, CANDLE);
        push(candle, 1e8, packMeta(nowMs(), 60, 0, 3, 1, 0), nowMs());
        vm.expectRevert(abi.encodeWithSelector(Values.WrongKind.selector, keccak256(candle), 1));
        this.deploy(candle);
        vm.expectRevert(abi.encodeWithSelector(Meaning.MalformedMeaning.selector, 0));
        this.deploy("BTC / USD");
    }

    function test_AStoreThatGivesNoReadingIsNotBelieved() external {
        // It stops, reverts, reverts with 256 bytes, answers 255.
        bytes[4] memory codes = [bytes(hex"00"), hex"5f5ffd", hex"6101005ffd", hex"60ff5ff3"];
        for (uint256 i = 0; i < codes.length; ++i) {
            vm.etch(address(store), codes[i]);
            vm.expectRevert(abi.encodeWithSelector(IFeedStore.UnknownFeed.selector, btcId));
            facade.latestAnswer();
        }
    }

    function test_OtherSelectorsAreRefused() external view {
        bytes4[5] memory selectors = [bytes4(0xb5ab58dc), 0xb633620c, 0x245a7bfc, 0x22adbc78, 0xffffffff];
        for (uint256 i = 0; i < selectors.length; ++i) {
            _unknown(abi.encodeWithSelector(selectors[i], 1));
        }
        _unknown("");
        _unknown(hex"50d25b");
    }

    // A consumer that knows only Chainlink

    function test_AVaultValuesDeposits() external {
        AggregatorConsumer vault = new AggregatorConsumer(facade, MAX_AGE);
        vm.deal(actor("alice"), 3 ether);
        vm.startPrank(actor("alice"));
        vault.deposit{value: 2 ether}();
        push(btc, 65_000.5e8);
        assertEq(vault.valueOf(actor("alice")), 130_001e18);
        vault.withdraw(1.5 ether);
        assertEq(vault.valueOf(actor("alice")), 32_500.25e18);
        assertEq(actor("alice").balance, 2.5 ether);
        vm.expectRevert(abi.encodeWithSelector(AggregatorConsumer.InsufficientDeposit.selector, 0.5 ether));
        vault.withdraw(0.5 ether + 1);
        vm.stopPrank();
    }

    function test_AVaultThatCannotPayOutKeepsTheDeposit() external {
        AggregatorConsumer vault = new AggregatorConsumer(facade, MAX_AGE);
        vault.deposit{value: 1 ether}();
        vm.expectRevert(AggregatorConsumer.SendFailed.selector);
        vault.withdraw(1 ether);
        assertEq(vault.depositOf(address(this)), 1 ether);
    }

    function test_AVaultRefusesPricesOfZeroAndBelow() external {
        AggregatorConsumer vault = new AggregatorConsumer(facade, MAX_AGE);
        push(btc, 0);
        vm.expectRevert(abi.encodeWithSelector(AggregatorConsumer.InvalidPrice.selector, 0));
        vault.valueOf(address(this));
        push(btc, -37.63e8, okMeta(nowMs()), nowMs() + 1);
        vm.expectRevert(abi.encodeWithSelector(AggregatorConsumer.InvalidPrice.selector, -37.63e8));
        vault.valueOf(address(this));
    }

    // Incidents

    function test_I28_ABoundIsNeverAnsweredForThePriceOutsideIt() external {
        AggregatorConsumer vault = new AggregatorConsumer(facade, type(uint256).max);
        // What the committee would have clamped to, out of range (7) or clamped by a source (3): it has the number…
        push(btc, 0.1e8, packMeta(nowMs(), 60, 7, 3, 0, 0), nowMs());
        assertEq(store.tryRead(btcId).value, 0.1e8);
        vm.expectRevert(abi.encodeWithSelector(Values.NotOk.selector, btcId, 7));
        vault.valueOf(address(this));
        push(btc, 0.1e8, packMeta(nowMs(), 60, 3, 3, 0, 0), nowMs() + 1);
        vm.expectRevert(abi.encodeWithSelector(Values.NotOk.selector, btcId, 3));
        vault.valueOf(address(this));
    }

    function test_I36_AConsumerThatNeverChecksAgesGetsNoOldPrice() external {
        AggregatorConsumer vault = new AggregatorConsumer(facade, type(uint256).max);
        uint256 observed = nowMs();
        push(btc, 1e8);
        vm.warp(observed / 1000 + 6 hours);
        assertEq(store.tryRead(btcId).value, 1e8, "still there");
        vm.expectRevert(abi.encodeWithSelector(Values.Stale.selector, btcId, observed));
        vault.valueOf(address(this));
    }

    function test_I44_APriceThatLagsIsOldHoweverOftenItIsPushed() external {
        AggregatorConsumer vault = new AggregatorConsumer(facade, 30);
        uint256 observed = nowMs();
        push(btc, 1e8);
        vm.warp(observed / 1000 + 32);
        // A report of now, of what a source said half a minute ago: the consumer's own check sees its age…
        push(btc, 1e8, okMeta(observed), nowMs());
        assertEq(facade.latestRound(), nowMs());
        vm.expectRevert(abi.encodeWithSelector(AggregatorConsumer.StalePrice.selector, observed / 1000));
        vault.valueOf(address(this));
        // …and so does the facade's.
        vm.warp(observed / 1000 + 50);
        push(btc, 1e8, okMeta(observed), nowMs());
        vm.expectPartialRevert(Values.Stale.selector);
        facade.latestAnswer();
    }

    function test_I48_AnotherFeedCannotCallItselfThisOne() external {
        bytes memory rswETH = meaningOf("rsweth-usd", "USD", 8);
        push(rswETH, 3_000e8);
        push(btc, 65_000e8);
        AggregatorFacade other = new AggregatorFacade(store, rswETH, MAX_AGE);
        // Whoever looks at an address before listing it sees what it is of: text and number come from the same bytes.
        assertEq(other.description(), "RSWETH / USD");
        assertEq(other.latestAnswer(), 3_000e8);
        assertEq(new AggregatorFacade(store, btc, MAX_AGE).latestAnswer(), 65_000e8);
    }

    function test_I50_DecimalsThatTheCommitteeDoesNotDeclareCannotBeDeployed() external {
        bytes memory off = meaningOf("btc-usd", "USD", 18);
        vm.expectRevert(abi.encodeWithSelector(IFeedStore.UnknownFeed.selector, keccak256(off)));
        this.deploy(off);
        assertEq(10 ** uint256(facade.decimals()), 1e8);
    }

    function test_I72_MoreDecimalsAreAnotherFeedWithAnotherFacade() external {
        bytes memory finer = meaningOf("btc-usd", "USD", 18);
        push(finer, 65_000e18);
        push(btc, 64_999e8);
        AggregatorFacade another = _facadeOf(finer);
        assertEq(facade.latestAnswer() * 1e10 / int256(10 ** uint256(facade.decimals())), 64_999e10);
        assertNotEq(another.feedId(), facade.feedId());
        assertEq(another.decimals(), 18);
        assertEq(facade.decimals(), 8);
    }

    /// Token units passed where value units are expected: the unit is in the feed's id, so what was signed in one is of no
    /// feed in another, and a facade says the unit of what it answers.
    function test_I73_aNumberInAnotherUnitIsAnotherFeed() external {
        bytes memory inTokens = meaningOf("fee", "WETH", 8);
        bytes memory inValue = meaningOf("fee", "USD", 8);
        push(inTokens, 2e8);
        vm.expectRevert(abi.encodeWithSelector(IFeedStore.UnknownFeed.selector, keccak256(inValue)));
        this.deploy(inValue);
        vm.expectRevert(abi.encodeWithSelector(IFeedStore.UnknownFeed.selector, keccak256(inValue)));
        store.read(keccak256(inValue), 60);
        push(inValue, 6_000e8);
        AggregatorFacade fee = this.deploy(inValue);
        assertEq(fee.latestAnswer(), 6_000e8);
        assertEq(_facadeOf(inTokens).latestAnswer(), 2e8, "what the wrong unit would have been");
        assertNotEq(fee.feedId(), _facadeOf(inTokens).feedId());
    }

    /// A call of its own: what is expected to revert ends the call that it happens in.
    function deploy(bytes memory meaning) external returns (AggregatorFacade) {
        return new AggregatorFacade(store, meaning, MAX_AGE);
    }

    function _facadeOf(bytes memory meaning) private returns (AggregatorFacade) {
        if (store.tryRead(keccak256(meaning)).attestedAtMs == 0) push(meaning, 1);
        return new AggregatorFacade(store, meaning, MAX_AGE);
    }

    function _latest() private view returns (bytes memory) {
        (bool ok, bytes memory answer) = address(facade).staticcall(hex"feaf968c");
        assertTrue(ok);
        return answer;
    }

    /// Every function that answers from the store reverts with `reason`.
    function _refusesAll(bytes memory reason) private view {
        bytes[5] memory calls = [
            abi.encodePacked(AggregatorV3Interface.latestRoundData.selector),
            abi.encodeWithSelector(AggregatorV3Interface.getRoundData.selector, store.tryRead(btcId).attestedAtMs),
            abi.encodePacked(IAggregatorFacade.latestAnswer.selector),
            abi.encodePacked(IAggregatorFacade.latestTimestamp.selector),
            abi.encodePacked(IAggregatorFacade.latestRound.selector)
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool ok, bytes memory answer) = address(facade).staticcall(calls[i]);
            assertFalse(ok, "answered");
            assertEq(answer, reason);
        }
    }

    function _unknown(bytes memory call) private view {
        (bool ok, bytes memory answer) = address(facade).staticcall(call);
        assertFalse(ok, "answered");
        assertEq(answer, abi.encodePacked(IAggregatorFacade.UnknownFunction.selector));
    }

    function _same(bytes4 ours, bytes4 theirs) private pure {
        assertEq(bytes32(ours), bytes32(theirs));
    }
}
