// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// What contracts read out of a feed's meaning: what the golden vectors say, and nothing out of any other bytes.

import {FeedMeaning, Meaning} from "../src/lib/Meaning.sol";
import {TestBase} from "./base/TestBase.sol";

/// @title Tests of lib/Meaning.sol
contract MeaningTest is TestBase {
    string private constant HEX = "6e83a2f24f60a5178077b0fc931f28265a915f9f865a1d09ba00a0b7a7f619ef";
    string private constant PRICE = '{"combine":"median","name":"price","type":"int176"}';
    string private constant PLACE = '{"bytesMax":128,"combine":"majority","name":"place","type":"string"}';

    function parse(bytes memory text) external pure returns (FeedMeaning memory) {
        return Meaning.parse(text);
    }

    function test_GoldenVectors() external view {
        string memory json = vm.readFile("test/vectors/committee.json");
        uint256 count = 0;
        for (string memory feed = ".feeds[0]"; vm.keyExistsJson(json, feed); feed = _at(".feeds", count)) {
            string memory declared = _at(".document.feeds", count);
            string memory text = vm.parseJsonString(json, string.concat(feed, ".meaning"));
            FeedMeaning memory meaning = Meaning.parse(bytes(text));
            assertEq(meaning.feedId, vm.parseJsonBytes32(json, string.concat(feed, ".feedId")), "feed id");
            assertEq(meaning.name, vm.parseJsonString(json, string.concat(declared, ".name")), "name");
            assertEq(meaning.unit, vm.parseJsonString(json, string.concat(declared, ".unit")), "unit");
            assertEq(meaning.decimals, vm.parseJsonUint(json, string.concat(declared, ".decimals")), "decimals");
            bytes32 firstType = keccak256(bytes(vm.parseJsonString(json, string.concat(declared, ".fields[0].type"))));
            bool isNumber = !vm.keyExistsJson(json, string.concat(declared, ".fields[1]"))
                && (firstType == keccak256("int64") || firstType == keccak256("int176"));
            assertEq(meaning.isNumber, isNumber, "is a number");
            ++count;
        }
        assertEq(count, 6, "vectors");
    }

    function test_OneIntegerIsANumberAndNothingElse() external pure {
        assertTrue(_isNumber('{"combine":"median","name":"price","type":"int64"}'));
        assertTrue(_isNumber('{"combine":"majority","name":"price","type":"int176"}'));
        assertFalse(_isNumber('{"combine":"majority","name":"open","type":"bool"}'));
        assertFalse(_isNumber(PLACE));
        assertFalse(_isNumber(string.concat(PRICE, ",", PRICE)));
        assertFalse(_isNumber(string.concat(PRICE, ",", PLACE)));
        assertFalse(_isNumber(string.concat(PLACE, ",", PRICE)));
        assertFalse(
            _isNumber(
                '{"combine":"identity","name":"start","type":"int64"},'
                '{"combine":"median","name":"open","type":"int176"},{"combine":"median","name":"close","type":"int176"}'
            )
        );
    }

    function test_FieldsNamedLikeKeysChangeNothing() external pure {
        string memory fields = '{"combine":"median","name":"decimals","type":"int64"},'
            '{"combine":"median","name":"unit","type":"int64"},{"combine":"median","name":"name","type":"int64"}';
        FeedMeaning memory meaning = Meaning.parse(bytes(_meaning("2", fields, "trap", HEX, "Cel")));
        assertEq(meaning.decimals, 2);
        assertEq(meaning.name, "trap");
        assertEq(meaning.unit, "Cel");
        assertFalse(meaning.isNumber);
    }

    function test_Decimals() external {
        assertEq(Meaning.parse(bytes(_withDecimals("0"))).decimals, 0);
        assertEq(Meaning.parse(bytes(_withDecimals("10"))).decimals, 10);
        assertEq(Meaning.parse(bytes(_withDecimals("36"))).decimals, 36);
        _refuse(_withDecimals("37"), 12);
        _refuse(_withDecimals("264"), 12);
        _refuse(_withDecimals("08"), 12);
        _refuse(_withDecimals("00"), 12);
        _refuse(_withDecimals(""), 12);
        _refuse(_withDecimals("-1"), 12);
        _refuse(_withDecimals('"8"'), 12);
        _refuse(_withDecimals("8.0"), 13);
        _refuse(_withDecimals("8e0"), 13);
        // 2^256 + 8, which must not come round to 8.
        _refuse(_withDecimals("115792089237316195423570985008687907853269984665640564039457584007913129639944"), 12);
    }

    function test_Names() external {
        assertEq(Meaning.parse(bytes(_withName("a"))).name, "a");
        assertEq(Meaning.parse(bytes(_withName("0-z9-a"))).name, "0-z9-a");
        string memory longest = HEX;
        assertEq(bytes(longest).length, 64);
        assertEq(Meaning.parse(bytes(_withName(longest))).name, longest);
        // The name begins at byte 85.
        _refuse(_withName(""), 85);
        _refuse(_withName(string.concat(longest, "a")), 150);
        _refuse(_withName("-btc"), 85);
        _refuse(_withName("btc-"), 89);
        _refuse(_withName("btc--usd"), 89);
        _refuse(_withName("BTC"), 85);
        _refuse(_withName("btc_usd"), 88);
        _refuse(_withName("btc/usd"), 88);
        _refuse(_withName("btc:usd"), 88);
        _refuse(_withName("btc{usd"), 88);
        _refuse(_withName("btc`usd"), 88);
        _refuse(_withName('btc","x":"y'), 91);
    }

    function test_Units() external {
        assertEq(Meaning.parse(bytes(_withUnit("1"))).unit, "1");
        assertEq(Meaning.parse(bytes(_withUnit("~!"))).unit, "~!");
        assertEq(Meaning.parse(bytes(_withUnit("mm[Hg] {a b}"))).unit, "mm[Hg] {a b}");
        string memory longest = "abcdefghijklmnopqrstuvwxyz012345";
        assertEq(Meaning.parse(bytes(_withUnit(longest))).unit, longest);
        // The unit begins at byte 180.
        _refuse(_withUnit(""), 180);
        _refuse(_withUnit(string.concat(longest, "6")), 213);
        _refuse(_withUnit(" USD"), 180);
        _refuse(_withUnit("USD "), 180);
        _refuse(_withUnit("U\\\\D"), 181);
        _refuse(_withUnit('U\\"D'), 181);
        _refuse(_withUnit('U"D'), 182);
        _refuse(_withUnit("U\x1fD"), 181);
        _refuse(_withUnit("U\x7fD"), 181);
        _refuse(_withUnit(unicode"€"), 180);
    }

    function test_Schemas() external {
        // The digest begins at byte 106.
        _refuse(_withSchema("6E83a2f24f60a5178077b0fc931f28265a915f9f865a1d09ba00a0b7a7f619ef"), 107);
        _refuse(_withSchema("ge83a2f24f60a5178077b0fc931f28265a915f9f865a1d09ba00a0b7a7f619ef"), 106);
        _refuse(_withSchema("6e83a2f24f60a5178077b0fc931f28265a915f9f865a1d09ba00a0b7a7f619e"), 169);
        _refuse(_withSchema(string.concat(HEX, "0")), 170);
        _refuse(_withSchema("`e83a2f24f60a5178077b0fc931f28265a915f9f865a1d09ba00a0b7a7f619ef"), 106);
    }

    function test_Fields() external {
        // The fields begin at byte 24.
        _refuse(_withFields(""), 24);
        _refuse(_withFields(string.concat(PRICE, ",")), 76);
        _refuse(_withFields(string.concat(PRICE, PRICE)), 75);
        _refuse(_withFields('{"combine":"mean","name":"price","type":"int176"}'), 36);
        _refuse(_withFields('{"combine":"","name":"price","type":"int176"}'), 36);
        _refuse(_withFields('{"combine":"median","name":"Price","type":"int176"}'), 52);
        _refuse(_withFields('{"combine":"median","name":"price","type":"int256"}'), 67);
        _refuse(_withFields('{"combine":"median","name":"price","type":"uint"}'), 67);
        _refuse(_withFields('{"combine":"median","name":"price"}'), 58);
        _refuse(_withFields('{"name":"price","combine":"median","type":"int176"}'), 26);
        _refuse(_withFields('{"combine":"median","name":"price","type":"int176","unit":"USD"}'), 74);
        _refuse(_withFields('{"bytesMax":1025,"combine":"majority","name":"place","type":"string"}'), 36);
        _refuse(_withFields('{"bytesMax":,"combine":"majority","name":"place","type":"string"}'), 36);
        _refuse(_withFields('{"bytesMax":08,"combine":"majority","name":"place","type":"string"}'), 36);
        _refuse(_withFields('{"bytesmax":8,"combine":"majority","name":"place","type":"string"}'), 31);
        _refuse(_withFields(string.concat("[", PRICE, "]")), 24);
    }

    function test_EveryPrefixIsRefused() external {
        bytes memory text = bytes(_usual());
        for (uint256 length = 0; length < text.length; ++length) {
            bytes memory prefix = new bytes(length);
            for (uint256 i = 0; i < length; ++i) {
                prefix[i] = text[i];
            }
            vm.expectPartialRevert(Meaning.MalformedMeaning.selector);
            this.parse(prefix);
        }
    }

    function test_OtherBytesAround() external {
        _refuse(string.concat(_usual(), " "), 185);
        _refuse(string.concat(_usual(), _usual()), 185);
        _refuse(string.concat(" ", _usual()), 0);
        _refuse(
            string.concat('{"fields":[', PRICE, '],"decimals":8,"name":"btc-usd","schema":"0x', HEX, '","unit":"USD"}'),
            2
        );
    }

    function testFuzz_WhatIsBuiltIsRead(uint256 decimals, uint256 fields, uint256 name, uint256 unit) external pure {
        decimals = bound(decimals, 0, 36);
        string memory some = _pick("abcdefghijklmnopqrstuvwxyz0123456789", name, 64);
        string memory unitText = _pick("!#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~", unit, 32);
        string[4] memory pool = [PRICE, PLACE, '{"combine":"majority","name":"up","type":"bool"}', PRICE];
        string memory list = pool[fields % 4];
        uint256 count = 1 + (fields >> 8) % 6;
        for (uint256 i = 1; i < count; ++i) {
            list = string.concat(list, ",", pool[(fields >> (16 + 2 * i)) % 4]);
        }
        bytes memory text = bytes(_meaning(vm.toString(decimals), list, some, HEX, unitText));
        FeedMeaning memory meaning = Meaning.parse(text);
        assertEq(meaning.feedId, keccak256(text));
        assertEq(meaning.decimals, decimals);
        assertEq(meaning.name, some);
        assertEq(meaning.unit, unitText);
        assertEq(meaning.isNumber, count == 1 && (fields % 4 == 0 || fields % 4 == 3));
    }

    /// Of bytes with a fault in them either nothing is read, or what stands in them.
    function testFuzz_WhatIsReadStandsThere(uint256 place, bytes1 char) external view {
        bytes memory text = bytes(_usual());
        text[place % text.length] = char;
        try this.parse(text) returns (FeedMeaning memory meaning) {
            bytes memory field = _slice(text, 24, 75);
            string memory again = _meaning(
                vm.toString(meaning.decimals), string(field), meaning.name, string(_slice(text, 106, 170)), meaning.unit
            );
            assertEq(string(text), again);
        } catch (bytes memory reason) {
            assertEq(bytes32(bytes4(reason)), bytes32(Meaning.MalformedMeaning.selector));
            assertEq(reason.length, 36);
        }
    }

    function testFuzz_AnyBytesAreRefusedWithTheError(bytes calldata text) external {
        vm.expectPartialRevert(Meaning.MalformedMeaning.selector);
        this.parse(text);
    }

    function _refuse(string memory text, uint256 position) private {
        vm.expectRevert(abi.encodeWithSelector(Meaning.MalformedMeaning.selector, position));
        this.parse(bytes(text));
    }

    function _isNumber(string memory fields) private pure returns (bool) {
        return Meaning.parse(bytes(_withFields(fields))).isNumber;
    }

    function _usual() private pure returns (string memory) {
        return _meaning("8", PRICE, "btc-usd", HEX, "USD");
    }

    function _withDecimals(string memory decimals) private pure returns (string memory) {
        return _meaning(decimals, PRICE, "btc-usd", HEX, "USD");
    }

    function _withFields(string memory fields) private pure returns (string memory) {
        return _meaning("8", fields, "btc-usd", HEX, "USD");
    }

    function _withName(string memory name) private pure returns (string memory) {
        return _meaning("8", PRICE, name, HEX, "USD");
    }

    function _withSchema(string memory schema) private pure returns (string memory) {
        return _meaning("8", PRICE, "btc-usd", schema, "USD");
    }

    function _withUnit(string memory unit) private pure returns (string memory) {
        return _meaning("8", PRICE, "btc-usd", HEX, unit);
    }

    function _meaning(
        string memory decimals,
        string memory fields,
        string memory name,
        string memory schema,
        string memory unit
    ) private pure returns (string memory text) {
        text = string.concat('{"decimals":', decimals, ',"fields":[', fields, '],"name":"', name);
        return string.concat(text, '","schema":"0x', schema, '","unit":"', unit, '"}');
    }

    function _at(string memory list, uint256 i) private pure returns (string memory) {
        return string.concat(list, "[", vm.toString(i), "]");
    }

    /// 1 to `max` of the letters, by the digits of `seed`.
    function _pick(string memory letters, uint256 seed, uint256 max) private pure returns (string memory) {
        bytes memory text = new bytes(1 + seed % max);
        for (uint256 i = 0; i < text.length; ++i) {
            text[i] = bytes(letters)[uint256(keccak256(abi.encode(seed, i))) % bytes(letters).length];
        }
        return string(text);
    }

    function _slice(bytes memory text, uint256 from, uint256 to) private pure returns (bytes memory part) {
        part = new bytes(to - from);
        for (uint256 i = 0; i < part.length; ++i) {
            part[i] = text[from + i];
        }
    }
}
