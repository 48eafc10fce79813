// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// What every test contract inherits: the cheatcodes, assertions that say what differed, and bounds for fuzzed numbers.

import {VM, Vm} from "./Vm.sol";

/// @title Base of the tests
/// @dev Forge runs each function named test… (its arguments fuzzed, if it has any) on a fresh state after setUp().
abstract contract TestBase {
    /// @dev The cheatcodes under the name that readers of forge tests know.
    Vm internal constant vm = VM;

    /// @dev The order of secp256k1: keys are 1 to ORDER - 1, and s of a signature above ORDER / 2 is high.
    uint256 internal constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    error EmptyRange(uint256 min, uint256 max);
    error EmptySignedRange(int256 min, int256 max);

    /// @dev A number in [min, max]: x itself when it is there, so that edges found by the fuzzer stay edges.
    function bound(uint256 x, uint256 min, uint256 max) internal pure returns (uint256) {
        if (min > max) revert EmptyRange(min, max);
        if (x >= min && x <= max) return x;
        unchecked {
            uint256 size = max - min + 1;
            return size == 0 ? x : min + x % size;
        }
    }

    /// @dev The same for signed numbers.
    function bound(int256 x, int256 min, int256 max) internal pure returns (int256) {
        if (min > max) revert EmptySignedRange(min, max);
        // Shifted by half of the range, the order of signed numbers is that of unsigned ones.
        uint256 shift = 1 << 255;
        unchecked {
            return int256(bound(uint256(x) + shift, uint256(min) + shift, uint256(max) + shift) + shift);
        }
    }

    /// @dev A labelled address that nothing else has, the same on every run.
    function actor(string memory name) internal returns (address account) {
        account = vm.addr(keyOf(name));
        vm.label(account, name);
    }

    /// @dev The private key of `actor(name)`.
    function keyOf(string memory name) internal pure returns (uint256) {
        return uint256(keccak256(bytes(name))) % (ORDER - 1) + 1;
    }

    /// @dev 64 bytes of EIP-2098: r, then the parity of y in the top bit of s.
    function signCompact(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (bytes32 r, bytes32 vs) = vm.signCompact(key, digest);
        return abi.encodePacked(r, vs);
    }

    function assertTrue(bool condition) internal pure {
        vm.assertTrue(condition, "");
    }

    function assertTrue(bool condition, string memory what) internal pure {
        vm.assertTrue(condition, what);
    }

    function assertFalse(bool condition) internal pure {
        vm.assertFalse(condition, "");
    }

    function assertFalse(bool condition, string memory what) internal pure {
        vm.assertFalse(condition, what);
    }

    function assertEq(bool left, bool right) internal pure {
        vm.assertEq(left, right, "");
    }

    function assertEq(bool left, bool right, string memory what) internal pure {
        vm.assertEq(left, right, what);
    }

    function assertEq(uint256 left, uint256 right) internal pure {
        vm.assertEq(left, right, "");
    }

    function assertEq(uint256 left, uint256 right, string memory what) internal pure {
        vm.assertEq(left, right, what);
    }

    function assertEq(int256 left, int256 right) internal pure {
        vm.assertEq(left, right, "");
    }

    function assertEq(int256 left, int256 right, string memory what) internal pure {
        vm.assertEq(left, right, what);
    }

    function assertEq(address left, address right) internal pure {
        vm.assertEq(left, right, "");
    }

    function assertEq(address left, address right, string memory what) internal pure {
        vm.assertEq(left, right, what);
    }

    function assertEq(bytes32 left, bytes32 right) internal pure {
        vm.assertEq(left, right, "");
    }

    function assertEq(bytes32 left, bytes32 right, string memory what) internal pure {
        vm.assertEq(left, right, what);
    }

    function assertEq(bytes memory left, bytes memory right) internal pure {
        vm.assertEq(left, right, "");
    }

    function assertEq(bytes memory left, bytes memory right, string memory what) internal pure {
        vm.assertEq(left, right, what);
    }

    function assertEq(string memory left, string memory right) internal pure {
        vm.assertEq(left, right, "");
    }

    function assertEq(string memory left, string memory right, string memory what) internal pure {
        vm.assertEq(left, right, what);
    }

    function assertNotEq(uint256 left, uint256 right) internal pure {
        vm.assertNotEq(left, right, "");
    }

    function assertNotEq(uint256 left, uint256 right, string memory what) internal pure {
        vm.assertNotEq(left, right, what);
    }

    function assertNotEq(int256 left, int256 right) internal pure {
        vm.assertNotEq(left, right, "");
    }

    function assertNotEq(int256 left, int256 right, string memory what) internal pure {
        vm.assertNotEq(left, right, what);
    }

    function assertNotEq(address left, address right) internal pure {
        vm.assertNotEq(left, right, "");
    }

    function assertNotEq(address left, address right, string memory what) internal pure {
        vm.assertNotEq(left, right, what);
    }

    function assertNotEq(bytes32 left, bytes32 right) internal pure {
        vm.assertNotEq(left, right, "");
    }

    function assertNotEq(bytes32 left, bytes32 right, string memory what) internal pure {
        vm.assertNotEq(left, right, what);
    }

    function assertNotEq(bytes memory left, bytes memory right) internal pure {
        vm.assertNotEq(left, right, "");
    }

    function assertNotEq(bytes memory left, bytes memory right, string memory what) internal pure {
        vm.assertNotEq(left, right, what);
    }

    function assertLt(uint256 left, uint256 right) internal pure {
        vm.assertLt(left, right, "");
    }

    function assertLt(uint256 left, uint256 right, string memory what) internal pure {
        vm.assertLt(left, right, what);
    }

    function assertLt(int256 left, int256 right) internal pure {
        vm.assertLt(left, right, "");
    }

    function assertLt(int256 left, int256 right, string memory what) internal pure {
        vm.assertLt(left, right, what);
    }

    function assertLe(uint256 left, uint256 right) internal pure {
        vm.assertLe(left, right, "");
    }

    function assertLe(uint256 left, uint256 right, string memory what) internal pure {
        vm.assertLe(left, right, what);
    }

    function assertLe(int256 left, int256 right) internal pure {
        vm.assertLe(left, right, "");
    }

    function assertLe(int256 left, int256 right, string memory what) internal pure {
        vm.assertLe(left, right, what);
    }

    function assertGt(uint256 left, uint256 right) internal pure {
        vm.assertGt(left, right, "");
    }

    function assertGt(uint256 left, uint256 right, string memory what) internal pure {
        vm.assertGt(left, right, what);
    }

    function assertGt(int256 left, int256 right) internal pure {
        vm.assertGt(left, right, "");
    }

    function assertGt(int256 left, int256 right, string memory what) internal pure {
        vm.assertGt(left, right, what);
    }

    function assertGe(uint256 left, uint256 right) internal pure {
        vm.assertGe(left, right, "");
    }

    function assertGe(uint256 left, uint256 right, string memory what) internal pure {
        vm.assertGe(left, right, what);
    }

    function assertGe(int256 left, int256 right) internal pure {
        vm.assertGe(left, right, "");
    }

    function assertGe(int256 left, int256 right, string memory what) internal pure {
        vm.assertGe(left, right, what);
    }
}
