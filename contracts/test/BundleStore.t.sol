// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// What a bundle store takes and what it answers, in both forms of a report and for every place in the bundle.

import {BundleStore} from "../src/BundleStore.sol";
import {IFeedStore, Reading} from "../src/interfaces/IFeedStore.sol";
import {IReportVerifier} from "../src/interfaces/IReportVerifier.sol";
import {Slots} from "../src/lib/Slots.sol";
import {Values} from "../src/lib/Values.sol";
import {FeedMissing, Verification} from "../src/lib/Verification.sol";
import {Committee, Head} from "./base/Reports.sol";
import {Stores} from "./base/Stores.sol";
import {Bundle} from "./base/Trees.sol";

/// @title Tests of the bundle store
contract BundleStoreTest is Stores {
    uint256 private constant DAY = START + 1 days;
    Committee private _c;

    function setUp() external {
        _c = makeCommittee("store", 7);
        vm.warp(DAY);
    }

    function storeFor(Bundle memory bundle) private returns (BundleStore) {
        return new BundleStore(_c.registry, bundle.id, feedIdsOf(bundle));
    }

    function feedIdsOf(Bundle memory bundle) private pure returns (bytes32[] memory ids) {
        ids = new bytes32[](bundle.feeds.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            ids[i] = bundle.feeds[i].feedId;
        }
    }

    // Deploying

    function test_aBundleHasOneToSixteenFeedsNoneTwiceNoneZero() external {
        assertEq(storeFor(numbers(1)).bundleId(), keccak256("bundle"), "bundle id");
        assertEq(storeFor(numbers(16)).registry(), address(_c.registry), "registry");
        Bundle memory bundle = numbers(3);
        bundle.feeds[2].feedId = bundle.feeds[0].feedId;
        assertInvalid(bundle);
        bundle.feeds[2].feedId = 0;
        assertInvalid(bundle);
        assertInvalid(numbers(0));
        assertInvalid(numbers(17));
    }

    /// @dev By a call of its own: forge would end the test at an expected revert of a `new` in it.
    function deploy(Bundle calldata bundle) external returns (BundleStore) {
        return storeFor(bundle);
    }

    function assertInvalid(Bundle memory bundle) private {
        try this.deploy(bundle) returns (BundleStore) {
            assertTrue(false, "deployed");
        } catch (bytes memory error) {
            assertEq(error, abi.encodeWithSelector(BundleStore.InvalidBundle.selector));
        }
    }

    // Pushing

    function test_bundlesOfAnyLengthAreStoredInBothForms() external {
        for (uint256 n = 1; n <= 16; ++n) {
            Bundle memory bundle = numbers(n);
            BundleStore store = storeFor(bundle);
            bytes memory report = reportOf(_c, bundle, 2);
            push(store, n % 2 == 0 ? report : short(report));
            for (uint256 i = 0; i < n; ++i) {
                assertRead(store, bundle.feeds[i].feedId, 0, int256(1000 + i), nowMs());
                assertEq(store.tryRead(bundle.feeds[i].feedId).value, int256(1000 + i), "tryRead");
            }
            bytes32 next = feedIdOf(string.concat("feed-", vm.toString(n)));
            assertReadReverts(store, next, 0, abi.encodeWithSelector(IFeedStore.UnknownFeed.selector, next));
            assertEq(uint256(vm.load(address(store), bytes32((n + 1) / 2))), 0, "the slot after the last");
            vm.warp(vm.getBlockTimestamp() + 10);
            bundle = numbers(n);
            bundle.feeds[n - 1].word = bytes32(uint256(int256(-7)));
            report = reportOf(_c, bundle, 2);
            push(store, n % 2 == 0 ? short(report) : report);
            assertRead(store, bundle.feeds[n - 1].feedId, 0, -7, nowMs());
        }
    }

    /// @dev Ids that are nearly all zeros: forge's coverage knows a contract by its code, of which sixteen ids as long
    /// as hashes are too great a part.
    function test_eachOfSixteenFeedsIsFound() external {
        Bundle memory bundle = numbers(16);
        for (uint256 i = 0; i < 16; ++i) {
            bundle.feeds[i].feedId = bytes32(i + 1);
        }
        BundleStore store = storeFor(bundle);
        push(store, short(reportOf(_c, bundle, 2)));
        for (uint256 i = 0; i < 16; ++i) {
            assertRead(store, bytes32(i + 1), 0, int256(1000 + i), nowMs());
        }
        bytes32 next = bytes32(uint256(17));
        assertReadReverts(store, next, 0, abi.encodeWithSelector(IFeedStore.UnknownFeed.selector, next));
    }

    function test_aPushTellsAllSlots() external {
        Bundle memory bundle = numbers(3);
        BundleStore store = storeFor(bundle);
        for (uint256 i = 0; i < 3; ++i) {
            bundle.feeds[i].meta = packMeta(nowMs() - 1500, 385, 0, 7, 0, 250);
        }
        uint256 traits = 48 + 7 * 2 ** 12 + 2 * 2 ** 16 + (3 * 32 + 48) * 2 ** 25;
        uint256[] memory slots = new uint256[](2);
        slots[0] = 1000 + traits * 2 ** 72 + (1001 + traits * 2 ** 72) * 2 ** 107 + nowMs() * 2 ** 214;
        slots[1] = 1002 + traits * 2 ** 72 + nowMs() * 2 ** 214;
        bytes memory report = short(reportOf(_c, bundle, 3));
        vm.expectEmit(address(store));
        emit IFeedStore.BundleUpdated(slots);
        push(store, report);
        assertEq(uint256(vm.load(address(store), 0)), slots[0], "slot 0");
        assertEq(uint256(vm.load(address(store), bytes32(uint256(1)))), slots[1], "slot 1");
    }

    function test_onlyANewerReportChangesABundle() external {
        Bundle memory bundle = numbers(3);
        BundleStore store = storeFor(bundle);
        push(store, reportOf(_c, bundle, 3));
        bundle.feeds[0].word = bytes32(uint256(7));
        Head memory head = headOf(_c, SEALS);
        bytes memory nothing = abi.encodeWithSelector(IFeedStore.NothingNewer.selector);
        assertPushReverts(store, reportOf(_c, head, bundle, 3), nothing);
        assertPushReverts(store, short(reportOf(_c, head, bundle, 3)), nothing);
        --head.attestedAtMs;
        assertPushReverts(store, reportOf(_c, head, bundle, 3), nothing);
        assertRead(store, bundle.feeds[0].feedId, 0, 1000, nowMs());
        head.attestedAtMs += 2;
        bundle.feeds[0].meta = packMeta(nowMs(), 60, 8, 3, 0, 0);
        push(store, reportOf(_c, head, bundle, 3));
        bytes32 id = bundle.feeds[0].feedId;
        assertReadReverts(store, id, 60, abi.encodeWithSelector(Values.NotOk.selector, id, 8));
    }

    function test_aLostRaceIsRefusedBeforeSignaturesAreLookedAt() external {
        Bundle memory bundle = numbers(10);
        BundleStore store = storeFor(bundle);
        bytes memory report = reportOf(_c, bundle, 3);
        bytes memory call = pushOf(short(report));
        vm.expectCall(verifierOf(_c), bytes.concat(IReportVerifier.verifyPacked.selector, report), 1);
        send(address(store), call);
        assertPushReverts(store, short(report), abi.encodeWithSelector(IFeedStore.NothingNewer.selector));
    }

    function test_aReportThatIsTooOldForEveryFeedIsNoNews() external {
        Bundle memory bundle = numbers(3);
        BundleStore store = storeFor(bundle);
        uint256 t = nowMs();
        bundle.feeds[0].meta = packMeta(t, 10, 0, 3, 0, 0);
        bundle.feeds[2].meta = packMeta(t, 20, 0, 3, 0, 0);
        bytes memory report = reportOf(_c, bundle, 3);
        vm.warp(DAY + 61);
        bytes memory error = abi.encodeWithSelector(IFeedStore.ReportTooOld.selector, bundle.feeds[0].feedId, t);
        assertPushReverts(store, report, error);
        assertEq(uint256(vm.load(address(store), 0)), 0, "nothing stored");
        // The second feed may still be used; the others are kept as stale as they are.
        vm.warp(DAY + 60);
        push(store, report);
        assertRead(store, bundle.feeds[1].feedId, 60, 1001, t);
        bytes32 id = bundle.feeds[2].feedId;
        assertReadReverts(store, id, 60, abi.encodeWithSelector(Values.Stale.selector, id, t));
    }

    function test_onlyNumbersOf72BitsAreTaken() external {
        Bundle memory bundle = numbers(4);
        BundleStore store = storeFor(bundle);
        bytes32 id = bundle.feeds[3].feedId;
        bundle.feeds[3].word = bytes32(uint256(2 ** 71));
        // It must not stop the others: kept as a status that no reader takes.
        push(store, short(reportOf(_c, bundle, 3)));
        assertReadReverts(store, id, 60, abi.encodeWithSelector(Values.NotOk.selector, id, 15));
        assertRead(store, bundle.feeds[2].feedId, 60, 1002, nowMs());
        vm.warp(vm.getBlockTimestamp() + 1);
        bundle = numbers(4);
        bundle.feeds[3].word = bytes32(uint256(2 ** 71 - 1));
        bundle.feeds[3].meta = packMeta(nowMs(), 60, 0, 3, 1, 0);
        bytes memory error = abi.encodeWithSelector(Values.WrongKind.selector, id, 1);
        assertPushReverts(store, reportOf(_c, bundle, 3), error);
        bundle.feeds[3].meta = okMeta(nowMs());
        push(store, reportOf(_c, bundle, 3));
        assertRead(store, id, 0, 2 ** 71 - 1, nowMs());
    }

    function test_otherFeedsThanTheBundlesAreRefused() external {
        Bundle memory bundle = numbers(3);
        BundleStore store = storeFor(bundle);
        assertPushReverts(
            store, reportOf(_c, numbers(4), 3), abi.encodeWithSelector(Verification.WrongFeedCount.selector, 3)
        );
        assertPushReverts(
            store, short(reportOf(_c, numbers(2), 3)), abi.encodeWithSelector(Verification.WrongFeedCount.selector, 3)
        );
        // The same numbers in another order: by their ids when they are there, by the signatures when they are not.
        (bundle.feeds[0], bundle.feeds[1]) = (bundle.feeds[1], bundle.feeds[0]);
        bytes memory swapped = reportOf(_c, bundle, 3);
        assertPushReverts(store, swapped, abi.encodeWithSelector(FeedMissing.selector, bundle.feeds[1].feedId));
        assertPushReverts(store, short(swapped), abi.encodeWithSelector(IReportVerifier.BadSignature.selector, 0));
        assertEq(uint256(vm.load(address(store), 0)), 0, "nothing stored");
    }

    function testFuzz_noBitOfAReportMayBeAnother(uint256 bit, bool whole) external {
        Bundle memory bundle = numbers(3);
        BundleStore store = storeFor(bundle);
        bytes memory report = reportOf(_c, bundle, 2);
        if (!whole) report = short(report);
        (bool done, bytes memory answer) =
            address(store).call(pushOf(flip(report, bound(bit, 0, 8 * report.length - 1))));
        assertFalse(done, "accepted");
        assertGe(answer.length, 4, "an error of its own");
        assertTrue(bytes4(answer) != 0x4e487b71 && bytes4(answer) != 0x08c379a0, "no panic");
    }

    function testFuzz_anybodyMayPush(address who) external {
        vm.assume(who != address(vm));
        Bundle memory bundle = numbers(2);
        BundleStore store = storeFor(bundle);
        bytes memory call = pushOf(short(reportOf(_c, bundle, 3)));
        vm.prank(who);
        send(address(store), call);
        assertRead(store, bundle.feeds[1].feedId, 0, 1001, nowMs());
    }

    function test_withoutAReportNothingIsPushed() external {
        BundleStore store = storeFor(numbers(1));
        vm.expectRevert(abi.encodeWithSelector(Verification.NoReport.selector));
        store.push();
    }

    function testFuzz_callsOfOtherFunctionsAreRefused(bytes4 selector, bytes memory rest) external {
        vm.assume(selector != IFeedStore.push.selector && selector != IFeedStore.read.selector);
        vm.assume(selector != IFeedStore.readEncoded.selector && selector != IFeedStore.tryRead.selector);
        BundleStore store = storeFor(numbers(1));
        vm.assume(selector != IFeedStore.registry.selector && selector != store.bundleId.selector);
        vm.expectRevert(abi.encodeWithSelector(IFeedStore.UnknownFunction.selector));
        send(address(store), bytes.concat(selector, rest));
    }

    function test_callsWithoutAFunctionAreRefused() external {
        BundleStore store = storeFor(numbers(1));
        for (uint256 length = 0; length < 4; ++length) {
            vm.expectRevert(abi.encodeWithSelector(IFeedStore.UnknownFunction.selector));
            send(address(store), cut(bytes.concat(IFeedStore.push.selector), length));
        }
    }

    // Reading

    function test_feedsThatAreNotTheBundlesOrNotPushedYetAreUnknown() external {
        Bundle memory bundle = numbers(3);
        BundleStore store = storeFor(bundle);
        bytes32 id = bundle.feeds[0].feedId;
        assertReadReverts(store, id, 60, abi.encodeWithSelector(IFeedStore.UnknownFeed.selector, id));
        assertEq(abi.encode(store.tryRead(id)), new bytes(256), "nothing yet");
        push(store, reportOf(_c, bundle, 3));
        bytes32 foreign = feedIdOf("foreign");
        assertReadReverts(store, foreign, 60, abi.encodeWithSelector(IFeedStore.UnknownFeed.selector, foreign));
        assertEq(abi.encode(store.tryRead(foreign)), new bytes(256), "foreign");
        // Zero is what the code has in the places that the bundle leaves.
        assertReadReverts(store, 0, 60, abi.encodeWithSelector(IFeedStore.UnknownFeed.selector, bytes32(0)));
        assertEq(abi.encode(store.tryRead(0)), new bytes(256), "zero");
        vm.expectRevert(abi.encodeWithSelector(IFeedStore.UnknownFeed.selector, foreign));
        store.readEncoded(foreign, "", 60);
        vm.expectRevert(abi.encodeWithSelector(Values.WrongKind.selector, id, 0));
        store.readEncoded(id, "", 60);
    }

    function test_aValueIsReadUntilItsValidityEndsAndAsYoungAsTheReaderWants() external {
        Bundle memory bundle = numbers(2);
        BundleStore store = storeFor(bundle);
        push(store, reportOf(_c, bundle, 3));
        (bytes32 id, uint256 t) = (bundle.feeds[1].feedId, nowMs());
        vm.warp(DAY + 30);
        assertRead(store, id, 30, 1001, t);
        assertReadReverts(store, id, 29, abi.encodeWithSelector(Values.Stale.selector, id, t));
        vm.warp(DAY + 60);
        assertRead(store, id, type(uint256).max, 1001, t);
        vm.warp(DAY + 61);
        assertReadReverts(store, id, type(uint256).max, abi.encodeWithSelector(Values.Stale.selector, id, t));
        Reading memory r = store.tryRead(id);
        assertEq(r.value, 1001, "what read withholds");
        assertEq(r.validUntilMs, t + 60_000, "validity");
    }

    function test_I17_whileTheLineageIsPausedABundleIsReadUntilItIsStale() external {
        Bundle memory bundle = numbers(2);
        BundleStore store = storeFor(bundle);
        push(store, reportOf(_c, bundle, 3));
        (bytes32 id, uint256 t) = (bundle.feeds[0].feedId, nowMs());
        vm.prank(actor("guardian"));
        _c.registry.pause();
        vm.warp(DAY + 60);
        assertPushReverts(
            store, short(reportOf(_c, numbers(2), 3)), abi.encodeWithSelector(IReportVerifier.Paused.selector)
        );
        assertRead(store, id, 60, 1000, t);
        vm.warp(DAY + 61);
        assertReadReverts(store, id, 61, abi.encodeWithSelector(Values.Stale.selector, id, t));
    }

    function testFuzz_I28_noStatusButOkIsRead(uint8 status, uint256 place) external {
        status = uint8(bound(status, 1, 255));
        place = bound(place, 0, 4);
        Bundle memory bundle = numbers(5);
        BundleStore store = storeFor(bundle);
        bundle.feeds[place].meta = packMeta(nowMs(), 60, status, 3, 0, 0);
        push(store, reportOf(_c, bundle, 3));
        for (uint256 i = 0; i < 5; ++i) {
            bytes32 id = bundle.feeds[i].feedId;
            assertEq(store.tryRead(id).value, int256(1000 + i), "tryRead");
            uint256 shown = status > 15 ? 15 : status;
            if (i != place) assertRead(store, id, 0, int256(1000 + i), nowMs());
            else assertReadReverts(store, id, 60, abi.encodeWithSelector(Values.NotOk.selector, id, shown));
        }
    }
}
