// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// The test base itself: bounds, keys, what the asserts refuse, and the rules of the chain that the tests run under.

import {TestBase} from "./TestBase.sol";

/// @title Tests of the test base
contract BaseTest is TestBase {
    error Wanted(uint256 value);

    function fail(uint256 value) external pure {
        revert Wanted(value);
    }

    function compare(uint256 left, uint256 right) external pure {
        assertEq(left, right, "numbers");
    }

    function boundUnsigned(uint256 x, uint256 min, uint256 max) external pure returns (uint256) {
        return bound(x, min, max);
    }

    function testBoundStaysInRangeAndKeepsWhatIsInIt(uint256 x, uint256 a, uint256 b) external pure {
        (uint256 min, uint256 max) = a < b ? (a, b) : (b, a);
        uint256 y = bound(x, min, max);
        assertGe(y, min);
        assertLe(y, max);
        if (x >= min && x <= max) assertEq(x, y);
    }

    function testSignedBoundStaysInRangeAndKeepsWhatIsInIt(int256 x, int256 a, int256 b) external pure {
        (int256 min, int256 max) = a < b ? (a, b) : (b, a);
        int256 y = bound(x, min, max);
        assertGe(y, min);
        assertLe(y, max);
        if (x >= min && x <= max) assertEq(x, y);
    }

    function testBoundReachesBothEnds() external pure {
        assertEq(bound(uint256(7), 0, 6), 0);
        assertEq(bound(uint256(6), 0, 6), 6);
        assertEq(bound(type(int256).min, type(int256).min, type(int256).max), type(int256).min);
        assertEq(bound(int256(5), -3, -3), -3);
    }

    function testBoundRefusesAnEmptyRange() external {
        vm.expectRevert(abi.encodeWithSelector(EmptyRange.selector, 2, 1));
        this.boundUnsigned(0, 2, 1);
    }

    function testAnAssertThatDoesNotHoldReverts() external {
        vm.expectRevert(bytes("numbers: 1 != 2"));
        this.compare(1, 2);
    }

    function testExpectedRevertsAreComparedByteForByte() external {
        vm.expectRevert(abi.encodeWithSelector(Wanted.selector, 7));
        this.fail(7);
        vm.expectPartialRevert(Wanted.selector);
        this.fail(8);
    }

    function testCompactSignaturesRecover(bytes32 digest) external {
        uint256 key = keyOf("alice");
        bytes memory signature = signCompact(key, digest);
        assertEq(signature.length, 64);
        bytes32 r;
        bytes32 vs;
        assembly ("memory-safe") {
            r := mload(add(signature, 32))
            vs := mload(add(signature, 64))
        }
        bytes32 s = vs & bytes32(type(uint256).max >> 1);
        assertLe(uint256(s), ORDER / 2, "low s");
        assertEq(ecrecover(digest, uint8(uint256(vs) >> 255) + 27, r, s), actor("alice"));
    }

    function testChainFollowsOsaka() external {
        // CLZ (EIP-7939) came with Osaka: 255 leading zeros in 1. Before Osaka this code reverts.
        address code = address(0xC12);
        vm.etch(code, hex"60011e5f5260205ff3");
        (bool ok, bytes memory zeros) = code.staticcall("");
        assertTrue(ok);
        assertEq(abi.decode(zeros, (uint256)), 255);
    }

    function testVectorsCanBeRead() external view {
        assertGt(bytes(vm.readFile("test/vectors/meta.json")).length, 0);
    }
}
