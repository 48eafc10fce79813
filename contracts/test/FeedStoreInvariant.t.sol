// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// What holds of a feed store whatever anybody pushes, and whenever: beside the store, a model that keeps what was
// signed in full says what the store may and must hold.

import {FeedStore} from "../src/FeedStore.sol";
import {IFeedStore, Reading} from "../src/interfaces/IFeedStore.sol";
import {Feed} from "../src/interfaces/IReportVerifier.sol";
import {Meta} from "../src/lib/Meta.sol";
import {InvariantBase} from "./base/InvariantBase.sol";
import {Committee, Head} from "./base/Reports.sol";
import {Stores} from "./base/Stores.sol";
import {Bundle} from "./base/Trees.sol";

/// @title Everything that anybody may bring to a feed store
contract FeedStorePushers is Stores {
    uint256 public constant FEEDS = 4;

    FeedStore public immutable store;
    Committee private _c;
    Committee private _other;

    /// The model: what was signed of each feed in the newest report that the store took, and that report's T.
    mapping(bytes32 feedId => Feed) private _signed;
    mapping(bytes32 feedId => uint256) public attestedAtMs;
    /// How often each action succeeded, and how often the store did what it must not.
    mapping(bytes4 action => uint256) public done;
    uint256 public wrong;

    constructor() {
        _c = makeCommittee("store", 4);
        _other = makeCommittee("other", 4);
        store = new FeedStore(_c.registry);
        vm.warp(START + 30 days);
    }

    function feedId(uint256 i) public pure returns (bytes32) {
        return feedIdOf(string.concat("feed-", vm.toString(i % FEEDS)));
    }

    function signed(bytes32 id) external view returns (Feed memory) {
        return _signed[id];
    }

    function wait(uint256 seconds_) external {
        // Mostly less than a minute, sometimes hours.
        vm.warp(vm.getBlockTimestamp() + bound(seconds_, 1, seconds_ % 8 == 0 ? 100_000 : 45));
        done[msg.sig]++;
    }

    /// @dev A good report; T from a while ago to a bit ahead.
    function pushValid(uint256 seed, uint256 which, uint256 lag) external {
        Bundle memory bundle = bundleOf(seed, which);
        Head memory head = headOf(_c, seed % 2 == 0 ? SEALS : ATTESTATIONS);
        head.attestedAtMs = uint48(nowMs() + 20_000 - bound(lag, 0, lag % 4 == 0 ? 400_000 : 25_000));
        bytes memory report = reportOf(_c, head, bundle, 1 + seed % 3);
        bool expected = attestedAtMs[bundle.feeds[0].feedId] < head.attestedAtMs;
        bool news = false;
        for (uint256 i = 0; i < bundle.feeds.length; ++i) {
            if (isNews(bundle.feeds[i], head.attestedAtMs)) news = true;
        }
        if (deliver(report) != (expected && news)) wrong++;
        if (!expected || !news) return;
        done[msg.sig]++;
        for (uint256 i = 0; i < bundle.feeds.length; ++i) {
            Feed memory feed = bundle.feeds[i];
            if (!isNews(feed, head.attestedAtMs)) continue;
            _signed[feed.feedId] = feed;
            attestedAtMs[feed.feedId] = head.attestedAtMs;
        }
    }

    function pushForeign(uint256 seed, uint256 which) external {
        if (deliver(reportOf(_other, bundleOf(seed, which), 2))) wrong++;
        else done[msg.sig]++;
    }

    function pushCorrupted(uint256 seed, uint256 which, uint256 bit) external {
        bytes memory report = reportOf(_c, bundleOf(seed, which), 2);
        if (deliver(flip(report, bound(bit, 0, 8 * report.length - 1)))) wrong++;
        else done[msg.sig]++;
    }

    function pushWithTooFewSignatures(uint256 seed, uint256 which) external {
        Head memory head = headOf(_c, ATTESTATIONS);
        head.bitmap = uint32(2 ** (seed % 3) - 1);
        if (deliver(reportOf(_c, head, bundleOf(seed, which), 2))) wrong++;
        else done[msg.sig]++;
    }

    function isNews(Feed memory feed, uint256 t) private view returns (bool) {
        return attestedAtMs[feed.feedId] < t && t + 1000 * Meta.wrap(feed.meta).validForS() >= nowMs();
    }

    function deliver(bytes memory report) private returns (bool accepted) {
        uint256[FEEDS] memory before = times();
        (accepted,) = address(store).call(pushOf(report));
        uint256[FEEDS] memory after_ = times();
        bool rose = false;
        for (uint256 i = 0; i < FEEDS; ++i) {
            if (after_[i] < before[i]) wrong++;
            if (after_[i] > before[i]) rose = true;
        }
        if (rose != accepted) wrong++;
    }

    function times() private view returns (uint256[FEEDS] memory all) {
        for (uint256 i = 0; i < FEEDS; ++i) {
            all[i] = store.tryRead(feedId(i)).attestedAtMs;
        }
    }

    /// @dev One to four feeds from `which` on, of random values, ages, validities and statuses.
    function bundleOf(uint256 seed, uint256 which) private view returns (Bundle memory bundle) {
        bundle.id = keccak256("a bundle");
        bundle.feeds = new Feed[](1 + seed % FEEDS);
        for (uint256 i = 0; i < bundle.feeds.length; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            uint256 ageMs = random % 4 == 0 ? random % 5_000_000 : random % 20_000;
            uint256 validForS = random % 3 == 0 ? 30 : random % 7200;
            uint256 status = (random >> 32) % 3 == 0 ? random % 10 : 0;
            uint256 meta = packMeta(nowMs() + 10_000 - ageMs, validForS, status, random % 9, 0, random % 1_000_000);
            bundle.feeds[i] = Feed(feedId(which % FEEDS + i), bytes32(uint256(int256(random) >> 80)), meta);
        }
    }
}

/// @title Invariants of the feed store
contract FeedStoreInvariantTest is Stores, InvariantBase {
    FeedStorePushers private _pushers;

    function setUp() external {
        _pushers = new FeedStorePushers();
        target(address(_pushers));
    }

    function invariant_theStoreHoldsWhatAQuorumSignedLastAndTNeverFalls() external view {
        assertEq(_pushers.wrong(), 0, "pushes that should have been refused, or taken");
        for (uint256 i = 0; i < _pushers.FEEDS(); ++i) {
            bytes32 id = _pushers.feedId(i);
            Feed memory feed = _pushers.signed(id);
            Reading memory r = _pushers.store().tryRead(id);
            assertEq(r.attestedAtMs, _pushers.attestedAtMs(id), "T");
            if (r.attestedAtMs == 0) continue;
            assertEq(r.value, int256(uint256(feed.word)), "value");
            assertEq(r.status, Meta.wrap(feed.meta).status(), "status");
            assertEq(r.groups, Meta.wrap(feed.meta).groups(), "groups");
            assertGe(r.spreadPpm, Meta.wrap(feed.meta).spreadPpm(), "spread");
        }
    }

    function invariant_nothingIsReadPastItsValidityOrOlderThanTheReaderWantsOrNotOk() external view {
        uint256 now_ = nowMs();
        for (uint256 i = 0; i < _pushers.FEEDS(); ++i) {
            bytes32 id = _pushers.feedId(i);
            Meta meta = Meta.wrap(_pushers.signed(id).meta);
            uint256 maxAgeS = 5 + now_ / 1000 % 100;
            bool readable = canRead(_pushers.store(), id, maxAgeS);
            bool fine =
                meta.status() == 0 && now_ <= meta.validUntilMs() && now_ <= meta.observedAtMs() + 1000 * maxAgeS;
            if (readable) assertTrue(fine, "read");
            // What rounding may take away: a second, 1/32 of the age, 1/64 of the validity.
            uint256 t = _pushers.attestedAtMs(id);
            uint256 ageMs = t > meta.observedAtMs() ? t - meta.observedAtMs() : 0;
            uint256 early = t + 1 < meta.observedAtMs() ? meta.observedAtMs() - t : 0;
            uint256 slack = 1032 + ageMs / 32 + early;
            bool surely = fine && now_ + slack + 1000 * meta.validForS() / 64 <= meta.validUntilMs()
                && now_ + slack <= meta.observedAtMs() + 1000 * maxAgeS;
            if (surely) assertTrue(readable, "not read");
        }
    }

    /// @dev Invariants over calls that all fail would say nothing.
    function test_thePushersDoEverything() external {
        uint256 read = 0;
        for (uint256 i = 0; i < 60; ++i) {
            uint256 random = uint256(keccak256(abi.encode(i)));
            _pushers.wait(random);
            _pushers.pushValid(random, random >> 8, random >> 16);
            _pushers.pushForeign(random, random >> 8);
            _pushers.pushCorrupted(random, random >> 8, random >> 16);
            _pushers.pushWithTooFewSignatures(random, random >> 8);
            for (uint256 k = 0; k < _pushers.FEEDS(); ++k) {
                if (canRead(_pushers.store(), _pushers.feedId(k), 1 hours)) ++read;
            }
        }
        assertEq(_pushers.wrong(), 0, "wrong");
        assertGt(_pushers.done(FeedStorePushers.pushValid.selector), 20, "taken");
        assertEq(_pushers.done(FeedStorePushers.pushForeign.selector), 60, "foreign");
        assertEq(_pushers.done(FeedStorePushers.pushCorrupted.selector), 60, "corrupted");
        assertEq(_pushers.done(FeedStorePushers.pushWithTooFewSignatures.selector), 60, "too few");
        assertGt(read, 40, "read");
    }

    function canRead(IFeedStore store, bytes32 id, uint256 maxAgeS) private view returns (bool) {
        try store.read(id, maxAgeS) returns (int256, uint256) {
            return true;
        } catch {
            return false;
        }
    }
}
