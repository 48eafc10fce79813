// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title Fills a feed's meaning from a template and parameters that somebody else may choose.
library FeedTemplate {
    /// There must be one piece more than there are params, and at most 16 params.
    error WrongParamCount(uint256 pieces, uint256 params);
    /// This param is empty, longer than 64 characters, or has a character other than A–Z, a–z, 0–9, point and hyphen.
    error InvalidParam(uint256 index);

    uint256 private constant PARAMS_MAX = 16;
    uint256 private constant PARAM_BYTES_MAX = 64;
    /// Bit c: the character of code c may stand in a param. None of them ends or escapes a JSON string.
    uint256 private constant ALLOWED =
        (1 << 45) | (1 << 46) | (((1 << 10) - 1) << 48) | (((1 << 26) - 1) << 65) | (((1 << 26) - 1) << 97);

    /// pieces[0] params[0] pieces[1] params[1] … pieces[n].
    function fill(string[] calldata pieces, string[] calldata params) internal pure returns (bytes memory meaning) {
        uint256 n = params.length;
        if (n > PARAMS_MAX || pieces.length != n + 1) revert WrongParamCount(pieces.length, n);
        meaning = bytes(pieces[0]);
        for (uint256 i = 0; i < n; ++i) {
            bytes calldata param = bytes(params[i]);
            if (!_allowed(param)) revert InvalidParam(i);
            meaning = bytes.concat(meaning, param, bytes(pieces[i + 1]));
        }
    }

    function _allowed(bytes calldata param) private pure returns (bool) {
        if (param.length == 0 || param.length > PARAM_BYTES_MAX) return false;
        for (uint256 i = 0; i < param.length; ++i) {
            if ((ALLOWED >> uint8(param[i])) & 1 == 0) return false;
        }
        return true;
    }
}
