// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Reading} from "../interfaces/IFeedStore.sol";
import {Meta} from "./Meta.sol";
import {Values} from "./Values.sol";

/// @title How stores pack what was signed of a feed into a slot, or into half of one.
/// @notice What does not fit is rounded to the safe side: a value looks older than it is, never younger; it is readable
/// for a shorter time, never for a longer one; its spread looks wider, never narrower.
/// @dev A whole slot, from bit 0: value 176, traits 37, kind 1, T 42. A slot of two halves, from bit 0: value 72 and
/// traits 35 of one feed, the same of the next, T 42. T is ms since 1970, until May 2109: from then on a store takes
/// nothing that can be read. Traits, from bit 0: spread 8 (ppm), status 4, groups 4, age 10 or 9 (T − observedAt, s),
/// validity 11 or 10 (validForS). Status and groups above 15 are kept as 15. Spread, age and validity are small floats,
/// an exponent of five bits above a fraction; nothing that can be signed is too large for them.
library Slots {
    uint256 private constant T_SHIFT = 214;
    uint256 private constant KIND_SHIFT = 213;
    uint256 private constant VALUE_BITS = 176;
    uint256 private constant HALF_BITS = 107;
    uint256 private constant HALF_VALUE_BITS = 72;
    /// Bits of an age's fraction in a whole slot (off by at most 1/32) and in half of one (1/16); a validity has one
    /// more.
    uint256 private constant FRACTION = 5;
    uint256 private constant HALF_FRACTION = 4;
    uint256 private constant SPREAD_FRACTION = 3;
    uint256 private constant NIBBLE_MAX = 15;
    /// Where kind 1 shows among status, groups and kind.
    uint256 private constant KIND_MARK = 1 << 16;

    /// T of a slot of either kind; 0 when nothing was stored.
    function attestedAtMs(uint256 slot) internal pure returns (uint256) {
        return slot >> T_SHIFT;
    }

    /// The least slot of T, of either kind: what is stored is older than T exactly when it is less than this.
    function least(uint256 t) internal pure returns (uint256) {
        return t << T_SHIFT;
    }

    /// A whole slot for one feed of a report of T. Of a structured feed it holds the upper 176 bits of the hash.
    function pack(bytes32 feedId, bytes32 word, Meta meta, uint256 t) internal pure returns (uint256) {
        uint256 marks = _marks(feedId, meta, Values.STRUCTURED);
        uint256 value = uint256(word);
        if (marks & KIND_MARK == 0) {
            if (int256(value) != int176(int256(value))) revert Values.NotInt176(feedId);
            value = uint176(value);
        } else {
            value = structured(word);
        }
        return value | (_traits(marks, meta, t, FRACTION) << VALUE_BITS) | ((marks & KIND_MARK) << (KIND_SHIFT - 16))
            | least(t);
    }

    /// What a reader has to check of a whole slot: the value, and meta as if it had been signed with the rounded times;
    /// groups and spread are left out.
    function unpack(uint256 slot) internal pure returns (int256 value, Meta meta) {
        uint256 kind = (slot >> KIND_SHIFT) & 1;
        value = kind == Values.NUMBER ? int256(int176(uint176(slot))) : int256(uint256(uint176(slot)));
        meta = _meta(slot >> VALUE_BITS, slot, FRACTION, kind);
    }

    /// All that a whole slot says.
    function reading(uint256 slot) internal pure returns (Reading memory) {
        (int256 value, Meta meta) = unpack(slot);
        return _reading(slot, slot >> VALUE_BITS, value, meta);
    }

    /// What a whole slot keeps of the hash of a structured value: finding other bytes for it takes 2^176 attempts.
    function structured(bytes32 hash) internal pure returns (uint256) {
        return uint256(hash) >> (256 - VALUE_BITS);
    }

    /// Half number `i` (0 or 1) of a slot, with T, for one number of a report of T. Both halves or'ed are the slot. A number
    /// beyond 72 bits is kept as 0 with status 15, which no reader takes: it must not stop the feeds beside it.
    function packHalf(bytes32 feedId, bytes32 word, Meta meta, uint256 t, uint256 i) internal pure returns (uint256) {
        uint256 marks = _marks(feedId, meta, Values.NUMBER);
        int256 value = int256(uint256(word));
        if (value != int72(value)) {
            value = 0;
            marks |= NIBBLE_MAX;
        }
        uint256 half = uint72(int72(value)) | (_traits(marks, meta, t, HALF_FRACTION) << HALF_VALUE_BITS);
        return (i == 0 ? half : half << HALF_BITS) | least(t);
    }

    /// Like unpack, of half number `i` (0 or 1) of a pair.
    function unpackHalf(uint256 slot, uint256 i) internal pure returns (int256 value, Meta meta) {
        uint256 half = _half(slot, i);
        value = int72(uint72(half));
        meta = _meta(half >> HALF_VALUE_BITS, slot, HALF_FRACTION, Values.NUMBER);
    }

    /// Like reading, of half number `i` (0 or 1) of a pair.
    function readingHalf(uint256 slot, uint256 i) internal pure returns (Reading memory) {
        (int256 value, Meta meta) = unpackHalf(slot, i);
        return _reading(slot, _half(slot, i) >> HALF_VALUE_BITS, value, meta);
    }

    /// The small float of `x`, rounded down: what is left of x without its d lowest bits, plus d times 2^fraction. What
    /// is left has fraction+1 bits when bits were dropped, so the uppermost of them makes the exponent d+1; numbers
    /// below 2^(fraction+1) stand for themselves. Codes are in the order of the numbers.
    function encodeDown(uint256 x, uint256 fraction) internal pure returns (uint256) {
        unchecked {
            uint256 dropped = _dropped(x, fraction);
            return (dropped << fraction) + (x >> dropped);
        }
    }

    /// The same, rounded up: when all bits that are left were ones, the sum carries into the number of dropped bits.
    function encodeUp(uint256 x, uint256 fraction) internal pure returns (uint256) {
        unchecked {
            uint256 dropped = _dropped(x, fraction);
            return (dropped << fraction) + ((x + (1 << dropped) - 1) >> dropped);
        }
    }

    /// The number that a small float stands for.
    function decode(uint256 code, uint256 fraction) internal pure returns (uint256 x) {
        assembly ("memory-safe") {
            let exponent := shr(fraction, code)
            let hidden := gt(exponent, 0)
            x := sub(code, shl(fraction, sub(exponent, hidden)))
            x := shl(sub(exponent, hidden), x)
        }
    }

    /// How many low bits of `x` a small float drops: the place of its uppermost bit above `fraction`.
    function _dropped(uint256 x, uint256 fraction) private pure returns (uint256 dropped) {
        assembly ("memory-safe") {
            let rest := shr(fraction, x)
            for {} gt(rest, 31) {} {
                rest := shr(5, rest)
                dropped := add(dropped, 5)
            }
            // The place of the uppermost bit of each number below 32.
            dropped := add(dropped, byte(rest, 0x0000010102020202030303030303030304040404040404040404040404040404))
        }
    }

    /// Status, groups and kind as meta has them, a byte each, none larger than a slot can hold.
    function _marks(bytes32 feedId, Meta meta, uint256 kindMax) private pure returns (uint256 marks) {
        marks = uint24(Meta.unwrap(meta) >> 96);
        // One look for what no honest committee of this version signs.
        if (marks & (0xfff0f0 - (kindMax << 16)) != 0) {
            if (meta.kind() > kindMax) revert Values.WrongKind(feedId, meta.kind());
            // Never shown as less: a status that is not known here must not become OK.
            marks = _nibble(meta.status()) | (_nibble(meta.groups()) << 8) | (meta.kind() << 16);
        }
    }

    function _traits(uint256 marks, Meta meta, uint256 t, uint256 fraction) private pure returns (uint256) {
        unchecked {
            uint256 observedAtMs = meta.observedAtMs();
            // A source ahead of the committee's clock: as if it had said T, which is earlier.
            uint256 ageS;
            assembly ("memory-safe") {
                ageS := mul(gt(t, observedAtMs), div(add(sub(t, observedAtMs), 999), 1000))
            }
            // Most ages are small enough to stand for themselves.
            if (ageS >> fraction > 1) ageS = encodeUp(ageS, fraction);
            return encodeUp(meta.spreadPpm(), SPREAD_FRACTION) | (((marks | (marks >> 4)) & 0xff) << 8) | (ageS << 16)
                | (encodeDown(meta.validForS(), fraction + 1) << (21 + fraction));
        }
    }

    function _half(uint256 slot, uint256 i) private pure returns (uint256) {
        return i == 0 ? slot : slot >> HALF_BITS;
    }

    /// `traits` may have foreign bits above its own.
    function _meta(uint256 traits, uint256 slot, uint256 fraction, uint256 kind) private pure returns (Meta) {
        unchecked {
            uint256 t = attestedAtMs(slot);
            uint256 ageMs = 1000 * decode((traits >> 16) & ((1 << (5 + fraction)) - 1), fraction);
            uint256 validForS = decode((traits >> (21 + fraction)) & ((1 << (6 + fraction)) - 1), fraction + 1);
            // A source time near 1970, or none at all, is rounded to before 1970.
            uint256 observedAtMs = t > ageMs ? t - ageMs : 0;
            return Meta.wrap(observedAtMs | (validForS << 64) | (((traits >> 8) & NIBBLE_MAX) << 96) | (kind << 112));
        }
    }

    function _reading(uint256 slot, uint256 traits, int256 value, Meta meta) private pure returns (Reading memory) {
        uint256 spreadPpm = decode(traits & 0xff, SPREAD_FRACTION);
        return Reading({
            value: value,
            attestedAtMs: attestedAtMs(slot),
            observedAtMs: meta.observedAtMs(),
            validUntilMs: meta.validUntilMs(),
            status: uint8(meta.status()),
            groups: uint8((traits >> 12) & NIBBLE_MAX),
            kind: uint8(meta.kind()),
            spreadPpm: spreadPpm
        });
    }

    function _nibble(uint256 x) private pure returns (uint256) {
        return x < NIBBLE_MAX ? x : NIBBLE_MAX;
    }
}
