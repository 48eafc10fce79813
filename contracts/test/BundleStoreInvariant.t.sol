// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// What holds of a bundle store whatever anybody pushes, and whenever, against a model that keeps what was signed.

import {BundleStore} from "../src/BundleStore.sol";
import {Reading} from "../src/interfaces/IFeedStore.sol";
import {Feed} from "../src/interfaces/IReportVerifier.sol";
import {Meta} from "../src/lib/Meta.sol";
import {InvariantBase} from "./base/InvariantBase.sol";
import {Committee, Head} from "./base/Reports.sol";
import {Stores} from "./base/Stores.sol";
import {Bundle} from "./base/Trees.sol";

/// @title Everything that anybody may bring to a bundle store
contract BundleStorePushers is Stores {
    uint256 public constant FEEDS = 3;

    BundleStore public immutable store;
    Committee private _c;

    /// The model: T and feeds of the newest report that the store took.
    uint256 public attestedAtMs;
    Feed[] private _signed;
    mapping(bytes4 action => uint256) public done;
    uint256 public wrong;

    constructor() {
        _c = makeCommittee("store", 4);
        Bundle memory bundle = numbers(FEEDS);
        bytes32[] memory ids = new bytes32[](FEEDS);
        for (uint256 i = 0; i < FEEDS; ++i) {
            ids[i] = bundle.feeds[i].feedId;
        }
        store = new BundleStore(_c.registry, bundle.id, ids);
        vm.warp(START + 30 days);
    }

    function signed() external view returns (Feed[] memory) {
        return _signed;
    }

    function wait(uint256 seconds_) external {
        vm.warp(vm.getBlockTimestamp() + bound(seconds_, 1, seconds_ % 8 == 0 ? 100_000 : 45));
        done[msg.sig]++;
    }

    function pushValid(uint256 seed, uint256 lag) external {
        Bundle memory bundle = bundleOf(seed);
        Head memory head = headOf(_c, seed % 2 == 0 ? SEALS : ATTESTATIONS);
        head.attestedAtMs = uint48(nowMs() + 20_000 - bound(lag, 0, lag % 4 == 0 ? 400_000 : 25_000));
        bool news = false;
        for (uint256 i = 0; i < FEEDS; ++i) {
            if (head.attestedAtMs + 1000 * Meta.wrap(bundle.feeds[i].meta).validForS() >= nowMs()) news = true;
        }
        news = news && head.attestedAtMs > attestedAtMs;
        bytes memory report = reportOf(_c, head, bundle, 1 + seed % 3);
        if (deliver(seed % 5 < 2 ? report : short(report)) != news) wrong++;
        if (!news) return;
        done[msg.sig]++;
        attestedAtMs = head.attestedAtMs;
        delete _signed;
        for (uint256 i = 0; i < FEEDS; ++i) {
            _signed.push(bundle.feeds[i]);
        }
    }

    function pushOtherFeeds(uint256 seed) external {
        Bundle memory bundle = bundleOf(seed);
        bundle.feeds[seed % FEEDS].feedId = feedIdOf("another");
        bytes memory report = reportOf(_c, bundle, 2);
        if (deliver(seed % 2 == 0 ? report : short(report))) wrong++;
        else done[msg.sig]++;
    }

    function pushCorrupted(uint256 seed, uint256 bit) external {
        bytes memory report = short(reportOf(_c, bundleOf(seed), 2));
        if (deliver(flip(report, bound(bit, 0, 8 * report.length - 1)))) wrong++;
        else done[msg.sig]++;
    }

    function deliver(bytes memory report) private returns (bool accepted) {
        uint256 before = uint256(vm.load(address(store), 0)) >> 214;
        (accepted,) = address(store).call(pushOf(report));
        uint256 after_ = uint256(vm.load(address(store), 0)) >> 214;
        if (accepted ? after_ <= before : after_ != before) wrong++;
    }

    function bundleOf(uint256 seed) private view returns (Bundle memory bundle) {
        bundle = numbers(FEEDS);
        for (uint256 i = 0; i < FEEDS; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            uint256 ageMs = random % 4 == 0 ? random % 5_000_000 : random % 20_000;
            uint256 validForS = random % 3 == 0 ? 30 : random % 7200;
            uint256 status = (random >> 32) % 3 == 0 ? random % 10 : 0;
            bundle.feeds[i].word = bytes32(uint256(int256(random) >> 184));
            bundle.feeds[i].meta =
                packMeta(nowMs() + 10_000 - ageMs, validForS, status, random % 9, 0, random % 1_000_000);
        }
    }
}

/// @title Invariants of the bundle store
contract BundleStoreInvariantTest is Stores, InvariantBase {
    BundleStorePushers private _pushers;

    function setUp() external {
        _pushers = new BundleStorePushers();
        target(address(_pushers));
    }

    function invariant_theStoreHoldsOneReportWholeAndReadsNothingPastItsValidity() external view {
        assertEq(_pushers.wrong(), 0, "pushes that should have been refused, or taken");
        Feed[] memory feeds = _pushers.signed();
        for (uint256 i = 0; i < feeds.length; ++i) {
            Meta meta = Meta.wrap(feeds[i].meta);
            Reading memory r = _pushers.store().tryRead(feeds[i].feedId);
            assertEq(r.attestedAtMs, _pushers.attestedAtMs(), "T");
            assertEq(r.value, int256(uint256(feeds[i].word)), "value");
            assertEq(r.status, meta.status(), "status");
            uint256 maxAgeS = 5 + nowMs() / 1000 % 100;
            if (!canRead(feeds[i].feedId, maxAgeS)) continue;
            assertEq(meta.status(), 0, "not OK");
            assertLe(nowMs(), meta.validUntilMs(), "past its validity");
            assertLe(nowMs(), meta.observedAtMs() + 1000 * maxAgeS, "older than the reader wants");
        }
    }

    /// @dev Invariants over calls that all fail would say nothing.
    function test_thePushersDoEverything() external {
        uint256 read = 0;
        for (uint256 i = 0; i < 60; ++i) {
            uint256 random = uint256(keccak256(abi.encode(i)));
            _pushers.wait(random);
            _pushers.pushValid(random, random >> 16);
            _pushers.pushOtherFeeds(random);
            _pushers.pushCorrupted(random, random >> 16);
            Feed[] memory feeds = _pushers.signed();
            for (uint256 k = 0; k < feeds.length; ++k) {
                if (canRead(feeds[k].feedId, 1 hours)) ++read;
            }
        }
        assertEq(_pushers.wrong(), 0, "wrong");
        assertGt(_pushers.done(BundleStorePushers.pushValid.selector), 20, "taken");
        assertEq(_pushers.done(BundleStorePushers.pushOtherFeeds.selector), 60, "other feeds");
        assertEq(_pushers.done(BundleStorePushers.pushCorrupted.selector), 60, "corrupted");
        assertGt(read, 30, "read");
    }

    function canRead(bytes32 id, uint256 maxAgeS) private view returns (bool) {
        try _pushers.store().read(id, maxAgeS) returns (int256, uint256) {
            return true;
        } catch {
            return false;
        }
    }
}
