// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// Incidents that a store stops, by their ids, and what pauses and rotations of the committee do to one. Where the store
// refuses what it has, tryRead shows the harm that read prevents.

import {FeedStore} from "../src/FeedStore.sol";
import {IFeedStore, Reading} from "../src/interfaces/IFeedStore.sol";
import {Feed, IReportVerifier} from "../src/interfaces/IReportVerifier.sol";
import {Values} from "../src/lib/Values.sol";
import {Committee, Head} from "./base/Reports.sol";
import {Stores} from "./base/Stores.sol";
import {Bundle} from "./base/Trees.sol";

/// @title Passes on whatever it is given, as a forwarder of meta-transactions does
contract Forwarder {
    function execute(address target, bytes calldata data) external {
        (bool done,) = target.call(data);
        if (!done) {
            assembly ("memory-safe") {
                returndatacopy(mload(0x40), 0, returndatasize())
                revert(mload(0x40), returndatasize())
            }
        }
    }
}

/// @title Tests of the feed store against incidents
contract FeedStoreIncidentsTest is Stores {
    bytes32 private immutable BTC = feedIdOf("btc");
    uint256 private constant DAY = START + 1 days;

    Committee private _c;
    FeedStore private _store;

    function setUp() external {
        _c = makeCommittee("store", 7);
        _store = new FeedStore(_c.registry);
        vm.warp(DAY);
    }

    /// @dev Pushes a value of this status that is otherwise good, and says that only tryRead hands it out.
    function withheld(uint256 status, int256 value) private returns (Reading memory r) {
        Feed memory feed = numberFeed("btc", value);
        feed.meta = packMeta(nowMs(), 60, status, 2, 0, 300_000);
        push(_store, reportOf(_c, only(feed), 3));
        assertReadReverts(_store, BTC, 60, abi.encodeWithSelector(Values.NotOk.selector, BTC, status));
        r = _store.tryRead(BTC);
        assertEq(r.value, value, "what read withholds");
        assertEq(r.status, status, "status");
    }

    function test_I17_withoutAQuorumAValueGoesStaleOnSchedule() external {
        push(_store, reportOf(_c, only(numberFeed("btc", 5)), 3));
        uint256 t = nowMs();
        vm.warp(DAY + 60);
        Head memory head = headOf(_c, SEALS);
        head.bitmap = 3;
        bytes memory report = reportOf(_c, head, only(numberFeed("btc", 6)), 3);
        assertPushReverts(_store, report, abi.encodeWithSelector(IReportVerifier.TooFewSignatures.selector, 2, 3));
        assertRead(_store, BTC, 60, 5, t);
        vm.warp(DAY + 61);
        assertReadReverts(_store, BTC, 1 days, abi.encodeWithSelector(Values.Stale.selector, BTC, t));
        assertEq(_store.tryRead(BTC).value, 5, "what read withholds");
    }

    function test_I28_aValueOutOfItsRangeIsNeverTheBound() external {
        // The source says 0.01 where the feed's declared least is 0.10: the value stands as it is, and is not read.
        withheld(7, 1);
    }

    function test_I36_aPriceThatIsHoursOldIsNotRead() external {
        push(_store, reportOf(_c, only(numberFeed("btc", 5)), 3));
        uint256 t = nowMs();
        vm.warp(DAY + 6 hours);
        assertReadReverts(_store, BTC, 1 days, abi.encodeWithSelector(Values.Stale.selector, BTC, t));
        assertEq(_store.tryRead(BTC).value, 5, "what read withholds");
    }

    function test_I36_anOldReportIsNoFirstValue() external {
        bytes memory report = reportOf(_c, only(numberFeed("btc", 5)), 3);
        uint256 t = nowMs();
        vm.warp(DAY + 6 hours);
        assertPushReverts(_store, report, abi.encodeWithSelector(IFeedStore.ReportTooOld.selector, BTC, t));
    }

    function test_I44_aFeedThatLagsMoreThanTwoHeartbeatsIsNotRead() external {
        // The source still says what it said three hours ago; reports of it are as new as ever, and valid for a day.
        Feed memory feed = numberFeed("btc", 5);
        uint256 seen = nowMs() - 3 hours * 1000;
        feed.meta = packMeta(seen, 1 days, 0, 3, 0, 0);
        push(_store, reportOf(_c, only(feed), 3));
        (bool done, bytes memory answer) =
            address(_store).staticcall(abi.encodeWithSelector(IFeedStore.read.selector, BTC, 2 hours));
        assertFalse(done, "read");
        assertEq(bytes4(answer), Values.Stale.selector, "stale");
        (int256 value, uint256 observedAtMs) = _store.read(BTC, 4 hours);
        assertEq(value, 5, "a reader who allows it gets it");
        assertLe(observedAtMs, seen, "and sees its age");
    }

    function test_I38_oneReporterIsNotEnough() external {
        Head memory head = headOf(_c, SEALS);
        head.bitmap = 1;
        bytes memory report = reportOf(_c, head, only(numberFeed("btc", 5)), 3);
        assertPushReverts(_store, report, abi.encodeWithSelector(IReportVerifier.TooFewSignatures.selector, 1, 3));
        // Nor is one source behind all reporters: the committee says LOW_CONFIDENCE of it.
        withheld(1, 5);
    }

    function test_I45_aPrimaryWithoutAReferenceIsNotRead() external {
        withheld(1, 5);
    }

    function test_I58_throughAForwarderSignaturesDecideAsEver() external {
        Forwarder forwarder = new Forwarder();
        bytes memory report = reportOf(_c, only(numberFeed("btc", 5)), 3);
        bytes memory forged = withSignature(report, 0, 3, signCompact(keyOf("anybody"), keccak256("anything")));
        vm.expectRevert(abi.encodeWithSelector(IReportVerifier.BadSignature.selector, 0));
        forwarder.execute(address(_store), pushOf(forged));
        forwarder.execute(address(_store), pushOf(report));
        assertRead(_store, BTC, 0, 5, nowMs());
    }

    function test_I66_sourcesFarApartAreShownAsFarApart() external {
        assertGe(withheld(1, 5).spreadPpm, 300_000, "spread");
    }

    function test_I68_aPriceThatDivergesFromItsFundamentalIsNotRead() external {
        withheld(5, 26);
    }

    function test_I86_parValueBesideAMarket70PercentApartIsNotRead() external {
        // Fundamental value 1.00, market 0.30: the value is one of them, the status says that they differ.
        assertGe(withheld(5, 1e8).status, 5, "diverged");
        // Better news is read again, and no sooner.
        vm.warp(DAY + 1);
        push(_store, reportOf(_c, only(numberFeed("btc", 0.3e8)), 3));
        assertRead(_store, BTC, 60, 0.3e8, nowMs());
    }

    function test_I78_valueTimeAndStatusChangeTogetherOrNotAtAll() external {
        push(_store, reportOf(_c, only(numberFeed("btc", 5)), 3));
        bytes32 before = vm.load(address(_store), BTC);
        vm.warp(DAY + 10);
        bytes memory report = reportOf(_c, only(Feed(BTC, bytes32(uint256(4)), packMeta(nowMs(), 60, 3, 3, 0, 0))), 3);
        (bool done,) = address(_store).call(pushOf(flip(report, 8 * report.length - 1)));
        assertFalse(done, "forged");
        assertEq(vm.load(address(_store), BTC), before, "nothing changed");
        vm.record();
        push(_store, report);
        (, bytes32[] memory writes) = vm.accesses(address(_store));
        assertEq(writes.length, 1, "one slot holds all");
        Reading memory r = _store.tryRead(BTC);
        assertEq(r.value, 4, "value");
        assertEq(r.status, 3, "clamped, and says so");
        assertEq(r.observedAtMs, nowMs(), "time");
        assertReadReverts(_store, BTC, 60, abi.encodeWithSelector(Values.NotOk.selector, BTC, 3));
    }

    // Pauses and rotations

    function test_whileTheLineageIsPausedNothingIsWrittenAndValuesAreReadUntilTheyAreStale() external {
        push(_store, reportOf(_c, only(numberFeed("btc", 5)), 3));
        uint256 t = nowMs();
        vm.prank(actor("guardian"));
        _c.registry.pause();
        vm.warp(DAY + 60);
        bytes memory report = reportOf(_c, only(numberFeed("btc", 6)), 3);
        assertPushReverts(_store, report, abi.encodeWithSelector(IReportVerifier.Paused.selector));
        assertRead(_store, BTC, 60, 5, t);
        vm.warp(DAY + 61);
        assertReadReverts(_store, BTC, 61, abi.encodeWithSelector(Values.Stale.selector, BTC, t));
    }

    function test_aStoreFollowsItsLineageFromGenerationToGeneration() external {
        Committee memory next = makeMembers("store's next", 10);
        (next.registry, next.lineage, next.generation) = (_c.registry, _c.lineage, 2);
        push(_store, reportOf(_c, only(numberFeed("btc", 5)), 3));
        vm.prank(actor("owner"));
        next.registry.propose(2, next.f, next.signers, 1 hours, DAY);
        vm.warp(DAY + DELAY);
        next.registry.activate(2, next.f, next.signers, 1 hours);

        push(_store, reportOf(_c, only(numberFeed("btc", 6)), 3));
        assertRead(_store, BTC, 0, 6, nowMs());
        vm.warp(DAY + DELAY + 1);
        push(_store, reportOf(next, only(numberFeed("btc", 7)), 3));
        assertRead(_store, BTC, 0, 7, nowMs());
        // In the overlap both are believed, and the newer counts: T orders them, not the generation.
        vm.warp(DAY + DELAY + 1 hours);
        push(_store, reportOf(_c, only(numberFeed("btc", 8)), 3));
        assertRead(_store, BTC, 0, 8, nowMs());
        vm.warp(DAY + DELAY + 1 hours + 1);
        bytes memory late = reportOf(_c, only(numberFeed("btc", 9)), 3);
        assertPushReverts(
            _store, late, abi.encodeWithSelector(IReportVerifier.OutsideWindow.selector, START, DAY + DELAY + 1 hours)
        );
    }

    function test_feedsThatMoveToAnotherBundleKeepTheirOrder() external {
        Bundle memory bundle = numbers(2);
        push(_store, reportOf(_c, bundle, 3));
        vm.warp(DAY + 2);
        // The second feed alone, from elsewhere, newer than what comes after it.
        bytes memory report = reportOf(_c, only(numberFeed("feed-1", 7)), 3);
        push(_store, report);
        Head memory head = headOf(_c, SEALS);
        head.attestedAtMs -= 1000;
        push(_store, reportOf(_c, head, bundle, 3));
        assertRead(_store, feedIdOf("feed-1"), 0, 7, nowMs());
        assertEq(_store.tryRead(feedIdOf("feed-0")).attestedAtMs, nowMs() - 1000, "the first is newer");
    }
}
