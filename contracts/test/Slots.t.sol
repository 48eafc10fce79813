// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// How stores pack: every rounding on the safe side, whatever is signed, and nothing that runs into its neighbour.

import {Reading} from "../src/interfaces/IFeedStore.sol";
import {Meta} from "../src/lib/Meta.sol";
import {Slots} from "../src/lib/Slots.sol";
import {Values} from "../src/lib/Values.sol";
import {Reports} from "./base/Reports.sol";

/// @dev What a committee signs of a feed, as the fuzzer chooses it.
struct Signed {
    uint64 observedAtMs;
    uint32 validForS;
    uint8 status;
    uint8 groups;
    uint32 spreadPpm;
}

/// @title Tests of the packing
contract SlotsTest is Reports {
    bytes32 private constant FEED = keccak256("feed");
    uint256 private constant T_MAX = 2 ** 42 - 1;

    function pack(bytes32 word, uint256 meta, uint256 t) external pure returns (uint256) {
        return Slots.pack(FEED, word, Meta.wrap(meta), t);
    }

    function packHalf(bytes32 word, uint256 meta, uint256 t, uint256 i) external pure returns (uint256) {
        return Slots.packHalf(FEED, word, Meta.wrap(meta), t, i);
    }

    // Small floats

    /// @dev What the format says a code stands for, by other arithmetic than the library's.
    function meant(uint256 code, uint256 fraction) private pure returns (uint256) {
        if (code < 2 ** (fraction + 1)) return code;
        return (2 ** fraction + code % 2 ** fraction) * 2 ** (code / 2 ** fraction - 1);
    }

    function test_everyCodeStandsForWhatTheFormatSaysAndForNothingElse() external pure {
        for (uint256 fraction = 3; fraction <= 6; ++fraction) {
            for (uint256 code = 0; code < 32 * 2 ** fraction; code += 1 + code / 256) {
                uint256 x = Slots.decode(code, fraction);
                assertEq(x, meant(code, fraction), "decode");
                assertEq(Slots.encodeDown(x, fraction), code, "down");
                assertEq(Slots.encodeUp(x, fraction), code, "up");
            }
        }
    }

    function testFuzz_smallFloatsAreCloseOnTheirSide(uint256 x, uint256 fraction) external pure {
        fraction = bound(fraction, 3, 6);
        // Small and large numbers alike: a number of random length.
        x = bound(x, 0, 2 ** 33) >> (x >> 250) % 34;
        uint256 down = Slots.decode(Slots.encodeDown(x, fraction), fraction);
        uint256 up = Slots.decode(Slots.encodeUp(x, fraction), fraction);
        assertLe(down, x, "down");
        assertGe(up, x, "up");
        assertLe(x - down, x >> fraction, "close below");
        assertLe(up - x, x >> fraction, "close above");
        assertLt(Slots.encodeUp(x, fraction), 32 * 2 ** fraction, "fits");
    }

    function testFuzz_codesAreInTheOrderOfTheNumbers(uint256 x, uint256 y, uint256 fraction) external pure {
        fraction = bound(fraction, 3, 6);
        x = bound(x, 0, 2 ** 33);
        y = bound(y, x, 2 ** 33);
        assertLe(Slots.encodeDown(x, fraction), Slots.encodeDown(y, fraction), "down");
        assertLe(Slots.encodeUp(x, fraction), Slots.encodeUp(y, fraction), "up");
    }

    // A whole slot

    function test_aSlotHasTheDocumentedLayout() external pure {
        uint256 t = 1_767_225_600_123;
        // Age 2 s, validity 96 << 2 (code 2 << 6 | 96), spread 250 rounded up to 8 << 5 (code 5 << 3 | 8).
        uint256 meta = packMeta(t - 1500, 385, 3, 7, 0, 250);
        uint256 traits = 48 + 3 * 2 ** 8 + 7 * 2 ** 12 + 2 * 2 ** 16 + (2 * 64 + 96) * 2 ** 26;
        uint256 minusFive = 2 ** 176 - 5;
        uint256 expected = minusFive + traits * 2 ** 176 + t * 2 ** 214;
        assertEq(Slots.pack(FEED, bytes32(uint256(int256(-5))), Meta.wrap(meta), t), expected, "number");

        meta = packMeta(t - 1500, 385, 3, 7, 1, 250);
        bytes32 hash = keccak256("a structured value");
        expected = (uint256(hash) >> 80) + traits * 2 ** 176 + 2 ** 213 + t * 2 ** 214;
        assertEq(Slots.pack(FEED, hash, Meta.wrap(meta), t), expected, "structured");
    }

    function testFuzz_aSlotSaysWhatWasSignedOnTheSafeSide(int176 value, uint256 t, Signed memory signed) external pure {
        t = bound(t, 1, T_MAX);
        signed = shaped(signed, t);
        uint256 slot = Slots.pack(FEED, bytes32(uint256(int256(value))), metaOf(signed, 0), t);
        Reading memory r = Slots.reading(slot);
        assertEq(r.value, value, "value");
        assertEq(r.kind, 0, "kind");
        checkSafe(r, signed, t, 32, 64);
        (int256 again, Meta meta) = Slots.unpack(slot);
        assertEq(again, value, "value for readers");
        assertEq(meta.status(), r.status, "status for readers");
        assertEq(meta.observedAtMs(), r.observedAtMs, "source time for readers");
        assertEq(meta.validUntilMs(), r.validUntilMs, "validity for readers");
    }

    function testFuzz_aStructuredValueKeepsTheUpperBitsOfItsHash(bytes32 word, uint256 t, Signed memory signed)
        external
        pure
    {
        t = bound(t, 1, T_MAX);
        signed = shaped(signed, t);
        Reading memory r = Slots.reading(Slots.pack(FEED, word, metaOf(signed, 1), t));
        assertEq(uint256(r.value), uint256(word) >> 80, "hash");
        assertEq(r.kind, 1, "kind");
        checkSafe(r, signed, t, 32, 64);
    }

    function testFuzz_newerIsALargerSlot(uint256 slot, uint256 t) external pure {
        t = bound(t, 0, T_MAX);
        assertTrue((slot >= Slots.least(t)) == (Slots.attestedAtMs(slot) >= t), "order");
    }

    // Half a slot

    function test_halvesHaveTheDocumentedLayout() external pure {
        uint256 t = 1_767_225_600_123;
        // Age 2 s, validity 48 << 3 (code 3 << 5 | 48), spread 256 (code 5 << 3 | 8).
        uint256 meta = packMeta(t - 1500, 385, 3, 7, 0, 250);
        uint256 traits = 48 + 3 * 2 ** 8 + 7 * 2 ** 12 + 2 * 2 ** 16 + (3 * 32 + 48) * 2 ** 25;
        uint256 half = 2 ** 72 - 5 + traits * 2 ** 72;
        bytes32 word = bytes32(uint256(int256(-5)));
        assertEq(Slots.packHalf(FEED, word, Meta.wrap(meta), t, 0), half + t * 2 ** 214, "low");
        assertEq(Slots.packHalf(FEED, word, Meta.wrap(meta), t, 1), half * 2 ** 107 + t * 2 ** 214, "high");
    }

    function testFuzz_halvesSayWhatWasSignedOnTheSafeSide(
        int72 low,
        int72 high,
        uint256 t,
        Signed memory signedLow,
        Signed memory signedHigh
    ) external pure {
        t = bound(t, 1, T_MAX);
        (signedLow, signedHigh) = (shaped(signedLow, t), shaped(signedHigh, t));
        uint256 slot = Slots.packHalf(FEED, bytes32(uint256(int256(low))), metaOf(signedLow, 0), t, 0)
            | Slots.packHalf(FEED, bytes32(uint256(int256(high))), metaOf(signedHigh, 0), t, 1);
        checkHalf(slot, 0, low, t, signedLow);
        checkHalf(slot, 1, high, t, signedHigh);
    }

    function checkHalf(uint256 slot, uint256 i, int72 value, uint256 t, Signed memory signed) private pure {
        Reading memory r = Slots.readingHalf(slot, i);
        assertEq(r.value, value, "value");
        assertEq(r.kind, 0, "kind");
        checkSafe(r, signed, t, 16, 32);
        (int256 again, Meta meta) = Slots.unpackHalf(slot, i);
        assertEq(again, value, "value for readers");
        assertEq(meta.status(), r.status, "status for readers");
        assertEq(meta.observedAtMs(), r.observedAtMs, "source time for readers");
        assertEq(meta.validUntilMs(), r.validUntilMs, "validity for readers");
    }

    // What does not fit

    function testFuzz_numbersBeyondTheirRoomAreRefused(int256 value) external {
        bytes memory error = abi.encodeWithSelector(Values.NotInt176.selector, FEED);
        bool fits = value >= type(int176).min && value <= type(int176).max;
        if (!fits) vm.expectRevert(error);
        this.pack(bytes32(uint256(value)), okMeta(1), 1);
        fits = value >= type(int72).min && value <= type(int72).max;
        Reading memory half = Slots.readingHalf(this.packHalf(bytes32(uint256(value)), okMeta(1), 1, 0), 0);
        assertEq(half.value, fits ? value : int256(0));
        assertEq(half.status, fits ? 0 : 15);
    }

    function test_theLargestNumbersFitAndTheNextDoNot() external {
        this.pack(bytes32(uint256(int256(type(int176).max))), okMeta(1), 1);
        this.pack(bytes32(uint256(int256(type(int176).min))), okMeta(1), 1);
        this.packHalf(bytes32(uint256(int256(type(int72).max))), okMeta(1), 1, 1);
        this.packHalf(bytes32(uint256(int256(type(int72).min))), okMeta(1), 1, 1);
        vm.expectRevert(abi.encodeWithSelector(Values.NotInt176.selector, FEED));
        this.pack(bytes32(uint256(int256(type(int176).max) + 1)), okMeta(1), 1);
        vm.expectRevert(abi.encodeWithSelector(Values.NotInt176.selector, FEED));
        this.pack(bytes32(uint256(int256(type(int176).min) - 1)), okMeta(1), 1);
        for (uint256 i = 0; i < 2; ++i) {
            int256 beyond = i == 0 ? int256(type(int72).max) + 1 : int256(type(int72).min) - 1;
            Reading memory half = Slots.readingHalf(this.packHalf(bytes32(uint256(beyond)), okMeta(1), 1, 1), 1);
            assertEq(half.value, 0);
            assertEq(half.status, 15);
        }
    }

    function testFuzz_kindsThatAreNotKnownAreRefused(uint8 kind) external {
        uint256 meta = packMeta(1, 1, 0, 1, kind, 0);
        bytes memory error = abi.encodeWithSelector(Values.WrongKind.selector, FEED, kind);
        if (kind > 1) vm.expectRevert(error);
        this.pack(0, meta, 1);
        if (kind > 0) vm.expectRevert(error);
        this.packHalf(0, meta, 1, 0);
    }

    function test_noUnknownStatusLooksOk() external pure {
        for (uint256 status = 1; status < 256; ++status) {
            Meta meta = Meta.wrap(packMeta(1, 1, status, 1, 0, 0));
            uint256 shown = status > 15 ? 15 : status;
            assertEq(Slots.reading(Slots.pack(FEED, 0, meta, 1)).status, shown);
            assertEq(Slots.readingHalf(Slots.packHalf(FEED, 0, meta, 1, 1), 1).status, shown);
        }
    }

    // Helpers

    /// @dev Mostly source times before T, near and far alike; the fuzzer's own would nearly all lie after it.
    function shaped(Signed memory s, uint256 t) private pure returns (Signed memory) {
        uint256 seed = s.observedAtMs;
        if (seed % 4 != 0) s.observedAtMs = uint64(t - (bound(seed, 0, t) >> seed % 43));
        if (seed % 3 != 0) s.validForS >>= uint32(seed % 32);
        if (seed % 5 != 0) s.spreadPpm >>= uint32(seed % 32);
        return s;
    }

    function metaOf(Signed memory s, uint256 kind) private pure returns (Meta) {
        return Meta.wrap(packMeta(s.observedAtMs, s.validForS, s.status, s.groups, kind, s.spreadPpm));
    }

    /// @dev `ages` and `validities`: what parts of them may be lost.
    function checkSafe(Reading memory r, Signed memory s, uint256 t, uint256 ages, uint256 validities) private pure {
        assertEq(r.attestedAtMs, t, "T");
        assertEq(r.status, s.status > 15 ? 15 : s.status, "status");
        assertEq(r.groups, s.groups > 15 ? 15 : s.groups, "groups");
        assertGe(r.spreadPpm, s.spreadPpm, "spread");
        assertLe(r.spreadPpm, uint256(s.spreadPpm) + s.spreadPpm / 8, "spread is close");
        // A source ahead of T counts as if it had said T.
        uint256 observed = s.observedAtMs < t ? s.observedAtMs : t;
        assertLe(r.observedAtMs, observed, "source time");
        uint256 ageMs = t - observed;
        // A second, since ages are in whole ones.
        uint256 slack = ageMs / ages + 1000 + 1000 / ages;
        assertGe(r.observedAtMs + slack, observed, "source time is close");
        uint256 validMs = uint256(s.validForS) * 1000;
        assertLe(r.validUntilMs, observed + validMs, "validity");
        assertGe(r.validUntilMs + slack + validMs / validities, observed + validMs, "validity is close");
    }
}
