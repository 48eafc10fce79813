// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// Structured values: what abi.encode wrote is read, in the schema's order; anything else is refused by name.

import {Candle, Structured, Weather} from "../src/lib/Structured.sol";
import {TestBase} from "./base/TestBase.sol";

/// @title Tests of the readers of structured values
contract StructuredTest is TestBase {
    function weather(bytes calldata encoded) external pure returns (Weather memory) {
        return Structured.weather(encoded);
    }

    function candle(bytes calldata encoded) external pure returns (Candle memory) {
        return Structured.candle(encoded);
    }

    function testFuzz_weatherIsReadInItsOrder(int64 a, int64 b, int64 c) external view {
        Weather memory value = this.weather(abi.encode(a, b, c));
        assertEq(value.temperature, a);
        assertEq(value.precipitation, b);
        assertEq(value.windSpeed, c);
    }

    function testFuzz_candleIsReadInItsOrder(int64[7] memory v) external view {
        Candle memory value = this.candle(abi.encode(v));
        assertEq(value.openTimeMs, v[0]);
        assertEq(value.windowS, v[1]);
        assertEq(value.open, v[2]);
        assertEq(value.high, v[3]);
        assertEq(value.low, v[4]);
        assertEq(value.close, v[5]);
        assertEq(value.volume, v[6]);
    }

    function test_edgesOfInt64AreRead() external view {
        Weather memory value = this.weather(abi.encode(type(int64).min, type(int64).max, int64(-1)));
        assertEq(value.temperature, type(int64).min);
        assertEq(value.precipitation, type(int64).max);
        assertEq(value.windSpeed, -1);
    }

    /// What the committee's software encodes: the vector of two 64-bit edges, a third leaf added.
    function test_bytesAreThoseOfTheGoldenVectors() external view {
        string memory vectors = vm.readFile("test/vectors/abi.json");
        assertEq(vm.parseJsonStringArray(vectors, "[1].types").length, 2);
        bytes memory encoded = vm.parseJsonBytes(vectors, "[1].encoded");
        Weather memory value = this.weather(bytes.concat(encoded, vm.parseJsonBytes(vectors, "[0].encoded")));
        assertEq(value.temperature, type(int64).max);
        assertEq(value.precipitation, type(int64).min);
        assertEq(value.windSpeed, -1);
    }

    /// Every length from 0 to 300.
    function test_otherLengthsAreRefused() external {
        for (uint256 length = 0; length <= 300; ++length) {
            bytes memory encoded = new bytes(length);
            if (length != 96) vm.expectRevert(abi.encodeWithSelector(Structured.WrongLength.selector, length, 96));
            this.weather(encoded);
            if (length != 224) vm.expectRevert(abi.encodeWithSelector(Structured.WrongLength.selector, length, 224));
            this.candle(encoded);
        }
    }

    function test_eachLeafMustBeInt64() external {
        for (uint256 leaf = 0; leaf < 7; ++leaf) {
            int256[4] memory wrong = [int256(2 ** 63), -int256(2 ** 63) - 1, type(int256).max, type(int256).min];
            for (uint256 i = 0; i < 4; ++i) {
                int256[7] memory c;
                c[leaf] = wrong[i];
                vm.expectRevert(abi.encodeWithSelector(Structured.NotInt64.selector, leaf));
                this.candle(abi.encode(c));
                if (leaf > 2) continue;
                int256[3] memory w;
                w[leaf] = wrong[i];
                vm.expectRevert(abi.encodeWithSelector(Structured.NotInt64.selector, leaf));
                this.weather(abi.encode(w));
            }
        }
    }

    /// Bytes of any length and content: the value that abi.decode reads, or one of the two errors.
    function testFuzz_anyBytes(bytes memory raw, uint8 size) external view {
        check(raw);
        // Of the right length, so that the leaves are looked at; half of the words are shortened to what may fit.
        bytes memory fitting = new bytes(size % 2 == 0 ? 96 : 224);
        for (uint256 i = 0; i < fitting.length / 32; ++i) {
            uint256 word = uint256(keccak256(abi.encode(raw, i)));
            int256 leaf = word % 2 == 0 || size > 127 ? int256(word) >> 192 : int256(word);
            assembly ("memory-safe") {
                mstore(add(add(fitting, 32), shl(5, i)), leaf)
            }
        }
        check(fitting);
    }

    function check(bytes memory encoded) private view {
        uint256 leaves = encoded.length == 96 ? 3 : 7;
        bool fits = encoded.length == 32 * leaves;
        for (uint256 i = 0; fits && i < leaves; ++i) {
            int256 leaf;
            assembly ("memory-safe") {
                leaf := mload(add(add(encoded, 32), shl(5, i)))
            }
            fits = leaf >= type(int64).min && leaf <= type(int64).max;
        }
        bytes memory call =
            leaves == 3 ? abi.encodeCall(this.weather, (encoded)) : abi.encodeCall(this.candle, (encoded));
        (bool done, bytes memory answer) = address(this).staticcall(call);
        assertEq(done, fits);
        if (done) {
            // Each leaf is a word of its own in both forms.
            assertEq(answer, encoded);
        } else {
            bytes4 why = bytes4(answer);
            assertTrue(why == Structured.WrongLength.selector || why == Structured.NotInt64.selector);
        }
    }
}
