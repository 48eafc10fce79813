// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// What a leaf says of a value beside the value: bits 0–63 observedAtMs, 64–95 validForS, 96–103 status, 104–111 groups,
/// 112–119 kind (0: the word is the number, 1: it is a hash), 120–151 spreadPpm, and zeros above.
type Meta is uint256;

using {observedAtMs, validForS, validUntilMs, status, groups, kind, spreadPpm} for Meta global;

/// The source's own time, ms since 1970.
function observedAtMs(Meta self) pure returns (uint256) {
    return uint64(Meta.unwrap(self));
}

/// How long after observedAtMs the value may be used, s.
function validForS(Meta self) pure returns (uint256) {
    return uint32(Meta.unwrap(self) >> 64);
}

/// The last ms in which the value may be used (I-6).
function validUntilMs(Meta self) pure returns (uint256) {
    unchecked {
        return self.observedAtMs() + 1000 * self.validForS();
    }
}

/// Best to worst: 0 OK, 1 LOW_CONFIDENCE, 2 LOW_LIQUIDITY, 3 CLAMPED, 4 MARKET_CLOSED, 5 DIVERGED, 6 STALE,
/// 7 OUT_OF_RANGE, 8 HALT, 9 NO_DATA.
function status(Meta self) pure returns (uint256) {
    return uint8(Meta.unwrap(self) >> 96);
}

/// Independent groups of sources behind the value.
function groups(Meta self) pure returns (uint256) {
    return uint8(Meta.unwrap(self) >> 104);
}

/// 0: the word is the number; 1: it is the hash of a structured value.
function kind(Meta self) pure returns (uint256) {
    return uint8(Meta.unwrap(self) >> 112);
}

/// Spread between groups, parts per million of the value.
function spreadPpm(Meta self) pure returns (uint256) {
    return uint32(Meta.unwrap(self) >> 120);
}
