// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// Templates: what they make, and that no param ends the text it stands in.

import {Request, IRequestHub} from "../src/interfaces/IRequestHub.sol";
import {FeedTemplate} from "../src/lib/FeedTemplate.sol";
import {HubBase} from "./base/HubBase.sol";

/// @title Tests of requests by template
contract RequestHubTemplateTest is HubBase {
    bytes4 private constant PANIC = 0x4e487b71;

    function test_templateIsFilledWithAPair() external {
        string[] memory pieces = new string[](3);
        (pieces[0], pieces[1], pieces[2]) = ("{\"decimals\":2,\"name\":\"", "-", "\"}");
        string[] memory params = new string[](2);
        (params[0], params[1]) = ("eth", "usd");
        bytes32 id = ask(pieces, params);
        assertEq(hub.requestOf(id).feedId, FEED, "as if the meaning had been written out");
    }

    function test_templateWithoutParamsIsItsOnlyPiece() external {
        string[] memory pieces = new string[](1);
        pieces[0] = string(MEANING);
        assertEq(hub.requestOf(ask(pieces, new string[](0))).feedId, FEED);
    }

    function test_piecesAreOneMoreThanParamsAndParamsAtMost16() external {
        ask(texts(17, ""), texts(16, "x"));
        uint256[2][5] memory wrong =
            [[uint256(0), 0], [uint256(2), 0], [uint256(1), 1], [uint256(3), 1], [uint256(18), 17]];
        for (uint256 i = 0; i < wrong.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(FeedTemplate.WrongParamCount.selector, wrong[i][0], wrong[i][1]));
            ask(texts(wrong[i][0], ""), texts(wrong[i][1], "x"));
        }
    }

    function test_paramsHave1To64Characters() external {
        ask(texts(2, ""), texts(1, string(filled(64))));
        uint256[3] memory wrong = [uint256(0), 65, 1000];
        for (uint256 i = 0; i < wrong.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(FeedTemplate.InvalidParam.selector, 0));
            ask(texts(2, ""), texts(1, string(filled(wrong[i]))));
        }
    }

    /// Each of the 256 bytes, first, last and alone.
    function test_onlyLettersDigitsPointAndHyphenAreTaken() external {
        bytes memory allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-";
        for (uint256 code = 0; code < 256; ++code) {
            bytes1 character = bytes1(uint8(code));
            bool fits = false;
            for (uint256 i = 0; i < allowed.length; ++i) {
                if (allowed[i] == character) fits = true;
            }
            requireTaken(abi.encodePacked(character), fits);
            requireTaken(abi.encodePacked(character, "b"), fits);
            requireTaken(abi.encodePacked("a", character), fits);
        }
    }

    function test_paramsInjectNoJson() external {
        string[6] memory hostile = ["usd\",\"unit\":\"EUR", "\\u0022", "usd\"}", "usd\\", "u\x00sd", unicode"usd″"];
        for (uint256 i = 0; i < hostile.length; ++i) {
            string[] memory params = texts(2, "eth");
            params[1] = hostile[i];
            vm.expectRevert(abi.encodeWithSelector(FeedTemplate.InvalidParam.selector, 1));
            ask(texts(3, "\""), params);
        }
    }

    function test_filledMeaningHasAtMost2048Bytes() external {
        string[] memory pieces = texts(2, "");
        pieces[0] = string(filled(2047));
        ask(pieces, texts(1, "x"));
        pieces[1] = "y";
        vm.expectRevert(abi.encodeWithSelector(IRequestHub.InvalidMeaning.selector, 2049));
        ask(pieces, texts(1, "x"));
        vm.expectRevert(abi.encodeWithSelector(IRequestHub.InvalidMeaning.selector, 0));
        ask(texts(1, ""), texts(0, ""));
    }

    /// Bounds of deadline and gas are those of request().
    function test_templateRequestHasTheSameBounds() external {
        vm.prank(address(asker));
        vm.expectRevert(abi.encodeWithSelector(IRequestHub.InvalidDeadline.selector, START));
        hub.requestFrom(texts(2, "a"), texts(1, "x"), uint64(START), GAS);
        vm.prank(address(asker));
        vm.expectRevert(abi.encodeWithSelector(IRequestHub.InvalidCallbackGas.selector, 0));
        hub.requestFrom(texts(2, "a"), texts(1, "x"), DEADLINE, 0);
    }

    /// Taken exactly when each param is harmless; then the meaning is the text, with each quote of the pieces and no other.
    function testFuzz_templates(bytes[4] memory raw, string[5] memory around, uint8 count) external {
        uint256 n = count % 5;
        string[] memory params = new string[](n);
        string[] memory pieces = new string[](n + 1);
        string memory text = pieces[0] = around[0];
        uint256 firstBad = n;
        for (uint256 i = 0; i < n; ++i) {
            // Every other param is made harmless, so that both outcomes are common.
            bytes memory param = i % 2 == 0 ? raw[i] : tamed(raw[i]);
            if (firstBad == n && !harmless(param)) firstBad = i;
            params[i] = string(param);
            pieces[i + 1] = around[i + 1];
            text = string.concat(text, params[i], pieces[i + 1]);
        }
        if (firstBad < n) {
            vm.expectRevert(abi.encodeWithSelector(FeedTemplate.InvalidParam.selector, firstBad));
        } else if (bytes(text).length == 0 || bytes(text).length > 2048) {
            vm.expectRevert(abi.encodeWithSelector(IRequestHub.InvalidMeaning.selector, bytes(text).length));
        }
        vm.prank(address(asker));
        bytes32 id = hub.requestFrom(pieces, params, DEADLINE, GAS);
        if (firstBad == n && bytes(text).length > 0 && bytes(text).length <= 2048) {
            assertEq(hub.requestOf(id).feedId, keccak256(bytes(text)));
        }
    }

    /// Calldata of any length and content: nothing panics, and what is no request makes none.
    function testFuzz_malformedCalldataNeverPanics(bytes memory rest, uint256 lengths, uint8 which) external {
        bytes4[5] memory selectors = [
            IRequestHub.request.selector,
            IRequestHub.requestFrom.selector,
            IRequestHub.answer.selector,
            IRequestHub.expire.selector,
            IRequestHub.cancel.selector
        ];
        requireNoPanic(bytes.concat(selectors[which % 5], rest));
        // A well-formed request with one word overwritten: offsets and lengths that lie.
        bytes memory input = abi.encodeCall(IRequestHub.requestFrom, (texts(3, "ab"), texts(2, "x"), DEADLINE, GAS));
        uint256 words = (input.length - 4) / 32;
        requireNoPanic(overwrite(input, 4 + 32 * (lengths % words), abi.encode(uint256(keccak256(rest)))));
        requireNoPanic(overwrite(input, 4 + 32 * (lengths % words), abi.encode(uint256(which))));
        requireNoPanic(overwrite(input, 4 + 32 * (lengths % words), abi.encode(2 ** 64 - uint256(which))));
        requireNoPanic(cut(input, lengths % input.length));
    }

    function requireNoPanic(bytes memory input) private {
        uint256 count = uint256(vm.load(address(hub), 0));
        vm.prank(address(asker));
        (bool done, bytes memory answer) = address(hub).call(input);
        if (done) return;
        assertTrue(bytes4(answer) != PANIC, "panic");
        assertEq(uint256(vm.load(address(hub), 0)), count);
    }

    function requireTaken(bytes memory param, bool fits) private {
        string[] memory params = texts(1, string(param));
        if (!fits) vm.expectRevert(abi.encodeWithSelector(FeedTemplate.InvalidParam.selector, 0));
        bytes32 id = ask(texts(2, "\""), params);
        if (fits) assertEq(hub.requestOf(id).feedId, keccak256(abi.encodePacked("\"", param, "\"")));
    }

    function ask(string[] memory pieces, string[] memory params) private returns (bytes32) {
        vm.prank(address(asker));
        return hub.requestFrom(pieces, params, DEADLINE, GAS);
    }

    function texts(uint256 n, string memory text) private pure returns (string[] memory result) {
        result = new string[](n);
        for (uint256 i = 0; i < n; ++i) {
            result[i] = text;
        }
    }

    function filled(uint256 length) private pure returns (bytes memory result) {
        result = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            result[i] = "z";
        }
    }

    function harmless(bytes memory param) private pure returns (bool) {
        for (uint256 i = 0; i < param.length; ++i) {
            bytes1 b = param[i];
            bool letter = (b >= "a" && b <= "z") || (b >= "A" && b <= "Z");
            if (!letter && !(b >= "0" && b <= "9") && b != "." && b != "-") return false;
        }
        return param.length > 0 && param.length <= 64;
    }

    function tamed(bytes memory raw) private pure returns (bytes memory result) {
        result = bytes.concat("a", raw.length > 63 ? cut(raw, 63) : raw);
        for (uint256 i = 0; i < result.length; ++i) {
            result[i] = bytes1(uint8(97 + uint8(result[i]) % 26));
        }
    }
}
