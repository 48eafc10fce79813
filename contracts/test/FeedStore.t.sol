// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// What a feed store takes and what it answers: each error, each boundary, at the exact second.

import {FeedStore} from "../src/FeedStore.sol";
import {IFeedStore, Reading, Update} from "../src/interfaces/IFeedStore.sol";
import {Feed, IReportVerifier} from "../src/interfaces/IReportVerifier.sol";
import {Values} from "../src/lib/Values.sol";
import {Verification} from "../src/lib/Verification.sol";
import {Committee, Head} from "./base/Reports.sol";
import {Stores} from "./base/Stores.sol";
import {Bundle} from "./base/Trees.sol";

/// @title Tests of the feed store
contract FeedStoreTest is Stores {
    bytes32 private immutable BTC = feedIdOf("btc");
    bytes32 private immutable ETH = feedIdOf("eth");

    Committee private _c;
    FeedStore private _store;

    function setUp() external {
        _c = makeCommittee("store", 7);
        _store = new FeedStore(_c.registry);
        vm.warp(START + 1 days);
    }

    // Pushing

    function test_aPushStoresTheFeedWhereItsIdSaysAndTellsSo() external {
        Feed memory feed = numberFeed("btc", -5);
        feed.meta = packMeta(nowMs() - 1500, 385, 0, 7, 0, 250);
        uint256 traits = 48 + 7 * 2 ** 12 + 2 * 2 ** 16 + (2 * 64 + 96) * 2 ** 26;
        uint256 slot = 2 ** 176 - 5 + traits * 2 ** 176 + nowMs() * 2 ** 214;
        Update[] memory updates = new Update[](1);
        updates[0] = Update(BTC, slot);

        vm.expectEmit(address(_store));
        emit IFeedStore.Updated(updates);
        push(only(feed));
        assertEq(uint256(vm.load(address(_store), BTC)), slot, "slot");
        assertRead(BTC, 60, -5, nowMs() - 2000);
        assertEq(_store.registry(), address(_c.registry), "registry");
    }

    function test_allFeedsOfAReportAreStored() external {
        push(numbers(16));
        for (uint256 i = 0; i < 16; ++i) {
            assertRead(feedIdOf(string.concat("feed-", vm.toString(i))), 0, int256(1000 + i), nowMs());
        }
    }

    function test_attestationsCountAsSealsDo() external {
        push(reportOf(_c, headOf(_c, ATTESTATIONS), only(numberFeed("btc", 7)), 3));
        assertRead(BTC, 0, 7, nowMs());
    }

    function testFuzz_anybodyMayPush(address who) external {
        vm.assume(who != address(vm));
        bytes memory call = pushOf(reportOf(_c, only(numberFeed("btc", 7)), 3));
        vm.prank(who);
        send(address(_store), call);
        assertRead(BTC, 0, 7, nowMs());
    }

    function test_onlyANewerReportChangesAFeed() external {
        Feed memory feed = numberFeed("btc", 1);
        push(only(feed));
        Head memory head = headOf(_c, SEALS);
        feed.word = bytes32(uint256(2));
        refuse(reportOf(_c, head, only(feed), 3), abi.encodeWithSelector(IFeedStore.NothingNewer.selector));
        --head.attestedAtMs;
        refuse(reportOf(_c, head, only(feed), 3), abi.encodeWithSelector(IFeedStore.NothingNewer.selector));
        assertRead(BTC, 0, 1, nowMs());
        head.attestedAtMs += 2;
        push(reportOf(_c, head, only(feed), 3));
        // Seen a millisecond before T, which is shown as a second.
        assertRead(BTC, 1, 2, nowMs() - 999);
    }

    function test_aStatusChangesWithTheSameSourceTime() external {
        Feed memory feed = numberFeed("btc", 1);
        push(only(feed));
        Head memory head = headOf(_c, SEALS);
        ++head.attestedAtMs;
        feed.meta = packMeta(nowMs(), 60, 8, 3, 0, 250);
        push(reportOf(_c, head, only(feed), 3));
        assertReadReverts(BTC, 60, abi.encodeWithSelector(Values.NotOk.selector, BTC, 8));
    }

    function test_feedsThatAreNotNewerAreSkipped() external {
        push(only(numberFeed("btc", 1)));
        Bundle[] memory bundles = new Bundle[](2);
        bundles[0] = only(numberFeed("btc", 2));
        bundles[1] = only(numberFeed("eth", 3));
        bytes memory report = reportOf(_c, headOf(_c, SEALS), bundles, 4, 5);
        Update[] memory updates = new Update[](1);
        vm.recordLogs();
        push(report);
        updates[0] = Update(ETH, uint256(vm.load(address(_store), ETH)));
        assertEq(vm.getRecordedLogs()[0].data, abi.encode(updates), "event");
        assertRead(BTC, 0, 1, nowMs());
        assertRead(ETH, 0, 3, nowMs());
        refuse(report, abi.encodeWithSelector(IFeedStore.NothingNewer.selector));
    }

    function test_aLostRaceIsRefusedBeforeSignaturesAreLookedAt() external {
        bytes memory report = reportOf(_c, numbers(10), 4);
        bytes memory call = pushOf(report);
        vm.expectCall(verifierOf(_c), bytes.concat(IReportVerifier.verifyPacked.selector, report), 1);
        send(address(_store), call);
        refuse(report, abi.encodeWithSelector(IFeedStore.NothingNewer.selector));
    }

    function test_aReportThatIsTooOldForAFeedIsNoNews() external {
        Feed memory feed = numberFeed("btc", 1);
        bytes memory report = reportOf(_c, only(feed), 3);
        uint256 t = nowMs();
        vm.warp(START + 1 days + 61);
        refuse(report, abi.encodeWithSelector(IFeedStore.ReportTooOld.selector, BTC, t));
        vm.warp(START + 1 days + 60);
        push(report);
        assertRead(BTC, 60, 1, t);
    }

    function test_aReportMayBeTooOldForOneFeedAndNewsForAnother() external {
        Bundle memory bundle = numbers(2);
        bundle.feeds[0].meta = packMeta(nowMs(), 10, 0, 3, 0, 0);
        bytes memory report = reportOf(_c, bundle, 3);
        vm.warp(START + 1 days + 11);
        push(report);
        assertEq(_store.tryRead(bundle.feeds[0].feedId).attestedAtMs, 0, "too old");
        assertRead(bundle.feeds[1].feedId, 60, 1001, nowMs() - 11_000);
    }

    function test_whatNoHonestCommitteeSignsIsRefused() external {
        Feed memory feed = numberFeed("btc", int256(type(int176).max) + 1);
        refuse(reportOf(_c, only(feed), 3), abi.encodeWithSelector(Values.NotInt176.selector, BTC));
        feed = numberFeed("btc", int256(type(int176).min) - 1);
        refuse(reportOf(_c, only(feed), 3), abi.encodeWithSelector(Values.NotInt176.selector, BTC));
        feed.meta = packMeta(nowMs(), 60, 0, 3, 2, 0);
        refuse(reportOf(_c, only(feed), 3), abi.encodeWithSelector(Values.WrongKind.selector, BTC, 2));
    }

    function test_withoutAReportNothingIsPushed() external {
        vm.expectRevert(abi.encodeWithSelector(Verification.NoReport.selector));
        _store.push();
    }

    function test_anotherLineagesReportIsForeign() external {
        Committee memory other = makeCommittee("other", 7);
        // The first signature is that of another key.
        refuse(reportOf(other, numbers(1), 3), abi.encodeWithSelector(IReportVerifier.BadSignature.selector, 0));
        _c.generation = 2;
        bytes memory report = reportOf(_c, numbers(1), 3);
        refuse(report, abi.encodeWithSelector(Verification.UnknownGeneration.selector, 2));
    }

    function testFuzz_noBitOfAReportMayBeAnother(uint256 bit) external {
        bytes memory report = reportOf(_c, numbers(2), 2);
        (bool done, bytes memory answer) =
            address(_store).call(pushOf(flip(report, bound(bit, 0, 8 * report.length - 1))));
        assertFalse(done, "accepted");
        assertGe(answer.length, 4, "an error of its own");
        assertTrue(bytes4(answer) != 0x4e487b71 && bytes4(answer) != 0x08c379a0, "no panic");
        assertEq(uint256(vm.load(address(_store), feedIdOf("feed-0"))), 0, "nothing stored");
    }

    function testFuzz_callsOfOtherFunctionsAreRefused(bytes4 selector, bytes memory rest) external {
        vm.assume(selector != IFeedStore.push.selector && selector != IFeedStore.read.selector);
        vm.assume(selector != IFeedStore.readEncoded.selector && selector != IFeedStore.tryRead.selector);
        vm.assume(selector != IFeedStore.registry.selector);
        vm.expectRevert(abi.encodeWithSelector(IFeedStore.UnknownFunction.selector));
        send(address(_store), bytes.concat(selector, rest));
    }

    function test_callsWithoutAFunctionAreRefused() external {
        for (uint256 length = 0; length < 4; ++length) {
            vm.expectRevert(abi.encodeWithSelector(IFeedStore.UnknownFunction.selector));
            send(address(_store), cut(bytes.concat(IFeedStore.push.selector), length));
        }
    }

    // Reading

    function test_aFeedThatNobodyPushedIsUnknown() external view {
        assertReadReverts(BTC, 60, abi.encodeWithSelector(IFeedStore.UnknownFeed.selector, BTC));
        Reading memory r = _store.tryRead(BTC);
        assertEq(abi.encode(r), new bytes(256), "nothing");
    }

    function test_aValueIsReadUntilItsValidityEnds() external {
        push(only(numberFeed("btc", 5)));
        uint256 t = nowMs();
        vm.warp(START + 1 days + 60);
        assertRead(BTC, type(uint256).max, 5, t);
        vm.warp(START + 1 days + 61);
        assertReadReverts(BTC, type(uint256).max, abi.encodeWithSelector(Values.Stale.selector, BTC, t));
        assertEq(_store.tryRead(BTC).validUntilMs, t + 60_000);
    }

    function test_aValueIsReadWhileItIsAsYoungAsTheReaderWants() external {
        push(only(numberFeed("btc", 5)));
        uint256 t = nowMs();
        vm.warp(START + 1 days + 30);
        assertRead(BTC, 30, 5, t);
        assertReadReverts(BTC, 29, abi.encodeWithSelector(Values.Stale.selector, BTC, t));
    }

    function test_whatWasNotValidWhenAttestedIsNeverRead() external {
        Feed memory feed = numberFeed("btc", 5);
        feed.meta = packMeta(nowMs() - 20_000, 10, 0, 3, 0, 0);
        push(only(feed));
        assertReadReverts(BTC, 60, abi.encodeWithSelector(Values.Stale.selector, BTC, nowMs() - 20_000));
    }

    function test_aFeedWithoutAValueIsStoredAsSuch() external {
        Feed memory feed = Feed(BTC, 0, packMeta(0, 60, 9, 0, 0, 0));
        push(only(feed));
        assertReadReverts(BTC, 60, abi.encodeWithSelector(Values.NotOk.selector, BTC, 9));
        Reading memory r = _store.tryRead(BTC);
        assertEq(r.attestedAtMs, nowMs());
        assertEq(r.observedAtMs, 0);
        assertEq(r.status, 9);
    }

    function testFuzz_noStatusButOkIsRead(uint8 status) external {
        status = uint8(bound(status, 1, 255));
        Feed memory feed = numberFeed("btc", 5);
        feed.meta = packMeta(nowMs(), 60, status, 3, 0, 0);
        push(only(feed));
        uint256 shown = status > 15 ? 15 : status;
        assertReadReverts(BTC, 60, abi.encodeWithSelector(Values.NotOk.selector, BTC, shown));
        assertEq(_store.tryRead(BTC).value, 5, "what read withholds");
    }

    function test_aStructuredValueIsReadByItsBytes() external {
        bytes memory encoded = abi.encode(int256(21), "rain");
        push(only(Feed(BTC, keccak256(encoded), packMeta(nowMs(), 60, 0, 3, 1, 0))));
        assertEq(_store.readEncoded(BTC, encoded, 0), nowMs());
        assertReadReverts(BTC, 60, abi.encodeWithSelector(Values.WrongKind.selector, BTC, 1));
        vm.expectRevert(abi.encodeWithSelector(Values.WrongBytes.selector, BTC));
        _store.readEncoded(BTC, bytes.concat(encoded, hex"00"), 60);
        vm.warp(START + 1 days + 61);
        vm.expectRevert(abi.encodeWithSelector(Values.Stale.selector, BTC, nowMs() - 61_000));
        _store.readEncoded(BTC, encoded, 100);
    }

    function test_aNumberIsNoStructuredValue() external {
        push(only(numberFeed("btc", 5)));
        vm.expectRevert(abi.encodeWithSelector(Values.WrongKind.selector, BTC, 0));
        _store.readEncoded(BTC, "", 60);
        vm.expectRevert(abi.encodeWithSelector(IFeedStore.UnknownFeed.selector, ETH));
        _store.readEncoded(ETH, "", 60);
    }

    function test_aStoreOutlivesItsTimeStampsAndReadsNothingFromThenOn() external {
        // T needs a 43rd bit from 15 May 2109 on.
        uint256 wraps = 4_398_046_512;
        vm.warp(wraps - 60);
        push(only(numberFeed("btc", 5)));
        assertRead(BTC, 0, 5, nowMs());
        vm.warp(wraps);
        refuse(reportOf(_c, only(numberFeed("btc", 6)), 3), abi.encodeWithSelector(IFeedStore.NothingNewer.selector));
        push(only(numberFeed("eth", 6)));
        assertReadReverts(ETH, 60, abi.encodeWithSelector(Values.Stale.selector, ETH, nowMs() - 2 ** 42));
    }

    // Helpers

    function push(bytes memory report) private {
        push(_store, report);
    }

    function push(Bundle memory bundle) private {
        push(_store, reportOf(_c, bundle, 3));
    }

    function refuse(bytes memory report, bytes memory error) private {
        assertPushReverts(_store, report, error);
    }

    function assertRead(bytes32 feedId, uint256 maxAgeS, int256 value, uint256 observedAtMs) private view {
        assertRead(_store, feedId, maxAgeS, value, observedAtMs);
    }

    function assertReadReverts(bytes32 feedId, uint256 maxAgeS, bytes memory error) private view {
        assertReadReverts(_store, feedId, maxAgeS, error);
    }
}
