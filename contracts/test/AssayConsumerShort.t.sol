// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// Reports without ids, for readers that know them: the same values, the same refusals, and nothing else gets through.

import {IReportVerifier} from "../src/interfaces/IReportVerifier.sol";
import {Values} from "../src/lib/Values.sol";
import {FeedMissing, Verification} from "../src/lib/Verification.sol";
import {Consumer} from "./base/Consumer.sol";
import {Committee, Reports} from "./base/Reports.sol";
import {Bundle} from "./base/Trees.sol";

/// @title Reading bundles whose ids the reader knows
contract AssayConsumerShortTest is Reports {
    Committee private _c;
    Consumer private _consumer;

    function setUp() external {
        _c = makeCommittee("short", 4);
        _consumer = new Consumer(_c.registry);
        vm.warp(START + 1000);
    }

    function test_BothFormsSayTheSame() external {
        for (uint256 n = 1; n <= 16; ++n) {
            Bundle memory bundle = numbers(n);
            bundle.feeds[n - 1].word = bytes32(uint256(int256(n % 2 == 0 ? type(int104).max : type(int104).min)));
            bytes memory report = reportOf(_c, bundle, n % 5);
            bytes memory call = abi.encodeCall(Consumer.readBundle, (idsOf(bundle), 60));
            bytes memory values = send(address(_consumer), withReport(call, report));
            int256[] memory read = abi.decode(values, (int256[]));
            assertEq(read.length, n);
            for (uint256 i = 0; i < n; ++i) {
                assertEq(read[i], int256(uint256(bundle.feeds[i].word)));
            }
            assertEq(send(address(_consumer), withReport(call, short(report))), values);
            (, bytes memory answer) = ask(_c, report);
            call = abi.encodeCall(Consumer.known, (idsOf(bundle)));
            assertEq(send(address(_consumer), withReport(call, short(report))), abi.encode(answer));
            assertEq(send(address(_consumer), withReport(call, report)), abi.encode(answer));
        }
    }

    function test_OneKnownFeedIsReadFromBothForms() external {
        Bundle memory bundle = only(numberFeed("btc-usd", -5));
        bytes memory report = reportOf(_c, bundle, 4);
        bytes32 feed = feedIdOf("btc-usd");
        bytes[2] memory calls = [
            abi.encodeCall(Consumer.readKnown, (bundle.id, feed, 60)),
            abi.encodeCall(Consumer.readNewestKnown, (bundle.id, feed, 60))
        ];
        for (uint256 i = 0; i < 2; ++i) {
            assertEq(send(address(_consumer), withReport(calls[i], report)), abi.encode(int256(-5), nowMs()));
            assertEq(send(address(_consumer), withReport(calls[i], short(report))), abi.encode(int256(-5), nowMs()));
            // In full the feed may stand in any bundle.
            Bundle memory wide = numbers(3);
            wide.feeds[1] = numberFeed("btc-usd", 9);
            assertEq(send(address(_consumer), withReport(calls[i], reportOf(_c, wide, 1))), abi.encode(9, nowMs()));
        }
        // A reader that knows no bundle is not told one by a report that leaves it out.
        fails(withReport(abi.encodeCall(Consumer.read, (feed, 60)), short(report)), badSignature());
    }

    function test_OtherIdsThanThoseSignedAreRefused() external {
        Bundle memory bundle = numbers(2);
        bytes memory report = reportOf(_c, bundle, 1);
        bytes memory ids = idsOf(bundle);
        // The reader's own order, feeds and bundle: never the report's.
        bytes memory swapped = abi.encodePacked(bundle.id, bundle.feeds[1].feedId, bundle.feeds[0].feedId);
        bytes memory missing = abi.encodeWithSelector(FeedMissing.selector, bundle.feeds[1].feedId);
        fails(withReport(abi.encodeCall(Consumer.readBundle, (swapped, 60)), report), missing);
        fails(withReport(abi.encodeCall(Consumer.known, (swapped)), report), missing);
        fails(withReport(abi.encodeCall(Consumer.readBundle, (swapped, 60)), short(report)), badSignature());
        fails(withReport(abi.encodeCall(Consumer.known, (swapped)), short(report)), badSignature());
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory other = flip(ids, 256 * i + 7);
            fails(withReport(abi.encodeCall(Consumer.readBundle, (other, 60)), short(report)), badSignature());
            fails(withReport(abi.encodeCall(Consumer.known, (other)), short(report)), badSignature());
        }
        bytes32 feed = bundle.feeds[0].feedId;
        report = reportOf(_c, only(bundle.feeds[0]), 1);
        bytes32 wrong = keccak256("another bundle");
        fails(withReport(abi.encodeCall(Consumer.readKnown, (wrong, feed, 60)), short(report)), badSignature());
        fails(
            withReport(abi.encodeCall(Consumer.readKnown, (keccak256("only"), wrong, 60)), short(report)),
            badSignature()
        );
    }

    function test_OtherCountsThanTheReadersAreRefused() external {
        for (uint256 n = 1; n < 5; ++n) {
            for (uint256 known = 1; known < 5; ++known) {
                if (n == known) continue;
                bytes memory report = reportOf(_c, numbers(n), 1);
                bytes memory ids = idsOf(numbers(known));
                bytes memory wrong = abi.encodeWithSelector(Verification.WrongFeedCount.selector, known);
                fails(withReport(abi.encodeCall(Consumer.readBundle, (ids, 60)), report), wrong);
                fails(withReport(abi.encodeCall(Consumer.readBundle, (ids, 60)), short(report)), wrong);
                fails(withReport(abi.encodeCall(Consumer.known, (ids)), report), wrong);
                fails(withReport(abi.encodeCall(Consumer.known, (ids)), short(report)), wrong);
            }
        }
    }

    function test_AShortReportHasOneBundleAndNothingBesideIt() external {
        // Signed by all, and still: a second bundle behind the first would hand its reader feeds that it does not know.
        Bundle[] memory bundles = new Bundle[](2);
        bundles[0] = numbers("a", "a-", 2);
        bundles[1] = numbers("b", "b-", 1);
        bytes memory report = short(reportOf(_c, headOf(_c, SEALS), bundles, 2, 3));
        bytes memory wrong = abi.encodeWithSelector(Verification.WrongFeedCount.selector, 2);
        fails(withReport(abi.encodeCall(Consumer.known, (idsOf(bundles[0]))), report), wrong);
        fails(withReport(abi.encodeCall(Consumer.readBundle, (idsOf(bundles[0]), 60)), report), wrong);
    }

    function test_EachFeedOfABundleIsJudged() external {
        for (uint256 i = 0; i < 3; ++i) {
            Bundle memory bundle = numbers(3);
            bytes32 id = bundle.feeds[i].feedId;
            uint256 t = nowMs();
            bundle.feeds[i].meta = packMeta(t, 60, 5, 3, 0, 0);
            bundleFails(bundle, 60, abi.encodeWithSelector(Values.NotOk.selector, id, 5));
            bundle.feeds[i].meta = packMeta(t, 60, 0, 3, 1, 0);
            bundleFails(bundle, 60, abi.encodeWithSelector(Values.WrongKind.selector, id, 1));
            bundle.feeds[i].meta = packMeta(t - 60_001, 60, 0, 3, 0, 0);
            bundleFails(bundle, 1000, abi.encodeWithSelector(Values.Stale.selector, id, t - 60_001));
            bundle.feeds[i].meta = packMeta(t - 10_001, 60, 0, 3, 0, 0);
            bundleFails(bundle, 10, abi.encodeWithSelector(Values.Stale.selector, id, t - 10_001));
            bundle.feeds[i].meta = packMeta(t - 10_000, 60, 0, 3, 0, type(uint32).max);
            bytes memory call = abi.encodeCall(Consumer.readBundle, (idsOf(bundle), 10));
            send(address(_consumer), withReport(call, short(reportOf(_c, bundle, 1))));
        }
    }

    /// forge-config: ci.fuzz.runs = 10000
    function testFuzz_CallsOfAnyShapeAreRefusedByName(
        uint256 cutTo,
        bytes calldata piece,
        uint256 place,
        bool isShort,
        uint8 n
    ) external {
        Bundle memory bundle = numbers(1 + n % 4);
        bytes memory report = reportOf(_c, bundle, 2);
        if (isShort) report = short(report);
        bytes memory data = withReport(abi.encodeCall(Consumer.readBundle, (idsOf(bundle), 60)), report);
        // Bytes of the report overwritten, then a tail cut off and another length told: never a panic, never silence.
        bytes memory bent = report;
        if (piece.length > 0 && piece.length <= report.length) {
            bent = overwrite(report, place % (report.length - piece.length + 1), piece);
        }
        bent = cut(bent, bound(cutTo, 0, bent.length));
        bytes memory other = withReport(abi.encodeCall(Consumer.readBundle, (idsOf(bundle), 60)), bent);
        (bool done, bytes memory answer) = address(_consumer).call(other);
        if (keccak256(other) == keccak256(data)) {
            assertTrue(done);
        } else {
            assertFalse(done, "accepted");
            assertGt(answer.length, 3, "no error");
            assertTrue(bytes4(answer) != bytes4(keccak256("Panic(uint256)")), "a panic");
        }
    }

    /// forge-config: ci.fuzz.runs = 5000
    function testFuzz_EveryBitOfAShortReportIsSigned(uint256 bit, uint8 n) external {
        Bundle memory bundle = numbers(1 + n % 4);
        bytes memory report = short(reportOf(_c, bundle, 2));
        bytes memory bent = flip(report, bound(bit, 0, 8 * report.length - 1));
        (bool done,) =
            address(_consumer).call(withReport(abi.encodeCall(Consumer.readBundle, (idsOf(bundle), 60)), bent));
        assertFalse(done);
        (done,) = address(_consumer).call(withReport(abi.encodeCall(Consumer.known, (idsOf(bundle))), bent));
        assertFalse(done);
    }

    function bundleFails(Bundle memory bundle, uint256 maxAgeS, bytes memory why) private {
        bytes memory call = abi.encodeCall(Consumer.readBundle, (idsOf(bundle), maxAgeS));
        bytes memory report = reportOf(_c, bundle, 1);
        fails(withReport(call, report), why);
        fails(withReport(call, short(report)), why);
    }

    function fails(bytes memory data, bytes memory why) private {
        (bool done, bytes memory answer) = address(_consumer).call(data);
        assertFalse(done, "read");
        assertEq(answer, why);
    }

    function badSignature() private pure returns (bytes memory) {
        return abi.encodeWithSelector(IReportVerifier.BadSignature.selector, 0);
    }
}
