// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// The weather insurance: offers, sales, claims with the weather itself, payments after a day, money back.

import {Policy, WeatherInsurance} from "../examples/WeatherInsurance.sol";
import {FeedStore} from "../src/FeedStore.sol";
import {IFeedStore} from "../src/interfaces/IFeedStore.sol";
import {Feed} from "../src/interfaces/IReportVerifier.sol";
import {Structured} from "../src/lib/Structured.sol";
import {Values} from "../src/lib/Values.sol";
import {Reentrant, Refuser} from "./base/Counterparties.sol";
import {Committee, Reports} from "./base/Reports.sol";

/// @title Tests of the example of a consumer by push
contract ExamplesWeatherInsuranceTest is Reports {
    bytes32 private constant FEED = keccak256("weather-berlin");
    uint40 private constant FROM = uint40(START + 1 days);
    uint40 private constant UNTIL = uint40(START + 8 days);
    int64 private constant THRESHOLD = 2000;

    Committee private c;
    FeedStore private store;
    WeatherInsurance private insurance;
    address private insurer;
    address private holder;
    address private anybody;

    function setUp() external {
        c = makeCommittee("weather", 4);
        store = new FeedStore(c.registry);
        insurance = new WeatherInsurance(store);
        (insurer, holder, anybody) = (actor("insurer"), actor("holder"), actor("anybody"));
        vm.deal(insurer, 100 ether);
        vm.deal(holder, 100 ether);
    }

    // The whole way

    function test_rainIsPaidADayAfterItWasProven() external {
        uint256 id = sold();
        assertEq(insurer.balance, 91 ether, "premium in, payout out");
        bytes memory rain = pushWeather(FROM + 1 hours, THRESHOLD);
        vm.prank(anybody);
        insurance.claim(id, rain);
        vm.warp(FROM + 1 hours + 1 days - 1);
        vm.expectRevert(abi.encodeWithSelector(WeatherInsurance.TooEarly.selector, FROM + 1 hours + 1 days));
        insurance.pay(id);
        vm.warp(FROM + 1 hours + 1 days);
        vm.prank(anybody);
        insurance.pay(id);
        assertEq(holder.balance, 109 ether);
        assertEq(address(insurance).balance, 0);
        requireUnknown(id);
    }

    function test_dryWeekIsTheInsurers() external {
        uint256 id = sold();
        uint256 from = uint256(UNTIL) + 1 hours + 1;
        vm.warp(from - 1);
        vm.prank(insurer);
        vm.expectRevert(abi.encodeWithSelector(WeatherInsurance.TooEarly.selector, from));
        insurance.reclaim(id);
        vm.warp(from);
        vm.prank(insurer);
        insurance.reclaim(id);
        assertEq(insurer.balance, 101 ether);
        requireUnknown(id);
    }

    /// The insurer cannot take the payout away from a claim that stands, nor one that can still be made.
    function test_claimedPolicyCannotBeReclaimed() external {
        uint256 id = sold();
        insurance.claim(id, pushWeather(UNTIL, THRESHOLD));
        vm.warp(uint256(UNTIL) + 1 hours + 1);
        vm.prank(insurer);
        vm.expectRevert(abi.encodeWithSelector(WeatherInsurance.ClaimedAlready.selector, id));
        insurance.reclaim(id);
        vm.expectRevert(abi.encodeWithSelector(WeatherInsurance.ClaimedAlready.selector, id));
        insurance.claim(id, "");
        vm.warp(uint256(UNTIL) + 1 days);
        insurance.pay(id);
    }

    // Offers and sales

    function test_offerIsKeptAsDocumented() external {
        uint256 id = offered();
        Policy memory policy = insurance.policyOf(id);
        assertEq(policy.insurer, insurer);
        assertEq(policy.from, FROM);
        assertEq(policy.until, UNTIL);
        assertEq(policy.holder, address(0));
        assertEq(policy.threshold, THRESHOLD);
        assertEq(policy.premium, 1 ether);
        assertEq(policy.payout, 10 ether);
        assertEq(policy.claimedAtS, 0);
        assertEq(policy.feedId, FEED);
        assertEq(vm.load(address(insurance), 0), bytes32(uint256(1)));
        uint256 slot = uint256(keccak256(abi.encode(id, uint256(1))));
        assertEq(vm.load(address(insurance), bytes32(slot + 3)), FEED);
        assertEq(address(insurance.REGISTRY()), address(c.registry));
    }

    function test_offersAreChecked() external {
        uint40[2][4] memory wrong =
            [[uint40(START), UNTIL], [FROM, FROM], [FROM, FROM - 1], [uint40(0), type(uint40).max]];
        for (uint256 i = 0; i < wrong.length; ++i) {
            vm.expectRevert(WeatherInsurance.InvalidCover.selector);
            insurance.offer{value: 1}(FEED, THRESHOLD, wrong[i][0], wrong[i][1], 1);
        }
        vm.expectRevert(WeatherInsurance.InvalidPayout.selector);
        insurance.offer(FEED, THRESHOLD, FROM, UNTIL, 1);
        vm.deal(insurer, 2 ** 105);
        vm.startPrank(insurer);
        vm.expectRevert(WeatherInsurance.InvalidPayout.selector);
        insurance.offer{value: 2 ** 104}(FEED, THRESHOLD, FROM, UNTIL, 1);
        insurance.offer{value: 2 ** 104 - 1}(FEED, THRESHOLD, FROM, UNTIL, 1);
        vm.stopPrank();
    }

    function test_soldOnceBeforeCoverForThePremium() external {
        uint256 id = offered();
        vm.startPrank(holder);
        vm.expectRevert(abi.encodeWithSelector(WeatherInsurance.WrongPremium.selector, 1 ether));
        insurance.buy{value: 1 ether - 1}(id);
        vm.expectRevert(abi.encodeWithSelector(WeatherInsurance.WrongPremium.selector, 1 ether));
        insurance.buy{value: 1 ether + 1}(id);
        vm.warp(FROM);
        vm.expectRevert(abi.encodeWithSelector(WeatherInsurance.NotForSale.selector, id));
        insurance.buy{value: 1 ether}(id);
        vm.warp(FROM - 1);
        insurance.buy{value: 1 ether}(id);
        vm.expectRevert(abi.encodeWithSelector(WeatherInsurance.NotForSale.selector, id));
        insurance.buy{value: 1 ether}(id);
        vm.stopPrank();
        assertEq(insurance.policyOf(id).holder, holder);
    }

    function test_unsoldOfferIsTakenBackByItsInsurerOnly() external {
        uint256 id = offered();
        address[3] memory others = [holder, anybody, actor("owner")];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.prank(others[i]);
            vm.expectRevert(WeatherInsurance.OnlyInsurer.selector);
            insurance.reclaim(id);
        }
        vm.prank(insurer);
        insurance.reclaim(id);
        assertEq(insurer.balance, 100 ether);
        requireUnknown(id);
    }

    // Claims

    function test_lessRainIsNoClaim() external {
        uint256 id = sold();
        bytes memory drizzle = pushWeather(FROM, THRESHOLD - 1);
        vm.expectRevert(abi.encodeWithSelector(WeatherInsurance.TooDry.selector, THRESHOLD - 1));
        insurance.claim(id, drizzle);
        insurance.claim(id, pushWeather(FROM + 1, THRESHOLD + 1));
    }

    function test_rainOutsideOfCoverIsNoClaim() external {
        uint256 id = sold();
        bytes memory rain = pushWeather(FROM - 1, 9999);
        vm.expectRevert(notCovered((uint256(FROM) - 1) * 1000, nowMs()));
        insurance.claim(id, rain);
        rain = pushWeather(UNTIL + 1, 9999);
        vm.expectRevert(notCovered((uint256(UNTIL) + 1) * 1000, nowMs()));
        insurance.claim(id, rain);
    }

    /// Review finding: the store's source time is rounded to the older side, so that rain of after the cover can look as if
    /// it had been seen within. What was attested by the end cannot.
    function test_rainOfAfterTheCoverIsNoClaimHoweverItsAgeIsRounded() external {
        uint256 id = sold();
        bytes memory rain = weather(9999);
        vm.warp(UNTIL + 50 minutes);
        push(rain, packMeta((uint256(UNTIL) + 1) * 1000, 7200, 0, 3, 1, 0));
        uint256 observedAtMs = store.readEncoded(FEED, rain, 1 hours);
        assertLt(observedAtMs, uint256(UNTIL) * 1000, "it looks covered");
        vm.expectRevert(notCovered(observedAtMs, nowMs()));
        insurance.claim(id, rain);
    }

    function test_claimNeedsAHolder() external {
        uint256 id = offered();
        bytes memory rain = pushWeather(FROM, 9999);
        vm.expectRevert(abi.encodeWithSelector(WeatherInsurance.NotSold.selector, id));
        insurance.claim(id, rain);
    }

    /// Only the bytes whose hash the committee signed are weather.
    function test_inventedWeatherIsNoClaim() external {
        uint256 id = sold();
        bytes memory drizzle = pushWeather(FROM, 1);
        bytes[4] memory invented = [
            abi.encode(int64(1500), int64(9999), int64(300)),
            bytes(""),
            cut(drizzle, 95),
            bytes.concat(drizzle, hex"00")
        ];
        for (uint256 i = 0; i < invented.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Values.WrongBytes.selector, FEED));
            insurance.claim(id, invented[i]);
        }
    }

    /// Signed bytes of another schema are still no weather.
    function test_anotherSchemaIsNoWeather() external {
        uint256 id = sold();
        bytes memory candle = abi.encode([int64(1), 2, 3, 4, 5, 6, 7]);
        vm.warp(FROM);
        push(candle, packMeta(nowMs(), 7200, 0, 3, 1, 0));
        vm.expectRevert(abi.encodeWithSelector(Structured.WrongLength.selector, 224, 96));
        insurance.claim(id, candle);
    }

    function test_I36_weatherOfMoreThanAnHourAgoIsStale() external {
        uint256 id = sold();
        bytes memory rain = pushWeather(FROM, 9999);
        vm.warp(FROM + 1 hours + 1);
        vm.expectRevert(abi.encodeWithSelector(Values.Stale.selector, FEED, uint256(FROM) * 1000));
        insurance.claim(id, rain);
    }

    /// One origin alone has status LOW_CONFIDENCE at best, and nobody is paid on that (I38).
    function test_I38_statusMustBeOk() external {
        uint256 id = sold();
        bytes memory rain = weather(9999);
        vm.warp(FROM);
        push(rain, packMeta(nowMs(), 7200, 1, 1, 1, 0));
        vm.expectRevert(abi.encodeWithSelector(Values.NotOk.selector, FEED, 1));
        insurance.claim(id, rain);
    }

    function test_weatherThatNobodyPushedIsUnknown() external {
        uint256 id = sold();
        vm.warp(FROM);
        vm.expectRevert(abi.encodeWithSelector(IFeedStore.UnknownFeed.selector, FEED));
        insurance.claim(id, weather(9999));
    }

    // Payments

    /// M21: between proof and payment lies a day in which the guardian can stop it.
    function test_M21_pausedLineagePaysNothing() external {
        uint256 id = sold();
        insurance.claim(id, pushWeather(FROM, 9999));
        vm.prank(actor("guardian"));
        c.registry.pause();
        vm.warp(FROM + 30 days);
        vm.expectRevert(WeatherInsurance.Paused.selector);
        insurance.pay(id);
        vm.prank(actor("owner"));
        c.registry.proposeUnpause(type(uint256).max);
        vm.warp(FROM + 30 days + DELAY);
        c.registry.unpause();
        insurance.pay(id);
        assertEq(holder.balance, 109 ether);
    }

    function test_nothingIsPaidWithoutAClaim() external {
        uint256 id = sold();
        vm.warp(FROM + 3 days);
        vm.expectRevert(abi.encodeWithSelector(WeatherInsurance.NotClaimed.selector, id));
        insurance.pay(id);
    }

    /// M22: whoever is paid cannot be paid again from within, though the money of others is there.
    function test_M22_paymentsAndMoneyBackCannotBeRepeatedFromWithin() external {
        offered();
        Reentrant thief = new Reentrant();
        vm.deal(address(this), 10 ether);
        bytes memory offer = abi.encodeCall(insurance.offer, (FEED, THRESHOLD, FROM, UNTIL, 1 ether));
        thief.run{value: 10 ether}(address(insurance), offer, "");
        bytes memory reclaim = abi.encodeCall(insurance.reclaim, (2));
        thief.run(address(insurance), reclaim, reclaim);
        assertEq(address(thief).balance, 10 ether);
        assertEq(thief.succeeded(), 0);
        assertEq(thief.why(), abi.encodeWithSelector(WeatherInsurance.UnknownPolicy.selector, 2));

        thief = new Reentrant();
        uint256 id = offered();
        vm.deal(address(this), 1 ether);
        thief.run{value: 1 ether}(address(insurance), abi.encodeCall(insurance.buy, (id)), "");
        insurance.claim(id, pushWeather(FROM, 9999));
        vm.warp(FROM + 1 days);
        bytes memory pay = abi.encodeCall(insurance.pay, (id));
        thief.run(address(insurance), pay, pay);
        assertEq(address(thief).balance, 10 ether);
        assertEq(thief.succeeded(), 0);
        assertEq(thief.why(), abi.encodeWithSelector(WeatherInsurance.UnknownPolicy.selector, id));
        assertEq(address(insurance).balance, 10 ether, "the first insurer's");
    }

    /// M22: an insurer that is being paid the premium can neither take the payout back nor sell twice.
    function test_M22_premiumIsPaidWhenTheSaleStands() external {
        Reentrant greedy = new Reentrant();
        vm.deal(address(this), 10 ether);
        bytes memory offer = abi.encodeCall(insurance.offer, (FEED, THRESHOLD, FROM, UNTIL, 1 ether));
        // Its next ETH makes it ask for the payout.
        greedy.run{value: 10 ether}(address(insurance), offer, abi.encodeCall(insurance.reclaim, (1)));
        vm.prank(holder);
        insurance.buy{value: 1 ether}(1);
        assertEq(greedy.succeeded(), 0);
        assertEq(bytes32(bytes4(greedy.why())), bytes32(WeatherInsurance.TooEarly.selector));
        assertEq(insurance.policyOf(1).holder, holder);
    }

    function test_moneyThatNobodyTakesStays() external {
        Refuser refuser = new Refuser();
        vm.deal(address(this), 10 ether);
        refuser.run{value: 10 ether}(
            address(insurance), 10 ether, abi.encodeCall(insurance.offer, (FEED, THRESHOLD, FROM, UNTIL, 1 ether))
        );
        (bool done, bytes memory why) = refuser.run(address(insurance), 0, abi.encodeCall(insurance.reclaim, (1)));
        assertFalse(done);
        assertEq(why, abi.encodeWithSelector(WeatherInsurance.PaymentFailed.selector, address(refuser)));
        assertEq(insurance.policyOf(1).payout, 10 ether);
    }

    // Help

    function offered() private returns (uint256) {
        vm.prank(insurer);
        return insurance.offer{value: 10 ether}(FEED, THRESHOLD, FROM, UNTIL, 1 ether);
    }

    function sold() private returns (uint256 id) {
        id = offered();
        vm.prank(holder);
        insurance.buy{value: 1 ether}(id);
    }

    function weather(int64 precipitation) private pure returns (bytes memory) {
        return abi.encode(int64(1500), precipitation, int64(300));
    }

    /// @dev At this second, weather that was seen and attested just now is pushed by somebody.
    function pushWeather(uint256 timeS, int64 precipitation) private returns (bytes memory encoded) {
        vm.warp(timeS);
        encoded = weather(precipitation);
        push(encoded, packMeta(nowMs(), 7200, 0, 3, 1, 0));
    }

    function push(bytes memory encoded, uint256 meta) private {
        bytes memory report = reportOf(c, only(Feed(FEED, keccak256(encoded), meta)), 2);
        vm.prank(anybody);
        send(address(store), withReport(abi.encodeCall(store.push, ()), report));
    }

    function notCovered(uint256 observedAtMs, uint256 attestedAtMs) private pure returns (bytes memory) {
        return abi.encodeWithSelector(WeatherInsurance.NotCovered.selector, observedAtMs, attestedAtMs);
    }

    function requireUnknown(uint256 id) private {
        bytes memory unknown = abi.encodeWithSelector(WeatherInsurance.UnknownPolicy.selector, id);
        vm.expectRevert(unknown);
        insurance.buy(id);
        vm.expectRevert(unknown);
        insurance.claim(id, "");
        vm.expectRevert(unknown);
        insurance.pay(id);
        vm.expectRevert(unknown);
        insurance.reclaim(id);
        assertEq(insurance.policyOf(id).insurer, address(0));
    }
}
