// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// What a consumer that inherits AssayConsumer reads, and what it refuses, at its exact edge.

import {AssayConsumer} from "../src/AssayConsumer.sol";
import {Feed, IReportVerifier} from "../src/interfaces/IReportVerifier.sol";
import {Values} from "../src/lib/Values.sol";
import {FeedMissing, Verification} from "../src/lib/Verification.sol";
import {Consumer} from "./base/Consumer.sol";
import {Committee, Head, Reports} from "./base/Reports.sol";
import {Bundle} from "./base/Trees.sol";

/// @title Reading by pull
contract AssayConsumerTest is Reports {
    Committee private _c;
    Consumer private _consumer;
    bytes32 private _feed;

    function setUp() external {
        _c = makeCommittee("consumer", 4);
        _consumer = new Consumer(_c.registry);
        vm.warp(START + 1000);
        _feed = feedIdOf("btc-usd");
    }

    // What is read

    function test_ReadsTheFeedThatItAsksForWhereverItStands() external {
        Bundle memory bundle = numbers(16);
        bytes memory report = reportOf(_c, bundle, 4);
        for (uint256 i = 0; i < 16; ++i) {
            bytes memory call = abi.encodeCall(Consumer.read, (bundle.feeds[i].feedId, 60));
            assertEq(send(address(_consumer), withReport(call, report)), abi.encode(1000 + i, nowMs()));
        }
        assertEq(address(_consumer.REGISTRY()), address(_c.registry));
    }

    function test_ReadsNumbersUpToTheirEnds() external {
        int256[4] memory values = [int256(-1), 0, type(int176).max, type(int176).min];
        for (uint256 i = 0; i < 4; ++i) {
            assertEq(readValue(only(numberFeed("btc-usd", values[i]))), values[i]);
        }
        bytes memory wide = abi.encodeWithSelector(Values.NotInt176.selector, _feed);
        readFails(only(numberFeed("btc-usd", int256(type(int176).max) + 1)), 60, wide);
        readFails(only(numberFeed("btc-usd", int256(type(int176).min) - 1)), 60, wide);
        readFails(only(numberFeed("btc-usd", type(int256).min)), 60, wide);
    }

    function test_AnotherFeedIsMissing() external {
        readFails(only(numberFeed("eth-usd", 1)), 60, abi.encodeWithSelector(FeedMissing.selector, _feed));
    }

    function test_OnlyOkIsRead() external {
        for (uint256 status = 1; status < 256; ++status) {
            Feed memory feed = numberFeed("btc-usd", 1);
            feed.meta = packMeta(nowMs(), 60, status, 3, 0, 250);
            readFails(only(feed), 60, abi.encodeWithSelector(Values.NotOk.selector, _feed, status));
        }
    }

    function test_OnlyNumbersAreReadAsNumbers() external {
        for (uint256 kind = 1; kind < 256; ++kind) {
            Feed memory feed = numberFeed("btc-usd", 1);
            feed.meta = packMeta(nowMs(), 60, 0, 3, kind, 250);
            readFails(only(feed), 60, abi.encodeWithSelector(Values.WrongKind.selector, _feed, kind));
        }
    }

    function test_AgesCountToTheirExactEnds() external {
        uint256 t = nowMs();
        assertAge(t, 60, 0, true);
        assertAge(t - 1, 60, 0, false);
        assertAge(t - 30_000, 60, 30, true);
        assertAge(t - 30_001, 60, 30, false);
        // A source that is ahead of the block is of age 0.
        assertAge(t + 5000, 60, 0, true);
        // The feed's own validity holds whatever the reader allows.
        assertAge(t - 60_000, 60, 61, true);
        assertAge(t - 60_001, 60, 61, false);
        assertAge(t - 60_000, 60, type(uint256).max, true);
        assertAge(t - 60_001, 60, type(uint256).max, false);
        assertAge(t - 1, 0, type(uint256).max, false);
        // Bounds beyond the age of the world allow everything that is valid, and wrap around nowhere.
        assertAge(0, type(uint32).max, vm.getBlockTimestamp(), true);
        assertAge(0, type(uint32).max, vm.getBlockTimestamp() - 1, false);
        assertAge(0, type(uint32).max, vm.getBlockTimestamp() + 1, true);
        assertAge(type(uint64).max, type(uint32).max, 0, true);
    }

    // Where the report is

    function test_CalldataWithoutAReportIsRefused() external {
        bytes memory none = abi.encodeWithSelector(Verification.NoReport.selector);
        bytes memory call = abi.encodeCall(Consumer.read, (_feed, 60));
        bytes memory report = reportOf(_c, only(numberFeed("btc-usd", 1)), 1);
        fails(call, none);
        fails(bytes.concat(call, report), none);
        fails(abi.encodePacked(call, report, uint16(report.length), uint16(0xA55B)), none);
        fails(abi.encodePacked(call, report, uint16(report.length), hex"A55A00"), none);
        // Longer than all that stands between selector and trailer: the selector is no part of a report.
        uint256 room = call.length - 4 + report.length;
        fails(abi.encodePacked(call, report, uint16(room + 1), uint16(0xA55A)), none);
        fails(abi.encodePacked(call, uint16(0xFFFF), uint16(0xA55A)), none);
        // As long as that, and so not where the report is: refused for what it says.
        (bool done,) = address(_consumer).call(abi.encodePacked(call, report, uint16(room), uint16(0xA55A)));
        assertFalse(done);
        fails(withReport(call, ""), abi.encodeWithSelector(Verification.UnknownGeneration.selector, 0));
    }

    function test_CallsTooShortForATrailerHoldNone() external {
        bytes memory none = abi.encodeWithSelector(Verification.NoReport.selector);
        fails(abi.encodeCall(Consumer.all, ()), none);
        fails(abi.encodePacked(Consumer.all.selector, uint24(0x00A55A)), none);
        fails(abi.encodePacked(Consumer.all.selector, uint32(0x0000A55B)), none);
        fails(abi.encodePacked(Consumer.all.selector, uint32(0x0001A55A)), none);
    }

    function testFuzz_NoArgumentMovesTheReport(bytes calldata argument, uint256 where) external {
        // Reckoned from the front, an argument of another length would put the attacker's bytes where the report should
        // be: here they are even a valid report, of another value.
        bytes memory theirs = withReport("", reportOf(_c, only(numberFeed("btc-usd", 666)), 1));
        where = bound(where, 0, argument.length);
        bytes memory bent = bytes.concat(argument[:where], theirs, argument[where:]);
        bytes memory call = abi.encodeCall(Consumer.readAfter, (bent, _feed, 60));
        bytes memory ours = reportOf(_c, only(numberFeed("btc-usd", 7)), 1);
        assertEq(send(address(_consumer), withReport(call, ours)), abi.encode(7, nowMs()));
    }

    /// Audit finding: hard-coded calldata offset. Where an argument stands in calldata is its caller's choice: ABI encoding
    /// takes any offset that lies within. What is read is the report at the place that the offset names, or nothing.
    function test_hardCodedCalldataOffset() external {
        bytes memory ours = reportOf(_c, only(numberFeed("btc-usd", 7)), 1);
        bytes memory theirs = reportOf(_c, only(numberFeed("btc-usd", 666)), 1);
        uint256[6] memory gaps = [uint256(0), 1, 31, 32, 64, 1000];
        for (uint256 i = 0; i < gaps.length; ++i) {
            // Behind its usual place, at which stands another report, or as much of one as fits before.
            bytes memory between = bytes.concat(abi.encode(theirs.length), theirs);
            between = gaps[i] < between.length ? cut(between, gaps[i]) : bytes.concat(between, new bytes(gaps[i]));
            bytes memory call = abi.encodePacked(
                Consumer.readGiven.selector, 96 + between.length, _feed, uint256(60), between, ours.length, ours
            );
            assertEq(send(address(_consumer), call), abi.encode(7, nowMs()), "found where the offset says");
            // The appended form is reckoned from the end, whatever the arguments are.
            call = abi.encodePacked(
                Consumer.readAfter.selector, 96 + between.length, _feed, uint256(60), between, theirs.length, theirs
            );
            assertEq(send(address(_consumer), withReport(call, ours)), abi.encode(7, nowMs()), "found at the end");
        }
        // Offsets and lengths that lead out of the calldata are refused, not read as zeros.
        uint256[4] memory offsets = [uint256(2 ** 256 - 32), 2 ** 64, 10_000, 2 ** 255];
        for (uint256 i = 0; i < offsets.length; ++i) {
            fails(abi.encodePacked(Consumer.readGiven.selector, offsets[i], _feed, uint256(60), ours.length, ours), "");
        }
        bytes memory long = abi.encodePacked(Consumer.readGiven.selector, uint256(96), _feed, uint256(60));
        fails(abi.encodePacked(long, ours.length + 1, ours), "");
        bytes memory malformed = abi.encodeWithSelector(IReportVerifier.MalformedReport.selector);
        fails(abi.encodePacked(long, ours.length + 32, ours, ours.length), malformed);
    }

    function test_ReadsReportsGivenAsArguments() external {
        bytes memory report = reportOf(_c, only(numberFeed("btc-usd", 7)), 1);
        (int256 value, uint256 observedAtMs) = _consumer.readGiven(report, _feed, 60);
        assertEq(value, 7);
        assertEq(observedAtMs, nowMs());
        (, bytes memory answer) = ask(_c, report);
        assertEq(_consumer.allGiven(report), answer);
        vm.expectRevert(abi.encodeWithSelector(IReportVerifier.MalformedReport.selector));
        _consumer.readGiven(bytes.concat(report, hex"00"), _feed, 60);
        vm.expectRevert(abi.encodeWithSelector(Values.Stale.selector, _feed, nowMs()));
        vm.warp(START + 1061);
        _consumer.readGiven(report, _feed, 600);
    }

    function test_OtherRegistriesAndGenerationsAreUnknown() external {
        Committee memory other = makeCommittee("consumer", 4);
        // The same committee in another registry: the report is good there and here, since one lineage is one.
        bytes memory call = abi.encodeCall(Consumer.read, (_feed, 60));
        send(address(_consumer), withReport(call, reportOf(other, only(numberFeed("btc-usd", 1)), 1)));
        Head memory head = headOf(_c, SEALS);
        head.generation = 2;
        bytes memory unknown = abi.encodeWithSelector(Verification.UnknownGeneration.selector, 2);
        fails(withReport(call, reportOf(_c, head, only(numberFeed("btc-usd", 1)), 1)), unknown);
        Committee memory foreign = makeCommittee("foreign", 4);
        (bool done,) = address(_consumer).call(withReport(call, reportOf(foreign, only(numberFeed("btc-usd", 1)), 1)));
        assertFalse(done);
    }

    // Structured values

    function test_StructuredValuesAreThoseThatWereSigned() external {
        bytes memory encoded = abi.encode(int64(-512), int64(30), int64(4410));
        Feed memory feed = Feed(_feed, keccak256(encoded), packMeta(nowMs() - 2000, 60, 0, 3, 1, 0));
        bytes memory report = reportOf(_c, only(feed), 2);
        bytes memory call = abi.encodeCall(Consumer.readEncoded, (_feed, encoded, 2));
        assertEq(send(address(_consumer), withReport(call, report)), abi.encode(nowMs() - 2000, nowMs()));
        bytes memory wrong = abi.encodeWithSelector(Values.WrongBytes.selector, _feed);
        call = abi.encodeCall(Consumer.readEncoded, (_feed, flip(encoded, 255), 2));
        fails(withReport(call, report), wrong);
        call = abi.encodeCall(Consumer.readEncoded, (_feed, bytes.concat(encoded, hex"00"), 2));
        fails(withReport(call, report), wrong);
        call = abi.encodeCall(Consumer.readEncoded, (_feed, encoded, 1));
        fails(withReport(call, report), abi.encodeWithSelector(Values.Stale.selector, _feed, nowMs() - 2000));
        call = abi.encodeCall(Consumer.read, (_feed, 2));
        fails(withReport(call, report), abi.encodeWithSelector(Values.WrongKind.selector, _feed, 1));
        feed.meta = packMeta(nowMs(), 60, 0, 3, 0, 0);
        call = abi.encodeCall(Consumer.readEncoded, (_feed, encoded, 2));
        bytes memory number = abi.encodeWithSelector(Values.WrongKind.selector, _feed, 0);
        fails(withReport(call, reportOf(_c, only(feed), 2)), number);
        feed.meta = packMeta(nowMs(), 60, 8, 3, 1, 0);
        fails(withReport(call, reportOf(_c, only(feed), 2)), abi.encodeWithSelector(Values.NotOk.selector, _feed, 8));
    }

    // Choice among valid reports

    function test_TheNewestReaderNeverGoesBack() external {
        Head memory head = headOf(_c, SEALS);
        bytes memory call = abi.encodeCall(Consumer.readNewest, (_feed, 60));
        uint48 t = head.attestedAtMs;
        send(address(_consumer), withReport(call, reportOf(_c, head, only(numberFeed("btc-usd", 1)), 1)));
        // The same once more, then one that is a millisecond older, which a plain reader takes.
        send(address(_consumer), withReport(call, reportOf(_c, head, only(numberFeed("btc-usd", 1)), 1)));
        head.attestedAtMs = t - 1;
        bytes memory older = reportOf(_c, head, only(numberFeed("btc-usd", 2)), 1);
        fails(withReport(call, older), abi.encodeWithSelector(AssayConsumer.OlderThanUsed.selector, _feed, t - 1, t));
        send(address(_consumer), withReport(abi.encodeCall(Consumer.read, (_feed, 60)), older));
        head.attestedAtMs = t + 1;
        send(address(_consumer), withReport(call, reportOf(_c, head, only(numberFeed("btc-usd", 3)), 1)));
        // Other feeds have times of their own.
        head.attestedAtMs = t - 1;
        call = abi.encodeCall(Consumer.readNewest, (feedIdOf("eth-usd"), 60));
        send(address(_consumer), withReport(call, reportOf(_c, head, only(numberFeed("eth-usd", 4)), 1)));
        // Where it is kept: ERC-7201, so that no inheriting contract's slots are in the way.
        bytes32 space = keccak256(abi.encode(uint256(keccak256("assay.consumer")) - 1)) & ~bytes32(uint256(0xff));
        assertEq(uint256(vm.load(address(_consumer), keccak256(abi.encode(_feed, space)))), t + 1);
    }

    function test_WithASlackTheSecondOfTwoCallersGetsThroughAndTheThirdDoesNot() external {
        _consumer.setSlack(3000);
        bytes memory call = abi.encodeCall(Consumer.readNewest, (_feed, 60));
        Head memory head = headOf(_c, SEALS);
        uint48 t = head.attestedAtMs;
        uint16[3] memory behind = [0, 3000, 3001];
        for (uint256 i = 0; i < 3; ++i) {
            head.attestedAtMs = t - behind[i];
            bytes memory data = withReport(call, reportOf(_c, head, only(numberFeed("btc-usd", 1)), 1));
            if (i < 2) send(address(_consumer), data);
            else fails(data, abi.encodeWithSelector(AssayConsumer.OlderThanUsed.selector, _feed, t - 3001, t));
        }
    }

    function test_ABundlesReaderSaysWhenItWasAttested() external {
        Bundle memory bundle = numbers(2);
        bytes memory call = abi.encodeCall(Consumer.readBundleAt, (idsOf(bundle), 60));
        bytes memory report = reportOf(_c, bundle, 1);
        assertEq(send(address(_consumer), withReport(call, report)), abi.encode(nowMs()));
        assertEq(send(address(_consumer), withReport(call, short(report))), abi.encode(nowMs()));
    }

    function test_WhatATransactionReadOnceStays() external {
        bytes memory call = abi.encodeCall(Consumer.readOnce, (_feed, 60));
        Feed memory feed = numberFeed("btc-usd", 1);
        feed.meta = okMeta(nowMs() - 10_000);
        send(address(_consumer), withReport(call, reportOf(_c, only(feed), 1)));
        bytes memory kept = abi.encode(1, nowMs() - 10_000);
        // With another report, and with none.
        assertEq(send(address(_consumer), withReport(call, reportOf(_c, only(numberFeed("btc-usd", 2)), 1))), kept);
        assertEq(send(address(_consumer), call), kept);
        // Each reader's own bound still holds.
        call = abi.encodeCall(Consumer.readOnce, (_feed, 9));
        fails(call, abi.encodeWithSelector(Values.Stale.selector, _feed, nowMs() - 10_000));
        vm.warp(vm.getBlockTimestamp() + 51);
        call = abi.encodeCall(Consumer.readOnce, (_feed, type(uint256).max));
        fails(call, abi.encodeWithSelector(Values.Stale.selector, _feed, nowMs() - 61_000));
        // Other feeds need a report of their own.
        call = abi.encodeCall(Consumer.readOnce, (feedIdOf("eth-usd"), 60));
        fails(call, abi.encodeWithSelector(Verification.NoReport.selector));
    }

    function test_WhatIsRefusedIsNotKept() external {
        bytes memory call = abi.encodeCall(Consumer.readOnce, (_feed, 0));
        Feed memory feed = numberFeed("btc-usd", 1);
        feed.meta = okMeta(nowMs() - 10_000);
        bytes memory stale = abi.encodeWithSelector(Values.Stale.selector, _feed, nowMs() - 10_000);
        fails(withReport(call, reportOf(_c, only(feed), 1)), stale);
        fails(abi.encodeCall(Consumer.readOnce, (_feed, 60)), abi.encodeWithSelector(Verification.NoReport.selector));
    }

    function test_SeveralCallsOfOneTransactionShareAReport() external {
        Bundle memory bundle = numbers(2);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(Consumer.readOnce, (bundle.feeds[0].feedId, 60));
        calls[1] = abi.encodeCall(Consumer.readNewest, (bundle.feeds[1].feedId, 60));
        bytes memory call = abi.encodeCall(Consumer.multicall, (calls));
        bytes[] memory answers =
            abi.decode(send(address(_consumer), withReport(call, reportOf(_c, bundle, 1))), (bytes[]));
        assertEq(answers[0], abi.encode(1000, nowMs()));
        assertEq(answers[1], abi.encode(1001, nowMs()));
    }

    function readValue(Bundle memory bundle) private returns (int256 value) {
        bytes memory call = abi.encodeCall(Consumer.read, (_feed, 60));
        (value,) = abi.decode(send(address(_consumer), withReport(call, reportOf(_c, bundle, 1))), (int256, uint256));
    }

    function readFails(Bundle memory bundle, uint256 maxAgeS, bytes memory why) private {
        fails(withReport(abi.encodeCall(Consumer.read, (_feed, maxAgeS)), reportOf(_c, bundle, 1)), why);
        // A reader of bundles says the same.
        bytes memory call = abi.encodeCall(Consumer.readBundle, (abi.encodePacked(bundle.id, _feed), maxAgeS));
        fails(withReport(call, reportOf(_c, bundle, 1)), why);
    }

    function fails(bytes memory data, bytes memory why) private {
        (bool done, bytes memory answer) = address(_consumer).call(data);
        assertFalse(done, "read");
        assertEq(answer, why);
    }

    function assertAge(uint256 observedAtMs, uint256 validForS, uint256 maxAgeS, bool fresh) private {
        Feed memory feed = numberFeed("btc-usd", 7);
        feed.meta = packMeta(observedAtMs, validForS, 0, 3, 0, 0);
        bytes memory stale = abi.encodeWithSelector(Values.Stale.selector, _feed, observedAtMs);
        if (!fresh) return readFails(only(feed), maxAgeS, stale);
        bytes memory call = abi.encodeCall(Consumer.read, (_feed, maxAgeS));
        assertEq(send(address(_consumer), withReport(call, reportOf(_c, only(feed), 1))), abi.encode(7, observedAtMs));
        call = abi.encodeCall(Consumer.readBundle, (idsOf(only(feed)), maxAgeS));
        int256[] memory values =
            abi.decode(send(address(_consumer), withReport(call, reportOf(_c, only(feed), 1))), (int256[]));
        assertEq(abi.encode(values), abi.encode(uint256(32), uint256(1), uint256(7)));
    }
}
